"""Selected records and a study -> everything that a report says, as one frozen value.

Nothing here reads or writes a file. The code that shows a report takes this value, and nothing else
of the records.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from reports.findings.agreement import Agreement, agreements
from reports.findings.apart import Answer, answers_of, told_by_itself
from reports.findings.asked import Asked, asked
from reports.findings.bridges import NEGLIGIBLE, Bridge, bridges
from reports.findings.causes import Causes, causes, judged_curve
from reports.findings.completeness import (
    NOT_IMPORTED,
    NOT_RUN,
    Completeness,
    of_cells,
    of_seeds,
)
from reports.findings.contrasts import (
    Cells,
    Contrast,
    FamilyMember,
    JudgedClaim,
    cells_of,
    families_of,
    judge_claim,
    pairs_of,
    seeds_of,
)
from reports.findings.criteria import Criterion, criteria
from reports.findings.error_rates import ErrorRate, error_rates
from reports.findings.families import JudgedFamily, Told, judged_families, tables_among, told
from reports.findings.fixing import Fixing, Standing, fixings, late_notices
from reports.findings.looks import Look
from reports.findings.measured import Values, is_single, values_of
from reports.findings.notices import notices
from reports.findings.origins import (
    CellCounts,
    CodeState,
    Origin,
    code_states,
    origins,
    provenance_counts,
)
from reports.findings.pairing import Pairing, pairings
from reports.findings.requirements import failed_controls
from reports.findings.robustness import Robustness, procedure_of, robust
from reports.findings.searched import Search, search_of
from reports.findings.settings import differ_by_claim
from reports.findings.statements import JudgedStatement, judge_statement
from reports.findings.unshared import as_paired
from reports.numbers import tables, values
from reports.numbers.intervals import FIXED, Procedure
from reports.numbers.metrics import Floats
from reports.numbers.records import Record, is_done
from reports.numbers.study import Claim, Statement, Study


@dataclass(frozen=True)
class Measured:
    """The accuracies and telemetry themselves, as tables.

    Attributes
    ----------
    tidy : one row for each measured accuracy; see ``reports.numbers.tables.tidy``.
    summary : one row for each condition, in the study's order; see
        ``reports.numbers.tables.summary``.
    shown : the same with the intervals to show; see ``reports.numbers.tables.possible``.
    published : by source, each condition's published accuracy after the last task, in %.
    curves : the accuracy over the tasks seen, of each cell that is done; see ``tables.curves``.
    matrices : by condition, the accuracy matrices of the cells that are done, (seeds, T, T).
    telemetry : what each cell recorded of its method after each task; see ``tables.telemetry``.
    spreads : the same over seeds; see ``tables.spread_of``.
    settings : one row for each condition, with all that it sets; see ``tables.settings``.
    """

    tidy: tables.LongTable
    summary: pd.DataFrame
    shown: pd.DataFrame
    published: Mapping[str, Mapping[str, float]]
    curves: pd.DataFrame
    matrices: Mapping[str, Floats]
    telemetry: tables.LongTable
    spreads: pd.DataFrame
    settings: pd.DataFrame


def measured(records: Sequence[Record], study: Study) -> Measured:
    """Return the tables of the selected records; their order does not matter."""
    done = [record for record in records if is_done(record)]
    present = {record["condition"] for record in records}
    names, measure = [name for name in study.conditions if name in present], study.measured
    # A summary has the columns that its numbers have: accuracies by task, or one number a cell.
    single = is_single(measure, tables.task_count(records))
    summary = values.summary(records, names, measure) if single else tables.summary(records, names)
    return Measured(
        tidy=tables.LongTable(records, tables.tidy if measure.is_accuracy else values.tidy),
        summary=summary,
        shown=summary if single else tables.possible(summary),
        published=tables.published_finals(tables.task_count(records), study.published),
        curves=tables.curves(done),
        matrices=tables.matrices(done, list(study.conditions)),
        telemetry=tables.LongTable(records, tables.telemetry),
        spreads=tables.spreads(records),
        settings=tables.settings({name: study.conditions[name] for name in names}),
    )


@dataclass(frozen=True)
class Analysis:
    """All that the report says; from ``analyse``.

    Attributes
    ----------
    fingerprint : of the study.
    seeds : those that the report is about; from ``seeds_of``.
    tasks : how many there are; 0 without records.
    pairs : by condition, the other one that it is a variant of.
    claims, statements : the gains in final accuracy, and the claims of all other kinds.
    order : the ids of all claims, as the study has them.
    told : by id, the verdict of each claim among those of the study.
    families : of claims that stand or fall together.
    tables : by family that is a table of published means, the ids of its claims.
    provenance : by field of a record's provenance, its values and how many cells have each.
    devices : which machine made which cells.
    code : which state of the code made which cells.
    records : the key of every record and the hash of its content, None where it has none.
    first_run : when the first cell finished (ISO 8601); None where no record tells.
    compute_seconds : summed time of all cells.
    procedure : the one by which the claims were judged, but for those that were judged before.
    notices : what a reader must know before any number.
    criteria, error_rates : of the first gain; empty without a pair of seeds.
    causes : what the study's factors say about causes.
    robustness : what the verdict on each claim leans on, for the claims with a pair of seeds.
    bridges : how much machines that round differently matter, where cells were trained on both.
    commands : those that make records, report and answers anew, by what they do: "again" (the same
        run, where it is known), "here" (from the directory alone), "report", "verify", "causes".
    measured : the accuracies and telemetry themselves.
    values : the number that each cell measured.
    pairings : what pairing buys, for comparisons whose seeds are known by number only.
    fixed : whether each claim, family and curve was fixed before its data, and what those that were
        not said before; empty where nobody knows anything of that.
    whole, complete : how complete the cells of the study are, and by id the seeds of each claim.
    asked : what the study asks, in words and settings.
    paired : pairs of conditions that neither a claim nor a family compares.
    differ : by claim of two conditions, the settings in which they differ.
    answers : what carries the differences that claims are about, where the study or others tell:
        one for the first claim about each contrast; from ``answer_for``.
    taken_apart : names of the studies that take differences apart, that of the main claim first.
    search : how settings of the conditions were chosen, where a search did.
    """

    study: str
    fingerprint: str
    seeds: tuple[int, ...]
    tasks: int
    claims: tuple[JudgedClaim, ...]
    statements: tuple[JudgedStatement, ...]
    order: tuple[str, ...]
    told: Mapping[str, Told]
    families: tuple[JudgedFamily, ...]
    tables: Mapping[str, tuple[str, ...]]
    family: tuple[FamilyMember, ...]
    pairs: Mapping[str, str]
    agreement: tuple[Agreement, ...]
    cells: tuple[Cells, ...]
    provenance: tuple[tuple[str, CellCounts], ...]
    devices: tuple[Origin, ...]
    code: tuple[CodeState, ...]
    records: tuple[tuple[str, str | None], ...]
    first_run: str | None
    compute_seconds: float
    procedure: Procedure
    notices: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    error_rates: tuple[ErrorRate, ...]
    causes: Causes
    bridges: tuple[Bridge, ...]
    robustness: tuple[Robustness, ...]
    commands: Mapping[str, str] = field(default_factory=dict)
    fixed: tuple[Fixing, ...] = ()
    whole: Completeness = field(kw_only=True)
    complete: Mapping[str, Completeness] = field(kw_only=True)
    asked: Asked = field(kw_only=True)
    paired: tuple[Contrast, ...] = field(kw_only=True)
    differ: Mapping[str, tuple[str, ...]] = field(kw_only=True)
    answers: tuple[Answer, ...] = field(kw_only=True)
    taken_apart: tuple[str, ...] = field(kw_only=True)
    measured: Measured = field(compare=False, repr=False, kw_only=True)
    values: Values = field(compare=False, repr=False, kw_only=True)
    pairings: tuple[Pairing, ...] = ()
    search: Search | None = None

    @property
    def judged(self) -> list[JudgedClaim | JudgedStatement]:
        """The claims of every kind, gains in final accuracy first."""
        return [*self.claims, *self.statements]

    @property
    def apart(self) -> list[JudgedStatement]:
        """The claims of other kinds that are not one value of a table among many."""
        tabled = {name for names in self.tables.values() for name in names}
        main = self.order[:1]
        return [s for s in self.statements if s.claim.id not in tabled or s.claim.id in main]


def analyse(
    records: Sequence[Record],
    study: Study,
    procedure: Procedure = FIXED,
    elsewhere: Sequence[Record] = (),
    commands: Mapping[str, str] | None = None,
    looks: Sequence[Look] = (),
    standings: Sequence[Standing] = (),
    *,
    answers: Sequence[Answer] = (),
) -> Analysis:
    """Analyse the selected records of a study; the order of the records does not matter.

    Parameters
    ----------
    elsewhere : records of some of the same cells, from machines that round differently.
    commands : as in ``Analysis``; those that are known.
    looks : those that the results directory remembers.
    standings : whether each claim was fixed before its data, as the directory knows it.
    answers : what other studies tell of causes; what the study's own factors tell goes before.
    """
    records_by_cell = {(record["condition"], record["seed"]): record for record in records}
    seeds = seeds_of(records, study)
    tasks = tables.task_count(records)
    found = values_of(records, list(study.conditions), study.measured, tasks)
    gains, others = as_paired(study, records_by_cell, unshared=found.unshared)
    to_come: Sequence[int] = () if found.imported else study.seeds
    absent = NOT_IMPORTED if found.imported else NOT_RUN

    def judge_gain(claim: Claim) -> tuple[JudgedClaim, Robustness | None]:
        judged = judge_claim(records_by_cell, claim, seeds, procedure)
        return robust(judged, procedure, looks, records_by_cell, seeds, study, tasks)

    def judge_other(claim: Statement) -> JudgedStatement:
        return judge_statement(records_by_cell, claim, seeds, procedure, looks)

    judged_claims = [judge_gain(claim) for claim in gains]
    claims = tuple(judged for judged, _ in judged_claims)
    robustness = tuple(leans for _, leans in judged_claims if leans is not None)
    statements = tuple(judge_other(claim) for claim in others)
    values = {one.claim.id for one in statements if one.claim.kind == "value"}
    families = study.families or ()
    tables_of_values = tables_among(families, values)
    told_by_claim = told(claims, statements, tables_of_values)
    fixed = fixings(
        standings,
        {
            "claim": lambda was: (
                judge_other(was) if hasattr(was, "conditions") else judge_gain(was)[0]
            ),
            "family": lambda was: next(iter(judged_families([was], told_by_claim)), None),
            "curve": lambda was: judged_curve(was, records, study),
        },
    )
    agreement = tuple(agreements(records, study.published))
    main = claims[:1]
    finished = [
        record["timings"]["finished"]
        for record in records
        if "finished" in record.get("timings", {})
    ]
    told_causes = causes(records, study)
    said = () if study.texts is None or study.texts.notice is None else (study.texts.notice,)
    return Analysis(
        study=study.name,
        fingerprint=study.fingerprint(),
        seeds=seeds,
        tasks=tasks,
        claims=claims,
        family=tuple(families_of(records_by_cell, study, seeds)),
        pairs={name: study.pairs[name] for name in study.conditions if name in study.pairs},
        statements=statements,
        order=tuple(claim.id for claim in study.claims),
        told=told_by_claim,
        families=judged_families(families, told_by_claim),
        tables=tables_of_values,
        agreement=agreement,
        cells=tuple(
            cells_of(records_by_cell, name, () if found.unshared else seeds)
            for name in study.conditions
        ),
        provenance=provenance_counts(records),
        devices=origins(records),
        code=code_states(records, study.conditions),
        records=tuple(sorted({record["key"]: record.get("sha256") for record in records}.items())),
        first_run=min(finished, default=None),
        # fsum is exact, so the order of the records changes no digit
        compute_seconds=math.fsum(
            record.get("timings", {}).get("total", 0.0) for record in records
        ),
        procedure=procedure,
        notices=(
            *said,
            *failed_controls([*claims, *statements]),
            *late_notices(fixed, tables_of_values),
            *notices(records),
        ),
        criteria=tuple(row for judged in main for row in criteria(judged, agreement, tasks)),
        error_rates=tuple(
            rate
            for judged in main
            for rate in error_rates(judged.contrast, judged.claim, procedure_of(judged))
        ),
        causes=told_causes,
        bridges=bridges(
            records,
            elsewhere,
            list(study.conditions),
            study.gains[0].negligible if study.gains else NEGLIGIBLE,
        ),
        robustness=robustness,
        commands=commands or {},
        fixed=fixed,
        whole=of_cells(records_by_cell, list(study.conditions), to_come),
        complete={
            one.claim.id: of_cells(records_by_cell, conditions, to_come)
            if found.unshared
            else of_seeds(records_by_cell, conditions, seeds, to_come, dropped, absent=absent)
            for one, conditions, dropped in _seeds_of_claims(claims, statements)
        },
        asked=asked(study),
        paired=tuple(pairs_of(records_by_cell, study, seeds)),
        differ=differ_by_claim(study),
        answers=answers_of(told_by_itself(study.gains, told_causes.decompositions, study), answers),
        taken_apart=tuple(study.causes),
        measured=measured(records, study),
        values=found,
        pairings=pairings(records_by_cell, claims, statements, seeds),
        search=search_of(study),
    )


def _seeds_of_claims(
    claims: Sequence[JudgedClaim], statements: Sequence[JudgedStatement]
) -> Iterator[tuple[JudgedClaim | JudgedStatement, Sequence[str], list[int]]]:
    """Yield each claim with the conditions that it is about, and the seeds that it leaves out."""
    for judged in claims:
        pair = judged.contrast
        yield judged, (pair.treatment, pair.baseline), [seed for seed, _ in pair.dropped]
    for one in statements:
        yield one, one.claim.conditions, [seed for seed, _ in one.dropped]
