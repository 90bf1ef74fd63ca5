"""Conditions: a method under a protocol, with everything that can change its numbers.

Which fields a method and a protocol have depends on the classes that they choose: an output layer,
a consolidation, an optimiser. Each class declares its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from harness.studies.choices import Choice, one_of, refuse
from harness.studies.chosen import Chosen, Count, Frozen, Seed, Share, choice_of, own_benchmark
from harness.studies.classes import is_own
from harness.studies.declared import declared
from harness.studies.known_data import IMBALANCES, KNOWN_DATA, NO_DATA
from harness.studies.own_code import OwnCode
from harness.studies.trained import TRAINED_BY, Function, Given, given_of

NUMERICS_REVISION = 1
"""A part of every cell's key. Raise it when a change of the code is meant to change numbers."""

LANE_FIELDS = frozenset({"seed_offset", "task_seed", "order_seed", "corrected_errors"})
"""Fields of a protocol in which the lanes of one stack may differ, beside those of the classes."""
HEADS = {"off": "softmax", "on": "dhp", "frozen": "trace-frozen"}
"""Output layers by the plasticity that chooses them; the others are ablations of "dhp"."""

MOST_LAYERS, MOST_WEIGHTS = 100, 50_000_000
"""Limits of a network; a larger one would not fit into the memory of a worker."""
MOST_INPUTS, MOST_OUTPUTS = 784, 10
"""The widths of the largest benchmark."""
MOST_BORDER = 8
"""Of 28 x 28 pixels it makes 44 x 44, two and a half times as many inputs."""


class Protocol(Chosen):
    """How every condition is trained and tested. Defaults are the published protocol.

    Attributes
    ----------
    benchmark : data set and task sequence, or the place of the user's own function, whose
        parameters are keys beside it.
    benchmark_source : hash of the user's own files that the function is made of.
    input_scaling : "unit" for pixels in [0, 1]; "standardised" for mean 0 and standard deviation
        1. Not published.
    input_border : pixels of zero that each image gets on every side before it is scaled.
        Standardised, they are a constant below zero: further inputs that learn as a bias does, and
        another mean and deviation. Hsu et al. 2018 pad MNIST by two, to 32 x 32.
    validation_fraction : share of the training set to hold out; above 0, accuracies are measured
        on the held-out part, and the test set is not read.
    hidden : widths of the hidden ReLU layers.
    output_mask : outputs that the training loss sees: those of the current "task", or "all".
        Tests always use the head of the tested task.
    optimiser : "sgd", "momentum", "adam", "adagrad", or the place of the user's own class; its
        fields (the learning rate, a momentum) are keys beside it.
    optimiser_source : hash of the user's own files that the class is made of.
    batch_size : samples in a mini-batch.
    epochs, iterations_per_task : the length of a task; a protocol gives one of the two.
    precision : "float32"; "float64" for exactness checks; "bf16" rounds the factors of the body's
        matrix products to bfloat16 in training and tests, for processors with fast bfloat16.
    seed_offset : added to the cell's seed in every stream, so that two paired conditions share no
        random draw: the negative control compares a program with itself.
    imbalance : of an imbalanced benchmark, how much of each class a task keeps: "shares" for a
        uniform random share of each, scaled so that half of all samples are kept; "two-common" for
        two classes as they are and a tenth of each of the others. Not published.
    task_seed : seed of the tasks, if it differs from the cell's; only where tasks depend on it.
    order_seed : seed of the order of mini-batches, if it differs from the cell's; so orders can be
        crossed with initialisations.
    corrected_errors : number of test errors after each task that are counted as hits, in the task
        with most errors first. This gain of known size is the positive control; never use it for
        a result.
    """

    CHOICES: ClassVar = ("optimiser",)

    benchmark: str = "split-mnist"
    benchmark_source: str | None = None
    input_scaling: Literal["unit", "standardised"] = "unit"
    input_border: Annotated[int, Field(ge=1, le=MOST_BORDER, strict=True)] | None = None
    validation_fraction: Share = 0.0
    hidden: Annotated[tuple[Count, ...], Field(min_length=1, max_length=MOST_LAYERS)] = (256, 256)
    output_mask: Literal["task", "all"] = "task"
    optimiser: str = "sgd"
    optimiser_source: str | None = None
    batch_size: Count = 64
    epochs: Count | None = None
    iterations_per_task: Count | None = None
    precision: Literal["float32", "float64", "bf16"] = "float32"
    seed_offset: Annotated[int, Field(ge=0, lt=2**62, strict=True)] | None = None
    imbalance: Literal["shares", "two-common"] | None = None
    task_seed: Seed | None = None
    order_seed: Seed | None = None
    corrected_errors: Count | None = None

    @field_validator("hidden")
    @classmethod
    def _fits_memory(cls, hidden: tuple[int, ...]) -> tuple[int, ...]:
        weights = sum(a * b for a, b in pairwise((MOST_INPUTS, *hidden, MOST_OUTPUTS)))
        if weights > MOST_WEIGHTS:
            raise ValueError(f"{weights} weights; at most {MOST_WEIGHTS} can be trained")
        return hidden

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.epochs is not None and self.iterations_per_task is not None:
            raise ValueError("give epochs or iterations_per_task, not both")
        if self.epochs is None and self.iterations_per_task is None:
            object.__setattr__(self, "epochs", 10)
        known = KNOWN_DATA.get(self.benchmark)
        if known is not None and known.imbalanced and self.imbalance is None:
            object.__setattr__(self, "imbalance", next(iter(IMBALANCES)))
        return self

    def under(self, replacements: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that stay where a condition replaces some."""
        kept = self.model_dump(exclude_none=True)
        optimiser = replacements.get("optimiser", self.optimiser)
        if optimiser != self.optimiser and optimiser in declared("optimiser"):
            fields = {field.name for field in declared("optimiser")[optimiser].fields}
            fields |= self.of_benchmark().keys()
            kept = {n: v for n, v in kept.items() if n in fields or n in type(self).model_fields}
        lengths = {"epochs", "iterations_per_task"}
        void = lengths if lengths & replacements.keys() else set()
        return {n: v for n, v in kept.items() if n not in void and not n.endswith("_source")}

    @classmethod
    def _choices(
        cls, given: Mapping[str, Any], folder: Path | None, code: dict[str, OwnCode]
    ) -> Iterator[Choice]:
        benchmark = given.get("benchmark", "split-mnist")
        if is_own(benchmark):
            if given.get("input_border") is not None:
                raise ValueError(
                    "input_border has no effect with a benchmark of your own; remove it"
                )
            yield own_benchmark(benchmark, folder, given, code)
        else:
            one_of("benchmark", benchmark, [*KNOWN_DATA])
            if given.get("task_seed") is not None and not KNOWN_DATA[benchmark].seeded:
                raise ValueError(
                    f"task_seed has no effect with benchmark = '{benchmark}'; remove it"
                )
        known = KNOWN_DATA.get(benchmark)
        if given.get("imbalance") is not None and (known is None or not known.imbalanced):
            raise ValueError(f"imbalance has no effect with benchmark = '{benchmark}'; remove it")
        name = given.get("optimiser", "sgd")
        yield choice_of(given, "optimiser", "optimiser", name, folder, code)


class Method(Chosen):
    """What is trained: the output layer and the consolidation of the slow weights.

    Further fields are those of the chosen classes; ``methods.softmax``, ``methods.ablations``,
    ``methods.consolidation`` and ``methods.path_integral`` declare and explain ours.

    Attributes
    ----------
    plasticity : "off" for an ordinary layer, "on" for DHP-Softmax, "frozen" for DHP-Softmax
        with its trace kept at zero; None with a head of the user's own.
    ablation : the part of DHP-Softmax that is removed or changed; see ``methods.ablations``.
    head : the place of the user's own output layer.
    consolidation : "none", "ewc", "online-ewc", "si", "mas", "l2", or the place of the user's own.
    head_source, consolidation_source : hashes of the user's own files that they are made of.
    """

    CHOICES: ClassVar = ("head", "consolidation")

    plasticity: str | None = None
    ablation: str | None = None
    head: str | None = None
    consolidation: str = "none"
    head_source: str | None = None
    consolidation_source: str | None = None

    def name_of(self, kind: str) -> str:  # noqa: D102
        if kind == "head" and self.head is None:
            return self.ablation or HEADS[self.plasticity or "off"]
        return super().name_of(kind)

    @classmethod
    def _choices(
        cls, given: Mapping[str, Any], folder: Path | None, code: dict[str, OwnCode]
    ) -> Iterator[Choice]:
        yield cls._head(given, folder, code)
        name = given.get("consolidation", "none")
        yield choice_of(given, "consolidation", "consolidation", name, folder, code)

    @classmethod
    def _head(
        cls, given: Mapping[str, Any], folder: Path | None, code: dict[str, OwnCode]
    ) -> Choice:
        head, ablation = given.get("head"), given.get("ablation")
        if head is not None:
            others = [key for key in ("plasticity", "ablation") if given.get(key) is not None]
            if others:
                raise ValueError(f"{others[0]} has no effect with a head of your own; remove it")
            if not is_own(head):
                refuse("head", "ours are chosen by plasticity and ablation", head)
            return choice_of(given, "head", "head", head, folder, code)
        plasticity = given.get("plasticity") or "off"
        one_of("plasticity", plasticity, [*HEADS])
        if ablation is None:
            name = HEADS[plasticity]
        else:
            ablations = [of for of in declared("head") if of not in HEADS.values()]
            one_of("ablation", ablation, ablations)
            if plasticity != "on":
                raise ValueError(
                    f"ablation has no effect with plasticity = '{plasticity}'; remove it"
                )
            name = ablation
        return Choice("head", "plasticity", plasticity, declared("head")[name].fields)

    @model_validator(mode="after")
    def _default(self) -> Self:
        if self.head is None and self.plasticity is None:
            object.__setattr__(self, "plasticity", "off")
        return self


ConditionName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9 +@:=._-]*[A-Za-z0-9+@:=._-])?$")
]


class Condition(Frozen):
    """A named method under the protocol of the study; it may replace fields of the protocol.

    Attributes
    ----------
    method, protocol : what is trained in the stack, and how; or the user's own function or program
        and what it is given.
    levels : its level of each factor of the study; empty if the study writes it out.
    """

    name: ConditionName
    method: Method | Function
    protocol: Protocol | Given
    levels: dict[str, str] = Field(default_factory=dict)

    @field_validator("method", mode="wrap")
    @classmethod
    def _trained_by(cls, value: Any, _: Any, study: ValidationInfo) -> Method | Function:
        if isinstance(value, Method | Function):
            return value
        of = Function if is_function(value) else Method
        return of.model_validate(value, context=study.context)

    @field_validator("protocol", mode="wrap")
    @classmethod
    def _of_method(cls, value: Any, _: Any, study: ValidationInfo) -> Protocol | Given:
        method = study.data.get("method")
        if isinstance(value, Protocol | Given):
            return value
        if not isinstance(method, Function):
            return Protocol.model_validate(value, context=study.context)
        return given_of(method, Given.model_validate(value, context=study.context))

    def __hash__(self) -> int:  # blocks of cells are keys of mappings, and a dict has no hash
        return hash((self.name, self.method, self.protocol))

    @property
    def function(self) -> Function | None:
        """What trains it where that is the user's own function or program."""
        return self.method if isinstance(self.method, Function) else None

    @property
    def stack_method(self) -> Method:
        """What is trained in the stack (TypeError where a function trains it)."""
        if not isinstance(self.method, Method):
            raise TypeError(f"'{self.name}' is trained by '{self.method.place}'")
        return self.method

    @property
    def stack_protocol(self) -> Protocol:
        """How it is trained in the stack (TypeError where a function trains it)."""
        if not isinstance(self.protocol, Protocol):
            raise TypeError(f"'{self.name}' is trained by a function")
        return self.protocol

    def settings(self) -> dict[str, Any]:
        """Return everything about the condition that can change its numbers, JSON-ready."""
        return {
            "protocol": self.protocol.model_dump(mode="json", exclude_none=True),
            "method": self.method.model_dump(mode="json", exclude_none=True),
        }

    def structure(self) -> str:
        """Return the settings that all cells of one stack must share, as JSON."""
        settings = self.settings()
        lane_fields = LANE_FIELDS | self.method.lane_fields() | self.protocol.lane_fields()
        for fields in settings.values():
            for name in lane_fields & fields.keys():
                del fields[name]
        return json.dumps(settings, sort_keys=True)

    def program(self, data_checksum: str) -> str:
        """Return the hash of settings, data and numerics; the name has no part in it."""
        return digest([NUMERICS_REVISION, self.data_of(data_checksum), self.settings()])

    def data_of(self, data_checksum: str) -> str:
        """Return what stands for the data: nothing where a function does without."""
        return NO_DATA if self.protocol.benchmark is None else data_checksum


class Cell(Frozen):
    """The unit of data: one condition, one seed."""

    condition: Condition
    seed: Seed

    @property
    def stream_seed(self) -> int:
        """The seed of every random stream except one that the protocol gives another seed."""
        return self.seed + (self.condition.protocol.seed_offset or 0)

    @property
    def task_seed(self) -> int:
        """The seed of the tasks, where they depend on one."""
        task_seed = self.condition.protocol.task_seed
        return self.stream_seed if task_seed is None else task_seed

    @property
    def order_seed(self) -> int:
        """The seed of the order of mini-batches."""
        order_seed = self.condition.protocol.get("order_seed")
        return self.stream_seed if order_seed is None else order_seed

    def key(self, data_checksum: str) -> str:
        """Return the hash of everything that can change the cell's numbers (32 hex digits)."""
        return cell_key(self.condition.program(data_checksum), self.seed)


def is_function(method: Any) -> bool:
    """Tell whether a table of a condition names a function or a program that trains it."""
    return isinstance(method, Mapping) and any(method.get(key) is not None for key in TRAINED_BY)


def cell_key(program: str, seed: int) -> str:
    """Return the key of a program's cell with this seed; it names the record of the cell."""
    return digest([program, seed])[:32]


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON-ready value; the order of its keys has no effect."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
