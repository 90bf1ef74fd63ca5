"""Read a results directory: its study, and the records of the study's conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import InputError
from harness.keeping.asking import commands_of
from harness.keeping.looks import Looked, read_looks
from harness.keeping.packed import is_packed
from harness.keeping.records import Record
from harness.keeping.register import REGISTER, read_register
from harness.keeping.selection import select
from harness.keeping.standing import Standing, standings
from harness.keeping.store import Damaged, Store
from harness.studies.study import Study
from harness.studies.study_files import shipped_study


@dataclass(frozen=True)
class Results:
    """The content of a results directory, as ``read_results`` returns it.

    Attributes
    ----------
    study : the study of the directory, with the requested seeds.
    records : records of the study's conditions, under the current names of the conditions.
    damaged : files that cannot be trusted as records.
    hidden : number of records that are not shown, by the name of their condition and the reason.
    adaptive : whether seeds were added until the claims were decided.
    commands : those that make records, report and answers anew; from ``asking.commands_of``.
    looks : at which seeds its claims were judged before.
    standings : whether each claim was fixed before its data, as far as the directory can tell.
    elsewhere : records of cells that were trained in another numerics class too (``run --bridge``).
    packed : whether they are shipped, as one file; see ``harness.keeping.packed``.
    """

    study: Study
    records: list[Record]
    damaged: list[Damaged]
    hidden: Mapping[tuple[str, str], int]
    adaptive: bool
    elsewhere: list[Record]
    looks: list[Looked]
    standings: list[Standing]
    commands: Mapping[str, str] = field(default_factory=dict)
    packed: bool = False


def read_results(directory: Path, *, by_index: bool = False) -> Results:
    """Read a results directory.

    Parameters
    ----------
    by_index : do not hash again the records whose files have not changed since they were found
        intact; see ``harness.keeping.survey.read_by_index``.

    Raises
    ------
    InputError
        Where it is no results directory, holds no intact record of its study, or its register of
        claims is damaged.
    """
    store = Store(directory)
    study, adaptive_seeds = store.study(), store.adaptive_seeds()
    if adaptive_seeds is not None:
        study = study.choose(None, str(adaptive_seeds))
    records, damaged = _read_by_index(store) if by_index else store.read_all()
    selection = select(records, study)
    if not selection.records:
        damage = f" ({len(damaged)} damaged, the first {damaged[0].path.name})" if damaged else ""
        raise InputError(
            f"{directory} has no finished cell of the study '{study.name}' yet{damage}; run it "
            f"first: python run_all.py run {study.name} --out {directory}"
        )
    elsewhere: list[Record] = []
    for folder in sorted((directory / "bridge").glob("*/")):
        more, more_damaged = Store(folder).read_all()
        elsewhere += select(more, study).records
        damaged += more_damaged
    lost = store.had_register() and not (directory / REGISTER).exists()
    entries = read_register(directory)
    adaptive = adaptive_seeds is not None
    return Results(
        study,
        selection.records,
        damaged,
        selection.hidden,
        adaptive,
        elsewhere,
        read_looks(directory),
        standings(study, entries, selection.records, lost=lost),
        commands_of(
            store.asked(), study, selection.records, adaptive=adaptive, shipped=shipped_study
        ),
        is_packed(directory),
    )


def _read_by_index(store: Store) -> tuple[list[Record], list[Damaged]]:
    from harness.keeping.survey import read_by_index  # numpy: not where there are no results

    return read_by_index(store)
