"""How much of the spread over seeds comes from initialisation, and how much from mini-batch order.

A study that crosses both gives a table of final accuracies, one cell for each initialisation and
order, without replication. The model is a sum of random effects,

    accuracy[i, j] = mean + initialisation[i] + order[j] + residual[i, j],

whose residual holds the interaction and all other differences between two runs. The components
follow from the mean squares (ANOVA method of moments; Searle, Casella and McCulloch 1992, section
4.3). They are unbiased, and can be negative where the true component is near zero. Shares use the
components clipped at 0.

Intervals are generalised confidence intervals (Weerahandi 1993; for exactly this two-way layout
Hamada and Weerahandi 2000, and Burdick, Borror and Montgomery 2005): the unknown chi-squares
behind the sums of squares are drawn, and each draw is solved for the components. They need normal
effects; the tests check their coverage by simulation. They are honest about how little 8 levels say
of a variance: with 7 degrees of freedom the upper end is four times the estimate.

All accuracies are in %, differences in points, variances in points squared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from reports.numbers.intervals import Floats, Interval, has_spread

PARTS = ("initialisation", "order", "residual")
DRAWS = 20_000  # of the chi-squares; the ends of an interval then vary by about 1% of their size
HALF_WIDTHS = (0.5, 0.25)  # points; for each, the number of seeds that reaches it is reported
SEED_CAP = 100_000


@dataclass(frozen=True)
class Part:
    """One variance component.

    Attributes
    ----------
    unclipped : the unbiased estimate in points squared, which may be negative.
    variance : the same, clipped at 0.
    ci95 : generalised 95% interval of the component, clipped at 0; its upper end is infinite where
        all cells are equal and show no spread.
    share : part of the sum of the three clipped components, in [0, 1]; None where all are 0.
    share_ci95 : generalised interval of ``share``; None where ``share`` is None.
    """

    unclipped: float
    variance: float
    ci95: Interval
    share: float | None
    share_ci95: Interval | None


@dataclass(frozen=True)
class VarianceComponents:
    """Variance components of one table; from ``decompose``.

    Attributes
    ----------
    initialisations, orders : the number of levels of each.
    mean : of all cells, in the table's unit.
    parts : by name, "initialisation", "order" and "residual".
    total : variance of a run whose initialisation and order are both new, in points squared. It is
        the sum of the unclipped components (at least 0), which stays unbiased where a component is
        negative.
    total_ci95 : generalised interval of ``total``.
    seeds : by half-width in points, the number of seeds, each with a new initialisation and a new
        order, that gives a 95% t interval of at most this half-width if the variance is ``total``.
    seeds_ci95 : the same numbers at the ends of ``total_ci95``.
    """

    initialisations: int
    orders: int
    mean: float
    parts: dict[str, Part]
    total: float
    total_ci95: Interval
    seeds: dict[float, int | None]
    seeds_ci95: dict[float, tuple[int | None, int | None]]


def tables(
    finals: Mapping[str, Mapping[int, float]],
    levels: Mapping[str, Mapping[str, str]],
    *,
    method: str = "method",
    order: str = "order",
) -> dict[str, Floats]:
    """Return each method's table of final accuracies in %, (initialisations, orders).

    Parameters
    ----------
    finals : final accuracy in % by condition and seed, of finished cells only; a seed is an
        initialisation.
    levels : by condition, the level of each factor; conditions without both factors are left out.
    method, order : names of the two factors.

    Returns
    -------
    The rows are all seeds in rising order, the columns all orders in the order of ``levels``. They
    are the same for every method, so that the tables of two methods can be subtracted. NaN where a
    cell has no result.
    """
    seeds = sorted({seed for by_seed in finals.values() for seed in by_seed})
    used = {name: chosen for name, chosen in levels.items() if method in chosen and order in chosen}
    columns = list(dict.fromkeys(chosen[order] for chosen in used.values()))
    by_method = {
        chosen[method]: np.full((len(seeds), len(columns)), np.nan) for chosen in used.values()
    }
    for name, chosen in used.items():
        for seed, value in finals.get(name, {}).items():
            by_method[chosen[method]][seeds.index(seed), columns.index(chosen[order])] = value
    return by_method


def with_differences(by_method: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the tables, and in points each later table minus the first, cell by cell."""
    names = list(by_method)
    minus = {
        f"{name} minus {names[0]}": by_method[name] - by_method[names[0]] for name in names[1:]
    }
    return {**by_method, **minus}


def mean_squares(table: Floats) -> tuple[Floats, Floats]:
    """Return mean squares and degrees of freedom, (3,) each: rows, columns, residual.

    A mean square is 0 where the values differ by no more than rounding errors.
    """
    rows, columns = table.shape
    grand = table.mean()
    by_row, by_column = table.mean(axis=1), table.mean(axis=0)
    residual = table - by_row[:, None] - by_column + grand
    freedom = np.array([rows - 1, columns - 1, (rows - 1) * (columns - 1)], dtype=np.float64)
    squares = np.array(
        [
            columns * ((by_row - grand) ** 2).sum(),
            rows * ((by_column - grand) ** 2).sum(),
            (residual**2).sum(),
        ]
    )
    varies = [
        bool(has_spread(by_row)),
        bool(has_spread(by_column)),
        bool(has_spread(residual.ravel())),
    ]
    return np.where(varies, squares / freedom, 0.0), freedom


def decompose(table: ArrayLike, *, seed: int = 0, draws: int = DRAWS) -> VarianceComponents | None:
    """Return the variance components of a table (initialisations, orders) in % or points.

    None where the table has fewer than two rows or columns, or a cell without a finite value.
    Missing values are not filled in, because a diverged run is not missing at random.

    Parameters
    ----------
    seed, draws : of the random generator behind the intervals: same data, same numbers.

    Raises
    ------
    ValueError
        Where the table has not two dimensions.
    """
    cells = np.asarray(table, dtype=np.float64)
    if cells.ndim != 2:
        raise ValueError(f"the table has the shape {cells.shape}; give (initialisations, orders)")
    if min(cells.shape) < 2 or not np.isfinite(cells).all():
        return None
    squares, freedom = mean_squares(cells)
    unclipped = _solve(squares, cells.shape)
    clipped = np.maximum(unclipped, 0)
    chi_squares = np.random.default_rng(seed).chisquare(freedom, (draws, 3))
    solved = _solve(squares * freedom / chi_squares, cells.shape)
    # The total uses the unclipped draws: its coefficients on the mean squares are positive.
    totals = solved.sum(axis=1)
    solved = np.maximum(solved, 0)
    whole = solved.sum(axis=1, keepdims=True)
    shares = np.divide(solved, whole, out=np.zeros_like(solved), where=whole > 0)
    has_variance = float(clipped.sum()) > 0
    unknown = Interval(0.0, math.inf)
    parts = {
        name: Part(
            unclipped=float(unclipped[k]),
            variance=float(clipped[k]),
            ci95=_middle(solved[:, k]) if has_variance else unknown,
            share=float(clipped[k] / clipped.sum()) if has_variance else None,
            share_ci95=_middle(shares[:, k]) if has_variance else None,
        )
        for k, name in enumerate(PARTS)
    }
    total = max(0.0, float(unclipped.sum()))
    total_ci95 = _middle(totals) if has_variance else unknown
    return VarianceComponents(
        initialisations=cells.shape[0],
        orders=cells.shape[1],
        mean=float(cells.mean()),
        parts=parts,
        total=total,
        total_ci95=total_ci95,
        seeds={half: seeds_for(half, total) for half in HALF_WIDTHS},
        seeds_ci95={
            half: (seeds_for(half, total_ci95.low), seeds_for(half, total_ci95.high))
            for half in HALF_WIDTHS
        },
    )


def _solve(squares: Floats, shape: Sequence[int]) -> Floats:
    """Return components (..., 3) that have ``squares`` (..., 3) as expected mean squares."""
    rows, columns = shape
    rest = squares[..., 2]
    parts = [(squares[..., 0] - rest) / columns, (squares[..., 1] - rest) / rows, rest]
    return np.stack(parts, axis=-1)


def _middle(drawn: Floats) -> Interval:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(low), float(high))


def seeds_for(half_width: float, variance: float) -> int | None:
    """Return the smallest number of seeds whose 95% t interval is +- ``half_width`` or narrower.

    The half-width is ``t(0.975, n - 1) sqrt(variance / n)``, with the true variance in place of the
    sample's, so about half of all studies of this size get a wider interval. At least 2; None where
    more than 100,000 are needed.

    Raises
    ------
    ValueError
        Where the half-width is not positive or the variance negative.
    """
    if not half_width > 0 or not variance >= 0:
        raise ValueError(f"no number of seeds gives ±{half_width} at a variance of {variance}")

    def wide(n: int) -> bool:
        return bool(stats.t.ppf(0.975, n - 1) * math.sqrt(variance / n) > half_width)

    if wide(SEED_CAP):
        return None
    low, high = 1, SEED_CAP  # the width falls with n, so halving finds the edge
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if wide(middle) else (low, middle)
    return high
