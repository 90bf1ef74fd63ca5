"""A benchmark of the user's own: one function that returns tasks as arrays.

The function returns a list with one mapping for each task, in order of training: ``train_inputs``
(N, features) and ``test_inputs`` as numbers, ``train_labels`` and ``test_labels`` (N,) as integers
from 0, and, if it likes, ``classes``, the classes of the task's head; without them these are the
labels that occur in the task. A parameter ``data_dir`` gets the folder of the data (a Path). A
parameter ``seed`` gets the cell's seed, and the tasks are then made anew for each seed. All other
parameters get what the study sets beside the benchmark.
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
from harness.studies.classes import BY_NAME
from harness.studies.own_code import OwnCode

ARRAYS = ("train_inputs", "train_labels", "test_inputs", "test_labels")
MOST_CLASSES = 10_000


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
    parameters : what the study sets of the function's parameters.
    per_class : where given, only so many samples of each class are used.
    """

    name: str
    code: OwnCode = field(repr=False)
    data_dir: Path
    seeded: bool
    made: tuple[TaskArrays, ...] = field(repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    per_class: int | None = None

    genuine = True

    def tasks_of(self, seed: int) -> tuple[TaskArrays, ...]:
        """Return the tasks of one seed (InputError where the function fails)."""
        if not self.seeded:
            return self.made
        given = {**self.parameters, "data_dir": self.data_dir, "seed": seed}
        made = _call(self.code, given)
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


def make_own_tasks(
    code: OwnCode, data_dir: Path, parameters: Mapping[str, Any] | None = None
) -> OwnTasks:
    """Call the user's function with what a study sets of it.

    Raises
    ------
    InputError
        Where the function fails, or returns no tasks.
    """
    try:
        names = inspect.signature(code.load()).parameters
    except (ValueError, TypeError) as error:
        raise InputError(f"benchmark = '{code.place}': {error}") from None
    given = {**(parameters or {}), "data_dir": data_dir, "seed": 0}
    needed = (n for n, p in names.items() if p.default is p.empty and p.kind in BY_NAME)
    for name in needed:
        if name not in given:
            raise InputError(
                f"benchmark = '{code.place}': its parameter '{name}' is given nothing; set it "
                "beside the benchmark, or give it a default"
            )
    made = _call(code, given)
    return OwnTasks(code.place, code, data_dir, "seed" in names, made, parameters or {})


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
