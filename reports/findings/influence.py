"""What a verdict owes to the shape of its differences, and to single seeds.

Student's intervals take the differences for normal. Here stand the skewness of those at hand, an
interval that does not take them for normal, and what becomes of the verdict without one seed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from reports.findings.contrasts import JudgedClaim, judgement_of
from reports.numbers.intervals import Interval, Procedure, has_spread
from reports.numbers.paired import paired_gains
from reports.numbers.skew import bootstrap_t, skewness
from reports.numbers.verdict import Verdict

FEWEST = 3
"""Seeds below which leaving one out leaves nothing to judge."""


@dataclass(frozen=True)
class Influence:
    """The shape of a claim's differences, and the seed that moves their mean most.

    Attributes
    ----------
    skewness : of the differences (0: symmetric, 2: exponential), corrected for few seeds.
    bootstrap_t95 : bootstrap-t interval of the mean; None below four seeds.
    seed, gain : the seed without which the mean moves most, and its difference.
    mean_without, verdict_without : mean and verdict without that seed.
    turning : every seed without which the verdict is another one.
    """

    skewness: float | None
    bootstrap_t95: Interval | None
    seed: int
    gain: float
    mean_without: float
    verdict_without: Verdict
    turning: tuple[int, ...]


def influence(judged: JudgedClaim, procedure: Procedure) -> Influence | None:
    """Return what single seeds do to a claim; None below three seeds and without spread."""
    pair, claim, judgement = judged.contrast, judged.claim, judged.judgement
    compared = pair.comparison
    if compared is None or judgement is None or compared.n < FEWEST or not compared.sd:
        return None
    gains = paired_gains(pair.treated, pair.untreated, claim.unit)

    def without(place: int) -> tuple[float, Verdict]:
        kept = np.delete(gains, place)
        mean, sd = float(kept.mean()), float(kept.std(ddof=1)) if has_spread(kept) else None
        # The tests that are left as they were play no part in a verdict.
        rest = replace(compared, n=len(kept), mean=mean, sd=sd)
        return mean, judgement_of(rest, claim, procedure).verdict

    others = [without(place) for place in range(compared.n)]
    most = int(np.argmax(np.abs(gains - gains.mean())))
    turning = [
        seed
        for seed, (_, verdict) in zip(pair.seeds, others, strict=True)
        if verdict is not judgement.verdict
    ]
    return Influence(
        skewness=skewness(gains),
        bootstrap_t95=bootstrap_t(gains),
        seed=pair.seeds[most],
        gain=float(gains[most]),
        mean_without=others[most][0],
        verdict_without=others[most][1],
        turning=tuple(turning),
    )
