"""Cut a data set into the tasks that are trained one after the other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.data.benchmarks import Dataset, Images, Labels
from harness.data.imbalance import imbalanced_rows
from harness.data.own_tasks import Data, OwnTasks, TaskArrays
from harness.errors import InputError
from harness.studies.known_data import held_out
from methods.streams import TASKS, stream
from methods.views import Views

VALIDATION_SEED = 20190615
"""Seed of the choice of training samples that are held out for validation."""


@dataclass(frozen=True)
class Task:
    """One task, ready for training: (N, features) inputs, (N,) labels, the classes of its head.

    Attributes
    ----------
    train_views, test_views : how lanes see them, where lanes differ in their tasks.
    """

    classes: tuple[int, ...]
    train_inputs: Tensor
    train_labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor
    train_views: Views | None = None
    test_views: Views | None = None

    @property
    def train_samples(self) -> int:
        """Number of training samples of one lane."""
        views, rows = self.train_views, len(self.train_labels)
        return rows if views is None else views.size(rows)

    @property
    def test_samples(self) -> int:
        """Number of test samples of one lane."""
        views, rows = self.test_views, len(self.test_labels)
        return rows if views is None else views.size(rows)


def cut_into_tasks(
    data: Data,
    *,
    scaling: str,
    validation_fraction: float,
    width: int,
    dtype: torch.dtype,
    device: torch.device | str,
    seeds: Sequence[int] = (0,),
    imbalance: str | None = None,
    border: int | None = None,
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
    seeds : of the tasks of each lane; they matter only where tasks depend on the seed.
    imbalance : of permuted tasks, the procedure that says how many samples of each class a task
        keeps in training; None for all of them.
    border : pixels of zero on every side of each image, before it is scaled.
    """
    if isinstance(data, OwnTasks):
        return _cut_own(data, scaling, validation_fraction, width, dtype, device, seeds)
    if border is not None:
        data = data.bordered(border)
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

    if data.permuted:
        x, y = inputs(train), torch.from_numpy(labels).to(device)
        test_x, test_y = inputs(test), torch.from_numpy(test_labels).to(device)
        orders = _orders(data, width, seeds)
        views = [None if o is None else Views(len(seeds), columns=o.to(device)) for o in orders]
        whole = [
            Task(classes, x, y, test_x, test_y, train_views=view, test_views=view)
            for classes, view in zip(data.tasks, views, strict=True)
        ]
        if imbalance is None:
            return whole
        kept = imbalanced_rows(labels, imbalance, len(whole), seeds)
        return [_of_samples(task, rows, len(seeds)) for task, rows in zip(whole, kept, strict=True)]
    return [
        Task(classes, *samples_of(classes, train, labels), *samples_of(classes, test, test_labels))
        for classes in data.tasks
    ]


def _of_samples(task: Task, rows: NDArray[np.int64], lanes: int) -> Task:
    """Return a task of which each lane trains on its own rows (S, n); no sample is copied."""
    samples = torch.from_numpy(rows).to(task.train_labels.device)
    view = replace(task.train_views or Views(lanes), samples=samples)
    return replace(task, train_views=view)


def features_of(data: Data, border: int | None) -> int:
    """Return the number of inputs of a network: those of the data, with their border if any."""
    if border is None:
        return data.features
    return int((math.isqrt(data.features) + 2 * border) ** 2)


_LATEST: list[tuple[Data, dict[str, Any], list[Task]]] = []


def latest_tasks(data: Data, *, seeds: Sequence[int], **settings: Any) -> list[Task]:
    """Return ``cut_into_tasks(data, ...)``; cut only where the last call was another one.

    To cut MNIST takes as long as a GPU needs for a tenth of a block, and the blocks of a process
    mostly ask for the same tasks. One sequence is kept, because it takes 200 MB.
    """
    by_seed = data.seeded if isinstance(data, OwnTasks) else data.permuted
    settings["seeds"] = tuple(seeds) if by_seed else (0,)
    if not (_LATEST and _LATEST[0][0] is data and _LATEST[0][1] == settings):
        _LATEST.clear()  # frees the other sequence before this one is made
        _LATEST.append((data, settings, cut_into_tasks(data, **settings)))
    return _LATEST[0][2]


def _cut_own(
    data: OwnTasks,
    scaling: str,
    validation_fraction: float,
    width: int,
    dtype: torch.dtype,
    device: torch.device | str,
    seeds: Sequence[int],
) -> list[Task]:
    """Return the tasks of the user's own function; each seed's, where they depend on it."""
    lanes: list[Sequence[TaskArrays]] = [
        data.tasks_of(seed) for seed in (seeds if data.seeded else seeds[:1])
    ]
    if validation_fraction > 0:
        lanes = [[_held_out(task, validation_fraction) for task in tasks] for tasks in lanes]
    tasks: list[Task] = []
    for versions in zip(*lanes, strict=True):
        sizes = {(len(task.train_labels), len(task.test_labels)) for task in versions}
        if len(sizes) > 1:
            raise InputError(f"'{data.name}': the same task has other sizes with other seeds")
        train_views = test_views = None
        if data.seeded:
            starts = torch.arange(len(versions), device=device).view(-1, 1)
            ((train, test),) = sizes
            train_views = Views(len(versions), offsets=starts * train)
            test_views = Views(len(versions), offsets=starts * test)

        def joined(part: str, versions: Sequence[TaskArrays] = versions) -> tuple[Tensor, Tensor]:
            """Return the samples of all lanes, one lane after the other."""
            found = [_scaled(getattr(t, f"{part}_inputs"), t, scaling) for t in versions]
            inputs = torch.zeros(sum(map(len, found)), width, dtype=dtype)
            inputs[:, : data.features] = torch.from_numpy(np.concatenate(found))
            labels = np.concatenate([getattr(t, f"{part}_labels") for t in versions])
            return inputs.to(device), torch.from_numpy(labels).to(device)

        tasks.append(
            Task(versions[0].classes, *joined("train"), *joined("test"), train_views, test_views)
        )
    return tasks


def _scaled(inputs: NDArray[np.float64], task: TaskArrays, scaling: str) -> NDArray[np.float64]:
    """Return inputs as the function gave them, or by mean and deviation of the task's training."""
    if scaling == "unit":
        return inputs
    mean, deviation = float(task.train_inputs.mean()), float(task.train_inputs.std())
    return (inputs - mean) / (deviation or 1.0)


def _held_out(task: TaskArrays, fraction: float) -> TaskArrays:
    """Return a task whose test samples are a share of its training samples."""
    held = _validation_samples(task.train_labels, fraction)
    return replace(
        task,
        train_inputs=task.train_inputs[~held],
        train_labels=task.train_labels[~held],
        test_inputs=task.train_inputs[held],
        test_labels=task.train_labels[held],
    )


def _orders(data: Dataset, width: int, seeds: Sequence[int]) -> Iterator[Tensor | None]:
    """Yield for each task (S, width) which pixel each lane has where; None where all are in place.

    Every task after the first has an order of its own, drawn from the seed.
    """
    generators = [stream(seed, TASKS) for seed in seeds]
    yield None
    for _ in data.tasks[1:]:
        order = np.tile(np.arange(width), (len(seeds), 1))
        for lane, generator in zip(order, generators, strict=True):
            lane[: data.features] = generator.permutation(data.features)
        yield torch.from_numpy(order)


def _validation_samples(labels: Labels, fraction: float) -> NDArray[np.bool_]:
    """Choose a share of each class, the same for every seed; return a mask over the samples."""
    generator = np.random.default_rng(VALIDATION_SEED)
    validation = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        validation[generator.permutation(members)[: held_out(len(members), fraction)]] = True
    return validation
