"""Join results directories of one study, as shards on machines without a common disk leave them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from harness.errors import InputError
from harness.keeping.entering import add_from, enter
from harness.keeping.store import Conflict, Store
from harness.keeping.survey import survey
from harness.screen.messages import warn
from harness.studies.condition import cell_key
from harness.studies.study import Study

MOST_NAMED = 5


def merge_results(out: Console, directories: Sequence[Path], root: Path) -> int:
    """Copy the records of all directories to one; name damaged records, conflicts and gaps.

    A cell that several directories hold is kept once. Where its results differ, the record that was
    there first stays, the other goes to ``conflicts/``, and both are named.

    Returns
    -------
    An exit code: 0 where every cell of the study is there once, else 1.

    Raises
    ------
    InputError
        Where a directory holds no results, or the studies or the data differ.
    """
    stores = [Store(directory) for directory in directories]
    studies = [store.study() for store in stores]
    first = studies[0]
    for directory, study in zip(directories, studies, strict=True):
        if study.fingerprint() != first.fingerprint():
            raise InputError(
                f"{directory} holds the study '{study.name}' ({study.fingerprint()[:12]}), "
                f"{directories[0]} '{first.name}' ({first.fingerprint()[:12]}): only results of "
                "one study can be joined"
            )
    target = Store(root)
    target.refuse_other_study(first)
    present = survey(target)
    contents = [store.read_all() for store in stores]
    data = {r["provenance"]["data"] for records, _ in contents for r in records}
    data |= {part["provenance"]["data"] for part in present.trained}
    if len(data) > 1:
        raise InputError(
            f"the records were made from {len(data)} versions of the data set (checksums "
            f"{', '.join(sorted(checksum[:12] for checksum in data))}); join those of one"
        )
    if data and target.study_so_far() is not None:
        enter(target, first, min(data))
    for directory in directories:
        add_from(directory, root)
    target.open_for(first)
    conflicts: list[Conflict] = []
    damaged = 0
    try:
        for records, faulty in contents:
            for bad in faulty:
                damaged += 1
                warn(f"damaged record {bad.path}: {bad.reason}; left out")
            conflicts += [found for found in map(target.write, records) if found is not None]
    except OSError as error:
        raise InputError(
            f"cannot write to {root}: {error.strerror or error}; make room, then merge again"
        ) from None
    for conflict in conflicts:
        warn(
            f"cell {conflict.key} has different {', '.join(conflict.differs)} in two directories; "
            f"the second is {conflict.path}"
        )
    merged = survey(target)
    merged.keep_index()
    there = merged.keys
    gaps = _gaps(first, sorted(data), set(there))
    if gaps:
        more = f", and {len(gaps) - MOST_NAMED} more" if len(gaps) > MOST_NAMED else ""
        warn(f"{len(gaps)} cells are in none of them: {', '.join(gaps[:MOST_NAMED])}{more}")
    out.print(
        f"{len(there)} records of '{first.name}' from {len(stores)} directories in {root}",
        highlight=False,
        soft_wrap=True,
    )
    return 1 if conflicts or damaged or gaps else 0


def _gaps(study: Study, data: Sequence[str], there: set[str]) -> list[str]:
    if not data:
        return [f"all of '{study.name}'"]
    programs = {name: c.program(data[0]) for name, c in study.conditions.items()}
    return [
        f"{name} seed {seed}"
        for seed in study.seeds
        for name, program in programs.items()
        if cell_key(program, seed) not in there
    ]
