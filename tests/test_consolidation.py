"""Penalties, their gradients and what they are made of, against autograd and step by step."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import NaiveNetwork, Named, gradient_of, head_loss, naive_fisher, naive_mas
from oracle_training import NaiveSI, copy_of, penalty_of
from oracle_training import Quadratic as NaiveQuadratic
from small import cell, small_data, stacked, train, unpadded
from torch import Tensor

from harness.studies.classes import find
from methods.architecture import padded
from methods.consolidation import NoConsolidation, Quadratic
from methods.importance import TaskSamples
from methods.network import Network
from methods.path_integral import SI
from methods.softmax import DHPSoftmax

INPUTS, HIDDEN, OUTPUTS = 8, (7, 5), 6
SEEDS = (2, 9)
TASKS = ((0, 4), (2, 3), (5, 1))
STRENGTH = {"ewc": (5.0, 12.0), "online-ewc": (5.0, 12.0), "si": (0.3, 0.1), "mas": (0.2, 0.5)}
GAMMA, XI, RATE = (0.5, 0.9), (0.1, 0.01), (0.1, 0.05)
METHODS = tuple(STRENGTH)
HEADS: dict[str, tuple[str, str, bool]] = {
    "linear": ("off", "linear", True),
    "dhp": ("on", "blog", False),
}


def lanes(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)


def network_with(head: str) -> Network:
    scalars = lanes((0.2, 0.4)), lanes((0.5, 1.0))
    return stacked((INPUTS, HIDDEN, OUTPUTS), SEEDS, HEADS[head], *scalars)


def consolidation_of(network: Network, name: str, **more: Any) -> NoConsolidation:
    own: dict[str, Any] = {"online-ewc": {"gamma": lanes(GAMMA)}, "si": {"xi": lanes(XI)}}.get(
        name, {}
    )
    kind = find("consolidation", name)
    consolidation: NoConsolidation = kind(
        network, kind.Settings(strength=lanes(STRENGTH[name]), **own, **more)
    )
    return consolidation


def task_data(classes: tuple[int, ...], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    inputs = torch.zeros(20, padded(INPUTS), dtype=torch.float64)
    inputs[:, :INPUTS] = 2 * torch.randn(20, INPUTS, generator=generator, dtype=torch.float64)
    return inputs, torch.tensor(classes)[torch.randint(2, (20,), generator=generator)]


def whole(samples: TaskSamples, count: int | None) -> TaskSamples:
    assert count is None
    return samples


class NaiveLane:
    """The oracle beside one lane: autograd for the penalty, step by step for SI."""

    def __init__(self, network: Network, lane: int, method: str) -> None:
        self.lane, self.method = lane, method
        self.network = NaiveNetwork(unpadded(network, network.parameters, lane))
        self.quadratics: list[NaiveQuadratic] = []
        self.si = NaiveSI(self.network)

    def update(self, inputs: Tensor, labels: Tensor, classes: tuple[int, ...]) -> Named:
        """One update; returns the gradients of the penalised loss."""
        plain = head_loss(self.network(inputs, labels), labels, classes)
        gradient, before = gradient_of(plain, self.network), copy_of(self.network.slow())
        self.network.zero_grad()
        (
            plain + STRENGTH[self.method][self.lane] * penalty_of(self.network, self.quadratics)
        ).backward()
        penalised = self.network.gradients()
        with torch.no_grad():
            for parameter in self.network.everything().values():
                assert parameter.grad is not None
                parameter.sub_(RATE[self.lane] * parameter.grad)
        self.si.note(gradient, before)
        return penalised

    def end_task(self, inputs: Tensor, labels: Tensor, classes: tuple[int, ...]) -> None:
        center = copy_of(self.network.slow())
        previous = self.quadratics[-1][0] if self.quadratics else None
        if self.method == "si":
            self.quadratics = [(self.si.importance(XI[self.lane]), center)]
            return
        if self.method == "mas":
            new, keep = naive_mas(self.network, inputs, classes), 1.0
        else:
            new = naive_fisher(self.network, inputs, labels, classes, "exact")
            keep = GAMMA[self.lane]
        if self.method == "ewc":
            self.quadratics.append((new, center))
        elif previous is None:
            self.quadratics = [(new, center)]
        else:
            summed = {name: keep * previous[name] + value for name, value in new.items()}
            self.quadratics = [(summed, center)]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("method", METHODS)
def test_penalty_and_its_gradient_equal_autograd_over_three_tasks(method: str, head: str) -> None:
    network = network_with(head)
    consolidation = consolidation_of(network, method)
    naive = [NaiveLane(network, lane, method) for lane in range(len(SEEDS))]
    generator = torch.Generator().manual_seed(21)
    for classes in TASKS:
        inputs, labels = task_data(classes, generator)
        mask = network.output_mask(classes)
        for _ in range(12):
            rows = torch.randint(20, (len(SEEDS), 6), generator=generator)
            network.loss_and_gradients(inputs[rows], labels[rows], mask)
            consolidation.before_update()
            for lane, reference in enumerate(naive):
                own = rows[lane]
                expected = reference.update(inputs[own, :INPUTS], labels[own], classes)
                gradients = unpadded(network, network.gradients, lane)
                for name, value in expected.items():
                    torch.testing.assert_close(gradients[name], value, rtol=1e-8, atol=1e-11)
            for name, parameter in network.parameters.items():
                parameter -= lanes(RATE) * network.gradients[name]
            consolidation.after_update()
        check_penalty(consolidation, naive, positive=classes != TASKS[0])
        samples = TaskSamples(inputs, labels, mask)
        consolidation.end_task(partial(whole, samples))
        for reference in naive:
            reference.end_task(inputs[:, :INPUTS], labels, classes)
        check_penalty(consolidation, naive, positive=False)


def check_penalty(
    consolidation: NoConsolidation, naive: list[NaiveLane], *, positive: bool
) -> None:
    for lane, reference in enumerate(naive):
        expected = (
            STRENGTH[reference.method][lane]
            * penalty_of(reference.network, reference.quadratics).item()
        )
        assert consolidation.penalty()[lane].item() == pytest.approx(expected, rel=1e-8, abs=1e-12)
        assert not positive or expected > 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_only_slow_weights_are_protected(method: str) -> None:
    """Neither alpha nor eta nor the trace: the penalty leaves their gradients as they are."""
    network = network_with("dhp")
    consolidation = consolidation_of(network, method)
    generator = torch.Generator().manual_seed(22)
    inputs, labels = task_data((0, 4), generator)
    mask = network.output_mask((0, 4))
    rows = torch.arange(20).expand(len(SEEDS), -1)
    for _ in range(2):
        network.loss_and_gradients(inputs[rows], labels[rows], mask)
        consolidation.before_update()
        for name, parameter in network.parameters.items():
            parameter -= 0.1 * network.gradients[name]
        consolidation.after_update()
        consolidation.end_task(lambda _: TaskSamples(inputs, labels, mask))
    expected = {f"body.{i}.{kind}" for i in range(2) for kind in ("weight", "bias")}
    assert set(consolidation.importances()) == expected | {"head.weight"}
    network.loss_and_gradients(inputs[rows], labels[rows], mask)
    for parameter in network.parameters.values():
        parameter += 0.3
    before = {name: g.clone() for name, g in network.gradients.items()}
    assert isinstance(network.head, DHPSoftmax)
    trace = network.head.trace.clone()
    consolidation.before_update()
    for name in ("head.alpha", "head.eta"):
        assert torch.equal(network.gradients[name], before[name])
    assert not torch.equal(network.gradients["head.weight"], before["head.weight"])
    assert torch.equal(network.head.trace, trace)


def test_path_integral_of_full_batch_descent_is_the_drop_of_the_loss() -> None:
    """With small steps; summed over the weights, and so with its sign and its scale."""
    network = network_with("linear")
    consolidation = consolidation_of(network, "si")
    assert isinstance(consolidation, SI)
    inputs, _ = task_data((0, 4), torch.Generator().manual_seed(23))
    labels = torch.where(inputs[:, 0] > 0, 0, 4)  # can be learned
    rows, mask = torch.arange(20).expand(len(SEEDS), -1), network.output_mask((0, 4))
    first = network.loss_and_gradients(inputs[rows], labels[rows], mask)
    for _ in range(300):
        loss = network.loss_and_gradients(inputs[rows], labels[rows], mask)
        consolidation.before_update()
        for name, parameter in network.parameters.items():
            parameter -= 0.05 * network.gradients[name]
        consolidation.after_update()
    drop = first - loss
    path = torch.stack([path.sum((1, 2)) for path in consolidation.path.values()]).sum(0)
    assert (drop > 0.1).all()
    torch.testing.assert_close(path, drop, rtol=0.1, atol=0)


def importances_of_three_steps(**settings: Any) -> list[list[float]]:
    """A gradient of 1 and steps up, down and up, each a task; the importances after each."""
    network = network_with("linear")
    consolidation = consolidation_of(network, "si", **settings)
    found = []
    for step in (0.1, -0.2, 0.1):
        for gradient in network.gradients.values():
            gradient.fill_(1.0)
        consolidation.before_update()
        for parameter in network.parameters.values():
            parameter += step
        consolidation.after_update()
        consolidation.end_task(samples_are_not_needed)
        found.append(consolidation.importances()["body.1.weight"][:, 0, 0].tolist())
    return found


def test_importances_of_si_written_out_where_path_integrals_are_negative() -> None:
    """The running importance never drops below 0."""
    found = importances_of_three_steps()
    xi_large, xi_small = 0.2 / (0.04 + XI[0]), 0.2 / (0.04 + XI[1])
    assert found[0] == [0, 0]
    assert found[1] == pytest.approx([xi_large, xi_small])
    assert found[2] == pytest.approx([xi_large - 0.1 / (0.01 + XI[0]), 0])


def test_importances_of_si_written_out_without_the_maximum_and_with_a_ceiling() -> None:
    once = [0.1 / (0.01 + xi) for xi in XI]
    twice = [0.2 / (0.04 + xi) for xi in XI]
    sums = [[-a for a in once], [b - a for a, b in zip(once, twice, strict=True)]]
    sums.append([b - 2 * a for a, b in zip(once, twice, strict=True)])
    found = importances_of_three_steps(negative_importance="kept")
    assert found == [pytest.approx(of_task) for of_task in sums]
    capped = importances_of_three_steps(negative_importance="kept", importance_ceiling=-1.0)
    assert capped == [pytest.approx([min(s, -1.0) for s in of_task]) for of_task in sums]
    assert sums[1][0] > -1 > sums[2][1], "the ceiling cuts once, and is no part of the sum"


def samples_are_not_needed(count: int | None) -> TaskSamples:
    raise AssertionError("SI has its importances from the path alone")


importance_values = st.sampled_from([0.0, 0.0, 1e-30, 1e-6, 0.02, 1.0, 7.5, 1e6])


@settings(max_examples=25, derandomize=True, deadline=None)
@given(
    st.lists(st.lists(importance_values, min_size=3, max_size=3), min_size=1, max_size=5),
    st.integers(0, 2**32 - 1),
)
def test_the_folded_quadratic_equals_the_sum_of_quadratics(
    scales: list[list[float]], seed: int
) -> None:
    """In value and in gradient, whichever weights each of them protects, to rounding."""
    network = network_with("linear")
    generator = torch.Generator().manual_seed(seed)
    folded, terms = Quadratic(network), []
    for of_term in scales:
        importance, center = {}, {}
        for name, parameter in network.slow.items():
            chosen = torch.randint(3, parameter.shape, generator=generator)
            importance[name] = torch.tensor(of_term, dtype=torch.float64)[chosen]
            center[name] = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        folded.add(importance, center)
        terms.append((importance, center))
    at = {name: p.clone().requires_grad_() for name, p in network.slow.items()}
    value = torch.zeros(len(SEEDS), dtype=torch.float64)
    for importance, center in terms:
        for name, theta in at.items():
            value = value + (importance[name] * (theta - center[name]) ** 2).sum((1, 2))
    torch.testing.assert_close(folded.value(network.slow), value.detach(), rtol=1e-9, atol=1e-12)
    gradients = torch.autograd.grad(value.sum(), list(at.values()), allow_unused=True)
    for (name, theta), gradient in zip(network.slow.items(), gradients, strict=True):
        found = 2 * folded.importance[name] * (theta - folded.center[name])
        assert gradient is not None
        torch.testing.assert_close(found, gradient, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("head", ["", "dhp+"])
@pytest.mark.parametrize("method", METHODS)
def test_no_consolidation_is_inert(method: str, head: str) -> None:
    """Penalty 0 in task 1 and above 0 after; importances finite, not negative, not all zero."""
    trained = train([cell(head + method, seed) for seed in (0, 1)], small_data())
    for outcome in trained.outcomes:
        penalties: list[Any] = [entry["penalty"] for entry in outcome.telemetry]
        assert penalties[0] == 0
        assert all(penalty > 0 for penalty in penalties[1:])
        assert all(entry["importance_sum"] > 0 for entry in outcome.telemetry)
    for importance in trained.block.consolidation.importances().values():
        assert importance.isfinite().all()
        assert (importance >= 0).all()
        assert importance.any()


@pytest.mark.parametrize("name", ["finetune", "dhp"])
def test_without_consolidation_there_is_no_penalty(name: str) -> None:
    trained = train([cell(name)], small_data())
    assert [entry["penalty"] for entry in trained.outcomes[0].telemetry] == [0] * 5
    assert trained.block.consolidation.importances() == {}
