"""Records that no longer change, as one small file: how results are shipped.

``records.jsonl.xz`` holds one record on each line, in the order of their keys. Each has its own
hash, as the record of a file has, and is checked by it. Nothing is added to such a directory: the
command ``merge`` makes an ordinary one of it.

    python -m harness.keeping.packed results/NAME docs/results/NAME

writes a results directory so.
"""

from __future__ import annotations

import json
import lzma
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import InputError
from harness.keeping.records import Record, checked, no_collection

NAME = "records.jsonl.xz"
BESIDE = ("study.json", "looks.jsonl", "claims.jsonl")
"""What else a results directory knows that a reader of its claims must."""
LONGEST = 1 << 24
"""Letters of a line; no record has as many, and a damaged file shall not fill the memory."""


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


def is_packed(root: Path) -> bool:
    """Tell whether the records of a results directory are one file."""
    return (root / NAME).is_file()


def unpacked(root: Path) -> Iterator[Record | tuple[Path, str]]:
    """Yield each record of the file; for what cannot be trusted, where it stands and why."""
    path, number, keys = root / NAME, 0, set[str]()
    try:
        with lzma.open(path, "rt", encoding="utf-8") as file, no_collection():
            while line := file.readline(LONGEST):
                number += 1
                try:
                    record = checked(json.loads(line))
                    if record["key"] in keys:
                        raise ValueError(f"is a second record of the cell {record['key']}")
                    keys.add(record["key"])
                    yield record
                except (ValueError, RecursionError) as error:
                    yield path.with_name(f"{NAME}, line {number}"), str(error)
    except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
        yield path, f"cannot be unpacked after {number} records ({error})"


def _key(record: Record) -> str:
    return record["key"]


def _pack_directory(source: Path, target: Path) -> None:
    from harness.keeping.store import Store

    store = Store(source)
    store.study()
    records, damaged = store.read_all()
    if damaged:
        raise InputError(f"{damaged[0].path} is damaged ({damaged[0].reason}); nothing is packed")
    pack(records, target)
    for name in BESIDE:
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)


if __name__ == "__main__":
    _pack_directory(*map(Path, sys.argv[1:3]))
