"""Claims of other kinds than a gain in final accuracy, and families of claims.

What each kind says is judged in ``reports.judging``, one file a kind; here stands what a study file
may say of it. A new kind is one entry of ``KINDS`` here and its class there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from harness.studies.chosen import Count, Frozen, NotNegative, Positive
from harness.studies.claims import GAIN_WORDS, Claim, Gain, Id, Rate, Required, check_required


@dataclass(frozen=True)
class Asked:
    """The fields that a kind of claim needs, those that it may have, and its verdicts."""

    needs: tuple[str, ...]
    may: tuple[str, ...]
    words: tuple[str, ...]


PAIR = ("treatment", "baseline")
KINDS = {
    "gain": Asked(
        (*PAIR, "reported", "margin"),
        ("negligible", "pairing"),
        GAIN_WORDS,
    ),
    "better": Asked(PAIR, ("pairing",), ("BETTER", "WORSE")),
    "at-least": Asked((*PAIR, "margin"), ("pairing",), ("NOT WORSE", "WORSE")),
    "equal": Asked((*PAIR, "margin"), ("pairing",), ("EQUAL", "DIFFERENT")),
    "value": Asked(
        ("condition", "margin"),
        ("reported", "plus_minus", "plus_minus_is", "runs", "others"),
        ("AGREES", "HIGHER", "LOWER"),
    ),
    "rank": Asked(("order",), (), ("IN ORDER", "OTHER ORDER")),
}
"""By kind. Every kind has the verdict INCONCLUSIVE too."""

METRICS = {
    "final-accuracy": None,
    "accuracy-after-tasks": "tasks",
    "task-accuracy": "task",
    "backward-transfer": None,
    "forgetting": None,
    "learned-accuracy": None,
    "record": "field",
}
"""By metric, the field that says which: after how many tasks, of which task, where in a record."""
OF_KINDS = tuple(dict.fromkeys(name for asked in KINDS.values() for name in
                               (*asked.needs, *asked.may)))  # fmt: skip


class Statement(Frozen):
    """A claim of any kind about any number that a record holds.

    Attributes
    ----------
    kind : see ``KINDS`` for the fields that it needs and may have.
    metric : what is measured on each seed: one of ``METRICS``.
    tasks, task : for the two metrics that need them, counted from 1.
    field : for the metric "record": the place of a number in a record, such as "timings.total" or
        "telemetry.-1.loss".
    higher_is_better : needed for the metric "record"; only forgetting is better where it is lower.
    unit : "points", or "relative %" of the baseline; for the metric "record" its own.
    treatment, baseline : the conditions of a gain, better, at-least or equal. A gain is how much
        better the treatment is: baseline minus treatment where lower is better.
    pairing : "seed" (the same seed of both) or "none" (seeds have nothing in common: Welch).
    condition : whose mean a value is about.
    reported : the reported gain or value.
    plus_minus, runs : of a reported value: the printed ±, and over how many runs.
    plus_minus_is : what the ± is, where the source or its program says so.
    others : other people's results, one for each of their seeds, instead of ``reported``.
    order : conditions, the best first.
    margin : within which a value or a difference counts as the same, in ``unit``.
    expected : the verdict that a control of the procedure must receive; None for a real claim.
    require : as in ``harness.studies.claims.Claim``.
    """

    id: Id
    text: str
    source: str = ""
    kind: Literal["gain", "better", "at-least", "equal", "value", "rank"] = "gain"
    metric: Literal[
        "final-accuracy",
        "accuracy-after-tasks",
        "task-accuracy",
        "backward-transfer",
        "forgetting",
        "learned-accuracy",
        "record",
    ] = "final-accuracy"
    tasks: Count | None = None
    task: Count | None = None
    field: Annotated[str, Field(pattern=r"^[\w-]+(\.[\w-]+)*$", max_length=200)] | None = None
    higher_is_better: Annotated[bool, Field(strict=True)] | None = None
    unit: Id | None = None
    treatment: str | None = None
    baseline: str | None = None
    pairing: Literal["seed", "none"] | None = None
    condition: str | None = None
    reported: Gain | None = None
    plus_minus: NotNegative | None = None
    plus_minus_is: Literal["standard deviation", "standard error"] | None = None
    runs: Annotated[int, Field(ge=2, le=10**9, strict=True)] | None = None
    others: Annotated[tuple[Gain, ...], Field(min_length=2)] | None = None
    order: Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    margin: Positive | None = None
    negligible: NotNegative | None = None
    alpha: Rate = 0.05
    expected: str | None = None
    require: Required | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        asked = KINDS[self.kind]
        for name in OF_KINDS:
            given = getattr(self, name) is not None
            if given and name not in (*asked.needs, *asked.may):
                takes = ", ".join((*asked.needs, *asked.may))
                raise self._wrong(f"kind = '{self.kind}' takes no {name}; it takes {takes}")
            if not given and name in asked.needs:
                raise self._wrong(f"kind = '{self.kind}' needs {name}")
        for metric, needed in METRICS.items():
            given = needed is not None and getattr(self, needed) is not None
            if given and metric != self.metric:
                raise self._wrong(f"{needed} belongs to metric = '{metric}'; remove it")
            if metric == self.metric and needed is not None and not given:
                raise self._wrong(f"metric = '{metric}' needs {needed}")
        self._check_unit()
        if self.kind == "value":
            self._check_value()
        if self.kind == "gain" and self.reported == 0:
            raise self._wrong("reports a gain of 0, which is none; write kind = 'equal'")
        if self.expected is not None and self.expected not in asked.words:
            raise self._wrong(f"expected is no verdict of '{self.kind}': {', '.join(asked.words)}")
        check_required(self.id, self.require, self.expected, asked.words)
        return self

    def _check_unit(self) -> None:
        if self.metric == "record":
            if self.unit is None or self.higher_is_better is None:
                raise self._wrong("metric = 'record' needs unit and higher_is_better")
        elif self.higher_is_better is not None:
            raise self._wrong(f"higher_is_better is known for metric = '{self.metric}'; remove it")
        elif self.unit not in (None, "points", "relative %"):
            raise self._wrong(f"unit = '{self.unit}': write 'points' or 'relative %'")
        if self.unit != "relative %":
            return
        if self.kind in ("value", "rank") or self.pairing == "none":
            raise self._wrong("'relative %' is of the baseline on the same seed; remove the unit")
        if self.metric in ("backward-transfer", "forgetting"):
            raise self._wrong(f"{self.metric} can be 0, so that it has no 'relative %'")

    def _check_value(self) -> None:
        if (self.reported is None) == (self.others is None):
            raise self._wrong("kind = 'value' needs either reported or others")
        if (self.plus_minus is None) != (self.runs is None):
            raise self._wrong("give plus_minus and runs together: a ± says nothing without runs")
        if self.plus_minus_is is not None and self.plus_minus is None:
            raise self._wrong("plus_minus_is says what a ± is; give plus_minus and runs too")
        if self.others is not None and self.plus_minus is not None:
            raise self._wrong("others show their own spread; remove plus_minus and runs")

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"claim '{self.id}': {what}")

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions that it is about."""
        named = (self.treatment, self.baseline, self.condition)
        return self.order or tuple(name for name in named if name is not None)


class Family(Frozen):
    """Claims that stand or fall together, by their ids."""

    id: Id
    text: str
    claims: Annotated[tuple[str, ...], Field(min_length=2)]


def _which(claim: Any) -> str:
    """Tell the claims that every version knew from all others."""
    if not isinstance(claim, dict):
        return "statement" if isinstance(claim, Statement) else "claim"
    plain = (
        claim.get("kind", "gain") == "gain"
        and claim.get("metric", "final-accuracy") == "final-accuracy"
        and claim.get("pairing", "seed") == "seed"
    )
    return "claim" if plain else "statement"


AnyClaim = Annotated[
    Annotated[Claim, Tag("claim")] | Annotated[Statement, Tag("statement")], Discriminator(_which)
]


def check_statement(claim: Statement, programs: Sequence[str], tasks: int | None) -> None:
    """Raise ValueError where a claim compares something with itself, or asks for too many tasks.

    Parameters
    ----------
    programs : what each of its conditions runs.
    tasks : number of tasks of the benchmark; None where that is not known.
    """
    place = f"claim '{claim.id}'"
    for name in claim.conditions:
        if claim.conditions.count(name) > 1:
            raise ValueError(f"{place} names the condition '{name}' twice")
    if len(set(programs)) < len(programs):
        raise ValueError(
            f"{place}: two of {', '.join(claim.conditions)} are the same program, so that they are "
            "equal on every seed; a program is compared with itself by a seed_offset"
        )
    for field in ("tasks", "task"):
        number = getattr(claim, field)
        if number is not None and tasks is not None and number > tasks:
            raise ValueError(f"{place}: {field} = {number}, the benchmark has {tasks} tasks")


def check_families(families: Sequence[Family], claims: Sequence[Claim | Statement]) -> None:
    """Raise ValueError where a family names a claim twice, a control, or one that is not there."""
    known = {claim.id: claim for claim in claims}
    for family in families:
        for place, name in enumerate(family.claims):
            if name not in known:
                raise ValueError(
                    f"family '{family.id}' names the claim '{name}', which the study does not "
                    f"have; it has {', '.join(known)}"
                )
            if name in family.claims[:place]:
                raise ValueError(f"family '{family.id}' names the claim '{name}' twice")
            if known[name].expected is not None:
                raise ValueError(
                    f"family '{family.id}' names '{name}', which is a control and no claim"
                )
