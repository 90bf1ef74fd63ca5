"""Gradient descent on stacks of lanes; every lane has a learning rate of its own.

All updates are elementwise and in place. One optimiser serves the whole task sequence: its
state (momentum, Adam's moments) is carried from task to task, as in a training loop that
creates its optimiser once; ``each_task = "fresh"`` forgets it where a task starts, as programs do
that create one for each task. A further optimiser is one class with a name and its settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from methods.fields import per_lane, setting

TensorByName = Mapping[str, Tensor]


class SGD:
    """Plain gradient descent, ``theta <- theta - lr g``; the base class of all optimisers.

    Parameters
    ----------
    parameters : what is trained, by name; a step changes them in place.
    """

    kind: ClassVar = "optimiser"
    name: ClassVar[str] = "sgd"
    later_rate: float | None = None
    epochs = 0

    @dataclass(frozen=True, kw_only=True)
    class Settings:
        """Of the step.

        Attributes
        ----------
        learning_rate : (S, 1, 1).
        later_rate : what the learning rate is multiplied by after the first epoch of the first
            task, once and for all; None for a constant rate. A schedule that programs fall into
            whose scheduler counts other epochs than they think.
        """

        learning_rate: Tensor = per_lane(0.01, above=0)
        later_rate: float | None = setting(None, above=0)

    def __init__(self, parameters: TensorByName, settings: Settings) -> None:
        self.parameters = parameters
        self.rate = settings.learning_rate
        self.later_rate = settings.later_rate

    def start_task(self) -> None:
        """Prepare for a task; a subclass may forget its state."""

    def start_epoch(self) -> None:
        """Prepare for an epoch of any task: set the learning rate."""
        self.epochs += 1
        if self.epochs == 2 and self.later_rate is not None:
            self.rate.mul_(self.later_rate)  # in place: a captured step reads it at its address

    def step(self, gradients: TensorByName) -> None:
        """Move the parameters against ``gradients``."""
        for name, parameter in self.parameters.items():
            parameter.addcmul_(gradients[name], self.rate, value=-1)


class Remembering(SGD):
    """An optimiser with a state of its own, in tensors that a subclass names in ``forget``."""

    @dataclass(frozen=True, kw_only=True)
    class Settings(SGD.Settings):
        """``each_task`` is "fresh" where the state starts anew with every task."""

        each_task: Literal["fresh"] | None = None

    def __init__(self, parameters: TensorByName, settings: Settings) -> None:
        super().__init__(parameters, settings)
        self.fresh = settings.each_task == "fresh"

    def start_task(self) -> None:  # noqa: D102
        if self.fresh:
            self.forget()

    def forget(self) -> None:
        """Set the state, in place, to what it was before the first step."""
        raise AssertionError("a subclass knows its state")


class Momentum(Remembering):
    """Heavy-ball momentum as torch.optim.SGD has it: ``v <- mu v + g``, ``theta -= lr v``."""

    name = "momentum"

    @dataclass(frozen=True, kw_only=True)
    class Settings(Remembering.Settings):
        """``momentum`` is mu, (S, 1, 1)."""

        momentum: Tensor = per_lane(0.9, at_least=0, below=1)

    def __init__(self, parameters: TensorByName, settings: Settings) -> None:
        super().__init__(parameters, settings)
        self.momentum = settings.momentum
        self.velocity = {name: torch.zeros_like(p) for name, p in parameters.items()}

    def forget(self) -> None:  # noqa: D102
        _zero(*self.velocity.values())

    def step(self, gradients: TensorByName) -> None:  # noqa: D102
        for name, velocity in self.velocity.items():
            velocity.mul_(self.momentum).add_(gradients[name])
        super().step(self.velocity)


class Adam(Remembering):
    """Adam (Kingma and Ba 2015) with beta = (0.9, 0.999), epsilon = 1e-8, bias-corrected."""

    name = "adam"
    BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

    def __init__(self, parameters: TensorByName, settings: Remembering.Settings) -> None:
        super().__init__(parameters, settings)
        rate = self.rate
        self.mean = {name: torch.zeros_like(p) for name, p in parameters.items()}
        self.square = {name: torch.zeros_like(p) for name, p in parameters.items()}
        # beta^t is a tensor, so that each replay of a captured step reads its current value.
        self.power1 = torch.ones((), dtype=torch.float64, device=rate.device)
        self.power2 = torch.ones((), dtype=torch.float64, device=rate.device)

    def forget(self) -> None:  # noqa: D102
        _zero(*self.mean.values(), *self.square.values())
        self.power1.fill_(1)
        self.power2.fill_(1)

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


class Adagrad(Remembering):
    """Adagrad (Duchi et al. 2011) as torch.optim has it, with epsilon = 1e-10."""

    name = "adagrad"
    EPSILON = 1e-10

    def __init__(self, parameters: TensorByName, settings: Remembering.Settings) -> None:
        super().__init__(parameters, settings)
        self.squares = {name: torch.zeros_like(p) for name, p in parameters.items()}

    def forget(self) -> None:  # noqa: D102
        _zero(*self.squares.values())

    def step(self, gradients: TensorByName) -> None:  # noqa: D102
        for name, parameter in self.parameters.items():
            gradient = gradients[name]
            squares = self.squares[name].addcmul_(gradient, gradient)
            scale = squares.sqrt().add_(self.EPSILON)
            parameter.sub_((gradient / scale).mul_(self.rate))


def _zero(*state: Tensor) -> None:
    for tensor in state:
        tensor.zero_()
