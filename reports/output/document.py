"""The contents of ``verdict.json``: what the report says, ready for JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from reports.findings.analysis import Analysis
from reports.findings.contrasts import Cells, Contrast, FamilyMember, JudgedClaim
from reports.findings.error_rates import error_rates_note
from reports.findings.origins import code_notice
from reports.findings.statements import JudgedStatement
from reports.judging.scalars import unit_of
from reports.output.encoding import as_json
from reports.output.fixed import complete, fixed_claim, fixed_others
from reports.output.program import report_program
from reports.sections.verdict import headline

OF_CLAIM = ("id", "text", "source", "treatment", "baseline")
TERMS = ("reported", "unit", "margin", "negligible", "alpha")
FROM_PAIRS = (
    "estimate",
    "sd",
    "ci95",
    "ci90",
    "bca95",
    "ci",
    "ci_equivalence",
    "procedure",
    "hedges_gz",
    "probability_superior",
    "probability_superior_ci95",
    "seeds_needed",
)
P_VALUES = ("t", "wilcoxon", "sign_flip", "smallest", "tost_claim", "tost_zero")


def verdict_text(analysis: Analysis) -> str:
    """Return the contents of ``verdict.json``."""
    return json.dumps(verdict_document(analysis), indent=2, allow_nan=False) + "\n"


def verdict_document(analysis: Analysis) -> dict[str, Any]:
    """Return what ``verdict.json`` holds: strict JSON, no NaN and no infinity.

    Every entry has all of its keys. ``null`` (None) stands for what is unknown: there is no pair of
    seeds, or too few seeds for a quantity. An interval is ``[low, high]``; an infinite end, for
    example with one seed or equal differences, is null. Accuracies are in %; "unit" is the claim's
    unit, "points" of accuracy or "relative %". The same records give the same document.

    study, fingerprint : name (str); hash of all that the study says, margins included (str).
    program : hash of the sources that wrote the report (str).
    first_run : when the first cell finished (ISO 8601 str), null where no record tells.
    claims : list in the study's order, the main claim first, of

        id, text, source, treatment, baseline : str, as in the study.
        expected : the verdict that a control of the procedure must get (str); null: a real claim.
        as_expected : whether it got that verdict (bool); null for a real claim, or without a pair.
        verdict : REPRODUCED, LARGER, PARTIAL, NOT REPRODUCED, CONTRADICTED, DIRECTION ONLY or
            INCONCLUSIVE (str; rules: ``reports.numbers.verdict``; for other kinds their own words,
            in ``reports.judging``), null without a pair.
        reason : one sentence with the numbers that decided (str or null).
        estimate : mean of treatment - baseline over the pairs, in unit (float or null).
        sd : standard deviation of these differences, in unit; null also where n = 1.
        ci95, ci90 : paired t intervals of the mean, in unit ([low, high] or null).
        bca95 : BCa bootstrap interval of the mean, in unit ([low, high] or null).
        ci, ci_equivalence : the intervals that decided, at 1 - alpha and 1 - 2 alpha, in unit.
        procedure : the kind of those two (str or null): "fixed-n t" or "anytime-valid t".
        n : number of pairs (int; 0 without a pair).
        reported, unit, margin, negligible, alpha : as in the study (str and floats); reported,
            margin and negligible in unit.
        p_values : object of t, wilcoxon, sign_flip (two-sided, of no difference), smallest (the
            smallest value of wilcoxon and sign_flip at this n), tost_claim (of a mean outside the
            margin), tost_zero (of a mean that is not negligible); each is a float, or null without
            a pair.
        hedges_gz : mean / sd, corrected for few seeds (float); null below n = 3 and without
            spread.
        probability_superior : share of seeds on which the treatment is better, a tie counts half
            (float, 0 to 1, or null); probability_superior_ci95 : its interval.
        seeds_needed : how many seeds would settle an inconclusive claim (int); null where it is
            settled, where 1000 seeds would not be enough, or where the claim's margin is not
            smaller than the claim.
        dropped : list of [seed (int), why the seed is in no pair (str)].
        p_value : the smallest alpha at which the verdict would still be given (float); null for
            INCONCLUSIVE. p_holm : the same for all claims of the study together; stands : whether
            it is at most alpha (bool). Both are null for a control too.
        kind, metric : what kind of claim it is, of which number of a record (str).
        differs_in : the settings in which its two conditions differ (list of str); null where it
            compares no two.
        share : ci in % of the reported gain ([low, high]); null for other kinds than a gain.
        completeness : object of done and of (numbers of seeds that are in the verdict, and that the
            study asks for or are on record), others (object of what became of each other seed:
            how many: "diverged", "failed", "timed out", "dropped", "not yet run"), preliminary
            (bool: a seed that the study asks for is not yet run).
        fixed : null where nobody knows when the claim was fixed (reports made without a results
            directory); else object of status ("before", "changed", "made" or "unknown": before or
            after its data, or not recorded), fingerprint, entered, since, seen, first_cell,
            changes, versions, why (as ``harness.keeping.standing.Standing``), and verdict_before:
            null, or the claim that stood before the data, as an entry of this list.

        A claim of another kind than a gain in final accuracy has these too, and null in what only
        such a gain has:

        asks : what it says, in numbers (str); conditions : those that it is about (list of str);
        data : what its values have in common (str); sizes : seeds of each condition (list of int).
        standings, pairs : of a rank: lists of ``reports.judging.kind.Standing`` and ``Pair``.

    families : only where the study has families: list of
        ``reports.findings.families.JudgedFamily``.
    fixed : only where a family or a curve is known to be fixed before or after its data, or a claim
        was removed after them: list of what and id (str) and the fields of a claim's ``fixed``.
    headline : the first words of the report (str), with PRELIMINARY, "changed after the data" and
        "made after the data" where that is so.
    completeness : of all cells of the study, as that of a claim.

    family : list of treatment, baseline (str), estimate and ci95 (points, or null), n (pairs), p,
        p_holm (two-sided paired t before and after Holm over the family; 1 without a pair). The
        interval is of this comparison alone.
    agreement : list, one entry for each published value of a condition that has seeds, of
        condition, source (str), after_tasks (int), published, plus_minus (% and points, the
        latter null where none is printed), n (int), difference (ours - published, points), ci95
        (of the difference), runs (int, how many runs the published value is the mean of; null:
        unknown), prediction95 (interval for the mean of that many runs like ours, %; null where
        runs is null), readings (list of ``reports.numbers.welch.Reading``: the difference with the
        errors of both sides, under both readings of plus_minus), agrees (bool or null, as
        ``reports.findings.agreement.Agreement`` says).
    criteria : for the main claim, list of criterion, result (str), holds (bool or null),
        cannot_see (str), as ``reports.findings.criteria.Criterion``; empty without a pair.
    error_rates : for the main claim, list of true_gain (unit), label (str), rates, rates_se
        (objects of verdict: share of simulated studies, and its Monte-Carlo standard error),
        wrong, wrong_se, wrong_normal (floats), as ``reports.findings.error_rates.ErrorRate``; empty
        without a pair or spread.
    error_rates_note : what was simulated and what counts as wrong (str); null where error_rates is
        empty.
    cells : list of condition (str), done, diverged (int), missing (list of the report's seeds:
        the study's, and all others on record).
    devices : list of device, torch, numerics (str or null), cells (int), conditions (object of
        condition: number of cells): which machine made which cells.
    records : object of a record's key: hash of its content (str, null where it has none).
    code_states : only where several states of the code made the records, or one with uncommitted
        changes: list of version, git_commit (str or null), git_clean (bool or null), cells (int),
        seeds (object of condition: list of seeds), the state with most cells first.

    robustness : list, one entry for each claim with a pair of seeds, of
        ``reports.findings.robustness.Robustness``: earlier looks, the gain with the errors of both
        sides, the verdicts with diverged runs counted, skew and single seeds, the plan for more
        seeds, and the uncertainty over test samples; each part null or empty where there is none.

    bridges : only where cells were trained in a second numerics class too: list of
        ``reports.findings.bridges.Bridge``.
    asked : what was run, ``reports.findings.asked.Asked``: description, data, network, training,
        margin, conditions, factors, references, BibTeX and quotations, as far as the study says it.
    commands : those that make records ("again", "here"), "report" and answers ("causes") anew.
    exploratory : only where there are pairs of conditions that neither a claim nor a family
        compares: list of treatment, baseline (str), n (int), estimate (points, or null), ci95.
    cause : what carries the difference of the main gain, ``reports.findings.apart.Answer``; null
        where nobody tells.
    other_causes : the same for other gains, by id of the first about its contrast; only where
        another study tells them.
    taken_apart : names of the studies that tell causes: one name (str), null where there is none,
        or a list.
    search : only where a search chose settings: ``reports.findings.searched.Search``.
    notices : list of what a reader must know before any number (str), such as that the data are
        not the claim's; only where there is a notice.

    The document also holds what the study's factors say about causes, where the study has such
    factors. The fields of an entry are those of the class that is named.

    decompositions : by claim, ``reports.findings.attribution.Attribution``, null where the claim
        cannot be taken apart; ``means`` by the names of the changed factors, joined with "+".
    effects : list of ``reports.findings.effects.Effect``.
    levels : by factor, list of ``reports.findings.effects.LevelGain``.
    curves : list of ``reports.findings.curves.CurveFinding``.
    variances : by method, ``reports.findings.variance.VarianceComponents``, null where they are
        unknown; ``seeds`` by half-width in points, with ``number`` and ``range`` (null above
        100,000).
    """
    main = analysis.claims[:1]
    told = {answer.claim: answer for answer in analysis.answers}
    cause = told.pop(main[0].claim.id, None) if main else None
    document = {
        "study": analysis.study,
        "program": report_program(),
        "fingerprint": analysis.fingerprint,
        "first_run": analysis.first_run,
        "headline": headline(analysis),
        "completeness": complete(analysis.whole),
        "claims": _claims(analysis),
        "family": [_member(member) for member in analysis.family],
        "agreement": analysis.agreement,
        "criteria": analysis.criteria,
        "error_rates": analysis.error_rates,
        "error_rates_note": error_rates_note(main[0]) if analysis.error_rates else None,
        "cells": [_cells(cells) for cells in analysis.cells],
        "devices": analysis.devices,
        "records": dict(analysis.records),
        "robustness": analysis.robustness,
        "asked": analysis.asked,
        "commands": analysis.commands,
        "cause": cause,
        "taken_apart": _one_or_all(analysis.taken_apart),
    }
    causes = {
        part.name: getattr(analysis.causes, part.name)
        for part in fields(analysis.causes)
        if getattr(analysis.causes, part.name)
    }
    # Most reports have none of these entries, and reports of earlier versions never have them.
    notices = {"notices": analysis.notices} if analysis.notices else {}
    families: dict[str, Any] = {"families": analysis.families} if analysis.families else {}
    families |= fixed_others(analysis.fixed, _judged)
    paired = {"exploratory": [_pair(pair) for pair in analysis.paired]} if analysis.paired else {}
    crossed = {"bridges": analysis.bridges} if analysis.bridges else {}
    search = {"search": analysis.search} if analysis.search else {}
    others = {"other_causes": list(told.values())} if told else {}
    code = {"code_states": analysis.code} if code_notice(analysis.code) else {}
    encoded: dict[str, Any] = as_json(
        document | others | paired | families | notices | crossed | search | code | causes
    )
    return encoded


def _one_or_all(names: Sequence[str]) -> str | list[str] | None:
    """Return names as reports have them since studies could name several."""
    return list(names) if len(names) > 1 else next(iter(names), None)


def _cells(cells: Cells) -> dict[str, Any]:
    """Return the counts of a condition; most have no others, and no earlier report has them."""
    encoded: dict[str, Any] = as_json(cells)
    if not cells.others:
        del encoded["others"]
    return encoded


def _claims(analysis: Analysis) -> list[dict[str, Any]]:
    """Return the claims of every kind in the study's order, each with what it is among all."""
    entries = {judged.claim.id: _claim(judged) for judged in analysis.claims}
    entries |= {one.claim.id: _statement(one) for one in analysis.statements}
    for name, entry in entries.items():
        among = analysis.told.get(name)
        own = entry.pop("own")
        entry["differs_in"] = analysis.differ.get(name)
        entry |= {"p_holm": among and among.p_holm, "stands": among and among.stands, **own}
        entry["completeness"] = complete(analysis.complete[name])
        entry["fixed"] = fixed_claim(analysis.fixed, name, _judged)
    return [entries[name] for name in analysis.order]


def _judged(one: JudgedClaim | JudgedStatement) -> dict[str, Any]:
    entry = _claim(one) if isinstance(one, JudgedClaim) else _statement(one)
    own: dict[str, Any] = entry.pop("own")
    return entry | own


def _statement(one: JudgedStatement) -> dict[str, Any]:
    """Return a claim of another kind; what only a gain has is None."""
    claim, ruling = one.claim, one.ruling
    fields = ("estimate", "ci", "ci_equivalence", "procedure", "seeds_needed")
    numbers = dict.fromkeys(FROM_PAIRS) | {name: getattr(ruling, name, None) for name in fields}
    own: dict[str, Any] = {
        "kind": claim.kind,
        "metric": claim.metric,
        "share": None,
        "asks": one.asks,
        "conditions": claim.conditions,
        "data": ruling and ruling.data,
        "sizes": one.sizes,
    }
    if ruling is not None and ruling.standings:
        own |= {"standings": ruling.standings, "pairs": ruling.pairs}
    terms = ("treatment", "baseline", *TERMS)
    return {
        **{name: getattr(claim, name) for name in ("id", "text", "source")},
        **{name: getattr(claim, name, None) for name in terms},
        "unit": unit_of(claim),
        "expected": claim.expected,
        "as_expected": one.as_expected,
        "verdict": ruling and ruling.verdict,
        "reason": ruling and ruling.reason,
        **numbers,
        "n": min(one.sizes),
        "p_values": dict.fromkeys(P_VALUES),
        "dropped": one.dropped,
        "p_value": ruling and ruling.p_value,
        "own": own,
    }


def _claim(judged: JudgedClaim) -> dict[str, Any]:
    claim, pair, judgement = judged.claim, judged.contrast, judged.judgement
    numbers = _numbers(judged)
    p_values = numbers.pop("p_values")
    return {
        **{name: getattr(claim, name) for name in OF_CLAIM},
        "expected": claim.expected,
        "as_expected": judged.as_expected,
        "verdict": judgement and judgement.verdict,
        "reason": judgement and judgement.reason,
        **numbers,
        "n": len(pair.seeds),
        **{name: getattr(claim, name) for name in TERMS},
        "p_values": p_values,
        "dropped": pair.dropped,
        "p_value": judgement and judgement.p_value,
        "own": {
            "kind": "gain",
            "metric": "final-accuracy",
            "share": judgement and judgement.share,
        },
    }


def _numbers(judged: JudgedClaim) -> dict[str, Any]:
    """Return what the pairs say; every value is None where there is no pair."""
    compared, judgement = judged.contrast.comparison, judged.judgement
    if compared is None or judgement is None:
        return dict.fromkeys(FROM_PAIRS) | {"p_values": dict.fromkeys(P_VALUES)}
    return {
        "estimate": compared.mean,
        "sd": compared.sd,
        "ci95": compared.ci95,
        "ci90": compared.ci90,
        "bca95": compared.bca95,
        "ci": judgement.ci,
        "ci_equivalence": judgement.ci_equivalence,
        "procedure": judgement.procedure,
        "hedges_gz": compared.hedges_gz,
        "probability_superior": compared.probability_superior,
        "probability_superior_ci95": compared.probability_superior_ci95,
        "seeds_needed": judgement.seeds_needed,
        "p_values": {
            "t": compared.p_t,
            "wilcoxon": compared.p_wilcoxon,
            "sign_flip": compared.p_sign_flip,
            "smallest": compared.smallest_p,
            "tost_claim": judgement.p_claim,
            "tost_zero": judgement.p_zero,
        },
    }


def _pair(pair: Contrast) -> dict[str, Any]:
    compared = pair.comparison
    return {
        "treatment": pair.treatment,
        "baseline": pair.baseline,
        "n": len(pair.seeds),
        "estimate": compared and compared.mean,
        "ci95": compared and compared.ci95,
    }


def _member(member: FamilyMember) -> dict[str, Any]:
    pair = member.contrast
    return {
        "treatment": pair.treatment,
        "baseline": pair.baseline,
        "estimate": pair.comparison and pair.comparison.mean,
        "ci95": pair.comparison and pair.comparison.ci95,
        "n": pair.comparison.n if pair.comparison else 0,
        "p": member.p,
        "p_holm": member.p_holm,
    }
