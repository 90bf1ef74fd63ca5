"""A naive reference for networks and importances, written from the published equations.

One network, one class and one sample at a time, double precision, all gradients by autograd.
It shares no code with the product: what both must start from (initial parameters,
mini-batches, random draws) is handed in as plain tensors.

Parameters go in and out by name, weights as (in, out) and biases as (1, out).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

Named = dict[str, Tensor]


class PlasticHead(nn.Module):
    """DHP-Softmax: ``z = h (w + alpha * Hebb) + b``, the trace moved class by class.

    ``ablation`` takes out one part; ``columns`` says, for the shuffled trace, which column each
    class's mean goes to.
    """

    def __init__(
        self,
        start: Mapping[str, Tensor],
        ablation: str | None = None,
        columns: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(start["head.weight"].clone())
        self.alpha = nn.Parameter(start["head.alpha"].clone())
        self.eta = nn.Parameter(start["head.eta"].clone().reshape(()))
        self.bias = (
            nn.Parameter(start["head.bias"].clone().reshape(-1)) if "head.bias" in start else None
        )
        if ablation == "eta-fixed":
            self.eta.requires_grad_(False)
        if ablation == "alpha-fixed":
            self.alpha.requires_grad_(False)
        self.ablation = ablation
        self.columns = list(columns or range(self.weight.shape[1]))
        self.trace = torch.zeros_like(start["head.weight"])

    def forward(self, hidden: Tensor, labels: Tensor | None) -> Tensor:
        trace = self.trace
        if labels is not None and self.ablation != "frozen":
            trace = self.moved(hidden, labels)
            if self.ablation == "trace-detached":
                trace = trace.detach()
            self.trace = trace.detach()
        return self.through(hidden, self.weight + self.alpha * trace)

    def through(self, hidden: Tensor, weight: Tensor) -> Tensor:
        logits = hidden @ weight
        return logits if self.bias is None else logits + self.bias

    def moved(self, hidden: Tensor, labels: Tensor) -> Tensor:
        """The trace after a mini-batch."""
        columns = list(self.trace.unbind(1))
        for c in range(len(columns)):
            of_class = [h for h, label in zip(hidden, labels.tolist(), strict=True) if label == c]
            if of_class:
                mean, column = torch.stack(of_class).mean(0), self.columns[c]
                columns[column] = (1 - self.eta) * columns[column] + self.eta * mean
        return torch.stack(columns, 1)

    def test(self, hidden: Tensor, classes: Sequence[int]) -> Tensor:
        """Logits of a whole chunk of test samples."""
        if self.ablation == "trace-off-at-test":
            return self.through(hidden, self.weight)
        logits: Tensor = self(hidden, None)
        if self.ablation == "self-labelled-test":
            best = [max(sorted(classes), key=lambda c: z[c].item()) for z in logits]
            trace = self.moved(hidden, torch.tensor(best))
            logits = self.through(hidden, self.weight + self.alpha * trace)
        return logits


class NaiveNetwork(nn.Module):
    """One multilayer perceptron with an ``nn.Linear`` or a DHP-Softmax output layer."""

    def __init__(
        self,
        start: Mapping[str, Tensor],
        ablation: str | None = None,
        columns: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.body = nn.ModuleList()
        while (name := f"body.{len(self.body)}") + ".weight" in start:
            self.body.append(_linear(start, name))
        self.plastic = PlasticHead(start, ablation, columns) if "head.alpha" in start else None
        self.linear = None if self.plastic else _linear(start, "head")

    def hidden(self, inputs: Tensor) -> Tensor:
        for layer in self.body:
            inputs = torch.relu(layer(inputs))
        return inputs

    def forward(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        """Logits; with labels, in training mode: the trace takes in the mini-batch first."""
        if self.plastic is not None:
            logits: Tensor = self.plastic(self.hidden(inputs), labels)
        else:
            assert self.linear is not None
            logits = self.linear(self.hidden(inputs))
        return logits

    def start_task(self) -> None:
        if self.plastic is not None and self.plastic.ablation == "trace-reset":
            self.plastic.trace = torch.zeros_like(self.plastic.trace)

    def test_logits(self, inputs: Tensor, classes: Sequence[int]) -> Tensor:
        hidden = self.hidden(inputs)
        if self.plastic is not None:
            return self.plastic.test(hidden, classes)
        assert self.linear is not None
        logits: Tensor = self.linear(hidden)
        return logits

    def slow(self) -> dict[str, nn.Parameter]:
        """What consolidation protects: the body, and weight and bias of the output layer."""
        named: dict[str, nn.Parameter] = {}
        for name, parameter in self.named_parameters():
            renamed = name.replace("linear.", "head.").replace("plastic.", "head.")
            if renamed not in ("head.alpha", "head.eta"):
                named[renamed] = parameter
        return named

    def everything(self) -> dict[str, nn.Parameter]:
        named = self.slow()
        if self.plastic is not None:
            named |= {"head.alpha": self.plastic.alpha, "head.eta": self.plastic.eta}
        return named

    def outward(self, values: Mapping[str, Tensor]) -> Named:
        """Bring tensors in the shapes of this module's parameters to (in, out) and (1, out)."""
        named: Named = {}
        for name, value in values.items():
            transposed = name.endswith("weight") and not (self.plastic and name == "head.weight")
            value = value.detach()
            named[name] = (value.T if transposed else torch.atleast_2d(value)).clone()
        return named

    def gradients(self) -> Named:
        """Gradients that ``backward`` left; zero where a parameter took no part."""
        return self.outward(
            {
                name: torch.zeros_like(p) if p.grad is None else p.grad
                for name, p in self.everything().items()
            }
        )


def _linear(start: Mapping[str, Tensor], name: str) -> nn.Linear:
    weight, bias = start[f"{name}.weight"], start.get(f"{name}.bias")
    fan_in, fan_out = weight.shape
    layer = nn.Linear(fan_in, fan_out, bias=bias is not None, dtype=weight.dtype)
    with torch.no_grad():
        layer.weight.copy_(weight.T)
        if bias is not None:
            layer.bias.copy_(bias.reshape(-1))
    return layer


def head_loss(logits: Tensor, labels: Tensor, classes: Sequence[int]) -> Tensor:
    """Mean cross-entropy over ``classes`` only."""
    within = torch.tensor([list(classes).index(label) for label in labels.tolist()])
    return cross_entropy(logits[:, list(classes)], within)


def gradient_of(value: Tensor, network: NaiveNetwork) -> Named:
    slow = network.slow()
    found = torch.autograd.grad(value, list(slow.values()), retain_graph=True)
    return dict(zip(slow, found, strict=True))


def sampled_label(p: Sequence[float], classes: Sequence[int], uniform: float) -> int:
    """Invert the distribution function of a head's labels, in ascending order of class."""
    pairs = sorted(zip(classes, p, strict=True))
    total = 0.0
    for label, probability in pairs:
        total += probability
        if uniform < total:
            return label
    return pairs[-1][0]


def naive_fisher(
    network: NaiveNetwork,
    inputs: Tensor,
    labels: Tensor,
    classes: Sequence[int],
    kind: str,
    uniforms: Tensor | None = None,
) -> Named:
    """Diagonal Fisher: mean over samples of ``E_y (d log p(y|x) / d theta)^2``."""
    total = {name: torch.zeros_like(p) for name, p in network.slow().items()}
    order = list(classes)
    for n in range(len(inputs)):
        log_p = torch.log_softmax(network(inputs[n : n + 1])[0, order], 0)
        p = log_p.exp().tolist()
        if kind == "exact":
            weighted = list(zip(order, p, strict=True))
        elif kind == "sampled":
            assert uniforms is not None
            weighted = [(sampled_label(p, order, float(uniforms[n])), 1.0)]
        elif kind == "predicted":
            weighted = [(max(sorted(order), key=lambda c: p[order.index(c)]), 1.0)]
        else:
            weighted = [(int(labels[n]), 1.0)]
        for label, probability in weighted:
            for name, g in gradient_of(log_p[order.index(label)], network).items():
                total[name] += probability * g**2
    return {name: value / len(inputs) for name, value in total.items()}


def naive_fisher_of_batches(
    network: NaiveNetwork,
    inputs: Tensor,
    labels: Tensor,
    classes: Sequence[int],
    kind: str,
    uniforms: Tensor | None,
    size: int,
) -> Named:
    """Mean over mini-batches of ``B (d mean of log p / d theta)^2``, B its number of samples."""
    total = {name: torch.zeros_like(p) for name, p in network.slow().items()}
    starts = range(0, len(inputs), size)
    for start in starts:
        logits = network(inputs[start : start + size])
        chosen = []
        for n, z in enumerate(logits, start):
            p = torch.softmax(z[list(classes)], 0).tolist()
            if kind == "sampled":
                assert uniforms is not None
                chosen.append(sampled_label(p, classes, float(uniforms[n])))
            elif kind == "predicted":
                chosen.append(max(sorted(classes), key=lambda c: p[list(classes).index(c)]))
            else:
                chosen.append(int(labels[n]))
        loss = head_loss(logits, torch.tensor(chosen), classes)
        for name, g in gradient_of(loss, network).items():
            total[name] += len(chosen) * g**2
    return {name: value / len(starts) for name, value in total.items()}


def naive_mas_of_batches(
    network: NaiveNetwork, inputs: Tensor, classes: Sequence[int], size: int
) -> Named:
    """Mean over mini-batches of ``|d (mean of ||z||^2) / d theta|``."""
    total = {name: torch.zeros_like(p) for name, p in network.slow().items()}
    batches = inputs.split(size)
    for batch in batches:
        squared = (network(batch)[:, list(classes)] ** 2).sum(1)
        for name, g in gradient_of(squared.mean(), network).items():
            total[name] += g.abs()
    return {name: value / len(batches) for name, value in total.items()}


def naive_mas(network: NaiveNetwork, inputs: Tensor, classes: Sequence[int]) -> Named:
    """MAS: mean over samples of ``|d ||z||^2 / d theta|``, z the logits of the head."""
    total = {name: torch.zeros_like(p) for name, p in network.slow().items()}
    for n in range(len(inputs)):
        z = network(inputs[n : n + 1])[0, list(classes)]
        for name, g in gradient_of((z**2).sum(), network).items():
            total[name] += g.abs()
    return {name: value / len(inputs) for name, value in total.items()}
