"""The choice of seeds of a study or a run, as a person writes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

MOST_SEEDS = 1_000_000
MOST_SHOWN = 40
"""Number of characters of a choice of seeds that an error repeats."""


def parse_seeds(text: object) -> object:
    """Read seeds: a number n for the seeds 0 to n-1, or a list such as "0-9,20".

    A value that is neither a number nor a text is returned unchanged.

    Raises
    ------
    ValueError
        Where the text is neither form, names a seed twice, or is out of range.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str):
        return text
    shown = text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."
    try:
        if text.strip().isdecimal():
            spans = [(0, int(text) - 1)]
        else:
            spans = [_span(part.strip()) for part in text.split(",")]
    except ValueError:
        raise ValueError(
            f"'{shown}' is no choice of seeds; write a number (10: the seeds 0 to 9) or a list "
            "(0-9,20)"
        ) from None
    count = sum(last - first + 1 for first, last in spans)
    if count == 0:
        raise ValueError(f"'{shown}' chooses no seed")
    if count > MOST_SEEDS or max(last for _, last in spans) >= 2**63:
        raise ValueError(f"'{shown}' is out of range (at most a million seeds, below 2^63)")
    return distinct([seed for first, last in spans for seed in range(first, last + 1)])


def _span(part: str) -> tuple[int, int]:
    """Read "7" as (7, 7) and "2-5" as (2, 5)."""
    first, dash, last = part.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise ValueError
    span = int(first), int(last if dash else first)
    if span[0] > span[1]:
        raise ValueError
    return span


def distinct(seeds: Sequence[int]) -> tuple[int, ...]:
    """Return the seeds; raise ValueError where a seed appears twice."""
    repeated = [seed for seed, times in Counter(seeds).items() if times > 1]
    if repeated:
        raise ValueError(f"seed {repeated[0]} is there twice; name each seed once")
    return tuple(seeds)
