"""Cut a data set into the tasks that are trained one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.data.benchmarks import Dataset, Images, Labels
from harness.studies.known_data import held_out

VALIDATION_SEED = 20190615
"""Seed of the choice of training samples that are held out for validation."""


@dataclass(frozen=True)
class Task:
    """One task, ready for training: (N, pixels) inputs, (N,) labels, the classes of its head."""

    classes: tuple[int, ...]
    train_inputs: Tensor
    train_labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor


def cut_into_tasks(
    data: Dataset,
    *,
    scaling: str,
    validation_fraction: float,
    width: int,
    dtype: torch.dtype,
    device: torch.device | str,
) -> list[Task]:
    """Return the task sequence of a data set.

    Parameters
    ----------
    scaling : "unit" maps pixels to [0, 1]; "standardised" further subtracts the mean of all
        training pixels and divides by their standard deviation (two scalars).
    validation_fraction : where above 0, this share of the training samples of each class is
        held out (the same samples for every seed) and replaces the test set, which is then
        not read at all.
    width : the inputs are padded with zeros to this many columns.
    """
    train, labels = data.train_images, data.train_labels
    if validation_fraction > 0:
        validation = _validation_samples(labels, validation_fraction)
        test, test_labels = train[validation], labels[validation]
        train, labels = train[~validation], labels[~validation]
    else:
        test, test_labels = data.test_images, data.test_labels

    # Pixels are small integers, so each possible value is scaled once, in double precision.
    values = np.arange(data.white + 1) / data.white
    if scaling == "standardised":
        counts = np.bincount(train.ravel(), minlength=len(values))
        mean = (counts * values).sum() / counts.sum()
        deviation = np.sqrt((counts * (values - mean) ** 2).sum() / counts.sum())
        values = (values - mean) / deviation
    scaled_value = torch.from_numpy(values).to(dtype).numpy()

    def inputs(images: Images) -> Tensor:
        padded = torch.zeros(len(images), width, dtype=dtype)
        padded[:, : images.shape[1]] = torch.from_numpy(scaled_value[images])
        return padded.to(device)

    def samples_of(
        classes: tuple[int, ...], images: Images, image_labels: Labels
    ) -> tuple[Tensor, Tensor]:
        members = np.isin(image_labels, classes)
        return inputs(images[members]), torch.from_numpy(image_labels[members]).to(device)

    return [
        Task(classes, *samples_of(classes, train, labels), *samples_of(classes, test, test_labels))
        for classes in data.tasks
    ]


_LATEST: list[tuple[Dataset, dict[str, Any], list[Task]]] = []


def latest_tasks(data: Dataset, **settings: Any) -> list[Task]:
    """Return ``cut_into_tasks(data, **settings)``; cut only where the last call was another one.

    To cut MNIST takes as long as a GPU needs for a tenth of a block, and the blocks of a process
    mostly ask for the same tasks. One sequence is kept, because it takes 200 MB.
    """
    if not (_LATEST and _LATEST[0][0] is data and _LATEST[0][1] == settings):
        _LATEST.clear()  # frees the other sequence before this one is made
        _LATEST.append((data, settings, cut_into_tasks(data, **settings)))
    return _LATEST[0][2]


def _validation_samples(labels: Labels, fraction: float) -> NDArray[np.bool_]:
    """Choose a share of each class, the same for every seed; return a mask over the samples."""
    generator = np.random.default_rng(VALIDATION_SEED)
    validation = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        validation[generator.permutation(members)[: held_out(len(members), fraction)]] = True
    return validation
