"""Two conditions compared over the seeds that are done for both, and what that says of a claim.

Accuracies are in %, differences in the unit of their contrast. A seed enters a comparison only
where it is done for both conditions; every other seed of the report is counted with its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from reports.numbers.intervals import Procedure
from reports.numbers.paired import PairedComparison, Unit, compare_paired
from reports.numbers.records import Record, final_accuracy, is_done
from reports.numbers.significance import holm
from reports.numbers.study import Claim, Study
from reports.numbers.verdict import Judgement, Verdict, judge


@dataclass(frozen=True)
class Contrast:
    """Treatment minus baseline over the seeds that are done for both.

    Attributes
    ----------
    seeds, treated, untreated : the pairs, aligned and sorted by seed; accuracies in %.
    dropped : each seed of the report that is in no pair, and why: (3, "baseline diverged").
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
    """A claim and what the data say of it; ``judgement`` is None where no pair is left."""

    claim: Claim
    contrast: Contrast
    judgement: Judgement | None

    @property
    def as_expected(self) -> bool | None:
        """Whether a control got the verdict it must get; None for a real or an unjudged claim."""
        if self.claim.expected is None or self.judgement is None:
            return None
        return str(self.judgement.verdict) == self.claim.expected


@dataclass(frozen=True)
class FamilyMember:
    """A contrast of a family with its two-sided paired t p-value before and after Holm.

    Attributes
    ----------
    family : the statement that the family makes.
    """

    family: str
    contrast: Contrast
    p: float
    p_holm: float


@dataclass(frozen=True)
class Cells:
    """How many of a condition's cells are done, diverged or neither, and which seeds are missing.

    ``others`` are the cells that neither ended nor diverged, by their status: failed, timed out.
    """

    condition: str
    done: int
    diverged: int
    missing: tuple[int, ...]
    others: tuple[tuple[str, int], ...] = ()

    @property
    def recorded(self) -> int:
        """Number of cells on record."""
        return self.done + self.diverged + sum(count for _, count in self.others)


def seeds_of(records: Sequence[Record], study: Study) -> tuple[int, ...]:
    """Return the seeds that a report is about: those that the study asks for, and all on record.

    Somebody who ran more seeds than the study asks for wants to see them. Where only some
    conditions have these seeds, the report names them as missing for the other conditions.
    """
    return tuple(dict.fromkeys([*study.seeds, *sorted({record["seed"] for record in records})]))


def families_of(
    records_by_cell: dict[tuple[str, int], Record], study: Study, seeds: Sequence[int]
) -> Iterator[FamilyMember]:
    """Yield the contrasts of each group that the study has conditions for, after Holm."""
    for comparisons in study.comparisons:
        contrasts = [
            contrast(records_by_cell, treatment, study.pairs[treatment], seeds)
            for treatment in comparisons.treatments
            if {treatment, study.pairs[treatment]} <= set(study.conditions)
        ]
        raw = [member.comparison.p_t if member.comparison else 1.0 for member in contrasts]
        for member, p, p_holm in zip(contrasts, raw, holm(raw) if raw else [], strict=True):
            yield FamilyMember(comparisons.text, member, p, p_holm)


def pairs_of(
    records_by_cell: dict[tuple[str, int], Record], study: Study, seeds: Sequence[int]
) -> Iterator[Contrast]:
    """Yield the contrasts of the study's pairs that no claim and no family is about."""
    known = {(claim.treatment, claim.baseline) for claim in study.gains}
    known |= {(name, study.pairs[name]) for of in study.comparisons for name in of.treatments}
    for treatment, baseline in study.pairs.items():
        if (treatment, baseline) not in known and {treatment, baseline} <= set(study.conditions):
            yield contrast(records_by_cell, treatment, baseline, seeds)


def contrast(
    records_by_cell: dict[tuple[str, int], Record],
    treatment: str,
    baseline: str,
    seeds: Sequence[int],
    unit: Unit = "points",
) -> Contrast:
    """Pair two conditions over ``seeds``; ``records_by_cell`` is by condition and seed."""
    pairs: list[tuple[int, float, float]] = []
    dropped: list[tuple[int, str]] = []
    same = True
    for seed in sorted(seeds):
        treated = records_by_cell.get((treatment, seed))
        untreated = records_by_cell.get((baseline, seed))
        faults = [_fault(treated, "treatment"), _fault(untreated, "baseline")]
        if treated is None or untreated is None or any(faults):
            dropped.append((seed, ", ".join(filter(None, faults))))
        else:
            pairs.append((seed, final_accuracy(treated), final_accuracy(untreated)))
            same = same and did_the_same(treated, untreated)
    a, b = [pair[1] for pair in pairs], [pair[2] for pair in pairs]
    return Contrast(
        treatment,
        baseline,
        tuple(pair[0] for pair in pairs),
        tuple(a),
        tuple(b),
        tuple(dropped),
        compare_paired(a, b, unit=unit, same=same) if pairs else None,
    )


def did_the_same(first: Record, second: Record) -> bool:
    """Tell whether two cells agree in all accuracies, and in what else both of them kept."""
    answers = first.get("right"), second.get("right")
    values = first.get("values"), second.get("values")  # the stack keeps none
    if None not in values and values[0] != values[1]:
        return False
    return first["accuracy"] == second["accuracy"] and (None in answers or answers[0] == answers[1])


def judge_claim(
    records_by_cell: dict[tuple[str, int], Record],
    claim: Claim,
    seeds: Sequence[int],
    procedure: Procedure,
) -> JudgedClaim:
    """Judge a claim by the pairs of ``seeds``; ``records_by_cell`` is by condition and seed."""
    pair = contrast(records_by_cell, claim.treatment, claim.baseline, seeds, claim.unit)
    if pair.comparison is None:
        return JudgedClaim(claim, pair, None)
    return JudgedClaim(claim, pair, judgement_of(pair.comparison, claim, procedure))


def judgement_of(compared: PairedComparison, claim: Claim, procedure: Procedure) -> Judgement:
    """Judge a claim by a comparison of its two conditions."""
    return judge(
        compared,
        claim.reported,
        claim.margin,
        claim.negligible,
        unit=claim.unit,
        alpha=claim.alpha,
        procedure=procedure,
    )


def undecided(claims: Sequence[JudgedClaim]) -> list[str]:
    """Return the claims that more seeds may decide, by id."""
    return [
        judged.claim.id
        for judged in claims
        if judged.judgement is None or not judged.judgement.settled
    ]


def undecidable(claims: Sequence[JudgedClaim]) -> list[str]:
    """Return the claims of whose size no number of seeds tells more, by id."""
    return [
        judged.claim.id
        for judged in claims
        if judged.judgement
        and judged.judgement.settled
        and judged.judgement.verdict is Verdict.DIRECTION_ONLY
    ]


def final_accuracies(records: Sequence[Record]) -> dict[str, dict[int, float]]:
    """Return by condition and seed the final accuracy in % of the cells that are done."""
    finals: dict[str, dict[int, float]] = {}
    for record in records:
        if is_done(record) and record["accuracy"]:
            finals.setdefault(record["condition"], {})[record["seed"]] = final_accuracy(record)
    return finals


def same_of(records: Sequence[Record]) -> Callable[[str, str, Sequence[int]], bool]:
    """Return what tells whether two conditions did the same on all of some seeds."""
    by_cell = {(record["condition"], record["seed"]): record for record in records}

    def same(first: str, second: str, seeds: Sequence[int]) -> bool:
        return all(did_the_same(by_cell[first, seed], by_cell[second, seed]) for seed in seeds)

    return same


def _fault(record: Record | None, role: str) -> str:
    if record is None:
        return f"{role} not yet run"
    return "" if is_done(record) else f"{role} {record['status']}"


def cells_of(
    records_by_cell: dict[tuple[str, int], Record], condition: str, seeds: Sequence[int]
) -> Cells:
    """Count a condition's cells; ``records_by_cell`` is by condition and seed."""
    statuses = {
        seed: record["status"]
        for (name, seed), record in records_by_cell.items()
        if name == condition
    }
    missing = tuple(seed for seed in seeds if seed not in statuses)
    counts = Counter(statuses.values())
    done, diverged = counts.pop("done", 0), counts.pop("diverged", 0)
    return Cells(condition, done, diverged, missing, tuple(sorted(counts.items())))
