"""Gradient descent on stacks of lanes; every lane has a learning rate of its own.

All updates are elementwise and in place. One optimiser serves the whole task sequence: its
state (momentum, Adam's moments) is carried from task to task, as in a training loop that
creates its optimiser once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

TensorByName = Mapping[str, Tensor]


class SGD:
    """Plain gradient descent, ``theta <- theta - lr g``; ``rate`` is (S, 1, 1)."""

    def __init__(self, parameters: TensorByName, rate: Tensor, momentum: Tensor) -> None:
        self.parameters = parameters
        self.rate = rate

    def step(self, gradients: TensorByName) -> None:
        """Move the parameters against ``gradients``."""
        for name, parameter in self.parameters.items():
            parameter.addcmul_(gradients[name], self.rate, value=-1)


class Momentum(SGD):
    """Heavy-ball momentum as torch.optim.SGD has it: ``v <- mu v + g``, ``theta -= lr v``."""

    def __init__(self, parameters: TensorByName, rate: Tensor, momentum: Tensor) -> None:
        super().__init__(parameters, rate, momentum)
        self.momentum = momentum
        self.velocity = {name: torch.zeros_like(p) for name, p in parameters.items()}

    def step(self, gradients: TensorByName) -> None:  # noqa: D102
        for name, velocity in self.velocity.items():
            velocity.mul_(self.momentum).add_(gradients[name])
        super().step(self.velocity)


class Adam(SGD):
    """Adam (Kingma and Ba 2015) with beta = (0.9, 0.999), epsilon = 1e-8, bias-corrected."""

    BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

    def __init__(self, parameters: TensorByName, rate: Tensor, momentum: Tensor) -> None:
        super().__init__(parameters, rate, momentum)
        self.mean = {name: torch.zeros_like(p) for name, p in parameters.items()}
        self.square = {name: torch.zeros_like(p) for name, p in parameters.items()}
        # beta^t is a tensor, so that each replay of a captured step reads its current value.
        self.power1 = torch.ones((), dtype=torch.float64, device=rate.device)
        self.power2 = torch.ones((), dtype=torch.float64, device=rate.device)

    def step(self, gradients: TensorByName) -> None:  # noqa: D102
        first = 1 - self.power1.mul_(self.BETA1)
        second = 1 - self.power2.mul_(self.BETA2)
        rate = self.rate / first
        for name, parameter in self.parameters.items():
            gradient = gradients[name]
            mean = self.mean[name].lerp_(gradient, 1 - self.BETA1)
            square = self.square[name].mul_(self.BETA2)
            square.addcmul_(gradient, gradient, value=1 - self.BETA2)
            scale = (square / second).sqrt_().add_(self.EPSILON)
            parameter.sub_((mean / scale).mul_(rate))


OPTIMISERS: Mapping[str, Callable[[TensorByName, Tensor, Tensor], SGD]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "adam": Adam,
}
"""Optimisers by the name that a protocol uses.

Each takes parameters, learning rate and momentum coefficient."""
