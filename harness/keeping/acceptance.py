"""Accept results as a baseline: what may be accepted, and what is written down about it."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import InputError
from harness.keeping.baselines import (
    SCHEMA,
    Acceptance,
    Baseline,
    Baselines,
    ByMetric,
    Kind,
    baseline_of,
    write_acceptance,
)
from harness.keeping.environments import facts_of, fingerprint_of
from harness.keeping.records import Record, content_hash
from harness.keeping.results import Results

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
    there = {(r["condition"], r["seed"]) for r in results.records}
    seeds = sorted({seed for _, seed in there})
    missing = [
        f"{name} seed {seed}"
        for name in results.study.conditions
        for seed in seeds
        if (name, seed) not in there
    ]
    if missing:
        raise InputError(
            f"{directory} lacks {len(missing)} cells ({_few(missing)}); run them first: "
            f"python run_all.py run {results.study.name} --out {directory}"
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
    return write_acceptance(baselines, baseline, line), baseline


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
