"""What a verdict owes to the shape of its differences, and to single seeds.

Student's intervals take the differences for normal. Here stand the skewness of those at hand, an
interval that does not take them for normal, and what becomes of the verdict without one seed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from reports.findings.contrasts import JudgedClaim, judgement_of
from reports.findings.error_rates import judge_many
from reports.numbers.intervals import Floats, Interval, Procedure, has_spread
from reports.numbers.many import MANY
from reports.numbers.paired import paired_gains
from reports.numbers.skew import bootstrap_t, skewness
from reports.numbers.study import Claim
from reports.numbers.verdict import VERDICTS, Verdict

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

    most = int(np.argmax(np.abs(gains - gains.mean())))
    if compared.n > MANY:
        verdicts = _verdicts_without(gains, most, claim, procedure)
    else:
        verdicts = [without(place)[1] for place in range(compared.n)]
    turning = [
        seed
        for seed, verdict in zip(pair.seeds, verdicts, strict=True)
        if verdict is not judgement.verdict
    ]
    mean_without, verdict_without = without(most)
    return Influence(
        skewness=skewness(gains),
        bootstrap_t95=bootstrap_t(gains),
        seed=pair.seeds[most],
        gain=float(gains[most]),
        mean_without=mean_without,
        verdict_without=verdict_without,
        turning=tuple(turning),
    )


def _verdicts_without(
    gains: Floats, most: int, claim: Claim, procedure: Procedure
) -> list[Verdict]:
    """Return the verdict without each of many gains, (n,), all at once: one by one takes n squared.

    ``most`` : the place of the gain that is farthest from the mean. Only without it can the others
    be all equal.
    """
    n, moved = len(gains), gains - gains.mean()
    means = gains.mean() - moved / (n - 1)
    squares = (moved**2).sum() - moved**2 * n / (n - 1)
    sds = np.sqrt(np.maximum(squares, 0) / (n - 2))
    kept = np.delete(gains, most)
    sds[most] = kept.std(ddof=1) if has_spread(kept) else 0.0
    codes = judge_many(means, sds, n - 1, claim, procedure)
    return [VERDICTS[code] for code in codes]
