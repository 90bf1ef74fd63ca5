"""What a verdict leans on: everything that could be otherwise and would turn it.

One value for each claim that was judged, from the findings that each look at one thing: earlier
looks, the errors of the published side, diverged runs, single seeds and skew, the plan for more
seeds, and the test set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reports.findings.both_sides import BothSides, both_sides
from reports.findings.contrasts import JudgedClaim, judgement_of
from reports.findings.diverged import Counted, differing, with_diverged
from reports.findings.influence import Influence, influence
from reports.findings.looks import Look, LookedAgain, earlier_looks, judged_before, looked_again
from reports.findings.planning import Plan, plan
from reports.findings.samples import OverSamples, over_samples
from reports.numbers.intervals import FIXED, Procedure
from reports.numbers.records import Record
from reports.numbers.sequential import ANYTIME
from reports.numbers.study import Study
from reports.numbers.words import counted, interval, listed


@dataclass(frozen=True)
class Robustness:
    """What the verdict on one claim leans on; each part is None or empty where it says nothing.

    Attributes
    ----------
    claim : its id.
    procedure : that by which it was judged.
    looked_again : where it was judged before at other seeds.
    published : the gain with the errors of both sides.
    diverged : the verdicts with diverged runs counted.
    differing : those of them that are not the verdict without.
    influence : skew and single seeds.
    plan : how many seeds would settle it.
    samples : the uncertainty over test samples.
    """

    claim: str
    procedure: str
    looked_again: LookedAgain | None
    published: BothSides | None
    diverged: tuple[Counted, ...]
    differing: tuple[Counted, ...]
    influence: Influence | None
    plan: Plan | None
    samples: OverSamples | None


def robust(
    judged: JudgedClaim,
    procedure: Procedure,
    looks: Sequence[Look],
    records_by_cell: Mapping[tuple[str, int], Record],
    seeds: Sequence[int],
    study: Study,
    tasks: int,
) -> tuple[JudgedClaim, Robustness | None]:
    """Return a claim as it must be judged after earlier looks, and what its verdict leans on.

    The reason of its judgement says what a reader must not overlook: an earlier look, and a verdict
    that diverged runs would change.

    Parameters
    ----------
    judged : by ``procedure``, as if nobody had looked before.
    looks : the earlier ones, and this one or not.
    tasks : number of tasks.
    """
    compared, judgement = judged.contrast.comparison, judged.judgement
    if compared is None or judgement is None:
        return judged, None
    again = None
    if procedure is FIXED:
        again = looked_again(earlier_looks(looks, judged.contrast), judgement)
    if again is not None:
        procedure = ANYTIME
        judgement = judgement_of(compared, judged.claim, procedure)
        judged = replace(judged, judgement=judgement)
    ended = with_diverged(judged, records_by_cell, seeds, study.chance, procedure)
    others = differing(judged, ended)
    planned = plan(judged)
    more = [
        *([_again(again)] if again else []),
        *([_diverged(others)] if others else []),
        *([_planned(planned)] if planned and planned.seeds is not None else []),
    ]
    reason = " ".join([judgement.reason, *more])
    return replace(judged, judgement=replace(judgement, reason=reason)), Robustness(
        claim=judged.claim.id,
        procedure=procedure.name,
        looked_again=again,
        published=both_sides(judged, study.published, tasks),
        diverged=ended,
        differing=others,
        influence=influence(judged, procedure),
        plan=planned,
        samples=over_samples(judged, records_by_cell),
    )


def procedure_of(judged: JudgedClaim) -> Procedure:
    """Return the procedure by which a claim was judged."""
    named = judged.judgement is not None and judged.judgement.procedure == ANYTIME.name
    return ANYTIME if named else FIXED


def _again(again: LookedAgain) -> str:
    return judged_before(again.looks, again.fixed_verdict, interval(again.fixed_ci))


def _diverged(others: Sequence[Counted]) -> str:
    first = others[0]
    runs = counted(first.treatment + first.baseline, "diverged run")
    said = listed(
        [f"{one.verdict} counted as {one.counted_as} ({one.accuracy:.1f}%)" for one in others]
    )
    return f"Not without this: with {runs} the verdict is {said}."


def planned_words(planned: Plan) -> str:
    """Return a number of seeds with its range: 31 (14 to 160); "over 1000" for what is more."""
    if planned.low is None:
        return "over 1000"
    seeds, high = (
        "over 1000" if number is None else str(number) for number in (planned.seeds, planned.high)
    )
    return f"{seeds} ({planned.low} to {high})"


def _planned(planned: Plan) -> str:
    if planned.low is None:
        return (
            "Looked at again with more seeds, it is judged by the wider intervals that allow for "
            "that: over 1000 seeds would settle it then, at any spread that these leave open."
        )
    return (
        "Looked at again with more seeds, it is judged by the wider intervals that allow for that: "
        f"about {planned_words(planned)} seeds would settle it then; the range is wide because so "
        "few seeds tell their own spread only roughly."
    )
