"""A GPU trains what the processor trains; skipped where torch finds no CUDA device."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small import CONDITIONS, cell, small_data, train
from torch import Tensor

from harness.data.benchmarks import Dataset
from harness.running import training
from harness.running.capture import WARM_UP, CapturedStep
from harness.running.training import use_one_thread

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")

ODD = small_data(pixels=30, per_class=20)
ODD_PROTOCOL: dict[str, Any] = {"hidden": (7, 33), "batch_size": 17, "iterations_per_task": 9}
"""More steps than the warm-up, so that most are replayed, with two sizes of mini-batch."""
LARGE = small_data(pixels=784, per_class=70)
LARGE_PROTOCOL: dict[str, Any] = {"hidden": (256, 256), "batch_size": 64, "iterations_per_task": 9}
SIZES = {"odd": (ODD, ODD_PROTOCOL), "published": (LARGE, LARGE_PROTOCOL)}


@pytest.fixture(autouse=True, scope="module")
def _set_up() -> None:
    use_one_thread()


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_gpu_agrees_with_the_processor_in_float64(name: str) -> None:
    cells = [cell(name, seed, **ODD_PROTOCOL, precision="float64") for seed in range(3)]
    here, there = train(cells, ODD), train(cells, ODD, "cuda")
    for lane in range(3):
        assert there.outcomes[lane].accuracy == here.outcomes[lane].accuracy
        for key, value in here.state(lane).items():
            torch.testing.assert_close(there.state(lane)[key].cpu(), value, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CONDITIONS)
def test_a_lane_on_a_gpu_has_its_bits_in_every_stack(name: str, size: str, precision: str) -> None:
    data, protocol = SIZES[size]
    cells = [cell(name, seed, **protocol, precision=precision) for seed in range(9)]
    together = train(cells, data, "cuda")
    for few in ([0], [3, 8], [5, 1, 2, 4, 7]):
        part = train([cells[lane] for lane in few], data, "cuda")
        for place, lane in enumerate(few):
            assert part.bits(place) == together.bits(lane)


@pytest.mark.parametrize("name", ["finetune", "dhp", "dhp+ewc", "dhp+si", "mas"])
def test_a_captured_step_has_the_bits_of_a_plain_one(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [cell(name, seed, **ODD_PROTOCOL) for seed in range(3)]
    captured = train(cells, ODD, "cuda")
    monkeypatch.setattr(training, "fastest", lambda step, _device: step)
    plain = train(cells, ODD, "cuda")
    assert [captured.bits(lane) for lane in range(3)] == [plain.bits(lane) for lane in range(3)]


def test_a_step_is_replayed_for_each_shape_with_what_is_in_its_tensors_now() -> None:
    total, calls = torch.zeros(2, device="cuda"), 0

    def step(rows: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        total.add_(rows.sum(1))
        return total.clone()

    captured = CapturedStep(step)
    for length in [3] * (WARM_UP + 4) + [5] * (WARM_UP + 2) + [3]:
        before = total.clone()
        losses = captured(torch.ones(2, length, device="cuda"))
        assert torch.equal(losses, before + length)
    assert calls == 2 * (WARM_UP + 1)


def _deterministic(cells: list[Any], data: Dataset) -> list[object]:
    trained = train(cells, data, "cuda")
    return [trained.bits(lane) for lane in range(len(cells))]


@pytest.mark.parametrize("name", ["dhp+ewc", "dhp+si"])
def test_a_gpu_trains_the_same_bits_again(name: str) -> None:
    cells = [cell(name, seed, **LARGE_PROTOCOL) for seed in range(4)]
    assert _deterministic(cells, LARGE) == _deterministic(cells, LARGE)
