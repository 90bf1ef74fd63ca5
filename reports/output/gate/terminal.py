"""The gate's answer on the screen."""

from __future__ import annotations

from functools import partial

from rich.console import Console

from reports.findings.gate.check import Check, Verdict
from reports.output.listing import Listing, on_screen
from reports.sections.gate import (
    compared,
    headline,
    next_command,
    notes,
    shifts_table,
    what_it_can_see,
)
from reports.sections.section import Table

MOST_ROWS = 20
STYLES = {Verdict.OK: "bold green", Verdict.INCONCLUSIVE: "bold yellow"}


def show_gate(out: Console, check: Check, directory: str) -> None:
    """Print what the check could see, what it saw, and the one next command."""
    say = partial(out.print, markup=False, emoji=False, highlight=False)
    say(what_it_can_see(check))
    say(compared(check))
    if check.exact is not None:
        for difference in check.exact.differences[:5]:
            say(f"  {difference.sentence()}")
        if len(check.exact.differences) > 5:
            say(f"  and {len(check.exact.differences) - 5} more cells: see the page")
    for shifts, caption in (
        (check.deciding, "not surely within its margin"),
        (check.drift, "drift"),
    ):
        table = shifts_table(shifts, caption, every=False)
        if table.rows:
            say(on_screen(out, _listing(table)))
    for note in notes(check):
        say(note)
    say()
    say(headline(check), style=STYLES.get(check.verdict, "bold red"))
    command = next_command(check, directory)
    if command is not None:
        say(f"next: {command}", soft_wrap=True)


def _listing(table: Table) -> Listing:
    rows, more = table.rows[:MOST_ROWS], len(table.rows) - MOST_ROWS
    caption = f"and {more} more: see the page" if more > 0 else ""
    return Listing(table.caption, table.header, rows, caption)
