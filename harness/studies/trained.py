"""Conditions that the user's own function or program trains, instead of the stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import InitErrorDetails

from harness.errors import InputError
from harness.studies.choices import Choice, fault, one_of
from harness.studies.chosen import Chosen, Seed, Share, folder_of, own_benchmark
from harness.studies.classes import is_own
from harness.studies.functions import function_signature
from harness.studies.known_data import KNOWN_DATA
from harness.studies.nearest import nearest
from harness.studies.own_code import HOW, OwnCode, locate
from harness.studies.parameters import GIVEN, Signature, checked
from harness.studies.programs import Program, locate_program

TRAINED_BY = ("train", "command")
"""Keys that say what trains a condition."""
FIXED = ("train", "train_source", "command", "command_source")
REMEDY = "run the study by its file, which they stand beside"


class Function(Chosen):
    """What trains a condition: a function or a program of the user's own.

    Further fields are the parameters of the function, or the placeholders of the command.

    Attributes
    ----------
    train : place of the function, as ``file.py:NAME`` or ``package.module:NAME``.
    command : the program with its arguments; see ``harness.studies.programs``.
    train_source, command_source : hashes of the user's own files that they are made of.
    signature : what it takes; None where nobody asked yet.
    program : the command, read; None for a function, or where it was not read yet.
    """

    CHOICES: ClassVar = ()

    train: str | None = None
    train_source: str | None = None
    command: str | None = None
    command_source: str | None = None
    signature: Signature | None = Field(default=None, exclude=True, repr=False)
    program: Program | None = Field(default=None, exclude=True, repr=False)

    @property
    def place(self) -> str:
        """The function or the command, as the study writes it."""
        return self.train or self.command or ""

    @property
    def parameters(self) -> dict[str, Any]:
        """What the study sets, with the defaults of the rest."""
        return dict(self.model_extra or {})

    @model_validator(mode="before")
    @classmethod
    def _complete_choices(cls, given: Any, study: ValidationInfo) -> Any:
        """Read what trains, and check the parameters by its signature."""
        if not isinstance(given, Mapping):
            return given
        sources = [given.get(f"{kind}_source") for kind in TRAINED_BY]
        if any(sources) and folder_of(study) is None:
            return dict(given)  # checked when the study's file was read; its code may be gone
        kinds = [kind for kind in TRAINED_BY if given.get(kind) is not None]
        if len(kinds) != 1:
            raise ValueError("give train or command, not both")
        (kind,) = kinds
        place = given[kind]
        try:
            fields = _read(kind, place, folder_of(study))
        except ValueError as error:
            raise _faulty([fault((kind,), str(error), given)]) from None
        values = {name: value for name, value in given.items() if name not in FIXED}
        return fields | _complete(values, fields["signature"], place)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that a study may set."""
        if self.signature is None:
            return tuple(self.model_extra or ())
        return tuple(parameter.name for parameter in self.signature.parameters)

    @property
    def takes_any_name(self) -> bool:
        """Whether it takes parameters of any name, or nobody asked."""
        return self.signature is None or self.signature.any_name

    def ready(self, folders: tuple[Path, ...]) -> Function:
        """Return it with what trains at hand: looked for where it was not read with the study.

        Parameters
        ----------
        folders : where the user's own files may be.

        Raises
        ------
        InputError
            Where they are in none of them, or not as they were.
        """
        if self.signature is not None:
            return self
        kind = "train" if self.train is not None else "command"
        why = ""
        for folder in folders:
            try:
                fields = _read(kind, self.place, folder)
            except ValueError as error:
                why = why or str(error)
                continue
            if fields[f"{kind}_source"] == self.get(f"{kind}_source"):
                found = {name: fields[name] for name in ("own", "signature", "program")}
                return self.model_copy(update=found)
            why = f"'{self.place}' is not what these results were trained with"
        raise InputError(f"{why}; {REMEDY}")

    def under(self, values: Mapping[str, Any]) -> Function:
        """Return it with other values of those parameters that it has.

        Raises
        ------
        ValueError
            Where one has a wrong type.
        """
        if self.signature is None:
            return self
        kinds = {p.name: p.type for p in self.signature.parameters}
        changed = self.parameters
        for name, value in values.items():
            if name in kinds or self.signature.any_name:
                try:
                    changed[name] = checked(value, kinds.get(name, "any"))
                except ValueError as error:
                    raise ValueError(f"preflight.{name}: {error}") from None
        fixed = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_construct(**fixed, **changed)


def _read(kind: str, place: Any, folder: Path | None) -> dict[str, Any]:
    """Return the fields of a Function that say what trains (ValueError where it is not there)."""
    if kind == "command":
        if not isinstance(place, str):
            raise ValueError("should be a text: a program and its arguments")
        program = locate_program(place, folder)
        found = {"command": place, "command_source": program.source, "own": {}}
        return found | {"signature": program.signature, "program": program}
    if not is_own(place):
        raise ValueError(f"'{place}' is no place of a function; write {HOW}")
    code = locate(place, folder)
    found = {"train": place, "train_source": code.source, "own": {"train": code}}
    return found | {"signature": function_signature(code), "program": None}


def _complete(values: Mapping[str, Any], signature: Signature, place: str) -> dict[str, Any]:
    """Return the parameters with their values, defaults included.

    Raises
    ------
    ValidationError
        With a line for each one that is unknown, missing or of a wrong type.
    """
    parameters = {p.name: p for p in signature.parameters}
    faults: list[InitErrorDetails] = []
    complete: dict[str, Any] = {
        p.name: p.default for p in signature.parameters if not p.needed and p.default is not None
    }
    for name, value in values.items():
        if name in GIVEN:
            says = f"{name} is given to '{place}' by the run; remove it"
            faults.append(fault((), says, dict(values)))
        elif name not in parameters and not signature.any_name:
            known = ", ".join(parameters) or "none"
            says = f"'{place}' has no such parameter{nearest(name, parameters)}; it has {known}"
            faults.append(fault((name,), says, dict(values)))
        else:
            kind = parameters[name].type if name in parameters else "any"
            try:
                complete[name] = checked(value, kind)
            except ValueError as error:
                faults.append(fault((name,), str(error), value))
    for name, parameter in parameters.items():
        if parameter.needed and name not in values:
            faults.append(fault((), f"'{place}' needs a value of {name}", dict(values)))
    if faults:
        raise _faulty(faults)
    return complete


def _faulty(faults: list[InitErrorDetails]) -> ValidationError:
    return ValidationError.from_exception_data("settings", faults)


class Given(Chosen):
    """What the run gives to a function: the study's benchmark, and a seed of its own.

    Attributes
    ----------
    benchmark, benchmark_source, input_scaling, validation_fraction, task_seed, seed_offset : as in
        ``Protocol``; the first four only where the function takes ``tasks``.
    """

    CHOICES: ClassVar = ()

    benchmark: str | None = None
    benchmark_source: str | None = None
    input_scaling: Literal["unit", "standardised"] | None = None
    validation_fraction: Share | None = None
    task_seed: Seed | None = None
    seed_offset: Annotated[int, Field(ge=0, lt=2**62, strict=True)] | None = None

    @classmethod
    def _choices(
        cls, given: Mapping[str, Any], folder: Path | None, code: dict[str, OwnCode]
    ) -> Iterator[Choice]:
        benchmark = given.get("benchmark")
        if is_own(benchmark):
            yield own_benchmark(str(benchmark), folder, given, code)
        elif benchmark is not None:
            # A function is given no procedure of an imbalanced benchmark.
            one_of("benchmark", benchmark, [n for n, d in KNOWN_DATA.items() if not d.imbalanced])


OF_TASKS = ("benchmark", "input_scaling", "validation_fraction", "task_seed")
"""Fields of a protocol that mean something to a function that takes tasks."""


def given_of(function: Function, given: Given) -> Given:
    """Return what a function is given: nothing of tasks where it takes none.

    Raises
    ------
    ValueError
        Where it takes tasks and the study names no benchmark.
    """
    if function.signature is None:  # read from results, which say what it was given
        return given
    if "tasks" not in function.signature.takes:
        return Given(seed_offset=given.seed_offset)
    if given.benchmark is None:
        raise ValueError(
            f"'{function.place}' takes tasks: name their benchmark, [protocol] benchmark = "
            f"'{[*KNOWN_DATA][1]}'"
        )
    scaling, share = given.input_scaling or "unit", given.validation_fraction or 0.0
    return given.model_copy(update={"input_scaling": scaling, "validation_fraction": share})
