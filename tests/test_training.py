"""Whole task sequences against the naive trainer: same accuracies, same parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from oracle import NaiveNetwork
from oracle_training import train_naively
from small import (
    CONDITIONS,
    STRENGTHS,
    Trained,
    cell,
    naive_tasks,
    recipe,
    small_data,
    train,
    unpadded,
)
from torch import Tensor

from harness.data.benchmarks import Dataset
from harness.running.training import Stack, outcomes_of, train_block
from harness.studies.condition import HEADS, Cell
from harness.studies.declared import declared
from methods.softmax import DHPSoftmax
from methods.streams import PLASTICITY, stream

SEEDS = (0, 7)
KEPT: Mapping[str | None, tuple[str, ...]] = {
    "frozen": ("head.alpha", "head.eta", "head.trace"),
    "eta-fixed": ("head.eta",),
    "trace-detached": ("head.eta",),
    "alpha-fixed": ("head.alpha",),
}
"""What an ablation leaves at its start."""
DATA = small_data()


def hold_against_naive_trainer(
    name: str, method: Mapping[str, Any] | None = None, data: Dataset = DATA, **own: Any
) -> Trained:
    """Train two seeds in one block, and each of them naively from the same start."""
    cells = [cell(name, seed, method, precision="float64", **own) for seed in SEEDS]
    starts = initial_parameters(cells, data)
    outcomes = outcomes_of(train_block(cells, data))
    trained = train(cells, data)
    for lane, of in enumerate(cells):
        method_of = of.condition.stack_method
        ablation = "frozen" if method_of.plasticity == "frozen" else method_of.ablation
        naive = NaiveNetwork(starts[lane], ablation, shuffled_columns(of, len(data.tasks) * 2))
        run = train_naively(naive, naive_tasks(data, of), recipe(of))
        assert outcomes[lane].status == "done"
        assert outcomes[lane].accuracy == run.accuracy
        network = trained.block.network
        found = unpadded(network, network.parameters, lane)
        expected = naive.outward(naive.everything())
        if naive.plastic is not None:
            assert isinstance(network.head, DHPSoftmax)
            found |= unpadded(network, {"head.trace": network.head.trace}, lane)
            expected["head.trace"] = naive.plastic.trace
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            torch.testing.assert_close(found[key], value, rtol=0, atol=1e-9, msg=key)
            if ablation == "trace-shuffled" and key == "head.eta":
                continue  # moves only where the cycle joins two classes of one task
            kept = KEPT.get(ablation, ())
            assert torch.equal(value, starts[lane].get(key, torch.zeros_like(value))) == (
                key in kept
            )
        for number, entry in enumerate(run.telemetry):
            reported = outcomes[lane].telemetry[number]
            last = number == len(run.telemetry) - 1  # is not consolidated any more
            names = {key for key in entry if not (last and key.startswith("importance"))}
            assert names <= reported.keys()
            for key in names:
                assert reported[key] == pytest.approx(entry[key], rel=1e-8, abs=1e-12), key
    return trained


def shuffled_columns(of: Cell, outputs: int) -> list[int] | None:
    """Where each class's mean goes: the next on a random cycle, drawn after alpha."""
    if of.condition.stack_method.ablation != "trace-shuffled":
        return None
    draws = stream(of.seed, PLASTICITY)
    draws.random((of.condition.stack_protocol.hidden[-1], outputs))  # alpha's
    cycle = draws.permutation(outputs).tolist()
    return [cycle[(cycle.index(c) + 1) % outputs] for c in range(outputs)]


def initial_parameters(cells: list[Cell], data: Dataset) -> list[dict[str, Tensor]]:
    network = Stack(cells, data, "cpu").network
    return [unpadded(network, network.parameters, lane) for lane in range(len(cells))]


def differs(trained: Trained, name: str, **own: Any) -> bool:
    """Tell whether the plain partner ends elsewhere: else a comparison shows nothing."""
    cells = [cell(name, seed, precision="float64", **own) for seed in SEEDS]
    plain = train(cells, DATA)
    return not torch.allclose(
        trained.state(0)["body.0.weight"], plain.state(0)["body.0.weight"], rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("name", CONDITIONS)
def test_five_tasks_equal_the_naive_trainer(name: str) -> None:
    trained = hold_against_naive_trainer(name)
    partner = "dhp" if name.startswith("dhp") else "finetune"
    assert name == partner or differs(trained, partner)


@pytest.mark.parametrize("consolidation", ["dhp", "dhp+mas"])
@pytest.mark.parametrize("ablation", sorted(declared("head").keys() - HEADS.values()))
def test_every_ablation_equals_the_naive_trainer(ablation: str, consolidation: str) -> None:
    trained = hold_against_naive_trainer(consolidation, {"ablation": ablation})
    whole = train([cell(consolidation, seed, precision="float64") for seed in SEEDS], DATA)
    parts = ("body.0.weight", "head.alpha", "head.eta", "trace")
    same = all(torch.equal(trained.state(0)[part], whole.state(0)[part]) for part in parts)
    assert same == ablation.endswith("-test")


@pytest.mark.parametrize("output_mask", ["task", "all"])
@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adam", "adagrad"])
@pytest.mark.parametrize("name", ["finetune", "dhp", "dhp+ewc", "si"])
def test_every_optimiser_and_output_mask_equals_the_naive_trainer(
    name: str, optimiser: str, output_mask: str
) -> None:
    rate = {"sgd": 0.1, "momentum": 0.02, "adam": 0.01, "adagrad": 0.02}[optimiser]
    own: dict[str, Any] = {
        "optimiser": optimiser,
        "output_mask": output_mask,
        "learning_rate": rate,
    }
    hold_against_naive_trainer(name, **own)


@pytest.mark.parametrize("fisher", ["sampled", "true", "predicted"])
@pytest.mark.parametrize("name", ["ewc", "dhp+online-ewc"])
def test_every_kind_of_fisher_equals_the_naive_trainer(name: str, fisher: str) -> None:
    hold_against_naive_trainer(name, {"fisher": fisher, "importance_samples": 10})


@pytest.mark.parametrize("name", ["online-ewc", "dhp+mas"])
def test_importances_of_a_subset_equal_the_naive_trainer(name: str) -> None:
    hold_against_naive_trainer(name, {"importance_samples": 9})


@pytest.mark.parametrize("gamma", [0.0, 0.6])
def test_decay_of_the_running_fisher_equals_the_naive_trainer(gamma: float) -> None:
    hold_against_naive_trainer("online-ewc", {"gamma": gamma})


def test_damping_of_si_equals_the_naive_trainer() -> None:
    hold_against_naive_trainer("dhp+si", {"xi": 0.1})


@pytest.mark.parametrize(
    "method",
    [
        {"plasticity": "frozen"},
        {"head_init": "linear"},
        {"bias": True},
        {"plasticity": "frozen", "consolidation": "mas", "strength": 0.2},
        {"bias": True, "consolidation": "ewc", "strength": 1.0},
    ],
)
def test_crossed_factors_equal_the_naive_trainer(method: dict[str, Any]) -> None:
    hold_against_naive_trainer("dhp", method)


@pytest.mark.parametrize(
    "own",
    [
        {"epochs": 2, "iterations_per_task": None},
        {"batch_size": 500, "iterations_per_task": 3},
        {"input_scaling": "standardised", "learning_rate": 0.05},
        {"hidden": (7,)},
        {"hidden": (5, 17, 6)},
        {"hidden": (1,)},
        {"hidden": (4, 1)},
    ],
)
def test_other_protocols_equal_the_naive_trainer(own: dict[str, Any]) -> None:
    hold_against_naive_trainer("dhp+online-ewc", **own)


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("head", ["", "dhp+"])
@pytest.mark.parametrize("method", STRENGTHS)
def test_strength_zero_equals_the_plain_partner_bit_for_bit(
    method: str, head: str, optimiser: str
) -> None:
    own: dict[str, Any] = {"optimiser": optimiser, "learning_rate": 0.02}
    plain = train([cell("dhp" if head else "finetune", s, **own) for s in SEEDS], DATA)
    zero, strong = (
        train([cell(head + method, s, {"strength": x}, **own) for s in SEEDS], DATA)
        for x in (0.0, STRENGTHS[method])
    )
    for lane in range(len(SEEDS)):
        expected = plain.state(lane)
        assert zero.outcomes[lane].accuracy == plain.outcomes[lane].accuracy
        for name, value in expected.items():
            assert zero.state(lane)[name].numpy().tobytes() == value.numpy().tobytes(), name
        assert not torch.equal(strong.state(lane)["body.0.weight"], expected["body.0.weight"])
        losses = [[entry["loss"] for entry in of.outcomes[lane].telemetry] for of in (plain, zero)]
        assert losses[0] == losses[1]
        assert all(entry["penalty"] == 0 for entry in zero.outcomes[lane].telemetry)


def test_train_block_refuses_cells_of_different_structure() -> None:
    with pytest.raises(ValueError, match="structure"):
        outcomes_of(train_block([cell("finetune"), cell("mas")], DATA))
    with pytest.raises(ValueError, match="structure"):
        outcomes_of(train_block([cell("finetune"), cell("finetune", batch_size=8)], DATA))


def test_the_order_of_mini_batches_can_have_a_seed_of_its_own() -> None:
    crossed = train([cell("finetune", 3, order_seed=5)], DATA).state(0)
    same = train([cell("finetune", 3, order_seed=3)], DATA).state(0)
    plain = train([cell("finetune", 3)], DATA).state(0)
    shifted = train([cell("finetune", 1, seed_offset=2)], DATA).state(0)
    name = "body.0.weight"
    assert torch.equal(same[name], plain[name])
    assert torch.equal(shifted[name], plain[name])
    assert not torch.equal(crossed[name], plain[name])
    starts = [
        initial_parameters([c], DATA)[0][name]
        for c in (cell("finetune", 3, order_seed=5), cell("finetune", 3), cell("finetune", 5))
    ]
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])


def test_planted_hits_change_the_count_and_nothing_else() -> None:
    cells = [cell("finetune", 3, corrected_errors=7), cell("finetune", 3)]
    planted, plain = (train([c], DATA) for c in cells)
    assert torch.equal(planted.state(0)["body.0.weight"], plain.state(0)["body.0.weight"])
    tested = len(DATA.test_labels) // len(DATA.tasks)
    for after, (more, row) in enumerate(
        zip(planted.outcomes[0].accuracy, plain.outcomes[0].accuracy, strict=True)
    ):
        hits = [round(tested * (value or 0)) for value in row[: after + 1]]
        found = [round(tested * (value or 0)) for value in more[: after + 1]]
        assert sum(found) == min(sum(hits) + 7, tested * (after + 1))
        errors = sorted(tested - hit for hit in found)
        assert errors[-1] <= max(tested - hit for hit in hits)
    both = train(cells, DATA)  # they may share a stack
    assert [o.accuracy for o in both.outcomes] == [
        planted.outcomes[0].accuracy,
        plain.outcomes[0].accuracy,
    ]
