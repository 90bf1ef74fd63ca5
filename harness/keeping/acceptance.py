"""Accept results as a baseline: what may be accepted, and what is written down about it."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from harness.errors import InputError
from harness.keeping.baselines import (
    SCHEMA,
    Acceptance,
    Baseline,
    BaselineCell,
    Baselines,
    ByMetric,
    Kind,
    Measured,
)
from harness.keeping.environments import facts_of, fingerprint_of
from harness.keeping.records import UNFINISHED, Record, content_hash
from harness.keeping.results import Results
from harness.studies.measured import Measure

MOST_NAMED = 5
GIT_TIMEOUT_S = 10


def fingerprints(records: Sequence[Record]) -> dict[tuple[str, int], str]:
    """Return the fingerprint of the environment of each record, by condition and seed."""
    return {(r["condition"], r["seed"]): fingerprint_of(facts_of(r["provenance"])) for r in records}


def orphans(results: Results) -> list[str]:
    """Return in words the records of a directory that belong to no condition of its study."""
    hidden = [f"{name} ({count}: {reason})" for (name, reason), count in results.hidden.items()]
    return hidden + [f"damaged {damaged.path.name}" for damaged in results.damaged]


def check_complete(results: Results, directory: Path) -> None:
    """Refuse results that are not whole.

    Raises
    ------
    InputError
        Where a condition lacks seeds that another one has, all of its seeds are missing, or
        records are damaged or orphaned; names them, and the remedy.
    """
    left_out = orphans(results)
    if left_out:
        raise InputError(f"{directory} holds records that cannot be accepted: {_few(left_out)}")
    ended = [r for r in results.records if r["status"] not in UNFINISHED]
    there = {(r["condition"], r["seed"]) for r in ended}
    seeds = sorted({record["seed"] for record in results.records})
    missing = [
        f"{name} seed {seed}"
        for name in results.study.conditions
        for seed in seeds
        if (name, seed) not in there
    ]
    if missing:
        raise InputError(
            f"{directory} lacks {len(missing)} cells ({_few(missing)}); run them first: "
            f"python run_all.py run {directory}"
        )


def accept(
    results: Results,
    baselines: Baselines,
    *,
    kind: Kind,
    reason: str,
    restart: bool,
    margins: ByMetric,
    metrics: Mapping[str, Mapping[str, list[float | None]]],
    drift: tuple[ByMetric, ByMetric] = ({}, {}),
) -> tuple[Path, Baseline]:
    """Write results as a baseline, and a line of the history; returns its path and the baseline.

    Parameters
    ----------
    kind : "results" starts a generation, "environment" joins the present one.
    margins, metrics, drift : as ``Baseline`` and ``Acceptance`` keep them.

    Raises
    ------
    InputError
        Where the reason is empty, the records are of several environments or states of the code,
        or the folder cannot be written.
    """
    if not reason.strip():
        raise InputError('--reason is empty: write why these results are right, --reason "..."')
    study = results.study
    baseline = baseline_of(
        results.records,
        study=study.name,
        study_fingerprint=study.fingerprint(),
        conditions=list(study.conditions),
        generation=baselines.generation + (kind == "results"),
        margins=margins,
        measure=study.measured,
    )
    line: Acceptance = {
        "schema": SCHEMA,
        "kind": kind,
        "generation": baseline["generation"],
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "who": _who(),
        "reason": reason,
        "restart": restart,
        "fingerprint": baseline["fingerprint"],
        "study_fingerprint": baseline["study_fingerprint"],
        "sha256": content_hash(baseline),
        "code": baseline["code"],
        "versions": baseline["versions"],
        "seeds": sorted({record["seed"] for record in results.records}),
        "metrics": {name: dict(by_metric) for name, by_metric in metrics.items()},
        "drift_mean": drift[0],
        "drift_sd": drift[1],
    }
    if "measure" in baseline:
        line["measure"] = baseline["measure"]
    return write_acceptance(baselines, baseline, line), baseline


def baseline_of(
    records: Sequence[Record],
    *,
    study: str,
    study_fingerprint: str,
    conditions: Sequence[str],
    generation: int,
    margins: ByMetric,
    measure: Measure,
) -> Baseline:
    """Return the records of one environment as a sealed baseline, in the order of conditions.

    Raises
    ------
    InputError
        Where the records come from several environments, or states of the code.
    """
    environments = {fingerprint_of(f): f for f in (facts_of(r["provenance"]) for r in records)}
    if len(environments) > 1:
        raise InputError(
            f"the records come from {len(environments)} environments "
            f"({', '.join(sorted(environments))}); accept those of one environment at a time"
        )
    codes = {json.dumps(r["provenance"].get("code", {}), sort_keys=True) for r in records}
    if len(codes) > 1:
        raise InputError(
            f"the records were made by {len(codes)} states of the code; run the study again into "
            "another --out, with one"
        )
    ((fingerprint, facts),) = environments.items()
    order = {name: number for number, name in enumerate(conditions)}
    ordered = sorted(records, key=lambda r: (order[r["condition"]], r["seed"]))
    baseline: Baseline = {
        "schema": SCHEMA,
        "study": study,
        "study_fingerprint": study_fingerprint,
        "fingerprint": fingerprint,
        "environment": facts,
        "generation": generation,
        "code": json.loads(codes.pop()),
        "versions": versions_of(ordered[0]),
        "settings": {
            r["condition"]: {"protocol": r["protocol"], "method": r["method"]} for r in ordered
        },
        "margins": margins,
        "cells": [cell_of(record) for record in ordered],
    }
    if measure != Measure():
        baseline["measure"] = cast(Measured, measure.model_dump())
    uncertain = {r["condition"] for r in records if r["provenance"].get("deterministic") is False}
    if uncertain:
        baseline["not_deterministic"] = sorted(uncertain)
    return cast(Baseline, {**baseline, "sha256": content_hash(baseline)})


def cell_of(record: Record) -> BaselineCell:
    """Return the part of a record that a baseline keeps."""
    cell: BaselineCell = {
        "condition": record["condition"],
        "seed": record["seed"],
        "key": record["key"],
        "status": record["status"],
        "accuracy": record["accuracy"],
        "telemetry": record["telemetry"],
    }
    if record.get("values"):
        cell["values"] = record["values"]
    if record.get("curves"):
        cell["curves"] = record["curves"]
    return cell


def versions_of(record: Record) -> dict[str, str]:
    """Return the versions of the packages that a record names."""
    provenance = record["provenance"]
    own = {n: str(provenance[n]) for n in ("python", "torch", "numpy") if n in provenance}
    return own | {name: str(version) for name, version in provenance.get("packages", {}).items()}


def write_acceptance(baselines: Baselines, baseline: Baseline, acceptance: Acceptance) -> Path:
    """Write a baseline, then its line of the history; returns the path of the baseline.

    A process that is killed between the two leaves a baseline that reading refuses: restore it from
    version control.

    Raises
    ------
    InputError
        Where the folder cannot be written.
    """
    path = baselines.folder / f"{baseline['fingerprint']}.json"
    try:
        baselines.folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_text(_one_line_a_cell(baseline), encoding="utf-8")
            temporary.replace(path)
            append_line(baselines.folder / "history.jsonl", acceptance)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot write to {baselines.folder}: {error.strerror or error}; choose another "
            "--baselines"
        ) from None
    return path


def append_line(path: Path, content: Mapping[str, Any]) -> None:
    """Add one line of JSON to a file, synced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(content, allow_nan=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _one_line_a_cell(baseline: Baseline) -> str:
    """Return a baseline as JSON that can be compared line by line."""
    rest = {name: value for name, value in baseline.items() if name != "cells"}
    lines = json.dumps(rest, indent=1, allow_nan=False)[:-2].rstrip()
    cells = ",\n".join(f"  {json.dumps(cell, allow_nan=False)}" for cell in baseline["cells"])
    return f'{lines},\n "cells": [\n{cells}\n ]\n}}\n'


def _who() -> str:
    """Return git's name of the user, or the login."""
    try:
        asked = subprocess.run(
            ["git", "config", "user.name"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=GIT_TIMEOUT_S,
        )
        if asked.returncode == 0 and asked.stdout.strip():
            return asked.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        pass
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name
        return "unknown"


def _few(names: Sequence[str]) -> str:
    more = [f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return ", ".join([*names[:MOST_NAMED], *more])
