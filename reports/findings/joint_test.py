"""The joint test of a specification curve: are all its gains together more than chance?

The test (Simonsohn, Simmons and Nelson 2020) is here adapted to paired seeds: if the treatment did
nothing anywhere, every gain could as well have had the other sign. All specifications share their
seeds, so the gains of a seed are flipped together; this keeps their dependence, whatever it is.

The test assumes that under "no gain anywhere" the vector of a seed's gains is as likely as its
negative. This is certain where the two conditions are interchangeable, and where accuracies are
normal. Where many specifications share one baseline with skewed accuracies, it holds only nearly:
where one seed in ten makes all treatments collapse together, a test at 5% was wrong in 41% of
studies of eight seeds (``tests/verdict_errors.py joint``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import stats

from reports.findings.specifications import Specification
from reports.numbers.intervals import ROUNDING, Floats
from reports.numbers.many import MANY, in_groups
from reports.numbers.paired import GAIN_DECIMALS

EXACT_SEEDS = 12  # with at most this many seeds, all 2^n flips are counted
FLIPS = 9_999  # with more seeds, this many random flips are drawn

MEDIAN, POSITIVE = "median gain", "share positive"
SURE, SURE_NEGATIVE = "share surely positive", "share surely negative"


@dataclass(frozen=True)
class JointTest:
    """All specifications against "no gain anywhere"; from ``joint_inference``.

    Attributes
    ----------
    specifications : how many have a gain; the others take no part.
    seeds : how many seeds were flipped.
    exact : whether all 2^seeds flips were counted; otherwise random flips were drawn.
    flips : how many flips the p-values count, with the observed signs.
    smallest_p : the smallest possible p-value.
    observed : by name of the statistic: median gain in points, share of specifications with a
        positive gain, shares whose 95% t interval lies above, and below, 0. For a reported loss, a
        loss counts as a gain.
    p : one-sided p-value, the share of flips whose statistic is as large or larger.
    p_opposite : the share of flips whose statistic is as small or smaller.
    p_two_sided : twice the smaller of the two, at most 1: valid whichever direction is looked at
        after the data were seen.
    """

    specifications: int
    seeds: int
    exact: bool
    flips: int
    smallest_p: float
    observed: dict[str, float]
    p: dict[str, float]
    p_opposite: dict[str, float]
    p_two_sided: dict[str, float]


def joint_inference(
    specs: Sequence[Specification], reported: float, *, flips: int = FLIPS, seed: int = 0
) -> JointTest | None:
    """Test all specifications together by flipping the signs of whole seeds.

    With at most n = 12 seeds all 2^n flips are counted; the p-values are then exact and at least
    2^-n. With more seeds, ``flips`` random flips and the observed signs are counted (Phipson and
    Smyth 2010). A seed that some specifications lack is flipped in those that have it, so each
    specification keeps its own seeds, mean and spread.

    Parameters
    ----------
    reported : only its sign counts; where it is negative, a loss counts as a gain.
    seed : that of the random generator.

    Returns
    -------
    None where no specification has a gain.
    """
    with_gain = [spec for spec in specs if spec.seeds]
    if not with_gain:
        return None
    seeds = sorted({flipped for spec in with_gain for flipped in spec.seeds})
    column = {flipped: place for place, flipped in enumerate(seeds)}
    gains = np.zeros((len(with_gain), len(seeds)))
    counts = np.array([len(spec.seeds) for spec in with_gain])
    for row, spec in zip(gains, with_gain, strict=True):
        row[[column[flipped] for flipped in spec.seeds]] = spec.gains
    gains *= math.copysign(1, reported)
    exact = len(seeds) <= EXACT_SEEDS
    if exact:  # the first row flips no seed
        signs = np.array(list(product([1.0, -1.0], repeat=len(seeds))))
    else:
        signed = min(len(seeds), MANY)  # of more seeds, groups
        drawn = np.random.default_rng(seed).choice([1.0, -1.0], (flips, signed))
        signs = np.concatenate([np.ones((1, signed)), drawn])
    statistics = _statistics(gains, counts, signs)
    near = 10.0**-GAIN_DECIMALS  # equal statistics may differ by rounding errors
    above, below = (
        {
            name: float(np.mean(side * values >= side * values[0] - near))
            for name, values in statistics.items()
        }
        for side in (1, -1)
    )
    return JointTest(
        specifications=len(with_gain),
        seeds=len(seeds),
        exact=exact,
        flips=len(signs),
        smallest_p=1 / len(signs),
        observed={name: float(values[0]) for name, values in statistics.items()},
        p=above,
        p_opposite=below,
        p_two_sided={name: min(1.0, 2 * min(p, below[name])) for name, p in above.items()},
    )


def _statistics(gains: Floats, counts: np.ndarray, signs: Floats) -> dict[str, Floats]:
    """Return each statistic under each flip, (flips,).

    ``gains`` is (specifications, seeds) with 0 where a specification lacks the seed, ``counts`` the
    number of seeds of each specification, ``signs`` (flips, seeds), or of groups of seeds where
    there are many; see ``reports.numbers.many``.
    """
    mean = signs @ in_groups(gains).T / counts
    # Where the mean of the flipped gains is as large as the largest, they are equal: no spread.
    varied = np.abs(gains).max(axis=1) - np.abs(mean) > ROUNDING
    mean = np.round(mean, GAIN_DECIMALS)
    squares = (gains**2).sum(axis=1)  # flips do not change them
    spread = np.maximum(squares - counts * mean**2, 0) / np.maximum(counts - 1, 1)
    critical = stats.t.ppf(0.975, np.maximum(counts - 1, 1))
    needed = critical * np.sqrt(spread / counts)
    return {
        MEDIAN: np.round(np.median(mean, axis=1), GAIN_DECIMALS),
        POSITIVE: np.mean(mean > 0, axis=1),
        SURE: np.mean(varied & (mean > needed), axis=1),
        SURE_NEGATIVE: np.mean(varied & (mean < -needed), axis=1),
    }
