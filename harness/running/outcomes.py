"""What comes out of a cell. Whoever passes it on need not import what computed it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Matrix = list[list[float | None]]


@dataclass
class Outcome:
    """The result of one cell.

    Attributes
    ----------
    status : "done", or "diverged" where a training loss was not finite.
    accuracy : T x T; row i, column j: after training task i, fraction of task j's test samples
        that its head classifies correctly. None for tasks not yet seen and after divergence.
    telemetry : one entry for each task.
    timings : seconds of the whole block, divided by its number of lanes.
    """

    status: str
    accuracy: Matrix
    telemetry: list[dict[str, Any]] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
