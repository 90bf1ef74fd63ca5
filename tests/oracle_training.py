"""A naive reference for consolidation and for the training of a whole task sequence.

Like ``oracle``: one network at a time, double precision, gradients of the penalised loss by
autograd, updates by ``torch.optim``, nothing shared with the product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from oracle import NaiveNetwork, Named, gradient_of, head_loss, naive_fisher, naive_mas
from torch import Tensor


@dataclass(frozen=True)
class NaiveTask:
    """One task; ``epochs`` holds mini-batches of row numbers, an inner list for each epoch."""

    classes: tuple[int, ...]
    train_inputs: Tensor
    train_labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor
    epochs: list[list[Tensor]]
    importance_rows: Tensor
    uniforms: Tensor


@dataclass(frozen=True)
class Recipe:
    """Everything else that a training run is made of."""

    consolidation: str = "none"
    strength: float = 0.0
    gamma: float = 1.0
    xi: float = 0.001
    fisher: str = "exact"
    optimiser: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    output_mask: str = "task"


@dataclass
class NaiveRun:
    accuracy: list[list[float | None]] = field(default_factory=list)
    telemetry: list[dict[str, float]] = field(default_factory=list)


Quadratic = tuple[Named, Named]
"""Importances and centers."""


def penalty_of(network: NaiveNetwork, quadratics: Sequence[Quadratic]) -> Tensor:
    """``sum over quadratics and weights of Omega (theta - theta*)^2``; no factor 1/2."""
    value = torch.zeros((), dtype=torch.float64)
    for importance, center in quadratics:
        for name, theta in network.slow().items():
            value = value + (importance[name] * (theta - center[name]) ** 2).sum()
    return value


def copy_of(values: Mapping[str, Tensor]) -> Named:
    return {name: value.detach().clone() for name, value in values.items()}


class NaiveSI:
    """Path integral of the plain loss, one update after the other."""

    def __init__(self, network: NaiveNetwork) -> None:
        self.network = network
        self.omega = {name: torch.zeros_like(p) for name, p in copy_of(network.slow()).items()}
        self.start = copy_of(network.slow())

    def note(self, gradient: Named, before: Named) -> None:
        """After an update from ``before`` at which the plain loss had ``gradient``."""
        for name, theta in self.network.slow().items():
            self.omega[name] += -gradient[name] * (theta.detach() - before[name])

    def importance(self, previous: Named | None, xi: float) -> Named:
        """Importances after a task, those of the tasks before included; starts a new path."""
        now, importance = copy_of(self.network.slow()), {}
        for name, omega in self.omega.items():
            of_task = omega / ((now[name] - self.start[name]) ** 2 + xi)
            summed = of_task if previous is None else previous[name] + of_task
            importance[name] = torch.where(summed > 0, summed, 0.0)
            self.omega[name] = torch.zeros_like(omega)
        self.start = now
        return importance


def consolidate(
    network: NaiveNetwork, task: NaiveTask, recipe: Recipe, quadratics: list[Quadratic], si: NaiveSI
) -> list[Quadratic]:
    """The quadratics in force after ``task``."""
    inputs, labels = (
        task.train_inputs[task.importance_rows],
        task.train_labels[task.importance_rows],
    )
    center = copy_of(network.slow())
    previous = quadratics[-1][0] if quadratics else None
    if recipe.consolidation == "none":
        return []
    if recipe.consolidation == "si":
        return [(si.importance(previous, recipe.xi), center)]
    if recipe.consolidation == "mas":
        new, keep = naive_mas(network, inputs, task.classes), 1.0
    else:
        kind = recipe.fisher
        new = naive_fisher(network, inputs, labels, task.classes, kind, task.uniforms)
        keep = recipe.gamma
    if recipe.consolidation == "ewc":
        return [*quadratics, (new, center)]
    if previous is not None:
        new = {name: keep * previous[name] + value for name, value in new.items()}
    return [(new, center)]


def naive_optimiser(network: NaiveNetwork, recipe: Recipe) -> torch.optim.Optimizer:
    rate = recipe.learning_rate
    parameters = [p for p in network.everything().values() if p.requires_grad]
    if recipe.optimiser == "adam":
        return torch.optim.Adam(parameters, lr=rate)
    momentum = recipe.momentum if recipe.optimiser == "momentum" else 0.0
    return torch.optim.SGD(parameters, lr=rate, momentum=momentum)


def train_naively(network: NaiveNetwork, tasks: Sequence[NaiveTask], recipe: Recipe) -> NaiveRun:
    """Train one network on a sequence of tasks and test it on all tasks seen after each."""
    run, quadratics, si = NaiveRun(), list[Quadratic](), NaiveSI(network)
    optimiser = naive_optimiser(network, recipe)
    every = sorted(c for task in tasks for c in task.classes)
    for number, task in enumerate(tasks):
        classes = task.classes if recipe.output_mask == "task" else every
        network.start_task()
        for epoch in task.epochs:
            losses = []
            for rows in epoch:
                labels = task.train_labels[rows]
                plain = head_loss(network(task.train_inputs[rows], labels), labels, classes)
                gradient, before = gradient_of(plain, network), copy_of(network.slow())
                optimiser.zero_grad()
                (plain + recipe.strength * penalty_of(network, quadratics)).backward()
                optimiser.step()
                si.note(gradient, before)
                losses.append(plain.item())
        entry = {
            "loss": sum(losses) / len(losses),
            "penalty": recipe.strength * penalty_of(network, quadratics).item(),
        }
        seen = [accuracy_on(network, past) for past in tasks[: number + 1]]
        run.accuracy.append(seen + [None] * (len(tasks) - number - 1))
        quadratics = consolidate(network, task, recipe, quadratics, si)
        if network.plastic is not None:
            entry["eta"] = network.plastic.eta.item()
            entry["mean_abs_alpha"] = network.plastic.alpha.abs().mean().item()
            entry["mean_abs_hebb"] = network.plastic.trace.abs().mean().item()
        if quadratics:
            total = [sum_of([q[0][name] for q in quadratics]) for name in network.slow()]
            entry["importance_max"] = max(importance.max().item() for importance in total)
            entry["importance_sum"] = sum(importance.sum().item() for importance in total)
        run.telemetry.append(entry)
    return run


def accuracy_on(network: NaiveNetwork, task: NaiveTask) -> float:
    hits = 0
    logits = network.test_logits(task.test_inputs, task.classes)
    for z, label in zip(logits, task.test_labels.tolist(), strict=True):
        # All hidden units may be silent; of equal logits, that of the lowest class wins.
        hits += max(sorted(task.classes), key=lambda c: z[c].item()) == label
    return hits / len(task.test_labels)


def sum_of(tensors: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(tensors)).sum(0)
