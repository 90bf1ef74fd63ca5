"""How much each slow weight matters to a task: diagonal Fisher and MAS importances.

Both are means over samples of a function of each sample's *own* gradient. In a linear layer the
gradient of one sample is the outer product of its input x and its delta d, so the mean of its
square is ``(x^2)^T (d^2) / N`` and the mean of its absolute value ``|x|^T |d| / N``: one matrix
product instead of N backward passes. Other programs take a function of the gradient of a
mini-batch, in which the samples' gradients cancel; so do these where a study asks for it.

Both are computed in evaluation mode (the trace does not move and is a constant) and through the
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
from methods.views import Views

CHUNK = 512
"""Samples in a chunk. It limits the memory and sets the order of summation, hence the bits."""

Importance = dict[str, Tensor]
"""Importances by name of slow weight, each with the shape of that weight."""

Sensitivity = Iterator[tuple[Tensor | None, Tensor]]
"""Pairs of a probability (S, B, 1), None for 1, and deltas at the logits (S, B, out)."""


@dataclass(frozen=True)
class TaskSamples:
    """The training samples of one task, from which importances are estimated.

    Attributes
    ----------
    inputs : (N, in), shared by all lanes.
    labels : (N,) class indices.
    mask : (out,) 0 for the classes of the task's head, -inf for the others.
    rows : (S, n) indices of the samples that each lane uses, or None for all of them.
    uniforms : (S, n) draws from U(0, 1); only sampled labels need them.
    views : how each lane sees ``inputs`` and ``labels``; None where all see them as they are.
    """

    inputs: Tensor
    labels: Tensor
    mask: Tensor
    rows: Tensor | None = None
    uniforms: Tensor | None = None
    views: Views | None = None

    @classmethod
    def draw(
        cls,
        inputs: Tensor,
        labels: Tensor,
        mask: Tensor,
        count: int | None,
        generators: Sequence[np.random.Generator],
        views: Views | None = None,
    ) -> TaskSamples:
        """Choose ``count`` samples for each lane without replacement; all if None or above N."""
        there = len(labels) if views is None else views.size(len(labels))
        size, rows = there, None
        if count is not None and count < size:
            size = count
            chosen = [g.choice(there, size=size, replace=False) for g in generators]
            rows = torch.from_numpy(np.stack(chosen)).to(inputs.device)
        drawn = np.stack([g.random(size) for g in generators])
        uniforms = torch.from_numpy(drawn).to(device=inputs.device, dtype=inputs.dtype)
        return cls(inputs, labels, mask, rows, uniforms, views)

    def chunks(
        self, lanes: int, most: int = CHUNK
    ) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield inputs (S, b, in), labels (S, b) and uniforms (S, b), ``most`` at a time."""
        size = len(self.labels) if self.rows is None else self.rows.shape[1]
        if self.views is not None and self.rows is None:
            size = self.views.size(size)
        for start in range(0, size, most):
            chunk = slice(start, min(start + most, size))
            uniforms = None if self.uniforms is None else self.uniforms[:, chunk]
            if self.views is not None:
                rows = self.views.rows(chunk) if self.rows is None else self.rows[:, chunk]
                yield *self.views.take(self.inputs, self.labels, rows), uniforms
            elif self.rows is None:
                inputs = self.inputs[chunk].expand(lanes, -1, -1)
                yield inputs, self.labels[chunk].expand(lanes, -1), uniforms
            else:
                rows = self.rows[:, chunk]
                yield self.inputs[rows], self.labels[rows], uniforms


def _one_hot(labels: Tensor, probabilities: Tensor) -> Tensor:
    return torch.zeros_like(probabilities).scatter_(2, labels.unsqueeze(2), 1.0)


def _exact(logits: Tensor, mask: Tensor, labels: Tensor, uniforms: Tensor | None) -> Sensitivity:
    """Yield every label of the head, weighted by the probability that the network gives it."""
    probabilities = torch.softmax(logits + mask, 2)
    for label in torch.nonzero(mask == 0).flatten().tolist():
        delta = probabilities.clone()
        delta[:, :, label] -= 1
        yield probabilities[:, :, label : label + 1], delta


def _sampled(logits: Tensor, mask: Tensor, labels: Tensor, uniforms: Tensor | None) -> Sensitivity:
    """Yield one label for each sample, drawn from the distribution that the network predicts."""
    assert uniforms is not None
    probabilities = torch.softmax(logits + mask, 2)
    last = int(torch.nonzero(mask == 0).max())
    drawn = (probabilities.cumsum(2) <= uniforms.unsqueeze(2)).sum(2)
    # Rounding can leave the sum of all probabilities just below 1, hence the maximum.
    yield None, probabilities - _one_hot(drawn.clamp_max(last), probabilities)


def _true(logits: Tensor, mask: Tensor, labels: Tensor, uniforms: Tensor | None) -> Sensitivity:
    """Yield the label of the data set (the "empirical Fisher")."""
    probabilities = torch.softmax(logits + mask, 2)
    yield None, probabilities - _one_hot(labels, probabilities)


def _predicted(
    logits: Tensor, mask: Tensor, labels: Tensor, uniforms: Tensor | None
) -> Sensitivity:
    """Yield the label that the network finds most probable; of equal ones, the lowest."""
    probabilities = torch.softmax(logits + mask, 2)
    yield None, probabilities - _one_hot((logits + mask).argmax(2), probabilities)


def _squared_norm(
    logits: Tensor, mask: Tensor, labels: Tensor, uniforms: Tensor | None
) -> Sensitivity:
    """Yield the delta of the squared norm of the head's logits, for MAS; labels are not used."""
    yield None, torch.where(mask == 0, 2 * logits, torch.zeros_like(logits))


FISHER_KINDS = {"exact": _exact, "sampled": _sampled, "true": _true, "predicted": _predicted}
"""Which labels the Fisher information averages over, by the name that a study uses."""


def fisher(
    network: Network, samples: TaskSamples, kind: str = "exact", batch: int | None = None
) -> Importance:
    """Return the diagonal Fisher information of each slow weight.

    ``mean over samples of E_y (d log p(y | x) / d theta)^2``, the expectation over the labels
    of the head: computed exactly ("exact", the definition), estimated by one draw ("sampled"), or
    replaced by the label of the data set ("true") or by the label that the network finds most
    probable ("predicted"). Kirkpatrick et al. 2017; Kunstner et al. 2019 compare the first three;
    the program of Hsu et al. 2018 has the last.

    Parameters
    ----------
    batch : the mean over mini-batches of so many samples, of ``B g^2`` with g the gradient of the
        mini-batch's mean and B its size. With "exact" this is the same number, because the
        gradients of different samples are then independent with mean zero, so each sample is
        taken for itself.
    """
    if batch is None or kind == "exact":
        return _mean_over_samples(network, samples, FISHER_KINDS[kind], torch.square)
    return _mean_over_batches(network, samples, FISHER_KINDS[kind], _square_of_batch, batch)


def mas(network: Network, samples: TaskSamples, batch: int | None = None) -> Importance:
    """Return MAS importances, ``mean over samples of |d ||z||^2 / d theta|``.

    Aljundi et al. 2018, equation 3, with z the logits of the task's head.

    Parameters
    ----------
    batch : the mean over mini-batches of so many samples, of the absolute gradient of the
        mini-batch's mean, as the program of Hsu et al. 2018 has it.
    """
    if batch is None:
        return _mean_over_samples(network, samples, _squared_norm, torch.abs)
    return _mean_over_batches(network, samples, _squared_norm, _absolute_of_batch, batch)


def _square_of_batch(gradient: Tensor, size: int) -> Tensor:
    return gradient * gradient * size


def _absolute_of_batch(gradient: Tensor, size: int) -> Tensor:
    return gradient.abs()


def _mean_over_samples(
    network: Network,
    samples: TaskSamples,
    sensitivities: Callable[[Tensor, Tensor, Tensor, Tensor | None], Sensitivity],
    moment: Callable[[Tensor], Tensor],
) -> Importance:
    """Average ``moment`` of each sample's gradient; ``moment(x d) = moment(x) moment(d)``."""
    layers = _layers(network)
    sums = {name: torch.zeros_like(p) for name, p in network.slow.items()}
    count = 0
    for inputs, labels, uniforms in samples.chunks(len(network.weights[0])):
        count += inputs.shape[1]
        activations = network.activations(inputs)
        logits = network.head.logits(activations[-1])
        moments: list[Tensor] = []
        for probability, delta in sensitivities(logits, samples.mask, labels, uniforms):
            body = network.body_deltas(activations, network.head.back_to_hidden(delta))
            added = [moment(layer_delta) for layer_delta in (*body, delta)]
            if probability is not None:
                added = [layer_moment * probability for layer_moment in added]
            moments = (
                [total.add_(new) for total, new in zip(moments, added, strict=True)]
                if moments
                else added
            )
        for layer, activation, layer_moment in zip(layers, activations, moments, strict=True):
            sums[f"{layer}.weight"] += product(moment(activation).transpose(1, 2), layer_moment)
            if f"{layer}.bias" in sums:
                sums[f"{layer}.bias"].add_(layer_moment.sum(1, keepdim=True))
    return {name: value.div_(count) for name, value in sums.items()}


def _mean_over_batches(
    network: Network,
    samples: TaskSamples,
    sensitivity: Callable[[Tensor, Tensor, Tensor, Tensor | None], Sensitivity],
    moment: Callable[[Tensor, int], Tensor],
    most: int,
) -> Importance:
    """Average ``moment`` of each mini-batch's mean gradient and size; all count alike."""
    sums = {name: torch.zeros_like(p) for name, p in network.slow.items()}
    count = 0
    for inputs, labels, uniforms in samples.chunks(len(network.weights[0]), most):
        count += 1
        size = inputs.shape[1]
        activations = network.activations(inputs)
        logits = network.head.logits(activations[-1])
        ((_, delta),) = sensitivity(logits, samples.mask, labels, uniforms)
        body = network.body_deltas(activations, network.head.back_to_hidden(delta))
        for layer, activation, layer_delta in zip(
            _layers(network), activations, (*body, delta), strict=True
        ):
            gradient = product(activation.transpose(1, 2), layer_delta).div_(size)
            sums[f"{layer}.weight"].add_(moment(gradient, size))
            if f"{layer}.bias" in sums:
                of_bias = layer_delta.sum(1, keepdim=True).div_(size)
                sums[f"{layer}.bias"].add_(moment(of_bias, size))
    return {name: value.div_(count) for name, value in sums.items()}


def _layers(network: Network) -> list[str]:
    return [f"body.{i}" for i in range(len(network.weights))] + ["head"]
