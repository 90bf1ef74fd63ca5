"""Write into the register of claims what a study says, and what other directories know of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from harness.keeping.register import (
    FOUND,
    LOST,
    REGISTER,
    Entry,
    append,
    claims_of,
    conditions_of,
    fingerprint,
    read_register,
    said_of,
)
from harness.keeping.store import Store
from harness.keeping.survey import survey
from harness.studies.condition import digest
from harness.studies.study import Study


def enter(store: Store, study: Study, checksum: str, *, came_from: Path | None = None) -> None:
    """Write down every claim of a study that the register does not have as the study says it.

    Nothing is written where there is nothing new.

    Parameters
    ----------
    checksum : of the data that the study is trained on.
    came_from : the results directory that the study was read from; what its register knows of
        these claims is known here then too.

    Raises
    ------
    InputError
        Where the register is damaged or cannot be written.
    """
    known = read_register(store.root)
    if came_from is not None and came_from.resolve() != store.root.resolve():
        known += add_from(came_from, store.root)
    before = store.study_so_far()
    if not _news(known, study, before):
        return
    cells = _cells(store, study if before is None else before, checksum)
    cells |= _cells(store, study, checksum)
    if before is not None and not any(entry.origin is None for entry in known):
        how = LOST if store.had_register() else FOUND
        found = [entry for entry in _first_seen(before, cells, how) if sum(entry.cells.values())]
        if known:  # what came from elsewhere is known better
            found = [one for one in found if one.place not in {entry.place for entry in known}]
        append(store.root, found)
        known += found
    append(store.root, list(_new(known, study, before, cells)))


def add_from(directory: Path, root: Path) -> list[Entry]:
    """Add to the register of ``root`` what the one of another directory knows; returns that.

    Raises
    ------
    InputError
        Where a register is damaged, or this one cannot be written.
    """
    theirs = read_register(directory)
    own = [entry for entry in theirs if entry.origin is None]
    store = Store(directory)
    study = store.study_so_far()
    if not theirs and study is not None:
        counts = _counts_by_name(store)
        how = LOST if store.had_register() else FOUND
        have = {(entry.place, entry.how, str(entry.said)) for entry in read_register(root)}
        own = [
            entry
            for entry in _first_seen(study, counts, how)
            if sum(entry.cells.values()) and (entry.place, how, str(entry.said)) not in have
        ]
    name = digest([asdict(entry) for entry in own[:1]])[:16] if own else None
    brought = [
        Entry(**asdict(entry) | {"origin": entry.origin or name})
        for entry in [*own, *(entry for entry in theirs if entry.origin is not None)]
    ]
    present = read_register(root)
    mine = [entry for entry in present if entry.origin is None][:1]
    # Part of what it knows may have come from here.
    mine_elsewhere = digest([asdict(mine[0])])[:16] if mine else ""
    new = [entry for entry in brought if entry not in present and entry.origin != mine_elsewhere]
    append(root, new)
    return new


def restore(root: Path, entries: Sequence[Entry]) -> None:
    """Write these lines where the register is gone, as in a directory that somebody removed."""
    if not (root / REGISTER).exists():
        append(root, entries)


def _news(known: Sequence[Entry], study: Study, before: Study | None) -> bool:
    return bool(list(_new(known, study, before, {})))


def _new(
    known: Sequence[Entry], study: Study, before: Study | None, cells: Mapping[str, int]
) -> Iterator[Entry]:
    """Yield an entry for every claim that is new, changed or gone since its last one."""
    last = {entry.place: entry for entry in known}
    now = claims_of(study)
    time = _now()
    for place, one in now.items():
        said, entry = said_of(one), last.get(place)
        if entry is None or entry.said != said:
            there = _of(conditions_of(one, study), cells)
            yield Entry(time, *place, fingerprint(said), said, there)
    for place, entry in last.items():
        if place not in now and entry.said is not None:
            old = entry.version
            names = () if old is None else conditions_of(old, before or study)
            yield Entry(time, *place, None, None, _of(names, cells))


def _first_seen(study: Study, cells: Mapping[str, int], how: str) -> Iterator[Entry]:
    time = _now()
    for place, one in claims_of(study).items():
        said = said_of(one)
        there = _of(conditions_of(one, study), cells)
        yield Entry(time, *place, fingerprint(said), said, there, how)


def _of(names: Sequence[str], cells: Mapping[str, int]) -> dict[str, int]:
    return {name: cells.get(name, 0) for name in names}


def _cells(store: Store, study: Study, checksum: str) -> dict[str, int]:
    """Return how many cells of each condition are on record at this moment."""
    by_program = survey(store).cells_by_program()
    return {
        name: by_program.get(condition.program(checksum), 0)
        for name, condition in study.conditions.items()
    }


def _counts_by_name(store: Store) -> dict[str, int]:
    found = survey(store)
    by_program = found.cells_by_program()
    return {part["condition"]: by_program[part["program"]] for part in found.trained}


def _now() -> str:
    # So fine that the lines of two registers are never the same by chance.
    return datetime.now(UTC).isoformat(timespec="microseconds")
