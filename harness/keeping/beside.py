"""Results of another study, in a directory beside the one that asks for them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from harness.errors import InputError
from harness.keeping.results import Results, read_results

MOST = 1000
"""Number of directories that are looked through."""


def results_beside(directory: Path, study: str, own: str) -> tuple[Path, Results] | None:
    """Return where results of a study lie beside a results directory, and these; None for nowhere.

    Where there are several, those whose directory has the name that the study or the asking
    directory suggests: beside ``gpu-main`` of the study ``main`` that is ``gpu-causes``.

    Parameters
    ----------
    study, own : names of the study that is looked for, and of the one that asks.
    """
    here = directory.resolve()
    suggested = [here.name.replace(own, study), study]
    try:
        names = sorted(entry.name for entry in os.scandir(here.parent) if entry.name != here.name)
    except OSError:
        return None
    first = [name for name in dict.fromkeys(suggested) if name in names]
    for name in [*first, *(name for name in names[:MOST] if name not in first)]:
        if _study_of(here.parent / name) == study:
            try:
                return here.parent / name, read_results(here.parent / name, by_index=True)
            except InputError:
                continue
    return None


def _study_of(directory: Path) -> str | None:
    try:
        with (directory / "study.json").open(encoding="utf-8") as file:
            content = json.load(file)
        return str(content["study"]["name"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
