"""The verdict on each claim, and what a reader must know to read it."""

from __future__ import annotations

from collections.abc import Sequence

from reports.findings.analysis import Analysis
from reports.findings.contrasts import JudgedClaim
from reports.findings.fixing import Fixing, marked
from reports.findings.origins import code_notice
from reports.findings.robustness import Robustness, planned_words
from reports.findings.statements import JudgedStatement
from reports.numbers.sequential import ANYTIME
from reports.numbers.verdict import Verdict, margin_reaches_zero
from reports.numbers.words import counted, interval, listed, signed
from reports.sections.causes import cause_sentences
from reports.sections.fixing import fixing_paragraphs, fixing_tables
from reports.sections.kinds import (
    asked_sentences,
    family_paragraphs,
    statement_tables,
    together,
    together_table,
)
from reports.sections.robustness import OTHER_INTERVALS, published_words
from reports.sections.section import Section, Table, claim_anchor
from reports.sections.told import answer_link, answer_words, other_commands, others_told


def headline(analysis: Analysis) -> str:
    """Return the verdict on the main claim in one line; without claims, what the study holds.

    A verdict on a part of what the study asks for, and on a claim that was not fixed before its
    data, says so; it says "in size" where the claim's conditions differ in several settings.
    """
    if not analysis.order:
        done = sum(cells.done for cells in analysis.cells)
        return (
            f"{preliminary(analysis)}This study makes no claim of its own: "
            f"{counted(len(analysis.cells), 'condition')}, {counted(done, 'cell')} done."
        )
    main = main_claim(analysis)
    if isinstance(main, JudgedStatement):
        if main.ruling is None:
            return "NO SEEDS. No seed has all of its conditions done."
        said = marked(main.ruling.label, analysis.fixed, main.claim.id)
        return f"{preliminary(analysis)}{said}. {main.ruling.reason}"
    if main.judgement is None:
        return "NO PAIRS. No seed has both conditions done."
    said = verdict_words(main, analysis.robustness)
    said += " in size" * (len(analysis.differ.get(main.claim.id, ())) > 1)
    said = marked(said, analysis.fixed, main.claim.id)
    return f"{preliminary(analysis)}{said}. {main.judgement.reason}"


def preliminary(analysis: Analysis) -> str:
    """Return "PRELIMINARY, 4 of 10 seeds: " where the study asks for more; else nothing."""
    if not analysis.order:
        return f"PRELIMINARY, {analysis.whole.words('cell')}: " * analysis.whole.preliminary
    found = analysis.complete[analysis.order[0]]
    return f"PRELIMINARY, {found.words()}: " * found.preliminary


def completeness_words(analysis: Analysis) -> str | None:
    """Return how complete the study is, in a sentence; None where every cell is done."""
    whole = analysis.whole
    if not whole.others:
        return None
    others = [f"{number} {word}" for word, number in whole.others]
    partial = [name for name in analysis.order if analysis.complete[name].preliminary]
    said = f"{whole.words('cell')} are done; {listed(others)}."
    if partial and len(partial) < len(analysis.order):
        said += f" Verdicts on {listed(partial)} are preliminary."
    elif partial:
        said += " All verdicts are preliminary: the study asks for more seeds."
    return said


def tone(analysis: Analysis) -> str | None:
    """Return how the heading must look where the verdict alone would say too much.

    "FAILED" where a control did not get its verdict; "OPEN" where the verdict is preliminary, or
    its claim was not fixed before the data; None for the look of the verdict.
    """
    if any(judged.as_expected is False for judged in analysis.judged):
        return "FAILED"
    late = {one.standing.id for one in analysis.fixed if one.late and one.standing.what == "claim"}
    return "OPEN" if preliminary(analysis) or late & set(analysis.order[:1]) else None


def main_claim(analysis: Analysis) -> JudgedClaim | JudgedStatement:
    """Return the study's first claim, of whatever kind; IndexError where it has none."""
    first = analysis.order[0]
    return next(judged for judged in analysis.judged if judged.claim.id == first)


def main_verdict(analysis: Analysis) -> str | None:
    """Return the verdict on the study's first claim in one word; None where there is none."""
    if not analysis.order:
        return None
    main = main_claim(analysis)
    if isinstance(main, JudgedStatement):
        return None if main.ruling is None else main.ruling.verdict
    return None if main.judgement is None else str(main.judgement.verdict)


def verdict_words(
    judged: JudgedClaim, robustness: Sequence[Robustness], fixed: Sequence[Fixing] = ()
) -> str:
    """Return the verdict on a claim with its sign, and the other one that diverged runs would give.

    Where the two differ, the first is never given without the second; and a verdict on a claim that
    was not fixed before its data not without that.
    """
    assert judged.judgement is not None
    words = judged.judgement.label
    others = [
        other.verdict
        for found in robustness
        if found.claim == judged.claim.id
        for other in found.differing
    ]
    if others:
        words += f" ({listed(list(dict.fromkeys(others)))} with the diverged runs counted)"
    return marked(words, fixed, judged.claim.id)


def verdict_section(analysis: Analysis) -> Section | None:
    """Return the section on the claims: their verdicts, and what these do not say.

    None where the study has no claims.
    """
    if not analysis.order:
        return None
    paragraphs = [*cause_sentences(analysis.causes), *in_several(analysis)]
    real = [judged for judged in analysis.claims if judged.claim.expected is None]
    controls = [judged for judged in analysis.claims if judged.claim.expected is not None]
    paragraphs += _without_size(real)
    paragraphs += _reasons(
        [judged for judged in real if judged.claim.id != analysis.order[0]], analysis.fixed
    )
    paragraphs += published_words(analysis.robustness)
    used = {found.procedure for found in analysis.robustness}
    used |= {one.ruling.procedure for one in analysis.statements if one.ruling is not None}
    if ANYTIME.name in used:
        paragraphs.append(OTHER_INTERVALS)
    others = [one for one in analysis.apart if one.claim.expected is None]
    paragraphs += asked_sentences(
        [one for one in others if one.claim.id != analysis.order[0]], analysis.fixed
    )
    paragraphs += together(analysis) + family_paragraphs(analysis)
    code = code_notice(analysis.code)
    if code:
        paragraphs.append(code)
    shown = [_claims_table("Claims, as the study states them", real, analysis)] if real else []
    if controls:
        passed = sum(judged.as_expected is True for judged in controls)
        paragraphs.append(
            f"Controls of the procedure itself: {passed} of {len(controls)} got the verdict that "
            "they must get."
        )
        shown.append(_controls_table(controls, analysis))
    shown += statement_tables(analysis) + together_table(analysis)
    paragraphs += fixing_paragraphs(analysis.fixed, analysis.tables)
    shown += fixing_tables(analysis.fixed, analysis.tables)
    told = others_told(analysis)
    return Section(
        "claims",
        "The claims",
        paragraphs,
        tables=shown,
        findings=[answer_words(answer, claims) for answer, claims in told.items()],
        links=list(dict.fromkeys(link for answer in told for link in answer_link(answer))),
        commands=other_commands(analysis),
    )


def _reasons(claims: Sequence[JudgedClaim], fixed: Sequence[Fixing]) -> list[str]:
    """Return the reasons of the verdicts that the table of claims does not explain.

    They say what could test a size, and whether a loss contradicts a size or a direction alone.
    """
    return [
        f"{judged.claim.id}: {marked(judged.judgement.label, fixed, judged.claim.id)}. "
        f"{judged.judgement.reason}"
        for judged in claims
        if judged.judgement is not None
        and judged.judgement.verdict in (Verdict.DIRECTION_ONLY, Verdict.CONTRADICTED)
    ]


def _without_size(claims: Sequence[JudgedClaim]) -> list[str]:
    """Name the claims that are not larger than their margin, and say what that means for them."""
    names = [
        judged.claim.id
        for judged in claims
        if margin_reaches_zero(judged.claim.reported, judged.claim.margin)
    ]
    if not names:
        return []
    return [
        f"REPRODUCED cannot fall for {listed(names)}: the margin is not smaller than the claim, so "
        "that almost any gain would lie within it."
    ]


def in_several(analysis: Analysis) -> list[str]:
    """Return a warning where the two conditions of claims differ in more than one setting."""
    claims: dict[tuple[str, ...], list[str]] = {}
    for name, differ in analysis.differ.items():
        if len(differ) > 1:
            claims.setdefault(differ, []).append(name)
    return [
        f"{_named(names, analysis)}: the two conditions differ in "
        f"{listed([analysis.asked.named(setting) for setting in differ])}. "
        f"{'Such verdicts are' if len(names) > 1 else 'Such a verdict is'} about the size of the "
        "gain, not about its cause."
        for differ, names in claims.items()
    ]


def _named(names: Sequence[str], analysis: Analysis) -> str:
    """Return the ids of claims, or that all are meant."""
    every = len(names) == len(analysis.order) > 1
    return f"All {len(names)} claims" if every else listed(names)


def _claims_table(caption: str, claims: Sequence[JudgedClaim], analysis: Analysis) -> Table:
    header = ["claim", "verdict", "reported", "gain", "interval", "seeds", "to settle", "says"]
    kinds = listed(sorted({judged.judgement.procedure for judged in claims if judged.judgement}))
    caption += f" (gains with their {kinds} intervals)" if kinds else ""
    rows = [_claim_row(judged, analysis) for judged in claims]
    return Table(caption, header, rows, anchors=[claim_anchor(judged.claim) for judged in claims])


def _claim_row(judged: JudgedClaim, analysis: Analysis) -> list[str]:
    claim, judgement, compared = judged.claim, judged.judgement, judged.contrast.comparison
    unit = "" if claim.unit == "points" else " rel. %"
    reported = f"{claim.reported:+.2f} ± {claim.margin:.2f}{unit}"
    seeds = analysis.complete[claim.id].short
    if judgement is None or compared is None:
        return [claim.id, "no pair of seeds", reported, "-", "-", seeds, "-", claim.text]
    plans = [found.plan for found in analysis.robustness if found.claim == claim.id and found.plan]
    needed = planned_words(plans[0]) if plans else "-"
    verdict = verdict_words(judged, analysis.robustness, analysis.fixed)
    gain = signed(compared.mean)
    return [
        claim.id,
        verdict,
        reported,
        gain,
        interval(judgement.ci, seeds=compared.n),
        seeds,
        needed,
        claim.text,
    ]


def _controls_table(controls: Sequence[JudgedClaim], analysis: Analysis) -> Table:
    rows = []
    for judged in controls:
        passed = {True: "✓ as it must", False: "✗ not as it must", None: "-"}[judged.as_expected]
        row = _claim_row(judged, analysis)
        rows.append([*row[:2], judged.claim.expected or "", passed, *row[2:6], row[7]])
    header = [
        "control",
        "verdict",
        "must be",
        "came out",
        "planted",
        "gain",
        "interval",
        "seeds",
        "says",
    ]
    anchors = [claim_anchor(judged.claim) for judged in controls]
    return Table("Controls: the truth is known here", header, rows, anchors=anchors)
