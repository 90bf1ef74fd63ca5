"""The plan: which cells are missing, cut into blocks, and how long they will take."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.data.benchmarks import Dataset
from harness.running.training import train_block
from harness.studies.condition import Cell
from harness.studies.study import Study

CPU_LANES = 2
"""Lanes of a block on a CPU core. Two hide what each call costs; with more, the weights and the
importances of the stack outgrow the cache (``make bench`` prints the time by number of lanes)."""
GPU_LANES = 100
PROBE_SAMPLES, PROBE_STEPS = 64, 6
PROBE_HELD_OUT = 0.5


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    Attributes
    ----------
    blocks : cells to train side by side, in order of execution.
    recorded : how many of the study's cells there are records of.
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

    Seed-major: all conditions of the first seeds come before the next seeds, so that an
    interruption leaves complete pairs. Cells of different conditions share a block where they
    differ in scalar hyper-parameters only (a grid of strengths trains as one stack).

    Parameters
    ----------
    recorded : keys of the cells that are done.
    lanes : cells in a block; if None, chosen for the device, and fewer where otherwise
        workers would have nothing to do.
    """
    cells = [
        Cell(condition=condition, seed=seed)
        for seed in study.seeds
        for condition in study.conditions.values()
    ]
    missing: list[Cell] = []
    planned = set(recorded)
    for cell in cells:
        key = cell.key(data_checksum)
        if key not in planned:
            planned.add(key)  # two names of one program are one cell
            missing.append(cell)
    if lanes is None:
        most = CPU_LANES if device == "cpu" else GPU_LANES
        lanes = max(1, min(most, -(-len(missing) // (2 * workers))))
    blocks: list[tuple[Cell, ...]] = []
    for start in range(0, len(study.seeds), lanes):
        chunk = set(study.seeds[start : start + lanes])
        stacks: dict[str, list[Cell]] = {}
        for cell in missing:
            if cell.seed in chunk:
                stacks.setdefault(cell.condition.structure(), []).append(cell)
        for stack in stacks.values():
            blocks += [tuple(stack[i : i + lanes]) for i in range(0, len(stack), lanes)]
    return Plan(tuple(blocks), len(cells) - len(missing))


def estimate_seconds(plan: Plan, data: Dataset, workers: int, device: str) -> float:
    """Estimate the time of a plan by training a few steps of each kind of block here."""
    per_cell: dict[str, float] = {}
    work = 0.0
    for block in plan.blocks:
        structure = block[0].condition.structure()
        if structure not in per_cell:
            per_cell[structure] = _probe(block, data, device)
        work += per_cell[structure] * len(block)
    longest = max((per_cell[b[0].condition.structure()] * len(b) for b in plan.blocks), default=0.0)
    return max(work / workers, longest)


def _probe(block: Sequence[Cell], data: Dataset, device: str) -> float:
    """Return the seconds of one cell, scaled up from a short run on a part of the data."""
    protocol = block[0].condition.protocol
    part = _part(data, PROBE_SAMPLES)
    # Of so few samples a larger share would leave none to train on.
    fraction = min(protocol.validation_fraction, PROBE_HELD_OUT)
    length = {
        "epochs": None,
        "iterations_per_task": PROBE_STEPS,
        "validation_fraction": fraction,
    }
    short = [
        cell.model_copy(
            update={
                "condition": cell.condition.model_copy(
                    update={"protocol": protocol.model_copy(update=length)}
                )
            }
        )
        for cell in block
    ]
    *_, outcomes = train_block(short, part, device)
    assert isinstance(outcomes, list)
    seconds = outcomes[0].timings
    samples = len(data.train_labels) * (1 - protocol.validation_fraction)
    tested = len(data.test_labels) if not protocol.validation_fraction else samples / 9
    steps = (protocol.iterations_per_task or 0) * len(data.tasks)
    if protocol.epochs is not None:
        # A task has one step an epoch at least, however large the mini-batches are.
        epoch = max(len(data.tasks), round(samples / protocol.batch_size))
        steps = protocol.epochs * epoch
    importance_samples = block[0].condition.method.importance_samples
    of_importances = samples / len(part.train_labels)
    if importance_samples is not None:
        of_importances = min(of_importances, importance_samples / PROBE_SAMPLES / 2)
    return (
        seconds["training"] * steps / (PROBE_STEPS * len(data.tasks))
        + seconds["importances"] * of_importances
        + seconds["evaluation"] * tested / len(part.test_labels)
    )


def _part(data: Dataset, per_class: int) -> Dataset:
    """Return the data set with the first samples of each class only."""

    def first(labels: NDArray[np.int64]) -> NDArray[np.intp]:
        return np.sort(
            np.concatenate([np.flatnonzero(labels == c)[:per_class] for c in np.unique(labels)])
        )

    train, test = first(data.train_labels), first(data.test_labels)
    return Dataset(
        data.name,
        data.train_images[train],
        data.train_labels[train],
        data.test_images[test],
        data.test_labels[test],
        data.white,
        data.tasks,
    )
