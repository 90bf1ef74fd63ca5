"""What a report says in short, for a program: the verdicts, and what to know before any number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.findings.analysis import Analysis
from reports.findings.contrasts import JudgedClaim
from reports.findings.requirements import reservations
from reports.findings.statements import JudgedStatement
from reports.judging.kind import Ruling
from reports.numbers.verdict import Judgement
from reports.output.encoding import as_json


def in_short(analysis: Analysis) -> dict[str, Any]:
    """Return ``claims`` in the study's order and ``notices``, as JSON has them.

    A claim has id, verdict (null where no seed can tell), estimate, ci and procedure as in
    ``reports.output.document``, seeds (list of the number of seeds of each sample), as_expected
    (bool; null for what is no control) and reserved (why the verdict meets no requirement yet, such
    as "PRELIMINARY"; null where it does).
    """
    judged = {one.claim.id: one for one in analysis.judged}
    reserved = reservations(analysis.complete, analysis.fixed)
    claims = [_claim(judged[name]) | {"reserved": reserved.get(name)} for name in analysis.order]
    short: dict[str, Any] = as_json({"claims": claims, "notices": analysis.notices})
    return short


def _claim(judged: JudgedClaim | JudgedStatement) -> dict[str, Any]:
    estimate: float | None = None
    if isinstance(judged, JudgedClaim):
        comparison = judged.contrast.comparison
        if comparison is not None:
            estimate = comparison.mean
        return _facts(judged, judged.judgement, estimate, [comparison.n if comparison else 0])
    if judged.ruling is not None:
        estimate = judged.ruling.estimate
    return _facts(judged, judged.ruling, estimate, judged.sizes)


def _facts(
    judged: JudgedClaim | JudgedStatement,
    ruling: Judgement | Ruling | None,
    estimate: float | None,
    seeds: Sequence[int],
) -> dict[str, Any]:
    return {
        "id": judged.claim.id,
        "verdict": None if ruling is None else str(ruling.verdict),
        "estimate": estimate,
        "ci": None if ruling is None else ruling.ci,
        "procedure": None if ruling is None else ruling.procedure,
        "seeds": seeds,
        "as_expected": judged.as_expected,
    }
