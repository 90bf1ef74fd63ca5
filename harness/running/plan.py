"""The plan of a run: the missing cells in blocks, and an estimate of their time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from harness.data.own_tasks import Data
from harness.running.training import GPU_LANES, outcomes_of, train_block
from harness.studies.condition import Cell, cell_key
from harness.studies.known_data import IMBALANCES
from harness.studies.study import Study

CPU_LANES = 2
"""Number of lanes in a block on a CPU core.

Two lanes share the overhead of each call. With more lanes, the weights and the importances of the
stack no longer fit into the cache (``make bench`` prints the time by number of lanes)."""
PROBE_SAMPLES = 64
PROBE_STEPS = {"cpu": 6, "cuda": 200}
"""Steps of a task in a probe; many on a GPU, where the first ones are slow (they are captured)."""
PROBE_HELD_OUT = 0.5


@dataclass(frozen=True)
class Plan:
    """The cells to run.

    Attributes
    ----------
    blocks : cells to train side by side, in order of execution.
    recorded : number of the study's cells that have a record.
    """

    blocks: tuple[tuple[Cell, ...], ...]
    recorded: int

    @property
    def missing(self) -> int:
        """Number of cells to run."""
        return sum(len(block) for block in self.blocks)


def make_plan(
    study: Study,
    data_checksum: str,
    recorded: Collection[str],
    *,
    workers: int,
    lanes: int | None,
    device: str,
) -> Plan:
    """Cut the cells that have no record into blocks.

    The order is seed-major: all conditions of the first seeds come before the next seeds, so that
    an interruption leaves complete pairs. Cells of different conditions share a block if they
    differ in scalar hyper-parameters only (a grid of strengths trains as one stack).

    Parameters
    ----------
    recorded : keys of the cells that have a record.
    lanes : number of cells in a block; if None, a number for the device, or fewer where some
        workers would otherwise have no block. Cells of the user's own functions have a block each.
    """
    missing: dict[int, list[Cell]] = {}
    planned, count, stacked = set(recorded), 0, 0
    programs = {c: c.program(data_checksum) for c in study.ours.values()}
    for seed in study.seeds:
        for condition, program in programs.items():
            key = cell_key(program, seed)
            if key not in planned:
                planned.add(key)  # two conditions with the same program share a cell
                missing.setdefault(seed, []).append(Cell(condition=condition, seed=seed))
                count += 1
                stacked += condition.function is None
    if lanes is None:
        device_lanes = CPU_LANES if device == "cpu" else GPU_LANES
        lanes = max(1, min(device_lanes, -(-stacked // (2 * workers))))
    elif device != "cpu":
        lanes = min(lanes, GPU_LANES)
    structures = {condition: condition.structure() for condition in programs}
    blocks: list[tuple[Cell, ...]] = []
    for start in range(0, len(study.seeds), lanes):
        stacks: dict[str, list[Cell]] = {}
        for seed in study.seeds[start : start + lanes]:
            for cell in missing.get(seed, ()):
                stacks.setdefault(structures[cell.condition], []).append(cell)
        for stack in stacks.values():
            size = lanes if stack[0].condition.function is None else 1
            blocks += [tuple(stack[first : first + size]) for first in range(0, len(stack), size)]
    return Plan(tuple(blocks), len(programs) * len(study.seeds) - count)


def estimate_seconds(plan: Plan, paces: Mapping[str, float], workers: int) -> float | None:
    """Estimate the seconds of a plan from those of one cell of each structure.

    None where there is no pace of the user's own function, which nobody knows before it has run.
    """
    if any(block[0].condition.structure() not in paces for block in plan.blocks):
        return None
    blocks = [paces[block[0].condition.structure()] * len(block) for block in plan.blocks]
    return max(sum(blocks) / workers, max(blocks, default=0.0))


def estimate_paces(plan: Plan, data: Data, device: str) -> dict[str, float]:
    """Estimate the seconds of a cell, by structure: train a few steps of each in this process.

    The user's own functions have none.
    """
    paces: dict[str, float] = {}
    for block in plan.blocks:
        structure = block[0].condition.structure()
        if structure not in paces and block[0].condition.function is None:
            paces[structure] = _probe(block, data, device)
    return paces


def _probe(block: Sequence[Cell], data: Data, device: str) -> float:
    """Return the seconds of one cell, extrapolated from a short run on a part of the data."""
    protocol = block[0].condition.stack_protocol
    part = data.first(PROBE_SAMPLES)
    # With so few samples, a larger share would leave no sample to train on.
    fraction = min(protocol.validation_fraction, PROBE_HELD_OUT)
    shortened = {
        "epochs": None,
        "iterations_per_task": PROBE_STEPS[device],
        "validation_fraction": fraction,
    }
    short_cells = [
        cell.model_copy(
            update={
                "condition": cell.condition.model_copy(
                    update={"protocol": protocol.model_copy(update=shortened)}
                )
            }
        )
        for cell in block
    ]
    outcomes = outcomes_of(train_block(short_cells, part, device))
    seconds = outcomes[0].timings
    samples = data.train_samples * (1 - protocol.validation_fraction)
    samples *= IMBALANCES.get(protocol.imbalance or "", 1.0)
    tested = data.test_samples if not protocol.validation_fraction else samples / 9
    steps = (protocol.iterations_per_task or 0) * len(data.tasks)
    if protocol.epochs is not None:
        # A task has at least one step in each epoch, even with the largest mini-batches.
        epoch_steps = max(len(data.tasks), round(samples / protocol.batch_size))
        steps = protocol.epochs * epoch_steps
    importance_samples = block[0].condition.method.get("importance_samples")
    more_importances = samples / part.train_samples
    if importance_samples is not None:
        more_importances = min(more_importances, importance_samples / PROBE_SAMPLES / 2)
    return (
        seconds["training"] * steps / (PROBE_STEPS[device] * len(data.tasks))
        + seconds["importances"] * more_importances
        + seconds["evaluation"] * tested / part.test_samples
    )
