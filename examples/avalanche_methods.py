"""Avalanche's Naive, EWC, SI and MAS as a training function, to be compared with ours.

Weights at the start and the order of mini-batches come from the streams that our stack draws from,
so that both train the same network on the same batches. What ``EWC``, ``SI``, ``MAS`` and
``Copying`` below change of Avalanche is all that keeps the two apart; each change can be left out.
``examples/avalanche_methods.toml`` compares them; it needs ``pip install avalanche-lib``:

    python run_all.py run examples/avalanche_methods.toml
"""

import os
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Literal

os.environ.setdefault("WANDB_MODE", "disabled")  # Avalanche imports its client

import numpy as np
import torch
from avalanche.benchmarks import benchmark_from_datasets, task_incremental_benchmark
from avalanche.benchmarks.utils import as_avalanche_dataset
from avalanche.models import MultiTaskModule
from avalanche.training.plugins import (
    EvaluationPlugin,
    EWCPlugin,
    MASPlugin,
    SynapticIntelligencePlugin,
)
from avalanche.training.supervised import Naive
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

Streams = Callable[[str], np.random.Generator]


class Perceptron(MultiTaskModule):
    """Ours: each task has its own outputs, and sees no others."""

    def __init__(self, widths: list[int], heads: list[tuple[int, ...]], init: np.random.Generator):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.register_buffer("heads", torch.tensor(heads))
        with torch.no_grad():
            for layer in self.layers:
                bound = layer.in_features**-0.5
                drawn = init.uniform(-1, 1, (layer.in_features, layer.out_features)) * bound
                layer.weight.copy_(torch.from_numpy(drawn.T))
                drawn = init.uniform(-1, 1, (1, layer.out_features)) * bound
                layer.bias.copy_(torch.from_numpy(drawn[0]))

    def adaptation(self, experience: Any) -> None:
        """Have all heads from the start, as ours."""

    def forward(self, x: Tensor, task_labels: Tensor) -> Tensor:  # noqa: D102
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        outputs = self.layers[-1](x)
        return outputs.gather(1, self.heads[task_labels])


class InOurOrder(Naive):
    """Takes mini-batches as our stack does: each epoch in an order that the stream draws."""

    order: np.random.Generator

    def make_train_dataloader(self, **_: Any) -> None:  # noqa: D102
        dataset = self.adapted_dataset
        self.dataloader = DataLoader(
            dataset,
            batch_sampler=Batches(len(dataset), self.train_mb_size, self.order),
            collate_fn=dataset.collate_fn,
        )


class Batches:
    """The rows of each mini-batch of one epoch; each epoch has its own order."""

    def __init__(self, samples: int, size: int, order: np.random.Generator) -> None:
        self.samples, self.size, self.order = samples, size, order

    def __len__(self) -> int:
        return -(-self.samples // self.size)

    def __iter__(self) -> Iterator[list[int]]:
        rows = self.order.permutation(self.samples).tolist()
        for first in range(0, self.samples, self.size):
            yield rows[first : first + self.size]


class EWC(EWCPlugin):
    """Squares each sample's own gradient, not the mean of a mini-batch's."""

    def compute_importances(self, *arguments: Any, **options: Any) -> Any:  # noqa: D102
        *given, _ = arguments
        return super().compute_importances(*given, 1, **options)


class MAS(MASPlugin):
    """Takes the absolute value of each sample's own gradient; may add up the tasks' importances."""

    def __init__(self, strength: float, *, summed: bool) -> None:
        super().__init__(strength, alpha=0.5)
        self.summed = summed

    def _get_importance(self, strategy: Any) -> Any:
        size, strategy.train_mb_size = strategy.train_mb_size, 1
        importance = super()._get_importance(strategy)
        strategy.train_mb_size = size
        return importance

    def after_training_exp(self, strategy: Any, **options: Any) -> None:  # noqa: D102
        super().after_training_exp(strategy, **options)
        if self.summed and strategy.clock.train_exp_counter > 0:
            for importance in self.importance.values():
                importance.data *= 2  # of half the old and half the new


class SI(SynapticIntelligencePlugin):
    """Has no cap; may follow the plain loss alone, and keep importances from 0 on.

    Avalanche's own follows the loss with the penalty, and an importance below 0 stays.
    """

    def __init__(self, strength: float, xi: float, *, plain_loss: bool) -> None:
        super().__init__(strength, eps=xi)
        self.plain_loss = plain_loss
        self.plain: tuple[Tensor, ...] = ()

    def before_backward(self, strategy: Any, **options: Any) -> None:  # noqa: D102
        if self.plain_loss:
            parameters = [*strategy.model.parameters()]
            self.plain = torch.autograd.grad(strategy.loss, parameters, retain_graph=True)
        super().before_backward(strategy, **options)

    def after_training_iteration(self, strategy: Any, **options: Any) -> None:  # noqa: D102
        for parameter, gradient in zip(strategy.model.parameters(), self.plain, strict=False):
            parameter.grad = gradient
        super().after_training_iteration(strategy, **options)

    def after_training_exp(self, strategy: Any, **_: Any) -> None:  # noqa: D102
        given = (self.excluded_parameters, 1)
        self.update_ewc_data(
            strategy.model, self.ewc_data, self.syn_data, float("inf"), *given, eps=self.eps
        )
        if self.plain_loss:
            for path in self.syn_data["cum_trajectory"].values():
                path.data.clamp_(max=0)  # importances with the other sign
            for importance in self.ewc_data[1].values():
                importance.data.clamp_(min=0)


class Copying(torch.optim.SGD):
    """Puts new weights beside the old ones instead of over them.

    On a CPU Avalanche 0.6 remembers views of the weights: they change with an update in place, so
    that its SI sees no change, and finds no weight important.
    """

    def step(self, closure: Any = None) -> Any:  # noqa: D102
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.data = parameter.data.clone()
        return super().step(closure)


def train(
    streams: Streams,
    tasks: list[dict[str, Any]],
    algorithm: Literal["naive", "ewc", "si", "mas"] = "naive",
    strength: float = 0.0,
    xi: float = 0.001,
    changes: list[Literal["samples", "summed", "copied", "uncapped", "plain"]] = [],  # noqa: B006
    hidden: list[int] = [128, 128],  # noqa: B006
    batch_size: int = 64,
    learning_rate: float = 0.01,
    momentum: float = 0.95,
    epochs: int = 16,
) -> Iterator[list[float]]:
    """Yield the accuracies on all tasks so far, after each task.

    Parameters
    ----------
    strength : lambda of ``lambda * importance * (change of the weights)^2``.
    changes : of Avalanche's methods; see ``examples/avalanche_methods.toml``.
    """
    torch.set_num_threads(1)
    features = tasks[0]["train_inputs"].shape[1]
    outputs = 1 + max(max(task["classes"]) for task in tasks)
    heads = [task["classes"] for task in tasks]
    model = Perceptron([features, *hidden, outputs], heads, streams("init"))
    optimiser = Copying if "copied" in changes else torch.optim.SGD
    strategy = InOurOrder(
        model=model,
        optimizer=optimiser(model.parameters(), lr=learning_rate, momentum=momentum),
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=batch_size,
        train_epochs=epochs,
        plugins=plugins(algorithm, strength, xi, changes),
        evaluator=EvaluationPlugin(),
    )
    strategy.order = streams("order")
    experiences = task_incremental_benchmark(
        benchmark_from_datasets(train=[dataset(task) for task in tasks]), reset_task_labels=True
    ).train_stream
    for number, experience in enumerate(experiences):
        strategy.train(experience, eval_streams=[])
        model.eval()
        yield [accuracy(model, task, label) for label, task in enumerate(tasks[: number + 1])]


def plugins(algorithm: str, strength: float, xi: float, changes: list[str]) -> list[Any]:
    """Return Avalanche's plugin of an algorithm, with these changes."""
    if algorithm == "ewc":
        return [EWC(strength) if "samples" in changes else EWCPlugin(strength)]
    if algorithm == "mas":
        if "samples" in changes:
            return [MAS(strength, summed="summed" in changes)]
        return [MASPlugin(strength, alpha=0.5)]
    if algorithm == "si":  # whose penalty has a factor of 1/2
        if "uncapped" in changes:
            return [SI(2 * strength, xi, plain_loss="plain" in changes)]
        return [SynapticIntelligencePlugin(2 * strength, eps=xi)]
    return []


def places(task: dict[str, Any], part: str) -> Tensor:
    """Return the labels as places among the task's classes."""
    return torch.from_numpy(np.searchsorted(task["classes"], task[f"{part}_labels"]))


def dataset(task: dict[str, Any]) -> Any:
    """Return the training samples of a task as Avalanche has them."""
    inputs = torch.from_numpy(task["train_inputs"])
    return as_avalanche_dataset(TensorDataset(inputs, places(task, "train")))


@torch.no_grad()
def accuracy(model: Perceptron, task: dict[str, Any], label: int) -> float:
    """Return the accuracy on a task's test samples, a fraction."""
    inputs = torch.from_numpy(task["test_inputs"])
    found = model(inputs, torch.full((len(inputs),), label)).argmax(1)
    return float((found == places(task, "test")).double().mean())
