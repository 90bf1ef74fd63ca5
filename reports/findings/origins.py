"""Which machines and which code made the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reports.numbers.records import Record

CellCounts = tuple[tuple[str, int], ...]
"""How many cells, by name."""


@dataclass(frozen=True)
class Origin:
    """How many cells one kind of machine made: equal in all three, its numbers agree bit for bit.

    Attributes
    ----------
    device, torch, numerics : "cpu" or the GPU's name, torch's version, and the fingerprint of
        their arithmetic; None where a record does not say.
    cells : number of records.
    conditions : of which conditions, and how many of each.
    """

    device: str | None
    torch: str | None
    numerics: str | None
    cells: int
    conditions: CellCounts


def origins(records: Sequence[Record]) -> tuple[Origin, ...]:
    """Return the machines behind the records, sorted by device, torch and numerics."""
    counts: dict[tuple[str | None, str | None, str | None], Counter[str]] = {}
    for record in records:
        provenance = record.get("provenance", {})
        origin = (provenance.get("device"), provenance.get("torch"), provenance.get("numerics"))
        counts.setdefault(origin, Counter())[record["condition"]] += 1
    return tuple(
        Origin(*origin, counts[origin].total(), tuple(sorted(counts[origin].items())))
        for origin in sorted(counts, key=str)
    )


def provenance_counts(records: Sequence[Record]) -> tuple[tuple[str, CellCounts], ...]:
    """Return, by field of the records' provenance, its values and how many cells have each."""
    counts: dict[str, Counter[str]] = {}
    for record in records:
        origin = dict(record.get("provenance", {}))
        origin |= {f"code {k}": v for k, v in origin.pop("code", {}).items()}
        for name, value in origin.items():
            counts.setdefault(name, Counter())[str(value)] += 1
    return tuple((name, tuple(sorted(counts[name].items()))) for name in sorted(counts))
