"""The seeds that a claim rests on, and those that it does not, with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.judging.scalars import measured, scalar
from reports.numbers.intervals import Floats
from reports.numbers.records import Record, is_done
from reports.numbers.study import Statement


@dataclass(frozen=True)
class Samples:
    """What a claim's conditions measured.

    Attributes
    ----------
    conditions : those that the claim names.
    values : by condition and seed, in the unit of the claim's metric.
    dropped : each seed that takes no part, and why: (3, "dhp diverged").
    same : whether the conditions are known to have done the same on every seed.
    """

    conditions: tuple[str, ...]
    values: Mapping[str, Mapping[int, float]]
    dropped: tuple[tuple[int, str], ...]
    same: bool = False

    def of(self, condition: str) -> Floats:
        """Return the values of one condition by rising seed, (n,)."""
        by_seed = self.values[condition]
        return np.array([by_seed[seed] for seed in sorted(by_seed)], dtype=np.float64)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many seeds each condition has."""
        return tuple(len(self.values[name]) for name in self.conditions)


def gather(
    records_by_cell: Mapping[tuple[str, int], Record], claim: Statement, seeds: Sequence[int]
) -> Samples:
    """Return a claim's values; where seeds pair them, only of seeds that all conditions have."""
    found: dict[str, dict[int, float]] = {name: {} for name in claim.conditions}
    faults: dict[int, list[str]] = {}
    paired = claim.pairing != "none"
    for seed in sorted(seeds):
        for name in claim.conditions:
            record = records_by_cell.get((name, seed))
            if record is None:
                if paired:
                    faults.setdefault(seed, []).append(f"{name} not yet run")
                continue
            value = scalar(record, claim) if is_done(record) else None
            if value is not None:
                found[name][seed] = value
            elif is_done(record):
                faults.setdefault(seed, []).append(f"{name} has no {measured(claim)}")
            else:
                faults.setdefault(seed, []).append(f"{name} {record['status']}")
    if paired:
        found = {
            name: {seed: value for seed, value in by_seed.items() if seed not in faults}
            for name, by_seed in found.items()
        }
    dropped = tuple((seed, ", ".join(why)) for seed, why in sorted(faults.items()))
    return Samples(tuple(claim.conditions), found, dropped)
