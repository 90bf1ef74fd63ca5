"""Several results directories on the screen: one table of all claims."""

from __future__ import annotations

from functools import partial

from rich.console import Console

from reports.findings.overview import Overview, Row
from reports.output.listing import Listing, on_screen
from reports.sections import overview as words

NUMBERS = frozenset(("gain", "interval"))


def show_overview(out: Console, overview: Overview) -> None:
    """Print the heading, all claims, the controls, what is left out, and what it all says."""
    say = partial(out.print, markup=False, emoji=False, highlight=False)
    colours = {"FAILED": "bold red", "OPEN": "bold yellow"}
    say(words.title(overview), style=colours.get(words.tone(overview), "bold"))
    if overview.claims:
        rows = [_cells(row, words.cause_words(row)) for row in overview.claims]
        say(on_screen(out, _listing("claims", rows, "cause")))
    if overview.controls:
        rows = [_cells(row, words.control_words(row)) for row in overview.controls]
        say(on_screen(out, _listing("controls: the truth is known here", rows, "must be")))
    for one in overview.left_out:
        style = "bold red" if one.damaged else "dim"
        say(f"left out: {one.directory}: {one.reason}", style=style)
    say(words.paragraph(overview))


def _listing(name: str, rows: list[list[str]], last: str) -> Listing:
    headings = ("claim", "study", "verdict", "gain", "interval", "seeds", last)
    return Listing(name, headings, rows, "", NUMBERS, "verdict")


def _cells(row: Row, last: str) -> list[str]:
    gain, ends = words.gain_words(row), words.interval_words(row)
    return [row.id, words.name_of(row), row.label, gain, ends, row.complete.short, last]
