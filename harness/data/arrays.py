"""Tasks as plain arrays, for programs that train outside of the stack."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness.data.own_tasks import Data, OwnTasks
from harness.data.tasks import Task, latest_tasks

PARTS = ("train_inputs", "train_labels", "test_inputs", "test_labels")


def depends_on_seed(data: Data) -> bool:
    """Tell whether the tasks of a data set depend on the seed."""
    return data.seeded if isinstance(data, OwnTasks) else data.permuted


def task_arrays(
    data: Data, *, scaling: str, validation_fraction: float, seed: int
) -> list[dict[str, Any]]:
    """Return the tasks that the stack trains on, as one mapping for each: arrays, and its classes.

    Inputs are (N, features) in single precision, labels (N,) integers.
    """
    tasks = latest_tasks(
        data,
        scaling=scaling,
        validation_fraction=validation_fraction,
        width=data.features,
        dtype=torch.float32,
        device="cpu",
        seeds=[seed],
    )
    return [
        {"classes": task.classes, **dict(zip(PARTS, _of_one_lane(task), strict=True))}
        for task in tasks
    ]


def _of_one_lane(task: Task) -> list[NDArray[np.generic]]:
    arrays = []
    for inputs, labels, views, samples in (
        (task.train_inputs, task.train_labels, task.train_views, task.train_samples),
        (task.test_inputs, task.test_labels, task.test_views, task.test_samples),
    ):
        if views is not None:
            taken, labels = views.take(inputs, labels, views.rows(slice(0, samples)))
            inputs, labels = taken[0], labels[0]
        arrays += [inputs.numpy(), labels.numpy()]
    return arrays
