"""Which state of the program writes a report, so that another one knows what it can compare."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

REPORTS = Path(__file__).resolve().parent.parent
SOURCES = (".py", ".j2", ".css")


@cache
def report_program() -> str:
    """Return a hash of the sources that turn records into a report."""
    digest = hashlib.sha256()
    for path in sorted(REPORTS.rglob("*")):
        if path.suffix in SOURCES:
            digest.update(path.relative_to(REPORTS).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def written_by(folder: Path) -> str | None:
    """Return the hash that a report names; None before version 0.3, and where it cannot be read."""
    try:
        document = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    program = document.get("program") if isinstance(document, dict) else None
    return program if isinstance(program, str) else None
