"""Where Avalanche is installed, a second opinion: its EWC, MAS and SI on our weights and batches.

Avalanche squares (EWC) or takes the absolute value of (MAS) the gradient of a mini-batch's mean;
with mini-batches of one sample that is the per-sample quantity of the papers, and ours. Its SI
takes the step's gradient and change as they are; ours of a first task is the same sum.
"""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from small import unpadded
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from methods.architecture import Architecture, padded
from methods.importance import TaskSamples, fisher, mas
from methods.network import Network
from methods.path_integral import SI

plugins = pytest.importorskip("avalanche.training.plugins", reason="Avalanche is not installed")

INPUTS, HIDDEN, OUTPUTS, CLASSES, SEEDS = 8, (7, 5), 6, (4, 1), (2, 9)
XI, RATE = 0.05, 0.1


class Plain(nn.Module):
    """One lane as a user's module that answers with the logits of the task's classes."""

    def __init__(self, network: Network, lane: int) -> None:
        super().__init__()
        widths = (INPUTS, *HIDDEN, OUTPUTS)
        self.layers = nn.ModuleList(nn.Linear(a, b).double() for a, b in pairwise(widths))
        self.load(network, lane)

    def names(self) -> dict[str, tuple[str, bool]]:
        """Our name of each of its parameters, and whether it is a matrix, transposed in ours."""
        last = len(self.layers) - 1
        return {
            f"layers.{i}.{kind}": (
                f"head.{kind}" if i == last else f"body.{i}.{kind}",
                kind == "weight",
            )
            for i in range(last + 1)
            for kind in ("weight", "bias")
        }

    def load(self, network: Network, lane: int) -> None:
        ours = unpadded(network, network.slow, lane)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                known, matrix = self.names()[name]
                parameter.copy_(ours[known].T if matrix else ours[known].flatten())

    def ours(self, named: dict[str, Any]) -> dict[str, Tensor]:
        """Give Avalanche's values of the parameters our names and shapes."""
        found = {}
        for name, parameter in self.named_parameters():
            known, matrix = self.names()[name]
            value = named[name].data.double().reshape(parameter.shape)
            found[known] = value.T if matrix else value.view(1, -1)
        return found

    def forward(self, inputs: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            inputs = torch.relu(layer(inputs))
        logits: Tensor = self.layers[-1](inputs)
        return logits[:, list(CLASSES)]


@pytest.fixture
def network() -> Network:
    architecture = Architecture(INPUTS, HIDDEN, OUTPUTS)
    return Network(architecture, SEEDS, dtype=torch.float64)


@pytest.fixture
def task() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    inputs = torch.zeros(30, padded(INPUTS), dtype=torch.float64)
    inputs[:, :INPUTS] = 2 * torch.randn(30, INPUTS, generator=generator, dtype=torch.float64)
    return inputs, torch.tensor(CLASSES)[torch.randint(2, (30,), generator=generator)]


def dataset(task: tuple[Tensor, Tensor]) -> TensorDataset:
    places = torch.tensor([CLASSES.index(int(label)) for label in task[1]])
    return TensorDataset(task[0][:, :INPUTS], places, torch.zeros(len(places)))


def assert_same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        # Avalanche keeps what it remembers in float32.
        torch.testing.assert_close(ours[name], value, rtol=1e-5, atol=1e-8)


def test_fisher_and_mas_equal_avalanches(network: Network, task: tuple[Tensor, Tensor]) -> None:
    samples = TaskSamples(*task, network.output_mask(CLASSES))
    exact = {"fisher": fisher(network, samples, "true"), "mas": mas(network, samples)}
    for lane in range(len(SEEDS)):
        model = Plain(network, lane)
        optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
        ewc = plugins.EWCPlugin(1.0)
        found = ewc.compute_importances(
            model, nn.CrossEntropyLoss(), optimizer, dataset(task), "cpu", 1
        )
        assert_same(unpadded(network, exact["fisher"], lane), model.ours(found))
        strategy = SimpleNamespace(
            model=model,
            experience=SimpleNamespace(dataset=dataset(task)),
            optimizer=optimizer,
            device="cpu",
            train_mb_size=1,
        )
        found = plugins.MASPlugin()._get_importance(strategy)
        assert_same(unpadded(network, exact["mas"], lane), model.ours(found))


def test_the_path_integral_equals_avalanches(network: Network, task: tuple[Tensor, Tensor]) -> None:
    one = torch.ones(len(SEEDS), 1, 1, dtype=torch.float64)
    si = SI(network, SI.Settings(strength=one, xi=XI * one))
    mask, plugin = network.output_mask(CLASSES), plugins.SynapticIntelligencePlugin
    models = [Plain(network, lane) for lane in range(len(SEEDS))]
    strategies: list[Any] = []
    for model in models:
        theirs = plugin(si_lambda=1.0, eps=XI)
        plugin.create_syn_data(model, theirs.ewc_data, theirs.syn_data, set())
        plugin.init_batch(model, theirs.ewc_data, theirs.syn_data, set())
        strategies.append(theirs)
    generator = torch.Generator().manual_seed(4)
    for _ in range(15):
        rows = torch.randint(30, (6,), generator=generator)
        inputs, labels = task[0][rows], task[1][rows]
        lanes = (len(SEEDS), 6)
        network.loss_and_gradients(inputs.expand(*lanes, -1), labels.expand(lanes), mask)
        si.before_update()
        for name, parameter in network.slow.items():
            parameter -= RATE * network.gradients[name]
        si.after_update()
        for model, theirs in zip(models, strategies, strict=True):
            x, places, _ = dataset((inputs, labels))[:]
            plugin.pre_update(model, theirs.syn_data, set())
            model.zero_grad()
            nn.functional.cross_entropy(model(x), places).backward()
            for parameter in model.parameters():
                assert parameter.grad is not None
                # Not in place: on the CPU what Avalanche 0.6 remembers are views of the weights,
                # and an in-place update would leave it with no change at all.
                parameter.data = parameter.data - RATE * parameter.grad
            plugin.post_update(model, theirs.syn_data, set())
    si.end_task(lambda _: TaskSamples(*task, mask))
    for lane, (model, theirs) in enumerate(zip(models, strategies, strict=True)):
        plugin.update_ewc_data(model, theirs.ewc_data, theirs.syn_data, 1e9, set(), 1, eps=XI)
        found = {n: (-v.data).clamp(min=0) for n, v in theirs.syn_data["cum_trajectory"].items()}
        wrapped = {name: SimpleNamespace(data=value) for name, value in found.items()}
        ours = unpadded(network, si.importances(), lane)
        assert max(float(value.max()) for value in ours.values()) > 1e-3
        assert_same(ours, model.ours(wrapped))
