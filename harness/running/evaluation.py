"""The test after each task: what every lane gets right of all tasks seen so far."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from harness.data.tasks import Task
from harness.running.outcomes import RightAnswers
from methods.network import Network

EVALUATION_CHUNK = 512
"""Test samples in a product. It limits memory and sets the shape of products, hence the bits."""


def accuracies(right: Sequence[Tensor], corrected_errors: Sequence[int]) -> list[list[float]]:
    """Return the accuracies of each lane, one for each task, through the head of the task.

    Parameters
    ----------
    right : of the tasks seen so far, from ``right_answers``.
    corrected_errors : for each lane, the number of test errors to count as hits; see
        ``correct_errors``.
    """
    samples = [answers.shape[1] for answers in right]
    return [
        [hit / total for hit, total in zip(hits, samples, strict=True)]
        for hits in _corrected_hits(right, corrected_errors)
    ]


def packed_answers(right: Sequence[Tensor], corrected_errors: Sequence[int]) -> list[RightAnswers]:
    """Return which test samples each lane classified correctly, for its record.

    Corrected errors are counted from the first wrong answer of a task on, so that the answers say
    the same accuracies as ``accuracies``.
    """
    lanes = []
    by_task = [answers.cpu().numpy() for answers in right]
    for lane, hits in enumerate(_corrected_hits(right, corrected_errors)):
        texts = []
        for answers, hit in zip(by_task, hits, strict=True):
            own = answers[lane].copy()
            own[np.flatnonzero(~own)[: hit - int(own.sum())]] = True
            texts.append(b64encode(np.packbits(own).tobytes()).decode("ascii"))
        lanes.append(RightAnswers(samples=[len(answers[lane]) for answers in by_task], bits=texts))
    return lanes


def right_answers(network: Network, tasks: Sequence[Task]) -> list[Tensor]:
    """Tell for each task, (lanes, samples), which of its test samples each lane gets right."""
    return [_right(network, task) for task in tasks]


def _right(network: Network, task: Task) -> Tensor:
    mask = network.output_mask(task.classes)
    lanes = len(network.weights[0])
    right = []
    for inputs, labels in _chunks(task, lanes):
        logits = network.test_logits(inputs, mask)
        right.append((logits + mask).argmax(2) == labels)
    return torch.cat(right, dim=1)


def _corrected_hits(right: Sequence[Tensor], corrected_errors: Sequence[int]) -> list[list[int]]:
    """Count the right answers of each lane in each task, with the errors to count as hits."""
    samples = [answers.shape[1] for answers in right]
    by_lane = np.array([answers.sum(1).tolist() for answers in right]).T.tolist()
    for hits, count in zip(by_lane, corrected_errors, strict=True):
        correct_errors(hits, samples, count)
    return [[int(hit) for hit in hits] for hits in by_lane]


def _chunks(task: Task, lanes: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the task's test samples as each lane sees them: inputs (S, b, in), labels (S, b)."""
    for start in range(0, task.test_samples, EVALUATION_CHUNK):
        chunk = slice(start, min(start + EVALUATION_CHUNK, task.test_samples))
        if task.test_views is None:
            yield task.test_inputs[chunk].expand(lanes, -1, -1), task.test_labels[chunk]
        else:
            rows = task.test_views.rows(chunk)
            yield task.test_views.take(task.test_inputs, task.test_labels, rows)


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
