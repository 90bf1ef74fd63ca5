"""Claims of every kind beside gains in final accuracy, judged by the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.judging.kind import Ruling
from reports.judging.kinds import KINDS
from reports.judging.samples import gather
from reports.numbers.records import Record
from reports.numbers.statistics import Procedure
from reports.numbers.study import Statement


@dataclass(frozen=True)
class JudgedStatement:
    """A claim and what the data say of it; ``ruling`` is None where no seed can tell.

    Attributes
    ----------
    asks : what the claim says, in numbers.
    sizes : number of seeds of each of its conditions.
    dropped : each seed that takes no part, and why: (3, "dhp diverged").
    """

    claim: Statement
    asks: str
    sizes: tuple[int, ...]
    dropped: tuple[tuple[int, str], ...]
    ruling: Ruling | None

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
) -> JudgedStatement:
    """Judge a claim by the records of ``seeds``, which are by condition and seed."""
    samples, kind = gather(records_by_cell, claim, seeds), KINDS[claim.kind]
    ruling = kind.judge(claim, samples, procedure)
    return JudgedStatement(claim, kind.asks(claim), samples.sizes, samples.dropped, ruling)


def unsettled(statements: Sequence[JudgedStatement]) -> list[str]:
    """Return the claims that more seeds may decide, by id."""
    return [one.claim.id for one in statements if one.ruling is None or not one.ruling.settled]
