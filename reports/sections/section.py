"""A section of the report as data, so that the page and the Markdown show any of them alike."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from reports.numbers.study import Claim, Statement
from reports.sections.number_lines import NumberLine
from reports.sections.rich import Link, Rich


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; columns that read as numbers are aligned as such.

    A ``folded`` table is closed at first on the page: it is there for looking things up.
    ``anchors`` are the addresses of its rows on the page, where rows have addresses.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    folded: bool = False
    anchors: Sequence[str] = ()


@dataclass(frozen=True)
class Drawing:
    """A figure that is drawn when it is needed, and what it says to readers who cannot see it.

    Attributes
    ----------
    name : name of its files, without suffix, and of its place on the page; a ``slug``.
    alt : what the figure says, in words.
    draw : makes the figure.
    caption : how to read the figure; printed below it.
    """

    name: str
    alt: str
    draw: Callable[[], Figure]
    caption: str = ""


@dataclass(frozen=True)
class Quote:
    """What is claimed, in the words of ``by``; ``note`` is what we add to them."""

    words: str
    by: str
    note: str = ""


@dataclass(frozen=True)
class Fact:
    """What a reader asks, and the answer; ``copied`` is a text to be copied as a whole."""

    term: str
    lines: Sequence[Rich]
    copied: str = ""


@dataclass(frozen=True)
class Command:
    """A line to be typed, and what it does."""

    says: str
    line: str


@dataclass(frozen=True)
class Section:
    """One section: a title, then what it holds, in this order.

    ``id``, a ``slug``, is its place on the page. The quotes of a page's first section stand above
    its heading. ``findings`` are sentences that a reader must not miss; ``about`` is what the facts
    are about.
    """

    id: str
    title: str
    paragraphs: Sequence[str] = ()
    drawings: Sequence[Drawing] = ()
    tables: Sequence[Table] = ()
    quotes: Sequence[Quote] = ()
    findings: Sequence[Rich] = ()
    links: Sequence[Link] = ()
    commands: Sequence[Command] = ()
    about: str = ""
    facts: Sequence[Fact] = ()
    lines: Sequence[NumberLine] = ()


def named_tables(section: Section) -> list[tuple[str, Table]]:
    """Return the tables of a section that have rows, each with its address on the page."""
    there = [table for table in section.tables if table.rows]
    return [(f"table-{section.id}-{place}", table) for place, table in enumerate(there, start=1)]


def claim_anchor(claim: Claim | Statement) -> str:
    """Return the address of a claim on the page."""
    return slug(f"claim-{claim.id}")


def slug(name: str) -> str:
    """Return a name that a file and a place on a page can have; different names stay different.

    A short name of plain characters is returned as it is.
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:60]
    if plain == name:
        return name
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
