"""The console that everything is printed to."""

from __future__ import annotations

import io
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from reports.output.legible import SPELLING, spelt, visible


class Terminal(Console):
    """A console that prints any text as it is.

    No string is read as markup or as the name of an emoji; only ``style=`` and ``rich.text.Text``
    set a style. Before tables are laid out, a visible sign replaces each control character, and
    characters that the terminal cannot encode are spelt out.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as rich's text; rich calls this for every string that it prints."""
        return super().render_str(spelt(visible(text), self.encoding), **options)


def spell_out_what_cannot_be_written() -> None:
    """Let standard output take any text, whatever the encoding of the terminal."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=SPELLING)
