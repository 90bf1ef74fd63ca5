"""Records that no longer change, as one small file: how results are shipped.

``records.jsonl.xz`` holds one record on each line, in the order of their keys. Each has its own
hash, as the record of a file has, and is checked by it. Nothing is added to such a directory: the
command ``merge`` makes an ordinary one of it.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path

from harness.keeping.records import Record, checked, no_collection

NAME = "records.jsonl.xz"
LONGEST = 1 << 24
"""Letters of a line; no record has as many, and a damaged file shall not fill the memory."""


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
