"""Importances by matrix products beside one backward pass for each sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.bench.race import Race, Ratio, timed
from harness.bench.users import UserProgram
from harness.data.benchmarks import Dataset
from harness.data.tasks import Task
from harness.running.plan import CPU_LANES
from harness.running.training import Stack
from harness.studies.condition import Cell
from harness.studies.study_files import load_study
from methods.importance import TaskSamples, fisher, mas

USER_SAMPLES = 100


def race_of_importances(data: Dataset, tasks: Sequence[Task], seconds: float) -> Race:
    """Let importances take turns; every program returns seconds for each sample and lane."""
    study, task = load_study("dhp-split-mnist"), tasks[0]
    cells = [Cell(condition=study.conditions["ewc"], seed=s) for s in range(CPU_LANES)]
    network = Stack(cells, data, "cpu", tasks=tasks).network
    part = task.train_inputs[:2048], task.train_labels[:2048]
    samples = TaskSamples(*part, network.output_mask(task.classes))
    few = task.train_inputs[:USER_SAMPLES], task.train_labels[:USER_SAMPLES]
    users = {m: UserProgram(m, task.classes) for m in ("online-ewc", "mas")}
    ours = CPU_LANES * len(part[1])
    race = Race(
        {
            "online-ewc": lambda: timed(lambda: fisher(network, samples, "exact")) / ours,
            "true-label Fisher": lambda: timed(lambda: fisher(network, samples, "true")) / ours,
            "mas": lambda: timed(lambda: mas(network, samples)) / ours,
            "user's online-ewc": lambda: (
                timed(lambda: users["online-ewc"].importances(*few)) / USER_SAMPLES
            ),
            "user's mas": lambda: timed(lambda: users["mas"].importances(*few)) / USER_SAMPLES,
        }
    )
    race.run(seconds)
    return race


def ratios_of_importances(race: Race) -> list[Ratio]:
    """Return the user's time over ours for the same importances."""
    true_labels = race.ratio("user's online-ewc", "true-label Fisher")
    exact = race.ratio("user's online-ewc", "online-ewc")
    return [
        Ratio("per-sample true-label Fisher / ours", true_labels, ">= 20"),
        Ratio("per-sample true-label Fisher / our exact Fisher", exact),
        Ratio("per-sample MAS / ours", race.ratio("user's mas", "mas"), ">= 20"),
    ]


def seconds_of_a_cell(race: Race, data: Dataset) -> Mapping[str, float]:
    """Return what the importances of a cell take, by program: all tasks but the last, about."""
    samples = len(data.train_labels) * (len(data.tasks) - 1) / len(data.tasks)
    return {name: race.seconds(name) * samples for name in race.programs}
