"""Output layers: an ordinary Softmax, and DHP-Softmax with its Hebbian trace.

Tensors have a leading lane dimension: S independent networks side by side. The gradients are
written by hand and not recorded by autograd: they are short, the step needs no allocation,
and training and importances use the same deltas. The tests compare them with autograd and with
finite differences. A further layer is one class with a name and its settings.

Source of DHP-Softmax: Thangarasa, Miconi, Taylor, "Differentiable Hebbian Plasticity for
Continual Learning", ICML 2019 AMTL workshop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import torch
from numpy.random import Generator
from torch import Tensor

from methods.architecture import Architecture, Draws
from methods.fields import per_lane
from methods.streams import PLASTICITY


class Softmax:
    """Logits ``z = h w + b`` of S lanes; the base class of all output layers.

    Parameters
    ----------
    weight : (S, in, out) slow weights.
    bias : (S, 1, out), or None for a layer without one.
    """

    kind: ClassVar = "head"
    name: ClassVar[str] = "softmax"

    @dataclass(frozen=True, kw_only=True)
    class Settings:
        """How the layer starts.

        Attributes
        ----------
        head_init : "linear" draws w from U(-1/sqrt(in), 1/sqrt(in)) as torch.nn.Linear does; "blog"
            from U(-1/sqrt(out), 1/sqrt(out)), which is what ``kaiming_uniform_(a=sqrt(5))`` does to
            the (in, out) tensor of the published code, because it takes the fan-in from the
            second dimension.
        bias : whether the layer has a bias, drawn from U(-1/sqrt(in), 1/sqrt(in)).
        """

        head_init: Literal["linear", "blog"] = "linear"
        bias: bool = True

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self.weight = weight
        self.bias = bias

    @classmethod
    def build(
        cls,
        architecture: Architecture,
        draws: Draws,
        init: Sequence[Generator],
        settings: Any,
    ) -> Self:
        """Return an output layer with its initial values.

        Parameters
        ----------
        init : the streams of initial values of the lanes, after the body has been drawn from them.
        settings : of the class's own ``Settings``.
        """
        return cls(*slow_start(architecture, draws, init, settings))

    def slow(self) -> dict[str, Tensor]:
        """Return the parameters that consolidation may protect, by name."""
        parameters = {"head.weight": self.weight}
        return parameters if self.bias is None else parameters | {"head.bias": self.bias}

    def plastic(self) -> dict[str, Tensor]:
        """Return the trained parameters that consolidation never touches, by name."""
        return {}

    def telemetry(self, architecture: Architecture) -> dict[str, Tensor]:
        """Return what a record tells of each task: (S,) by name; here nothing."""
        return {}

    def effective_weight(self) -> Tensor:
        """Return the (S, in, out) matrix that maps the last hidden layer to logits."""
        return self.weight

    def learn_trace(self, hidden: Tensor, targets: Tensor) -> None:
        """Move the trace by a training mini-batch, before its logits; here there is no trace."""

    def start_task(self) -> None:
        """Prepare for the next task; only some ablations do something here."""

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the (S, B, out) logits of ``hidden`` (S, B, in); change no state."""
        return self.logits_of(hidden, self.effective_weight())

    def logits_of(self, hidden: Tensor, weight: Tensor) -> Tensor:
        """Return the (S, B, out) logits through ``weight`` (S, in, out) and the bias."""
        if self.bias is None:
            return torch.bmm(hidden, weight)
        return torch.baddbmm(self.bias, hidden, weight)

    def test_logits(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return the (S, B, out) logits of test samples, whose labels are unknown.

        ``mask`` (out,) is 0 for the classes of the tested task's head and -inf for the others.
        """
        return self.logits(hidden)

    def backward(self, hidden: Tensor, delta: Tensor, gradients: Mapping[str, Tensor]) -> Tensor:
        """Write the gradients of this layer's parameters and return that of ``hidden``.

        ``delta`` (S, B, out) is the gradient with respect to the logits of the training
        mini-batch of the last call of ``learn_trace``.
        """
        torch.bmm(hidden.transpose(1, 2), delta, out=gradients["head.weight"])
        if self.bias is not None:
            torch.sum(delta, 1, keepdim=True, out=gradients["head.bias"])
        return self.back_to_hidden(delta)

    def back_to_hidden(self, delta: Tensor) -> Tensor:
        """Return ``delta w^T`` (S, B, in), the gradient of the hidden layer through the logits."""
        return torch.bmm(delta, self.effective_weight().transpose(1, 2))


def slow_start(
    architecture: Architecture, draws: Draws, init: Sequence[Generator], settings: Softmax.Settings
) -> tuple[Tensor, Tensor | None]:
    """Draw slow weights (S, in, out), and the bias (S, 1, out) if the settings want one."""
    features, outputs = architecture.features, architecture.outputs
    width = {"linear": features, "blog": outputs}[settings.head_init]
    weight = draws.uniform(init, features, outputs, width**-0.5)
    bias = draws.bias(init, outputs, features**-0.5) if settings.bias else None
    return weight, bias


def plastic_start(
    architecture: Architecture, draws: Draws, generators: Sequence[Generator], scale: Tensor
) -> Tensor:
    """Draw alpha (S, in, out) from scale * U(0, 1)."""
    features, outputs = architecture.features, architecture.outputs
    alpha = draws.uniform(generators, features, outputs, 0.5)
    alpha[:, :features, :outputs] += 0.5
    return alpha.mul_(draws.scalar(scale))


class DHPSoftmax(Softmax):
    """Logits ``z = h (w + alpha * Hebb) + b``: slow weights plus a gated Hebbian trace.

    Before the logits of a training mini-batch, for each class c in it,
    ``Hebb[:, c] <- (1 - eta) Hebb[:, c] + eta * mean of h over the samples of class c``.
    The gradient flows through eta and this mini-batch's class means; the trace of earlier
    mini-batches is a constant. The trace starts at zero and is never reset.

    Parameters
    ----------
    weight, bias : as for Softmax (the published layer has no bias).
    alpha : (S, in, out) plasticity coefficients.
    eta : (S, 1, 1) Hebbian rate.
    """

    name = "dhp"

    @dataclass(frozen=True, kw_only=True)
    class Settings(Softmax.Settings):
        """How plasticity starts.

        Attributes
        ----------
        eta : initial Hebbian rate; not published.
        alpha_scale : initial alpha is alpha_scale * U(0, 1), as published.
        """

        eta: Tensor = per_lane(0.001, at_least=0)
        alpha_scale: Tensor = per_lane(0.01, at_least=0)

    def __init__(self, weight: Tensor, bias: Tensor | None, alpha: Tensor, eta: Tensor) -> None:
        super().__init__(weight, bias)
        self.alpha = alpha
        self.eta = eta
        self.trace = torch.zeros_like(weight)
        # The backward pass needs these two of the last training mini-batch.
        self._averaging = torch.empty(0)  # (S, B, out): 1/n_c for a sample of class c, else 0
        self._innovation = torch.empty(0)  # (S, in, out): class mean - old trace, 0 if absent

    @classmethod
    def build(  # noqa: D102
        cls,
        architecture: Architecture,
        draws: Draws,
        init: Sequence[Generator],
        settings: Any,
    ) -> Self:
        generators = draws.generators(PLASTICITY)
        weight, bias = slow_start(architecture, draws, init, settings)
        alpha = plastic_start(architecture, draws, generators, settings.alpha_scale)
        layer = cls(weight, bias, alpha, draws.scalar(settings.eta))
        layer.draw_further(generators, architecture.outputs)
        return layer

    def draw_further(self, generators: Sequence[Generator], outputs: int) -> None:
        """Draw what only an ablation needs, after alpha, from the lanes' streams of plasticity."""

    def plastic(self) -> dict[str, Tensor]:  # noqa: D102
        return {"head.alpha": self.alpha, "head.eta": self.eta}

    def telemetry(self, architecture: Architecture) -> dict[str, Tensor]:  # noqa: D102
        entries = architecture.features * architecture.outputs  # without the padding
        return {
            "eta": self.eta.flatten(),
            "mean_abs_alpha": self.alpha.abs().sum((1, 2)) / entries,
            "mean_abs_hebb": self.trace.abs().sum((1, 2)) / entries,
        }

    def effective_weight(self) -> Tensor:  # noqa: D102
        return torch.addcmul(self.weight, self.alpha, self.trace)

    def learn_trace(self, hidden: Tensor, targets: Tensor) -> None:
        """Move the trace of every class in the mini-batch towards its mean activation.

        Parameters
        ----------
        hidden : (S, B, in) activations of the last hidden layer.
        targets : (S, B, out) one-hot labels.
        """
        counts = targets.sum(1, keepdim=True)
        present = (counts > 0).to(hidden.dtype)
        self._averaging = targets / counts.clamp_min(1)
        means = torch.bmm(hidden.transpose(1, 2), self._averaging)
        self._innovation = means.sub_(self.trace).mul_(present)
        self.trace.addcmul_(self._innovation, self.eta)

    def backward(self, hidden: Tensor, delta: Tensor, gradients: Mapping[str, Tensor]) -> Tensor:  # noqa: D102
        to_hidden = super().backward(hidden, delta, gradients)
        # d loss / d (w + alpha * Hebb) is the gradient of w; the chain rule gives the rest.
        effective_gradient = gradients["head.weight"]
        torch.mul(effective_gradient, self.trace, out=gradients["head.alpha"])
        trace_gradient = effective_gradient * self.alpha
        torch.sum(
            trace_gradient * self._innovation, (1, 2), keepdim=True, out=gradients["head.eta"]
        )
        # Columns of absent classes have no effect below: their averaging weights are zero.
        means_gradient = trace_gradient.mul_(self.eta)
        return torch.baddbmm(to_hidden, self._averaging, means_gradient.transpose(1, 2))
