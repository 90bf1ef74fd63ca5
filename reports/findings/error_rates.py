"""How often a claim's procedure would be wrong, at the number of seeds and the spread at hand.

Studies like ours are simulated for a few true gains and judged by the same rules. The true gain is
known, so each verdict is known to be right or wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reports.findings.contrasts import Contrast, JudgedClaim
from reports.numbers.intervals import FIXED, Floats, Procedure, half_width, has_spread
from reports.numbers.many import EXPANDED, MANY, law_of
from reports.numbers.paired import paired_gains
from reports.numbers.study import Claim
from reports.numbers.verdict import VERDICTS, Codes, Verdict, verdicts

STUDIES = 20_000
BESIDE = 1e-9  # distance to either side of an edge, in the unit of a gain
FEWEST = 8
"""Seeds below which nothing is drawn from the observed differences: they are too few to stand for
their source, and the rates would be anything from none to several times the true ones."""
DRAWS_AT_ONCE = 2_000_000  # differences drawn at once; bounds the memory for many seeds


@dataclass(frozen=True)
class ErrorRate:
    """How studies of one true gain are judged.

    Attributes
    ----------
    true_gain, label : the gain in the claim's unit, and its name.
    rates : share of the studies that get each verdict; the shares sum to 1.
    rates_se : Monte-Carlo standard errors of the rates; see ``standard_error``.
    wrong, wrong_se : share of the studies whose verdict is wrong (``wrong_share``), and its
        Monte-Carlo standard error.
    wrong_normal : ``wrong`` for normal differences of the same spread, as a check.

    Below ``FEWEST`` seeds all of them are of normal differences.
    """

    true_gain: float
    label: str
    rates: dict[Verdict, float]
    rates_se: dict[Verdict, float]
    wrong: float
    wrong_se: float
    wrong_normal: float


def error_rates(
    contrast: Contrast,
    claim: Claim,
    procedure: Procedure = FIXED,
    *,
    studies: int = STUDIES,
    seed: int = 0,
) -> list[ErrorRate]:
    """Return how often each verdict would be given, and be wrong, for several true gains.

    Differences are drawn with replacement from the observed ones, after these are centred and
    scaled by sqrt(n / (n - 1)), so that their variance is the unbiased estimate; below ``FEWEST``
    of them, from the normal distribution of their spread. All true gains
    share the draws. Every simulated study has our n and is judged once. Empty where the data show
    no spread to simulate from. The same arguments give the same rates.

    Parameters
    ----------
    contrast : the claim's treatment compared with its baseline.
    studies, seed : number of simulated studies, and seed of the random generator.
    """
    compared = contrast.comparison
    if compared is None or not compared.sd:
        return []
    draws = np.random.default_rng(seed)
    gains = paired_gains(contrast.treated, contrast.untreated, claim.unit)
    few = compared.n < FEWEST
    drawn = None if few else _resampled(gains, studies, draws)
    normal = _normal(compared.n, compared.sd, studies, draws)

    def shares(simulated: tuple[Floats, Floats], gain: float) -> Floats:
        codes = judge_many(simulated[0] + gain, simulated[1], compared.n, claim, procedure)
        return np.bincount(codes, minlength=len(VERDICTS)) / studies

    rows = []
    for label, gain in true_gains(claim, compared.mean):
        rates = shares(normal if drawn is None else drawn, gain)
        errors = [standard_error(share, studies) for share in rates]
        wrong = wrong_share(rates, gain, claim)
        rows.append(
            ErrorRate(
                true_gain=gain,
                label=label,
                rates=dict(zip(VERDICTS, rates.tolist(), strict=True)),
                rates_se=dict(zip(VERDICTS, errors, strict=True)),
                wrong=wrong,
                wrong_se=standard_error(wrong, studies),
                wrong_normal=wrong_share(shares(normal, gain), gain, claim),
            )
        )
    return rows


def true_gains(claim: Claim, observed: float) -> Iterator[tuple[str, float]]:
    """Yield the true gains to simulate, in the claim's unit; mirrored for a reported loss."""
    sign = math.copysign(1, claim.reported)
    yield "no gain", 0.0
    yield "edge of negligible", sign * claim.negligible
    yield "half the claim", claim.reported / 2
    yield "lower edge of the margin", claim.reported - sign * claim.margin
    yield "the claim", claim.reported
    yield "double the claim", 2 * claim.reported
    yield "the observed gain", observed


def wrong_share(shares: Floats, gain: float, claim: Claim) -> float:
    """Return the share of wrong verdicts, given the share of each, in the order of ``VERDICTS``.

    Where the gain lies on an edge of a band, the side counts on which more verdicts are wrong.
    """
    return max(
        math.fsum(s for s, v in zip(shares, VERDICTS, strict=True) if not is_true(v, near, claim))
        for near in (gain - BESIDE, gain, gain + BESIDE)
    )


def is_true(verdict: Verdict, gain: float, claim: Claim) -> bool:
    """Return whether a verdict is true of a true gain; INCONCLUSIVE always is.

    REPRODUCED, LARGER and PARTIAL say that the gain is above zero, and lies within, above or below
    the claim's margin. NOT REPRODUCED says that it is negligible, CONTRADICTED that it is a loss,
    DIRECTION ONLY that it is above zero.
    """
    sign = math.copysign(1, claim.reported)
    gain, reported = sign * gain, abs(claim.reported)
    low, high = reported - claim.margin, reported + claim.margin
    match verdict:
        case Verdict.REPRODUCED:
            return gain > 0 and low <= gain <= high
        case Verdict.LARGER:
            return gain > high
        case Verdict.PARTIAL:
            return 0 < gain < low
        case Verdict.NOT_REPRODUCED:
            return abs(gain) <= claim.negligible
        case Verdict.CONTRADICTED:
            return gain < 0
        case Verdict.DIRECTION_ONLY:
            return gain > 0
        case Verdict.INCONCLUSIVE:
            return True


def judge_many(
    means: Floats, sds: Floats, n: int, claim: Claim, procedure: Procedure = FIXED
) -> Codes:
    """Return the verdict that ``decide`` gives to each of many studies.

    Parameters
    ----------
    means, sds : (studies,), those of the n >= 2 differences of each study, in the claim's unit.
    """
    wide = half_width(means, sds, n, 1 - claim.alpha, procedure)
    narrow = half_width(means, sds, n, 1 - 2 * claim.alpha, procedure)
    return verdicts(
        (means - wide, means + wide),
        (means - narrow, means + narrow),
        claim.reported,
        claim.margin,
        claim.negligible,
    )


def standard_error(share: float, studies: int) -> float:
    """Return the Monte-Carlo standard error of a share of studies; above 0 for shares 0 and 1."""
    # Add one hit and one miss (Laplace): no hit in 20,000 studies does not prove a rate of 0.
    smoothed = (share * studies + 1) / (studies + 2)
    return math.sqrt(smoothed * (1 - smoothed) / studies)


def _resampled(gains: Floats, studies: int, draws: np.random.Generator) -> tuple[Floats, Floats]:
    """Return mean and sd, (studies,) each, of n of the centred gains drawn with replacement."""
    n = len(gains)
    centred = (gains - gains.mean()) * math.sqrt(n / (n - 1))
    law = law_of(centred)
    if law is not None:
        return law.studies(studies, draws)
    means, sds = np.empty(studies), np.empty(studies)
    step = max(1, DRAWS_AT_ONCE // n)
    for start in range(0, studies, step):
        part = slice(start, min(start + step, studies))
        chosen = draws.integers(n, size=(part.stop - start, n))
        sample = centred[chosen]
        means[part], sds[part] = sample.mean(1), sample.std(1, ddof=1)
        sds[part][~has_spread(sample)] = 0
    return means, sds


def _normal(n: int, sd: float, studies: int, draws: np.random.Generator) -> tuple[Floats, Floats]:
    """Return mean and sd, (studies,) each, of n normal differences around 0, drawn directly."""
    means = draws.normal(0, sd / math.sqrt(n), studies)
    return means, sd * np.sqrt(draws.chisquare(n - 1, studies) / (n - 1))


def error_rates_note(judged: JudgedClaim) -> str:
    """Return what was simulated for a judged claim's error rates, and what counts as wrong."""
    compared, judgement = judged.contrast.comparison, judged.judgement
    assert compared is not None
    assert judgement is not None
    unit = "points" if compared.unit == "points" else "%"
    few = compared.n < FEWEST
    source = "normal" if few else "drawn from those observed here (centred,"
    many = f"{EXPANDED[0].upper()}{EXPANDED[1:]}. " if compared.n > MANY else ""
    check = (
        f"{compared.n} seeds are too few to draw from: what they show of such rates is chance"
        if few
        else "So few differences know nothing of rarer ones: as a check, the same for normal "
        "differences of that standard deviation stands beside"
    )
    return (
        f"{STUDIES:,} simulated studies of {compared.n} seeds for each true gain, their "
        f"differences {source} {'(' * few}standard deviation "
        f"{compared.sd:.2f} {unit}), each judged once ({judgement.procedure}, alpha "
        f"{judged.claim.alpha:g}). {many}Wrong is a verdict whose statement is not so for the true "
        "gain: REPRODUCED outside the margin or without a gain, LARGER not above it, PARTIAL not "
        "below it or without a gain, NOT REPRODUCED for more than what is negligible, "
        "CONTRADICTED without a loss, DIRECTION ONLY without a gain; INCONCLUSIVE is never wrong. "
        f"On the edge of a band the side counts on which more are wrong. {check}."
    )
