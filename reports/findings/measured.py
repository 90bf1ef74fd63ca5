"""What a study measured on each seed, where that is one number and no sequence of tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.numbers.records import Record
from reports.numbers.study import Measure
from reports.numbers.values import BySeed, by_seed, curves_of


@dataclass(frozen=True)
class ImportedFile:
    """A table that records were imported from."""

    file: str
    sha256: str
    cells: int


@dataclass(frozen=True)
class Values:
    """One number for each cell; from ``values_of``.

    Attributes
    ----------
    measure : its name, unit, and which way is better.
    single : whether it is all that was measured, and no accuracies of several tasks.
    by_seed : by condition and seed, in the unit in which it is shown.
    lost : by condition, what became of the cells without a value, and how many: "1 failed".
    curves : by name, condition and seed: sequences that cells recorded.
    files : tables that records were imported from.
    imported : whether all of them were.
    elsewhere : whether none was trained by the program's own stack, so that all it has of a cell
        are these numbers.
    """

    measure: Measure
    single: bool
    by_seed: BySeed
    lost: Mapping[str, str]
    curves: Mapping[str, Mapping[str, Sequence[Sequence[float]]]]
    files: tuple[ImportedFile, ...]
    imported: bool
    elsewhere: bool

    @property
    def unshared(self) -> bool:
        """Whether no two conditions of imported results have a seed in common.

        A seed that a condition lacks is then not missing.
        """
        seeds = [seed for values in self.by_seed.values() for seed in values]
        return self.imported and len(set(seeds)) == len(seeds)


def is_single(measure: Measure, tasks: int) -> bool:
    """Tell whether each cell measured one number, and no accuracies of several tasks."""
    return not measure.is_accuracy or tasks == 1


def values_of(
    records: Sequence[Record], conditions: Sequence[str], measure: Measure, tasks: int
) -> Values:
    """Return what the selected records measured; their order does not matter.

    Parameters
    ----------
    tasks : how many there are.
    """
    origins = [record.get("provenance", {}).get("imported") for record in records]
    counts = Counter((str(o["file"]), str(o["sha256"])) for o in origins if o is not None)
    return Values(
        measure=measure,
        single=is_single(measure, tasks),
        by_seed=by_seed(records, conditions, measure),
        lost={name: _lost(records, name) for name in conditions},
        curves=curves_of(records, conditions, measure),
        files=tuple(ImportedFile(*file, cells) for file, cells in sorted(counts.items())),
        imported=bool(records) and None not in origins,
        elsewhere=bool(records) and all("pairing" in r.get("provenance", {}) for r in records),
    )


def _lost(records: Sequence[Record], condition: str) -> str:
    statuses = Counter(r["status"] for r in records if r["condition"] == condition)
    return ", ".join(f"{n} {word}" for word, n in sorted(statuses.items()) if word != "done")
