"""A report as Markdown, for places that cannot show a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from reports.output.legible import visible
from reports.sections.section import Section, Table

MARKS = re.compile(r"[\\|*_\[\]<>`&~$#]")
"""Characters with a meaning in the middle of a line, some only on GitHub."""

STARTS = re.compile(r"(-+|\+|=+|\d+[.)])(?=\s|$)")
"""The start of a line that makes it a list, a rule or a heading."""


def markdown(title: str, sections: Sequence[Section], notices: Sequence[str] = ()) -> str:
    """Return the sections as Markdown, notices first; its figures are PNG files in its folder."""
    parts = [f"# {_escaped(title)}", *(f"> **{_escaped(notice)}**" for notice in notices)]
    for section in sections:
        parts.append(f"## {_escaped(section.title)}")
        parts += [_line(paragraph) for paragraph in section.paragraphs]
        for drawing in section.drawings:
            parts.append(f"![{_escaped(drawing.alt)}]({drawing.name}.png)")
            if drawing.caption:
                parts.append(f"*{_escaped(drawing.caption)}*")
        parts += [_table(table) for table in section.tables if table.rows]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    header = [_row(map(_escaped, table.header)), _row(["---"] * len(table.header))]
    rows = [_row(map(_escaped, row)) for row in table.rows]
    return f"**{_escaped(table.caption)}**\n\n" + "\n".join(header + rows)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _line(text: str) -> str:
    """Return a text escaped for the start of a line."""
    escaped = _escaped(text)
    start = STARTS.match(escaped)
    if start is None:
        return escaped
    sign = start.end(1) - 1  # of a list's number, only the point is escaped
    return f"{escaped[:sign]}\\{escaped[sign:]}"


def _escaped(text: str) -> str:
    return " ".join(MARKS.sub(r"\\\g<0>", visible(text)).split())
