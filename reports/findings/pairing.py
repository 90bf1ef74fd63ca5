"""What pairing by seed buys, where nothing is known of what a seed means to a program.

Programs of the user's own and imported results say of two cells only that their seeds have the same
number. If the draws behind it are the same, the values of two conditions rise and fall together,
and differences within seeds are surer than differences of means; if they are not, pairing is no
error, but buys nothing. The correlation tells which it is, and Welch's interval, which pairs
nothing, stands beside the paired one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.findings.contrasts import JudgedClaim
from reports.findings.statements import JudgedStatement
from reports.judging.samples import gather
from reports.judging.scalars import higher_is_better
from reports.numbers.intervals import Floats, Interval, has_spread, t_interval
from reports.numbers.paired import paired_gains
from reports.numbers.records import Record
from reports.numbers.two_samples import TwoSamples, side

BY_NUMBER = "seed number"
FEWEST = 3
"""Pairs below which a correlation says nothing."""


@dataclass(frozen=True)
class Pairing:
    """A comparison with and without pairs.

    Attributes
    ----------
    n : number of pairs.
    paired95, welch95 : of how much better the treatment is, in the unit of the values.
    correlation : of the two conditions' values over the seeds (Pearson); None without spread.
    """

    claim: str
    n: int
    paired95: Interval
    welch95: Interval
    correlation: float | None

    @property
    def width(self) -> float | None:
        """How wide the paired interval is, Welch's as 1; None where that is infinite."""
        welch = self.welch95.high - self.welch95.low
        paired = self.paired95.high - self.paired95.low
        return paired / welch if np.isfinite([welch, paired]).all() and welch > 0 else None


def pairings(
    records_by_cell: Mapping[tuple[str, int], Record],
    claims: Sequence[JudgedClaim],
    statements: Sequence[JudgedStatement],
    seeds: Sequence[int],
) -> tuple[Pairing, ...]:
    """Return the comparisons that only the numbers of seeds pair; empty where draws are shared."""
    if not any(
        record.get("provenance", {}).get("pairing") == BY_NUMBER
        for record in records_by_cell.values()
    ):
        return ()
    found = []
    for judged in claims:
        pair = judged.contrast
        if judged.claim.unit != "relative %":
            found.append(
                _pairing(judged.claim.id, np.array(pair.treated), np.array(pair.untreated))
            )
    for one in statements:
        claim = one.claim
        if claim.pairing == "none" or claim.unit == "relative %" or len(claim.conditions) != 2:
            continue
        if claim.kind == "rank":
            continue
        samples = gather(records_by_cell, claim, seeds)
        a, b = (samples.of(name) for name in samples.conditions)
        found.append(_pairing(claim.id, *((a, b) if higher_is_better(claim) else (b, a))))
    return tuple(one for one in found if one is not None)


def _pairing(claim: str, a: Floats, b: Floats) -> Pairing | None:
    if len(a) < FEWEST:
        return None
    spread = bool(has_spread(a) and has_spread(b))
    return Pairing(
        claim=claim,
        n=len(a),
        paired95=t_interval(paired_gains(a, b), 0.95),
        welch95=TwoSamples(side(a), side(b)).interval(0.95),
        correlation=float(np.corrcoef(a, b)[0, 1]) if spread else None,
    )
