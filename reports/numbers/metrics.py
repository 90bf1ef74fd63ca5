"""What an accuracy matrix says.

``R[i, j]`` is the accuracy on task j after training task i, a fraction in [0, 1]; NaN above the
diagonal and in rows of tasks that were not reached. All metrics are fractions too.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def as_matrix(accuracy: list[list[float | None]]) -> Floats:
    """Return a record's ``accuracy`` as a (T, T) array, None as NaN."""
    return np.array(accuracy, dtype=np.float64)


def seen_accuracy(matrix: Floats) -> Floats:
    """Return (T,): after each task, the mean accuracy over the tasks seen so far."""
    return np.array([row[: i + 1].mean() for i, row in enumerate(matrix)])


def final_accuracy(matrix: Floats) -> float:
    """Return the mean accuracy over all tasks after the last (ACC; Lopez-Paz, Ranzato 2017)."""
    return float(matrix[-1].mean())


def learned_accuracy(matrix: Floats) -> float:
    """Return the mean accuracy of each task right after it was trained."""
    return float(np.diagonal(matrix).mean())


def backward_transfer(matrix: Floats) -> float:
    """Return the mean change of the earlier tasks' accuracies since each was trained.

    ``mean over j < T of R[T, j] - R[j, j]`` (BWT; Lopez-Paz and Ranzato 2017); negative where
    the network forgot. NaN for a single task, which has no earlier ones.
    """
    if len(matrix) == 1:
        return math.nan
    return float((matrix[-1] - np.diagonal(matrix))[:-1].mean())


def forgetting(matrix: Floats) -> float:
    """Return the mean drop of the earlier tasks from their best accuracy before the last task.

    ``mean over j < T of max over i < T of R[i, j] - R[T, j]`` (Chaudhry et al. 2018). NaN for a
    single task.
    """
    if len(matrix) == 1:
        return math.nan
    before = np.where(np.tri(len(matrix), dtype=bool), matrix, -np.inf)[:-1, :-1]
    return float((before.max(0) - matrix[-1, :-1]).mean())


def of_many(stack: Floats) -> dict[str, Floats]:
    """Return by name the metrics of many matrices (n, T, T), (n,) each.

    The same as ``final_accuracy``, ``learned_accuracy``, ``backward_transfer`` and ``forgetting``
    of each, bit for bit: a row that is contiguous is summed in the same order alone or in a stack.
    """
    last = np.ascontiguousarray(stack[:, -1])
    diagonal = np.ascontiguousarray(np.diagonal(stack, axis1=1, axis2=2))
    changes = {name: np.full(len(stack), np.nan) for name in ("backward_transfer", "forgetting")}
    if stack.shape[-1] > 1:
        tasks = np.where(np.tri(stack.shape[-1], dtype=bool), stack, -np.inf)[:, :-1, :-1]
        moved = {
            "backward_transfer": (last - diagonal)[:, :-1],
            "forgetting": tasks.max(axis=1) - last[:, :-1],
        }
        changes = {name: np.ascontiguousarray(by).mean(axis=1) for name, by in moved.items()}
    return {
        "final_accuracy": last.mean(axis=1),
        "learned_accuracy": diagonal.mean(axis=1),
        **changes,
    }


def seen_of_many(stack: Floats) -> Floats:
    """Return (n, T): ``seen_accuracy`` of each of many matrices (n, T, T), bit for bit."""
    seen = [np.ascontiguousarray(stack[:, i, : i + 1]).mean(1) for i in range(stack.shape[-1])]
    return np.stack(seen, axis=1)
