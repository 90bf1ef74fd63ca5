"""S independent multilayer perceptrons in one set of tensors.

A lane is one network with a seed, mini-batches and scalar hyper-parameters of its own.
Every tensor is (S, rows, columns); products are computed lane by lane or batched, so that no lane
reads the numbers of another. Widths are padded; see ``methods.architecture``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from methods.architecture import Architecture, Draws, padded
from methods.products import product
from methods.softmax import Softmax
from methods.streams import INIT


def _relu_backward(delta: Tensor, activation: Tensor) -> Tensor:
    """Set the gradient ``delta`` to zero, in place, wherever the ReLU gave no activation.

    This operator of autograd makes one pass; a comparison and a product would make three.
    """
    torch.ops.aten.threshold_backward.grad_input(delta, activation, 0, grad_input=delta)
    return delta


class Network:
    """A stack of S perceptrons with hand-written gradients.

    Parameters
    ----------
    architecture : shared by all lanes.
    seeds : one for each lane; the same seed draws the same body and the same unit draws for the
        head in every architecture of equal widths.
    head : class of the output layer.
    settings : of the head's own ``Settings``; None only for an ordinary layer.
    dtype, device : type and device of every tensor.
    reduced : round the factors of the body's products to bfloat16; parameters, gradients and
        everything else stay in ``dtype``.
    """

    def __init__(
        self,
        architecture: Architecture,
        seeds: Sequence[int],
        head: type[Softmax] = Softmax,
        settings: Any = None,
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        reduced: bool = False,
    ) -> None:
        self.architecture = architecture
        self.product = partial(product, reduced=reduced)
        draws = Draws(seeds, dtype, device)
        init = draws.generators(INIT)
        self.weights: list[Tensor] = []
        self.biases: list[Tensor] = []
        # This is the initialisation of torch.nn.Linear.
        for fan_in, fan_out in pairwise((architecture.inputs, *architecture.hidden)):
            self.weights.append(draws.uniform(init, fan_in, fan_out, fan_in**-0.5))
            self.biases.append(draws.bias(init, fan_out, fan_in**-0.5))
        settings = head.Settings() if settings is None else settings
        self.head = head.build(architecture, draws, init, settings)

        body = {f"body.{i}.weight": w for i, w in enumerate(self.weights)}
        body |= {f"body.{i}.bias": b for i, b in enumerate(self.biases)}
        self.slow = body | self.head.slow()
        """Slow weights by name, each (S, in, out) or (S, 1, out): what consolidation protects."""
        self.parameters = self.slow | self.head.plastic()
        """Everything the optimiser trains, by name."""
        self.gradients = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        """Gradients of the last ``loss_and_gradients``, by name; overwritten by the next."""

    def shape_of(self, name: str) -> tuple[int, int]:
        """Return the rows and columns of a slow weight of one lane, without the padding."""
        architecture = self.architecture
        widths = (architecture.inputs, *architecture.hidden, architecture.outputs)
        layer, kind = name.rsplit(".", 1)
        place = len(widths) - 2 if layer == "head" else int(layer.removeprefix("body."))
        return (widths[place] if kind == "weight" else 1), widths[place + 1]

    def activations(self, inputs: Tensor) -> list[Tensor]:
        """Return ``[inputs, h_1, ..., h_L]``, each (S, B, width), for inputs (S, B, in)."""
        layers = [inputs]
        for weight, bias in zip(self.weights, self.biases, strict=True):
            layers.append(self.product(layers[-1], weight, bias=bias).relu_())
        return layers

    def body_deltas(self, activations: Sequence[Tensor], hidden_delta: Tensor) -> list[Tensor]:
        """Return the gradients at the hidden layers' pre-activations, first layer first.

        ``hidden_delta`` (S, B, h_L) is the gradient at the last hidden activation; the call
        overwrites it.
        Row b of every delta belongs to sample b alone.
        """
        deltas = [_relu_backward(hidden_delta, activations[-1])]
        for layer in range(len(self.weights) - 1, 0, -1):
            back = self.product(deltas[0], self.weights[layer].transpose(1, 2))
            deltas.insert(0, _relu_backward(back, activations[layer]))
        return deltas

    def logits(self, inputs: Tensor) -> Tensor:
        """Return the (S, B, outputs) logits in evaluation mode, which uses no labels."""
        return self.head.logits(self.activations(inputs)[-1])

    def test_logits(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """Return the (S, B, outputs) logits of test samples, for the head that ``mask`` selects."""
        return self.head.test_logits(self.activations(inputs)[-1], mask)

    def loss_and_gradients(self, inputs: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Make a training pass over a mini-batch: move the trace and fill ``self.gradients``.

        Parameters
        ----------
        inputs : (S, B, in).
        labels : (S, B) class indices.
        mask : (outputs,) 0 for outputs that the loss sees, -inf for the others.

        Returns
        -------
        (S,) mean cross-entropy of each lane, in nats.
        """
        activations = self.activations(inputs)
        hidden = activations[-1]
        index = labels.unsqueeze(2)
        targets = torch.zeros(
            (*labels.shape, mask.shape[0]), dtype=hidden.dtype, device=hidden.device
        ).scatter_(2, index, 1.0)
        self.head.learn_trace(hidden, targets)
        log_probabilities = torch.log_softmax(self.head.logits(hidden) + mask, 2)
        loss = log_probabilities.gather(2, index).mean((1, 2)).neg_()
        delta = log_probabilities.exp_().sub_(targets).div_(labels.shape[1])
        hidden_delta = self.head.backward(hidden, delta, self.gradients)
        for layer, layer_delta in enumerate(self.body_deltas(activations, hidden_delta)):
            transposed = activations[layer].transpose(1, 2)
            self.product(transposed, layer_delta, out=self.gradients[f"body.{layer}.weight"])
            torch.sum(layer_delta, 1, keepdim=True, out=self.gradients[f"body.{layer}.bias"])
        return loss

    def output_mask(self, classes: Sequence[int]) -> Tensor:
        """Return the (outputs,) mask that leaves only ``classes`` to the softmax."""
        weight = self.weights[0]
        mask = torch.full(
            (padded(self.architecture.outputs),),
            -torch.inf,
            dtype=weight.dtype,
            device=weight.device,
        )
        mask[list(classes)] = 0.0
        return mask
