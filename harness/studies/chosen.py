"""Settings whose keys depend on the classes that they choose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from harness.errors import InputError
from harness.studies.choices import Choice, complete, refuse
from harness.studies.classes import benchmark_fields, find, is_own, load_own, own, own_fields
from harness.studies.declared import declared
from harness.studies.own_code import OwnCode, locate

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
Share = Annotated[float, Field(ge=0, lt=1, strict=True)]
Count = Annotated[int, Field(ge=1, le=10**9, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=2**63, strict=True)]


class Frozen(BaseModel):
    """A value that cannot be changed and refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Chosen(Frozen):
    """Settings, those of the chosen classes among them.

    Attributes
    ----------
    own : the user's own classes that are chosen, by kind; known where the study's file was read.
    """

    model_config = ConfigDict(extra="allow")
    CHOICES: ClassVar[tuple[str, ...]]
    """The kinds of classes that are chosen here, each by the key of its name."""

    own: dict[str, OwnCode] = Field(default_factory=dict, exclude=True, repr=False)

    def __hash__(self) -> int:  # what is chosen is a dict, which has no hash
        return hash(tuple(sorted(map(str, (self.model_extra or {}).items()))))

    @model_validator(mode="before")
    @classmethod
    def _complete_choices(cls, given: Any, study: ValidationInfo) -> Any:
        """Check the fields of the chosen classes, and fill in their defaults."""
        if not isinstance(given, Mapping):
            return given
        keys = [key for key in cls.model_fields if key != "own"]
        sources = [key for key in keys if key.endswith("_source")]
        if any(given.get(key) is not None for key in sources) and folder_of(study) is None:
            return dict(given)  # checked when the study's file was read; its classes may be gone
        given = {k: v for k, v in given.items() if k not in sources or v is not None}
        fixed = [key for key in keys if key not in sources]
        code: dict[str, OwnCode] = {}
        choices = [*cls._choices(given, folder_of(study), code)]
        completed = {key: value for key, value in given.items() if key in fixed}
        completed |= complete(given, fixed, choices)
        completed |= {f"{kind}_source": found.source for kind, found in code.items()}
        return completed | {"own": code}

    @classmethod
    def _choices(
        cls, given: Mapping[str, Any], folder: Path | None, code: dict[str, OwnCode]
    ) -> Iterator[Choice]:
        """Yield what is chosen; the user's own classes are added to ``code``."""
        raise AssertionError("a subclass says what it chooses")

    def get(self, name: str) -> Any:
        """Return the value of a field; None where it has no effect here, or is not set."""
        extra = self.model_extra or {}
        return extra[name] if name in extra else vars(self).get(name)

    def name_of(self, kind: str) -> str:
        """Return the name or place of the chosen class of a kind."""
        return str(getattr(self, kind))

    def class_of(self, kind: str) -> Any:
        """Return the chosen class of a kind, imported.

        Raises
        ------
        InputError
            Where it is the user's own and is not here.
        """
        code = self.code_of(kind)
        try:
            return load_own(kind, code) if code else find(kind, self.name_of(kind))
        except ValueError as error:
            raise InputError(str(error)) from None

    def code_of(self, kind: str) -> OwnCode | None:
        """Return the user's own class or function of a kind; None where it is ours.

        Raises
        ------
        InputError
            Where it is not known from the study's file, and not here as it was.
        """
        name = self.name_of(kind)
        if kind in self.own or not is_own(name):
            return self.own.get(kind)
        remedy = "run the study by its file, which the class stands beside"
        try:
            code = own(kind, name, None)
        except ValueError as error:
            raise InputError(f"{error}; {remedy}") from None
        if code.source != self.get(f"{kind}_source"):
            raise InputError(f"'{name}' is not what these results were trained with; {remedy}")
        return code

    def of_benchmark(self) -> dict[str, Any]:
        """Return what the study sets of its own benchmark; nothing where it is ours.

        Raises
        ------
        InputError
            Where it is not here; see ``code_of``.
        """
        code = self.code_of("benchmark")
        try:
            names = [field.name for field in benchmark_fields(code)] if code else []
        except ValueError as error:
            raise InputError(str(error)) from None
        return {name: self.get(name) for name in names if self.get(name) is not None}

    def lane_fields(self) -> frozenset[str]:
        """Return the fields in which the lanes of one stack may differ."""
        names: set[str] = set()
        for kind in self.CHOICES:
            code = self.code_of(kind)
            fields = own_fields(kind, code) if code else declared(kind)[self.name_of(kind)].fields
            names |= {field.name for field in fields if field.lane}
        return frozenset(names)


def folder_of(study: ValidationInfo) -> Path | None:
    """Return the folder of the study's file; None where no file is read."""
    folder: Path | None = (study.context or {}).get("folder")
    return folder


def choice_of(
    given: Mapping[str, Any],
    kind: str,
    key: str,
    name: Any,
    folder: Path | None,
    code: dict[str, OwnCode],
) -> Choice:
    """Return the choice that a name makes; the user's own class is added to ``code``.

    Raises
    ------
    ValidationError
        Where it makes none.
    """
    if isinstance(name, str) and name in declared(kind):
        return Choice(kind, key, name, declared(kind)[name].fields)
    try:
        code[kind] = own(kind, name, folder)
        return Choice(kind, key, str(name), own_fields(kind, code[kind]))
    except ValueError as error:
        refuse(key, str(error), given)


def own_benchmark(
    place: str, folder: Path | None, given: Mapping[str, Any], code: dict[str, OwnCode]
) -> Choice:
    """Return the choice of the user's own benchmark, which is added to ``code``.

    Raises
    ------
    ValidationError
        Where it is not there.
    """
    try:
        code["benchmark"] = locate(place, folder)
        fields = benchmark_fields(code["benchmark"])
    except ValueError as error:
        refuse("benchmark", str(error), given)
    return Choice("benchmark", "benchmark", place, fields)
