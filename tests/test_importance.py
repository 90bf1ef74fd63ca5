"""Fisher and MAS importances against a loop over samples with autograd."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from oracle import (
    NaiveNetwork,
    Named,
    naive_fisher,
    naive_fisher_of_batches,
    naive_mas,
    naive_mas_of_batches,
)
from small import stacked, unpadded
from torch import Tensor

from methods.architecture import padded
from methods.importance import CHUNK, Importance, TaskSamples, fisher, mas
from methods.network import Network
from methods.softmax import DHPSoftmax

INPUTS, HIDDEN, OUTPUTS = 8, (7, 5), 10
SEEDS = (1, 4)
KINDS = ("exact", "sampled", "true", "predicted", "mas")
HEADS: dict[str, tuple[str, str, bool]] = {
    "linear": ("off", "linear", True),
    "dhp": ("on", "blog", False),
    "dhp with bias": ("on", "linear", True),
}


def trained_network(head: str) -> Network:
    """After some updates, so that the trace of a plastic head is far from zero."""
    ones = torch.ones(len(SEEDS), 1, 1, dtype=torch.float64)
    network = stacked((INPUTS, HIDDEN, OUTPUTS), SEEDS, HEADS[head], 0.3 * ones, 0.8 * ones)
    generator = torch.Generator().manual_seed(11)
    for _ in range(15):
        inputs, labels = draw(9, range(OUTPUTS), generator)
        lanes = len(SEEDS)
        network.loss_and_gradients(
            inputs.expand(lanes, -1, -1), labels.expand(lanes, -1), network.output_mask(range(10))
        )
        for name, parameter in network.parameters.items():
            parameter -= 0.2 * network.gradients[name]
    return network


def draw(count: int, classes: Sequence[int], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    inputs = torch.zeros(count, padded(INPUTS), dtype=torch.float64)
    inputs[:, :INPUTS] = torch.randn(count, INPUTS, generator=generator, dtype=torch.float64)
    drawn = torch.randint(len(classes), (count,), generator=generator)
    return inputs, torch.tensor(list(classes))[drawn]


def oracle(network: Network, lane: int) -> NaiveNetwork:
    naive = NaiveNetwork(unpadded(network, network.parameters, lane))
    if isinstance(network.head, DHPSoftmax):
        assert naive.plastic is not None
        traces = unpadded(network, {"head.trace": network.head.trace}, lane)
        naive.plastic.trace = traces["head.trace"]
        assert naive.plastic.trace.abs().max() > 0.01
    return naive


def estimate(network: Network, samples: TaskSamples, kind: str) -> Importance:
    return mas(network, samples) if kind == "mas" else fisher(network, samples, kind)


def naive_estimate(
    network: Network, samples: TaskSamples, kind: str, classes: Sequence[int], lane: int
) -> Named:
    rows = torch.arange(len(samples.labels)) if samples.rows is None else samples.rows[lane]
    naive = oracle(network, lane)
    inputs, labels = samples.inputs[rows, :INPUTS], samples.labels[rows]
    if kind == "mas":
        return naive.outward(naive_mas(naive, inputs, classes))
    assert samples.uniforms is not None
    uniforms = samples.uniforms[lane]
    return naive.outward(naive_fisher(naive, inputs, labels, classes, kind, uniforms))


def samples_of(
    network: Network, count: int, classes: Sequence[int], wanted: int | None
) -> TaskSamples:
    inputs, labels = draw(count, classes, torch.Generator().manual_seed(12))
    generators = [np.random.default_rng(seed) for seed in SEEDS]
    return TaskSamples.draw(inputs, labels, network.output_mask(classes), wanted, generators)


def hold_against_loop(
    head: str, kind: str, classes: Sequence[int], count: int, wanted: int | None
) -> None:
    network = trained_network(head)
    samples = samples_of(network, count, classes, wanted)
    found = estimate(network, samples, kind)
    assert found.keys() == network.slow.keys()
    for lane in range(len(SEEDS)):
        expected = naive_estimate(network, samples, kind, classes, lane)
        cut = unpadded(network, found, lane)
        assert cut.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(cut[name], value, rtol=1e-9, atol=1e-14, msg=name)
            assert value.any(), f"{name} puts nothing to the test"


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [(7, 0), (1, 5, 8)])
def test_importances_equal_the_loop_over_samples(
    head: str, kind: str, classes: tuple[int, ...]
) -> None:
    hold_against_loop(head, kind, classes, count=23, wanted=None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("head", ["linear", "dhp"])
def test_a_subset_of_samples_is_averaged_over_its_own_number(head: str, kind: str) -> None:
    hold_against_loop(head, kind, (7, 0), count=40, wanted=13)


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("head", ["linear", "dhp"])
@pytest.mark.parametrize(("count", "wanted", "size"), [(23, None, 7), (40, 13, 5), (9, None, 50)])
def test_importances_of_mini_batches_equal_a_loop_over_them(
    head: str, kind: str, count: int, wanted: int | None, size: int
) -> None:
    """The last one is smaller, or the only one is the whole task."""
    network, classes = trained_network(head), (7, 0)
    samples = samples_of(network, count, classes, wanted)
    found = mas(network, samples, size) if kind == "mas" else fisher(network, samples, kind, size)
    for lane in range(len(SEEDS)):
        rows = torch.arange(count) if samples.rows is None else samples.rows[lane]
        naive, inputs = oracle(network, lane), samples.inputs[rows, :INPUTS]
        assert samples.uniforms is not None
        drawn = samples.uniforms[lane]
        values = (
            naive_mas_of_batches(naive, inputs, classes, size)
            if kind == "mas"
            else naive_fisher_of_batches(
                naive, inputs, samples.labels[rows], classes, kind, drawn, size
            )
        )
        cut = unpadded(network, found, lane)
        for name, value in naive.outward(values).items():
            torch.testing.assert_close(cut[name], value, rtol=1e-9, atol=1e-14, msg=name)
            assert value.any(), f"{name} puts nothing to the test"


@pytest.mark.parametrize("kind", KINDS)
def test_a_mini_batch_of_one_sample_is_that_sample(kind: str) -> None:
    network = trained_network("dhp with bias")
    samples = samples_of(network, 20, (7, 0), None)
    by_batch = mas(network, samples, 1) if kind == "mas" else fisher(network, samples, kind, 1)
    for name, value in estimate(network, samples, kind).items():
        torch.testing.assert_close(by_batch[name], value, rtol=1e-9, atol=1e-14)


def test_the_exact_fisher_is_the_mean_of_that_of_mini_batches_with_drawn_labels() -> None:
    """Why "exact" takes each sample for itself: 20,000 draws of the labels of a mini-batch."""
    network, classes, draws = trained_network("linear"), (7, 0), 20_000
    inputs, labels = draw(3, classes, torch.Generator().manual_seed(15))
    uniform = torch.rand(
        len(SEEDS), 3 * draws, generator=torch.Generator().manual_seed(16), dtype=torch.float64
    )
    mask = network.output_mask(classes)
    many = TaskSamples(inputs.repeat(draws, 1), labels.repeat(draws), mask, None, uniform)
    found = fisher(network, many, "sampled", 3)
    exact = fisher(network, TaskSamples(inputs, labels, mask), "exact", 3)
    assert all(
        torch.equal(exact[name], value)
        for name, value in fisher(network, TaskSamples(inputs, labels, mask)).items()
    )
    for name, value in exact.items():
        torch.testing.assert_close(
            found[name], value, rtol=0.1, atol=2e-2 * value.max().item(), msg=name
        )


@pytest.mark.parametrize("kind", ["sampled", "mas"])
def test_chunks_do_not_show(kind: str) -> None:
    hold_against_loop("dhp", kind, (2, 3), count=CHUNK + 3, wanted=None)


def test_chunks_of_a_subset_do_not_show() -> None:
    hold_against_loop("linear", "true", (2, 3), count=CHUNK + 90, wanted=CHUNK + 1)


def test_a_subset_is_drawn_without_replacement_and_for_each_lane_alone() -> None:
    network = trained_network("linear")
    rows = samples_of(network, 40, (7, 0), 13).rows
    assert rows is not None
    assert rows.shape == (len(SEEDS), 13)
    assert all(len(set(lane.tolist())) == 13 for lane in rows)
    assert rows[0].tolist() != rows[1].tolist()
    assert samples_of(network, 40, (7, 0), 40).rows is None
    assert samples_of(network, 40, (7, 0), 41).rows is None


def test_importances_leave_the_network_and_its_trace_alone() -> None:
    network = trained_network("dhp")
    assert isinstance(network.head, DHPSoftmax)
    before = {name: p.clone() for name, p in network.parameters.items()}
    trace = network.head.trace.clone()
    for kind in KINDS:
        estimate(network, samples_of(network, 20, (7, 0), None), kind)
    assert torch.equal(network.head.trace, trace)
    assert all(torch.equal(network.parameters[name], value) for name, value in before.items())


def test_other_heads_have_no_importance() -> None:
    network = trained_network("dhp with bias")
    for kind in KINDS:
        importance = estimate(network, samples_of(network, 20, (7, 0), None), kind)
        for name in ("head.weight", "head.bias"):
            used = importance[name].any(0).any(0).nonzero().flatten().tolist()
            assert used == [0, 7]


def test_sampled_labels_follow_the_networks_own_distribution() -> None:
    """One sample under an even grid of draws: the sampled Fisher is then the exact one."""
    network, count, classes = trained_network("dhp"), 1000, (1, 5, 8)
    inputs, labels = draw(1, classes, torch.Generator().manual_seed(13))
    grid = ((torch.arange(count) + 0.5) / count).double().expand(len(SEEDS), -1)
    mask = network.output_mask(classes)
    many = TaskSamples(inputs.expand(count, -1), labels.expand(count), mask, None, grid)
    sampled, exact = fisher(network, many, "sampled"), fisher(network, many, "exact")
    for name, value in exact.items():
        torch.testing.assert_close(sampled[name], value, rtol=0.02, atol=1e-3 * value.max().item())


@pytest.mark.parametrize("uniform", [0.0, float(np.nextafter(1.0, 0.0))])
def test_extreme_draws_stay_inside_the_head(uniform: float) -> None:
    network, classes = trained_network("linear"), (4, 6)
    inputs, labels = draw(30, classes, torch.Generator().manual_seed(14))
    draws = torch.full((len(SEEDS), 30), uniform, dtype=torch.float64)
    mask = network.output_mask(classes)
    found = fisher(network, TaskSamples(inputs, labels, mask, None, draws), "sampled")
    label = torch.full_like(labels, 4 if uniform == 0 else 6)
    expected = fisher(network, TaskSamples(inputs, label, mask), "true")
    for name, value in expected.items():
        assert torch.equal(found[name], value)
