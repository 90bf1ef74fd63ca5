"""What was published, and the claims that a study judges against it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.condition import Count, Frozen, NotNegative, Positive


class Published(Frozen):
    """One source of published accuracies, in % averaged over the tasks seen so far.

    Attributes
    ----------
    id, source : a short name and where the values are printed.
    after_tasks : after how many tasks the values of each condition were taken.
    accuracy, plus_minus : by condition, one value for each entry of ``after_tasks``.
    runs : by condition, how many runs the values are means of, where that is known or inferred.
    """

    id: str
    source: str
    after_tasks: Annotated[tuple[Count, ...], Field(min_length=1)]
    accuracy: dict[str, tuple[Annotated[float, Field(ge=0, le=100)], ...]]
    plus_minus: dict[str, tuple[NotNegative, ...]] = Field(default_factory=dict)
    runs: dict[str, Count] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _aligned(self) -> Self:
        for table in (self.accuracy, self.plus_minus):
            for name, values in table.items():
                if len(values) != len(self.after_tasks):
                    raise ValueError(
                        f"{name} has {len(values)} values, after_tasks has {len(self.after_tasks)}"
                    )
        unknown = self.runs.keys() - self.accuracy.keys()
        if unknown:
            raise ValueError(f"runs of '{min(unknown)}', which has no accuracy here")
        return self


class Claim(Frozen):
    """A reported gain of one condition over another, and what would count as the same.

    Attributes
    ----------
    treatment, baseline : names of conditions; the gain is treatment minus baseline.
    reported : the gain, in ``unit``.
    unit : "points" (of accuracy in %) or "relative %".
    margin : a gain within reported +- margin is the same (tau).
    negligible : a gain within +- negligible is none (delta).
    alpha : the error rate of the verdict's tests.
    expected : the verdict that a control of the procedure must get; None for a real claim.
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
    expected: Literal["REPRODUCED", "NOT REPRODUCED"] | None = None


class Curve(Frozen):
    """A specification curve: one gain under every crossing of the other factors.

    Attributes
    ----------
    treatment, baseline : levels of the factors that make the gain; every condition with the
        treatment's levels is compared with the one that has the baseline's and otherwise the same.
    reported, margin, negligible, alpha : as in a claim, in points.
    """

    id: str
    text: str
    treatment: Annotated[dict[str, str], Field(min_length=1)]
    baseline: Annotated[dict[str, str], Field(min_length=1)]
    reported: Annotated[float, Field(allow_inf_nan=False, strict=True)]
    margin: Positive
    negligible: NotNegative = 0.3
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
