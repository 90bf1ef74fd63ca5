"""A study with claims of every sort, and directories that were run with it, without training."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gate_results import DATA, PROVENANCE, values

from harness.keeping.entering import enter
from harness.keeping.records import SCHEMA, seal
from harness.keeping.results import read_results
from harness.keeping.standing import Standing
from harness.keeping.store import Store
from harness.studies.condition import Cell
from harness.studies.study import Study

PAIR = {"text": "t", "source": "by hand", "treatment": "plain", "baseline": "ewc"}
GAIN = PAIR | {"id": "gain", "reported": 5.0, "margin": 1.5, "unit": "points"}
AHEAD = PAIR | {"id": "ahead", "kind": "better", "treatment": "si"}


def study(*claims: dict[str, Any], **fields: Any) -> Study:
    """Return a study of three conditions, with these claims."""
    si = {"consolidation": "si", "strength": 1.0}
    content = {
        "name": "claimed",
        "seeds": 6,
        "protocol": {"benchmark": "split-digits"},
        "conditions": {"plain": {}, "ewc": {"consolidation": "ewc", "strength": 10.0}, "si": si},
        "claims": list(claims),
    }
    return Study.model_validate(content | fields)


def ran(
    root: Path,
    of: Study,
    conditions: Sequence[str] = (),
    seeds: Sequence[int] | None = None,
    finished: str | None = None,
    came_from: Path | None = None,
) -> Path:
    """Leave what a run leaves: the register, the study, and records with a gain of five points."""
    store = Store(root)
    enter(store, of, DATA, came_from=came_from)
    store.open_for(of)
    time = finished or datetime.now(UTC).isoformat(timespec="seconds")
    for name in conditions:
        condition = of.conditions[name]
        for seed in of.seeds if seeds is None else seeds:
            fields = values(name, seed) | {
                "schema": SCHEMA,
                "key": Cell(condition=condition, seed=seed).key(DATA),
                "program": condition.program(DATA),
                "study": of.name,
                "condition": name,
                "seed": seed,
                "timings": {"total": 0.1, "finished": time},
                **condition.settings(),
                "provenance": PROVENANCE,
            }
            if name == "plain":
                fields["accuracy"] = [
                    [None if value is None else value + 0.05 for value in row]
                    for row in fields["accuracy"]
                ]
            store.write(seal(fields))  # type: ignore[arg-type]
    return root


def standing(root: Path, name: str = "gain") -> Standing:
    """Return what a directory knows of a claim."""
    (found,) = [one for one in read_results(root).standings if one.id == name]
    return found
