"""A folder of results directories: which of them can be read, and what the others are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError
from harness.keeping.packed import is_packed
from harness.keeping.results import Results, read_results
from harness.keeping.store import Store

STUDY = "study.json"


@dataclass(frozen=True)
class Unread:
    """A directory that is left out.

    Attributes
    ----------
    damaged : whether it has results that cannot be read; else nothing is in it, or not yet.
    """

    name: str
    reason: str
    damaged: bool


def is_folder_of_results(place: Path) -> bool:
    """Tell whether a path names a folder with results directories, and is none itself."""
    return place.is_dir() and not (place / STUDY).exists() and bool(_named(place)[0])


def directories_in(folder: Path) -> tuple[list[Path], list[Unread]]:
    """Return the results directories of a folder, by name, and its other directories.

    Hidden ones, and files, are nobody's results and not named.

    Raises
    ------
    InputError
        Where there is no results directory, or the folder cannot be listed.
    """
    there, others = _named(folder)
    if not there:
        raise InputError(
            f"{folder} holds no results: no study.json in it, and none in a directory of it; name "
            "the directory that a run wrote to, or the folder of several such, by default results"
        )
    return there, [Unread(place.name, "no results directory", False) for place in others]


def read_each(
    directories: list[Path], *, by_index: bool = False
) -> Iterator[tuple[Path, Results | Unread]]:
    """Yield each results directory with what is in it, or why that cannot be read.

    Those that ask no other study for the cause of their claims come first, so that a report that is
    written as they are read finds the report that it links to.
    """
    studies: list[tuple[bool, Path]] = []
    for place in directories:
        try:
            studies.append((Store(place).study().causes != (), place))
        except InputError as error:
            yield place, Unread(place.name, str(error), damaged=True)
    for _, place in sorted(studies):
        try:
            yield place, read_results(place, by_index=by_index)
        except InputError as error:
            yield place, Unread(place.name, str(error), damaged=_has_records(place))


def _named(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the directories of a folder that hold a study, and the others."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    except OSError as error:
        raise InputError(
            f"{folder} cannot be listed ({error.strerror or error}); name a results directory, or "
            "a folder of them"
        ) from None
    places = [folder / name for name in names]
    there = [place for place in places if (place / STUDY).exists()]
    return there, [place for place in places if place not in there]


def _has_records(place: Path) -> bool:
    try:
        return is_packed(place) or bool(Store(place).files())
    except InputError:
        return True
