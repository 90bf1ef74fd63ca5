"""Records of a search -> what it chose."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.errors import InputError
from harness.keeping.records import UNFINISHED, Record, final_accuracy
from harness.keeping.selection import select
from harness.keeping.store import Store
from harness.keeping.survey import read_by_index
from harness.studies.search import Searched, Setting
from harness.studies.strengths import (
    Point,
    Strengths,
    best_of,
    choices,
    chosen_of,
    read_strengths,
    worded,
)
from harness.studies.study import Study
from harness.studies.study_files import parsed, study_path

FILE = "strengths.toml"
"""The name of the file in the results directory of a search."""


def records_so_far(study: Study, root: Path) -> list[Record]:
    """Return the finished cells of a search that are on record; empty where there are none."""
    store = Store(root)
    return select(read_by_index(store)[0], study).records if store.records.is_dir() else []


def points(study: Study, records: Sequence[Record]) -> list[Point]:
    """Return the settings of a search of which every seed has a result, in the study's order."""
    searched = study.searched
    assert searched is not None
    by_cell = {
        (record["condition"], record["seed"]): record
        for record in records
        if record["status"] not in UNFINISHED
    }
    found = []
    for name, tried in searched.tried.items():
        cells = [by_cell.get((name, seed)) for seed in study.seeds]
        there = [cell for cell in cells if cell is not None]
        if len(there) < len(cells):
            continue
        values = [value for cell in there if (value := _measured(study, cell)) is not None]
        seconds = math.fsum(cell["timings"]["total"] for cell in there)
        found.append(
            Point(
                condition=tried.condition,
                setting=tried.setting,
                values=tuple(values),
                diverged=len(there) - len(values),
                seconds=round(seconds, 3),
            )
        )
    return found


def _measured(study: Study, record: Record) -> float | None:
    """Return what a cell measured, accuracies in %; None where it diverged."""
    if record["status"] != "done":
        return None
    if study.measured.is_accuracy:
        final = final_accuracy(record["accuracy"])
        return None if final is None else 100 * final
    return record.get("values", {}).get(study.measured.name)


def beyond(searched: Searched, found: Sequence[Point], *, higher: bool) -> dict[str, list[Setting]]:
    """Return by condition what is to be tried next, because the best lies at an edge.

    The chosen setting counts like the best one. Where every setting diverged, the most cautious one
    does. Nothing is returned for a condition whose budget is spent.
    """
    grown: dict[str, list[Setting]] = {}
    for name, space in searched.search.spaces.items():
        own = [point for point in found if point.condition == name]
        tried = [point.setting for point in own]
        ends = [best_of(own, higher=higher), chosen_of(own, higher=higher)]
        at = [end.setting for end in ends if end is not None] or tried[:1]
        new: list[Setting] = []
        for setting in at:
            more = space.beyond(setting, tried)
            new += [one for one in more if one not in tried and one not in new]
        room = searched.search.most - len(tried)
        if not any(end is not None for end in ends):
            new = [one for one in new if space.in_order([one, at[0]])[0] == one]
        if new[:room]:
            grown[name] = new[: max(room, 0)]
    return grown


def chosen(study: Study, records: Sequence[Record]) -> Strengths:
    """Return what a search chose, by its records.

    Raises
    ------
    InputError
        Where there is no complete setting.
    """
    searched = study.searched
    assert searched is not None
    curve, measure = points(study, records), study.measured
    if not curve:
        raise InputError(f"the search '{study.name}' has no setting with all of its seeds yet")
    return Strengths(
        study=searched.study,
        benchmark=study.benchmark,
        data=next((r["provenance"]["data"] for r in records), ""),
        seeds=study.seeds,
        # A function that takes no tasks holds its data out itself.
        validation_fraction=searched.search.validation_fraction if study.benchmark else 0.0,
        budget=searched.search.most,
        measure=measure.name,
        unit=measure.unit,
        higher_is_better=measure.higher_is_better,
        chosen=choices(curve, higher=measure.higher_is_better),
        published={
            name: space.published
            for name, space in searched.search.spaces.items()
            if space.published
        },
        curve=tuple(curve),
    )


def differing(study: Study, records: Sequence[Record], root: Path) -> list[str]:
    """Return what the files of a search say otherwise than its records; empty for other studies.

    Compared are the file in its directory, what its own ``study.json`` says, and the file that the
    study whose settings were searched includes by now, where that is to be found.
    """
    if study.searched is None:
        return []
    right = chosen(study, records)
    found = []
    if study.strengths is None:
        found.append("study.json: the search is not finished; run tune again")
    elif study.strengths != right:
        found += [f"study.json: {line}" for line in _unlike(study.strengths, right)]
    for path in (root / FILE, *_included(study, root)):
        try:
            said = read_strengths(path, str(path))
        except ValueError as error:
            found.append(str(error).removeprefix("strengths: "))
            continue
        if said.study == right.study and said != right:
            found += [f"{path}: {line}" for line in _unlike(said, right)]
    return found


def _included(study: Study, root: Path) -> Iterator[Path]:
    """Yield the file of strengths that the study includes whose settings were searched."""
    assert study.searched is not None
    asked = Store(root).asked()
    try:
        path = study_path(study.searched.study if asked is None else asked["study"])
        place = parsed(path).get("strengths")
    except InputError:
        return  # it is not on this machine
    if isinstance(place, str):
        yield path.parent / place


def _unlike(said: Strengths, right: Strengths) -> Iterator[str]:
    """Yield in what two searches differ, the choices first."""
    for name in right.chosen | said.chosen:
        one, other = (_chosen(which.chosen, name) for which in (said, right))
        if one != other:
            yield f"'{name}' has {one}, the records give {other}"
    if said.chosen == right.chosen:
        fields = [f for f in type(right).model_fields if getattr(said, f) != getattr(right, f)]
        yield f"other {' and '.join(fields)} than the records give"


def _chosen(choice: Mapping[str, Setting], name: str) -> str:
    return worded(choice.get(name, {}))
