"""Conditions: a method under a protocol, with everything that can change its numbers."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

NUMERICS_REVISION = 1
"""A part of every cell's key. Raise it when a change of the code is meant to change numbers."""

LANE_SCALARS = frozenset(
    {"learning_rate", "momentum", "eta", "alpha_scale", "strength", "gamma", "xi"}
    | {"seed_offset", "order_seed", "corrected_errors"}
)
"""Fields in which the lanes of one stack may differ."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
Share = Annotated[float, Field(ge=0, lt=1, strict=True)]
Count = Annotated[int, Field(ge=1, le=10**9, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=2**63, strict=True)]

MOST_LAYERS, MOST_WEIGHTS = 100, 50_000_000
"""Limits of a network; a larger one would not fit into the memory of a worker."""
MOST_INPUTS, MOST_OUTPUTS = 784, 10
"""The widths of the largest benchmark."""


class Frozen(BaseModel):
    """A value that cannot be changed and refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Protocol(Frozen):
    """How every condition is trained and tested. Defaults are the published protocol.

    Attributes
    ----------
    benchmark : data set and task sequence.
    input_scaling : "unit" for pixels in [0, 1]; "standardised" for mean 0 and standard deviation
        1. Not published.
    validation_fraction : share of the training set to hold out; above 0, accuracies are measured
        on the held-out part, and the test set is not read.
    hidden : widths of the hidden ReLU layers.
    output_mask : outputs that the training loss sees: those of the current "task", or "all".
        Tests always use the head of the tested task.
    optimiser, learning_rate, momentum, batch_size : only "momentum" uses momentum.
    epochs, iterations_per_task : the length of a task; a protocol gives one of the two.
    precision : "float32"; "float64" for exactness checks; "bf16" rounds the factors of the body's
        matrix products to bfloat16 in training and tests, for processors with fast bfloat16.
    seed_offset : added to the cell's seed in every stream, so that two paired conditions share no
        random draw: the negative control compares a program with itself.
    order_seed : seed of the order of mini-batches, if it differs from the cell's; so orders can be
        crossed with initialisations.
    corrected_errors : number of test errors after each task that are counted as hits, in the task
        with most errors first. This gain of known size is the positive control; never use it for
        a result.
    """

    benchmark: Literal["split-mnist", "split-digits"] = "split-mnist"
    input_scaling: Literal["unit", "standardised"] = "unit"
    validation_fraction: Share = 0.0
    hidden: Annotated[tuple[Count, ...], Field(min_length=1, max_length=MOST_LAYERS)] = (256, 256)
    output_mask: Literal["task", "all"] = "task"
    optimiser: Literal["sgd", "momentum", "adam"] = "sgd"
    learning_rate: Positive = 0.01
    momentum: Share | None = None
    batch_size: Count = 64
    epochs: Count | None = None
    iterations_per_task: Count | None = None
    precision: Literal["float32", "float64", "bf16"] = "float32"
    seed_offset: Annotated[int, Field(ge=0, lt=2**62, strict=True)] | None = None
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
        if self.optimiser == "momentum" and self.momentum is None:
            object.__setattr__(self, "momentum", 0.9)
        if self.optimiser != "momentum" and self.momentum is not None:
            raise ValueError(f"momentum has no effect with optimiser = '{self.optimiser}'")
        return self


class Method(Frozen):
    """What is trained: the output layer and the consolidation of the slow weights.

    Attributes
    ----------
    plasticity : "off" for an ordinary layer, "on" for DHP-Softmax, "frozen" for DHP-Softmax
        with its trace kept at zero.
    head_init : "linear" (torch.nn.Linear's) or "blog" (the published layer's); see
        ``methods.network.Architecture``.
    bias : whether the output layer has a bias.
    eta : initial Hebbian rate (default 0.001; not published).
    alpha_scale : initial alpha is alpha_scale * U(0, 1) (default 0.01, as published).
    consolidation : "none", "ewc", "online-ewc", "si" or "mas".
    strength : lambda of ``L + lambda * sum Omega (theta - theta*)^2``, no factor 1/2. It
        has no default, because no value is published.
    gamma : decay of Online EWC's running Fisher (default 1.0; not published).
    xi : damping of SI (default 0.001; not published).
    fisher : labels of the Fisher information: "exact" (default), "sampled" or "true".
    importance_samples : number of samples for Fisher and MAS importances; all of the task if
        absent.
    ablation : the part of DHP-Softmax that is removed or changed; see ``methods.ablations``.
    """

    plasticity: Literal["off", "on", "frozen"] = "off"
    head_init: Literal["linear", "blog"] = "linear"
    bias: Annotated[bool, Field(strict=True)] = True
    eta: NotNegative | None = None
    alpha_scale: NotNegative | None = None
    consolidation: Literal["none", "ewc", "online-ewc", "si", "mas"] = "none"
    strength: NotNegative | None = None
    gamma: NotNegative | None = None
    xi: Positive | None = None
    fisher: Literal["exact", "sampled", "true"] | None = None
    importance_samples: Count | None = None
    ablation: (
        Literal[
            "eta-fixed",
            "alpha-fixed",
            "trace-detached",
            "trace-shuffled",
            "trace-reset",
            "trace-off-at-test",
            "self-labelled-test",
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Fill in the defaults of fields that have an effect, and refuse fields that have none."""
        plastic = self.plasticity != "off"
        uses = {
            "eta": (plastic, 0.001),
            "alpha_scale": (plastic, 0.01),
            "strength": (self.consolidation != "none", None),
            "gamma": (self.consolidation == "online-ewc", 1.0),
            "xi": (self.consolidation == "si", 0.001),
            "fisher": (self.consolidation in ("ewc", "online-ewc"), "exact"),
            "importance_samples": (self.consolidation in ("ewc", "online-ewc", "mas"), None),
            "ablation": (self.plasticity == "on", None),
        }
        for name, (has_effect, default) in uses.items():
            if not has_effect and getattr(self, name) is not None:
                raise ValueError(
                    f"{name} has no effect with plasticity = '{self.plasticity}' and "
                    f"consolidation = '{self.consolidation}'; remove it"
                )
            if has_effect and getattr(self, name) is None and default is not None:
                object.__setattr__(self, name, default)
        if self.consolidation != "none" and self.strength is None:
            raise ValueError(f"consolidation = '{self.consolidation}' needs a strength (lambda)")
        return self


class Condition(Frozen):
    """A named method under the protocol of the study; it may replace fields of the protocol.

    Attributes
    ----------
    levels : its level of each factor of the study; empty if the study writes it out.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9 +@:=._-]*[A-Za-z0-9+@:=._-])?$")]
    method: Method
    protocol: Protocol
    levels: dict[str, str] = Field(default_factory=dict)

    def __hash__(self) -> int:  # blocks of cells are keys of mappings, and a dict has no hash
        return hash((self.name, self.method, self.protocol))

    def settings(self) -> dict[str, Any]:
        """Return everything about the condition that can change its numbers, JSON-ready."""
        return {
            "protocol": self.protocol.model_dump(mode="json", exclude_none=True),
            "method": self.method.model_dump(mode="json", exclude_none=True),
        }

    def structure(self) -> str:
        """Return the settings that all cells of one stack must share, as JSON."""
        settings = self.settings()
        for fields in settings.values():
            for name in LANE_SCALARS & fields.keys():
                del fields[name]
        return json.dumps(settings, sort_keys=True)

    def program(self, data_checksum: str) -> str:
        """Return the hash of settings, data and numerics; the name has no part in it."""
        return digest([NUMERICS_REVISION, data_checksum, self.settings()])


class Cell(Frozen):
    """The unit of data: one condition, one seed."""

    condition: Condition
    seed: Seed

    @property
    def stream_seed(self) -> int:
        """The seed of every random stream except one that the protocol gives another seed."""
        return self.seed + (self.condition.protocol.seed_offset or 0)

    @property
    def order_seed(self) -> int:
        """The seed of the order of mini-batches."""
        order_seed = self.condition.protocol.order_seed
        return self.stream_seed if order_seed is None else order_seed

    def key(self, data_checksum: str) -> str:
        """Return the hash of everything that can change the cell's numbers (32 hex digits)."""
        return cell_key(self.condition.program(data_checksum), self.seed)


def cell_key(program: str, seed: int) -> str:
    """Return the key of a program's cell with this seed; it names the record of the cell."""
    return digest([program, seed])[:32]


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON-ready value; the order of its keys has no effect."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
