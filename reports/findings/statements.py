"""Claims of every kind beside gains in final accuracy, judged by the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reports.findings.contrasts import did_the_same
from reports.findings.looks import Look, earlier_looks, judged_before, look_at
from reports.judging.kind import Ruling
from reports.judging.kinds import KINDS
from reports.judging.samples import Samples, gather
from reports.numbers.intervals import FIXED, Procedure
from reports.numbers.records import Record
from reports.numbers.sequential import ANYTIME
from reports.numbers.study import Statement
from reports.numbers.words import counted


@dataclass(frozen=True)
class JudgedStatement:
    """A claim and what the data say of it; ``ruling`` is None where no seed can tell.

    Attributes
    ----------
    asks : what the claim says, in numbers.
    sizes : number of seeds of each of its conditions.
    dropped : each seed that takes no part, and why: (3, "dhp diverged").
    look : what was compared, at which seeds.
    looks : how many seeds each earlier look had, rising, where fixed-n intervals would decide.
    """

    claim: Statement
    asks: str
    sizes: tuple[int, ...]
    dropped: tuple[tuple[int, str], ...]
    ruling: Ruling | None
    look: Look
    looks: tuple[int, ...] = ()

    @property
    def as_expected(self) -> bool | None:
        """Whether a control got the verdict it must get; None for a real or an unjudged claim."""
        if self.claim.expected is None or self.ruling is None:
            return None
        return self.ruling.verdict == self.claim.expected


def judge_statement(
    records_by_cell: Mapping[tuple[str, int], Record],
    claim: Statement,
    seeds: Sequence[int],
    procedure: Procedure,
    looks: Sequence[Look] = (),
) -> JudgedStatement:
    """Judge a claim by the records of ``seeds``, which are by condition and seed.

    From the second of its ``looks`` on, the anytime-valid intervals decide. The reason of its
    ruling says what a reader must not overlook: an earlier look, and seeds left out because a run
    diverged.
    """
    samples, kind = gather(records_by_cell, claim, seeds), KINDS[claim.kind]
    samples = replace(samples, same=_did_the_same(records_by_cell, claim, samples))
    look, ruling = look_at(claim, samples), kind.judge(claim, samples, procedure)
    earlier = earlier_looks(looks, look) if procedure is FIXED and ruling is not None else ()
    now = kind.judge(claim, samples, ANYTIME) if earlier else ruling
    if earlier and ruling is not None and now is not None:
        ends = f"{ruling.ci.low:+.4g} to {ruling.ci.high:+.4g}"
        said = judged_before(earlier, ruling.verdict, ends)
        now = replace(now, reason=f"{now.reason} {said}")
    gone = sum(any(why.endswith(" diverged") for why in faults.split(", "))
               for _, faults in samples.dropped)  # fmt: skip
    if gone and now is not None:
        said = f"Left out: {counted(gone, 'seed')} with a diverged run"
        now = replace(now, reason=f"{now.reason} {said}, which flatters the side that diverges.")
    return JudgedStatement(
        claim, kind.asks(claim), samples.sizes, samples.dropped, now, look, earlier
    )


def _did_the_same(
    records_by_cell: Mapping[tuple[str, int], Record], claim: Statement, samples: Samples
) -> bool:
    """Tell whether two conditions agree in all accuracies, so that no difference is no chance."""
    if len(samples.conditions) != 2 or claim.pairing == "none" or claim.metric == "record":
        return False
    a, b = samples.conditions
    return all(
        did_the_same(records_by_cell[a, seed], records_by_cell[b, seed])
        for seed in samples.values[a]
    )


def unsettled(statements: Sequence[JudgedStatement]) -> list[str]:
    """Return the claims that more seeds may decide, by id."""
    return [one.claim.id for one in statements if one.ruling is None or not one.ruling.settled]
