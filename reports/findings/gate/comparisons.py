"""One metric of one condition on two sides: how far it moved, and three p-values, before Holm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from reports.findings.gate.cells import DIVERGED, Cells, Metric
from reports.numbers.intervals import Floats, Interval, has_spread, t_interval
from reports.numbers.margins import errors_needed


@dataclass(frozen=True)
class Comparison:
    """What one metric says by itself.

    Attributes
    ----------
    n, dropped : pairs (or new values), and seeds that are in none.
    sd, mean, ci95 : of the differences; where unpaired, ``sd`` is such that sd / sqrt(n) is the
        standard error of the mean.
    p_worse, p_better : of "at most the margin worse" and "at most the margin better".
    p_ok : of "worse (or changed) by at least the margin".
    """

    condition: str
    metric: Metric
    n: int
    dropped: int
    sd: float
    mean: float
    ci95: Interval
    margin: float
    p_worse: float
    p_better: float
    p_ok: float


def paired(
    condition: str, metric: Metric, differences: Floats, dropped: int, margin: float
) -> Comparison:
    """Compare by differences new - accepted, (n,) and finite; ``dropped`` seeds are in no pair."""
    n = len(differences)
    if n == 0:
        return _unknown(condition, metric, dropped, margin)
    mean = float(differences.mean())
    sd = float(differences.std(ddof=1)) if n > 1 else 0.0
    if _varies(differences):
        ci95 = t_interval(differences, 0.95)
        p_values = _p_values(metric, mean, sd / math.sqrt(n), n - 1, margin)
    else:
        sd = 0.0
        ci95 = Interval(mean, mean) if n > 1 else Interval(-math.inf, math.inf)
        p_values = _p_without_spread(metric, mean, n, margin)
    return Comparison(condition, metric, n, dropped, sd, mean, ci95, margin, *p_values)


def _p_without_spread(
    metric: Metric, mean: float, n: int, margin: float
) -> tuple[float, float, float]:
    """Judge differences that are all equal, where their own spread says nothing.

    The spread that the margin was planned with stands in. Where the accepted values are all equal
    too, the margin is 0, and any other value is surely another one.
    """
    if n < 2 or math.isinf(margin):
        return 1.0, 1.0, 1.0
    if mean == 0 or margin == 0:
        worse, better = metric.sign * mean < 0, metric.sign * mean > 0
        return float(not worse), float(not better), float(worse or (better and not metric.better))
    return _p_values(metric, mean, margin / errors_needed(n, 1), n - 1, margin)


def _varies(differences: Floats) -> bool:
    scale = float(np.abs(differences).max())
    return bool(has_spread(differences) or np.ptp(differences) > 1e-9 * max(scale, 1e-300))


def welch(
    condition: str, metric: Metric, new: Floats, accepted: Floats, dropped: int, margin: float
) -> Comparison:
    """Compare unpaired values, finite, each side of any number (Welch's test)."""
    if len(new) < 2 or len(accepted) < 2:
        return _unknown(condition, metric, dropped, margin)
    mean = float(new.mean() - accepted.mean())
    parts = new.var(ddof=1) / len(new), accepted.var(ddof=1) / len(accepted)
    error = math.sqrt(math.fsum(parts))
    if error == 0:
        equal = Interval(mean, mean)
        p_values = _p_without_spread(metric, mean, len(new), margin)
        return Comparison(condition, metric, len(new), dropped, 0.0, mean, equal, margin, *p_values)
    freedom = math.fsum(parts) ** 2 / (
        parts[0] ** 2 / (len(new) - 1) + parts[1] ** 2 / (len(accepted) - 1)
    )
    half = float(stats.t.ppf(0.975, freedom)) * error
    p_values = _p_values(metric, mean, error, freedom, margin)
    sd = error * math.sqrt(len(new))
    ends = Interval(mean - half, mean + half)
    return Comparison(condition, metric, len(new), dropped, sd, mean, ends, margin, *p_values)


def _p_values(
    metric: Metric, mean: float, error: float, freedom: float, margin: float
) -> tuple[float, float, float]:
    if not math.isfinite(margin):
        return 1.0, 1.0, 1.0
    gain = metric.sign * mean
    p_worse = float(stats.t.cdf((gain + margin) / error, freedom))
    p_better = float(stats.t.sf((gain - margin) / error, freedom))
    not_worse = float(stats.t.sf((gain + margin) / error, freedom))
    not_better = float(stats.t.cdf((gain - margin) / error, freedom))
    return p_worse, p_better, not_worse if metric.better else max(not_worse, not_better)


def newly_diverged(new: Cells, accepted: Cells, condition: str, seeds: Sequence[int]) -> Comparison:
    """Test whether more cells diverge than before, or fewer: Fisher's exact test, one-sided."""
    n = len(seeds)
    after, before = (
        sum(cells[condition, seed]["status"] != "done" for seed in seeds)
        for cells in (new, accepted)
    )
    both = stats.hypergeom(2 * n, after + before, n)
    everything = Interval(-math.inf, math.inf)
    return Comparison(
        condition=condition,
        metric=Metric(DIVERGED, better=True),
        n=n,
        dropped=0,
        sd=0.0,
        mean=100 * (before - after) / n,
        ci95=everything,
        margin=0.0,
        p_worse=float(both.sf(after - 1)),
        p_better=float(both.sf(before - 1)),
        p_ok=0.0 if after <= before else 1.0,
    )


def _unknown(condition: str, metric: Metric, dropped: int, margin: float) -> Comparison:
    everything = Interval(-math.inf, math.inf)
    return Comparison(
        condition, metric, 0, dropped, 0.0, math.nan, everything, margin, 1.0, 1.0, 1.0
    )
