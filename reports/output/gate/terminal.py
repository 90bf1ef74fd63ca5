"""The gate's answer on the screen."""

from __future__ import annotations

from functools import partial

from rich.console import Console
from rich.table import Table as ScreenTable

from reports.findings.gate.check import Check, Verdict
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
            say(_on_screen(table))
    for note in notes(check):
        say(note)
    say()
    say(headline(check), style=STYLES.get(check.verdict, "bold red"))
    command = next_command(check, directory)
    if command is not None:
        say(f"next: {command}", soft_wrap=True)


def _on_screen(table: Table) -> ScreenTable:
    screen = ScreenTable(title=table.caption, title_justify="left")
    for name in table.header:
        screen.add_column(name, overflow="fold")
    for row in table.rows[:MOST_ROWS]:
        screen.add_row(*row)
    if len(table.rows) > MOST_ROWS:
        screen.caption = f"and {len(table.rows) - MOST_ROWS} more: see the page"
    return screen
