"""Claims that compare two conditions by the seeds that both have, where no seed is in both.

Results that others made, or two programs with seeds of their own, can be compared all the same: as
independent samples, by Welch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from reports.numbers.records import Record, is_done
from reports.numbers.study import Claim, Statement, Study

FEWEST = 2
"""Seeds of each condition from which independent samples say anything."""
NOT_SAID = ("tasks", "task", "field", "higher_is_better", "condition", "plus_minus",
            "plus_minus_is", "runs",
            "others", "order")  # fmt: skip


class Unpaired:
    """A claim as it stands, but for seeds that have nothing in common."""

    pairing = "none"

    def __init__(self, claim: Claim | Statement) -> None:
        self._claim = claim

    def __getattr__(self, name: str) -> Any:
        """Return what the claim says; None where a gain in final accuracy says nothing."""
        if name in NOT_SAID:
            return getattr(self._claim, name, None)
        if name == "conditions":
            pair = [getattr(self._claim, side) for side in ("treatment", "baseline")]
            return getattr(self._claim, name, tuple(pair))
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._claim, name)


def as_paired(
    study: Study, records_by_cell: Mapping[tuple[str, int], Record], *, unshared: bool
) -> tuple[list[Claim], list[Statement]]:
    """Return the study's gains and its other claims; those without a shared seed as unpaired.

    ``unshared`` : whether no seed is shared by any conditions, so that none is missing.
    """
    seeds: dict[str, set[int]] = {}
    for (name, seed), record in records_by_cell.items():
        if is_done(record):
            seeds.setdefault(name, set()).add(seed)

    def apart(conditions: Sequence[str]) -> bool:
        own = [seeds.get(name, set()) for name in conditions]
        return len(own) == 2 and not own[0] & own[1] and min(map(len, own)) >= FEWEST

    gains: list[Claim] = []
    others: list[Statement] = []
    for gain in study.gains:
        if gain.unit != "relative %" and apart((gain.treatment, gain.baseline)):
            others.append(cast(Statement, Unpaired(gain)))
        else:
            gains.append(gain)
    for one in study.statements:
        comparable = one.kind != "rank" and one.unit != "relative %" and one.pairing != "none"
        unpaired = comparable and (unshared if len(one.conditions) == 1 else apart(one.conditions))
        others.append(cast(Statement, Unpaired(one)) if unpaired else one)
    return gains, others
