"""Training steps of every condition beside their matrix products and the user's programs."""

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
from harness.data.torchvision_mnist import mnist_class
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
"""Training steps of a program in a round."""
TARGETS = {"dhp": 1.15, "ewc": 2.0, "online-ewc": 1.6, "si": 1.8, "mas": 1.6}
"""Most time of a condition's step, as a multiple of finetune's."""


@dataclass(frozen=True)
class Product:
    """One product of a step, (S, m, k) by (S, k, n), and what it is for."""

    name: str
    a: Tensor
    b: Tensor

    @property
    def flops(self) -> int:
        """Floating-point operations, two for each multiplication with its addition."""
        return 2 * self.a.numel() * self.b.shape[2]


def products_of_a_step(lanes: int) -> list[Product]:
    """Return the eight products of a step of the published network, as its tensors lie."""
    widths = (784, 256, 256, padded(10))
    x = [torch.rand(lanes, BATCH, width) for width in widths]
    w = [torch.rand(lanes, *pair) for pair in pairwise(widths)]
    found = []
    for i, (rows, columns) in enumerate(pairwise(widths)):
        found.append(Product(f"forward, {BATCH}x{rows}x{columns}", x[i], w[i]))
        if i:  # nothing is wanted behind the first layer
            back = Product(f"back, {BATCH}x{columns}x{rows}", x[i + 1], w[i].transpose(1, 2))
            found.append(back)
        of_weight = Product(f"gradient, {rows}x{BATCH}x{columns}", x[i].transpose(1, 2), x[i + 1])
        found.append(of_weight)
    return found


class Products:
    """The products of a step through one library, one after the other as a step takes them.

    So each finds in the cache what it would find there in a step, and not its own last run.
    """

    def __init__(self, library: str, lanes: int) -> None:
        self.library = library
        self.lanes = lanes
        self._work = [
            (of, torch.empty(lanes, of.a.shape[1], of.b.shape[2]))
            for of in products_of_a_step(lanes)
        ]

    def seconds(self) -> dict[str, float]:
        """Return the seconds that each product takes a lane, by library and product."""
        multiply = libraries()[self.library]
        total = dict.fromkeys((f"{self.library}: {of.name}" for of, _ in self._work), 0.0)
        for _ in range(STEPS):
            for of, out in self._work:
                started = time.process_time()
                multiply(of.a, of.b, out)
                total[f"{self.library}: {of.name}"] += time.process_time() - started
        return {name: seconds / STEPS / self.lanes for name, seconds in total.items()}


def race_of_products() -> Race:
    """Return a race of all libraries at hand."""
    return Race({}, [Products(library, CPU_LANES).seconds for library in libraries()])


def floor(times: Mapping[str, float]) -> float:
    """Return the seconds that a lane's products take at least: each through its fastest library."""
    return sum(
        min(times[f"{library}: {of.name}"] for library in libraries())
        for of in products_of_a_step(1)
    )


class Trained:
    """Steps of one condition in a stack, its penalty in force, on the first task.

    Parameters
    ----------
    tasks : of the whole data set; every condition is trained on the same tensors.
    """

    def __init__(
        self, study: Study, name: str, data: Dataset, tasks: Sequence[Task], lanes: int
    ) -> None:
        cells = [Cell(condition=study.conditions[name], seed=seed) for seed in range(lanes)]
        self.stack = Stack(cells, data, "cpu", tasks=tasks)
        self.task = tasks[0]
        self.mask = self.stack.network.output_mask(self.task.classes)
        part = self.task.train_inputs[:512], self.task.train_labels[:512]
        self.stack.consolidation.end_task(lambda: TaskSamples(*part, self.mask))
        self.lanes = lanes
        self._rows = self._batches()

    def _batches(self) -> Iterator[Tensor]:
        draws = torch.Generator().manual_seed(0)
        while True:
            size = (self.lanes, BATCH)
            yield torch.randint(0, len(self.task.train_labels), size, generator=draws)

    def step(self) -> None:
        """Make one step of all lanes."""
        self.stack.step(self.task, self.mask, next(self._rows))

    def seconds(self) -> float:
        """Return the seconds that a step takes a lane."""
        return timed(self.step, STEPS) / self.lanes


def whole_tasks(data: Dataset) -> list[Task]:
    """Return the tasks of a data set as the published protocol has them."""
    return cut_into_tasks(
        data,
        scaling="unit",
        validation_fraction=0,
        width=padded(data.train_images.shape[1]),
        dtype=torch.float32,
        device="cpu",
    )


def user_programs(task: Task, data_dir: Path) -> dict[str, Callable[[], float]]:
    """Return the user's programs, with the data in one tensor and through a DataLoader."""
    from torchvision.transforms import ToTensor

    images = mnist_class()(str(data_dir), train=True, transform=ToTensor())
    rows = [int(i) for i in torch.isin(images.targets, torch.tensor(task.classes)).nonzero()]
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
    """Let the steps of all conditions, their products and the user's programs take turns."""
    study, rounded = load_study("dhp-split-mnist"), load_study("precision-split-mnist")
    programs: dict[str, Callable[[], float]] = {}
    for of, names in ((study, list(study.conditions)), (rounded, ["finetune-bf16", "dhp-bf16"])):
        for name in names:
            programs[name] = Trained(of, name, data, tasks, CPU_LANES).seconds
    products = [Products(library, CPU_LANES).seconds for library in libraries()]
    race = Race(programs | user_programs(tasks[0], data_dir), products)
    race.run(seconds)
    return race


def ratios_of_steps(race: Race) -> list[Ratio]:
    """Return what a step costs beside its products, and a condition beside finetune."""
    found = [
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
            found.append(Ratio(f"{name} / finetune", value, target))
    for name in ("finetune", "dhp"):
        value = race.ratio(f"{name}-bf16", name)
        found.append(Ratio(f"{name}, bf16 / float32", value))
    return found


def ratios_to_users(race: Race, importances: Mapping[str, float], steps: int) -> list[Ratio]:
    """Return the user's whole cell over ours: steps, and importances after every task.

    Parameters
    ----------
    importances : seconds that the importances of a cell take, by program.
    steps : of a cell.
    """
    found = []
    for source, goal in (("data in one tensor", ">= 1.6"), ("DataLoader and ToTensor", ">= 4")):
        for method in USER_METHODS:
            user = f"user's {method}, {source}"
            theirs = importances.get(f"user's {method}", 0.0) / steps
            ours = importances.get(method, 0.0) / steps
            value = (race.seconds(user) + theirs) / (race.seconds(method) + ours)
            if not theirs:  # pairs of one round are more exact than medians
                value = race.ratio(user, method)
            found.append(Ratio(f"{user} / ours", value, goal))
    return found


def lanes_side_by_side(data: Dataset, tasks: Sequence[Task], seconds: float) -> list[Ratio]:
    """Return the time that a lane's step of SI takes by the number of lanes in the stack."""
    study = load_study("dhp-split-mnist")
    race = Race(
        {str(n): Trained(study, "si", data, tasks, n).seconds for n in (1, CPU_LANES, 5, 10)}
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
    """Return the updates of a cell at the published protocol."""
    sizes = [
        int(torch.isin(torch.from_numpy(data.train_labels), torch.tensor(task)).sum())
        for task in data.tasks
    ]
    return EPOCHS * sum(-(-size // BATCH) for size in sizes)
