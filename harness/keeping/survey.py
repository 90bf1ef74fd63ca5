"""Which records a directory holds, by its index: only new and changed records are opened."""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.keeping.index import Index, Stamps, indexable, load, save, stamp
from harness.keeping.records import (
    UNFINISHED,
    Record,
    Sharing,
    Trained,
    final_accuracy,
    no_collection,
    trained_of,
)
from harness.keeping.store import Damaged, Store


@dataclass(frozen=True)
class Survey:
    """What is on record; from ``survey``.

    Attributes
    ----------
    keys : of the intact records, in rising order.
    trained : the different settings, data and names that were trained, by their first record.
    damaged : files that cannot be trusted as records.
    failed : of the cells that failed or took too long, the hashes of their records, by key; they
        are not among the keys.
    keep_index : writes the index; for who has made sure that the directory is the right one.
    """

    keys: tuple[str, ...]
    trained: tuple[Trained, ...]
    damaged: list[Damaged]
    failed: dict[str, str]
    _kinds: NDArray[np.int64]
    _seeds: NDArray[np.int64]
    _finals: NDArray[np.float64]
    keep_index: Callable[[], None]

    def numerics(self) -> dict[str, str]:
        """Return the numerics class of every record that tells it, by key."""
        classes = [part["provenance"].get("numerics") for part in self.trained]
        return {
            key: str(classes[kind])
            for key, kind in zip(self.keys, self._kinds.tolist(), strict=True)
            if classes[kind] is not None
        }

    def cells_by_program(self) -> dict[str, int]:
        """Return how many cells of each program are on record."""
        counts = np.bincount(self._kinds, minlength=len(self.trained)).tolist()
        cells: dict[str, int] = {}
        for part, count in zip(self.trained, counts, strict=True):
            cells[part["program"]] = cells.get(part["program"], 0) + count
        return cells

    def finals(self, program: str) -> dict[int, float]:
        """Return the mean accuracies after the last task of a program's cells, by seed (fractions).

        Cells that diverged have none.
        """
        own = [kind for kind, part in enumerate(self.trained) if part["program"] == program]
        there = np.isin(self._kinds, own) & ~np.isnan(self._finals)
        return dict(zip(self._seeds[there].tolist(), self._finals[there].tolist(), strict=True))


def survey(store: Store) -> Survey:
    """Return what is on record.

    Raises
    ------
    InputError
        Where the folder of records cannot be listed.
    """
    keys, stamps = _listed(store)
    found = _Found(keys, stamps, load(store.root))
    damaged, failed = [], {}
    for place in np.flatnonzero(found.rows < 0).tolist():
        match store.read(store.path(keys[place])):
            case Damaged() as bad:
                damaged.append(bad)
            case record if record["status"] in UNFINISHED:
                failed[keys[place]] = record["sha256"]
            case record:
                found.add(place, record)
    intact = np.flatnonzero(found.intact)
    kinds, first = np.unique(found.kinds[intact], return_index=True)
    in_order = kinds[np.argsort(first)]
    new_place = np.zeros(len(found.trained), np.int64)
    new_place[in_order] = np.arange(len(in_order))
    return Survey(
        tuple(keys[place] for place in intact.tolist()),
        tuple(found.trained[kind] for kind in in_order.tolist()),
        damaged,
        failed,
        new_place[found.kinds[intact]],
        found.seeds[intact],
        found.finals[intact],
        lambda: found.save(store),
    )


def read_by_index(store: Store) -> tuple[list[Record], list[Damaged]]:
    """Return what ``Store.read_all`` returns; unchanged records are not hashed again.

    A record counts as unchanged where its file has the stamp that it had when it was found intact.

    Raises
    ------
    InputError
        Where the folder of records cannot be listed.
    """
    keys, stamps = _listed(store)
    found = _Found(keys, stamps, load(store.root))
    records: list[Record] = []
    damaged: list[Damaged] = []
    share = Sharing()
    with no_collection():
        for place, row in enumerate(found.rows.tolist()):
            path = store.path(keys[place])
            record = None if row < 0 else _unchanged(str(path), stamps[place])
            if record is None:
                match store.read(path):
                    case Damaged() as bad:
                        damaged.append(bad)
                        found.drop(place)
                        continue
                    case read:
                        record = read
                if record["status"] in UNFINISHED:
                    found.drop(place)  # every run looks for them anew
                else:
                    found.add(place, record)
            records.append(share(record))
    found.save(store)
    more, faulty = store.packed(share)
    return records + more, damaged + faulty


def _unchanged(path: str, expected: NDArray[np.int64]) -> Record | None:
    """Return the content of a record that was found intact before; None where it has changed."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - Path.open takes twice as long
            if stamp(os.fstat(file.fileno())) != tuple(expected.tolist()):
                return None
            content: Record = json.loads(file.read().decode())
            return content
    except (OSError, ValueError, RecursionError):
        return None


def _listed(store: Store) -> tuple[list[str], Stamps]:
    """Return the keys that the files of a store are named by, in rising order, and their stamps."""
    keys, flat = [], array("q")
    for entry in store.files():
        try:
            flat.extend(stamp(entry.stat()))
        except OSError:  # it is gone, or a link to nothing; who reads it will say so
            flat.extend((-1, -1, -1, -1))
        keys.append(entry.name.removesuffix(".json"))
    return keys, np.array(flat, dtype=np.int64).reshape(-1, 4)


class _Found:
    """The records of a directory as far as they are known: from the index, then from reading."""

    def __init__(self, keys: Sequence[str], stamps: Stamps, before: Index) -> None:
        self.keys, self.stamps, self._before = keys, stamps, before
        self.rows = before.find(keys, stamps)
        self.intact = self.rows >= 0
        self.kinds = np.zeros(len(keys), np.int64)
        self.seeds = np.zeros(len(keys), np.int64)
        self.finals = np.full(len(keys), np.nan)
        self.kinds[self.intact] = before.kinds[self.rows[self.intact]]
        self.seeds[self.intact] = before.seeds[self.rows[self.intact]]
        self.finals[self.intact] = before.finals[self.rows[self.intact]]
        self.trained = list(before.trained)
        self._kind_of = {repr(part): kind for kind, part in enumerate(self.trained)}

    def add(self, place: int, record: Record) -> None:
        """Take in a record that was read and found intact."""
        trained = trained_of(record)
        kind = self._kind_of.setdefault(repr(trained), len(self.trained))
        if kind == len(self.trained):
            self.trained.append(trained)
        final = final_accuracy(record["accuracy"]) if record["accuracy"] else None
        if not 0 <= record["seed"] < 2**63:  # of no study, but a file can say anything
            final = None
        else:
            self.seeds[place] = record["seed"]
        self.kinds[place], self.finals[place] = kind, np.nan if final is None else final
        self.intact[place] = True

    def drop(self, place: int) -> None:
        """Leave out a record that is not intact."""
        self.intact[place] = False

    def save(self, store: Store) -> None:
        """Write the index, where there is anything to write that it does not hold."""
        unchanged = (self.rows >= 0) & self.intact
        if unchanged.all() and len(self.keys) == len(self._before.keys):
            return
        keys = np.array([indexable(key) for key in self.keys], dtype=self._before.keys.dtype)
        kept = self.intact & (keys != b"")
        index = Index(
            keys[kept],
            self.stamps[kept],
            self.kinds[kept],
            self.seeds[kept],
            self.finals[kept],
            tuple(self.trained),
        )
        save(store.root, index)
