"""The index of a results directory: what a run must know of its records without opening them.

``index.npz`` holds for each intact record its key, the stamp of its file (size, time of the last
change, inode), what was trained (once for all records of a condition), the seed and the final
accuracy. A record is new or changed where its stamp is not the one in the index, and then it is
read.

The index is derived and disposable. Deleted, damaged, of another version or of another directory,
it is made anew; where it cannot be written, commands do without it. It never stands for the
content of a record: ``verify``, ``check``, ``accept`` and ``merge`` read and hash every one.

It is one file of plain arrays, replaced as a whole, rather than a database: two drivers on one
directory then need no locks, which network file systems do not have, and at a million records it
is read and compared within seconds. The archive's own checksums tell a damaged file.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.keeping.records import Trained

VERSION = 3
NAME = "index.npz"
KEY_DIGITS = 32
SETTLED_NS = 2_000_000_000
"""A record that changed less than so long ago is not indexed yet: its next change could fall into
the same tick of the file system's clock and leave the same stamp."""
LEFT_BEHIND_S = 3600.0
"""A temporary file that is older than this belongs to a process that was killed."""

Stamps = NDArray[np.int64]
"""(n, 4): size, time of the last change of the content and of the file, inode."""


def stamp(found: os.stat_result) -> tuple[int, int, int, int]:
    """Return what tells that a file is the same and unchanged; times in nanoseconds.

    The time of the last change of the file (ctime) cannot be set back, unlike that of the content.
    """
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & (2**63 - 1)


@dataclass(frozen=True)
class Index:
    """The intact records of a directory, in rising order of their keys.

    Attributes
    ----------
    keys : (n,) of 32 hexadecimal digits each.
    stamps : of the files; see ``stamp``.
    kinds : (n,) place in ``trained`` of what each record says that was trained.
    seeds : (n,).
    finals : (n,) mean accuracy after the last task, a fraction; NaN after divergence.
    """

    keys: NDArray[np.bytes_]
    stamps: Stamps
    kinds: NDArray[np.int64]
    seeds: NDArray[np.int64]
    finals: NDArray[np.float64]
    trained: tuple[Trained, ...]

    def find(self, keys: Sequence[str], stamps: Stamps) -> NDArray[np.int64]:
        """Return the row of each file, -1 where it is not in the index or has changed since."""
        if not len(self.keys) or not len(keys):
            return np.full(len(keys), -1)
        wanted = np.array([indexable(key) for key in keys], dtype=self.keys.dtype)
        rows = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        same = (self.keys[rows] == wanted) & (self.stamps[rows] == stamps).all(axis=1)
        return np.where(same, rows, -1)


def indexable(key: str) -> bytes:
    """Return a key as the index holds it; empty, which no record has, where it is no hash."""
    return key.encode() if len(key) == KEY_DIGITS and key.isascii() else b""


def empty() -> Index:
    """Return an index of no records."""
    keys = np.empty(0, f"S{KEY_DIGITS}")
    numbers = np.empty(0, np.int64)
    return Index(keys, np.empty((0, 4), np.int64), numbers, numbers, np.empty(0), ())


def load(root: Path) -> Index:
    """Return the index of a results directory; an empty one where there is none to be used."""
    try:
        with np.load(root / NAME, allow_pickle=False) as file:
            header = json.loads(file["header"].tobytes())
            index = Index(
                file["keys"],
                file["stamps"],
                file["kinds"],
                file["seeds"],
                file["finals"],
                tuple(header["trained"]),
            )
        return index if header["version"] == VERSION and _fits(index) else empty()
    except Exception:  # flipped bytes raise anything, from struct.error to NotImplementedError
        return empty()


def _fits(index: Index) -> bool:
    count, like = len(index.keys), empty()
    arrays = zip(
        (index.keys, index.stamps, index.kinds, index.seeds, index.finals),
        (like.keys, like.stamps, like.kinds, like.seeds, like.finals),
        strict=True,
    )
    return (
        all(a.dtype == b.dtype and a.shape == (count, *b.shape[1:]) for a, b in arrays)
        and bool((index.keys[1:] > index.keys[:-1]).all())
        and bool(((index.kinds >= 0) & (index.kinds < len(index.trained))).all())
        and all(part.keys() == Trained.__required_keys__ for part in index.trained)
    )


def save(root: Path, index: Index) -> None:
    """Replace the index of a results directory; nothing happens where it cannot be written."""
    newest = index.stamps[:, 1:3].max(axis=1, initial=0)
    settled = newest < time.time_ns() - SETTLED_NS
    used, kinds = np.unique(index.kinds[settled], return_inverse=True)
    trained = [index.trained[kind] for kind in used.tolist()]
    header = json.dumps({"version": VERSION, "trained": trained}).encode()
    content: dict[str, Any] = {
        "header": np.frombuffer(header, np.uint8),
        "keys": index.keys[settled],
        "stamps": index.stamps[settled],
        "kinds": kinds.astype(np.int64),
        "seeds": index.seeds[settled],
        "finals": index.finals[settled],
    }
    temporary = root / f".{NAME}.{uuid.uuid4().hex}.tmp"
    with suppress(OSError):
        _remove_left_behind(root)
        try:
            with temporary.open("wb") as file:
                np.savez(file, **content)
            temporary.replace(root / NAME)
        finally:
            temporary.unlink(missing_ok=True)


def _remove_left_behind(root: Path) -> None:
    for path in root.glob(f".{NAME}.*.tmp"):
        if time.time() - path.stat().st_mtime > LEFT_BEHIND_S:
            path.unlink(missing_ok=True)
