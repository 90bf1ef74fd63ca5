"""Compare training steps of every condition with their matrix products and the user's programs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from harness.bench.race import Race, Ratio, timed
from harness.bench.users import USER_METHODS, UserProgram, from_loader, from_tensor
from harness.data.benchmarks import Dataset
from harness.data.tasks import Task, cut_into_tasks
from harness.data.torchvision_mnist import training_set
from harness.running.plan import CPU_LANES
from harness.running.training import Stack
from harness.studies.condition import Cell
from harness.studies.study import Study
from harness.studies.study_files import load_study
from methods.architecture import padded
from methods.importance import TaskSamples
from methods.products import libraries

EPOCHS, BATCH = 10, 64
STEPS = 20
"""Number of training steps of a program in a round."""
TARGETS = {"dhp": 1.15, "ewc": 2.0, "online-ewc": 1.6, "si": 1.8, "mas": 1.6}
"""Largest time of a step of each condition, as a multiple of finetune's step."""


@dataclass(frozen=True)
class Product:
    """One matrix product of a step, (S, m, k) by (S, k, n), and its name."""

    name: str
    a: Tensor
    b: Tensor

    @property
    def flops(self) -> int:
        """Number of floating-point operations: a multiplication and its addition count as two."""
        return 2 * self.a.numel() * self.b.shape[2]


def products_of_a_step(lanes: int) -> list[Product]:
    """Return the eight products of a step of the published network, in its memory layout."""
    widths = (784, 256, 256, padded(10))
    activations = [torch.rand(lanes, BATCH, width) for width in widths]
    weights = [torch.rand(lanes, *shape) for shape in pairwise(widths)]
    products = []
    for weight, before, after in zip(weights, activations, activations[1:], strict=False):
        rows, columns = weight.shape[1:]
        products.append(Product(f"forward, {BATCH}x{rows}x{columns}", before, weight))
        if weight is not weights[0]:  # a step computes no gradient of its inputs
            back = Product(f"back, {BATCH}x{columns}x{rows}", after, weight.transpose(1, 2))
            products.append(back)
        gradient = Product(f"gradient, {rows}x{BATCH}x{columns}", before.transpose(1, 2), after)
        products.append(gradient)
    return products


class Products:
    """The products of a step through one library, in the order of a step.

    So the cache holds for each product what it would hold in a step, and not the operands of its
    previous run.
    """

    def __init__(self, library: str, lanes: int) -> None:
        self.library = library
        self.lanes = lanes
        self._work = [
            (product, torch.empty(lanes, product.a.shape[1], product.b.shape[2]))
            for product in products_of_a_step(lanes)
        ]

    def seconds(self) -> dict[str, float]:
        """Return the seconds that a lane needs for each product, by library and product."""
        multiply = libraries()[self.library]
        total = dict.fromkeys((f"{self.library}: {product.name}" for product, _ in self._work), 0.0)
        for _ in range(STEPS):
            for product, out in self._work:
                started = time.process_time()
                multiply(product.a, product.b, out)
                total[f"{self.library}: {product.name}"] += time.process_time() - started
        return {name: seconds / STEPS / self.lanes for name, seconds in total.items()}


def race_of_products() -> Race:
    """Return a race of all installed libraries."""
    return Race({}, [Products(library, CPU_LANES).seconds for library in libraries()])


def floor(times: Mapping[str, float]) -> float:
    """Return the seconds of a lane's products, each through its fastest library."""
    return sum(
        min(times[f"{library}: {product.name}"] for library in libraries())
        for product in products_of_a_step(1)
    )


class Trained:
    """Training steps of one condition in a stack, under its penalty, on the first task.

    Parameters
    ----------
    tasks : tasks of the whole data set; all conditions train on the same tensors.
    """

    def __init__(
        self, study: Study, name: str, data: Dataset, tasks: Sequence[Task], lanes: int
    ) -> None:
        cells = [Cell(condition=study.conditions[name], seed=seed) for seed in range(lanes)]
        self.stack = Stack(cells, data, "cpu", tasks=tasks)
        self.task = tasks[0]
        self.mask = self.stack.network.output_mask(self.task.classes)
        inputs, labels = self.task.train_inputs[:512], self.task.train_labels[:512]
        self.stack.consolidation.end_task(lambda _: TaskSamples(inputs, labels, self.mask))
        self.lanes = lanes
        self._rows = self._batches()

    def _batches(self) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(0)
        while True:
            size = (self.lanes, BATCH)
            yield torch.randint(0, len(self.task.train_labels), size, generator=generator)

    def step(self) -> None:
        """Make one training step in all lanes."""
        self.stack.step(self.task, self.mask, next(self._rows))

    def seconds(self) -> float:
        """Return the seconds of a step for each lane."""
        return timed(self.step, STEPS) / self.lanes


def whole_tasks(data: Dataset) -> list[Task]:
    """Return the tasks of a data set under the published protocol."""
    return cut_into_tasks(
        data,
        scaling="unit",
        validation_fraction=0,
        width=padded(data.train_images.shape[1]),
        dtype=torch.float32,
        device="cpu",
    )


def user_programs(task: Task, data_dir: Path) -> dict[str, Callable[[], float]]:
    """Return the timed user's programs, with data from one tensor and from a DataLoader."""
    from torchvision.transforms import ToTensor

    images = training_set(data_dir, ToTensor())
    rows = [int(row) for row in torch.isin(images.targets, torch.tensor(task.classes)).nonzero()]
    sources = {
        "data in one tensor": from_tensor(task.train_inputs, task.train_labels),
        "DataLoader and ToTensor": from_loader(images, rows),
    }
    programs: dict[str, Callable[[], float]] = {}
    for source, batches in sources.items():
        for method in USER_METHODS:
            program = UserProgram(method, task.classes)
            step = partial(_step, program, batches)
            programs[f"user's {method}, {source}"] = partial(timed, step, STEPS)
    return programs


def _step(program: UserProgram, batches: Iterator[tuple[Tensor, Tensor]]) -> None:
    program.step(*next(batches))


def race_of_steps(data: Dataset, data_dir: Path, tasks: Sequence[Task], seconds: float) -> Race:
    """Race the steps of all conditions, their products and the user's programs."""
    published, rounded = load_study("dhp-split-mnist"), load_study("precision-split-mnist")
    programs: dict[str, Callable[[], float]] = {}
    for study, names in (
        (published, list(published.conditions)),
        (rounded, ["finetune-bf16", "dhp-bf16"]),
    ):
        for name in names:
            programs[name] = Trained(study, name, data, tasks, CPU_LANES).seconds
    products = [Products(library, CPU_LANES).seconds for library in libraries()]
    race = Race(programs | user_programs(tasks[0], data_dir), products)
    race.run(seconds)
    return race


def ratios_of_steps(race: Race) -> list[Ratio]:
    """Return the ratios of a step to its products, and of conditions to finetune."""
    ratios = [
        Ratio(
            "finetune / its matrix products alone, each by its fastest library",
            race.over_rounds(lambda times: times["finetune"] / floor(times)),
            "<= 1.35",
        )
    ]
    for name in race.programs:
        if name in load_study("dhp-split-mnist").conditions and name != "finetune":
            target = f"<= {TARGETS[name]}" if name in TARGETS else ""
            value = race.ratio(name, "finetune")
            ratios.append(Ratio(f"{name} / finetune", value, target))
    for name in ("finetune", "dhp"):
        value = race.ratio(f"{name}-bf16", name)
        ratios.append(Ratio(f"{name}, bf16 / float32", value))
    return ratios


def ratios_to_users(race: Race, importances: Mapping[str, float], steps: int) -> list[Ratio]:
    """Return the ratios of the user's time for a whole cell to ours, importances included.

    Parameters
    ----------
    importances : seconds for the importances of a cell, by program.
    steps : number of training steps of a cell.
    """
    ratios = []
    for source, target in (("data in one tensor", ">= 1.6"), ("DataLoader and ToTensor", ">= 4")):
        for method in USER_METHODS:
            user = f"user's {method}, {source}"
            user_importances = importances.get(f"user's {method}", 0.0) / steps
            our_importances = importances.get(method, 0.0) / steps
            value = (race.seconds(user) + user_importances) / (
                race.seconds(method) + our_importances
            )
            if not user_importances:  # ratios within a round are more exact than medians
                value = race.ratio(user, method)
            ratios.append(Ratio(f"{user} / ours", value, target))
    return ratios


def lanes_side_by_side(data: Dataset, tasks: Sequence[Task], seconds: float) -> list[Ratio]:
    """Return ratios of the time of a lane's step of SI, for several numbers of lanes."""
    study = load_study("dhp-split-mnist")
    race = Race(
        {
            str(lanes): Trained(study, "si", data, tasks, lanes).seconds
            for lanes in (1, CPU_LANES, 5, 10)
        }
    )
    race.run(seconds)
    return [
        Ratio(
            f"si, {lanes} lanes / {CPU_LANES} lanes",
            race.ratio(lanes, str(CPU_LANES)),
        )
        for lanes in race.programs
    ]


def cell_steps(data: Dataset) -> int:
    """Return the number of updates of a cell under the published protocol."""
    sizes = [
        int(torch.isin(torch.from_numpy(data.train_labels), torch.tensor(task)).sum())
        for task in data.tasks
    ]
    return EPOCHS * sum(-(-size // BATCH) for size in sizes)
