"""Read results of one study from several sites, and refuse what cannot be pooled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError
from harness.keeping.results import Results, read_results
from harness.studies.study import Study


@dataclass(frozen=True)
class SiteResults:
    """The results of one site, under the name by which it is shown."""

    name: str
    results: Results


def read_sites(directories: Sequence[Path]) -> list[SiteResults]:
    """Read the results directories of one study.

    Raises
    ------
    InputError
        Where there are fewer than two, one is named twice, one holds no results, or the studies
        (but for their seeds) or the data differ.
    """
    if len(directories) < 2:
        raise InputError(
            "pool needs two results directories or more of one study: "
            "python run_all.py pool DIR DIR"
        )
    seen: dict[Path, Path] = {}
    for directory in directories:
        earlier = seen.setdefault(directory.resolve(), directory)
        if earlier is not directory:
            raise InputError(
                f"{directory} and {earlier} are the same directory; name each site once"
            )
    read = [read_results(directory) for directory in directories]
    read[0].study.check_accuracies("pool")
    first = fingerprint_without_seeds(read[0].study)
    checksum = _checksum(read[0])
    for directory, results in zip(directories, read, strict=True):
        found = fingerprint_without_seeds(results.study)
        if found != first:
            raise InputError(
                f"{directory} holds the study '{results.study.name}' ({found[:12]}), "
                f"{directories[0]} '{read[0].study.name}' ({first[:12]}): only results of one "
                "study can be pooled; name directories that differ in nothing but seeds"
            )
        if _checksum(results) != checksum:
            raise InputError(
                f"{directory} was made from another version of the data set (checksum "
                f"{_checksum(results)[:12]}) than {directories[0]} ({checksum[:12]}); pool those "
                "of one"
            )
    names = [directory.resolve().name for directory in directories]
    if len(set(names)) < len(names):
        names = [str(directory) for directory in directories]
    return [SiteResults(name, results) for name, results in zip(names, read, strict=True)]


def fingerprint_without_seeds(study: Study) -> str:
    """Return the hash of all that a study says except which seeds it asks for."""
    return study.model_copy(update={"seeds": (0,)}).fingerprint()


def _checksum(results: Results) -> str:
    return str(results.records[0]["provenance"]["data"])
