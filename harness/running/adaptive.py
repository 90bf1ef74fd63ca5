"""Add seeds until every claim is decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

BLOCK = 5
"""Number of seeds that are added at a time."""

UNDECIDED = 3
"""The exit code of a run that reached its most seeds with claims undecided."""


@dataclass(frozen=True)
class Look:
    """The state of the claims after some number of seeds.

    Attributes
    ----------
    seeds : number of seeds.
    claims : number of the study's claims.
    undecided : claims that more seeds may decide.
    undecidable : claims that no number of seeds decides.
    """

    seeds: int
    claims: int
    undecided: Sequence[str]
    undecidable: Sequence[str]

    def sentence(self) -> str:
        """Return one line on the progress of the study."""
        decided = self.claims - len(self.undecided) - len(self.undecidable)
        sentence = f"{self.seeds} seeds: {decided} of {self.claims} claims decided"
        if self.undecided:
            sentence += f"; not yet {', '.join(self.undecided)}"
        if self.undecidable:
            sentence += (
                f"; no number of seeds decides {', '.join(self.undecidable)} "
                "(margin not smaller than the claim)"
            )
        return sentence


def add_seeds(
    train: Callable[[int], int],
    look: Callable[[], Look],
    say: Callable[[str], object],
    max_seeds: int,
) -> int:
    """Add seeds in blocks until no claim is undecided, or ``max_seeds`` are reached.

    Parameters
    ----------
    train : trains the missing cells of the seeds 0 to n - 1; returns an exit code.
    look : judges the claims by the present records.
    say : receives a line on the progress after each block.

    Returns
    -------
    The largest of the exit codes; ``UNDECIDED`` where they are 0 and claims are undecided.
    """
    count, exit_code, undecided = 0, 0, False
    while count < max_seeds:
        count = min(count + BLOCK, max_seeds)
        exit_code = max(exit_code, train(count))
        current = look()
        say(current.sentence())
        undecided = bool(current.undecided)
        if not undecided:
            break
    if undecided:
        say(
            f"UNDECIDED: {', '.join(current.undecided)} after {count} seeds, the most that were "
            "asked for; --max-seeds with a larger number goes on from here"
        )
    return exit_code or UNDECIDED * undecided
