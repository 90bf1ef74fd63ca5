"""Studies: what is run, frozen and validated.

A study file is TOML: a protocol (how everything is trained), conditions (what is compared),
seeds, the published values and the claims that they are judged against. Unknown keys and
impossible values are refused by name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from harness.errors import InputError

NUMERICS_REVISION = 1
"""Part of every cell's key. Raise it when a change of the code is meant to change numbers."""

LANE_SCALARS = frozenset(
    {"learning_rate", "momentum", "eta", "alpha_scale", "strength", "gamma", "xi"}
)
"""Fields in which the lanes of one stack may differ."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
Count = Annotated[int, Field(ge=1, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=2**63, strict=True)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Protocol(_Frozen):
    """How every condition is trained and tested. Defaults are the published protocol.

    Attributes
    ----------
    benchmark : data set and task sequence.
    input_scaling : "unit" for pixels in [0, 1]; "standardised" for mean 0, deviation 1. Not
        published.
    validation_fraction : share of the training set to hold out; above 0, accuracies are those
        on the held-out part, and the test set is not read.
    hidden : widths of the hidden ReLU layers.
    output_mask : which outputs the training loss sees: those of the current "task", or "all".
        Tests always use the head of the tested task.
    optimiser, learning_rate, momentum, batch_size : momentum is read by "momentum" only.
    epochs, iterations_per_task : the length of a task, one of the two.
    precision : "float32"; "float64" for exactness checks; "bf16" rounds the factors of the body's
        matrix products to bfloat16 in training and tests, for processors that are fast at it.
    """

    benchmark: Literal["split-mnist", "split-digits"] = "split-mnist"
    input_scaling: Literal["unit", "standardised"] = "unit"
    validation_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.0
    hidden: Annotated[tuple[Count, ...], Field(min_length=1)] = (256, 256)
    output_mask: Literal["task", "all"] = "task"
    optimiser: Literal["sgd", "momentum", "adam"] = "sgd"
    learning_rate: Positive = 0.01
    momentum: Annotated[float, Field(ge=0, lt=1)] | None = None
    batch_size: Count = 64
    epochs: Count | None = None
    iterations_per_task: Count | None = None
    precision: Literal["float32", "float64", "bf16"] = "float32"

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


class Method(_Frozen):
    """What is trained: the output layer and the consolidation of the slow weights.

    Attributes
    ----------
    plasticity : "off" for an ordinary layer, "on" for DHP-Softmax, "frozen" for DHP-Softmax
        with its trace kept at zero.
    head_init : "linear" (torch.nn.Linear's) or "blog" (the published layer's); see
        ``methods.network.Architecture``.
    bias : whether the output layer has one.
    eta : start of the Hebbian rate (default 0.001; not published).
    alpha_scale : alpha starts at alpha_scale * U(0, 1) (default 0.01, as published).
    consolidation : "none", "ewc", "online-ewc", "si" or "mas".
    strength : lambda of ``L + lambda * sum Omega (theta - theta*)^2``, no factor 1/2; has no
        default, because nothing is published.
    gamma : decay of Online EWC's running Fisher (default 1.0; not published).
    xi : damping of SI (default 0.001; not published).
    fisher : labels of the Fisher information: "exact" (default), "sampled" or "true".
    importance_samples : samples for Fisher and MAS importances; all of the task if absent.
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

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Fill in the defaults of what has an effect, refuse what has none."""
        plastic = self.plasticity != "off"
        uses = {
            "eta": (plastic, 0.001),
            "alpha_scale": (plastic, 0.01),
            "strength": (self.consolidation != "none", None),
            "gamma": (self.consolidation == "online-ewc", 1.0),
            "xi": (self.consolidation == "si", 0.001),
            "fisher": (self.consolidation in ("ewc", "online-ewc"), "exact"),
            "importance_samples": (self.consolidation in ("ewc", "online-ewc", "mas"), None),
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


class Condition(_Frozen):
    """A named method under the study's protocol, some of whose fields it may replace."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 +@:=._-]*$")]
    method: Method
    protocol: Protocol

    def settings(self) -> dict[str, Any]:
        """Return everything about the condition that can change its numbers, JSON-ready."""
        return {
            "protocol": self.protocol.model_dump(mode="json", exclude_none=True),
            "method": self.method.model_dump(mode="json", exclude_none=True),
        }

    def structure(self) -> str:
        """Return what cells must have in common to be trained in one stack."""
        settings = self.settings()
        for part in settings.values():
            for name in LANE_SCALARS & part.keys():
                del part[name]
        return json.dumps(settings, sort_keys=True)

    def program(self, data_checksum: str) -> str:
        """Return the hash of settings, data and numerics: what was run, whatever its name."""
        return _digest([NUMERICS_REVISION, data_checksum, self.settings()])


class Published(_Frozen):
    """One source of published accuracies, in % averaged over the tasks seen so far.

    Attributes
    ----------
    id, source : a short name and where the values are printed.
    after_tasks : after how many tasks the values of each condition were taken.
    accuracy, plus_minus : by condition, one value for each entry of ``after_tasks``.
    """

    id: str
    source: str
    after_tasks: Annotated[tuple[Count, ...], Field(min_length=1)]
    accuracy: dict[str, tuple[Annotated[float, Field(ge=0, le=100)], ...]]
    plus_minus: dict[str, tuple[NotNegative, ...]] = {}

    @model_validator(mode="after")
    def _aligned(self) -> Self:
        for table in (self.accuracy, self.plus_minus):
            for name, values in table.items():
                if len(values) != len(self.after_tasks):
                    raise ValueError(
                        f"{name} has {len(values)} values, after_tasks has {len(self.after_tasks)}"
                    )
        return self


class Claim(_Frozen):
    """A reported gain of one condition over another, and what would count as the same.

    Attributes
    ----------
    treatment, baseline : names of conditions; the gain is treatment minus baseline.
    reported : the gain, in ``unit``.
    unit : "points" (of accuracy in %) or "relative %".
    margin : a gain within reported +- margin is the same (tau).
    negligible : a gain within +- negligible is none (delta).
    alpha : the error rate of the verdict's tests.
    """

    id: str
    text: str
    source: str
    metric: Literal["final-accuracy"] = "final-accuracy"
    treatment: str
    baseline: str
    reported: Annotated[float, Field(allow_inf_nan=False, strict=True)]
    unit: Literal["points", "relative %"]
    margin: Positive
    negligible: NotNegative = 0.3
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05


def parse_seeds(text: object) -> object:
    """Read seeds: a number n for the seeds 0 to n-1, or a list such as "0-9,20".

    Raises
    ------
    ValueError
        Where the text is neither.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str):
        return text
    try:
        if text.strip().isdecimal():
            chosen = list(range(int(text)))
        else:
            chosen = []
            for part in text.split(","):
                first, dash, last = part.strip().partition("-")
                if not first.isdecimal() or (dash and not last.isdecimal()):
                    raise ValueError
                chosen += range(int(first), int(last if dash else first) + 1)
    except ValueError:
        raise ValueError(
            f"'{text}' is no choice of seeds; write a number (10: the seeds 0 to 9) or a list "
            "(0-9,20)"
        ) from None
    if not chosen:
        raise ValueError(f"'{text}' chooses no seed")
    if len(chosen) > 1_000_000 or max(chosen) >= 2**63:
        raise ValueError(f"'{text}' is out of range (at most a million seeds, below 2^63)")
    return tuple(dict.fromkeys(chosen))


class Study(_Frozen):
    """Conditions x seeds under a protocol, with the published values they answer to."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    description: str = ""
    seeds: Annotated[tuple[Seed, ...], BeforeValidator(parse_seeds), Field(min_length=1)]
    protocol: Protocol = Protocol()
    conditions: Annotated[dict[str, Condition], Field(min_length=1)]
    published: tuple[Published, ...] = ()
    claims: tuple[Claim, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, raw: Any) -> Any:
        """Turn each condition's table (method fields, protocol overrides) into a Condition."""
        if not isinstance(raw, dict) or not isinstance(raw.get("conditions"), dict):
            return raw
        shared = raw.get("protocol", {})
        if isinstance(shared, Protocol):
            shared = shared.model_dump(exclude_none=True)
        resolved: dict[str, Any] = {}
        for name, table in raw["conditions"].items():
            if isinstance(table, dict) and "method" not in table and isinstance(shared, dict):
                method = dict(table)
                own = method.pop("protocol", {})
                if isinstance(own, dict):
                    kept = {k: v for k, v in shared.items() if not _replaced(k, own)}
                    table = {"name": name, "method": method, "protocol": kept | own}
            resolved[name] = table
        return raw | {"conditions": resolved}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for what, names in (
            ("published", [n for p in self.published for n in p.accuracy]),
            ("claims", [n for c in self.claims for n in (c.treatment, c.baseline)]),
        ):
            for name in names:
                if name not in self.conditions:
                    raise ValueError(
                        f"{what} names the condition '{name}', which the study does not have; "
                        f"it has {', '.join(self.conditions)}"
                    )
        for claim in self.claims:
            if claim.reported == 0:
                raise ValueError(
                    f"claim '{claim.id}' reports a gain of 0: there is nothing to judge"
                )
        ids = [claim.id for claim in self.claims]
        if len(set(ids)) < len(ids):
            raise ValueError("two claims have the same id")
        if len({c.protocol.benchmark for c in self.conditions.values()}) > 1:
            raise ValueError("all conditions of a study share one benchmark")
        return self

    @property
    def benchmark(self) -> str:
        """The benchmark that all conditions share."""
        return next(iter(self.conditions.values())).protocol.benchmark

    def fingerprint(self) -> str:
        """Return a hash of everything in the study, margins of the claims included."""
        return _digest(self.model_dump(mode="json"))

    def choose(self, conditions: Sequence[str] | None, seeds: str | None) -> Study:
        """Return the study cut down to some conditions, or with other seeds.

        Raises
        ------
        InputError
            Where a condition is unknown or the seeds cannot be read.
        """
        changes: dict[str, Any] = {}
        if seeds is not None:
            try:
                changes["seeds"] = parse_seeds(seeds)
            except ValueError as error:
                raise InputError(f"--seeds: {error}") from None
        if conditions is not None:
            unknown = [name for name in conditions if name not in self.conditions]
            if unknown or not conditions:
                raise InputError(
                    f"--conditions: study '{self.name}' has no condition "
                    f"'{', '.join(unknown)}'; it has {', '.join(self.conditions)}"
                )
            changes["conditions"] = {
                name: c for name, c in self.conditions.items() if name in conditions
            }
        return self.model_copy(update=changes)


def _replaced(key: str, own: Mapping[str, Any]) -> bool:
    """Tell whether a condition's own protocol fields put a shared one out of force."""
    lengths = {"epochs", "iterations_per_task"}
    if key in lengths and lengths & own.keys():
        return True
    return key == "momentum" and own.get("optimiser", "momentum") != "momentum"


class Cell(_Frozen):
    """The unit of data: one condition, one seed."""

    condition: Condition
    seed: Seed

    def key(self, data_checksum: str) -> str:
        """Return the hash of everything that can change the cell's numbers (32 hex digits)."""
        return cell_key(self.condition.program(data_checksum), self.seed)


def cell_key(program: str, seed: int) -> str:
    """Return the key of a seed of a program; the name of the cell's record."""
    return _digest([program, seed])[:32]


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
