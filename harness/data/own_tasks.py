"""A benchmark of the user's own: one function that returns tasks as arrays.

The function returns a list with one mapping for each task, in order of training: ``train_inputs``
(N, features) and ``test_inputs`` as numbers, ``train_labels`` and ``test_labels`` (N,) as integers
from 0, and, if it likes, ``classes``, the classes of the task's head; without them these are the
labels that occur in the task. A parameter ``data_dir`` gets the folder of the data (a Path). A
parameter ``seed`` gets the cell's seed, and the tasks are then made anew for each seed.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.benchmarks import Dataset
from harness.errors import InputError, in_a_line
from harness.studies.own_code import OwnCode

ARRAYS = ("train_inputs", "train_labels", "test_inputs", "test_labels")
MOST_CLASSES = 10_000
GIVES = ("data_dir", "seed")


@dataclass(frozen=True)
class TaskArrays:
    """One task as its function returned it, checked."""

    classes: tuple[int, ...]
    train_inputs: NDArray[np.float64]
    train_labels: NDArray[np.int64]
    test_inputs: NDArray[np.float64]
    test_labels: NDArray[np.int64]

    def first(self, per_class: int) -> TaskArrays:
        """Return the task with only the first ``per_class`` samples of each class."""
        train, test = _first(self.train_labels, per_class), _first(self.test_labels, per_class)
        return replace(
            self,
            train_inputs=self.train_inputs[train],
            train_labels=self.train_labels[train],
            test_inputs=self.test_inputs[test],
            test_labels=self.test_labels[test],
        )


@dataclass(frozen=True)
class OwnTasks:
    """The tasks that a function of the user's own returns.

    Attributes
    ----------
    name : the place of the function, as the study names it.
    seeded : whether the function has a parameter ``seed``.
    made : the tasks; where they depend on the seed, those of seed 0.
    per_class : where given, only so many samples of each class are used.
    """

    name: str
    code: OwnCode = field(repr=False)
    data_dir: Path
    seeded: bool
    made: tuple[TaskArrays, ...] = field(repr=False)
    per_class: int | None = None

    genuine = True

    def tasks_of(self, seed: int) -> tuple[TaskArrays, ...]:
        """Return the tasks of one seed (InputError where the function fails)."""
        if not self.seeded:
            return self.made
        made = _call(self.code, {"data_dir": self.data_dir, "seed": seed})
        if [len(task.classes) for task in made] != [len(task.classes) for task in self.made]:
            raise InputError(f"'{self.name}': seed {seed} has other tasks or classes than seed 0")
        if self.per_class is None:
            return made
        return tuple(task.first(self.per_class) for task in made)

    def checksum(self) -> str:
        """Return a SHA-256 over everything that the function returned, of seed 0 if it has one."""
        digest = hashlib.sha256(repr((self.seeded, [task.classes for task in self.made])).encode())
        for task in self.made:
            for name in ARRAYS:
                array = getattr(task, name)
                digest.update(repr((array.shape, array.dtype.str)).encode())
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    @property
    def tasks(self) -> tuple[tuple[int, ...], ...]:
        """The classes of each task."""
        return tuple(task.classes for task in self.made)

    @property
    def outputs(self) -> int:
        """Number of classes over all tasks."""
        return 1 + max(max(classes) for classes in self.tasks)

    @property
    def features(self) -> int:
        """Number of inputs of a network."""
        return int(self.made[0].train_inputs.shape[1])

    @property
    def train_samples(self) -> int:
        """Number of training samples of all tasks together."""
        return sum(len(task.train_labels) for task in self.made)

    @property
    def test_samples(self) -> int:
        """Number of test samples of all tasks together."""
        return sum(len(task.test_labels) for task in self.made)

    def class_sizes(self) -> list[int]:
        """Return the number of training samples of each class, in the task where it has fewest."""
        sizes: dict[int, int] = {}
        for task in self.made:
            for label in task.classes:
                count = int((task.train_labels == label).sum())
                sizes[label] = min(count, sizes.get(label, count))
        return [sizes[label] for label in sorted(sizes)]

    def first(self, per_class: int) -> OwnTasks:
        """Return the tasks with only the first ``per_class`` samples of each class."""
        made = tuple(task.first(per_class) for task in self.made)
        return replace(self, made=made, per_class=per_class)


Data = Dataset | OwnTasks
"""What is trained on."""


def make_own_tasks(code: OwnCode, data_dir: Path) -> OwnTasks:
    """Call the user's function (InputError where it fails, or returns no tasks)."""
    try:
        function = code.load()
        parameters = inspect.signature(function).parameters
    except (ValueError, TypeError) as error:
        raise InputError(f"benchmark = '{code.place}': {error}") from None
    unknown = [
        name
        for name, parameter in parameters.items()
        if name not in GIVES and parameter.default is inspect.Parameter.empty
    ]
    if unknown:
        raise InputError(
            f"benchmark = '{code.place}': its parameter '{unknown[0]}' is given nothing; a "
            f"benchmark can have {' and '.join(GIVES)}"
        )
    made = _call(code, {"data_dir": data_dir, "seed": 0})
    return OwnTasks(code.place, code, data_dir, "seed" in parameters, made)


def _call(code: OwnCode, given: Mapping[str, Any]) -> tuple[TaskArrays, ...]:
    function = code.load()
    names = inspect.signature(function).parameters
    place = f"benchmark = '{code.place}'"
    try:
        returned = list(function(**{n: value for n, value in given.items() if n in names}))
    except InputError:
        raise
    except Exception as error:  # the user's function can raise anything
        raise InputError(f"{place}: {in_a_line(error)}{code.line_of(error)}") from None
    if not returned:
        raise InputError(f"{place}: it returned no task")
    try:
        made = tuple(_checked(number, task) for number, task in enumerate(returned))
        _refuse_differing(made)
    except ValueError as error:
        raise InputError(f"{place}: {error}") from None
    return made


def _checked(number: int, task: Any) -> TaskArrays:
    """Return one task (ValueError: naming what is wrong with it)."""
    if not isinstance(task, Mapping):
        raise ValueError(f"task {number} is a {type(task).__name__}, not a mapping of arrays")
    wrong = [*(name for name in ARRAYS if name not in task), *(task.keys() - {*ARRAYS, "classes"})]
    if wrong:
        raise ValueError(f"task {number}: '{wrong[0]}': needed are {', '.join(ARRAYS)}")
    parts: dict[str, Any] = {}
    for part in ("train", "test"):
        inputs, labels = (np.asarray(task[f"{part}_{name}"]) for name in ("inputs", "labels"))
        if inputs.ndim != 2 or inputs.dtype.kind not in "buif" or not np.isfinite(inputs).all():
            raise ValueError(f"task {number}: {part}_inputs are no finite (N, features) numbers")
        if labels.dtype.kind not in "ui" or labels.shape != inputs.shape[:1] or not len(labels):
            raise ValueError(
                f"task {number}: {part}_labels are not one integer for each of the "
                f"{len(inputs)} {part}_inputs"
            )
        parts |= {f"{part}_inputs": inputs.astype(np.float64)}
        parts |= {f"{part}_labels": labels.astype(np.int64)}
    labels = np.concatenate([parts["train_labels"], parts["test_labels"]])
    classes = tuple(int(label) for label in task.get("classes", np.unique(labels)))
    if labels.min() < 0 or max(classes) >= MOST_CLASSES or not set(labels.tolist()) <= set(classes):
        raise ValueError(
            f"task {number}: its labels are not among its classes, from 0 to {MOST_CLASSES - 1}"
        )
    return TaskArrays(classes, **parts)


def _refuse_differing(made: Sequence[TaskArrays]) -> None:
    widths = {a.shape[1] for task in made for a in (task.train_inputs, task.test_inputs)}
    if len(widths) > 1:
        raise ValueError(f"inputs have {' and '.join(map(str, sorted(widths)))} features")


def _first(labels: NDArray[np.int64], per_class: int) -> NDArray[np.intp]:
    members = [np.flatnonzero(labels == label)[:per_class] for label in np.unique(labels)]
    return np.sort(np.concatenate(members))
