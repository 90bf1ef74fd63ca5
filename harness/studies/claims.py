"""Published values, and the claims that a study judges against them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.studies.chosen import Count, Frozen, NotNegative, Positive

Id = Annotated[str, Field(pattern=r"^\S(.*\S)?$", max_length=100)]
"""One line of text without space at its beginning or end."""
FileId = Annotated[str, Field(pattern=r"^\w[\w.+=@-]*$", max_length=100)]
"""An id that gives a file its name."""
Gain = Annotated[float, Field(ge=-1e6, le=1e6, strict=True)]
Rate = Annotated[float, Field(ge=1e-6, lt=0.5, strict=True)]
"""An error rate, large enough to be told from 0 numerically."""


Required = Annotated[tuple[str, ...], Field(min_length=1)]
GAIN_WORDS = ("REPRODUCED", "LARGER", "PARTIAL", "NOT REPRODUCED", "CONTRADICTED", "DIRECTION ONLY")


def check_required(
    claim: str, required: Sequence[str] | None, expected: str | None, words: Sequence[str]
) -> None:
    """Raise ValueError where no verdict of a claim's kind could be what is required of it."""
    if required is None:
        return
    if expected is not None:
        raise ValueError(
            f"claim '{claim}': a control is required to be what 'expected' says; remove require"
        )
    for word in required:
        if word not in (*words, "INCONCLUSIVE"):
            raise ValueError(
                f"claim '{claim}': require names '{word}', which is no verdict of its kind; there "
                f"are {', '.join(words)}, INCONCLUSIVE"
            )


class Published(Frozen):
    """One source of published accuracies, in % averaged over the tasks seen so far.

    Attributes
    ----------
    id, source : a short name, and the place where the values are printed.
    after_tasks : number of trained tasks before each value of a condition, in any order.
    accuracy, plus_minus : by condition, one value for each entry of ``after_tasks``.
    runs : by condition, the number of runs that the values average, if known or inferred.
    """

    id: Id
    source: str
    after_tasks: Annotated[tuple[Count, ...], Field(min_length=1)]
    accuracy: dict[str, tuple[Annotated[float, Field(ge=0, le=100, strict=True)], ...]]
    plus_minus: dict[str, tuple[NotNegative, ...]] = Field(default_factory=dict)
    runs: dict[str, Count] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _aligned(self) -> Self:
        for values_by_name in (self.accuracy, self.plus_minus):
            for name, values in values_by_name.items():
                if len(values) != len(self.after_tasks):
                    raise ValueError(
                        f"{name} has {len(values)} values, after_tasks has {len(self.after_tasks)}"
                    )
        repeated = [number for number, times in Counter(self.after_tasks).items() if times > 1]
        if repeated:
            raise ValueError(f"after_tasks names {repeated[0]} twice")
        for name, table in (("plus_minus", self.plus_minus), ("runs", self.runs)):
            unknown = table.keys() - self.accuracy.keys()
            if unknown:
                raise ValueError(f"{name} of '{min(unknown)}', which has no accuracy here")
        return self


class Claim(Frozen):
    """A reported gain of one condition over another, and which gains count as equal to it.

    All other claims are ``harness.studies.statements.Statement``; these two have the same file.

    Attributes
    ----------
    kind, pairing : have one value, and no part in the study's fingerprint.
    treatment, baseline : names of conditions; the gain is treatment minus baseline.
    reported : the gain, in ``unit``.
    unit : "points" (of accuracy in %) or "relative %".
    margin : a gain within reported +- margin counts as reproduced (tau).
    negligible : a gain within +- negligible counts as no gain (delta).
    alpha : the error rate of the tests behind the verdict.
    expected : the verdict that a control of the procedure must receive; None for a real claim.
    require : verdicts of which a report must give one, or it ends with exit code 1; it is what a
        gate asks, and no part of the claim.
    """

    id: Id
    text: str
    source: str = ""
    kind: Literal["gain"] = Field(default="gain", exclude=True)
    metric: Literal["final-accuracy"] = "final-accuracy"
    pairing: Literal["seed"] = Field(default="seed", exclude=True)
    treatment: str
    baseline: str
    reported: Gain
    unit: Literal["points", "relative %"]
    margin: Positive
    negligible: NotNegative = 0.3
    alpha: Rate = 0.05
    expected: Literal["REPRODUCED", "NOT REPRODUCED"] | None = None
    require: Required | None = None

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        check_required(self.id, self.require, self.expected, GAIN_WORDS)
        return self


class Comparisons(Frozen):
    """Comparisons that make one statement together; their p-values are adjusted for all of them.

    Attributes
    ----------
    text : the statement.
    treatments : conditions that the study pairs with another; each is compared with that one.
    """

    text: str
    treatments: Annotated[tuple[str, ...], Field(min_length=1)]


class Curve(Frozen):
    """A specification curve: the same gain under every crossing of the other factors.

    Attributes
    ----------
    treatment, baseline : levels of the factors that define the gain. Every condition with the
        levels of the treatment is compared with the condition that has the levels of the baseline
        and is otherwise the same.
    reported, margin, negligible, alpha : as in a claim, in points.
    """

    id: FileId
    text: str
    treatment: Annotated[dict[str, str], Field(min_length=1)]
    baseline: Annotated[dict[str, str], Field(min_length=1)]
    reported: Gain
    margin: Positive
    negligible: NotNegative = 0.3
    alpha: Rate = 0.05
