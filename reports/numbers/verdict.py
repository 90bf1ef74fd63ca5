"""From a reported gain and its data to one of seven verdicts.

A verdict rests on the mean paired difference. ``ci`` is its interval at level 1 - alpha (95%),
``ci_equivalence`` its interval at level 1 - 2 alpha (90%), G the reported gain, tau the margin
around it, and delta the largest gain that counts as none. The first line that holds decides:

    NOT REPRODUCED  ci_equivalence within [-delta, delta], if G > delta
    REPRODUCED      ci.low > 0 and ci_equivalence within [G - tau, G + tau], if tau < G
    LARGER          ci_equivalence.low > G + tau
    PARTIAL         ci.low > 0 and ci_equivalence.high < G - tau
    NOT REPRODUCED  ci_equivalence within [-delta, delta]
    CONTRADICTED    ci.high < 0
    DIRECTION ONLY  ci.low > 0, if tau >= G
    INCONCLUSIVE    none of the above

The order matters only for NOT REPRODUCED and DIRECTION ONLY; no two of the other lines can hold at
once. A gain can be above zero beyond doubt and still be negligible, so NOT REPRODUCED comes first:
a study that calls such a gain none cannot also call it a part of the claim, a loss, or, where the
two bands overlap, the claim itself. The exception is a claim that is itself negligible
(G <= delta). A study that finds exactly what was reported must not count against such a claim, so
there the lines about the claim come first.

A margin that is not smaller than its claim (tau >= G) reaches down to no gain at all. Any gain up
to G + tau then lies within the margin, and REPRODUCED would say no more than "above zero": ten
seeds with a standard deviation of 0.09 and a true gain of 0.05 would reproduce 0.19 +- 0.50 in a
third of all studies. Such a claim is never REPRODUCED. It is never PARTIAL either, because no gain
is smaller than its margin allows. What can be told is that there is a gain: DIRECTION ONLY says
this, and its reason says which margin, or how many seeds, could test the size. Where the gain is
surely within the margin too, more seeds would find the same, and the claim counts as settled.

Each verdict can be wrong. For normal differences, the probability is at most alpha / 2 of
REPRODUCED, PARTIAL or DIRECTION ONLY where the true mean is not above zero, and of CONTRADICTED
where it is not below zero. It is at most alpha of REPRODUCED where the true mean lies outside the
claim's band, of LARGER or PARTIAL where it does not lie on their side of that band, and of NOT
REPRODUCED where it is not negligible.

Where differences are skewed, these rates do not hold. For exponential ones (skewness 2), at 5, 10
and 20 seeds, a false loss is said 4.2, 3.6 and 3.2 times as often as alpha / 2, and an interval
lies beyond an edge of a margin 3.1, 2.6 and 2.2 times as often as alpha; anytime-valid intervals
are ever wrong in 8.9% for 5% (``tests/verdict_errors.py skew``; ``docs/errors.md``). Nor do the
rates hold where diverged runs are left out.

Enough seeds settle a claim wherever the true mean lies, except on an edge of a band, and at zero
where delta is zero.

A reported loss (G < 0) is the same claim with the conditions swapped: the axis is mirrored, and
"larger" means a larger loss. A reported gain of zero is refused, because these rules need a gain.

This file is long because the rules, what they risk and the words of each verdict are one thing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from reports.numbers.estimates import SEED_CAP, OneSample
from reports.numbers.intervals import FEWEST, FIXED, Interval, Procedure
from reports.numbers.paired import PairedComparison, Unit, check_unit
from reports.numbers.rules import Ends, Part, Rule, first, p_of, places, target
from reports.numbers.significance import tost
from reports.numbers.testable import size_words
from reports.numbers.words import told_interval, too_few


class Verdict(StrEnum):
    """What the data say about a claim; the module's docstring has the rules."""

    REPRODUCED = "REPRODUCED"
    LARGER = "LARGER"
    PARTIAL = "PARTIAL"
    NOT_REPRODUCED = "NOT REPRODUCED"
    CONTRADICTED = "CONTRADICTED"
    DIRECTION_ONLY = "DIRECTION ONLY"
    INCONCLUSIVE = "INCONCLUSIVE"


VERDICTS = tuple(Verdict)
Codes = NDArray[np.int64]
"""Verdicts as their places in ``VERDICTS``."""

SIGNS = {
    Verdict.REPRODUCED: "✓",
    Verdict.LARGER: "▲",
    Verdict.PARTIAL: "◐",
    Verdict.NOT_REPRODUCED: "○",
    Verdict.CONTRADICTED: "✗",
    Verdict.DIRECTION_ONLY: "→",
    Verdict.INCONCLUSIVE: "?",
}
"""A sign beside each word, so that colour is never the only sign."""


@dataclass(frozen=True)
class Judgement:
    """A verdict and what it rests on; from ``judge``.

    Attributes
    ----------
    verdict : the label.
    reason : one sentence with the numbers that decided.
    procedure : the kind of interval: "fixed-n t" or "anytime-valid t".
    ci, ci_equivalence : the intervals at levels 1 - alpha and 1 - 2 alpha, in the claim's unit.
    p_claim : TOST p-value of "the true mean differs from the reported by more than the margin".
    p_zero : TOST p-value of "the true mean is not negligible".
    seeds_needed : number of seeds that would settle an inconclusive claim at the observed mean
        and spread, with a power of 80%; None where the claim is settled, or where 1000 seeds would
        not be enough.
    settled : whether more seeds would change nothing. False for INCONCLUSIVE; false for DIRECTION
        ONLY too as long as the gain may be larger than the claim and its margin.
    p_value : the smallest alpha at which this verdict would still be given; None for INCONCLUSIVE.
    share : ``ci`` in % of the reported gain; negative for a loss where a gain was reported.
    """

    verdict: Verdict
    reason: str
    procedure: str
    ci: Interval
    ci_equivalence: Interval
    p_claim: float
    p_zero: float
    seeds_needed: int | None
    settled: bool
    p_value: float | None
    share: Interval

    @property
    def label(self) -> str:
        """The verdict with its sign, and its size where it says that the gain is another one."""
        label = f"{SIGNS[self.verdict]} {self.verdict}"
        size = share_words(self.share)
        sized = self.verdict in (Verdict.PARTIAL, Verdict.CONTRADICTED, Verdict.LARGER)
        return f"{label}, {size}" if sized and size else label


def share_words(share: Interval) -> str:
    """Return an interval in % of the claim in words: 7 to 9% of the claim; "" without ends."""
    if not (math.isfinite(share.low) and math.isfinite(share.high)):
        return ""
    lost = share.high <= 0
    low, high = (-share.high, -share.low) if lost else (share.low, share.high)
    ends = list(dict.fromkeys(f"{end:.{0 if high >= 1 else 2}f}" for end in (low, high)))
    return f"{' to '.join(ends)}% of the claim{' the other way' * lost}"


def margin_reaches_zero(reported: float, margin: float) -> bool:
    """Tell whether a claim's margin is not smaller than the claim, so that it fixes no size."""
    return margin >= abs(reported)


def decide(
    ci: Interval, ci_equivalence: Interval, reported: float, margin: float, negligible: float
) -> Verdict:
    """Return the one verdict on these intervals; all numbers are in the claim's unit.

    Raises
    ------
    ValueError
        Where the reported gain is 0 or not finite, the margin not positive, the negligible gain
        negative, or ``ci_equivalence`` not inside ``ci``.
    """
    _check_claim(reported, margin, negligible)
    if not ci_equivalence.inside(ci):
        raise ValueError(f"{ci_equivalence} is not inside {ci}: are the two intervals swapped?")
    return _word(first(gain_rules(reported, margin, negligible), ci, ci_equivalence))


def verdicts(
    ci: Ends, ci_equivalence: Ends, reported: float, margin: float, negligible: float
) -> Codes:
    """Apply the rules to many studies of one claim at once.

    Parameters
    ----------
    ci, ci_equivalence : the low and the high ends of their intervals, of one shape.
    reported, margin, negligible : as for ``decide``, which checks them.

    Returns
    -------
    Places in ``VERDICTS``, of that shape.
    """
    rules = gain_rules(reported, margin, negligible)
    words = [VERDICTS.index(Verdict(rule.word)) for rule in rules]
    words.append(VERDICTS.index(Verdict.INCONCLUSIVE))
    return np.asarray(words, dtype=np.int64)[places(rules, ci, ci_equivalence)]


def gain_rules(reported: float, margin: float, negligible: float) -> list[Rule]:
    """Return the rules of a reported gain in their order; INCONCLUSIVE is where none holds."""
    gain = abs(reported)
    above = Part(Interval(0, math.inf), two_sided=True, strict=True)
    within = Part(Interval(gain - margin, gain + margin))
    none = Rule(Verdict.NOT_REPRODUCED, (Part(Interval(-negligible, negligible)),))
    claimed = Rule(Verdict.REPRODUCED, (above, within))
    gain_only = []
    if margin_reaches_zero(reported, margin):
        claimed = Rule(Verdict.DIRECTION_ONLY, (above, within))
        gain_only = [Rule(Verdict.DIRECTION_ONLY, (above,))]
    rules = [
        *([none] if gain > negligible else []),
        claimed,
        Rule(Verdict.LARGER, (Part(Interval(gain + margin, math.inf), strict=True),)),
        Rule(Verdict.PARTIAL, (above, Part(Interval(-math.inf, gain - margin), strict=True))),
        none,
        Rule(Verdict.CONTRADICTED, (-above,)),
        *gain_only,
    ]
    return rules if reported > 0 else [-rule for rule in rules]


def judge(
    comparison: PairedComparison,
    reported: float,
    margin: float,
    negligible: float,
    *,
    unit: Unit,
    alpha: float = 0.05,
    procedure: Procedure = FIXED,
) -> Judgement:
    """Judge a reported gain of a over b by a comparison of the two.

    Parameters
    ----------
    comparison : of the claim's treatment (a) with its baseline (b), in the claim's unit.
    reported, margin, negligible : G, tau and delta, in ``unit``.
    unit : of the claim.
    alpha : error rate of the verdict's tests, below 1/2.
    procedure : ``sequential.ANYTIME`` where seeds were added until the claim was decided.

    Raises
    ------
    ValueError
        Where the claim's unit is unknown or is not that of the comparison, where alpha is not
        between 0 and 1/2, and where ``decide`` raises it.
    """
    check_unit(unit)
    if unit != comparison.unit:
        raise ValueError(f"the claim is in {unit}, the comparison in {comparison.unit}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is {alpha}; an error rate lies between 0 and 0.5")
    _check_claim(reported, margin, negligible)
    n, mean, sd = comparison.n, comparison.mean, comparison.sd
    estimate = OneSample(n, mean, sd, procedure)
    ci, ci_equivalence = estimate.interval(1 - alpha), estimate.interval(1 - 2 * alpha)
    rules = gain_rules(reported, margin, negligible)
    rule, leading_to = first(rules, ci, ci_equivalence), target(rules, mean)
    verdict, needed = _word(rule), None
    if rule is None and leading_to is not None:
        needed = estimate.seeds_for(leading_to, alpha)
    shown = "points" if unit == "points" else "%"
    ends = f"{told_interval(ci, 1 - alpha)}; {told_interval(ci_equivalence, 1 - 2 * alpha)}"
    observed = (
        f"The mean difference of {mean:+.2f} {shown} over {n} seed{'s' * (n != 1)} "
        f"({ends if n >= FEWEST else too_few(n)})"
    )
    share = _share(ci, reported)
    meaning = _finding(verdict, reported, margin, negligible)
    match verdict:
        case Verdict.INCONCLUSIVE:
            meaning += _outlook(comparison, needed)
        case Verdict.DIRECTION_ONLY:
            meaning += f"; {size_words(estimate, reported, alpha)}"
        case Verdict.PARTIAL | Verdict.LARGER | Verdict.CONTRADICTED:
            meaning += f": {share_words(share)}"
    if verdict is Verdict.CONTRADICTED and not _beyond(ci_equivalence, reported, negligible):
        meaning += (
            f"; it may be negligible (within {negligible:.2f} of zero), so that it contradicts the "
            "direction and no size"
        )
    return Judgement(
        verdict=verdict,
        reason=f"{observed} {meaning}.",
        procedure=procedure.name,
        ci=ci,
        ci_equivalence=ci_equivalence,
        p_claim=tost(mean, sd, n, reported - margin, reported + margin, procedure),
        p_zero=tost(mean, sd, n, -negligible, negligible, procedure),
        seeds_needed=needed,
        settled=rule is not None and (verdict is not Verdict.DIRECTION_ONLY or len(rule.parts) > 1),
        p_value=None if rule is None else p_of(rule.word, rules, estimate),
        share=share,
    )


def _check_claim(reported: float, margin: float, negligible: float) -> None:
    if not math.isfinite(reported) or reported == 0:
        raise ValueError(
            f"a reported gain of {reported} cannot be judged; write a number that is not 0 "
            "(for a claim of no difference, look at the TOST around zero)"
        )
    if not 0 < margin < math.inf:
        raise ValueError(f"a margin of {margin} is none; write a positive number")
    if not 0 <= negligible < math.inf:
        raise ValueError(f"a negligible gain of {negligible} is none; write 0 or more")


def _word(rule: Rule | None) -> Verdict:
    return Verdict.INCONCLUSIVE if rule is None else Verdict(rule.word)


def _share(ci: Interval, reported: float) -> Interval:
    low, high = sorted((100 * ci.low / reported, 100 * ci.high / reported))
    return Interval(low, high)


def _beyond(ci_equivalence: Interval, reported: float, negligible: float) -> bool:
    """Tell whether a loss (a gain, where a loss was reported) is surely not negligible."""
    opposite = ci_equivalence if reported < 0 else -ci_equivalence
    return opposite.low > negligible


def _finding(verdict: Verdict, reported: float, margin: float, negligible: float) -> str:
    gain = "gain" if reported > 0 else "loss"
    claim = f"the reported {reported:+.2f}"
    match verdict:
        case Verdict.REPRODUCED:
            return f"is a {gain} and lies within {margin:.2f} of {claim}"
        case Verdict.LARGER:
            return f"is a {gain} larger than {claim} by more than the margin of {margin:.2f}"
        case Verdict.PARTIAL:
            return f"is a {gain}, smaller than {claim} by more than the margin of {margin:.2f}"
        case Verdict.NOT_REPRODUCED:
            return f"is negligible, within {negligible:.2f} of zero, against {claim}"
        case Verdict.CONTRADICTED:
            return f"is the opposite of {claim}"
        case Verdict.DIRECTION_ONLY:
            return (
                f"is a {gain}; its size cannot be held against {claim}, because the margin of "
                f"{margin:.2f} is not smaller than the claim"
            )
        case Verdict.INCONCLUSIVE:
            return f"neither supports nor refutes {claim} (margin {margin:.2f})"


def _outlook(comparison: PairedComparison, needed: int | None) -> str:
    if comparison.n == 1:
        return ""
    if not comparison.sd:
        return ": the differences are all equal and show no spread"
    if needed is None:
        return f"; up to {SEED_CAP} seeds would not settle it at this mean and spread"
    return f"; about {needed} seeds would settle it at this mean and spread"
