"""Which machines and which code made the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from reports.numbers.records import Record
from reports.numbers.words import counted, listed

GROUPS, NAMES, RANGES = 3, 4, 4
"""How many groups of cells, conditions of a group, and ranges of seeds a sentence names at most."""

CellCounts = tuple[tuple[str, int], ...]
"""How many cells, by name."""


@dataclass(frozen=True)
class Origin:
    """How many cells one kind of machine made.

    Machines that are equal in device, torch and numerics give results that agree bit for bit.

    Attributes
    ----------
    device, torch, numerics : "cpu" or the GPU's name, torch's version, and the fingerprint of
        their arithmetic; None where a record does not tell.
    cells : number of records.
    conditions : how many cells of each condition.
    """

    device: str | None
    torch: str | None
    numerics: str | None
    cells: int
    conditions: CellCounts


def origins(records: Sequence[Record]) -> tuple[Origin, ...]:
    """Return the machines behind the records, sorted by device, torch and numerics."""
    counts: dict[tuple[str | None, str | None, str | None], Counter[str]] = {}
    for record in records:
        provenance = record.get("provenance", {})
        origin = (provenance.get("device"), provenance.get("torch"), provenance.get("numerics"))
        counts.setdefault(origin, Counter())[record["condition"]] += 1
    return tuple(
        Origin(*origin, counts[origin].total(), tuple(sorted(counts[origin].items())))
        for origin in sorted(counts, key=str)
    )


def provenance_counts(records: Sequence[Record]) -> tuple[tuple[str, CellCounts], ...]:
    """Return, by field of the records' provenance, each value and how many cells have it."""
    # Records that were read together share one object for equal provenances.
    origins_of = [record.get("provenance", {}) for record in records]
    cells = Counter(map(id, origins_of))
    counts: dict[str, Counter[str]] = {}
    for which, provenance in {id(provenance): provenance for provenance in origins_of}.items():
        origin = dict(provenance)
        for whole in ("code", "imported"):
            parts = origin.pop(whole, {})
            origin |= {f"{whole} {part}": content for part, content in parts.items()}
        for name, value in origin.items():
            counts.setdefault(name, Counter())[str(value)] += cells[which]
    return tuple((name, tuple(sorted(counts[name].items()))) for name in sorted(counts))


@dataclass(frozen=True)
class CodeState:
    """One state of the code, and the cells that it made.

    Attributes
    ----------
    version, git_commit, git_clean : as the records tell; None where they do not. ``git_clean`` is
        False where files differed from the commit.
    seeds : by condition, in the study's order, the seeds of its cells in rising order.
    """

    version: str | None
    git_commit: str | None
    git_clean: bool | None
    seeds: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def cells(self) -> int:
        """Number of cells."""
        return sum(len(seeds) for _, seeds in self.seeds)

    @property
    def name(self) -> str:
        """The state in words: version 0.1.0 at commit 0123456789, with uncommitted changes."""
        if self.version is None and self.git_commit is None:
            return "code that no record names"
        parts = ["the code" if self.version is None else f"version {self.version}"]
        parts += [] if self.git_commit is None else [f"at commit {self.git_commit[:10]}"]
        changed = ", with uncommitted changes" if self.git_clean is False else ""
        return " ".join(parts) + changed

    @property
    def made(self) -> str:
        """Its cells in words: conditions with the same seeds together, long lists shortened."""
        groups: dict[tuple[int, ...], list[str]] = {}
        for condition, seeds in self.seeds:
            groups.setdefault(seeds, []).append(condition)
        parts = [
            f"{_shortened(names, NAMES)}, seed{'s' * (len(seeds) != 1)} {seed_ranges(seeds)}"
            for seeds, names in groups.items()
        ]
        return f"{counted(self.cells, 'cell')}: {_shortened(parts, GROUPS, '; ')}"


def code_states(records: Sequence[Record], conditions: Iterable[str]) -> tuple[CodeState, ...]:
    """Return the states of the code that made the records; the state with most cells comes first.

    Two commits are two states, whatever changed between them, because a record does not tell that.

    Parameters
    ----------
    conditions : names of the study's conditions, in its order.
    """
    names = list(conditions)
    made: dict[tuple[Any, Any, Any], dict[str, list[int]]] = {}
    for record in records:
        code = record.get("provenance", {}).get("code") or {}
        state = (code.get("version"), code.get("git_commit"), code.get("git_clean"))
        made.setdefault(state, {}).setdefault(record["condition"], []).append(record["seed"])
    states = [
        CodeState(
            *state,
            tuple(
                (name, tuple(sorted(by_condition[name]))) for name in names if name in by_condition
            ),
        )
        for state, by_condition in made.items()
    ]
    return tuple(sorted(states, key=lambda state: (-state.cells, state.name, str(state.git_clean))))


def code_notice(states: Sequence[CodeState]) -> str | None:
    """Return what a reader must know of the code that made the records.

    None where a single state made all of them, without known uncommitted changes, and where no
    record names its code.
    """
    dirty = any(state.git_clean is False for state in states)
    if len(states) > 1:
        made = "; ".join(f"{state.name} ({state.made})" for state in states)
        notice = (
            f"The records were made by {len(states)} states of the code, so that cells may differ "
            f"by it and not by what they compare: {made}."
        )
    elif dirty:
        notice = f"All records were made by {states[0].name}."
    else:
        return None
    return notice + (" What was changed and not committed is on no record." if dirty else "")


def mixed_seeds(records: Sequence[Record]) -> dict[int, tuple[str, ...]]:
    """Return the seeds whose cells come from several numerics classes, and these.

    A class is everything that rounds alike; between classes results agree statistically, not in
    bits. A run on a cluster trains all conditions of a seed in one class; seeds that were begun on
    one machine and continued on another are mixed.
    """
    classes: dict[int, set[str]] = {}
    for record in records:
        numerics = record.get("provenance", {}).get("numerics")
        if numerics is not None:
            classes.setdefault(record["seed"], set()).add(str(numerics))
    return {seed: tuple(sorted(of)) for seed, of in sorted(classes.items()) if len(of) > 1}


def seed_ranges(seeds: Sequence[int]) -> str:
    """Return rising seeds as ranges: 0-4, 7."""
    ranges: list[list[int]] = [[seed, seed] for seed in seeds[:1]]
    for before, seed in pairwise(seeds):
        if seed == before + 1:
            ranges[-1][1] = seed
        else:
            ranges.append([seed, seed])
    spans = [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
    return _shortened(spans, RANGES)


def _shortened(names: Sequence[str], most: int, between: str = ", ") -> str:
    more = len(names) - most
    if more > 0:
        return between.join([*names[:most], f"and {more} more"])
    return between.join(names) if between != ", " else listed(names)
