"""The ledger of looks: on which seeds of which two conditions a directory's claims were judged.

``looks.jsonl`` has one line for each look, the first one first, and is only added to. A line is
synced before anything of its look is shown. A line that a killed process left unfinished was never
shown, so lines that cannot be read are passed over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

LEDGER = "looks.jsonl"

Looked = tuple[str, str, tuple[int, ...]]
"""A treatment, a baseline, and the seeds that were done for both."""


def read_looks(directory: Path) -> list[Looked]:
    """Return the looks that the ledger of a results directory holds; none where it has no ledger.

    A ledger that cannot be read counts as none.
    """
    try:
        text = (directory / LEDGER).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [look for look in map(_look, text.splitlines()) if look is not None]


def add_looks(directory: Path, looks: Sequence[Looked]) -> None:
    """Add the looks that are new to the ledger, synced.

    Raises
    ------
    OSError
        Where the directory cannot be written.
    """
    known = {
        (treatment, baseline, frozenset(seeds))
        for treatment, baseline, seeds in read_looks(directory)
    }
    date = datetime.now(UTC).isoformat(timespec="seconds")
    lines = [
        json.dumps(
            {"date": date, "treatment": look[0], "baseline": look[1], "seeds": list(look[2])}
        )
        for look in looks
        if (look[0], look[1], frozenset(look[2])) not in known
    ]
    if not lines:
        return
    with (directory / LEDGER).open("ab") as file:
        # After a line that was left unfinished the new ones must not go on where it ends.
        start = "" if _ends_a_line(directory / LEDGER) else "\n"
        file.write((start + "".join(f"{line}\n" for line in lines)).encode())
        file.flush()
        os.fsync(file.fileno())


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _look(line: str) -> Looked | None:
    try:
        content = json.loads(line)
        treatment, baseline, seeds = (content[name] for name in ("treatment", "baseline", "seeds"))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    valid = isinstance(treatment, str) and isinstance(baseline, str) and isinstance(seeds, list)
    if not valid or not all(type(seed) is int for seed in seeds):
        return None
    return treatment, baseline, tuple(seeds)
