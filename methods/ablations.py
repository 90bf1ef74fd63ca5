"""DHP-Softmax with one part taken out or changed: the controls that ask what the part does.

Every variant starts from the same weights, alpha and eta as the layer as published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import torch
from numpy.random import Generator
from torch import Tensor

from methods.architecture import Architecture, Draws
from methods.softmax import DHPSoftmax, Softmax, plastic_start, slow_start
from methods.streams import PLASTICITY


class EtaFixed(DHPSoftmax):
    """The Hebbian rate keeps its start; the loss still reaches the body through the trace."""

    def backward(self, hidden: Tensor, delta: Tensor, gradients: Mapping[str, Tensor]) -> Tensor:  # noqa: D102
        to_hidden = super().backward(hidden, delta, gradients)
        gradients["head.eta"].zero_()
        return to_hidden


class AlphaFixed(DHPSoftmax):
    """The plasticity coefficients keep their random start."""

    def backward(self, hidden: Tensor, delta: Tensor, gradients: Mapping[str, Tensor]) -> Tensor:  # noqa: D102
        to_hidden = super().backward(hidden, delta, gradients)
        gradients["head.alpha"].zero_()
        return to_hidden


class TraceDetached(DHPSoftmax):
    """The trace is a constant to the loss: no gradient through eta or the class means.

    So eta, which the loss reaches on that way only, keeps its start too.
    """

    def backward(self, hidden: Tensor, delta: Tensor, gradients: Mapping[str, Tensor]) -> Tensor:  # noqa: D102
        to_hidden = Softmax.backward(self, hidden, delta, gradients)
        torch.mul(gradients["head.weight"], self.trace, out=gradients["head.alpha"])
        gradients["head.eta"].zero_()
        return to_hidden


class Frozen(TraceDetached):
    """The trace stays zero, so that alpha and eta have no effect.

    Tells plasticity from the way the layer is initialised.
    """

    def learn_trace(self, hidden: Tensor, targets: Tensor) -> None:
        """Take in nothing."""


class TraceShuffled(DHPSoftmax):
    """Each class's mean goes to the column of another class, the same one all through a run."""

    def __init__(
        self, weight: Tensor, bias: Tensor | None, alpha: Tensor, eta: Tensor, source: Tensor
    ) -> None:
        super().__init__(weight, bias, alpha, eta)
        self._source = source.to(weight.device)  # (S, 1, out): the class whose mean a column gets

    @classmethod
    def build(  # noqa: D102
        cls,
        architecture: Architecture,
        draws: Draws,
        init: Sequence[Generator],
        eta: Tensor,
        alpha_scale: Tensor,
    ) -> Self:
        generators = draws.generators(PLASTICITY)
        weight, bias = slow_start(architecture, draws, init)
        alpha = plastic_start(architecture, draws, generators, alpha_scale)
        source = _cycles(generators, architecture.outputs, alpha.shape[2])
        return cls(weight, bias, alpha, draws.scalar(eta), source)

    def learn_trace(self, hidden: Tensor, targets: Tensor) -> None:  # noqa: D102
        super().learn_trace(hidden, targets.gather(2, self._source.expand(targets.shape)))


def _cycles(generators: Sequence[Generator], outputs: int, width: int) -> Tensor:
    """Draw for each lane a random cycle through all classes, so that none keeps its own column."""
    source = torch.arange(width).repeat(len(generators), 1)
    for lane, generator in zip(source, generators, strict=True):
        cycle = torch.from_numpy(generator.permutation(outputs))
        lane[cycle] = cycle.roll(1)
    return source.unsqueeze(1)


class TraceReset(DHPSoftmax):
    """The trace starts at zero in every task."""

    def start_task(self) -> None:  # noqa: D102
        self.trace.zero_()


class TraceOffAtTest(DHPSoftmax):
    """Tests see the slow weights alone: what the trace adds there, and not through training."""

    def test_logits(self, hidden: Tensor, mask: Tensor) -> Tensor:  # noqa: D102
        return Softmax.logits_of(self, hidden, self.weight)


class SelfLabelledTest(DHPSoftmax):
    """Each chunk of test samples moves a copy of the trace, by the predicted classes.

    The trace after training is what the next chunk starts from again: a test's result does not
    depend on the order of chunks.
    """

    def test_logits(self, hidden: Tensor, mask: Tensor) -> Tensor:  # noqa: D102
        logits = self.logits(hidden)
        predicted = (logits + mask).argmax(2, keepdim=True)
        trained = self.trace.clone()
        self.learn_trace(hidden, torch.zeros_like(logits).scatter_(2, predicted, 1.0))
        logits = self.logits(hidden)
        self.trace.copy_(trained)
        return logits


VARIANTS: Mapping[str, type[DHPSoftmax]] = {
    "eta-fixed": EtaFixed,
    "alpha-fixed": AlphaFixed,
    "trace-detached": TraceDetached,
    "trace-shuffled": TraceShuffled,
    "trace-reset": TraceReset,
    "trace-off-at-test": TraceOffAtTest,
    "self-labelled-test": SelfLabelledTest,
}
"""By the name that a study gives the ablation."""


def head_class(plasticity: str, ablation: str | None) -> type[Softmax]:
    """Return the output layer that an architecture asks for."""
    if plasticity == "off":
        return Softmax
    if plasticity == "frozen":
        return Frozen
    return DHPSoftmax if ablation is None else VARIANTS[ablation]
