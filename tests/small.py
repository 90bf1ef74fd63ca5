"""Small data, cells and blocks for the tests, and the way from a lane to its oracle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from oracle import Named
from oracle_training import NaiveTask, Recipe
from torch import Tensor

from harness.data.benchmarks import Dataset
from harness.running.outcomes import Outcome
from harness.running.training import Stack, outcomes_of
from harness.studies.condition import Cell, Condition, Method, Protocol
from methods.ablations import TraceFrozen
from methods.architecture import Architecture
from methods.network import Network
from methods.softmax import DHPSoftmax, Softmax
from methods.streams import METHOD, ORDER, stream

TASKS = ((0, 7), (2, 3), (9, 5), (6, 1), (8, 4))
"""Not in ascending order: nothing may lean on a head's classes being neighbours."""

STRENGTHS = {"ewc": 2.0, "online-ewc": 1.0, "si": 0.5, "mas": 0.2}
"""Strong enough to matter on the small data, weak enough to be stable at its learning rate."""

DHP: dict[str, Any] = {
    "plasticity": "on",
    "head_init": "blog",
    "bias": False,
    "eta": 0.1,
    "alpha_scale": 0.5,
}
"""As published but for eta and alpha, here so large that plasticity shows."""

CONDITIONS: dict[str, dict[str, Any]] = {"finetune": {}, "dhp": DHP}
for _name, _strength in STRENGTHS.items():
    _fields = {"consolidation": _name, "strength": _strength}
    CONDITIONS[_name] = _fields
    CONDITIONS[f"dhp+{_name}"] = DHP | _fields


def small_data(pixels: int = 11, per_class: int = 12, seed: int = 5) -> Dataset:
    """Ten noisy prototypes in five binary tasks, pixels from 0 to 16."""
    generator = np.random.default_rng(seed)
    prototypes = generator.uniform(0, 16, (10, pixels))

    def draw(count: int) -> tuple[Any, Any]:
        labels = generator.permutation(np.repeat(np.arange(10), count))
        noisy = prototypes[labels] + generator.normal(0, 4, (len(labels), pixels))
        return noisy.clip(0, 16).astype(np.uint8), labels.astype(np.int64)

    return Dataset("small", *draw(per_class), *draw(9), white=16, tasks=TASKS)


def cell(name: str, seed: int = 0, method: Mapping[str, Any] | None = None, **own: Any) -> Cell:
    """A cell of one of the ten conditions; ``method`` and protocol fields replace the default."""
    protocol: dict[str, Any] = {
        "hidden": (12, 9),
        "learning_rate": 0.1,
        "batch_size": 7,
        "iterations_per_task": 6,
    }
    fields = CONDITIONS[name] | dict(method or {})
    condition = Condition(name=name, method=Method(**fields), protocol=Protocol(**protocol | own))
    return Cell(condition=condition, seed=seed)


@dataclass
class Trained:
    """A trained block: what it reports, and everything that it ends with, lane by lane."""

    outcomes: list[Outcome]
    block: Stack

    def state(self, lane: int) -> dict[str, Tensor]:
        """Parameters, trace and importances of a lane, padding included."""
        named = dict(self.block.network.parameters)
        if isinstance(self.block.network.head, DHPSoftmax):
            named["trace"] = self.block.network.head.trace
        importances = self.block.consolidation.importances()
        named |= {f"importance of {name}": value for name, value in importances.items()}
        return {name: value[lane] for name, value in named.items()}

    def bits(self, lane: int) -> tuple[object, ...]:
        """Everything about a lane, for comparison bit for bit (repr tells every float)."""
        tensors = {n: value.cpu().numpy().tobytes() for n, value in self.state(lane).items()}
        outcome = self.outcomes[lane]
        told = (outcome.status, outcome.accuracy, outcome.telemetry, outcome.right)
        return *map(repr, told), tensors


def stacked(
    widths: tuple[int, tuple[int, ...], int],
    seeds: Sequence[int],
    head: tuple[str, str, bool],
    eta: Tensor,
    alpha_scale: Tensor,
) -> Network:
    """Networks in float64; ``head`` is plasticity, initialisation and whether it has a bias."""
    plasticity, head_init, bias = head
    of: dict[str, type[Softmax]] = {"off": Softmax, "on": DHPSoftmax, "frozen": TraceFrozen}
    kind = of[plasticity]
    own: dict[str, Any] = {"head_init": head_init, "bias": bias}
    if kind is not Softmax:
        own |= {"eta": eta, "alpha_scale": alpha_scale}
    settings = kind.Settings(**own)
    return Network(Architecture(*widths), seeds, kind, settings, dtype=torch.float64)


def train(cells: Sequence[Cell], data: Dataset, device: str = "cpu") -> Trained:
    """Train one block in this process, keeping its networks at hand."""
    block = Stack(cells, data, device)
    return Trained(outcomes_of(block.run()), block)


def unpadded(network: Network, named: Mapping[str, Tensor], lane: int) -> Named:
    """Cut a lane's tensors to their true widths."""
    architecture = network.architecture
    widths = (architecture.inputs, *architecture.hidden, architecture.outputs)
    cut: Named = {}
    for name, value in named.items():
        layer = len(widths) - 2 if name.startswith("head.") else int(name.split(".")[1])
        rows = 1 if name.endswith("bias") else widths[layer]
        columns = widths[layer + 1]
        rows, columns = (1, 1) if name == "head.eta" else (rows, columns)
        cut[name] = value[lane, :rows, :columns].clone()
    return cut


def naive_tasks(data: Dataset, of: Cell) -> list[NaiveTask]:
    """The task sequence of one seed: the same mini-batches and draws, as plain tensors."""
    protocol, method = of.condition.stack_protocol, of.condition.stack_method
    order, draws = stream(of.seed, ORDER), stream(of.seed, METHOD)
    border = protocol.input_border or 0
    train_images, test_images = (
        around(images, border) for images in (data.train_images, data.test_images)
    )
    pixels = train_images / data.white
    shift, scale = 0.0, 1.0
    if protocol.input_scaling == "standardised":
        shift, scale = float(pixels.mean()), float(pixels.std())

    def part(images: Any, labels: Any, classes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        chosen = np.isin(labels, classes)
        inputs = (images[chosen] / data.white - shift) / scale
        return torch.tensor(inputs, dtype=torch.float64), torch.tensor(labels[chosen])

    tasks = []
    for classes in data.tasks:
        train_inputs, train_labels = part(train_images, data.train_labels, classes)
        count, size = len(train_labels), protocol.batch_size
        per_epoch = -(-count // size)
        left = protocol.iterations_per_task or (protocol.epochs or 0) * per_epoch
        epochs = []
        while left > 0:
            permutation = torch.from_numpy(order.permutation(count))
            epochs.append(list(permutation.split(size))[:left])
            left -= per_epoch
        rows, wanted = np.arange(count), method.get("importance_samples")
        if wanted is not None and wanted < count and method.consolidation != "none":
            rows = draws.choice(count, size=wanted, replace=False)
        tasks.append(
            NaiveTask(
                classes,
                train_inputs,
                train_labels,
                *part(test_images, data.test_labels, classes),
                epochs,
                torch.from_numpy(rows),
                torch.from_numpy(draws.random(len(rows))),
            )
        )
    return tasks


def around(images: Any, border: int) -> Any:
    """Images of a square of pixels with a border of zeros, pixel by pixel."""
    if not border:
        return images
    side = round(images.shape[1] ** 0.5)
    wide = np.zeros((len(images), side + 2 * border, side + 2 * border), images.dtype)
    for row in range(side):
        for column in range(side):
            wide[:, row + border, column + border] = images[:, row * side + column]
    return wide.reshape(len(images), -1)


def recipe(of: Cell) -> Recipe:
    """A cell's settings in the oracle's terms; what has no meaning for it keeps its default."""
    protocol, method = of.condition.stack_protocol, of.condition.stack_method
    given: dict[str, Any] = {
        "consolidation": method.consolidation,
        "strength": method.get("strength"),
        "gamma": method.get("gamma"),
        "xi": method.get("xi"),
        "fisher": method.get("fisher"),
        "optimiser": protocol.optimiser,
        "learning_rate": protocol.get("learning_rate"),
        "momentum": protocol.get("momentum"),
        "output_mask": protocol.output_mask,
        "each_task": protocol.get("each_task"),
        "later_rate": protocol.get("later_rate"),
    }
    for name in ("importance_batch", "squared_outputs", "negative_importance"):
        given[name] = method.get(name)
    for name in ("importance_ceiling", "path_loss"):
        given[name] = method.get(name)
    return Recipe(**{name: value for name, value in given.items() if value is not None})
