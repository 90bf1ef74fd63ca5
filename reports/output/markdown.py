"""A report as Markdown, for where a page cannot be shown."""

from __future__ import annotations

from collections.abc import Sequence

from reports.sections.section import Section, Table


def markdown(title: str, sections: Sequence[Section], notices: Sequence[str] = ()) -> str:
    """Return the sections as Markdown, notices first; figures are the PNG files beside it."""
    parts = [f"# {title}", *(f"> **{_escaped(notice)}**" for notice in notices)]
    for section in sections:
        parts.append(f"## {section.title}")
        parts += [_escaped(paragraph) for paragraph in section.paragraphs]
        for drawing in section.drawings:
            parts.append(f"![{_escaped(drawing.alt)}]({drawing.name}.png)")
            if drawing.caption:
                parts.append(f"*{_escaped(drawing.caption)}*")
        parts += [_table(table) for table in section.tables if table.rows]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    lines = [_row(table.header), _row(["---"] * len(table.header)), *map(_row, table.rows)]
    return f"**{_escaped(table.caption)}**\n\n" + "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell if cell == "---" else _escaped(cell) for cell in cells) + " |"


def _escaped(text: str) -> str:
    for mark in "\\|*_[]<>`":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
