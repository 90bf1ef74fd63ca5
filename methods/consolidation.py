"""Consolidation: none, EWC, Online EWC, MAS and L2 behind one small protocol.

All add ``lambda * sum_k Omega_k (theta_k - theta*_k)^2`` to the loss, without a factor 1/2,
over the slow weights only; they differ in Omega and in what theta* is. For every mini-batch, the
training loop computes the gradients of the plain loss, calls ``before_update``, which adds the
gradient of the penalty, and calls ``after_update`` after the update. After every task it calls
``end_task``. A further method is one class with a name and its settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from methods.fields import per_lane, setting
from methods.importance import Importance, TaskSamples, fisher, mas
from methods.network import Network

SampleTask = Callable[[int | None], TaskSamples]
"""Returns so many samples of the task that was just trained, or all; only some methods call it."""

MOST_SAMPLES = 10**9


class Quadratic:
    """``sum_k importance_k (theta_k - center_k)^2 + offset`` for each lane.

    The sum of such quadratics is such a quadratic, so five tasks of EWC cost no more than one.
    """

    def __init__(self, network: Network) -> None:
        self.importance = {name: torch.zeros_like(p) for name, p in network.slow.items()}
        self.center = {name: torch.zeros_like(p) for name, p in network.slow.items()}
        self.offset = torch.zeros_like(network.weights[0][:, 0, 0])

    def add(self, importance: Importance, center: Mapping[str, Tensor]) -> None:
        """Add another quadratic, by completing the square.

        ``A (t - a)^2 + B (t - b)^2 = (A + B) (t - c)^2 + A B / (A + B) (a - b)^2``
        with ``c = a + B / (A + B) (b - a)``; a weight that neither quadratic
        protects keeps its center.
        """
        for name, added in importance.items():
            present, old_center = self.importance[name], self.center[name]
            distance = center[name] - old_center
            share = torch.where(added > 0, added / (present + added), torch.zeros_like(added))
            self.offset += (present * share * distance * distance).sum((1, 2))
            present += added
            old_center += share * distance

    def value(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """Return the (S,) values at ``parameters``."""
        value = self.offset.clone()
        for name, importance in self.importance.items():
            distance = parameters[name] - self.center[name]
            value += (importance * distance * distance).sum((1, 2))
        return value


class NoConsolidation:
    """Plain finetuning, and the base class of all consolidations.

    Parameters
    ----------
    settings : of the class's own ``Settings``; scalars are (S, 1, 1), one value for each lane.
    """

    kind: ClassVar = "consolidation"
    name: ClassVar[str] = "none"

    @dataclass(frozen=True, kw_only=True)
    class Settings:
        """Nothing to set."""

    def __init__(self, network: Network, settings: Any) -> None:
        self.network = network
        self.settings = settings

    def before_update(self) -> None:
        """Add the penalty's gradient to the network's gradients of the plain loss."""

    def after_update(self) -> None:
        """Observe the update that the optimiser has just made."""

    def end_task(self, samples: SampleTask) -> None:
        """Consolidate the task just trained; the current weights are its optimum."""

    def penalty(self) -> Tensor:
        """Return the (S,) penalties, strength included, at the current weights."""
        return torch.zeros_like(self.network.weights[0][:, 0, 0])

    def importances(self) -> Importance:
        """Return the current importances by name of slow weight; empty in the first task."""
        return {}

    def telemetry(self) -> dict[str, Tensor]:
        """Return what a record tells of each task beside loss and penalty: (S,) by name."""
        importances = self.importances().values()
        if not importances:
            return {}
        maxima = [importance.amax((1, 2)) for importance in importances]
        # Added one after the other: the rounding of a sum over a stack depends on its lanes.
        sums = (importance.sum((1, 2)) for importance in importances)
        return {
            "importance_max": torch.stack(maxima).amax(0),
            "importance_sum": sum(sums, torch.zeros_like(maxima[0])),
        }

    def _optimum(self) -> dict[str, Tensor]:
        return {name: p.clone() for name, p in self.network.slow.items()}


class Penalised(NoConsolidation):
    """A quadratic penalty; a subclass defines its importances and centers in ``end_task``."""

    @dataclass(frozen=True, kw_only=True)
    class Settings:
        """``strength`` is lambda. It has no default, because no value is published."""

        strength: Tensor = per_lane(at_least=0)

    def __init__(self, network: Network, settings: Any) -> None:
        super().__init__(network, settings)
        self.quadratic: Quadratic | None = None

    def before_update(self) -> None:  # noqa: D102
        if self.quadratic is None:
            return
        factor = 2 * self.settings.strength
        for name, importance in self.quadratic.importance.items():
            pull = torch.sub(self.network.slow[name], self.quadratic.center[name])
            pull.mul_(importance)
            self.network.gradients[name].addcmul_(pull, factor)

    def penalty(self) -> Tensor:  # noqa: D102
        strength = self.settings.strength.flatten()
        if self.quadratic is None:
            return torch.zeros_like(strength)
        penalty: Tensor = strength * self.quadratic.value(self.network.slow)
        return penalty

    def importances(self) -> Importance:  # noqa: D102
        return {} if self.quadratic is None else self.quadratic.importance


class EWC(Penalised):
    """Elastic weight consolidation: one quadratic for each past task, around its optimum.

    Kirkpatrick et al. 2017, "Overcoming catastrophic forgetting in neural networks".
    """

    name = "ewc"

    @dataclass(frozen=True, kw_only=True)
    class Settings(Penalised.Settings):
        """Of the Fisher information.

        Attributes
        ----------
        fisher : over the labels of the head exactly, one drawn label, the true label, or the label
            that the network finds most probable ("predicted").
        importance_samples : samples that it is a mean over; all of the task if None.
        importance_batch : samples in a mini-batch whose mean gradient is squared, times their
            number; each sample's own gradient if None. "exact" is the same with both.
        """

        fisher: Literal["exact", "sampled", "true", "predicted"] = "exact"
        importance_samples: int | None = setting(None, at_least=1, at_most=MOST_SAMPLES)
        importance_batch: int | None = setting(None, at_least=1, at_most=MOST_SAMPLES)

    def end_task(self, samples: SampleTask) -> None:  # noqa: D102
        self.quadratic = self.quadratic or Quadratic(self.network)
        self.quadratic.add(fisher_of(self, samples), self.network.slow)


def fisher_of(consolidation: Penalised, samples: SampleTask) -> Importance:
    """Return the Fisher information of the task just trained, by the settings of ``EWC``."""
    settings = consolidation.settings
    chosen = samples(settings.importance_samples)
    return fisher(consolidation.network, chosen, settings.fisher, settings.importance_batch)


class Recentred(Penalised):
    """One quadratic around the latest optimum; a subclass defines the importances."""

    def end_task(self, samples: SampleTask) -> None:  # noqa: D102
        self.quadratic = self.quadratic or Quadratic(self.network)
        self.accumulate(self.quadratic.importance, samples)
        self.quadratic.center = self._optimum()

    def accumulate(self, importance: Importance, samples: SampleTask) -> None:
        """Update the running ``importance`` in place after a task."""
        raise AssertionError("a subclass defines its importances")


class OnlineEWC(Recentred):
    """Online EWC: ``F <- gamma F + F_task``, one quadratic around the latest optimum.

    Schwarz et al. 2018, "Progress & Compress", section 4.
    """

    name = "online-ewc"

    @dataclass(frozen=True, kw_only=True)
    class Settings(EWC.Settings):
        """``gamma`` is the decay of the running Fisher; not published."""

        gamma: Tensor = per_lane(1.0, at_least=0)

    def accumulate(self, importance: Importance, samples: SampleTask) -> None:  # noqa: D102
        for name, task_importance in fisher_of(self, samples).items():
            importance[name].mul_(self.settings.gamma).add_(task_importance)


class MAS(Recentred):
    """Memory aware synapses: importances add up over the tasks. Aljundi et al. 2018."""

    name = "mas"

    @dataclass(frozen=True, kw_only=True)
    class Settings(Penalised.Settings):
        """What an importance is a mean over.

        Attributes
        ----------
        importance_samples : as for EWC.
        importance_batch : samples in a mini-batch whose mean gradient's absolute value is taken, as
            in the program of Hsu et al. 2018; each sample's own gradient if None.
        squared_outputs : "mean" for the gradient of the mean over the head's outputs of their
            squares, as in that program; of their sum, as in the paper, if None.
        """

        importance_samples: int | None = setting(None, at_least=1, at_most=MOST_SAMPLES)
        importance_batch: int | None = setting(None, at_least=1, at_most=MOST_SAMPLES)
        squared_outputs: Literal["mean"] | None = None

    def accumulate(self, importance: Importance, samples: SampleTask) -> None:  # noqa: D102
        chosen = samples(self.settings.importance_samples)
        found = mas(self.network, chosen, self.settings.importance_batch)
        for name, task_importance in found.items():
            if self.settings.squared_outputs == "mean":
                task_importance.div_(int((chosen.mask == 0).sum()))
            importance[name].add_(task_importance)


class L2(Recentred):
    """Every slow weight matters alike: ``strength * sum (theta - theta*)^2``.

    Theta* is where the latest task left it. Kirkpatrick et al. 2017 compare EWC with it; it is a
    row of its own in Hsu et al. 2018, "Re-evaluating Continual Learning Scenarios".
    """

    name = "l2"

    def accumulate(self, importance: Importance, samples: SampleTask) -> None:  # noqa: D102
        for name, value in importance.items():
            rows, columns = self.network.shape_of(name)
            value[:, :rows, :columns] = 1  # the padding is no weight
