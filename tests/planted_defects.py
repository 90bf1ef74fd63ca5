"""Plant defects in the code, train the digits or MNIST with each, and ask the gate.

    python tests/planted_defects.py dhp-split-digits --seeds 20
    python tests/planted_defects.py dhp-split-mnist --seeds 10 --defects lr-10,alpha-untrained \
        --conditions finetune,dhp --data-dir ~/data

prints one line for each defect: how many cells differ in bits, and what the statistical layer says
of them at several numbers of seeds, as if the environment were unknown. The accepted results are
those in ``tests/baselines``. A defect is a patch of one function, and everything else is the
program as it is.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor

from harness.data.benchmarks import BENCHMARKS, Dataset
from harness.data.tasks import Task, cut_into_tasks
from harness.keeping.baselines import Baselines, read_baselines
from harness.running import training
from harness.running.cores import cores_here
from harness.studies.condition import Cell
from harness.studies.study_files import load_study
from methods import consolidation, importance, path_integral
from methods.architecture import Draws
from methods.network import Network
from methods.products import product
from methods.softmax import DHPSoftmax
from reports.findings.gate.cells import Cells
from reports.findings.gate.check import as_cells
from reports.findings.gate.exact import compare_exactly
from reports.findings.gate.power import margins_by_rule
from reports.findings.gate.shifts import Outcome, paired_shifts
from reports.sections.gate_amounts import moved

BASELINES = Path(__file__).parent / "baselines"
Patch = Callable[[], Any]
PLASTIC = ("dhp", "dhp+ewc", "dhp+online-ewc", "dhp+si", "dhp+mas")
FISHER = ("ewc", "online-ewc", "dhp+ewc", "dhp+online-ewc")
KEPT = ("ewc", "online-ewc", "si", "mas", "dhp+ewc", "dhp+online-ewc", "dhp+si", "dhp+mas")


def _scaled(field: str, factor: float) -> Patch:
    value = training.Stack._value

    def patched(stack: training.Stack, cell: Cell, kind: str, name: str) -> Any:
        unchanged = value(stack, cell, kind, name)
        return unchanged * factor if name == field else unchanged

    return lambda: mock.patch.object(training.Stack, "_value", patched)


def _trace_frozen() -> Any:
    learn = DHPSoftmax.learn_trace

    def patched(head: DHPSoftmax, hidden: Tensor, targets: Tensor) -> None:
        learn(head, hidden, targets)
        head.trace.zero_()

    return mock.patch.object(DHPSoftmax, "learn_trace", patched)


def _untrained(name: str) -> Patch:
    backward = DHPSoftmax.backward

    def patched(
        head: DHPSoftmax, hidden: Tensor, delta: Tensor, gradients: Mapping[str, Tensor]
    ) -> Tensor:
        to_hidden = backward(head, hidden, delta, gradients)
        gradients[name].zero_()
        return to_hidden

    return lambda: mock.patch.object(DHPSoftmax, "backward", patched)


@contextmanager
def _importances(
    change: Callable[[importance.Importance], importance.Importance],
) -> Iterator[None]:
    """Change what every consolidation takes for the importances of a task."""
    fisher, mas, accumulate = importance.fisher, importance.mas, path_integral.SI.accumulate

    def si(self: path_integral.SI, total: importance.Importance, samples: Any) -> None:
        before = {name: value.clone() for name, value in total.items()}
        accumulate(self, total, samples)
        added = change({name: total[name] - before[name] for name in total})
        for name, value in total.items():
            value.copy_(before[name] + added[name])

    with (
        mock.patch.object(consolidation, "fisher", lambda *a: change(fisher(*a))),
        mock.patch.object(consolidation, "mas", lambda *a: change(mas(*a))),
        mock.patch.object(path_integral.SI, "accumulate", si),
    ):
        yield


def _times(factor: float) -> Patch:
    return lambda: _importances(lambda found: {n: value * factor for n, value in found.items()})


def _batch_gradients() -> Any:
    """Take the square of each chunk's mean gradient for the mean of the samples' squares."""

    def fisher(network: Network, samples: importance.TaskSamples, kind: str, _: Any) -> Any:
        names = [f"body.{i}" for i in range(len(network.weights))] + ["head"]
        sums = {name: torch.zeros_like(p) for name, p in network.slow.items()}
        chunks = 0
        for inputs, labels, uniforms in samples.chunks(len(network.weights[0])):
            chunks += 1
            activations = network.activations(inputs)
            logits = network.head.logits(activations[-1])
            ((_, delta),) = importance._true(logits, samples.mask, labels, uniforms)
            body = network.body_deltas(activations, network.head.back_to_hidden(delta))
            for name, below, above in zip(names, activations, (*body, delta), strict=True):
                mean = product(below.transpose(1, 2), above) / inputs.shape[1]
                sums[f"{name}.weight"] += mean.square()
                if f"{name}.bias" in sums:
                    sums[f"{name}.bias"] += above.mean(1, keepdim=True).square()
        return {name: value / chunks for name, value in sums.items()}

    return mock.patch.object(consolidation, "fisher", fisher)


def _wrong_task() -> Any:
    samples = training.Stack._samples
    return mock.patch.object(
        training.Stack,
        "_samples",
        lambda stack, task, count: samples(stack, stack.tasks[0], count),
    )


def _tasks_changed(change: Callable[[list[Task]], list[Task]]) -> Patch:
    cut = cut_into_tasks
    return lambda: mock.patch.object(
        training, "latest_tasks", lambda *a, **k: change(list(cut(*a, **k)))
    )


def _labels_swapped(tasks: list[Task]) -> list[Task]:
    first, second = tasks[2].classes
    swapped = first + second - tasks[2].train_labels
    return [*tasks[:2], replace(tasks[2], train_labels=swapped), *tasks[3:]]


def _wrong_mask() -> Any:
    """Let the training loss see the outputs of all tasks."""
    loss = Network.loss_and_gradients

    def patched(network: Network, inputs: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        classes = range(network.architecture.outputs)
        return loss(network, inputs, labels, network.output_mask(classes))

    return mock.patch.object(Network, "loss_and_gradients", patched)


def _last_sample_lost() -> Any:
    step = training.Stack.step

    def patched(stack: training.Stack, task: Task, mask: Tensor, rows: Tensor) -> Tensor:
        short = rows.shape[1] < stack.protocol.batch_size
        return step(stack, task, mask, rows[:, :-1] if short and rows.shape[1] > 1 else rows)

    return mock.patch.object(training.Stack, "step", patched)


def _wrong_white() -> Any:
    """Divide pixels by 256 for 255, or by 17 for 16."""
    cut = cut_into_tasks

    def patched(data: Dataset, **options: Any) -> list[Task]:
        return cut(replace(data, white=data.white + 1), **options)

    return mock.patch.object(training, "latest_tasks", patched)


def _wrong_fan() -> Any:
    uniform = Draws.uniform

    def patched(draws: Draws, streams: Any, rows: int, columns: int, bound: float) -> Tensor:
        wrong = columns**-0.5 if bound == rows**-0.5 else bound
        return uniform(draws, streams, rows, columns, wrong)

    return mock.patch.object(Draws, "uniform", patched)


def _tested_in_training_mode() -> Any:
    """Let every chunk of test samples move the trace, by the labels that the network gives it."""

    def patched(network: Network, inputs: Tensor, mask: Tensor) -> Tensor:
        hidden = network.activations(inputs)[-1]
        logits = network.head.test_logits(hidden, mask)
        labels = (logits + mask).argmax(2, keepdim=True)
        network.head.learn_trace(hidden, torch.zeros_like(logits).scatter_(2, labels, 1.0))
        return network.head.test_logits(hidden, mask)

    return mock.patch.object(Network, "test_logits", patched)


DEFECTS: dict[str, tuple[str, Patch, Sequence[str]]] = {
    "none": ("nothing", lambda: mock.patch.object(training, "_never", None, create=True), ()),
    "lr-10": ("learning rate 10% too high", _scaled("learning_rate", 1.10), ()),
    "lr-2": ("learning rate 2% too high", _scaled("learning_rate", 1.02), ()),
    "trace-frozen": ("trace never updated", _trace_frozen, PLASTIC),
    "alpha-untrained": ("alpha not trained", _untrained("head.alpha"), PLASTIC),
    "eta-untrained": ("eta not trained", _untrained("head.eta"), PLASTIC),
    "importances-zero": ("importances zeroed", _times(0.0), KEPT),
    "importances-half": ("importances halved", _times(0.5), KEPT),
    "batch-gradients": ("Fisher of batch gradients", _batch_gradients, FISHER),
    "wrong-task": ("importances from the first task's samples", _wrong_task, KEPT),
    "half-penalty": ("penalty with a factor 1/2", _scaled("strength", 0.5), KEPT),
    "labels-swapped": ("labels of the third task swapped", _tasks_changed(_labels_swapped), ()),
    "wrong-mask": ("training loss sees all outputs", _wrong_mask, ()),
    "task-order": (
        "second and third task exchanged",
        _tasks_changed(lambda t: [t[0], t[2], t[1], *t[3:]]),
        (),
    ),
    "last-sample": ("last sample of each epoch lost", _last_sample_lost, ()),
    "white": ("pixels divided by one too much", _wrong_white, ()),
    "fan": ("weights drawn by the fan-out", _wrong_fan, ()),
    "training-mode": ("tests move the trace", _tested_in_training_mode, PLASTIC),
}
"""By name: what it is, its patch, and the conditions that it can reach (all if empty)."""


@cache
def _data(benchmark: str, data_dir: str) -> Dataset:
    return BENCHMARKS[benchmark](Path(data_dir))


def _trained(job: tuple[str, str, tuple[int, ...], str, str]) -> list[dict[str, Any]]:
    """Train one block under a defect, in a process of its own."""
    study_name, condition, seeds, defect, data_dir = job
    study = load_study(study_name)
    cells = [Cell(condition=study.conditions[condition], seed=seed) for seed in seeds]
    with DEFECTS[defect][1]():
        block = training.train_block(cells, _data(study.benchmark, data_dir))
        outcomes = training.outcomes_of(block)
    return [
        {
            "condition": condition,
            "seed": seed,
            "status": outcome.status,
            "accuracy": outcome.accuracy,
            "telemetry": outcome.telemetry,
        }
        for seed, outcome in zip(seeds, outcomes, strict=True)
    ]


def train(
    study: str, conditions: Sequence[str], seeds: Sequence[int], defect: str, data_dir: str
) -> list[dict[str, Any]]:
    """Return the cells of a study, trained under a defect on every core."""
    pairs = [tuple(seeds[first : first + 2]) for first in range(0, len(seeds), 2)]
    jobs = [(study, name, pair, defect, data_dir) for pair in pairs for name in conditions]
    with ProcessPoolExecutor(cores_here(), mp_context=get_context("spawn")) as pool:
        return [cell for block in pool.map(_trained, jobs) for cell in block]


def said(new: Cells, baselines: Baselines, accepted: Cells) -> tuple[str, str]:
    """Return what the statistical layer says of new results, in a word and a few."""
    margins = margins_by_rule(accepted, baselines.measured_spread())
    shifts = paired_shifts(new, accepted, margins)
    alarms = [shift for shift in shifts if shift.alarm]
    if alarms:
        surest = min(alarms, key=lambda s: (s.outcome, min(s.p_worse, s.p_better)))
        return surest.outcome.value, f"{len(alarms)} alarms, {moved(surest)}"
    open_ones = [shift for shift in shifts if shift.outcome is Outcome.INCONCLUSIVE]
    if open_ones:
        return "INCONCLUSIVE", f"{len(open_ones)} metrics"
    return "OK", ""


def main() -> None:
    """Train every defect and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--at", default="5,10,20", help="numbers of seeds to judge at")
    parser.add_argument("--defects", default=",".join(DEFECTS))
    parser.add_argument("--conditions", default=None)
    parser.add_argument("--data-dir", default=os.environ.get("REPRO_DATA_DIR", "data"))
    parser.add_argument("--save", type=Path, default=None, help="keep cells here, or read them")
    options = parser.parse_args()
    study = load_study(options.study)
    wanted = options.conditions.split(",") if options.conditions else list(study.conditions)
    baselines = read_baselines(BASELINES, study.name)
    accepted = as_cells(baselines.reference["cells"])
    numbers = [n for n in map(int, options.at.split(",")) if n <= options.seeds]
    columns = " | ".join(f"{n} seeds" for n in numbers)
    print(f"| defect | cells that differ | {columns} | seen most surely in |")
    print("| --- " * (3 + len(numbers)) + "|")
    for name in options.defects.split(","):
        what, _, reached = DEFECTS[name]
        conditions = [c for c in wanted if not reached or c in reached]
        saved = options.save and options.save / f"{study.name}-{name}.json"
        if saved is not None and saved.is_file():
            cells = json.loads(saved.read_text())
        else:
            cells = train(study.name, conditions, range(options.seeds), name, options.data_dir)
            if saved is not None:
                saved.parent.mkdir(parents=True, exist_ok=True)
                saved.write_text(json.dumps(cells))
        new = as_cells(cells)
        exact = compare_exactly(new, accepted)
        words = []
        for count in numbers:
            few = {n: c for n, c in accepted.items() if n[1] < count and n[0] in conditions}
            word, detail = said(new, baselines, few)
            words.append(word)
        differing = f"{len(exact.differences)} of {exact.cells}"
        print(f"| {what} | {differing} | {' | '.join(words)} | {detail} |", flush=True)


if __name__ == "__main__":
    main()
