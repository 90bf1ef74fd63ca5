"""How many seeds would settle a claim, as a range: a few seeds tell their own spread only roughly.

Whoever follows the plan looks at the results a second time, so the plan is made for the intervals
that decide then (``reports.findings.looks``). The standard deviation of n seeds is known up to a
factor: at n = 3 its 80% interval reaches from 0.7 to 3.1 times what was seen. The range is that of
the plans at the two ends of this interval; the plan at its upper end has less than the promised
power in about a tenth of cases, where the plan at the observed spread of three seeds has it in two
of three (``tests/verdict_errors.py few``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from reports.findings.contrasts import JudgedClaim
from reports.numbers.estimates import OneSample
from reports.numbers.rules import target
from reports.numbers.sequential import ANYTIME
from reports.numbers.verdict import Verdict, gain_rules

SURE = 0.8
"""Level of the interval of the standard deviation."""


@dataclass(frozen=True)
class Plan:
    """Numbers of seeds that would settle a claim at its observed mean.

    Attributes
    ----------
    seeds : at the observed spread; None where 1000 would not be enough.
    low, high : at the ends of the spread's 80% interval; each None above 1000.
    """

    seeds: int | None
    low: int | None
    high: int | None


def spread_interval(n: int, sd: float, level: float = SURE) -> tuple[float, float]:
    """Return the interval of the true standard deviation of normal values, from ``n`` >= 2."""
    tail = (1 - level) / 2
    upper, lower = (float(stats.chi2.ppf(q, n - 1)) for q in (1 - tail, tail))
    return sd * math.sqrt((n - 1) / upper), sd * math.sqrt((n - 1) / lower)


def plan(judged: JudgedClaim) -> Plan | None:
    """Return how many seeds would settle an inconclusive claim, looked at once more.

    None where it is settled, shows no spread, or no number of seeds could settle it.
    """
    claim, compared, judgement = judged.claim, judged.contrast.comparison, judged.judgement
    if compared is None or judgement is None or judgement.settled or not compared.sd:
        return None
    rules = gain_rules(claim.reported, claim.margin, claim.negligible)
    leading_to = target(rules, compared.mean)
    if leading_to is None or leading_to.word == Verdict.INCONCLUSIVE:
        return None
    needed = [
        OneSample(compared.n, compared.mean, sd, ANYTIME).seeds_for(leading_to, claim.alpha)
        for sd in (compared.sd, *spread_interval(compared.n, compared.sd))
    ]
    return Plan(*needed)
