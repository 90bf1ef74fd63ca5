"""Bring in results that exist already: a table becomes records of a study."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rich.console import Console

from harness.errors import InputError
from harness.keeping.importing import Source, check_columns, form_of, records_from, seeds_in
from harness.keeping.records import RESULTS, Record
from harness.keeping.selection import refuse_to_hide
from harness.keeping.store import Store
from harness.keeping.tables import read_table
from harness.screen.messages import warn
from harness.studies.measured import NO_DATA
from harness.studies.study import Study
from harness.studies.study_files import load_study

MOST_NAMED = 5


def import_results(out: Console, table: Path, study_file: str, root: Path | None) -> Path:
    """Import a table; everything is checked before the first record is written.

    Returns
    -------
    The results directory.

    Raises
    ------
    InputError
        Where the table or the study is not as it should be, or the directory holds other results
        of the same cells.
    """
    columns, rows = read_table(table)
    check_columns(str(table), columns)
    study = load_study(study_file, imported=seeds_in(rows))
    if len(study.imported) < len(study.conditions):
        raise InputError(
            f"{study_file}: study '{study.name}' says how its conditions are trained; a study of "
            "results that exist already names its conditions (plain = {}) and has no [protocol], "
            "[factors], train or command"
        )
    form = form_of(str(table), columns, study)
    source = Source(table.name, hashlib.sha256(table.read_bytes()).hexdigest())
    records = records_from(rows, form, study, source, warn)
    store = Store(root or Path("results") / study.name)
    known = _known(store, study)
    _refuse_contradictions(known, records, table, store.root)
    new = [record for record in records if record["key"] not in known]
    store.open_for(study)
    try:
        for record in new:
            store.write(record)
    except OSError as error:
        raise InputError(
            f"cannot write to {store.root}: {error.strerror or error}; make room, then import again"
        ) from None
    _say(out, study, table, records, new)
    return store.root


def _known(store: Store, study: Study) -> dict[str, Record]:
    """Return the records that a results directory holds, by key; refuse one that is not for this.

    Raises
    ------
    InputError
        Where it belongs to another study, or holds other cells than imported ones.
    """
    store.refuse_other_study(study)
    records, damaged = store.read_all()
    if damaged:
        raise InputError(
            f"{store.root} holds a damaged record ({damaged[0].path.name}: {damaged[0].reason}); "
            "delete it, and import again"
        )
    trained = [r for r in records if "imported" not in r["provenance"]]
    if trained:
        raise InputError(
            f"{store.root} holds results that were trained (condition '{trained[0]['condition']}');"
            " choose another --out"
        )
    refuse_to_hide(records, store.study_so_far(), study, NO_DATA, store.root)
    return {record["key"]: record for record in records}


def _refuse_contradictions(
    known: dict[str, Record], records: list[Record], table: Path, root: Path
) -> None:
    """Refuse a table that says something else of a cell than is on record."""
    for record in records:
        there = known.get(record["key"])
        if there is not None and any(there.get(name) != record.get(name) for name in RESULTS):
            file = there["provenance"]["imported"]["file"]
            raise InputError(
                f"{table}: another result of condition '{record['condition']}', seed "
                f"{record['seed']} is in {root} already, from {file}; choose another --out"
            )


def _say(out: Console, study: Study, table: Path, records: list[Record], new: list[Record]) -> None:
    """Say what was imported, and what of the study the table does not have."""
    before = len(records) - len(new)
    kept = f", {before} {'were' if before > 1 else 'was'} there already" if before else ""
    diverged = sum(record["status"] == "diverged" for record in records)
    lost = f" ({diverged} of them diverged)" if diverged else ""
    cells = f"{len(new)} cell{'s' * (len(new) != 1)} of '{study.name}'"
    out.print(
        f"{cells} imported from {table}{kept}{lost}",
        highlight=False,
        soft_wrap=True,
    )
    there = {record["condition"] for record in records}
    absent = [name for name in study.conditions if name not in there]
    if absent:
        more = f", and {len(absent) - MOST_NAMED} more" if len(absent) > MOST_NAMED else ""
        warn(f"{table} has no row of the condition {', '.join(absent[:MOST_NAMED])}{more}")
