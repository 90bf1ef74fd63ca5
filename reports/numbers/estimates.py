"""How sure a number is: the mean of one sample of values, as every paired comparison is.

``reports.numbers.rules`` asks an estimate for intervals and one-sided p-values, whatever it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from reports.numbers.intervals import FIXED, Floats, Interval, Procedure, has_spread, mean_interval
from reports.numbers.planning import seeds_needed
from reports.numbers.rules import Rule

POWER = 0.8  # probability that the stated number of seeds settles a claim
SEED_CAP = 1000


@dataclass(frozen=True)
class OneSample:
    """The true mean of a source of which ``n`` values were seen, such as paired differences.

    Attributes
    ----------
    n, mean, sd : of the values; ``sd`` is None at n = 1 and 0 where all values are equal. Neither
        shows how far the mean may be off, so that the interval is infinite and every p-value 1,
        with one exception: see ``reports.numbers.intervals``.
    procedure : the kind of interval.
    """

    n: int
    mean: float
    sd: float | None
    procedure: Procedure = FIXED

    def interval(self, level: float) -> Interval:
        """Return the two-sided interval of the true mean."""
        return mean_interval(self.n, self.mean, self.sd, level, self.procedure)

    def p_above(self, bound: float) -> float:
        """Return the one-sided p-value of "the true mean is at most ``bound``"."""
        if not self.sd:
            return 0.0 if self.interval(0.95).low > bound else 1.0
        return self.procedure.p_above(self.n, self.mean - bound, self.sd)

    def p_below(self, bound: float) -> float:
        """Return the one-sided p-value of "the true mean is at least ``bound``"."""
        if not self.sd:
            return 0.0 if self.interval(0.95).high < bound else 1.0
        return self.procedure.p_above(self.n, bound - self.mean, self.sd)

    def seeds_for(self, rule: Rule, alpha: float) -> int | None:
        """Return how many seeds would make a rule hold, in 4 of 5 studies of this mean and spread.

        None where 1000 would not be enough. It knows rules of one part, and of one part beside
        "the true mean is above (or below) zero".
        """
        bands = [part for part in rule.parts if not part.two_sided]
        signs = [part for part in rule.parts if part.two_sided]
        sign = -1.0 if signs and math.isinf(signs[0].band.low) else 1.0
        band = (bands or signs)[0].band
        return seeds_needed(
            sign * self.mean,
            self.sd,
            self.n,
            band if sign > 0 else -band,
            superior=bool(bands and signs),
            # A part that is asked of the wider interval errs with half of alpha on each side.
            alpha=alpha if bands else alpha / 2,
            power=POWER,
            cap=SEED_CAP,
            procedure=self.procedure,
        )


def one_sample(values: Floats, procedure: Procedure = FIXED, *, same: bool = False) -> OneSample:
    """Return the estimate of the true mean from values, (n,) with n > 0.

    ``same`` : whether the values are differences of conditions that are known to have done the same
    on every seed, beyond equal values; only then are zeros on two or more seeds surely zero.
    """
    n = len(values)
    if not has_spread(values):
        known = n > 1 and (same or bool(values[0]))
        return OneSample(n, float(values[0]), 0.0 if known else None, procedure)
    return OneSample(n, float(values.mean()), float(values.std(ddof=1)), procedure)
