"""A claim and its data become exactly one verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reports.statistics import Interval, PairedComparison, seeds_needed, tost

UNITS = ("points", "relative %")


class Verdict(StrEnum):
    """What can be said of a reported gain."""

    REPRODUCED = "REPRODUCED"
    LARGER = "LARGER"
    PARTIAL = "PARTIAL"
    NOT_REPRODUCED = "NOT REPRODUCED"
    CONTRADICTED = "CONTRADICTED"
    INCONCLUSIVE = "INCONCLUSIVE"


SIGNS = {
    Verdict.REPRODUCED: "✓",
    Verdict.LARGER: "▲",
    Verdict.PARTIAL: "◐",
    Verdict.NOT_REPRODUCED: "✗",
    Verdict.CONTRADICTED: "▼",
    Verdict.INCONCLUSIVE: "?",
}
"""A sign beside each word, so that colour never speaks alone."""


@dataclass(frozen=True)
class Judgement:
    """A verdict and why.

    Attributes
    ----------
    verdict, reason : the label, and one sentence with the numbers that led to it.
    p_equivalent : TOST p of the mean lying within reported +- margin.
    p_negligible : TOST p of the mean lying within +- negligible.
    seeds_needed : for an inconclusive claim, seeds that would settle it at the observed mean and
        spread with 80% power; None where that cannot be told.
    """

    verdict: Verdict
    reason: str
    p_equivalent: float
    p_negligible: float
    seeds_needed: int | None


def judge(
    comparison: PairedComparison,
    *,
    reported: float,
    margin: float,
    negligible: float,
    unit: str,
    alpha: float = 0.05,
) -> Judgement:
    """Judge a reported gain by the comparison of its two programs.

    Parameters
    ----------
    comparison : of differences in ``unit``, with intervals at levels 1 - alpha and 1 - 2 alpha.
    reported : the gain, above 0.
    margin : a gain within reported +- margin counts as the same.
    negligible : a gain within +- negligible counts as none.

    Raises
    ------
    ValueError
        For a claim without a known unit, a gain or margin that is not above 0, or a negative
        negligible.
    """
    if unit not in UNITS:
        raise ValueError(f"a claim needs a unit, one of {', '.join(UNITS)}; got '{unit}'")
    if not reported > 0:
        raise ValueError("the reported gain must be above 0: swap treatment and baseline")
    if not margin > 0 or not negligible >= 0:
        raise ValueError("margin must be above 0 and negligible not below 0")
    c = comparison
    verdict = label(c.ci95, c.ci90, reported, margin, negligible)
    sd = c.sd or 0.0
    needed = None
    if verdict is Verdict.INCONCLUSIVE:
        needed = seeds_needed(
            c.mean,
            sd,
            c.n,
            lambda wide, narrow: (
                label(wide, narrow, reported, margin, negligible) is not Verdict.INCONCLUSIVE
            ),
            alpha=alpha,
        )
    return Judgement(
        verdict,
        _reason(verdict, c, reported, margin, negligible, unit, needed),
        tost(c.mean, sd, c.n, reported - margin, reported + margin),
        tost(c.mean, sd, c.n, -negligible, negligible),
        needed,
    )


def label(
    ci95: Interval, ci90: Interval, reported: float, margin: float, negligible: float
) -> Verdict:
    """Return the one verdict for a pair of intervals.

    The order matters where rules overlap. A gain shown to be negligible is none, even if it is
    surely above zero or if the claim is so small that its band reaches into the negligible: that
    rule comes first. The others exclude each other.
    """
    low, high = reported - margin, reported + margin
    if ci90.inside(-negligible, negligible):
        return Verdict.NOT_REPRODUCED
    if ci95.high < 0:
        return Verdict.CONTRADICTED
    if ci90.low > high:
        return Verdict.LARGER
    if ci95.low > 0 and ci90.inside(low, high):
        return Verdict.REPRODUCED
    if ci95.low > 0 and ci90.high < low:
        return Verdict.PARTIAL
    return Verdict.INCONCLUSIVE


def _reason(
    verdict: Verdict,
    c: PairedComparison,
    reported: float,
    margin: float,
    negligible: float,
    unit: str,
    needed: int | None,
) -> str:
    band = f"{reported - margin:.2f} to {reported + margin:.2f}"
    if c.n < 2:
        measured = f"The one pair of seeds differs by {c.mean:+.2f} {unit}"
    else:
        measured = (
            f"The mean gain is {c.mean:+.2f} {unit} (95% interval {c.ci95.low:+.2f} to "
            f"{c.ci95.high:+.2f}, {c.n} seeds)"
        )
    if needed is None:
        settle = "more seeds alone would not settle it" if c.n > 1 else "one pair shows no spread"
    else:
        settle = f"about {needed} seeds would settle it"
    means = {
        Verdict.REPRODUCED: f"above zero and within the reported {reported:.2f} ± {margin:.2f}",
        Verdict.LARGER: f"more than the reported {reported:.2f} by over the margin {margin:.2f}",
        Verdict.PARTIAL: f"above zero, but short of the reported {band}",
        Verdict.NOT_REPRODUCED: f"no more than the negligible ± {negligible:.2f}",
        Verdict.CONTRADICTED: "a loss where a gain was reported",
        Verdict.INCONCLUSIVE: f"compatible with more than one verdict; {settle}",
    }
    return f"{measured}: {means[verdict]}."
