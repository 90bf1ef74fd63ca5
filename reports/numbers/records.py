"""What the reports read of a record: the result of one cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

from reports.numbers import metrics

NEEDED = frozenset(("key", "study", "condition", "seed", "status", "accuracy"))
"""The fields that every report needs."""


class Timings(TypedDict, total=False):
    """Seconds of a cell, and when it was finished (ISO 8601)."""

    total: float
    finished: str


class Record(TypedDict):
    """One cell.

    Attributes
    ----------
    key, sha256 : its name, and the hash of its content.
    status : "done", "diverged", "failed" or "timed out"; only the first has results.
    accuracy : T x T; row i, column j is the fraction of task j's test samples that are classified
        correctly after task i. None for tasks not yet seen and after divergence. [[v]] where one
        accuracy was measured; empty where none was.
    values, curves : numbers, and sequences of numbers, that a program of the user's own or an
        imported table measured, by name; None where one is not finite.
    failure : what ended a cell that failed or was timed out.
    telemetry : one entry for each task.
    provenance : what made the record: ``data``, ``device``, ``torch``, ``numerics``, ``code`` and
        more; ``pairing`` ("streams" or "seed number"), ``deterministic`` and ``imported`` where the
        program was not ours.
    right : which test samples are classified correctly after the last task; see
        ``reports.numbers.right_answers``.
    """

    key: str
    study: str
    condition: str
    seed: int
    status: str
    accuracy: list[list[float | None]]
    sha256: NotRequired[str]
    telemetry: NotRequired[list[dict[str, Any]]]
    timings: NotRequired[Timings]
    protocol: NotRequired[dict[str, Any]]
    method: NotRequired[dict[str, Any]]
    provenance: NotRequired[dict[str, Any]]
    values: NotRequired[dict[str, float | None]]
    curves: NotRequired[dict[str, list[float | None]]]
    failure: NotRequired[str]
    right: NotRequired[dict[str, Any]]


def as_records(contents: Sequence[Mapping[str, Any]]) -> list[Record]:
    """Return as records the contents that a store has read and checked.

    Raises
    ------
    ValueError
        Where a record lacks a field that every report needs.
    """
    for content in contents:
        missing = NEEDED - content.keys()
        if missing:
            raise ValueError(f"a record has no {', '.join(sorted(missing))}")
    return [cast(Record, content) for content in contents]


def is_done(record: Record) -> bool:
    """Tell whether a cell was trained to the end."""
    return record["status"] == "done"


def final_accuracy(record: Record) -> float:
    """Return the mean accuracy over all tasks after the last, in %."""
    return 100 * metrics.final_accuracy(metrics.as_matrix(record["accuracy"]))
