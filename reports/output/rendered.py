"""Is every file of a report, to the byte, the one that its records give?"""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path

from reports.findings.analysis import Analysis
from reports.numbers.study import Study
from reports.output.page import FIGURES, page_around, write_report
from reports.output.redrawn import drawn_by_another, fault_of_figure

BEFORE, SHOWN = 20, 60
"""How many letters of a line are shown before the place where it differs, and in all."""
BY_VALUE = ".parquet"
"""Compared value by value only: their bytes depend on the version of the library that writes."""


def unlike_rendered(
    analysis: Analysis,
    study: Study,
    folder: Path,
    named: Collection[str] = (),
    *,
    lean: bool = False,
) -> tuple[list[str], list[str]]:
    """Render a report again, and compare each of its files with the one in ``folder``.

    Figures that another version of Matplotlib drew have the tolerance of ``redrawn``; the page must
    hold the figures as they lie in the folder. Files that are missing or foreign are not named.

    Parameters
    ----------
    named : files that are known to differ, and are left out.
    lean : whether the report has no files of figures.

    Returns
    -------
    What differs, one entry a file, and what a reader must know of how it was compared.
    """
    faults: list[str] = []
    versions: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        again = write_report(analysis, study, Path(scratch) / "report", lean=lean).parent
        for drawn in sorted(again.iterdir(), key=lambda path: (path.suffix in FIGURES, path.name)):
            written = folder / drawn.name
            if drawn.name in named or drawn.suffix == BY_VALUE or not written.is_file():
                continue
            if drawn.suffix in FIGURES:
                fault = fault_of_figure(written, drawn)
                version = drawn_by_another(written) if drawn.suffix == ".svg" else None
                if version is not None:
                    versions.setdefault(version, []).append(drawn.stem)
            elif drawn.suffix == ".html" and not lean:
                fault = _first_difference(
                    written, page_around(analysis, study, folder, again).encode()
                )
            else:
                fault = _first_difference(written, drawn.read_bytes())
            if fault is not None:
                faults.append(f"{drawn.name}: {fault}")
    notes = [
        f"{len(figures)} figures were drawn by Matplotlib {version}: their marks were compared "
        "within a point, their letters were not"
        for version, figures in sorted(versions.items())
    ]
    return faults, notes


def _first_difference(written: Path, expected: bytes) -> str | None:
    """Return the first line of a text in which it differs; None where it is the same bytes."""
    found = written.read_bytes()
    if found == expected:
        return None
    lines, right = found.split(b"\n"), expected.split(b"\n")
    pairs = enumerate(zip(lines, right, strict=False), start=1)
    at, (was, now) = next(
        ((number, pair) for number, pair in pairs if pair[0] != pair[1]), (0, (b"", b""))
    )
    if not at:
        return f"{len(lines)} lines, and the records give {len(right)}"
    same = next((i for i, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), len(was))
    start = max(0, min(same, len(now)) - BEFORE)
    shown, expected_text = (
        part[start : start + SHOWN].decode("utf-8", "backslashreplace") for part in (was, now)
    )
    return f"line {at} has {shown!r}, the records give {expected_text!r}"
