"""A section of the report as data, so that the page and the Markdown show any of them alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; columns that read as numbers are aligned as such.

    ``folded`` tables are closed at first on the page: they are there to be looked up.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    folded: bool = False


@dataclass(frozen=True)
class Drawing:
    """A figure with its file name (without suffix) and what it says, for who cannot see it.

    ``caption`` is printed below it: how to read it.
    """

    name: str
    alt: str
    figure: Figure
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """One section: a title, then paragraphs, figures and tables, in this order."""

    id: str
    title: str
    paragraphs: Sequence[str] = ()
    drawings: Sequence[Drawing] = ()
    tables: Sequence[Table] = ()
