"""The number of seeds that a question needs."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from reports.numbers.intervals import FIXED, Interval, Procedure

NODES = 32  # of the quadrature over the sample's spread in ``seeds_needed``


def seeds_needed(
    mean: float,
    sd: float | None,
    n: int,
    band: Interval,
    *,
    superior: bool = False,
    alpha: float = 0.05,
    power: float = 0.8,
    cap: int = 1000,
    procedure: Procedure = FIXED,
) -> int | None:
    """Return how many seeds, more than the ``n`` at hand, would put the mean within ``band``.

    Assume that a study's true mean and spread are ``mean`` and ``sd``. The result is the smallest
    number of seeds with which, with probability ``power``, the study's interval at level
    1 - 2 alpha lies within ``band`` and, where ``superior``, its interval at level 1 - alpha lies
    above 0. For normal differences it is exact up to the quadrature over the sample's spread. It is
    a plan and not a promise, because it takes the observed mean and spread for the true ones.

    None where no number up to ``cap`` would do, for example for a mean on an edge of the band, and
    where there is no spread to plan with.
    """
    if not sd or n >= cap:
        return None
    counts = np.arange(max(2, n + 1), cap + 1)[:, None]
    error = sd / np.sqrt(counts)
    nodes = (np.arange(NODES) + 0.5) / NODES
    seen = error * np.sqrt(stats.chi2.ppf(nodes, counts - 1) / (counts - 1))
    half = procedure.critical(counts, 1 - 2 * alpha) * seen
    # An infinite interval decides nothing, whatever edge it is compared with.
    half = np.where(np.isfinite(half), half, np.nan)
    low, high = band.low + half, band.high - half
    if superior:
        low = np.maximum(low, procedure.critical(counts, 1 - alpha) * seen)
    chance = special.ndtr((high - mean) / error) - special.ndtr((low - mean) / error)
    enough = np.nan_to_num(np.maximum(chance, 0)).mean(axis=1) >= power
    return int(counts[np.argmax(enough), 0]) if enough.any() else None
