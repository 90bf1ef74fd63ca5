"""Specification curve: one gain under every defensible choice, judged together.

A claim was made under one set of choices. Where these choices are not published, the gain is
computed under all their crossings (``reports.findings.specifications``), and the gains are shown in
order (Simonsohn, Simmons and Nelson 2020). ``reports.findings.joint_test`` asks whether all of them
together are more than chance.

Accuracies are in %, gains in points. For a reported loss the axis is mirrored, as in
``reports.numbers.verdict``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.findings.joint_test import JointTest
from reports.findings.specifications import Specification
from reports.numbers.study import Curve
from reports.numbers.verdict import Verdict


def extremes(
    specs: Sequence[Specification], k: int = 5
) -> tuple[list[Specification], list[Specification]]:
    """Return where the treatment helps most and where it hurts most, up to ``k`` each.

    Only gains above 0 help, and only gains below 0 hurt; the most extreme come first. A
    specification in which a run diverged takes no part: the mean over the remaining seeds says how
    good these are, not how good the choice is.
    """
    gained = [
        (spec.gain, spec)
        for spec in specs
        if spec.gain is not None and not spec.diverged and not spec.baseline_diverged
    ]
    up = sorted(
        (pair for pair in gained if pair[0] > 0), key=lambda pair: (-pair[0], pair[1].place)
    )
    down = sorted(
        (pair for pair in gained if pair[0] < 0), key=lambda pair: (pair[0], pair[1].place)
    )
    return [spec for _, spec in up[:k]], [spec for _, spec in down[:k]]


@dataclass(frozen=True)
class CurveCounts:
    """How many specifications have a gain, which sign it surely has, and which verdict.

    Attributes
    ----------
    specifications, with_gain : how many there are, and how many have at least one pair of seeds.
    unpaired : how many have no baseline condition.
    surely_positive, surely_negative, undecided : how many 95% intervals lie above, below and across
        zero.
    verdicts : by verdict, how many have it.
    median : median gain in points; None where no specification has a gain.
    """

    specifications: int
    with_gain: int
    unpaired: int
    surely_positive: int
    surely_negative: int
    undecided: int
    verdicts: dict[Verdict, int]
    median: float | None

    def share(self, verdict: Verdict) -> float | None:
        """Return the share of a verdict among the specifications with a gain; None without any."""
        return self.verdicts[verdict] / self.with_gain if self.with_gain else None


def count(specs: Sequence[Specification]) -> CurveCounts:
    """Count the gains, intervals and verdicts of the specifications."""
    gains = [spec.gain for spec in specs if spec.gain is not None]
    status = Counter(spec.status for spec in specs)
    verdicts = Counter(spec.verdict for spec in specs)
    return CurveCounts(
        specifications=len(specs),
        with_gain=len(gains),
        unpaired=sum(spec.baseline is None for spec in specs),
        surely_positive=status["above zero"],
        surely_negative=status["below zero"],
        undecided=status["undecided"],
        verdicts={verdict: verdicts[verdict] for verdict in Verdict},
        median=float(np.median(gains)) if gains else None,
    )


def factor_levels(specs: Sequence[Specification]) -> dict[str, list[str]]:
    """Return the levels of each factor that the specifications choose, in the study's order."""
    levels_of: dict[str, list[str]] = {}
    for spec in sorted(specs, key=lambda spec: spec.place):
        for factor, level in spec.choices.items():
            levels = levels_of.setdefault(factor, [])
            if level not in levels:
                levels.append(level)
    return levels_of


def by_choice(specs: Sequence[Specification]) -> dict[str, dict[str, CurveCounts]]:
    """Return by factor and level, in the study's order, the counts of its specifications."""
    return {
        factor: {
            level: count([spec for spec in specs if spec.choices.get(factor) == level])
            for level in levels
        }
        for factor, levels in factor_levels(specs).items()
    }


@dataclass(frozen=True)
class CurveFinding:
    """A curve that a study asks for, and what its specifications say; from ``curve_finding``.

    Attributes
    ----------
    id, text, treatment, baseline, reported, margin, negligible, alpha : as in the study.
    counts, by_choice : counts of all specifications, and of those with each level of a factor.
    joint : the test of all specifications together; None where none has a gain.
    specifications : by rising gain, those without a gain last.
    """

    id: str
    text: str
    treatment: Mapping[str, str]
    baseline: Mapping[str, str]
    reported: float
    margin: float
    negligible: float
    alpha: float
    counts: CurveCounts
    joint: JointTest | None
    by_choice: dict[str, dict[str, CurveCounts]]
    specifications: list[Specification]


def curve_finding(
    curve: Curve, specs: list[Specification], joint: JointTest | None
) -> CurveFinding:
    """Put together a curve, its specifications and their joint test."""
    return CurveFinding(
        id=curve.id,
        text=curve.text,
        treatment=dict(curve.treatment),
        baseline=dict(curve.baseline),
        reported=curve.reported,
        margin=curve.margin,
        negligible=curve.negligible,
        alpha=curve.alpha,
        counts=count(specs),
        joint=joint,
        by_choice=by_choice(specs),
        specifications=specs,
    )
