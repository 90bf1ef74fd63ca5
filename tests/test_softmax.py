"""DHP-Softmax against a loop over classes with autograd, and against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from oracle import NaiveNetwork, head_loss
from small import stacked, unpadded
from torch import Tensor

from methods.architecture import padded
from methods.network import Network
from methods.softmax import DHPSoftmax

INPUTS, HIDDEN, OUTPUTS, BATCH = 8, (7, 5), 10, 6
SEEDS = (3, 0, 8)
ETA = torch.tensor([0.3, 0.05, 0.9], dtype=torch.float64).view(3, 1, 1)
ALPHA_SCALE = torch.tensor([0.5, 2.0, 0.01], dtype=torch.float64).view(3, 1, 1)
CLASSES: dict[str, Sequence[int]] = {"task": (6, 1), "all": range(OUTPUTS)}


def dhp_network(plasticity: str = "on", *, bias: bool = False) -> Network:
    widths = INPUTS, HIDDEN, OUTPUTS
    return stacked(widths, SEEDS, (plasticity, "blog", bias), ETA, ALPHA_SCALE)


def head_of(network: Network) -> DHPSoftmax:
    assert isinstance(network.head, DHPSoftmax)
    return network.head


def random_batch(generator: torch.Generator, classes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Inputs and labels for each lane; with ten classes and six samples, most are missing."""
    shape = (len(SEEDS), BATCH)
    inputs = torch.zeros(*shape, padded(INPUTS), dtype=torch.float64)
    inputs[:, :, :INPUTS] = torch.randn(*shape, INPUTS, generator=generator, dtype=torch.float64)
    drawn = torch.randint(len(classes), shape, generator=generator)
    return inputs, torch.tensor(list(classes))[drawn]


def oracles(network: Network, ablation: str | None = None) -> list[NaiveNetwork]:
    lanes = range(len(SEEDS))
    return [NaiveNetwork(unpadded(network, network.parameters, i), ablation) for i in lanes]


def trace_of(network: Network, lane: int) -> Tensor:
    return unpadded(network, {"head.trace": head_of(network).trace}, lane)["head.trace"]


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def hold_against_oracle(
    network: Network,
    naive: Sequence[NaiveNetwork],
    batches: Sequence[tuple[Tensor, Tensor]],
    classes: Sequence[int],
    rate: float = 0.05,
) -> None:
    """Train both on the same mini-batches, comparing everything after each of them."""
    optimisers = [torch.optim.SGD(n.everything().values(), lr=rate) for n in naive]
    for inputs, labels in batches:
        losses = network.loss_and_gradients(inputs, labels, network.output_mask(classes))
        for lane, (reference, optimiser) in enumerate(zip(naive, optimisers, strict=True)):
            own, own_labels = inputs[lane, :, :INPUTS], labels[lane]
            loss = head_loss(reference(own, own_labels), own_labels, classes)
            optimiser.zero_grad()
            loss.backward()
            close(losses[lane], loss.detach())
            assert reference.plastic is not None
            close(trace_of(network, lane), reference.plastic.trace)
            gradients = unpadded(network, network.gradients, lane)
            expected = reference.gradients()
            assert gradients.keys() == expected.keys()
            for name, gradient in gradients.items():
                close(gradient, expected[name])
            close(network.logits(inputs)[lane, :, :OUTPUTS], reference(own).detach())
            optimiser.step()
        for name, parameter in network.parameters.items():
            parameter -= rate * network.gradients[name]


@pytest.mark.parametrize("seen", CLASSES)
@pytest.mark.parametrize("bias", [False, True])
def test_sixty_mini_batches_equal_the_loop_over_classes(seen: str, bias: bool) -> None:
    network, classes = dhp_network(bias=bias), CLASSES[seen]
    generator = torch.Generator().manual_seed(1)
    batches = [random_batch(generator, classes) for _ in range(60)]
    naive = oracles(network)
    hold_against_oracle(network, naive, batches, classes)
    moved = unpadded(network, network.parameters, 0)["head.eta"] - ETA[0]
    assert moved.abs() > 1e-4  # eta is trained, so its gradient was put to the test


def test_a_mini_batch_with_one_class_moves_one_column_of_the_trace() -> None:
    network = dhp_network()
    generator = torch.Generator().manual_seed(2)
    batches = [random_batch(generator, CLASSES["all"]) for _ in range(5)]
    naive = oracles(network)
    hold_against_oracle(network, naive, batches, CLASSES["all"])
    before = head_of(network).trace.clone()
    inputs, labels = random_batch(generator, (4,))
    hold_against_oracle(network, naive, [(inputs, labels)], CLASSES["all"])
    changed = (head_of(network).trace != before).any(0).any(0)
    assert changed.nonzero().flatten().tolist() == [4]


def test_one_step_of_the_trace_written_out() -> None:
    """Two samples of class 1, one of class 0: numbers that can be checked by hand."""
    hidden = torch.tensor([[[1.0, 0.0], [3.0, 2.0], [5.0, 4.0]]], dtype=torch.float64)
    labels = torch.tensor([1, 1, 0])
    targets = torch.nn.functional.one_hot(labels, 3).double().unsqueeze(0)
    alpha = torch.full((1, 2, 3), 2.0, dtype=torch.float64)
    eta = torch.full((1, 1, 1), 0.25, dtype=torch.float64)
    head = DHPSoftmax(torch.ones_like(alpha), None, alpha, eta)
    head.trace.fill_(4.0)
    head.learn_trace(hidden, targets)
    close(head.trace, torch.tensor([[[4.25, 3.5, 4.0], [4.0, 3.25, 4.0]]], dtype=torch.float64))
    # First class: 5 (1 + 2 x 4.25) + 4 (1 + 2 x 4) on the third sample.
    close(head.logits(hidden)[0, 2, 0], torch.tensor(83.5, dtype=torch.float64))


def test_evaluation_leaves_the_trace_alone() -> None:
    network = dhp_network()
    generator = torch.Generator().manual_seed(3)
    inputs, labels = random_batch(generator, CLASSES["all"])
    network.loss_and_gradients(inputs, labels, network.output_mask(CLASSES["all"]))
    before = head_of(network).trace.clone()
    first = network.logits(inputs)
    assert torch.equal(network.logits(inputs), first)
    assert torch.equal(head_of(network).trace, before)
    assert before.abs().sum() > 0


def test_frozen_keeps_the_trace_at_zero_and_is_an_ordinary_layer() -> None:
    network = dhp_network("frozen")
    alpha, eta = head_of(network).alpha.clone(), head_of(network).eta.clone()
    naive = oracles(network, "frozen")
    linear = [
        NaiveNetwork(
            {
                n: p
                for n, p in reference.outward(reference.everything()).items()
                if n in network.slow
            }
        )
        for reference in naive
    ]
    generator = torch.Generator().manual_seed(4)
    batches = [random_batch(generator, CLASSES["all"]) for _ in range(20)]
    hold_against_oracle(network, naive, batches, CLASSES["all"])
    assert not head_of(network).trace.any()
    assert torch.equal(head_of(network).alpha, alpha)
    assert torch.equal(head_of(network).eta, eta)
    for lane, reference in enumerate(linear):
        optimiser = torch.optim.SGD(reference.parameters(), lr=0.05)
        for inputs, labels in batches:
            optimiser.zero_grad()
            own = reference(inputs[lane, :, :INPUTS])
            head_loss(own, labels[lane], CLASSES["all"]).backward()
            optimiser.step()
        for name, value in reference.outward(reference.everything()).items():
            close(unpadded(network, network.slow, lane)[name], value)


def loss_at(
    network: Network, trace: Tensor, inputs: Tensor, labels: Tensor, mask: Tensor
) -> Callable[[dict[str, Tensor], float], Tensor]:
    """The (S,) losses as a function of a step along a direction, the old trace constant."""

    def loss(direction: dict[str, Tensor], step: float) -> Tensor:
        for name, towards in direction.items():
            network.parameters[name] += step * towards
        head_of(network).trace.copy_(trace)
        value = network.loss_and_gradients(inputs, labels, mask)
        for name, towards in direction.items():
            network.parameters[name] -= step * towards
        return value

    return loss


@pytest.mark.parametrize("seen", CLASSES)
def test_gradients_equal_finite_differences_over_fifty_mini_batches(seen: str) -> None:
    """Along a random direction for each parameter: w, alpha, eta and the body."""
    network, mask = dhp_network(), dhp_network().output_mask(CLASSES[seen])
    generator, step = torch.Generator().manual_seed(5), 1e-7
    for _ in range(50):
        inputs, labels = random_batch(generator, CLASSES[seen])
        old = head_of(network).trace.clone()
        network.loss_and_gradients(inputs, labels, mask)
        new = head_of(network).trace.clone()
        gradients = {name: g.clone() for name, g in network.gradients.items()}
        loss = loss_at(network, old, inputs, labels, mask)
        for name, gradient in gradients.items():
            rows, columns = unpadded(network, gradients, 0)[name].shape
            towards = torch.zeros_like(gradient)  # the padding stays zero
            shape = (len(SEEDS), rows, columns)
            towards[:, :rows, :columns] = torch.randn(
                shape, generator=generator, dtype=torch.float64
            )
            slope = (loss({name: towards}, step) - loss({name: towards}, -step)) / (2 * step)
            along = (gradient * towards).sum((1, 2))
            torch.testing.assert_close(slope, along, rtol=1e-5, atol=1e-8)
        head_of(network).trace.copy_(new)
        for name, parameter in network.parameters.items():
            parameter -= 0.05 * gradients[name]


def test_each_gradient_of_the_head_equals_its_finite_difference() -> None:
    network, mask = dhp_network(), dhp_network().output_mask(CLASSES["all"])
    generator, step = torch.Generator().manual_seed(6), 1e-6
    for _ in range(4):
        inputs, labels = random_batch(generator, CLASSES["all"])
        old = head_of(network).trace.clone()
        network.loss_and_gradients(inputs, labels, mask)
    gradients = {name: g.clone() for name, g in network.gradients.items()}
    loss = loss_at(network, old, inputs, labels, mask)
    for name in ("head.weight", "head.alpha", "head.eta", "body.1.weight"):
        cut = unpadded(network, gradients, 0)[name]
        for row in range(cut.shape[0]):
            for column in range(cut.shape[1]):
                towards = torch.zeros_like(gradients[name])
                towards[:, row, column] = 1
                slope = (loss({name: towards}, step) - loss({name: towards}, -step)) / (2 * step)
                torch.testing.assert_close(
                    slope, gradients[name][:, row, column], rtol=1e-5, atol=1e-8
                )
