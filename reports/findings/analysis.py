"""Selected records and a study -> everything the report says, as one frozen value.

Pure: reads and writes no files. Accuracies are in %, differences in the unit of their contrast.
All of a report speaks of one set of seeds (``seeds_of``). A seed enters a comparison only where
both conditions have it done; every other one is counted with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from reports.findings.agreement import Agreement, PublishedValuesLike, agreements
from reports.findings.notices import notices
from reports.findings.origins import Counts, Origin, origins, provenance_counts
from reports.numbers import metrics
from reports.numbers.statistics import (
    FIXED,
    PairedComparison,
    Procedure,
    Unit,
    compare_paired,
    holm,
)
from reports.numbers.summary import StudyLike
from reports.numbers.tables import Record, task_count
from reports.numbers.verdict import Judgement, judge

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
    @property
    def expected(self) -> str | None: ...  # noqa: D102


class JudgedStudyLike(StudyLike, Protocol):
    """A study with claims, as the analysis reads it."""

    @property
    def seeds(self) -> Sequence[int]: ...  # noqa: D102
    @property
    def published(self) -> Sequence[PublishedValuesLike]: ...  # noqa: D102
    @property
    def claims(self) -> Sequence[ClaimLike]: ...  # noqa: D102
    def fingerprint(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Contrast:
    """Treatment minus baseline over the seeds that both have done.

    Attributes
    ----------
    seeds, treated, untreated : the pairs, aligned and sorted by seed; accuracies in %.
    dropped : by seed of the report, why it is in no pair; (3, "baseline diverged").
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

    @property
    def as_expected(self) -> bool | None:
        """Whether a control got the verdict it must get; None for a real claim, or unjudged."""
        if self.claim.expected is None or self.judgement is None:
            return None
        return str(self.judgement.verdict) == self.claim.expected


@dataclass(frozen=True)
class FamilyMember:
    """A contrast of the family with its two-sided paired t p-value before and after Holm."""

    contrast: Contrast
    p: float
    p_holm: float


@dataclass(frozen=True)
class Cells:
    """How many of a condition's cells are done, diverged, and missing of the report's seeds."""

    condition: str
    done: int
    diverged: int
    missing: tuple[int, ...]


@dataclass(frozen=True)
class Analysis:
    """All that the report says; from ``analyse``.

    Attributes
    ----------
    seeds : of which all of it speaks; from ``seeds_of``.
    tasks : how many there are; 0 without records.
    provenance : by field of a record's provenance, its values and how many cells have each.
    devices : which machine made what.
    records : the key of every record and the hash of its content, None where it has none.
    first_run : when the first cell finished (ISO 8601), None where no record says.
    compute_seconds : summed time of all cells.
    procedure : by which the claims were judged.
    notices : what a reader must know before any number.
    extra : sections computed elsewhere, by name, ready for JSON; ``verdict.json`` has them too.
    """

    study: str
    fingerprint: str
    seeds: tuple[int, ...]
    tasks: int
    claims: tuple[JudgedClaim, ...]
    family: tuple[FamilyMember, ...]
    agreement: tuple[Agreement, ...]
    cells: tuple[Cells, ...]
    provenance: tuple[tuple[str, Counts], ...]
    devices: tuple[Origin, ...]
    records: tuple[tuple[str, str | None], ...]
    first_run: str | None
    compute_seconds: float
    procedure: Procedure
    notices: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


def seeds_of(records: Sequence[Record], study: JudgedStudyLike) -> tuple[int, ...]:
    """Return the seeds that a report speaks of: those that the study asks for, and all on record.

    Who ran more seeds than the study asks for wants to see them; and who ran some of them for some
    conditions only is told which are missing of the others.
    """
    return tuple(dict.fromkeys([*study.seeds, *sorted({record["seed"] for record in records})]))


def analyse(
    records: Sequence[Record], study: JudgedStudyLike, procedure: Procedure = FIXED
) -> Analysis:
    """Analyse the selected records of a study; the order of the records does not matter."""
    of = {(record["condition"], record["seed"]): record for record in records}
    seeds = seeds_of(records, study)
    family = [
        contrast(of, f"dhp+{base}", base, seeds)
        for base in FAMILY
        if {base, f"dhp+{base}"} <= set(study.conditions)
    ]
    raw = [member.comparison.p_t if member.comparison else 1.0 for member in family]
    adjusted = holm(raw) if raw else []
    finished = [r["timings"]["finished"] for r in records if "finished" in r.get("timings", {})]
    return Analysis(
        study=study.name,
        fingerprint=study.fingerprint(),
        seeds=seeds,
        tasks=task_count(records),
        claims=tuple(_judged(of, claim, seeds, procedure) for claim in study.claims),
        family=tuple(map(FamilyMember, family, raw, adjusted)),
        agreement=tuple(agreements(records, study.published)),
        cells=tuple(_cells(of, name, seeds) for name in study.conditions),
        provenance=provenance_counts(records),
        devices=origins(records),
        records=tuple(sorted({r["key"]: r.get("sha256") for r in records}.items())),
        first_run=min(finished, default=None),
        # fsum: exact, so the order in which records are read changes no digit
        compute_seconds=math.fsum(r.get("timings", {}).get("total", 0.0) for r in records),
        procedure=procedure,
        notices=notices(records),
    )


def contrast(
    of: dict[tuple[str, int], Record],
    treatment: str,
    baseline: str,
    seeds: Sequence[int],
    unit: Unit = "points",
) -> Contrast:
    """Pair two conditions over ``seeds``; ``of`` holds the records by condition and seed."""
    pairs: list[tuple[int, float, float]] = []
    dropped: list[tuple[int, str]] = []
    for seed in sorted(seeds):
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


def final_accuracies(records: Sequence[Record]) -> dict[str, dict[int, float]]:
    """Return by condition and seed the final accuracy in % of the cells that are done."""
    finals: dict[str, dict[int, float]] = {}
    for record in records:
        if record["status"] == "done":
            finals.setdefault(record["condition"], {})[record["seed"]] = _final(record)
    return finals


def _final(record: Record) -> float:
    return 100 * metrics.final_accuracy(metrics.as_matrix(record["accuracy"]))


def _fault(record: Record | None, role: str) -> str:
    if record is None:
        return f"{role} missing"
    return "" if record["status"] == "done" else f"{role} {record['status']}"


def _cells(of: dict[tuple[str, int], Record], condition: str, seeds: Sequence[int]) -> Cells:
    own = {seed: record["status"] for (name, seed), record in of.items() if name == condition}
    done = sum(status == "done" for status in own.values())
    return Cells(condition, done, len(own) - done, tuple(s for s in seeds if s not in own))
