"""Several sites together, on the screen."""

from __future__ import annotations

from functools import partial

from rich.console import Console
from rich.table import Table as ScreenTable

from reports.findings.pool.pool import Pool
from reports.numbers.verdict import Verdict
from reports.sections.pool import headline, heterogeneity, numerics, repeats_sentences
from reports.sections.pool_tables import accuracies_table, claims_table, sites_table
from reports.sections.section import Table

STYLES = {Verdict.REPRODUCED: "bold green", Verdict.LARGER: "bold green"}


def show_pool(out: Console, pool: Pool) -> None:
    """Print the repeated cells, the main claim at each site, all claims, and the answer."""
    say = partial(out.print, markup=False, emoji=False, highlight=False)
    for notice in pool.notices:
        say(notice, style="bold yellow")
    for sentence in repeats_sentences(pool):
        say(sentence, style="bold red" if sentence.startswith("FINDING") else None)
    if not pool.claims:
        say(_on_screen(accuracies_table(pool.accuracies)))
        say(headline(pool))
        return
    main = pool.claims[0]
    say(_on_screen(sites_table(main, f"the gain of {main.name} at each site")))
    say(_on_screen(claims_table(pool.claims)))
    if main.pooled is not None:
        say(heterogeneity(main))
        say(numerics(main))
    say()
    say(headline(pool), style=STYLES.get(main.verdict, "bold") if main.verdict else "bold")


def _on_screen(table: Table) -> ScreenTable:
    screen = ScreenTable(title=table.caption, title_justify="left")
    for name in table.header:
        screen.add_column(name, overflow="fold")
    for row in table.rows:
        screen.add_row(*row)
    return screen
