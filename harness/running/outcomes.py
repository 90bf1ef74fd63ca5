"""What comes out of a cell. Whoever passes it on need not import what computed it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypedDict

Matrix = list[list[float | None]]


class RightAnswers(TypedDict):
    """Which test samples are classified correctly after the last task, of each task.

    Attributes
    ----------
    samples : number of test samples of each task.
    bits : of each task, a bit for each sample in the order of the data set, 1 where its head
        classifies it correctly; eight a byte, the first in the highest place, as base64.
    """

    samples: list[int]
    bits: list[str]


@dataclass
class Outcome:
    """The result of one cell.

    Attributes
    ----------
    status : "done", or "diverged" where a training loss was not finite; of the user's own function
        also "failed" and "timed out".
    accuracy : T x T; row i, column j: after training task i, fraction of task j's test samples
        that its head classifies correctly. None for tasks not yet seen and after divergence.
    telemetry : one entry for each task.
    timings : seconds of the whole block, divided by its number of lanes.
    right : which test samples are right after the last task; None after divergence.
    values, curves : numbers and series of numbers that the user's own function returned, by name.
    failure : what ended it, where it failed or timed out; the last line says it in short.
    """

    status: str
    accuracy: Matrix
    telemetry: list[dict[str, Any]] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    right: RightAnswers | None = None
    values: dict[str, float | None] = field(default_factory=dict)
    curves: dict[str, list[float | None]] = field(default_factory=dict)
    failure: str = ""
