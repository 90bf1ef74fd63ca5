"""Programs that a user would write: one seed after the other, torch.nn, autograd, torch.optim.

``harness.bench`` compares ours with these. They are fair code as in tutorials and well-known
repositories: a penalty in the loss, and importances from one backward pass for each sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Subset

USER_METHODS = ("finetune", "online-ewc", "si", "mas")
Batches = Iterator[tuple[Tensor, Tensor]]


def perceptron() -> nn.Sequential:
    """Return the published 784-256-256-10 network."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(),
        nn.Linear(256, 10),
    )  # fmt: skip


def from_loader(images: Dataset[Any], rows: list[int]) -> Batches:
    """Yield mini-batches of a torchvision data set without end, through a DataLoader."""
    loader = DataLoader(Subset(images, rows), batch_size=64, shuffle=True)
    while True:
        yield from loader


def from_tensor(inputs: Tensor, labels: Tensor) -> Batches:
    """Yield mini-batches of tensors without end, without a DataLoader."""
    while True:
        for rows in torch.randperm(len(labels)).split(64):
            yield inputs[rows], labels[rows]


class UserProgram:
    """Finetuning, Online EWC, SI or MAS on one network, trained step by step.

    Parameters
    ----------
    method : "finetune", "online-ewc", "si" or "mas".
    classes : classes of the trained task; the loss sees only these outputs.
    """

    def __init__(self, method: str, classes: tuple[int, ...]) -> None:
        self.method = method
        self.classes = classes
        self.network = perceptron()
        self.optimiser = torch.optim.SGD(self.network.parameters(), lr=0.01)
        self.parameters = list(self.network.parameters())
        self.importance = [torch.zeros_like(p) for p in self.parameters]
        self.center = [p.detach().clone() for p in self.parameters]
        self.path = [torch.zeros_like(p) for p in self.parameters]

    def loss(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy over the outputs of the task."""
        first_class = self.classes[0]
        logits = self.network(inputs)[:, list(self.classes)]
        return functional.cross_entropy(logits, labels - first_class)

    def step(self, inputs: Tensor, labels: Tensor) -> None:
        """Make one update, with the penalty."""
        loss = self.loss(inputs, labels)
        if self.method == "si":  # the path integral needs the gradient of the plain loss
            plain = torch.autograd.grad(loss, self.parameters, retain_graph=True)
            before = [p.detach().clone() for p in self.parameters]
        if self.method != "finetune":
            for p, omega, center in zip(self.parameters, self.importance, self.center, strict=True):
                loss = loss + (omega * (p - center) ** 2).sum()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        if self.method == "si":
            for path, gradient, p, old in zip(
                self.path, plain, self.parameters, before, strict=True
            ):
                path -= gradient * (p.detach() - old)

    def importances(self, inputs: Tensor, labels: Tensor) -> None:
        """Add the importances of samples, with one backward pass for each sample."""
        for sample, label in zip(inputs.split(1), labels.split(1), strict=True):
            self.network.zero_grad()
            if self.method == "mas":
                self.network(sample)[:, list(self.classes)].square().sum().backward()
            else:  # the true label needs one pass for each sample: the cheapest Fisher
                self.loss(sample, label).backward()
            for omega, p in zip(self.importance, self.parameters, strict=True):
                assert p.grad is not None
                omega += p.grad.abs() if self.method == "mas" else p.grad.square()
