"""The exact layer: every value of every cell, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reports.findings.gate.cells import CellName, Cells


@dataclass(frozen=True)
class Difference:
    """The first value of a cell, in the order of training, that is not the accepted one.

    Attributes
    ----------
    after_task : 1-based; 0 for the status, and for what a function returned.
    quantity : "loss", "accuracy on task 2", "value loss" or "curve loss, point 3".
    accepted, new : the two values; None for one that is not there.
    more : how many further values of the cell differ.
    """

    condition: str
    seed: int
    after_task: int
    quantity: str
    accepted: float | str | None
    new: float | str | None
    more: int

    def sentence(self) -> str:
        """Return the difference in one line, with every digit."""
        place = f"after task {self.after_task}, " * (self.after_task > 0) + self.quantity
        more = f", and {self.more} later values" if self.more else ""
        return (
            f"{self.condition} seed {self.seed}: {place}: {self.accepted!r} -> {self.new!r}{more}"
        )


@dataclass(frozen=True)
class Exact:
    """What the exact layer found.

    Attributes
    ----------
    compared, values : how many values were compared, and how many there were to compare.
    cells : how many cells.
    differences : one for each cell that differs.
    """

    compared: int
    values: int
    cells: int
    differences: tuple[Difference, ...]

    @property
    def changed(self) -> frozenset[CellName]:
        """The cells that differ."""
        return frozenset((d.condition, d.seed) for d in self.differences)


def compare_exactly(new: Cells, accepted: Cells) -> Exact:
    """Compare the cells that both sides have."""
    compared = values = 0
    differences = []
    common = [name for name in accepted if name in new]
    for name in common:
        numbers = "values" in accepted[name]  # earlier versions did not keep them
        before = dict(values_in(accepted[name], numbers=numbers))
        after = dict(values_in(new[name], numbers=numbers))
        places = list(before | after)
        values += len(places)
        compared += sum(place in before and place in after for place in places)
        differing = [
            place
            for place in places
            if place not in before or place not in after or not _same(before[place], after[place])
        ]
        if differing:
            first = differing[0]
            differences.append(
                Difference(*name, *first, before.get(first), after.get(first), len(differing) - 1)
            )
    return Exact(compared, values, len(common), tuple(differences))


def values_in(
    cell: Mapping[str, Any], *, numbers: bool
) -> Iterator[tuple[tuple[int, str], float | str | None]]:
    """Yield each value of a cell with its place, in the order in which training made them.

    Parameters
    ----------
    numbers : also those that a function returned by name, and its curves.
    """
    yield (0, "status"), cell["status"]
    for number, row in enumerate(cell["accuracy"], start=1):
        if number <= len(cell["telemetry"]):
            for quantity, value in cell["telemetry"][number - 1].items():
                if quantity != "task":
                    yield (number, quantity), value
        for task, accuracy in enumerate(row[:number], start=1):
            yield (number, f"accuracy on task {task}"), accuracy
    measure = cell.get("measure")
    for name, value in cell.get("values", {}).items() if numbers else ():
        if measure is None or not measure.is_accuracy or name != measure.name:
            yield (0, f"value {name}"), value
    for name, curve in cell.get("curves", {}).items() if numbers else ():
        for point, value in enumerate(curve, start=1):
            yield (0, f"curve {name}, point {point}"), value


def _same(first: float | str | None, second: float | str | None) -> bool:
    """Tell whether two values are the same bits; 0 and -0 are not, 1 and 1.0 are."""
    return repr(_as_float(first)) == repr(_as_float(second))


def _as_float(value: float | str | None) -> float | str | None:
    return float(value) if isinstance(value, int) else value
