"""Intervals and p-values that stay valid however often somebody looks at the data.

The t interval covers the true mean at the stated rate for one number of seeds, chosen beforehand.
Whoever adds seeds until the interval excludes a value gets more chances to err than the interval
allows for. A confidence sequence covers the true mean at *all* numbers of seeds at once, so any
rule may decide when to stop.

This is the group-invariant t sequence (Lindon, Ham, Tingley and Bojinov 2022, "Anytime-Valid
Linear Models and Regression Adjusted Causal Inference in Randomized Experiments") for the mean of
normal differences of unknown variance. Its e-process is the Bayes factor of the one-sample t
statistic, with the standardised mean mu / sigma mixed over N(0, 1 / phi):

    r = phi / (phi + n),  q = t^2 / (n - 1),  B = sqrt(r) ((1 + q) / (1 + r q))^(n / 2)

Whatever sigma is, B is a martingale with mean 1 when the true mean is zero. By Ville's inequality,
the probability that B ever reaches 1 / alpha is at most alpha. The interval holds the means that B
does not reject. B must count from the first seed; looking at it only now and then, after blocks of
seeds, is covered too.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from reports.numbers.intervals import Floats, Procedure

MIXTURE = 0.5
"""The default phi: mu / sigma of about 1.4, fixed before any data.

Any phi > 0 is valid; it only shifts the numbers of seeds at which the sequence is narrow. With this
phi the 95% interval is finite from 4 seeds on, and at each n from 5 to 50 it is less than 10% wider
than with the best phi for that n.
"""


def critical(n: ArrayLike, level: float, mixture: float = MIXTURE) -> Floats:
    """Return the half-width at n >= 2 seeds (any shape) in standard errors; it may be infinite."""
    n = np.asarray(n, dtype=np.float64)
    r = _share(n, mixture)
    bound = (1 / ((1 - level) * np.sqrt(r))) ** (2 / n)
    # With few seeds B stays below 1 / alpha, however large the t statistic is.
    room = np.maximum(1 - r * bound, 0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.sqrt((n - 1) * (bound - 1) / room), dtype=np.float64)


def sequential_p(
    n: int, mean: float, sd: float | None, *, null: float = 0.0, mixture: float = MIXTURE
) -> float:
    """Return the always-valid two-sided p-value of "the true mean is ``null``".

    It is ``min(1, 1 / B)``. Under the null, the chance that it is *ever* at most alpha is at most
    alpha. It is at most alpha exactly where the interval at level 1 - alpha excludes ``null`` or
    ends there. It is 1 without spread, for example for one seed.
    """
    share = float(_share(n, mixture))
    if not sd:
        return 1.0
    q = n * ((mean - null) / sd) ** 2 / (n - 1)
    log_b = (math.log(share) + n * (math.log1p(q) - math.log1p(share * q))) / 2
    return math.exp(min(0.0, -log_b))


def anytime(mixture: float = MIXTURE) -> Procedure:
    """Return the procedure that verdicts use where seeds are added until a claim is decided.

    A one-sided p-value is half of ``sequential_p``, as Student's is half of the two-sided one. By
    symmetry each side errs with half the probability, except in runs that cross both boundaries in
    turn; Ville's inequality leaves ample room for those (simulated in the tests).

    Raises
    ------
    ValueError
        Where the mixture is not positive.
    """
    _share(1, mixture)
    return Procedure(
        "anytime-valid t", partial(critical, mixture=mixture), partial(_p_above, mixture=mixture)
    )


def _p_above(n: int, mean: float, sd: float, *, mixture: float) -> float:
    return sequential_p(n, mean, sd, mixture=mixture) / 2 if mean > 0 else 1.0


def _share(n: ArrayLike, mixture: float) -> Floats:
    if not 0 < mixture < math.inf:
        raise ValueError(f"a mixture parameter of {mixture} is not a positive number")
    return np.asarray(mixture / (mixture + np.asarray(n, dtype=np.float64)))


ANYTIME = anytime()
"""The procedure with the default mixture."""
