"""What other programs do otherwise: each named option against the naive trainer, and as lanes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from small import cell, small_data, train
from test_lanes import ODD, hold_alone_and_together, odd_cell
from test_training import DATA, hold_against_naive_trainer

from harness.data.tasks import cut_into_tasks
from harness.studies.condition import Condition, Method, Protocol

SQUARE = small_data(pixels=9)
BATCH: dict[str, Any] = {"importance_batch": 10}
L2: dict[str, Any] = {"consolidation": "l2", "strength": 0.05}
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "arg-max labels": ("ewc", {"fisher": "predicted"}),
    "batches": ("dhp+ewc", BATCH | {"fisher": "true"}),
    "batches of arg-max labels": ("online-ewc", BATCH | {"fisher": "predicted"}),
    "batches of drawn labels": ("ewc", BATCH | {"fisher": "sampled", "importance_samples": 17}),
    "MAS of batches": ("dhp+mas", BATCH),
    "MAS of a mean": ("mas", {"squared_outputs": "mean"}),
    "MAS of a mean, of batches": ("mas", BATCH | {"squared_outputs": "mean", "strength": 0.9}),
    "SI below zero": ("si", {"negative_importance": "kept", "xi": 0.1}),
    "SI with a ceiling": ("dhp+si", {"importance_ceiling": 0.02}),
    "SI of the penalised loss": ("si", {"path_loss": "penalised"}),
    "SI of Avalanche": (
        "si",
        {"path_loss": "penalised", "importance_ceiling": 0.05, "negative_importance": "kept"},
    ),
    "L2": ("finetune", L2),
    "L2 beside a trace": ("dhp", L2),
}
PROTOCOLS: dict[str, dict[str, Any]] = {
    "fresh momentum": {"optimiser": "momentum", "learning_rate": 0.02, "each_task": "fresh"},
    "fresh Adam": {"optimiser": "adam", "learning_rate": 0.01, "each_task": "fresh"},
    "fresh Adagrad": {"optimiser": "adagrad", "learning_rate": 0.02, "each_task": "fresh"},
    "a later rate": {"later_rate": 0.1, "epochs": 2, "iterations_per_task": None},
    "a later rate under Adam": {"optimiser": "adam", "learning_rate": 0.01, "later_rate": 0.2},
    "a border": {"input_border": 2},
    "a border, standardised": {
        "input_border": 1,
        "input_scaling": "standardised",
        "learning_rate": 0.05,
    },
}


@pytest.mark.parametrize("option", METHODS)
def test_options_of_a_method_equal_the_naive_trainer(option: str) -> None:
    """Under Adam, as those programs train: with its steps path integrals get negative."""
    name, method = METHODS[option]
    adam: dict[str, Any] = {"optimiser": "adam", "learning_rate": 0.01, "iterations_per_task": 9}
    found = hold_against_naive_trainer(name, method, **adam)
    if "consolidation" in method or option == "SI below zero":
        return  # no importance of this little task sums to less than 0; test_consolidation has some
    plain = {key: value for key, value in method.items() if key != option_of(method)}
    without = train([cell(name, seed, plain, precision="float64", **adam) for seed in (0, 7)], DATA)
    one, other = (of.block.network.parameters["body.0.weight"] for of in (found, without))
    assert not torch.allclose(one, other, rtol=0, atol=1e-9), "the option changes nothing"


def option_of(method: dict[str, Any]) -> str:
    """The first option, which the comparison leaves out."""
    return next(key for key in method if key not in ("xi", "strength"))


@pytest.mark.parametrize("option", PROTOCOLS)
@pytest.mark.parametrize("name", ["dhp+online-ewc", "si"])
def test_options_of_a_protocol_equal_the_naive_trainer(name: str, option: str) -> None:
    own = PROTOCOLS[option]
    found = hold_against_naive_trainer(name, data=SQUARE, **own)
    plain = {k: v for k, v in own.items() if k not in ("each_task", "later_rate", "input_border")}
    without = train([cell(name, seed, precision="float64", **plain) for seed in (0, 7)], SQUARE)
    assert any(
        not torch.allclose(a, without.block.network.parameters[key], rtol=0, atol=1e-9)
        for key, a in found.block.network.parameters.items()
        if key != "body.0.weight"  # has other rows with a border
    ), "the option changes nothing"


@pytest.mark.parametrize("option", METHODS)
def test_lanes_are_independent_with_every_option_of_a_method(option: str) -> None:
    name, method = METHODS[option]
    hold_alone_and_together([odd_cell(name, seed, method) for seed in range(3)], ODD)


@pytest.mark.parametrize("option", PROTOCOLS)
def test_lanes_are_independent_with_every_option_of_a_protocol(option: str) -> None:
    own = PROTOCOLS[option]
    cells = [odd_cell("dhp+ewc", seed, **own) for seed in range(3)]
    hold_alone_and_together(cells, small_data(pixels=25, per_class=20))


def test_a_border_of_two_on_mnist_is_32_by_32_with_its_own_mean() -> None:
    """As written down by others: 28 x 28 pixels of mean 0.1307 and deviation 0.3081 become
    32 x 32 of 0.1000 and 0.2752."""
    mean, deviation, share = 0.1307, 0.3081, (28 / 32) ** 2
    assert mean * share == pytest.approx(0.1000, abs=1e-4)
    square = (deviation**2 + mean**2) * share - (mean * share) ** 2
    assert square**0.5 == pytest.approx(0.2752, abs=1e-4)
    cut = {"validation_fraction": 0.0, "width": 32, "dtype": torch.float64, "device": "cpu"}
    for task in cut_into_tasks(SQUARE, scaling="unit", border=1, **cut):  # type: ignore[arg-type]
        images = task.train_inputs[:, :25].view(-1, 5, 5)
        assert images[:, 1:-1, 1:-1].any()
        images[:, 1:-1, 1:-1] = 0
        assert not images.any()
        assert not task.train_inputs[:, 25:].any()


def test_a_border_of_permuted_images_is_permuted_with_them() -> None:
    permuted = replace(SQUARE, tasks=(tuple(range(10)),) * 3, permuted=True)
    cells = [cell("si", seed, output_mask="all", input_border=1) for seed in range(2)]
    hold_alone_and_together(cells, permuted)


def test_options_that_are_not_given_leave_a_program_as_it_was() -> None:
    """The key of a cell hashes these settings: what is new stands in none that does without."""
    new = {*BATCH, "squared_outputs", "negative_importance", "importance_ceiling", "path_loss"}
    new |= {"each_task", "later_rate", "input_border"}
    for consolidation in ("ewc", "online-ewc", "mas", "si"):
        for optimiser in ("sgd", "momentum", "adam"):
            settings = Condition(
                name="a",
                method=Method(consolidation=consolidation, strength=1.0),
                protocol=Protocol(optimiser=optimiser),
            ).settings()
            assert not new & (settings["method"].keys() | settings["protocol"].keys())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"consolidation": "ewc", "strength": 1.0, "squared_outputs": "mean"}, "has no effect"),
        ({"consolidation": "ewc", "strength": 1.0, "fisher": "argmax"}, "predicted"),
        ({"consolidation": "mas", "strength": 1.0, "importance_batch": 0}, "greater than or"),
        ({"consolidation": "si", "strength": 1.0, "negative_importance": "cut"}, "kept"),
        ({"consolidation": "l2"}, "strength"),
    ],
)
def test_options_are_checked(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Method(**given)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"optimiser": "sgd", "each_task": "fresh"}, "has no effect"),
        ({"optimiser": "adam", "later_rate": 0.0}, "greater than 0"),
        ({"input_border": 9}, "less than or equal to 8"),
    ],
)
def test_options_of_a_protocol_are_checked(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Protocol(**given)
