"""Text with emphasis, code and links, for the page and the Markdown alike."""

from __future__ import annotations

from dataclasses import dataclass


class Strong(str):
    """Words that a reader must not miss."""


class Code(str):
    """Words for a machine, to be taken as they stand."""


@dataclass(frozen=True)
class Link:
    """Words that lead to a file beside the report, by a path from its folder."""

    text: str
    to: str


Part = str | Link
"""Plain words, ``Strong``, ``Code`` or a ``Link``."""
Rich = str | tuple[Part, ...]


def parts(text: Rich) -> tuple[Part, ...]:
    """Return the parts of a text."""
    return text if isinstance(text, tuple) else (text,)


def plain(text: Rich) -> str:
    """Return a text without its emphasis; a link keeps its words."""
    return "".join(part.text if isinstance(part, Link) else part for part in parts(text))
