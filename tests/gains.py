"""Differences with a known mean and spread, and a claim that they may be held against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from reports.findings.contrasts import Contrast
from reports.numbers.intervals import Floats
from reports.numbers.paired import Unit, compare_paired
from reports.numbers.verdict import Judgement, judge

GAIN, MARGIN, NEGLIGIBLE = 4.69, 1.56, 0.3


@dataclass(frozen=True)
class SmallClaim:
    """A claim without a study."""

    reported: float = GAIN
    margin: float = MARGIN
    negligible: float = NEGLIGIBLE
    alpha: float = 0.05
    unit: Unit = "points"
    id: str = "gain"
    text: str = "b beats a"
    source: str = "hand"
    treatment: str = "b"
    baseline: str = "a"
    expected: str | None = None
    require: tuple[str, ...] | None = None


def spread(mean: float, n: int, sd: float) -> Floats:
    """Return n values with exactly this mean and standard deviation."""
    values = stats.norm.ppf((np.arange(n) + 0.5) / n)
    return np.asarray(mean + sd * (values - values.mean()) / values.std(ddof=1))


def paired(gains: Floats | list[float], unit: Unit = "points") -> Contrast:
    """Return a contrast with these differences, in points, over a baseline of 90%."""
    b = np.full(len(gains), 90.0)
    a = b + np.asarray(gains)
    seeds = tuple(range(len(b)))
    compared = compare_paired(a, b, unit=unit)
    return Contrast("b", "a", seeds, tuple(a.tolist()), tuple(b.tolist()), (), compared)


def judged(gains: list[float] | Floats, reported: float = GAIN, **other: object) -> Judgement:
    """Judge differences over a baseline of 90%."""
    comparison = compare_paired(np.add(gains, 90), np.full(len(gains), 90))
    claim: dict[str, object] = {"margin": MARGIN, "negligible": NEGLIGIBLE, "unit": "points"}
    return judge(comparison, reported, **(claim | other))  # type: ignore[arg-type]
