"""Rows for the screen: a table where there is room for one, else a card for each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.styled import Styled
from rich.table import Table as ScreenTable

ROOM = 100
"""Columns from which a table stays a table; its longest texts are folded then."""
INDENT = 2

GOOD = frozenset(
    ("REPRODUCED", "LARGER", "BETTER", "EQUAL", "AGREES", "IN ORDER", "NOT WORSE", "OK")
)
OPEN = frozenset(("PARTIAL", "DIRECTION ONLY", "INCONCLUSIVE"))
BAD = frozenset(
    (
        "NOT REPRODUCED",
        "CONTRADICTED",
        "WORSE",
        "DIFFERENT",
        "HIGHER",
        "LOWER",
        "OTHER ORDER",
        "REGRESSION",
    )
)
COLOURS = {GOOD: "bold green", OPEN: "bold yellow", BAD: "bold red"}


@dataclass(frozen=True)
class Listing:
    """Rows of text under headings; the first cell of a row is its name.

    Attributes
    ----------
    numeric : headings whose cells are aligned to the right and never folded.
    verdict : the heading whose cells are verdicts: coloured, and beside the name on a card.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    numeric: frozenset[str] = frozenset()
    verdict: str | None = None

    @property
    def width(self) -> int:
        """The number of columns of the table where nothing is folded."""
        cells = [self.headings, *self.rows]
        return sum(3 + max(map(cell_len, column)) for column in zip(*cells, strict=True)) + 1


def verdict_style(label: str) -> str:
    """Return the style of a verdict, its sign before it and a share or a note after it or not."""
    word = label.partition(" ")[2] if label[:1] and not label[0].isalnum() else label
    for verdicts, style in COLOURS.items():
        if any(word == one or word.startswith((f"{one} ", f"{one},")) for one in verdicts):
            return style
    return "bold"


def on_screen(console: Console, listing: Listing) -> RenderableType:
    """Return the rows as this console has room for them."""
    if listing.rows and console.width < min(ROOM, listing.width):
        return _cards(console.width, listing)
    return _table(listing)


def _table(listing: Listing) -> ScreenTable:
    table = ScreenTable(title=listing.title, title_justify="left", caption_justify="left")
    table.caption = listing.caption or None
    for heading in listing.headings:
        number = heading in listing.numeric
        table.add_column(
            heading, justify="right" if number else "left", no_wrap=number, overflow="fold"
        )
    for row in listing.rows:
        table.add_row(*(_cell(listing, *cell) for cell in zip(listing.headings, row, strict=True)))
    return table


def _cell(listing: Listing, heading: str, text: str) -> RenderableType:
    # ``Styled`` keeps the text a string, which the console makes legible; see ``Terminal``.
    return Styled(text, verdict_style(text)) if heading == listing.verdict else text


def _cards(width: int, listing: Listing) -> Group:
    """Return a card for each row: its name and verdict, then what the other cells say."""
    shown: list[RenderableType] = [Styled(listing.title, "italic")]
    for name, *cells in listing.rows:
        said = dict(zip(listing.headings[1:], cells, strict=True))
        verdict = said.pop(listing.verdict) if listing.verdict is not None else ""
        head = [Styled(name, "bold"), Styled(verdict, verdict_style(verdict))]
        if cell_len(name) + INDENT + cell_len(verdict) <= width:
            line = ScreenTable.grid(padding=(0, INDENT))
            line.add_row(*head)
            shown.append(line)
        else:
            shown += [head[0], _indented(head[1])]
        facts = [f"{heading} {text}" for heading, text in said.items() if text != "-"]
        shown += [_indented(line) for line in _lines(facts, width - INDENT)]
    if listing.caption:
        shown.append(Styled(listing.caption, "dim italic"))
    return Group(*shown)


def _indented(content: RenderableType) -> Padding:
    return Padding(content, (0, 0, 0, INDENT))


def _lines(facts: Sequence[str], width: int) -> list[str]:
    """Return the facts in as few lines as they fit into; no fact is broken without need."""
    lines: list[str] = []
    for fact in facts:
        longer = f"{lines[-1]}, {fact}" if lines else fact
        if lines and cell_len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(fact)
    return lines
