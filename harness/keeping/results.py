"""A results directory, read: the study that it belongs to, and the records that answer for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError
from harness.keeping.records import Record
from harness.keeping.selection import select
from harness.keeping.store import Damaged, Store
from harness.studies.study import Study


@dataclass(frozen=True)
class Results:
    """What a results directory holds; from ``read_results``.

    Attributes
    ----------
    study : with the seeds that were asked for.
    records : of the study's conditions, under the names that they have today.
    damaged : files that are no trustworthy records.
    hidden : how many records are not shown, by the condition that they were made for, and why.
    adaptive : whether seeds were added until the claims were decided.
    """

    study: Study
    records: list[Record]
    damaged: list[Damaged]
    hidden: Mapping[tuple[str, str], int]
    adaptive: bool


def read_results(directory: Path) -> Results:
    """Read a results directory.

    Raises
    ------
    InputError
        Where it is none, or holds no trustworthy record of its study.
    """
    store = Store(directory)
    study, adaptive_seeds = store.study(), store.adaptive_seeds()
    if adaptive_seeds is not None:
        study = study.choose(None, str(adaptive_seeds))
    records, damaged = store.read_all()
    selection = select(records, study)
    if not selection.records:
        bad = f" ({len(damaged)} damaged, the first {damaged[0].path.name})" if damaged else ""
        raise InputError(
            f"{directory} has no finished cell of the study '{study.name}' yet{bad}; run it "
            f"first: python run_all.py run {study.name} --out {directory}"
        )
    hidden = selection.hidden
    return Results(study, selection.records, damaged, hidden, adaptive_seeds is not None)
