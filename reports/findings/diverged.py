"""The verdict on a claim where diverged runs count, beside the one that leaves their seeds out.

A run that diverged has no accuracy, and its seed is in no pair. Where a treatment diverges on the
seeds on which it would have done worst, the other seeds flatter it: a treatment without any gain
whose worst fifth of seeds diverges is called PARTIAL far more often than the error rate allows. So
each claim with diverged runs is judged twice more, with these runs counted at the accuracy of
guesses, and at the worst accuracy of any finished run of its two conditions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.findings.contrasts import JudgedClaim, judgement_of
from reports.numbers.intervals import Procedure
from reports.numbers.paired import compare_paired
from reports.numbers.records import Record, final_accuracy, is_done
from reports.numbers.study import Claim
from reports.numbers.verdict import Judgement, Verdict


@dataclass(frozen=True)
class Counted:
    """A claim judged with its diverged runs counted.

    Attributes
    ----------
    counted_as : "chance" or "worst seen".
    accuracy : what each diverged run counts as, in %.
    treatment, baseline : number of diverged runs of each that entered.
    n, mean : number of pairs with them, and their mean difference in the claim's unit.
    verdict, judgement : the verdict on all of these pairs, and what it rests on.
    """

    counted_as: str
    accuracy: float
    treatment: int
    baseline: int
    n: int
    mean: float
    verdict: Verdict
    judgement: Judgement


def with_diverged(
    judged: JudgedClaim,
    records_by_cell: Mapping[tuple[str, int], Record],
    seeds: Sequence[int],
    chance: float | None,
    procedure: Procedure,
) -> tuple[Counted, ...]:
    """Judge a claim with its diverged runs counted; empty where no pair has one.

    Parameters
    ----------
    chance : accuracy of guesses, a fraction; None where it is not known, and only the worst counts.
    """
    claim = judged.claim
    pairs = [
        (records_by_cell[claim.treatment, seed], records_by_cell[claim.baseline, seed])
        for seed in sorted(seeds)
        if {(claim.treatment, seed), (claim.baseline, seed)} <= records_by_cell.keys()
    ]
    # A run that failed or timed out says nothing of the accuracy that it would have had.
    ended = ("done", "diverged")
    pairs = [pair for pair in pairs if pair[0]["status"] in ended and pair[1]["status"] in ended]
    treatment, baseline = (sum(not is_done(pair[side]) for pair in pairs) for side in range(2))
    if not treatment + baseline:
        return ()
    done = [final_accuracy(record) for pair in pairs for record in pair if is_done(record)]
    values = {} if chance is None else {"chance": 100 * chance}
    if done:
        values["worst seen"] = min(done)
    counted = (
        (how, value, _judged(claim, pairs, value, procedure)) for how, value in values.items()
    )
    return tuple(
        Counted(how, value, treatment, baseline, len(pairs), mean, judgement.verdict, judgement)
        for how, value, (mean, judgement) in counted
        if judgement is not None
    )


def differing(judged: JudgedClaim, counted: Sequence[Counted]) -> tuple[Counted, ...]:
    """Return the verdicts with diverged runs that are not the one without them."""
    first = None if judged.judgement is None else judged.judgement.verdict
    return tuple(one for one in counted if one.verdict is not first)


def _judged(
    claim: Claim, pairs: Sequence[tuple[Record, Record]], value: float, procedure: Procedure
) -> tuple[float, Judgement | None]:
    sides = [
        [final_accuracy(pair[side]) if is_done(pair[side]) else value for pair in pairs]
        for side in range(2)
    ]
    if claim.unit == "relative %" and min(sides[1]) <= 0:
        return 0.0, None
    compared = compare_paired(sides[0], sides[1], unit=claim.unit)
    return compared.mean, judgement_of(compared, claim, procedure)
