"""Benchmarks: image data sets cut into sequences of tasks.

A new benchmark is one function that returns a ``Dataset`` and one line in ``BENCHMARKS``.
"""

from __future__ import annotations

import hashlib
import importlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.errors import InputError

BINARY_TASKS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))
DIGITS_SPLIT_SEED = 20190614
"""Fixes the train/test split of the digits for ever; part of the benchmark's definition."""
VALIDATION_SEED = 20190615
"""Fixes which training samples are held out for validation."""
DOWNLOAD_TIMEOUT_S = 10.0

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Dataset:
    """Raw images and labels, and the tasks that they are cut into.

    Attributes
    ----------
    name : of the benchmark.
    train_images, test_images : (N, pixels) integers from 0 to ``white``.
    train_labels, test_labels : (N,) classes.
    white : the largest value that a pixel can have.
    tasks : the classes of each task, in order of training.
    """

    name: str
    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels
    white: int
    tasks: tuple[tuple[int, ...], ...]

    def checksum(self) -> str:
        """Return a SHA-256 over pixels, labels and tasks, in hexadecimal."""
        digest = hashlib.sha256(repr((self.white, self.tasks)).encode())
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(repr((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    @property
    def outputs(self) -> int:
        """Number of classes over all tasks."""
        return 1 + max(c for task in self.tasks for c in task)


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
        held out (the same samples for every seed) and takes the place of the test set, which
        is then not read at all.
    width : the inputs are padded with zeros to this many columns.
    """
    train, labels = data.train_images, data.train_labels
    if validation_fraction > 0:
        held = _held_out(labels, validation_fraction)
        test, test_labels = train[held], labels[held]
        train, labels = train[~held], labels[~held]
    else:
        test, test_labels = data.test_images, data.test_labels

    # Pixels are small integers: what each becomes is worked out once, in double precision.
    values = np.arange(data.white + 1) / data.white
    if scaling == "standardised":
        counts = np.bincount(train.ravel(), minlength=len(values))
        mean = (counts * values).sum() / counts.sum()
        deviation = np.sqrt((counts * (values - mean) ** 2).sum() / counts.sum())
        values = (values - mean) / deviation
    scaled = torch.from_numpy(values).to(dtype).numpy()

    def inputs(images: Images) -> Tensor:
        padded = torch.zeros(len(images), width, dtype=dtype)
        padded[:, : images.shape[1]] = torch.from_numpy(scaled[images])
        return padded.to(device)

    def of(classes: tuple[int, ...], images: Images, of_images: Labels) -> tuple[Tensor, Tensor]:
        chosen = np.isin(of_images, classes)
        return inputs(images[chosen]), torch.from_numpy(of_images[chosen]).to(device)

    return [
        Task(classes, *of(classes, train, labels), *of(classes, test, test_labels))
        for classes in data.tasks
    ]


def _held_out(labels: Labels, fraction: float) -> NDArray[np.bool_]:
    """Choose a share of each class, the same for every seed."""
    generator = np.random.default_rng(VALIDATION_SEED)
    held = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        held[generator.permutation(members)[: max(1, round(fraction * len(members)))]] = True
    return held


def mnist_class() -> Any:
    """Return torchvision's MNIST class.

    torchvision's package refuses to be imported where its compiled operators cannot be loaded
    (its wheel from the package index is built for CUDA; beside a CPU build of torch they
    cannot). Reading a data set needs none of them, so their names are declared and the
    import is tried again.
    """
    try:
        return importlib.import_module("torchvision.datasets").MNIST
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        boxes = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library = torch.library.Library("torchvision", "FRAGMENT")
        library.define(f"nms{boxes}")
        library.define(f"qnms{boxes}")
        _declared.append(library)  # its declarations vanish with it
        return importlib.import_module("torchvision.datasets").MNIST


_declared: list[torch.library.Library] = []


def split_mnist(data_dir: Path) -> Dataset:
    """Split MNIST: five binary tasks from {0, 1} to {8, 9}, through torchvision's MNIST.

    Reads the local copy below ``data_dir`` (torchvision's layout, ``MNIST/raw``), else tries to
    download it there.

    Raises
    ------
    InputError
        Where there is neither, or the files are damaged.
    """
    mnist = mnist_class()
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_S)
    try:
        present = (data_dir / "MNIST" / "raw").is_dir()
        parts = []
        for train in (True, False):
            try:
                parts.append(mnist(str(data_dir), train=train, download=False))
            except RuntimeError:  # not there, as far as torchvision can see
                parts.append(mnist(str(data_dir), train=train, download=True))
    except (RuntimeError, OSError, ValueError, EOFError, AssertionError) as error:
        found = "holds files that cannot be read as MNIST" if present else "holds no MNIST"
        raise InputError(
            f"no MNIST: {data_dir} {found}, and it could not be downloaded "
            f"({_first_line(error)}). Pass the folder that contains MNIST/raw with --data-dir "
            "or REPRO_DATA_DIR, or run the study dhp-split-digits, which needs no data."
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    arrays: list[NDArray[Any]] = []
    for part, size in zip(parts, (60000, 10000), strict=True):
        if part.data.shape != (size, 28, 28) or part.targets.shape != (size,):
            raise InputError(
                f"damaged MNIST below {data_dir}: expected {size} images of 28 x 28 with as many "
                f"labels, found {tuple(part.data.shape)} and {tuple(part.targets.shape)}. "
                "Delete MNIST/raw there and provide the four original files."
            )
        arrays += [part.data.numpy().reshape(size, 784), part.targets.numpy().astype(np.int64)]
    train_x, train_y, test_x, test_y = arrays
    return Dataset("split-mnist", train_x, train_y, test_x, test_y, 255, BINARY_TASKS)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def split_digits(data_dir: Path) -> Dataset:
    """Split Digits: the same tasks on the 8 x 8 digits that scikit-learn carries.

    1797 images with pixels from 0 to 16; a quarter of each class is the test set, by a split
    that a constant fixes. ``data_dir`` is not read.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images, labels = digits.data.astype(np.uint8), digits.target.astype(np.int64)
    train, test = train_test_split(
        np.arange(len(labels)), test_size=0.25, stratify=labels, random_state=DIGITS_SPLIT_SEED
    )
    return Dataset(
        "split-digits", images[train], labels[train], images[test], labels[test], 16, BINARY_TASKS
    )


BENCHMARKS: Mapping[str, Callable[[Path], Dataset]] = {
    "split-mnist": split_mnist,
    "split-digits": split_digits,
}
"""By the name a protocol uses; each takes the data directory."""
