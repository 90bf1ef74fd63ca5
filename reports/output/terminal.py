"""The report in short, for the terminal."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
from rich.console import Console

from reports.findings.analysis import Analysis
from reports.findings.contrasts import JudgedClaim
from reports.findings.fixing import marked
from reports.findings.origins import code_notice
from reports.findings.robustness import planned_words
from reports.findings.statements import JudgedStatement
from reports.numbers.study import Study
from reports.numbers.values import shown_unit
from reports.numbers.verdict import Verdict
from reports.numbers.words import interval
from reports.output.listing import Listing, on_screen, verdict_style
from reports.sections.causes import cause_sentences
from reports.sections.kinds import MEANING, family_paragraphs, signed, together
from reports.sections.lead import cause_command, cause_words, quote
from reports.sections.measured import value_rows
from reports.sections.rich import plain
from reports.sections.robustness import published_words
from reports.sections.verdict import completeness_words, headline, preliminary, verdict_words

MOST_ROWS, LISTED = 24, 6


def show(out: Console, analysis: Analysis, study: Study) -> None:
    """Print accuracies, verdicts, and what a reader should know of both."""
    # On any console, strings are not read as markup, and numbers in sentences get no colour.
    say = partial(out.print, markup=False, emoji=False, highlight=False)
    out.print()
    _print_notices(out, analysis)
    begun, complete = preliminary(analysis).removesuffix(": "), completeness_words(analysis)
    if begun:
        words = begun if analysis.order else "PRELIMINARY"
        say(f"{words}. {complete or ''}", style="bold yellow")
    summary, findings = analysis.measured.shown, cause_sentences(analysis.causes)
    shown = (
        values(analysis)
        if analysis.values.single
        else accuracies(study.name, summary[:MOST_ROWS], analysis.measured.published)
    )
    say(on_screen(out, shown))
    if len(summary) > MOST_ROWS:
        say(f"and {len(summary) - MOST_ROWS} more conditions: see the page or summary.csv")
    if analysis.claims:
        say(on_screen(out, verdicts(analysis.claims, analysis)))
    if analysis.apart:
        others = analysis.values.measure.is_accuracy
        say(on_screen(out, other_verdicts(analysis.apart, analysis, others=others)))
    if analysis.order:
        claim = quote(analysis)
        say(f"\nClaim: “{claim.words}” ({claim.by})")
        if claim.note:
            say(f"{claim.note}.")
        said = headline(analysis)
        say(said, style=verdict_style(said.removeprefix(preliminary(analysis)).split(".")[0]))
    for finding in cause_words(analysis):
        say(plain(finding), style="bold")
    command = cause_command(analysis)
    if command is not None:
        say(f"{command.says}: {command.line}")
    for finding in findings:
        say(finding)
    published = published_words(analysis.robustness)
    for sentence in (*published, *family_paragraphs(analysis), *together(analysis)):
        say(sentence)
    devices: Counter[str] = Counter()
    for origin in analysis.devices:
        devices[str(origin.device)] += origin.cells
    if len(devices) > 1:
        made = ", ".join(f"{count} on {device}" for device, count in devices.items())
        say(f"cells by device: {made}")
    code = code_notice(analysis.code)
    if code is not None:
        say(code)
    if complete and not begun:
        say(complete)
    short = [
        f"{cells.condition} {cells.recorded}"
        for cells in analysis.cells
        if cells.recorded < len(analysis.seeds) and not analysis.values.unshared
    ]
    if short:
        more = [f"and {len(short) - LISTED} more"] if len(short) > LISTED else []
        named = ", ".join(short[:LISTED] + more)
        say(f"fewer than the {len(analysis.seeds)} seeds of this report: {named}")
    _print_notices(out, analysis)  # again at the end, because the first ones have scrolled away


def _print_notices(out: Console, analysis: Analysis) -> None:
    for notice in analysis.notices:
        out.print(notice, style="bold yellow", markup=False, highlight=False)


def accuracies(
    title: str, summary: pd.DataFrame, published: Mapping[str, Mapping[str, float]]
) -> Listing:
    """Return the rows of ``reports.numbers.tables.summary`` for the screen.

    Parameters
    ----------
    published : by source, then by condition: accuracy in % after the last task.
    """
    numbers = ("accuracy", "95% interval", "BWT", "seeds", *published)
    caption = (
        "accuracy: mean over tasks and seeds after the last task, %, with its 95% t interval over "
        "seeds\nBWT: backward transfer, percentage points (negative: forgetting)"
    )
    if published:
        caption += "\nunder the name of a source: what was published"
    rows = []
    for _, row in summary.iterrows():
        seeds = f"{row['seeds']}"
        if row["diverged"]:
            seeds += f" + {row['diverged']} diverged"
        others = [_number(values.get(row["condition"])) for values in published.values()]
        ends = _interval(row["final_accuracy_low"], row["final_accuracy_high"])
        accuracy = _number(row["final_accuracy"])
        transfer = _number(row["backward_transfer"], "+.2f")
        rows.append([row["condition"], accuracy, ends, transfer, seeds, *others])
    return Listing(title, ("condition", *numbers), rows, caption, frozenset(numbers))


def values(analysis: Analysis) -> Listing:
    """Return for the screen what a study measured that has one number on each seed."""
    measure = analysis.values.measure
    way = "higher" if measure.higher_is_better else "lower"
    caption = (
        f"{measure.name}: mean over seeds, {shown_unit(measure)}, with its 95% t interval; {way} "
        "is better"
    )
    numbers = (measure.name, "95% interval", "seeds")
    rows = value_rows(analysis)[:MOST_ROWS]
    return Listing(analysis.study, ("condition", *numbers), rows, caption, frozenset(numbers))


def verdicts(claims: Sequence[JudgedClaim], analysis: Analysis) -> Listing:
    """Return the claims of gains for the screen: reported gain, measured gain, verdict."""
    kinds = {judged.judgement.procedure for judged in claims if judged.judgement is not None}
    caption = (
        f"gain: mean paired difference over seeds with its interval ({', '.join(sorted(kinds))}); "
        "reported: the claim ± its margin"
    )
    rows = []
    for judged in claims:
        claim, comparison = judged.claim, judged.contrast.comparison
        unit = "" if claim.unit == "points" else " rel. %"
        reported = f"{claim.reported:.2f} ± {claim.margin:.2f}{unit}"
        seeds = analysis.complete[claim.id].short
        if comparison is None or judged.judgement is None:
            rows.append([claim.id, reported, "-", "-", seeds, "no pair of seeds yet"])
            continue
        verdict = verdict_words(judged, analysis.robustness, analysis.fixed)
        plans = [
            found.plan for found in analysis.robustness if found.claim == claim.id and found.plan
        ]
        if plans and plans[0].seeds is not None:
            verdict += f" (seeds that would settle it: {planned_words(plans[0])})"
        elif judged.judgement.verdict is Verdict.DIRECTION_ONLY:
            verdict += " (its margin is not smaller than the claim)"
        ends = _interval(judged.judgement.ci.low, judged.judgement.ci.high)
        rows.append([claim.id, reported, f"{comparison.mean:+.2f}", ends, seeds, verdict])
    numbers = ("reported", "gain", "interval", "seeds")
    headings = ("claim", *numbers, "verdict")
    return Listing("claims", headings, rows, caption, frozenset(numbers), "verdict")


def other_verdicts(
    statements: Sequence[JudgedStatement], analysis: Analysis, *, others: bool = True
) -> Listing:
    """Return the claims of other kinds for the screen: asked, found, verdict.

    ``others`` : whether there could be gains in final accuracy beside them.
    """
    kinds = {one.ruling.procedure for one in statements if one.ruling is not None}
    caption = f"found: {MEANING}; intervals: {', '.join(sorted(kinds)) or '-'}"
    rows = []
    for one in statements:
        ruling, claim = one.ruling, one.claim
        if ruling is None:
            rows.append([claim.id, claim.kind, one.asks, "-", "-", "0", "no seeds yet"])
            continue
        verdict = marked(ruling.label, analysis.fixed, claim.id)
        if ruling.seeds_needed is not None:
            verdict += f" (about {ruling.seeds_needed} seeds would settle it)"
        rest = analysis.complete[claim.id].rest
        seeds = "/".join(map(str, dict.fromkeys(one.sizes))) + (f" ({rest})" if rest else "")
        ends = interval(ruling.ci, signed)
        found = signed(ruling.estimate)
        rows.append([claim.id, claim.kind, one.asks, found, ends, seeds, verdict])
    numbers = ("found", "interval", "seeds")
    headings = ("claim", "kind", "asks", *numbers, "verdict")
    title = "claims of other kinds" if others else "claims"
    return Listing(title, headings, rows, caption, frozenset(numbers), "verdict")


def _number(value: Any, form: str = ".2f") -> str:
    return "-" if value is None or pd.isna(value) else format(value, form)


def _interval(low: float, high: float) -> str:
    return f"{low:.2f} to {high:.2f}" if math.isfinite(low) and math.isfinite(high) else "-"
