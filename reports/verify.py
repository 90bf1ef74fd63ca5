"""Do ``verdict.json`` and ``summary.csv`` still say what the records say?"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from reports.analysis import Analysis, verdict_document


def differences(analysis: Analysis, summary: str, folder: Path) -> list[str]:
    """Return the names of what differs between the files and what the records give.

    Such as ``verdict.json: claims[0].estimate`` or ``summary.csv: [1].final_accuracy``, rows
    counted from 0; a file alone where it is missing or cannot be read. ``summary`` is what
    ``reports.summary.summary_text`` gives for the records.
    """
    # Through text, so that tuples and lists compare equal; floats survive it exactly.
    expected = json.loads(json.dumps(verdict_document(analysis)))
    found = []
    try:
        written = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
        found += [f"verdict.json: {name}" for name in _compare(written, expected, "")]
    except (OSError, ValueError):
        found.append("verdict.json")
    try:
        table = (folder / "summary.csv").read_text(encoding="utf-8")
        names = _compare(_rows(table), _rows(summary), "")
        found += [f"summary.csv: {name}" for name in names]
    except (OSError, ValueError):
        found.append("summary.csv")
    return found


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def _compare(written: Any, expected: Any, name: str) -> list[str]:
    if isinstance(written, dict) and isinstance(expected, dict):
        missing = object()
        return [
            found
            for key in sorted(written.keys() | expected.keys())
            for found in _compare(
                written.get(key, missing), expected.get(key, missing), f"{name}.{key}".lstrip(".")
            )
        ]
    if isinstance(written, list) and isinstance(expected, list) and len(written) == len(expected):
        pairs = enumerate(zip(written, expected, strict=True))
        return [found for i, (w, e) in pairs for found in _compare(w, e, f"{name}[{i}]")]
    same = type(written) is type(expected) and written == expected
    return [] if same else [name]
