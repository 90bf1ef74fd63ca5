"""A consolidation that is not shipped: a pull to where the last task left a weight, with a limit.

Near there it is that of "l2"; further away than ``width`` it gets no stronger (Huber's loss), so a
weight that a new task needs elsewhere can go. It trains in the stack like ours.
``examples/huber.toml`` compares it; run it from here or anywhere:

    python run_all.py run examples/huber.toml
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from methods.consolidation import L2
from methods.fields import per_lane


class Huber(L2):
    """The penalty ``strength * sum h(theta - theta*)``, theta* the last task's weights.

    ``h(d) = d^2`` up to ``width``, and ``width (2 |d| - width)`` beyond.
    """

    @dataclass(frozen=True, kw_only=True)
    class Settings(L2.Settings):
        """``width`` is how far away the pull still grows; ``strength`` is the base class's."""

        width: Tensor = per_lane(0.05, above=0)

    def before_update(self) -> None:
        """Add the pull to the gradients."""
        if self.quadratic is None:
            return
        width, factor = self.settings.width, 2 * self.settings.strength
        for name, center in self.quadratic.center.items():
            distance = self.network.slow[name] - center
            pull = torch.maximum(torch.minimum(distance, width), -width)
            self.network.gradients[name].addcmul_(pull, factor)

    def penalty(self) -> Tensor:
        """Return the (S,) penalties, strength included."""
        total = torch.zeros_like(self.settings.strength.flatten())
        if self.quadratic is None:
            return total
        width = self.settings.width
        for name, center in self.quadratic.center.items():
            distance = (self.network.slow[name] - center).abs()
            beyond = width * (2 * distance - width)
            total += torch.where(distance <= width, distance * distance, beyond).sum((1, 2))
        return total * self.settings.strength.flatten()
