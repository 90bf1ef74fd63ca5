"""A naive reference for consolidation and for the training of a whole task sequence.

Like ``oracle``: one network at a time, double precision, gradients of the penalised loss by
autograd, updates by ``torch.optim``, nothing shared with the product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from oracle import (
    NaiveNetwork,
    Named,
    gradient_of,
    head_loss,
    naive_fisher,
    naive_fisher_of_batches,
    naive_mas,
    naive_mas_of_batches,
)
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
    importance_batch: int | None = None
    squared_outputs: str | None = None
    negative_importance: str | None = None
    importance_ceiling: float | None = None
    path_loss: str | None = None
    each_task: str | None = None
    later_rate: float = 1.0


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
        self.summed: Named | None = None

    def note(self, gradient: Named, before: Named) -> None:
        """After an update from ``before`` at which the plain loss had ``gradient``."""
        for name, theta in self.network.slow().items():
            self.omega[name] += -gradient[name] * (theta.detach() - before[name])

    def importance(
        self, xi: float, *, negative: bool = False, ceiling: float | None = None
    ) -> Named:
        """Importances after a task, those of the tasks before included; starts a new path."""
        now, kept, importance = copy_of(self.network.slow()), {}, {}
        for name, omega in self.omega.items():
            summed = omega / ((now[name] - self.start[name]) ** 2 + xi)
            if self.summed is not None:
                summed = self.summed[name] + summed
            kept[name] = summed if negative else torch.where(summed > 0, summed, 0.0)
            capped = torch.where(kept[name] < (ceiling or 0), kept[name], ceiling or 0)
            importance[name] = kept[name] if ceiling is None else capped
            self.omega[name] = torch.zeros_like(omega)
        self.start, self.summed = now, kept
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
        negative, ceiling = recipe.negative_importance == "kept", recipe.importance_ceiling
        return [(si.importance(recipe.xi, negative=negative, ceiling=ceiling), center)]
    if recipe.consolidation == "l2":
        return [({name: torch.ones_like(value) for name, value in center.items()}, center)]
    size, classes = recipe.importance_batch, task.classes
    if recipe.consolidation == "mas":
        keep = 1.0
        new = (
            naive_mas_of_batches(network, inputs, classes, size)
            if size
            else naive_mas(network, inputs, classes)
        )
        if recipe.squared_outputs == "mean":
            new = {name: value / len(classes) for name, value in new.items()}
    else:
        kind, keep, drawn = recipe.fisher, recipe.gamma, task.uniforms
        new = (
            naive_fisher_of_batches(network, inputs, labels, classes, kind, drawn, size)
            if size
            else naive_fisher(network, inputs, labels, classes, kind, drawn)
        )
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
    if recipe.optimiser == "adagrad":
        return torch.optim.Adagrad(parameters, lr=rate)
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
        if recipe.each_task == "fresh":
            optimiser = naive_optimiser(network, recipe)
        for count, epoch in enumerate(task.epochs):
            later = recipe.later_rate if number or count else 1.0
            optimiser.param_groups[0]["lr"] = recipe.learning_rate * later
            losses = []
            for rows in epoch:
                labels = task.train_labels[rows]
                plain = head_loss(network(task.train_inputs[rows], labels), labels, classes)
                gradient, before = gradient_of(plain, network), copy_of(network.slow())
                optimiser.zero_grad()
                penalised = plain + recipe.strength * penalty_of(network, quadratics)
                if recipe.path_loss == "penalised":
                    gradient = gradient_of(penalised, network)
                penalised.backward()
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
