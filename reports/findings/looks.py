"""At which numbers of seeds a claim was judged before, and what that does to its verdict.

A fixed-n interval holds for one number of seeds that was chosen before any result was seen. Whoever
reads "about 12 more seeds would settle it", trains them and is judged by such an interval again has
had two chances to err: at no gain 8.7% instead of 5%, and a quarter with a look every five seeds up
to a hundred. So a results directory keeps a ledger of looks. The first look is judged by fixed-n
intervals. From the second on, the intervals of ``reports.numbers.sequential`` decide, which hold at
all numbers of seeds together; the fixed-n verdict is shown beside, and does not count.

This holds for claims of every kind. A look is what a claim compares, a pair of conditions in most
cases, and the seeds that were done for it. The same seeds looked at again
are the same look: nothing new was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.findings.contrasts import Contrast, JudgedClaim
from reports.judging.samples import Samples
from reports.judging.scalars import measured
from reports.numbers.intervals import Interval
from reports.numbers.study import Statement
from reports.numbers.verdict import Judgement, Verdict
from reports.numbers.words import listed


@dataclass(frozen=True)
class Look:
    """A pair of conditions, and the seeds on which somebody saw them compared.

    Of claims of other kinds ``baseline`` also says what was compared beside final accuracies of
    pairs: the other conditions of a rank, none of a value, another metric.
    """

    treatment: str
    baseline: str
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class LookedAgain:
    """A claim that was judged before, at other seeds.

    Attributes
    ----------
    looks : how many seeds each earlier look had, rising.
    fixed_verdict, fixed_ci : the verdict that fixed-n intervals would give, and the wider of them.
    """

    looks: tuple[int, ...]
    fixed_verdict: Verdict
    fixed_ci: Interval


def look_at(claim: Statement, samples: Samples) -> Look:
    """Return the look that judging a claim of another kind by ``samples`` is."""
    first, *others = samples.conditions
    compared = ", ".join(others)
    # Claims share a look only where they rest on the same seeds for the same reasons.
    if claim.metric != "final-accuracy":
        compared += f" ({measured(claim)})"
    if claim.pairing == "none":
        compared += " (unpaired)"
    seeds = sorted({seed for by_seed in samples.values.values() for seed in by_seed})
    return Look(first, compared, tuple(seeds))


def earlier_looks(looks: Sequence[Look], pair: Contrast | Look) -> tuple[int, ...]:
    """Return how many seeds each look at other seeds of a pair had, rising."""
    seen = {
        frozenset(look.seeds)
        for look in looks
        if (look.treatment, look.baseline) == (pair.treatment, pair.baseline)
    }
    return tuple(sorted(map(len, seen - {frozenset(pair.seeds)})))


def looked_again(earlier: tuple[int, ...], fixed: Judgement) -> LookedAgain | None:
    """Return what a claim's fixed-n judgement would say; None where this is its first look."""
    return LookedAgain(earlier, fixed.verdict, fixed.ci) if earlier else None


def judged_before(earlier: Sequence[int], verdict: str, interval: str) -> str:
    """Return the sentence on a claim that was judged before, with what one look would say."""
    return (
        f"It was judged before, at {listed([str(n) for n in earlier])} seeds, so the intervals "
        "that hold however often somebody looks decide; intervals for one look alone would say "
        f"{verdict} ({interval}), and do not count."
    )


def present_looks(claims: Sequence[JudgedClaim], others: Sequence[Look] = ()) -> list[Look]:
    """Return the looks that a report on these claims takes, and the ``others``, each once."""
    looks = [
        Look(judged.contrast.treatment, judged.contrast.baseline, judged.contrast.seeds)
        for judged in claims
        if judged.contrast.seeds
    ]
    return list(dict.fromkeys([*looks, *(look for look in others if look.seeds)]))
