"""What an accuracy matrix says.

``R[i, j]`` is the accuracy on task j after training task i, a fraction in [0, 1]; NaN above the
diagonal and in rows of tasks that were not reached. All metrics are fractions too.
"""

from __future__ import annotations

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
    the network forgot. 0 for a single task.
    """
    if len(matrix) == 1:
        return 0.0
    return float((matrix[-1] - np.diagonal(matrix))[:-1].mean())


def forgetting(matrix: Floats) -> float:
    """Return the mean drop of the earlier tasks from their best accuracy before the last task.

    ``mean over j < T of max over i < T of R[i, j] - R[T, j]`` (Chaudhry et al. 2018). 0 for a
    single task.
    """
    if len(matrix) == 1:
        return 0.0
    before = np.where(np.tri(len(matrix), dtype=bool), matrix, -np.inf)[:-1, :-1]
    return float((before.max(0) - matrix[-1, :-1]).mean())
