"""Write a results directory as one that is shipped; see ``harness.keeping.packed``.

This does it: ``python -m harness.keeping.packing results/NAME docs/results/NAME``
"""

from __future__ import annotations

import json
import lzma
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import InputError
from harness.keeping.packed import NAME
from harness.keeping.records import Record
from harness.keeping.store import Store

BESIDE = ("study.json", "looks.jsonl", "claims.jsonl")
"""What else a results directory knows that a reader of its claims must."""


def pack(records: Sequence[Record], root: Path) -> Path:
    """Write records as one file and return its path; the same records give the same bytes.

    Raises
    ------
    OSError
        Where the directory cannot be written.
    """
    lines = [
        json.dumps(r, separators=(",", ":"), allow_nan=False) for r in sorted(records, key=_key)
    ]
    text = "".join(f"{line}\n" for line in lines)
    root.mkdir(parents=True, exist_ok=True)
    (root / NAME).write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    return root / NAME


def pack_directory(source: Path, target: Path) -> None:
    """Write a results directory as one that is shipped; InputError where a record is damaged."""
    store = Store(source)
    store.study()
    records, damaged = store.read_all()
    if damaged:
        raise InputError(f"{damaged[0].path} is damaged ({damaged[0].reason}); nothing is packed")
    pack(records, target)
    for name in BESIDE:
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)


def _key(record: Record) -> str:
    return record["key"]


if __name__ == "__main__":
    pack_directory(*map(Path, sys.argv[1:3]))
