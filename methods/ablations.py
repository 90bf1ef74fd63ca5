"""DHP-Softmax with one part removed or changed: controls that show what the part does.

Every variant starts from the same weights, alpha and eta as the layer as published. It is one class
with a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from numpy.random import Generator
from torch import Tensor

from methods.softmax import DHPSoftmax, Softmax


class EtaFixed(DHPSoftmax):
    """Eta keeps its initial value; the loss still reaches the body through the trace."""

    name = "eta-fixed"

    def backward(self, hidden: Tensor, delta: Tensor, gradients: Mapping[str, Tensor]) -> Tensor:  # noqa: D102
        to_hidden = super().backward(hidden, delta, gradients)
        gradients["head.eta"].zero_()
        return to_hidden


class AlphaFixed(DHPSoftmax):
    """The plasticity coefficients keep their random initial values."""

    name = "alpha-fixed"

    def backward(self, hidden: Tensor, delta: Tensor, gradients: Mapping[str, Tensor]) -> Tensor:  # noqa: D102
        to_hidden = super().backward(hidden, delta, gradients)
        gradients["head.alpha"].zero_()
        return to_hidden


class TraceDetached(DHPSoftmax):
    """The loss treats the trace as a constant: no gradient flows through eta or the class means.

    The loss reaches eta through the trace only, so eta keeps its initial value too.
    """

    name = "trace-detached"

    def backward(self, hidden: Tensor, delta: Tensor, gradients: Mapping[str, Tensor]) -> Tensor:  # noqa: D102
        to_hidden = Softmax.backward(self, hidden, delta, gradients)
        torch.mul(gradients["head.weight"], self.trace, out=gradients["head.alpha"])
        gradients["head.eta"].zero_()
        return to_hidden


class TraceFrozen(TraceDetached):
    """The trace stays zero, so that alpha and eta have no effect.

    This control separates the effect of plasticity from the effect of the layer's initialisation.
    """

    name = "trace-frozen"

    def learn_trace(self, hidden: Tensor, targets: Tensor) -> None:
        """Leave the trace as it is."""


class TraceShuffled(DHPSoftmax):
    """The mean of each class moves the column of another class, fixed for the whole run."""

    name = "trace-shuffled"

    def draw_further(self, generators: Sequence[Generator], outputs: int) -> None:
        """Draw (S, 1, out) the class whose mean moves each column."""
        source = _cycles(generators, outputs, self.alpha.shape[2])
        self._source = source.to(self.alpha.device)

    def learn_trace(self, hidden: Tensor, targets: Tensor) -> None:  # noqa: D102
        super().learn_trace(hidden, targets.gather(2, self._source.expand(targets.shape)))


def _cycles(generators: Sequence[Generator], outputs: int, width: int) -> Tensor:
    """Draw a random cycle through all classes for each lane, so that no class keeps its column."""
    source = torch.arange(width).repeat(len(generators), 1)
    for lane, generator in zip(source, generators, strict=True):
        cycle = torch.from_numpy(generator.permutation(outputs))
        lane[cycle] = cycle.roll(1)
    return source.unsqueeze(1)


class TraceReset(DHPSoftmax):
    """The trace is set to zero at the start of every task."""

    name = "trace-reset"

    def start_task(self) -> None:  # noqa: D102
        self.trace.zero_()


class TraceOffAtTest(DHPSoftmax):
    """Tests use the slow weights alone, so that the trace acts through training only."""

    name = "trace-off-at-test"

    def test_logits(self, hidden: Tensor, mask: Tensor) -> Tensor:  # noqa: D102
        return Softmax.logits_of(self, hidden, self.weight)


class SelfLabelledTest(DHPSoftmax):
    """Each chunk of test samples moves a copy of the trace towards the means of predicted classes.

    Every chunk starts from the trace as training left it, so that the result of a test does not
    depend on the order of the chunks.
    """

    name = "self-labelled-test"

    def test_logits(self, hidden: Tensor, mask: Tensor) -> Tensor:  # noqa: D102
        logits = self.logits(hidden)
        predicted = (logits + mask).argmax(2, keepdim=True)
        trained_trace = self.trace.clone()
        self.learn_trace(hidden, torch.zeros_like(logits).scatter_(2, predicted, 1.0))
        logits = self.logits(hidden)
        self.trace.copy_(trained_trace)
        return logits
