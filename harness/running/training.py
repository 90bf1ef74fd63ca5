"""One block: S cells of equal structure, trained side by side from start to result."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from harness.data.own_tasks import Data
from harness.data.tasks import Task, features_of, latest_tasks
from harness.running.capture import fastest
from harness.running.evaluation import accuracies, packed_answers, right_answers
from harness.running.outcomes import Matrix, Outcome
from harness.studies.condition import Cell
from methods.architecture import Architecture, padded
from methods.consolidation import NoConsolidation
from methods.fields import LANE
from methods.importance import TaskSamples
from methods.network import Network
from methods.optimisers import SGD
from methods.streams import METHOD, ORDER, stream


@dataclass(frozen=True)
class Progress:
    """Share of a block's work that is done, from 0 to 1."""

    fraction: float


GPU_LANES = 32
"""Number of lanes of every stack on a GPU; where a block has fewer cells, its last one fills up.

cuBLAS chooses its kernel, and PyTorch how it divides a sum, by the number of lanes too. With one
number for all stacks, a cell has the same bits in a block of any size."""

Training = Generator[Progress, None, list[Outcome]]
"""A training under way: it yields its progress and returns an outcome for each cell, in order."""


def outcomes_of(training: Training) -> list[Outcome]:
    """Run a training to its end; return its outcomes."""
    while True:
        try:
            next(training)
        except StopIteration as end:
            outcomes: list[Outcome] = end.value
            return outcomes


def train_block(cells: Sequence[Cell], data: Data, device: str = "cpu") -> Training:
    """Train the cells of one block.

    The numbers of a cell do not depend on the other cells of the block. On the CPU this requires
    one thread, which this function sets for its process.

    Raises
    ------
    ValueError
        Where the cells differ in more than seeds and scalar hyper-parameters.
    """
    if len({cell.condition.structure() for cell in cells}) != 1:
        raise ValueError("the cells of a block must share their structure")
    if device == "cpu":
        use_one_thread()
    else:  # TF32 would round the factors of every product to ten bits
        torch.backends.cuda.matmul.allow_tf32 = False
    return (yield from Stack(cells, data, device).run())


def use_one_thread() -> None:
    """Let torch and the libraries of matrix products use one thread of this process each.

    Workers run in parallel, on one core each. With more threads a library would also divide a
    product differently, which changes its rounding.
    """
    torch.set_num_threads(1)
    threadpool_limits(1, user_api="blas")


class Stack:
    """A block in training: S networks with their optimiser, consolidation and outcomes so far.

    Parameters
    ----------
    cells : cells of equal structure, one for each lane.
    tasks : the tasks of the data set, if it has been cut already.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        data: Data,
        device: str,
        tasks: Sequence[Task] | None = None,
    ) -> None:
        self.count = len(cells)
        if device != "cpu":
            cells = [*cells, *repeat(cells[-1], GPU_LANES - len(cells))]
        self.cells = cells
        self.device = device
        self.protocol = protocol = cells[0].condition.stack_protocol
        method = cells[0].condition.method
        self.dtype = torch.float64 if protocol.precision == "float64" else torch.float32
        features = features_of(data, protocol.input_border)
        width = padded(features)
        self.tasks: Sequence[Task] = tasks or latest_tasks(
            data,
            scaling=protocol.input_scaling,
            validation_fraction=protocol.validation_fraction,
            width=width,
            dtype=self.dtype,
            device=device,
            seeds=[cell.task_seed for cell in cells],
            imbalance=protocol.imbalance,
            border=protocol.input_border,
        )
        architecture = Architecture(
            inputs=features,
            hidden=protocol.hidden,
            outputs=data.outputs,
        )
        seeds = [cell.stream_seed for cell in cells]
        head = method.class_of("head")
        self.network = Network(
            architecture,
            seeds,
            head,
            self._settings(head),
            dtype=self.dtype,
            device=device,
            reduced=protocol.precision == "bf16",
        )
        optimiser = protocol.class_of("optimiser")
        self.optimiser: SGD = optimiser(self.network.parameters, self._settings(optimiser))
        consolidation = method.class_of("consolidation")
        self.consolidation: NoConsolidation = consolidation(
            self.network, self._settings(consolidation)
        )
        self.order_generators = [stream(cell.order_seed, ORDER) for cell in cells]
        self.method_generators = [stream(seed, METHOD) for seed in seeds]
        size = len(self.tasks)
        empty: list[Matrix] = [[[None] * size for _ in range(size)] for _ in cells]
        self.outcomes = [Outcome("done", matrix) for matrix in empty]
        self.seconds = dict.fromkeys(("training", "importances", "evaluation"), 0.0)

    def _settings(self, chosen: Any) -> Any:
        """Return the settings of a class: (S, 1, 1) tensors of what lanes may differ in."""
        values: dict[str, Any] = {}
        for field in dataclasses.fields(chosen.Settings):
            own = [self._value(cell, chosen.kind, field.name) for cell in self.cells]
            lane = field.metadata.get(LANE, False)
            values[field.name] = self._scalar(own) if lane else own[0]
        return chosen.Settings(**values)

    def _value(self, cell: Cell, kind: str, name: str) -> Any:
        condition = cell.condition
        return (condition.protocol if kind == "optimiser" else condition.method).get(name)

    def _scalar(self, values: Sequence[float]) -> Tensor:
        scalar = torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)
        return scalar.to(device=self.device, dtype=self.dtype)

    def run(self) -> Training:
        """Train all tasks in sequence."""
        started = time.perf_counter()
        last = len(self.tasks) - 1
        for number, task in enumerate(self.tasks):
            for loss, share in self._train(task):  # noqa: B007 (used after the loop)
                yield Progress((number + share) / len(self.tasks))
            self._mark_diverged(loss)
            penalty = self.consolidation.penalty()
            with self._timed("evaluation"):
                self._evaluate(number)
            if number < last:  # no task follows the last one
                with self._timed("importances"):
                    self.consolidation.end_task(partial(self._samples, task))
            self._note(number, loss, penalty)
        total = time.perf_counter() - started
        for outcome in self.outcomes:
            seconds = self.seconds | {"total": total}
            outcome.timings = {phase: spent / self.count for phase, spent in seconds.items()}
        return self.outcomes[: self.count]

    def _train(self, task: Task) -> Iterator[tuple[Tensor, float]]:
        """Train one task; yield the (S,) mean plain losses of each epoch and the share done."""
        samples, size = task.train_samples, self.protocol.batch_size
        epoch_steps = math.ceil(samples / size)
        steps = self.protocol.iterations_per_task or (self.protocol.epochs or 0) * epoch_steps
        all_classes = [label for any_task in self.tasks for label in any_task.classes]
        classes = task.classes if self.protocol.output_mask == "task" else all_classes
        mask = self.network.output_mask(classes)
        step = fastest(partial(self.step, task, mask), self.device)
        self.network.head.start_task()
        self.optimiser.start_task()
        for first in range(0, steps, epoch_steps):
            self.optimiser.start_epoch()
            with self._timed("training"):
                # The order is drawn on the CPU, so that it is the same on every device.
                order = np.stack(
                    [generator.permutation(samples) for generator in self.order_generators]
                )
                rows = torch.from_numpy(order).to(self.device)
                batches = min(epoch_steps, steps - first)
                total = torch.zeros(len(self.cells), dtype=self.dtype, device=self.device)
                for batch in rows.split(size, dim=1)[:batches]:
                    total += step(batch)
            yield total / batches, (first + batches) / steps

    def step(self, task: Task, mask: Tensor, rows: Tensor) -> Tensor:
        """Make one update on the samples ``rows`` (S, B); return the (S,) plain losses."""
        if task.train_views is None:
            samples = rows.reshape(-1)
            inputs = task.train_inputs.index_select(0, samples).view(*rows.shape, -1)
            labels = task.train_labels.index_select(0, samples).view(rows.shape)
        else:
            inputs, labels = task.train_views.take(task.train_inputs, task.train_labels, rows)
        loss = self.network.loss_and_gradients(inputs, labels, mask)
        self.consolidation.before_update()
        self.optimiser.step(self.network.gradients)
        self.consolidation.after_update()
        return loss

    def _mark_diverged(self, loss: Tensor) -> None:
        finite = loss.isfinite()
        for parameter in self.network.parameters.values():
            finite &= parameter.isfinite().all(2).all(1)
        for outcome, is_finite in zip(self.outcomes, finite.tolist(), strict=True):
            if not is_finite:
                outcome.status = "diverged"

    def _evaluate(self, after: int) -> None:
        """Fill in row ``after`` of the accuracy matrices; diverged lanes keep None."""
        corrected = [cell.condition.stack_protocol.corrected_errors or 0 for cell in self.cells]
        right = right_answers(self.network, self.tasks[: after + 1])
        for outcome, row in zip(self.outcomes, accuracies(right, corrected), strict=True):
            if outcome.status == "done":
                outcome.accuracy[after][: len(row)] = row
        if after == len(self.tasks) - 1:
            for outcome, answers in zip(
                self.outcomes, packed_answers(right, corrected), strict=True
            ):
                outcome.right = answers if outcome.status == "done" else None

    def _samples(self, task: Task, count: int | None) -> TaskSamples:
        mask = self.network.output_mask(task.classes)
        return TaskSamples.draw(
            task.train_inputs,
            task.train_labels,
            mask,
            count,
            self.method_generators,
            task.train_views,
        )

    def _note(self, number: int, loss: Tensor, penalty: Tensor) -> None:
        """Add the task's telemetry to every outcome; None replaces values that are not finite."""
        columns = {"loss": loss, "penalty": penalty}
        columns |= self._told(self.network.head.telemetry(self.network.architecture))
        columns |= self._told(self.consolidation.telemetry())
        values = {name: column.tolist() for name, column in columns.items()}
        for lane, outcome in enumerate(self.outcomes):
            entry = {
                name: column[lane] if math.isfinite(column[lane]) else None
                for name, column in values.items()
            }
            outcome.telemetry.append({"task": number, **entry})

    def _told(self, telemetry: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the telemetry of a class, checked: a user's own can say anything."""
        for name, column in telemetry.items():
            if name in ("task", "loss", "penalty"):
                raise ValueError(f"telemetry() names '{name}', which every record has already")
            if not isinstance(column, Tensor) or column.shape != (len(self.cells),):
                shape = tuple(column.shape) if isinstance(column, Tensor) else type(column).__name__
                raise ValueError(
                    f"telemetry() gives {shape} as '{name}'; it must be one number for each lane, "
                    f"a tensor of shape ({len(self.cells)},)"
                )
        return telemetry

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[phase] += time.perf_counter() - started
