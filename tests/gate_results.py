"""Results directories made by hand: sealed records with any values, as a run would leave them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.keeping.records import SCHEMA, seal
from harness.keeping.store import Store
from harness.studies.condition import Cell
from harness.studies.known_data import KNOWN_DATA
from harness.studies.study import Study

DATA = KNOWN_DATA["split-digits"].checksum
PROVENANCE: dict[str, Any] = {
    "data": DATA,
    "code": {"version": "1", "git_commit": "a" * 40, "git_clean": True},
    "python": "3.11.1",
    "torch": "2.13.0+cpu",
    "numpy": "2.4.6",
    "system": "Linux x86_64",
    "cpu": "A processor",
    "device": "cpu",
    "products": "openblas 1",
    "numerics": "0123456789abcdef",
}
STUDY = Study.model_validate(
    {
        "name": "by-hand",
        "seeds": 12,
        "protocol": {"benchmark": "split-digits"},
        "conditions": {"plain": {}, "ewc": {"consolidation": "ewc", "strength": 10.0}},
    }
)

Change = Callable[[Cell, dict[str, Any]], None]
"""Changes the fields of a record, before it is sealed."""


def unchanged(cell: Cell, fields: dict[str, Any]) -> None:
    """Leave a record as it is."""


def results(
    root: Path,
    change: Change = unchanged,
    study: Study = STUDY,
    seeds: Sequence[int] | None = None,
    **provenance: Any,
) -> Path:
    """Write the records of a study, whose values depend on condition and seed; returns the root."""
    store = Store(root)
    store.open_for(study)
    for seed in study.seeds if seeds is None else seeds:
        for name, condition in study.conditions.items():
            cell = Cell(condition=condition, seed=seed)
            fields = values(name, seed) | {
                "schema": SCHEMA,
                "key": cell.key(DATA),
                "program": condition.program(DATA),
                "study": study.name,
                "condition": name,
                "seed": seed,
                "timings": {"total": 0.1, "finished": "2026-01-01T00:00:00+00:00"},
                **condition.settings(),
                "provenance": PROVENANCE | provenance,
            }
            change(cell, fields)
            store.write(seal(fields))  # type: ignore[arg-type]
    return root


def values(condition: str, seed: int) -> dict[str, Any]:
    """Return status, accuracy and telemetry of a cell: 90% with a spread of a point over seeds."""
    generator = np.random.default_rng([seed, *condition.encode()])
    size = 3
    accuracy: list[list[float | None]] = [[None] * size for _ in range(size)]
    for row in range(size):
        for column in range(row + 1):
            accuracy[row][column] = float(0.9 + 0.01 * generator.normal())
    telemetry = [
        {"task": task, "loss": float(0.1 * np.exp(0.1 * generator.normal())), "penalty": 0.0}
        for task in range(size)
    ]
    return {"status": "done", "accuracy": accuracy, "telemetry": telemetry}


def shifted(points: float, condition: str = "plain", noise: float = 0.0) -> Change:
    """Return a change that moves every accuracy of a condition, with fresh noise of its own."""

    def change(cell: Cell, fields: dict[str, Any]) -> None:
        generator = np.random.default_rng([cell.seed, 77])
        if cell.condition.name == condition:
            fields["accuracy"] = [
                [
                    None if value is None else value + (points + noise * generator.normal()) / 100
                    for value in row
                ]
                for row in fields["accuracy"]
            ]

    return change
