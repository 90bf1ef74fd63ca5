"""What could test the size of a claim whose own margin cannot: a smaller margin, or more seeds."""

from __future__ import annotations

from reports.numbers.estimates import POWER, SEED_CAP, OneSample
from reports.numbers.intervals import Interval
from reports.numbers.planning import seeds_needed

SHARE = 1 / 3
"""The margin, as a share of the claim, for which a number of seeds is named."""
HALVINGS = 20  # of the margins between none and the claim; the last step is far below 1% of it


def smallest_margin(estimate: OneSample, reported: float, alpha: float) -> float | None:
    """Return the smallest margin that as many seeds of this spread could test.

    Could test: with a power of 80%, a true gain just as large as ``reported`` would be REPRODUCED.
    None where even a margin as large as the claim would be too small, and without spread.
    """
    low, high = 0.0, abs(reported)
    if _seeds(estimate, reported, high, alpha, estimate.n) is None:
        return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _seeds(estimate, reported, middle, alpha, estimate.n) is None:
            low = middle
        else:
            high = middle
    return high


def size_words(estimate: OneSample, reported: float, alpha: float) -> str:
    """Return in a sentence which margin and how many seeds could test the size of a claim."""
    margin = smallest_margin(estimate, reported, alpha)
    if margin is not None:
        return (
            f"{estimate.n} new seeds of this spread could test a margin of {margin:.2g} or more, "
            "if it is fixed before they are run"
        )
    third = abs(reported) * SHARE
    needed = _seeds(estimate, reported, third, alpha, SEED_CAP)
    if needed is None:
        return f"up to {SEED_CAP} seeds of this spread could not test a third of the claim"
    return (
        f"a margin of a third of the claim ({third:.2g}), fixed before they are run, would take "
        f"about {needed} new seeds of this spread"
    )


def _seeds(
    estimate: OneSample, reported: float, margin: float, alpha: float, most: int
) -> int | None:
    """Return how many new seeds, at most ``most``, could test a margin."""
    gain = abs(reported)
    return seeds_needed(
        gain,
        estimate.sd,
        1,
        Interval(gain - margin, gain + margin),
        superior=True,
        alpha=alpha,
        power=POWER,
        cap=most,
        procedure=estimate.procedure,
    )
