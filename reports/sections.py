"""A section of the report as data, so that the page and the Markdown show any of them alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; cells that read as numbers are aligned as such."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Drawing:
    """A figure with its file name (without suffix) and what it says, for who cannot see it."""

    name: str
    alt: str
    figure: Figure


@dataclass(frozen=True)
class Section:
    """One section: a title, then paragraphs, figures and tables, in this order."""

    id: str
    title: str
    paragraphs: Sequence[str] = ()
    drawings: Sequence[Drawing] = ()
    tables: Sequence[Table] = ()
