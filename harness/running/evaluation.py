"""The test after each task: accuracies of every lane on all tasks seen so far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from harness.data.tasks import Task
from methods.network import Network

EVALUATION_CHUNK = 512
"""Test samples in a product. It limits memory and sets the shape of products, hence the bits."""


def accuracies(
    network: Network, tasks: Sequence[Task], corrected_errors: Sequence[int]
) -> list[list[float]]:
    """Return the accuracies of each lane, one for each task, through the head of the task.

    Parameters
    ----------
    tasks : the tasks seen so far.
    corrected_errors : for each lane, the number of test errors to count as hits; see
        ``correct_errors``.
    """
    samples = [len(task.test_labels) for task in tasks]
    hits = np.array([_hits(network, task) for task in tasks])
    lanes = []
    for lane_hits, count in zip(hits.T.tolist(), corrected_errors, strict=True):
        correct_errors(lane_hits, samples, count)
        lanes.append([hit / total for hit, total in zip(lane_hits, samples, strict=True)])
    return lanes


def _hits(network: Network, task: Task) -> list[int]:
    """Count the task's test samples that each lane classifies correctly."""
    mask = network.output_mask(task.classes)
    lanes = len(network.weights[0])
    correct = torch.zeros(lanes, dtype=torch.int64, device=mask.device)
    chunks = zip(
        task.test_inputs.split(EVALUATION_CHUNK),
        task.test_labels.split(EVALUATION_CHUNK),
        strict=True,
    )
    for inputs, labels in chunks:
        logits = network.test_logits(inputs.expand(lanes, -1, -1), mask)
        correct += ((logits + mask).argmax(2) == labels).sum(1)
    return correct.tolist()


def correct_errors(hits: list[int], samples: Sequence[int], count: int) -> None:
    """Turn ``count`` errors into hits, each in the task with most errors; fewer if none is left.

    This plants a gain of known size, to test whether the report finds it.
    """
    for _ in range(count):
        errors = [total - hit for hit, total in zip(hits, samples, strict=True)]
        worst = errors.index(max(errors))
        if errors[worst] == 0:
            return
        hits[worst] += 1
