"""What holds for all cells of a study that the user's own functions train."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.studies.measured import Measure


@dataclass(frozen=True)
class Terms:
    """What holds for all cells that functions train.

    Attributes
    ----------
    measure : the number that is measured.
    fresh : whether each cell has a process of its own.
    cell_timeout : seconds after which a cell is ended; None for no limit.
    """

    measure: Measure = field(default_factory=Measure)
    fresh: bool = True
    cell_timeout: float | None = None
