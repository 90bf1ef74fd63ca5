"""Compare results in which nothing has changed with the accepted ones, many times.

    python tests/null_comparisons.py dhp-split-digits --seeds 800 --comparisons 200
    python tests/null_comparisons.py dhp-split-mnist --simulate --comparisons 2000

The first form trains a pool of fresh seeds, cuts it at random into disjoint sets of as many seeds
as were accepted, again and again, and lets the gate judge each set twice: paired, as a check does
(the pairs are independent, which is the hardest case), and unpaired, as a confirmation does. The
second form draws the final values of each metric from the normal distribution with the accepted
mean and spread. Each prints how often there was an alarm, with its 95% interval, and how often the
answer was inconclusive.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from planted_defects import BASELINES, train
from scipy import stats

from harness.keeping.baselines import read_baselines
from harness.screen.confirming import FIRST_SEED
from harness.studies.study_files import load_study
from reports.findings.gate.cells import Cells, conditions_of, metrics_of, seeds_of, values_of
from reports.findings.gate.check import as_cells
from reports.findings.gate.power import margins_by_rule
from reports.findings.gate.shifts import (
    Outcome,
    Shift,
    fresh_shifts,
    paired_shifts,
    shifts_of_differences,
)

FIRST = FIRST_SEED // 2
"""Neither a study nor a confirmation uses seeds from here on."""


def said(label: str, comparisons: list[tuple[Shift, ...]]) -> None:
    """Print how often comparisons ended in an alarm or undecided."""
    alarms = sum(any(shift.alarm for shift in shifts) for shifts in comparisons)
    undecided = sum(
        any(shift.outcome is Outcome.INCONCLUSIVE for shift in shifts) for shifts in comparisons
    )
    ends = stats.binomtest(alarms, len(comparisons)).proportion_ci(0.95)
    print(
        f"{label}: alarms in {alarms} of {len(comparisons)} comparisons "
        f"({100 * ends.low:.2f}% to {100 * ends.high:.2f}%), inconclusive in {undecided}"
    )


def simulated(accepted: Cells, comparisons: int) -> Iterator[tuple[Shift, ...]]:
    """Yield comparisons of normal values, both sides drawn, with the accepted mean and spread."""
    generator = np.random.default_rng(20190615)
    margins = margins_by_rule(accepted, {})
    tests = []
    for condition in conditions_of(accepted):
        seeds = seeds_of(accepted, condition)
        for metric in metrics_of(accepted, condition):
            values = values_of(accepted, condition, metric, seeds)
            values = values[np.isfinite(values)]
            if len(values) > 1 and np.ptp(values) > 0:
                margin = margins[condition][metric.name]
                tests.append((condition, metric, len(values), float(values.std(ddof=1)), margin))
    for _ in range(comparisons):
        yield shifts_of_differences(
            [
                (condition, metric, generator.normal(0, math.sqrt(2) * sd, n), margin)
                for condition, metric, n, sd, margin in tests
            ]
        )


def trained(
    pool: list[dict[str, Any]], accepted: Cells, comparisons: int
) -> tuple[list[tuple[Shift, ...]], list[tuple[Shift, ...]]]:
    """Return paired and unpaired comparisons of sets of fresh seeds with the accepted ones."""
    generator = np.random.default_rng(20190615)
    margins = margins_by_rule(accepted, {})
    own = seeds_of(accepted, conditions_of(accepted)[0])
    fresh = sorted({cell["seed"] for cell in pool})
    by_name = as_cells(pool)
    asked = [
        (c, metric.name) for c in conditions_of(accepted) for metric in metrics_of(accepted, c)
    ]
    paired: list[tuple[Shift, ...]] = []
    unpaired: list[tuple[Shift, ...]] = []
    while len(paired) < comparisons:
        order = generator.permutation(fresh)
        for first in range(0, len(order) - len(own) + 1, len(own)):
            chosen = dict(zip(order[first : first + len(own)].tolist(), own, strict=True))
            renamed = {
                (condition, chosen[seed]): cell
                for (condition, seed), cell in by_name.items()
                if seed in chosen
            }
            paired.append(paired_shifts(renamed, accepted, margins))
            unpaired.append(fresh_shifts(renamed, accepted, margins, asked))
            if len(paired) == comparisons:
                break
    return paired, unpaired


def main() -> None:
    """Compare, and print the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study")
    parser.add_argument("--seeds", type=int, default=800, help="size of the pool of fresh seeds")
    parser.add_argument("--comparisons", type=int, default=200)
    parser.add_argument("--simulate", action="store_true")
    parser.add_argument("--data-dir", default=os.environ.get("REPRO_DATA_DIR", "data"))
    parser.add_argument("--pool", type=Path, default=None, help="keep the pool here, or read it")
    options = parser.parse_args()
    baselines = read_baselines(BASELINES, options.study)
    accepted = as_cells(baselines.reference["cells"])
    if options.simulate:
        said("simulated", list(simulated(accepted, options.comparisons)))
        return
    if options.pool is not None and options.pool.is_file():
        pool = json.loads(options.pool.read_text())
    else:
        conditions = list(load_study(options.study).conditions)
        seeds = range(FIRST, FIRST + options.seeds)
        pool = train(options.study, conditions, seeds, "none", options.data_dir)
        if options.pool is not None:
            options.pool.write_text(json.dumps(pool))
    paired, unpaired = trained(pool, accepted, options.comparisons)
    said("paired, independent pairs", paired)
    said("unpaired, as in a confirmation", unpaired)


if __name__ == "__main__":
    main()
