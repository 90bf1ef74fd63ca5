"""Selected records and a study -> everything the report says, as one frozen value.

Pure: reads and writes no files. Accuracies are in %, differences in the unit of their contrast.
A seed enters a comparison only where both conditions have it done; every other seed of the study
is counted with its reason.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from reports import metrics
from reports.statistics import (
    FIXED,
    Interval,
    PairedComparison,
    Procedure,
    Unit,
    compare_paired,
    holm,
    t_interval,
)
from reports.summary import StudyLike
from reports.tables import Record
from reports.verdict import Judgement, judge

FAMILY = ("ewc", "online-ewc", "si", "mas")
"""Baselines of the family "DHP improves every consolidation"; the treatment is ``dhp+`` each."""


class ClaimLike(Protocol):
    """What the report reads of a claim."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def treatment(self) -> str: ...  # noqa: D102
    @property
    def baseline(self) -> str: ...  # noqa: D102
    @property
    def reported(self) -> float: ...  # noqa: D102
    @property
    def unit(self) -> Unit: ...  # noqa: D102
    @property
    def margin(self) -> float: ...  # noqa: D102
    @property
    def negligible(self) -> float: ...  # noqa: D102
    @property
    def alpha(self) -> float: ...  # noqa: D102


class JudgedStudyLike(StudyLike, Protocol):
    """A study with claims, as the analysis reads it."""

    @property
    def seeds(self) -> Sequence[int]: ...  # noqa: D102
    @property
    def claims(self) -> Sequence[ClaimLike]: ...  # noqa: D102
    def fingerprint(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Contrast:
    """Treatment minus baseline over the seeds that both have done.

    Attributes
    ----------
    seeds, treated, untreated : the pairs, aligned and sorted by seed; accuracies in %.
    dropped : by seed of the study, why it is in no pair; (3, "baseline diverged").
    comparison : None where no pair is left.
    """

    treatment: str
    baseline: str
    seeds: tuple[int, ...]
    treated: tuple[float, ...]
    untreated: tuple[float, ...]
    dropped: tuple[tuple[int, str], ...]
    comparison: PairedComparison | None


@dataclass(frozen=True)
class JudgedClaim:
    """A claim and what the data say; ``judgement`` is None where no pair is left."""

    claim: ClaimLike
    contrast: Contrast
    judgement: Judgement | None


@dataclass(frozen=True)
class FamilyMember:
    """A contrast of the family with its two-sided paired t p-value before and after Holm."""

    contrast: Contrast
    p: float
    p_holm: float


@dataclass(frozen=True)
class Agreement:
    """A condition's mean final accuracy minus a published one, in points, with its 95% interval."""

    condition: str
    source: str
    published: float
    n: int
    difference: float
    ci95: Interval


@dataclass(frozen=True)
class Cells:
    """How many of a condition's cells are done, diverged, and missing of the study's seeds."""

    condition: str
    done: int
    diverged: int
    missing: tuple[int, ...]


@dataclass(frozen=True)
class Analysis:
    """All that the report says; from ``analyse``.

    Attributes
    ----------
    provenance : by field of a record's provenance, its values and how many cells have each.
    first_run : when the first cell finished (ISO 8601), None where no record says.
    compute_seconds : summed time of all cells.
    """

    study: str
    fingerprint: str
    claims: tuple[JudgedClaim, ...]
    family: tuple[FamilyMember, ...]
    agreement: tuple[Agreement, ...]
    cells: tuple[Cells, ...]
    provenance: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    first_run: str | None
    compute_seconds: float


def analyse(
    records: Sequence[Record], study: JudgedStudyLike, procedure: Procedure = FIXED
) -> Analysis:
    """Analyse the selected records of a study; the order of the records does not matter."""
    of = {(record["condition"], record["seed"]): record for record in records}
    family = [
        contrast(of, f"dhp+{base}", base, study.seeds)
        for base in FAMILY
        if {base, f"dhp+{base}"} <= set(study.conditions)
    ]
    raw = [member.comparison.p_t if member.comparison else 1.0 for member in family]
    adjusted = holm(raw) if raw else []
    finished = [r["timings"]["finished"] for r in records if "finished" in r.get("timings", {})]
    return Analysis(
        study=study.name,
        fingerprint=study.fingerprint(),
        claims=tuple(_judged(of, claim, study.seeds, procedure) for claim in study.claims),
        family=tuple(map(FamilyMember, family, raw, adjusted)),
        agreement=tuple(_agreement(of, study)),
        cells=tuple(_cells(of, name, study.seeds) for name in study.conditions),
        provenance=_provenance(records),
        first_run=min(finished, default=None),
        # fsum: exact, so the order in which records are read changes no digit
        compute_seconds=math.fsum(r.get("timings", {}).get("total", 0.0) for r in records),
    )


def contrast(
    of: dict[tuple[str, int], Record],
    treatment: str,
    baseline: str,
    seeds: Sequence[int],
    unit: Unit = "points",
) -> Contrast:
    """Pair two conditions by seed; ``of`` holds the records by condition and seed."""
    wanted = set(seeds) | {seed for name, seed in of if name in (treatment, baseline)}
    pairs: list[tuple[int, float, float]] = []
    dropped: list[tuple[int, str]] = []
    for seed in sorted(wanted):
        treated, untreated = of.get((treatment, seed)), of.get((baseline, seed))
        faults = [_fault(treated, "treatment"), _fault(untreated, "baseline")]
        if treated is None or untreated is None or any(faults):
            dropped.append((seed, ", ".join(filter(None, faults))))
        else:
            pairs.append((seed, _final(treated), _final(untreated)))
    a, b = [pair[1] for pair in pairs], [pair[2] for pair in pairs]
    return Contrast(
        treatment,
        baseline,
        tuple(pair[0] for pair in pairs),
        tuple(a),
        tuple(b),
        tuple(dropped),
        compare_paired(a, b, unit=unit) if pairs else None,
    )


def verdict_document(analysis: Analysis) -> dict[str, Any]:
    """Return what ``verdict.json`` holds; an infinite end of an interval is None (null).

    ``claims``: a list, in the study's order, of id, text, source, treatment, baseline, verdict
    (null without a pair), reason, unit, reported, margin, negligible, alpha, n, estimate, sd,
    ci95, ci90, ci and ci_equivalence (those that decided, at 1 - alpha and 1 - 2 alpha),
    procedure, p_values (t, wilcoxon, sign_flip, smallest, tost_claim, tost_zero), hedges_gz,
    probability_superior, seeds_needed, dropped (seed and reason). ``family``: treatment,
    baseline, estimate, p, p_holm. ``agreement``, ``cells``: as the dataclasses of those names.
    """
    return {
        "study": analysis.study,
        "fingerprint": analysis.fingerprint,
        "first_run": analysis.first_run,
        "claims": [_claim_entry(judged) for judged in analysis.claims],
        "family": [
            {
                "treatment": member.contrast.treatment,
                "baseline": member.contrast.baseline,
                "estimate": member.contrast.comparison and member.contrast.comparison.mean,
                "p": member.p,
                "p_holm": member.p_holm,
            }
            for member in analysis.family
        ],
        "agreement": [vars(one) | {"ci95": _ends(one.ci95)} for one in analysis.agreement],
        "cells": [vars(one) | {"missing": list(one.missing)} for one in analysis.cells],
    }


def _claim_entry(judged: JudgedClaim) -> dict[str, Any]:
    claim, pair, found = judged.claim, judged.contrast, judged.judgement
    fields = ("id", "text", "source", "treatment", "baseline", "unit", "reported", "margin")
    entry: dict[str, Any] = {n: getattr(claim, n) for n in (*fields, "negligible", "alpha")}
    entry |= {"verdict": None, "n": 0, "dropped": [list(one) for one in pair.dropped]}
    compared = pair.comparison
    if compared is None or found is None:
        return entry
    return entry | {
        "verdict": str(found.verdict),
        "reason": found.reason,
        "n": compared.n,
        "estimate": compared.mean,
        "sd": compared.sd,
        "ci95": _ends(compared.ci95),
        "ci90": _ends(compared.ci90),
        "bca95": _ends(compared.bca95),
        "ci": _ends(found.ci),
        "ci_equivalence": _ends(found.ci_equivalence),
        "procedure": found.procedure,
        "p_values": {
            "t": compared.p_t,
            "wilcoxon": compared.p_wilcoxon,
            "sign_flip": compared.p_sign_flip,
            "smallest": compared.smallest_p,
            "tost_claim": found.p_claim,
            "tost_zero": found.p_zero,
        },
        "hedges_gz": compared.hedges_gz,
        "probability_superior": compared.probability_superior,
        "probability_superior_ci95": _ends(compared.probability_superior_ci95),
        "seeds_needed": found.seeds_needed,
    }


def _ends(interval: Interval) -> list[float | None]:
    return [end if math.isfinite(end) else None for end in (interval.low, interval.high)]


def _judged(
    of: dict[tuple[str, int], Record],
    claim: ClaimLike,
    seeds: Sequence[int],
    procedure: Procedure,
) -> JudgedClaim:
    pair = contrast(of, claim.treatment, claim.baseline, seeds, claim.unit)
    if pair.comparison is None:
        return JudgedClaim(claim, pair, None)
    found = judge(
        pair.comparison,
        claim.reported,
        claim.margin,
        claim.negligible,
        unit=claim.unit,
        alpha=claim.alpha,
        procedure=procedure,
    )
    return JudgedClaim(claim, pair, found)


def _final(record: Record) -> float:
    return 100 * metrics.final_accuracy(metrics.as_matrix(record["accuracy"]))


def _fault(record: Record | None, role: str) -> str:
    if record is None:
        return f"{role} missing"
    return "" if record["status"] == "done" else f"{role} {record['status']}"


def _finals(of: dict[tuple[str, int], Record], condition: str) -> list[float]:
    chosen = sorted(key for key in of if key[0] == condition and of[key]["status"] == "done")
    return [_final(of[key]) for key in chosen]


def _agreement(of: dict[tuple[str, int], Record], study: JudgedStudyLike) -> list[Agreement]:
    found = []
    for source in study.published:
        for condition, values in source.accuracy.items():
            finals = np.array(_finals(of, condition)) - values[-1]
            if len(finals):
                mean, ci = float(finals.mean()), t_interval(finals, 0.95)
                found.append(Agreement(condition, source.id, values[-1], len(finals), mean, ci))
    return found


def _cells(of: dict[tuple[str, int], Record], condition: str, seeds: Sequence[int]) -> Cells:
    own = {seed: record["status"] for (name, seed), record in of.items() if name == condition}
    done = sum(status == "done" for status in own.values())
    return Cells(condition, done, len(own) - done, tuple(s for s in seeds if s not in own))


def _provenance(records: Sequence[Record]) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    counts: dict[str, Counter[str]] = {}
    for record in records:
        origin = dict(record.get("provenance", {}))
        origin |= {f"code {k}": v for k, v in origin.pop("code", {}).items()}
        for name, value in origin.items():
            counts.setdefault(name, Counter())[str(value)] += 1
    return tuple((name, tuple(sorted(counts[name].items()))) for name in sorted(counts))
