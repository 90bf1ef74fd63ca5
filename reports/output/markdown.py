"""A report as Markdown, for places that cannot show a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from reports.output.legible import visible
from reports.sections.number_lines import NumberLine
from reports.sections.rich import Code, Link, Part, Rich, Strong, parts
from reports.sections.section import Fact, Quote, Section, Table

MARKS = re.compile(r"[\\|*_\[\]<>`&~$#]")
"""Characters with a meaning in the middle of a line, some only on GitHub."""

STARTS = re.compile(r"(-+|\+|=+|\d+[.)])(?=\s|$)")
"""The start of a line that makes it a list, a rule or a heading."""


def markdown(title: str, sections: Sequence[Section], notices: Sequence[str] = ()) -> str:
    """Return the sections as Markdown, notices first; its figures are PNG files in its folder."""
    blocks = [f"# {_escaped(title)}", *(f"> **{_escaped(notice)}**" for notice in notices)]
    for section in sections:
        blocks.append(f"## {_escaped(section.title)}")
        blocks += [_quote(quote) for quote in section.quotes]
        blocks += [_line(paragraph) for paragraph in section.paragraphs]
        blocks += [_start(_rich(finding)) for finding in section.findings]
        blocks += [_rich((link,)) for link in section.links]
        for command in section.commands:
            blocks += [f"{_line(command.says)}:", _code(command.line)]
        if section.lines:
            blocks.append(_lines(section.lines))
        if section.facts:
            blocks.append(f"### {_escaped(section.about)}")
        blocks += [_fact(fact) for fact in section.facts]
        for drawing in section.drawings:
            blocks.append(f"![{_escaped(drawing.alt)}]({drawing.name}.png)")
            if drawing.caption:
                blocks.append(f"*{_escaped(drawing.caption)}*")
        blocks += [_table(table) for table in section.tables if table.rows]
    return "\n\n".join(blocks) + "\n"


def _quote(quote: Quote) -> str:
    said = f"> Claim: “{_escaped(quote.words)}” ({_escaped(quote.by)})"
    return f"{said}\n>\n> {_escaped(quote.note)}." if quote.note else said


def _fact(fact: Fact) -> str:
    lines = "\n".join(f"- {_start(_rich(line))}" for line in fact.lines)
    copied = f"\n\n{_code(fact.copied)}" if fact.copied else ""
    return f"**{_escaped(fact.term)}**\n\n{lines}{copied}"


def _lines(lines: Sequence[NumberLine]) -> str:
    header = [_row(["verdict", "takes", "fell"]), _row(["---"] * 3)]
    rows = [
        _row([_escaped(line.word), _escaped(line.needs), "yes" if line.fell else ""])
        for line in lines
    ]
    return "\n".join(header + rows)


def _code(text: str) -> str:
    """Return a text as a block of code, whose fence is longer than any in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{visible(text)}\n{fence}"


def _rich(text: Rich) -> str:
    return "".join(map(_part, parts(text)))


def _part(part: Part) -> str:
    if isinstance(part, Link):
        return f"[{_escaped(part.text)}](<{part.to}>)"
    said = MARKS.sub(r"\\\g<0>", visible(str(part))).replace("\n", " ")
    if isinstance(part, Strong) and said.strip():
        return f"**{said.strip()}**"
    return f"<code>{said}</code>" if isinstance(part, Code) else said


def _table(table: Table) -> str:
    header = [_row(map(_escaped, table.header)), _row(["---"] * len(table.header))]
    rows = [_row(map(_escaped, row)) for row in table.rows]
    return f"**{_escaped(table.caption)}**\n\n" + "\n".join(header + rows)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _line(text: str) -> str:
    """Return a text escaped for the start of a line."""
    return _start(_escaped(text))


def _start(escaped: str) -> str:
    """Return an escaped text that makes no list, rule or heading at the start of a line."""
    start = STARTS.match(escaped)
    if start is None:
        return escaped
    sign = start.end(1) - 1  # of a list's number, only the point is escaped
    return f"{escaped[:sign]}\\{escaped[sign:]}"


def _escaped(text: str) -> str:
    return " ".join(MARKS.sub(r"\\\g<0>", visible(text)).split())
