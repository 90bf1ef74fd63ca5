"""How the settings of the conditions were chosen."""

from __future__ import annotations

from functools import partial

from reports.figures.searched import draw_search, worded
from reports.findings.analysis import Analysis
from reports.findings.searched import Search, SearchedCondition, TriedSetting
from reports.numbers.words import counted, listed, number
from reports.sections.section import Drawing, Section, Table


def searched_section(analysis: Analysis) -> Section | None:
    """Return the section on the search behind the settings; None where there was none."""
    search = analysis.search
    if search is None:
        return None
    names = [of.condition for of in search.conditions]
    caption = "What was chosen, and what each condition got for it"
    header = ["condition", "chosen", f"{search.measure} ({search.unit})", "standard error",
              "published", "tried", "diverged", "cells", "compute (minutes)"]  # fmt: skip
    rows = [header, *(_row(of) for of in search.conditions)]
    if all(of.published is None for of in search.conditions):
        place = header.index("published")
        rows = [[*row[:place], *row[place + 1 :]] for row in rows]
    tables = [
        Table(caption, rows[0], rows[1:]),
        Table(
            "Everything that was tried, on held-out data",
            ["condition", "setting", "mean", "standard error", "seeds", "diverged", ""],
            [_tried(of, one) for of in search.conditions for one in of.tried],
            folded=True,
        ),
    ]
    drawn = Drawing(
        "search",
        f"On held-out training data, {search.measure} by setting, of {listed(names)}.",
        partial(draw_search, search),
        "Mean over the seeds of the search, bar: standard error. Settings in which a seed diverged "
        "stand at the bottom and are never chosen.",
    )
    return Section("search", "How the settings were chosen", _paragraphs(search), [drawn], tables)


def _paragraphs(search: Search) -> list[str]:
    seeds = f"{counted(len(search.seeds), 'seed')} ({search.seeds[0]} to {search.seeds[-1]})"
    held = (
        f"{100 * search.validation_fraction:g}% of the training data that were held out; the test "
        "data were not read"
        if search.validation_fraction
        else "data that the training function holds out itself"
    )
    return [
        f"A search chose these settings on {seeds} that no result uses, by {search.measure} on "
        f"{held}. Every "
        f"condition was allowed {counted(search.budget, 'setting')}: a grid, and beyond it where "
        "the best setting lay at its edge. Of the settings in which no seed diverged, the most "
        "cautious one was taken that is at most one standard error worse than the best.",
        f"The search of {search.study} has the fingerprint {search.fingerprint}.",
    ]


def _row(of: SearchedCondition) -> list[str]:
    chosen = of.chosen
    return [
        of.condition,
        "-" if chosen is None else worded(chosen.setting),
        number(None if chosen is None else chosen.mean),
        number(None if chosen is None else chosen.standard_error),
        "-" if of.published is None else worded(of.published),
        str(len(of.tried)),
        str(sum(one.diverged > 0 for one in of.tried)),
        str(sum(one.done + one.diverged for one in of.tried)),
        f"{of.seconds / 60:.1f}",
    ]


def _tried(of: SearchedCondition, one: TriedSetting) -> list[str]:
    marks = ["chosen"] * one.chosen + ["published"] * one.published
    return [
        of.condition,
        worded(one.setting),
        number(one.mean),
        number(one.standard_error),
        str(one.done + one.diverged),
        str(one.diverged),
        ", ".join(marks),
    ]
