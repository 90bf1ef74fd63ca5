"""Conditions in an order, the best first.

All pairs of conditions are compared on the seeds that all of them have. Their intervals are
simultaneous (Bonferroni: each errs with alpha divided by the number of pairs), so that with a
probability of at least 1 - alpha all of them hold at once, whatever the conditions share. One set
of intervals decides everything that is said:

    IN ORDER     every condition is surely better than the next
    OTHER ORDER  some condition is surely worse than one that stands after it

"How often each is best" is the share of resampled studies (seeds drawn with replacement, all
conditions of a seed together) in which its mean is best. It says how firmly these seeds speak, and
is no probability that the condition is best.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, pairwise
from typing import ClassVar

import numpy as np

from reports.judging.better import ABOVE
from reports.judging.kind import INCONCLUSIVE, SECOND_LOOK, Kind, Pair, Ruling, Standing
from reports.judging.samples import Samples
from reports.judging.scalars import higher_is_better, measured, unit_of
from reports.numbers.estimates import SEED_CAP, OneSample, one_sample
from reports.numbers.intervals import Floats, Procedure
from reports.numbers.many import MANY
from reports.numbers.paired import paired_gains
from reports.numbers.rules import Rule
from reports.numbers.sequential import ANYTIME
from reports.numbers.study import Statement

RESAMPLED = 10_000


class Rank(Kind):
    """For tables of results whose order is the claim."""

    name = "rank"
    signs: ClassVar[Mapping[str, str]] = {"IN ORDER": "✓", "OTHER ORDER": "✗"}

    def rules(self, claim: Statement) -> list[Rule]:
        """Return the rules of one pair, the condition that is claimed to be better first."""
        return [Rule("IN ORDER", (ABOVE,)), Rule("OTHER ORDER", (-ABOVE,))]

    def asks(self, claim: Statement) -> str:
        """Return the order."""
        return " > ".join(claim.conditions)

    def data(self, claim: Statement) -> str:
        """Return what the values have in common."""
        return "all conditions on every seed"

    def found(self, verdict: str, claim: Statement) -> str:
        """Return what the verdict says of the order."""
        if verdict == "IN ORDER":
            return "every condition is surely better than the next"
        return "a condition is surely worse than one that stands after it"

    def judge(self, claim: Statement, samples: Samples, procedure: Procedure) -> Ruling | None:
        """Judge an order; None where no seed has all conditions."""
        if not all(samples.sizes):
            return None
        sign = 1 if higher_is_better(claim) else -1
        values = {name: sign * samples.of(name) for name in samples.conditions}
        several = len(values) * (len(values) - 1) // 2
        each = claim.alpha / several
        in_order, other = self.rules(claim)
        estimates = {
            (a, b): _difference(values[a], values[b], procedure)
            for a, b in combinations(samples.conditions, 2)
        }
        above = {pair: in_order.p_value(one) for pair, one in estimates.items()}
        below = {pair: other.p_value(one) for pair, one in estimates.items()}
        neighbours = list(pairwise(samples.conditions))
        p_order = min(1.0, several * max(above[pair] for pair in neighbours))
        p_other = min(1.0, several * min(below.values()))
        verdict, p_value = INCONCLUSIVE, None
        if p_order <= claim.alpha:
            verdict, p_value = "IN ORDER", p_order
        elif p_other <= claim.alpha:
            verdict, p_value = "OTHER ORDER", p_other
        if verdict == "OTHER ORDER":
            closest = min(below, key=lambda pair: below[pair])
        else:
            closest = max(neighbours, key=lambda pair: above[pair])
        shown = estimates[closest]
        needed = None
        if verdict == INCONCLUSIVE:
            plans = [
                _difference(values[a], values[b], ANYTIME).seeds_for(in_order, each)
                for a, b in neighbours
            ]
            known = [plan for plan in plans if plan is not None]
            needed = max(known) if len(known) == len(plans) else None
        pairs = tuple(
            Pair(*pair, one.mean, one.interval(1 - each), min(1.0, several * min(above[pair],
                                                                               below[pair])))
            for pair, one in estimates.items()
        )  # fmt: skip
        ci = shown.interval(1 - each)
        what = {"IN ORDER": "its closest neighbours are", "OTHER ORDER": "surely the wrong way are"}
        reason = (
            f"By {measured(claim)} over {samples.sizes[0]} seeds that all conditions have, "
            f"{what.get(verdict, 'undecided are')} {closest[0]} and {closest[1]}: difference "
            f"{shown.mean:+.4g} {unit_of(claim)}, {ci.low:+.4g} to {ci.high:+.4g} "
            f"({100 * (1 - claim.alpha):.3g}% simultaneous interval of {several} pairs)"
        )
        if verdict != INCONCLUSIVE:
            reason += f": {self.found(verdict, claim)}"
        elif needed is not None:
            reason += (
                f"; about {needed} seeds would settle it at these means and spreads, {SECOND_LOOK}"
            )
        elif samples.sizes[0] > 1:
            reason += f"; up to {SEED_CAP} seeds would not put them in this order at these means"
        return Ruling(
            verdict=verdict,
            sign=self.sign(verdict),
            reason=f"{reason}.",
            data=self.data(claim),
            procedure=procedure.name,
            sizes=samples.sizes,
            estimate=shown.mean,
            ci=ci,
            ci_equivalence=shown.interval(1 - 2 * each),
            p_value=p_value,
            seeds_needed=needed,
            settled=verdict != INCONCLUSIVE,
            agrees=self.agrees(verdict),
            standings=_standings(values, sign, pairs),
            pairs=pairs,
        )


def _difference(a: Floats, b: Floats, procedure: Procedure) -> OneSample:
    return one_sample(paired_gains(a, b), procedure)


def _standings(
    values: dict[str, Floats], sign: int, pairs: tuple[Pair, ...]
) -> tuple[Standing, ...]:
    table = np.column_stack(list(values.values()))
    n = len(table)
    on_seeds = _shares_best(table)
    chances: list[float | None] = [None] * table.shape[1]
    if n > 1:
        draws, means = np.random.default_rng(0), table.mean(0)
        if n > MANY:  # the law of the means is known, so that no seed need be drawn again
            together = np.cov(table, rowvar=False) / n
            spread = draws.multivariate_normal(np.zeros_like(means), together, RESAMPLED)
        else:
            drawn = draws.multinomial(n, np.full(n, 1 / n), RESAMPLED)
            # Means of resamples spread too little by this factor, which counts with few seeds.
            spread = np.sqrt(n / (n - 1)) * (drawn @ table / n - means)
        chances = list(_shares_best(means + spread).tolist())
    beaten = {pair.better for pair in pairs if pair.ci.high < 0}
    beaten |= {pair.other for pair in pairs if pair.ci.low > 0}
    return tuple(
        Standing(name, sign * float(own.mean()), float(share), chance, name not in beaten)
        for (name, own), share, chance in zip(values.items(), on_seeds, chances, strict=True)
    )


def _shares_best(table: Floats) -> Floats:
    """Return for each column of (n, k) the share of rows in which it is largest; ties share."""
    best = np.isclose(table, table.max(1, keepdims=True), rtol=0, atol=1e-9)
    return np.asarray((best / best.sum(1, keepdims=True)).mean(0), dtype=np.float64)
