"""Compare importances by matrix products with one backward pass for each sample."""

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

SAMPLES, USER_SAMPLES = 2048, 100
"""Number of samples in a round of our programs, and of the user's."""


def race_of_importances(data: Dataset, tasks: Sequence[Task], seconds: float) -> Race:
    """Race the programs of importances; each returns the seconds for one sample of one lane."""
    study, task = load_study("dhp-split-mnist"), tasks[0]
    cells = [Cell(condition=study.conditions["ewc"], seed=seed) for seed in range(CPU_LANES)]
    network = Stack(cells, data, "cpu", tasks=tasks).network
    inputs, labels = task.train_inputs[:SAMPLES], task.train_labels[:SAMPLES]
    samples = TaskSamples(inputs, labels, network.output_mask(task.classes))
    user_samples = task.train_inputs[:USER_SAMPLES], task.train_labels[:USER_SAMPLES]
    user_programs = {method: UserProgram(method, task.classes) for method in ("online-ewc", "mas")}
    lane_samples = CPU_LANES * len(labels)
    race = Race(
        {
            "online-ewc": lambda: timed(lambda: fisher(network, samples, "exact")) / lane_samples,
            "true-label Fisher": lambda: (
                timed(lambda: fisher(network, samples, "true")) / lane_samples
            ),
            "mas": lambda: timed(lambda: mas(network, samples)) / lane_samples,
            "user's online-ewc": lambda: (
                timed(lambda: user_programs["online-ewc"].importances(*user_samples)) / USER_SAMPLES
            ),
            "user's mas": lambda: (
                timed(lambda: user_programs["mas"].importances(*user_samples)) / USER_SAMPLES
            ),
        }
    )
    race.run(seconds)
    return race


def ratios_of_importances(race: Race) -> list[Ratio]:
    """Return the ratios of the user's time to ours for the same importances."""
    true_labels = race.ratio("user's online-ewc", "true-label Fisher")
    exact = race.ratio("user's online-ewc", "online-ewc")
    return [
        Ratio("per-sample true-label Fisher / ours", true_labels, ">= 20"),
        Ratio("per-sample true-label Fisher / our exact Fisher", exact),
        Ratio("per-sample MAS / ours", race.ratio("user's mas", "mas"), ">= 20"),
    ]


def seconds_of_a_cell(race: Race, data: Dataset) -> Mapping[str, float]:
    """Return about the seconds that each program needs for the importances of a whole cell.

    A cell computes importances after all tasks but the last.
    """
    samples = len(data.train_labels) * (len(data.tasks) - 1) / len(data.tasks)
    return {name: race.seconds(name) * samples for name in race.programs}
