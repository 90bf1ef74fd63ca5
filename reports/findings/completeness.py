"""How complete a study is: which cells are done, diverged, failed, or not yet run.

Four words that are never one: a *diverged* run ended without an accuracy, a *failed* one (or one
that *timed out*) never ended, one that is *not yet run* may still come, and a seed is *dropped*
where every run is done and the number that a claim is about is not there all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.numbers.records import Record
from reports.numbers.words import counted

DONE, DIVERGED, DROPPED, NOT_RUN = "done", "diverged", "dropped", "not yet run"
NOT_IMPORTED = "not in the table"
"""What becomes of an imported result that is not there: nothing will run it."""


@dataclass(frozen=True)
class Completeness:
    """How many of some seeds or cells are done, and what became of the others.

    Attributes
    ----------
    done : how many are done.
    of : how many there should be: those that the study asks for, and others with some record.
    others : what became of each of the others, and how many: "diverged", "failed", "timed out",
        "dropped", "not yet run", and any word that a record has for its status.
    preliminary : whether what the study asks for is not yet run.
    """

    done: int
    of: int
    others: tuple[tuple[str, int], ...]
    preliminary: bool

    def words(self, what: str = "seed") -> str:
        """Return "4 of 10 seeds"."""
        return f"{self.done} of {counted(self.of, what)}"

    @property
    def rest(self) -> str:
        """What became of the others: "1 diverged, 5 not yet run"; empty where all are done."""
        return ", ".join(f"{number} {word}" for word, number in self.others)

    @property
    def short(self) -> str:
        """The number that is done, and what became of the others: "4 (6 not yet run)"."""
        return f"{self.done} ({self.rest})" if self.others else str(self.done)


def of_seeds(
    records_by_cell: Mapping[tuple[str, int], Record],
    conditions: Sequence[str],
    seeds: Sequence[int],
    asked: Sequence[int],
    dropped: Sequence[int] = (),
    *,
    absent: str = NOT_RUN,
) -> Completeness:
    """Return how complete the seeds of some conditions are, each seed with all of them.

    Parameters
    ----------
    seeds, asked : those of the report, and those of them that the study asks for.
    dropped : seeds that a claim leaves out, for whatever reason.
    absent : what a seed is that some condition has no record of.
    """
    asked_for = set(asked)
    found: Counter[str] = Counter()
    preliminary = False
    for seed in seeds:
        statuses = [
            None if record is None else record["status"]
            for record in (records_by_cell.get((name, seed)) for name in conditions)
        ]
        if seed not in asked_for and not any(statuses):
            continue
        word = _worst(statuses)
        if word == DONE and seed in dropped:
            word = DROPPED
        preliminary = preliminary or (word == NOT_RUN and seed in asked_for)
        found[absent if word == NOT_RUN else word] += 1
    return _of(found, preliminary)


def of_cells(
    records_by_cell: Mapping[tuple[str, int], Record],
    conditions: Sequence[str],
    asked: Sequence[int],
) -> Completeness:
    """Return how complete the cells are: all that the study asks for, and others on record."""
    wanted = {(name, seed) for name in conditions for seed in asked}
    there = {cell for cell in records_by_cell if cell[0] in conditions}
    found = Counter(records_by_cell[cell]["status"] for cell in there)
    missing = len(wanted - there)
    if missing:
        found[NOT_RUN] += missing
    return _of(found, missing > 0)


def _worst(statuses: Sequence[str | None]) -> str:
    """Return what keeps a seed out: a run that failed before one that diverged or is missing."""
    ended = [status for status in statuses if status not in (None, DONE, DIVERGED)]
    if ended:
        return str(ended[0])
    if DIVERGED in statuses:
        return DIVERGED
    return NOT_RUN if None in statuses else DONE


def _of(found: Mapping[str, int], preliminary: bool) -> Completeness:
    order = (DIVERGED, *sorted(found.keys() - {DIVERGED, DONE, DROPPED, NOT_RUN}), DROPPED, NOT_RUN)
    others = tuple((word, found[word]) for word in order if found.get(word))
    done = found.get(DONE, 0)
    return Completeness(done, done + sum(n for _, n in others), others, preliminary)
