"""Every figure of the reports, drawn of small data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from reported import STUDY, record

from reports.figures import theme
from reports.figures.accuracies import draw_curves, draw_matrices, draw_pairs, draw_tasks
from reports.figures.claims import draw_estimation, draw_forest
from reports.figures.curves import draw_curve
from reports.figures.drift import draw_drift
from reports.figures.factorial import draw_effects, draw_levels, draw_paths
from reports.figures.methods import draw_telemetry
from reports.figures.variance import draw_variance
from reports.findings.analysis import analyse
from reports.findings.attribution import decompose
from reports.findings.effects import Effect, LevelGain
from reports.findings.gate.drift import Point, Trace
from reports.findings.specifications import Specification
from reports.findings.variance import Part, VarianceComponents
from reports.numbers.intervals import Interval
from reports.numbers.metrics import Floats
from reports.numbers.tables import spread_of

NAMES = ("plain", "plain+", "other", "other+")
PAIRS = {"plain+": "plain", "other+": "other"}
STYLES = theme.styles(NAMES, PAIRS)


def matrices(tasks: int = 5) -> dict[str, Floats]:
    draws = np.random.default_rng(1)
    stack = 1 - draws.uniform(0, 0.6, (len(NAMES), 4, tasks, tasks)) ** 2
    stack[:, :, ~np.tri(tasks, dtype=bool)] = np.nan
    return dict(zip(NAMES, stack, strict=True))


def curves() -> pd.DataFrame:
    rows = [
        (name, seed, after, 100 * np.nanmean(row))
        for name, stack in matrices().items()
        for seed, matrix in enumerate(stack)
        for after, row in enumerate(matrix, start=1)
    ]
    return pd.DataFrame(rows, columns=["condition", "seed", "after_task", "accuracy"])


def telemetry() -> pd.DataFrame:
    rows = [
        (name, seed, task, quantity, (1 + seed) * size**task)
        for name in NAMES
        for seed in range(3)
        for task in range(1, 6)
        for quantity, size in (("loss", 0.9), ("importance_sum", 8.0))
    ]
    return pd.DataFrame(rows, columns=["condition", "seed", "task", "quantity", "value"])


def estimated(seeds: int) -> Any:
    records = [
        record(name, seed, 0.7 + 0.01 * seed + (0.1 + 0.03 * (seed % 2)) * (name == "b"))
        for name in "ab"
        for seed in range(seeds)
    ]
    return analyse(records, STUDY)


def attribution() -> Any:
    finals = {
        f"{x}{y}": {seed: 90.0 + 3 * (x == "on") + seed for seed in range(4)}
        for x in ("on", "off")
        for y in ("new", "old")
    }
    levels = {f"{x}{y}": {"first": x, "second": y} for x in ("on", "off") for y in ("new", "old")}
    return decompose(finals, levels, "onnew", "offold")


def specification(place: int) -> Specification:
    ends = Interval(place - 2.0, place + 1.0)
    status = "above zero" if ends.low > 0 else "below zero" if ends.high < 0 else "undecided"
    return Specification(
        "t", "b", 0, {"rate": str(place % 2), "mask": str(place % 3)}, (0, 1, 2), (0.0, 1.0, 2.0),
        0, 0, 0, float(place), 90.0, ends, status, None,
    )  # fmt: skip


def components() -> VarianceComponents:
    part = Part(0.2, 0.2, Interval(0.1, 2.0), 1 / 3, Interval(0, 1))
    names = ("initialisation", "order", "residual")
    return VarianceComponents(3, 3, 90.0, dict.fromkeys(names, part), 0.6, Interval(0, 1), {}, {})


PUBLISHED = {name: {1: 99.0, 3: 95.0, 5: 90.0} for name in NAMES}
ERRORS = {name: {1: 0.5, 3: 1.0, 5: 2.0} for name in NAMES}
CURVE: Any = type("Curve", (), {"id": "c", "text": "c", "reported": 1.0, "margin": 0.5})()
HALF = Interval(-0.5, 0.5)

FIGURES: dict[str, Callable[[], Figure]] = {
    "curves": lambda: draw_curves(curves(), NAMES, STYLES, PUBLISHED, "paper", ERRORS),
    "alone": lambda: draw_curves(curves(), NAMES[:1], STYLES, {}, ""),
    "pairs": lambda: draw_pairs(curves(), NAMES, STYLES, PAIRS, PUBLISHED, "paper", ERRORS),
    "tasks": lambda: draw_tasks(matrices(), {name: range(3, 7) for name in NAMES}),
    "matrices": lambda: draw_matrices(matrices()),
    "estimation": lambda: draw_estimation(
        estimated(5).claims[0], theme.styles_of(estimated(5))
    ),
    "forest": lambda: draw_forest(estimated(5).claims),
    "specifications": lambda: draw_curve([specification(place) for place in range(-3, 9)], CURVE),
    "drift": lambda: draw_drift(
        [Trace("plain", "final", tuple(Point(f"{n}:", 90.0 + n, Interval(88, 93)) for n in (1, 2)))]
    ),
    "causes": lambda: draw_paths({"claim": attribution()}),
    "effects": lambda: draw_effects([Effect(("rate",), ("1",), 0.2, HALF, 0.01, 0.01)]),
    "levels": lambda: draw_levels(
        [LevelGain("rate", "1", "0", {}, (0, 1, 2), 0.1, HALF, 0.5, 0.5)]
    ),
    "methods": lambda: draw_telemetry(spread_of(telemetry()), NAMES, STYLES),
    "variance": lambda: draw_variance({"plain": components()}),
}  # fmt: skip
