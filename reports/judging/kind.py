"""What every kind of claim has: an estimand, a procedure, bands, and words.

- The estimand is one number for each seed, or for each condition: ``estimates``.
- The procedure makes its interval: paired, Welch's, of one sample, each with a fixed number of
  seeds or anytime-valid. An estimate knows its own.
- The bands are the kind's ``rules``: in which order what must surely be so for which verdict.
- The words are the names of the verdicts, their signs, and one sentence for each.

Verdict, p-value, seeds needed, and whether a verdict is true of a true value follow from the rules
(``reports.numbers.rules``). A new kind is a class in a file of its own that has these parts.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from reports.judging.samples import Samples
from reports.judging.scalars import higher_is_better, measured, unit_of
from reports.numbers.estimates import SEED_CAP, one_sample
from reports.numbers.intervals import FEWEST, Interval, Procedure
from reports.numbers.paired import Unit, paired_gains
from reports.numbers.rules import Estimate as Bounds
from reports.numbers.rules import Rule, first, p_of, target
from reports.numbers.sequential import ANYTIME
from reports.numbers.study import Statement
from reports.numbers.two_samples import TwoSamples, side
from reports.numbers.words import counted, sized, too_few

INCONCLUSIVE = "INCONCLUSIVE"
SECOND_LOOK = "judged by the wider intervals that allow for a second look"


class Estimate(Bounds, Protocol):
    """An estimate that also tells how many seeds a rule would take."""

    def seeds_for(self, rule: Rule, alpha: float) -> int | None:
        """Return how many seeds would make a rule hold; None where there is no such number."""


@dataclass(frozen=True)
class Standing:
    """A condition in a rank.

    Attributes
    ----------
    mean : over the seeds that all conditions have, in the unit of the metric.
    best_on : share of the seeds on which it is best; ties are shared.
    chance_best : share of resampled studies in which its mean is the best; None for one seed.
    may_be_best : whether no other condition is surely better, by the simultaneous intervals.
    """

    condition: str
    mean: float
    best_on: float
    chance_best: float | None
    may_be_best: bool


@dataclass(frozen=True)
class Pair:
    """How much better one condition of a rank is than another.

    Attributes
    ----------
    ci : the simultaneous interval.
    p : two-sided, multiplied by the number of pairs (Bonferroni), at most 1.
    """

    better: str
    other: str
    difference: float
    ci: Interval
    p: float


@dataclass(frozen=True)
class Ruling:
    """A verdict of any kind and what it rests on.

    Attributes
    ----------
    verdict, sign : the word, and a sign beside it.
    reason : one sentence with the numbers that decided.
    data : "paired by seed", "independent seeds (Welch)", "one condition", "all conditions on every
        seed".
    procedure : the kind of interval: "fixed-n t" or "anytime-valid t".
    sizes : number of seeds of each condition.
    estimate : of the number that the claim is about; for a rank, of its closest neighbours.
    ci, ci_equivalence : its intervals at levels 1 - alpha and 1 - 2 alpha.
    p_value : the smallest alpha at which this verdict would still be given; None for INCONCLUSIVE.
    seeds_needed : how many seeds would settle it at a second look, which anytime-valid intervals
        decide, with a power of 80%; None where it is settled, and where 1000 would not be enough.
    settled : whether more seeds would change nothing.
    agrees : whether the verdict is what the claim says; None for INCONCLUSIVE.
    standings, pairs : of a rank; empty otherwise.
    """

    verdict: str
    sign: str
    reason: str
    data: str
    procedure: str
    sizes: tuple[int, ...]
    estimate: float
    ci: Interval
    ci_equivalence: Interval
    p_value: float | None
    seeds_needed: int | None
    settled: bool
    agrees: bool | None
    standings: tuple[Standing, ...] = ()
    pairs: tuple[Pair, ...] = ()

    @property
    def label(self) -> str:
        """The verdict with its sign."""
        return f"{self.sign} {self.verdict}"


class Kind(ABC):
    """A kind of claim.

    Attributes
    ----------
    name : as a study file writes it.
    signs : by verdict, its sign; the first verdict is the one that agrees with the claim.
    """

    name: ClassVar[str]
    signs: ClassVar[Mapping[str, str]]

    @abstractmethod
    def rules(self, claim: Statement) -> list[Rule]:
        """Return the rules of a claim in their order; INCONCLUSIVE is where none holds."""

    @abstractmethod
    def asks(self, claim: Statement) -> str:
        """Return what the claim says, in numbers and few words."""

    @abstractmethod
    def found(self, verdict: str, claim: Statement) -> str:
        """Return what a verdict says of the estimate, to follow "The difference of +1.0 ..."."""

    def estimates(
        self, claim: Statement, samples: Samples, procedure: Procedure
    ) -> list[tuple[str, Estimate]]:
        """Return the estimate; several, each with a name, where data can be read in several ways.

        Here: how much better the first condition is than the second, paired by seed or not.
        """
        treatment, baseline = samples.conditions
        a, b = samples.of(treatment), samples.of(baseline)
        if claim.pairing == "none":
            one, other = (a, b) if higher_is_better(claim) else (b, a)
            return [("", TwoSamples(side(one), side(other), procedure))]
        # For a number that is better where it is lower, its mirror at the baseline is compared.
        unit: Unit = "relative %" if claim.unit == "relative %" else "points"
        gains = paired_gains(a if higher_is_better(claim) else 2 * b - a, b, unit)
        return [("", one_sample(gains, procedure, same=samples.same))]

    def data(self, claim: Statement) -> str:
        """Return what the values of the claim have in common."""
        return "independent seeds (Welch)" if claim.pairing == "none" else "paired by seed"

    def subject(self, claim: Statement, samples: Samples) -> str:
        """Return the name of the estimand, to follow "The"."""
        treatment, baseline = samples.conditions
        way = "higher" if higher_is_better(claim) else "lower"
        return f"difference in {measured(claim)} ({way} is better; {treatment} over {baseline})"

    def judge(self, claim: Statement, samples: Samples, procedure: Procedure) -> Ruling | None:
        """Judge a claim; None where a condition has no seed to judge it by.

        Where the data can be read in several ways, a verdict is given only if every reading gives
        it; the interval shown is the widest.
        """
        if not all(samples.sizes):
            return None
        rules, alpha = self.rules(claim), claim.alpha
        readings = self.estimates(claim, samples, procedure)
        held = [
            first(rules, one.interval(1 - alpha), one.interval(1 - 2 * alpha))
            for _, one in readings
        ]
        words = [INCONCLUSIVE if rule is None else rule.word for rule in held]
        verdict = words[0] if len(set(words)) == 1 else INCONCLUSIVE
        ends = [one.interval(1 - alpha).high for _, one in readings]
        place = ends.index(max(ends))
        widest = readings[place][1]
        needed, p_value = None, None
        if verdict == INCONCLUSIVE:
            leading_to = target(rules, widest.mean)
            # Whoever follows the plan looks a second time, and these intervals decide then.
            later = self.estimates(claim, samples, ANYTIME)[place][1]
            needed = None if leading_to is None else later.seeds_for(leading_to, alpha)
        else:
            p_value = max(p_of(verdict, rules, one) for _, one in readings)
        ci, inner = widest.interval(1 - alpha), widest.interval(1 - 2 * alpha)
        return Ruling(
            verdict=verdict,
            sign=self.sign(verdict),
            reason=self._reason(claim, samples, widest, verdict, needed, readings, words),
            data=self.data(claim),
            procedure=procedure.name,
            sizes=samples.sizes,
            estimate=widest.mean,
            ci=ci,
            ci_equivalence=inner,
            p_value=p_value,
            seeds_needed=needed,
            settled=verdict != INCONCLUSIVE,
            agrees=self.agrees(verdict),
        )

    def sign(self, verdict: str) -> str:
        """Return the sign beside a verdict."""
        return self.signs.get(verdict, "?")

    def agrees(self, verdict: str) -> bool | None:
        """Tell whether a verdict is what the claim says; None for INCONCLUSIVE."""
        return None if verdict == INCONCLUSIVE else verdict == next(iter(self.signs))

    def _reason(
        self,
        claim: Statement,
        samples: Samples,
        estimate: Estimate,
        verdict: str,
        needed: int | None,
        readings: Sequence[tuple[str, Estimate]],
        words: Sequence[str],
    ) -> str:
        ci, inner = estimate.interval(1 - claim.alpha), estimate.interval(1 - 2 * claim.alpha)
        sizes = list(dict.fromkeys(samples.sizes))
        seeds = " and ".join(map(str, samples.sizes)) if len(sizes) > 1 else f"{sizes[0]}"
        sentence = (
            f"The {self.subject(claim, samples)} is {sized(estimate.mean)} {unit_of(claim)} over "
            f"{seeds} seed{'s' * (seeds != '1')}, {self.data(claim)} "
            f"({_ends(ci, inner, claim.alpha, min(samples.sizes))})"
        )
        if verdict != INCONCLUSIVE:
            return f"{sentence}: {self.found(verdict, claim)}."
        if len(set(words)) > 1:
            each = "; ".join(
                f"{name}: {word}" for (name, _), word in zip(readings, words, strict=True)
            )
            return f"{sentence}. The verdict depends on how the published ± is read: {each}."
        outlook = f"up to {SEED_CAP} seeds would not settle it at this estimate and spread"
        if needed is not None:
            outlook = (
                f"about {counted(needed, 'seed')} would settle it at this estimate and spread, "
                f"{SECOND_LOOK}"
            )
        elif ci.low == -ci.high or min(samples.sizes) < 2:
            outlook = "no spread is seen from which its error could be judged"
        return f"{sentence}: these seeds cannot tell; {outlook}."


def _ends(ci: Interval, inner: Interval, alpha: float, seeds: int) -> str:
    if seeds < FEWEST:
        return too_few(seeds)
    if not (math.isfinite(ci.low) and math.isfinite(ci.high)):
        return "no interval, because nothing differs from seed to seed"
    return "; ".join(
        f"{100 * level:.3g}% interval {sized(one.low)} to {sized(one.high)}"
        for one, level in ((ci, 1 - alpha), (inner, 1 - 2 * alpha))
    )
