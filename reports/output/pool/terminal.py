"""Several sites together, on the screen."""

from __future__ import annotations

from functools import partial

from rich.console import Console

from reports.findings.pool.pool import Pool
from reports.output.listing import Listing, on_screen, verdict_style
from reports.sections.pool import headline, heterogeneity, numerics, repeats_sentences
from reports.sections.pool_tables import accuracies_table, claims_table, sites_table
from reports.sections.section import Table


def show_pool(out: Console, pool: Pool) -> None:
    """Print the repeated cells, the main claim at each site, all claims, and the answer."""
    say = partial(out.print, markup=False, emoji=False, highlight=False)
    for notice in pool.notices:
        say(notice, style="bold yellow")
    for sentence in repeats_sentences(pool):
        say(sentence, style="bold red" if sentence.startswith("FINDING") else None)
    if not pool.claims:
        say(on_screen(out, _listing(accuracies_table(pool.accuracies))))
        say(headline(pool))
        return
    main = pool.claims[0]
    say(on_screen(out, _listing(sites_table(main, f"the gain of {main.name} at each site"))))
    say(on_screen(out, _listing(claims_table(pool.claims))))
    if main.pooled is not None:
        say(heterogeneity(main))
        say(numerics(main))
    say()
    say(headline(pool), style=verdict_style(main.verdict or ""))


def _listing(table: Table) -> Listing:
    verdict = "verdict" if "verdict" in table.header else None
    return Listing(table.caption, table.header, table.rows, verdict=verdict)
