"""Benchmarks: image data sets cut into sequences of tasks.

A new benchmark is one function that returns a ``Dataset`` and one line in ``BENCHMARKS``; its name
and what is known of its data join ``KNOWN_DATA``. A user's own is one function in the user's own
file, see ``harness.data.own_tasks``.
"""

from __future__ import annotations

import hashlib
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.data.digits import read_digits, stratified
from harness.data.mnist_files import read_mnist
from harness.errors import InputError
from harness.studies.known_data import KNOWN_DATA, is_genuine

DIGITS_SPLIT_SEED = 20190614
"""Seed of the train/test split of the digits, which is part of the benchmark's definition."""

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Dataset:
    """Raw images and labels, and the classes of the tasks that they are cut into.

    Attributes
    ----------
    name : name of the benchmark.
    train_images, test_images : (N, pixels) integers from 0 to ``white``.
    train_labels, test_labels : (N,) classes.
    white : the largest possible value of a pixel.
    tasks : the classes of each task, in order of training.
    permuted : whether each task is all of the images, their pixels in an order of its own that the
        seed draws; the first task has them in place.
    """

    name: str
    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels
    white: int
    tasks: tuple[tuple[int, ...], ...]
    permuted: bool = False

    def checksum(self) -> str:
        """Return a SHA-256 over pixels, labels and tasks, in hexadecimal."""
        digest = hashlib.sha256(repr((self.white, self.tasks)).encode())
        if self.permuted:
            digest.update(b"permuted")
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(repr((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    @property
    def genuine(self) -> bool:
        """Whether these are the genuine data of the benchmark, as far as those are known."""
        return is_genuine(self.name, self.checksum())

    @property
    def features(self) -> int:
        """Number of inputs of a network."""
        return int(self.train_images.shape[1])

    @property
    def train_samples(self) -> int:
        """Number of training samples of all tasks together."""
        return len(self.train_labels) * (len(self.tasks) if self.permuted else 1)

    @property
    def test_samples(self) -> int:
        """Number of test samples of all tasks together."""
        return len(self.test_labels) * (len(self.tasks) if self.permuted else 1)

    def class_sizes(self) -> list[int]:
        """Return the number of training samples of each class."""
        sizes: list[int] = np.bincount(self.train_labels, minlength=self.outputs).tolist()
        return sizes

    def first(self, per_class: int) -> Dataset:
        """Return the data set with only the first ``per_class`` samples of each class."""

        def first(labels: Labels) -> NDArray[np.intp]:
            members = [np.flatnonzero(labels == label)[:per_class] for label in np.unique(labels)]
            return np.sort(np.concatenate(members))

        train, test = first(self.train_labels), first(self.test_labels)
        return replace(
            self,
            train_images=self.train_images[train],
            train_labels=self.train_labels[train],
            test_images=self.test_images[test],
            test_labels=self.test_labels[test],
        )

    def bordered(self, border: int) -> Dataset:
        """Return the data set with ``border`` pixels of zero on every side of its square images."""
        side = math.isqrt(self.features)

        def padded(images: Images) -> Images:
            squares = images.reshape(len(images), side, side)
            around = ((0, 0), (border, border), (border, border))
            return np.pad(squares, around).reshape(len(images), -1)

        train, test = padded(self.train_images), padded(self.test_images)
        return replace(self, train_images=train, test_images=test)

    @property
    def outputs(self) -> int:
        """Number of classes over all tasks."""
        return 1 + max(label for task in self.tasks for label in task)


def split_mnist(data_dir: Path, *, allow_other: bool = False) -> Dataset:
    """Split MNIST: five binary tasks from {0, 1} to {8, 9}.

    Reads ``MNIST/raw`` below ``data_dir`` (torchvision's layout), or else downloads it there.

    Parameters
    ----------
    allow_other : accept any data set in MNIST's format.

    Raises
    ------
    NoDataError
        Where no data are there, and none could be downloaded.
    InputError
        Where the files are damaged, or hold other data that are not allowed.
    """
    return _mnist("split-mnist", data_dir, allow_other)


def permuted_mnist(data_dir: Path, *, allow_other: bool = False) -> Dataset:
    """Permuted MNIST: ten tasks of all ten digits, tested without the task's label.

    The first task is MNIST; each later one is MNIST under an order of its pixels that the seed
    draws (Goodfellow et al. 2013). Data and errors are those of ``split_mnist``.
    """
    return _mnist("permuted-mnist", data_dir, allow_other, permuted=True)


def imbalanced_permuted_mnist(data_dir: Path, *, allow_other: bool = False) -> Dataset:
    """Permuted MNIST of which each task keeps a share of its own of each class in training.

    Which share, the protocol's ``imbalance`` says. The test set stays whole.
    """
    return _mnist("imbalanced-permuted-mnist", data_dir, allow_other, permuted=True)


def _mnist(name: str, data_dir: Path, allow_other: bool, *, permuted: bool = False) -> Dataset:
    train_images, train_labels, test_images, test_labels = read_mnist(
        data_dir, allow_other=allow_other
    )
    return Dataset(
        name,
        train_images,
        train_labels.astype(np.int64),
        test_images,
        test_labels.astype(np.int64),
        255,
        KNOWN_DATA[name].tasks,
        permuted,
    )


def split_digits(data_dir: Path, *, allow_other: bool = False) -> Dataset:
    """Split Digits: the same tasks on the 8 x 8 digits that scikit-learn contains.

    1797 images with pixels from 0 to 16; a quarter of each class is the test set, and a
    constant seed fixes the split. ``data_dir`` is not read.

    Raises
    ------
    InputError
        Where this version of scikit-learn has other digits, which are not allowed.
    """
    images, labels = read_digits()
    train, test = stratified(labels, 0.25, DIGITS_SPLIT_SEED)
    data = Dataset(
        "split-digits",
        images[train],
        labels[train],
        images[test],
        labels[test],
        16,
        KNOWN_DATA["split-digits"].tasks,
    )
    if not (allow_other or data.genuine):
        raise InputError(
            f"scikit-learn {metadata.version('scikit-learn')} has other digits than split-digits "
            f"(checksum {data.checksum()[:16]}, expected "
            f"{KNOWN_DATA[data.name].checksum[:16]}): install another version, or pass "
            "--allow-other-data"
        )
    return data


class Benchmark(typing.Protocol):
    """Reads a benchmark's data set."""

    def __call__(self, data_dir: Path, *, allow_other: bool = False) -> Dataset:
        """Return the data set below ``data_dir``; data that are not genuine only if allowed."""
        ...


BENCHMARKS: Mapping[str, Benchmark] = {
    "split-mnist": split_mnist,
    "split-digits": split_digits,
    "permuted-mnist": permuted_mnist,
    "imbalanced-permuted-mnist": imbalanced_permuted_mnist,
}
"""Benchmarks by the name that a protocol uses."""
