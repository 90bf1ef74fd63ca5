"""How much each slow weight matters to a task: diagonal Fisher and MAS importances.

Both are means over samples of a function of each sample's *own* gradient, never of the batch
gradient. In a linear layer the gradient of one sample is the outer product of its input x and
its delta d, so the mean of its square is ``(x^2)^T (d^2) / N`` and the mean of its absolute
value ``|x|^T |d| / N``: one matrix product instead of N backward passes.

They are taken in evaluation mode (the trace stands still and is a constant) and through the
head of the given task only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from methods.network import Network
from methods.products import product

CHUNK = 512
"""Samples a chunk: bounds the memory, and enters the order of summation, hence the bits."""

Importance = dict[str, Tensor]
"""By name of slow weight, each of that weight's shape."""

Sensitivity = Iterator[tuple[Tensor | None, Tensor]]
"""Pairs of a weight (S, B, 1) or None for one, and deltas at the logits (S, B, out)."""


@dataclass(frozen=True)
class TaskSamples:
    """The training samples of one task, from which importances are estimated.

    Attributes
    ----------
    inputs : (N, in), shared by all lanes.
    labels : (N,) class indices.
    mask : (out,) 0 for the classes of the task's head, -inf for the others.
    rows : (S, n) which samples each lane uses, or None for all of them.
    uniforms : (S, n) draws from U(0, 1), read only for sampled labels.
    """

    inputs: Tensor
    labels: Tensor
    mask: Tensor
    rows: Tensor | None = None
    uniforms: Tensor | None = None

    @classmethod
    def draw(
        cls,
        inputs: Tensor,
        labels: Tensor,
        mask: Tensor,
        count: int | None,
        generators: Sequence[np.random.Generator],
    ) -> TaskSamples:
        """Choose ``count`` samples a lane without replacement (None, or more than N: all)."""
        n, rows = len(labels), None
        if count is not None and count < n:
            n = count
            chosen = [g.choice(len(labels), size=count, replace=False) for g in generators]
            rows = torch.from_numpy(np.stack(chosen)).to(inputs.device)
        drawn = np.stack([g.random(n) for g in generators])
        uniforms = torch.from_numpy(drawn).to(device=inputs.device, dtype=inputs.dtype)
        return cls(inputs, labels, mask, rows, uniforms)

    def chunks(self, lanes: int) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield inputs (S, b, in), labels (S, b) and uniforms (S, b)."""
        n = len(self.labels) if self.rows is None else self.rows.shape[1]
        for start in range(0, n, CHUNK):
            part = slice(start, min(start + CHUNK, n))
            uniforms = None if self.uniforms is None else self.uniforms[:, part]
            if self.rows is None:
                inputs = self.inputs[part].expand(lanes, -1, -1)
                yield inputs, self.labels[part].expand(lanes, -1), uniforms
            else:
                rows = self.rows[:, part]
                yield self.inputs[rows], self.labels[rows], uniforms


def _one_hot(labels: Tensor, like: Tensor) -> Tensor:
    return torch.zeros_like(like).scatter_(2, labels.unsqueeze(2), 1.0)


def _exact(logits: Tensor, mask: Tensor, labels: Tensor, uniforms: Tensor | None) -> Sensitivity:
    """Every label of the head, weighted by the probability that the network gives it."""
    p = torch.softmax(logits + mask, 2)
    for label in torch.nonzero(mask == 0).flatten().tolist():
        delta = p.clone()
        delta[:, :, label] -= 1
        yield p[:, :, label : label + 1], delta


def _sampled(logits: Tensor, mask: Tensor, labels: Tensor, uniforms: Tensor | None) -> Sensitivity:
    """One label a sample, drawn from the network's own distribution."""
    assert uniforms is not None
    p = torch.softmax(logits + mask, 2)
    last = int(torch.nonzero(mask == 0).max())
    below = (p.cumsum(2) <= uniforms.unsqueeze(2)).sum(2)
    # Rounding can leave the cumulated probabilities just below 1.
    yield None, p - _one_hot(below.clamp_max(last), p)


def _true(logits: Tensor, mask: Tensor, labels: Tensor, uniforms: Tensor | None) -> Sensitivity:
    """The label of the data set (the "empirical Fisher")."""
    p = torch.softmax(logits + mask, 2)
    yield None, p - _one_hot(labels, p)


def _squared_norm(
    logits: Tensor, mask: Tensor, labels: Tensor, uniforms: Tensor | None
) -> Sensitivity:
    """MAS: the squared norm of the head's logits, no labels involved."""
    yield None, torch.where(mask == 0, 2 * logits, torch.zeros_like(logits))


FISHER_KINDS = {"exact": _exact, "sampled": _sampled, "true": _true}
"""Whose labels the Fisher information is taken over, by the name a study uses."""


def fisher(network: Network, samples: TaskSamples, kind: str = "exact") -> Importance:
    """Return the diagonal Fisher information of each slow weight.

    ``mean over samples of E_y (d log p(y | x) / d theta)^2``, the expectation over the labels
    of the head: exactly ("exact", the definition), by one draw ("sampled"), or with the data's
    label in its place ("true"). Kirkpatrick et al. 2017; Kunstner et al. 2019 on the kinds.
    """
    return _mean_over_samples(network, samples, FISHER_KINDS[kind], torch.square)


def mas(network: Network, samples: TaskSamples) -> Importance:
    """Return MAS importances, ``mean over samples of |d ||z||^2 / d theta|``.

    Aljundi et al. 2018, equation 3, with z the logits of the task's head.
    """
    return _mean_over_samples(network, samples, _squared_norm, torch.abs)


def _mean_over_samples(
    network: Network,
    samples: TaskSamples,
    sensitivities: Callable[[Tensor, Tensor, Tensor, Tensor | None], Sensitivity],
    moment: Callable[[Tensor], Tensor],
) -> Importance:
    """Average ``moment`` of each sample's gradient; ``moment(x d) = moment(x) moment(d)``."""
    layers = [f"body.{i}" for i in range(len(network.weights))] + ["head"]
    total = {name: torch.zeros_like(p) for name, p in network.slow.items()}
    count = 0
    for inputs, labels, uniforms in samples.chunks(len(network.weights[0])):
        count += inputs.shape[1]
        activations = network.activations(inputs)
        logits = network.head.logits(activations[-1])
        moments: list[Tensor] = []
        for weight, delta in sensitivities(logits, samples.mask, labels, uniforms):
            body = network.body_deltas(activations, network.head.back_to_hidden(delta))
            of_layers = [moment(d) for d in (*body, delta)]
            if weight is not None:
                of_layers = [d * weight for d in of_layers]
            moments = (
                [m.add_(d) for m, d in zip(moments, of_layers, strict=True)]
                if moments
                else of_layers
            )
        for layer, activation, of_layer in zip(layers, activations, moments, strict=True):
            total[f"{layer}.weight"] += product(moment(activation).transpose(1, 2), of_layer)
            if f"{layer}.bias" in total:
                total[f"{layer}.bias"].add_(of_layer.sum(1, keepdim=True))
    return {name: value.div_(count) for name, value in total.items()}
