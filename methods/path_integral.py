"""Synaptic intelligence: a consolidation whose importances come from the path of the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from methods.consolidation import Recentred, SampleTask
from methods.fields import per_lane, setting
from methods.importance import Importance
from methods.network import Network


class SI(Recentred):
    """Synaptic intelligence: path integral of the unregularised loss. Zenke et al. 2017.

    ``omega = sum over updates of -g * (change of theta)`` with g the gradient of the plain
    loss, and after each task ``Omega <- max(0, Omega + omega / ((total change)^2 + xi))``.
    The paper's equation has no maximum, the program of its authors has: without it, a negative path
    integral would make the penalty reward weights that move away without bound.
    """

    name = "si"

    @dataclass(frozen=True, kw_only=True)
    class Settings(Recentred.Settings):
        """Of the path integral.

        Attributes
        ----------
        xi : damps the squared length of the path; not published.
        negative_importance : "kept" where there is no maximum with 0, as in the paper's equation
            and in the program of Hsu et al. 2018.
        importance_ceiling : the largest importance, as in Avalanche (0.001 there); the penalty has
            it, the sum over the tasks goes on without. None for no such limit.
        path_loss : "penalised" follows the loss with the penalty, as Avalanche does.
        """

        xi: Tensor = per_lane(0.001, above=0)
        negative_importance: Literal["kept"] | None = None
        importance_ceiling: float | None = setting(None, above=0)
        path_loss: Literal["penalised"] | None = None

    def __init__(self, network: Network, settings: Any) -> None:
        super().__init__(network, settings)
        self.path = {name: torch.zeros_like(p) for name, p in network.slow.items()}
        self.start = self._optimum()
        self._gradient = {name: torch.empty_like(p) for name, p in network.slow.items()}
        self._before = {name: torch.empty_like(p) for name, p in network.slow.items()}
        self._summed: Importance = {}  # without the ceiling, where there is one

    def before_update(self) -> None:  # noqa: D102
        if self.settings.path_loss == "penalised":
            super().before_update()
        for name, parameter in self.network.slow.items():
            self._gradient[name].copy_(self.network.gradients[name])
            self._before[name].copy_(parameter)
        if self.settings.path_loss is None:
            super().before_update()

    def after_update(self) -> None:  # noqa: D102
        for name, parameter in self.network.slow.items():
            opposite_change = self._before[name].sub_(parameter)
            self.path[name].addcmul_(self._gradient[name], opposite_change)

    def accumulate(self, importance: Importance, samples: SampleTask) -> None:  # noqa: D102
        ceiling = self.settings.importance_ceiling
        if ceiling is not None and not self._summed:
            self._summed = {name: torch.zeros_like(p) for name, p in self.path.items()}
        summed = importance if ceiling is None else self._summed
        for name, path in self.path.items():
            total_change = self.network.slow[name] - self.start[name]
            summed[name].add_(path / (total_change * total_change + self.settings.xi))
            if self.settings.negative_importance is None:
                summed[name].clamp_min_(0)
            if ceiling is not None:
                torch.clamp_max(summed[name], ceiling, out=importance[name])
            path.zero_()
        self.start = self._optimum()
