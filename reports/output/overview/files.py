"""The two files over several results directories, ``index.html`` and ``overview.json``."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from reports.findings.overview import Overview, Row, scale_of, scales
from reports.output.encoding import as_json
from reports.output.overview.bars import bar
from reports.output.page import environment
from reports.output.program import report_program
from reports.sections import overview as words

PAGE, DOCUMENT = "index.html", "overview.json"
VALUES = ("directory", "id", "verdict", "estimate", "ci", "as_expected", "complete")
"""What is compared of each claim where another state of the program wrote the overview."""
Values = list[dict[str, Any]]


def overview_document(overview: Overview) -> dict[str, Any]:
    """Return what ``overview.json`` holds.

    headline, says : the heading and the paragraph of the page (str). program : hash of the sources
    that wrote it. directories : list of ``reports.findings.overview.Told``, each with ``rows``, its
    claims. left_out : list of ``reports.findings.overview.LeftOut``. An interval is
    ``[low, high]``, an infinite end null.
    """
    document: dict[str, Any] = {
        "headline": words.title(overview),
        "program": report_program(),
        "says": words.paragraph(overview),
        **as_json(overview),
    }
    return document


def write_overview(overview: Overview, folder: Path) -> Path:
    """Write both files beside the results directories, and return the path of the page.

    Each is replaced as a whole; the same records give the same bytes.

    Raises
    ------
    OSError
        Where the folder cannot be written; a file of it that is there stays whole.
    """
    for name, text in overview_files(overview).items():
        temporary = folder / f".{name}.{uuid.uuid4().hex}.tmp"
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(folder / name)
        finally:
            temporary.unlink(missing_ok=True)
    return folder / PAGE


def overview_files(overview: Overview) -> dict[str, str]:
    """Return the contents of both files by their names."""
    document = json.dumps(overview_document(overview), indent=1, allow_nan=False) + "\n"
    axes = scales([*overview.claims, *overview.controls])

    def draw(row: Row) -> str:
        return bar(row, axes.get(scale_of(row)))

    page = (
        environment()
        .get_template("overview.html.j2")
        .render(
            title=words.title(overview),
            tone=words.tone(overview),
            says=words.paragraph(overview),
            overview=overview,
            pages={one.directory: one.page for one in overview.directories},
            bar=draw,
            gain=words.gain_words,
            ends=words.interval_words,
            control=words.control_words,
            cause=words.cause_words,
            name_of=words.name_of,
        )
    )
    return {PAGE: page, DOCUMENT: document}


def overview_differs(overview: Overview, folder: Path) -> tuple[list[str], bool]:
    """Return what differs in the two files of a folder, and whether their words were compared.

    Of files that another state of the program wrote, verdicts and numbers alone are compared.
    """
    expected = overview_files(overview)
    try:
        text = (folder / DOCUMENT).read_text(encoding="utf-8")
        written = json.loads(text)
        program = written["program"]
        was, now = _values(written), _values(json.loads(expected[DOCUMENT]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        there = (folder / DOCUMENT).exists()
        return [f"{DOCUMENT}: {'no overview' if there else 'missing'}"], True
    if program != report_program():
        return ([] if was == now else _unlike(was, now)), False
    differing = _unlike(was, now)
    if not differing and text != expected[DOCUMENT]:
        differing = [f"{DOCUMENT}: its words are not those that the records give"]
    return differing + _page_differs(folder / PAGE, expected[PAGE]), True


def _page_differs(path: Path, expected: str) -> list[str]:
    try:
        same = path.read_bytes() == expected.encode()
    except OSError:
        return [f"{PAGE}: missing"]
    return [] if same else [f"{PAGE}: not the page that the records give"]


def _values(document: dict[str, Any]) -> Values:
    return [
        {name: row[name] for name in VALUES}
        for one in document["directories"]
        for row in one["rows"]
    ]


def _unlike(was: Values, now: Values) -> list[str]:
    old, new = ({(row["directory"], row["id"]): row for row in rows} for rows in (was, now))
    return [
        f"{DOCUMENT}: the claim {name} of {directory}"
        for directory, name in sorted(old.keys() | new.keys())
        if old.get((directory, name)) != new.get((directory, name))
    ]
