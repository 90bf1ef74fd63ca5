"""Adding seeds until every claim is decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

BLOCK = 5
"""Seeds that are added at a time."""


@dataclass(frozen=True)
class Look:
    """What is known after so many seeds.

    Attributes
    ----------
    seeds : how many there are.
    claims : how many the study has.
    undecided : claims that more seeds may decide.
    undecidable : claims that no number of seeds decides.
    """

    seeds: int
    claims: int
    undecided: Sequence[str]
    undecidable: Sequence[str]

    def sentence(self) -> str:
        """Return in a line how far the study has come."""
        decided = self.claims - len(self.undecided) - len(self.undecidable)
        said = f"{self.seeds} seeds: {decided} of {self.claims} claims decided"
        if self.undecided:
            said += f"; not yet {', '.join(self.undecided)}"
        if self.undecidable:
            said += (
                f"; no number of seeds decides {', '.join(self.undecidable)} "
                "(margin not smaller than the claim)"
            )
        return said


def add_seeds(
    train: Callable[[int], int],
    look: Callable[[], Look],
    say: Callable[[str], object],
    most: int,
) -> int:
    """Add seeds in blocks until no claim is undecided, or there are ``most`` of them.

    Parameters
    ----------
    train : trains the seeds 0 to n - 1, those that are missing; returns an exit code.
    look : judges the claims on what is on record.
    say : is told after each block how far it is.

    Returns
    -------
    The largest of the exit codes.
    """
    count, worst = 0, 0
    while count < most:
        count = min(count + BLOCK, most)
        worst = max(worst, train(count))
        found = look()
        say(found.sentence())
        if not found.undecided:
            break
    return worst
