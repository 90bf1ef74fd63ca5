"""Files for the engines that clusters have: a KubeRay manifest, and scripts for SLURM."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import harness
from harness.errors import InputError
from harness.studies.programs import OwnFile
from harness.studies.study_files import own_files, read_text, shipped_studies
from harness.submission.needs import DRIVER_GIB, Needs
from harness.submission.quoting import job_name, one_line, require_utf8, shell_word, yaml_string

Engine = Literal["kuberay", "slurm", "slurm-array"]

VOLUME = PurePosixPath("/mnt/dhp-repro")
"""Where a pod has the volume with results and data sets."""
STUDY_FOLDER = PurePosixPath("/etc/dhp-repro")
"""Where a pod has the file of a study that does not ship."""
START_MINUTES = 30
LARGEST_STUDY = 900_000
"""Bytes of a study file that a ConfigMap (1 MiB at most) holds."""


@dataclass(frozen=True)
class Place:
    """Where things are on the cluster; None for the place that is usual for the engine.

    Attributes
    ----------
    results, data : directories, on the volume (KubeRay) or on a shared disk (SLURM).
    python : the Python of SLURM's nodes.
    image, claim : of KubeRay's pods, the container image and the PersistentVolumeClaim.
    """

    results: str | None = None
    data: str | None = None
    python: str | None = None
    image: str | None = None
    claim: str = "dhp-repro"


def template(engine: Engine, study: str, needs: Needs, place: Place) -> str:
    """Return a file that is ready to be handed to an engine.

    Parameters
    ----------
    study : the name or the path by which the study was asked for.

    Raises
    ------
    InputError
        Where a path cannot be carried by such a file, or is none on the cluster.
    """
    write = _kuberay if engine == "kuberay" else _slurm
    return write(engine, study, needs, place)


def _kuberay(engine: Engine, study: str, needs: Needs, place: Place) -> str:
    results = place.results or str(VOLUME / "results" / needs.study.name)
    data = place.data or str(VOLUME / "data")
    for option, folder in (("--results", results), ("--data-dir", data)):
        if VOLUME not in PurePosixPath(folder).parents or ".." in PurePosixPath(folder).parts:
            raise InputError(
                f"{option} {folder}: only what is below {VOLUME} outlives the pod; choose "
                f"{VOLUME}/... there"
            )
    text, named = None, study
    own: list[OwnFile] = []
    if study not in shipped_studies():
        text, named = read_text(Path(study)), str(STUDY_FOLDER / "study.toml")
        own = [_portable(Path(study), file) for file in own_files(Path(study))]
        if len(text.encode()) + sum(len(file.content) for file in own) > LARGEST_STUDY:
            raise InputError(
                f"{study} has more than {LARGEST_STUDY} bytes with the files that it names, which "
                "no ConfigMap holds; put it into the image and name its path there"
            )
    words = ["dhp-repro", "run", named, *needs.part.words(), f"--workers={needs.workers}"]
    words += [f"--out={results}", f"--data-dir={data}", "--address=auto"]
    return _rendered(
        "kuberay.yaml.j2",
        needs,
        entrypoint=shlex.join([*words, f"--deadline={needs.clock}"]),
        study_text=text,
        own=own,
        study_folder=str(STUDY_FOLDER),
        volume=str(VOLUME),
        claim=place.claim,
        image=place.image or f"dhp-repro:{_version('dhp-repro')}",
        ray=_version("ray"),
        start_minutes=START_MINUTES,
    )


def _portable(study: Path, file: OwnFile) -> OwnFile:
    """Return a file that a manifest can carry beside the study's; InputError where it cannot."""
    try:
        file.content.decode()
    except UnicodeDecodeError:
        raise InputError(f"{study}: {file.path} is no text; put it into the image") from None
    if ".." in PurePosixPath(file.path).parts or PurePosixPath(file.path).is_absolute():
        raise InputError(
            f"{study}: {file.path} is not below the folder of the study's file, so no manifest can "
            "carry it; put it there"
        )
    return file


def _slurm(engine: Engine, study: str, needs: Needs, place: Place) -> str:
    if engine == "slurm-array" and needs.workers > len(needs.chosen.seeds):
        seeds = len(needs.chosen.seeds)
        raise InputError(f"--workers {needs.workers}: there are {seeds} seeds, so at most as many")
    named = study if study in shipped_studies() else str(Path(study).absolute())
    results = str(Path(place.results or Path("results") / needs.study.name).absolute())
    data = Path(place.data or os.environ.get("REPRO_DATA_DIR") or "data").absolute()
    python = Path(place.python or sys.executable).absolute()
    program = [str(python), str(program_folder() / "run_all.py")]
    words = ["run", named, *needs.part.words(), f"--out={results}", f"--data-dir={data}"]
    return _rendered(
        f"{engine}.sh.j2",
        needs,
        program=[shell_word(word) for word in program],
        study=[shell_word(word) for word in words],
        results=shell_word(results),
        folder=shell_word(str(python.parent)),
        driver_gib=DRIVER_GIB,
    )


def program_folder() -> Path:
    """Return the folder that holds run_all.py and the packages beside it."""
    return Path(harness.__path__[0]).absolute().parent


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        raise InputError(f"{package} is not installed here, so its version is not known") from None


def _rendered(template: str, needs: Needs, **values: Any) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # each value is quoted for its place: shell word, YAML string, comment
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"yaml": yaml_string, "line": one_line}
    gpus = needs.workers_a_node if needs.part.device == "cuda" else 0
    values |= {"needs": needs, "name": job_name(needs.study.name), "gpus": gpus}
    return require_utf8(environment.get_template(template).render(values))
