"""The commands that hand a study to a cluster: template and submit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from harness.errors import InputError
from harness.screen import arguments
from harness.screen.messages import SIGNS
from harness.submission.needs import MEMORY_GIB, MOST_WORKERS, TIME, ClusterDevice, Part
from harness.submission.templating import VOLUME, Engine, Place

if TYPE_CHECKING:
    from harness.studies.study import Study
    from harness.submission.needs import Needs

EngineName = Annotated[Engine, Argument(help="kuberay, slurm, or slurm-array.")]
File = Annotated[Path | None, Option(help="Write it to this file, which must not be there yet.")]
Workers = Annotated[
    int | None,
    Option(
        min=1,
        help=f"Cores or GPUs; of an array, its jobs ({MOST_WORKERS}, or fewer for few cells).",
    ),
]
Nodes = Annotated[
    int | None,
    Option(min=1, help="Nodes (slurm: 1) or pods (kuberay: one for each worker) they are on."),
]
Memory = Annotated[int, Option(min=1, help="GiB for each worker.")]
WallTime = Annotated[str, Option("--time", help="Wall time, as H:MM:SS.")]
Results = Annotated[
    str | None,
    Option(help=f"Results directory (results/STUDY; kuberay: {VOLUME}/results/STUDY)."),
]
DataThere = Annotated[
    str | None,
    Option("--data-dir", help="Folder on the cluster that holds MNIST/raw."),
]
Python = Annotated[str | None, Option(help="slurm: the Python of the nodes (default: this one).")]
Image = Annotated[str | None, Option(help="kuberay: the container image (dhp-repro:VERSION).")]
Claim = Annotated[str, Option(help="kuberay: the PersistentVolumeClaim for results and data.")]
Device = Annotated[ClusterDevice, Option(help="cpu, or cuda: a GPU for each worker.")]

JobServer = Annotated[
    str, Option("--address", help="The job server on the head: http://HEAD:8265.")
]
SubmittedStudy = Annotated[
    str | None, Argument(help="Name of a study that ships, or a TOML file; it travels along.")
]
Attach = Annotated[str | None, Option(metavar="ID", help="Follow this job, and start none.")]
OutThere = Annotated[
    str | None, Option("--out", help="Results directory, as a whole path on the cluster's head.")
]


def template(
    engine: EngineName,
    study: arguments.StudyName,
    out: File = None,
    workers: Workers = None,
    nodes: Nodes = None,
    memory: Memory = MEMORY_GIB,
    wall_time: WallTime = TIME,
    results: Results = None,
    data_dir: DataThere = None,
    python: Python = None,
    image: Image = None,
    claim: Claim = "dhp-repro",
    seeds: arguments.Seeds = None,
    conditions: arguments.Conditions = None,
    lanes: arguments.Lanes = None,
    device: Device = "cpu",
    block_timeout: arguments.BlockTimeout = None,
    allow_other_data: arguments.AllowOtherData = False,
) -> None:
    """Print a file that runs a study on a cluster: a KubeRay manifest or a script for SLURM.

    Its comments say what each line is for, and how to submit it.
    """
    from harness.submission import templating

    part = Part(seeds, conditions, lanes, device, block_timeout, allow_other_data)
    needs = _needs(engine, study, part, workers, nodes, memory, wall_time)
    place = Place(results, data_dir, python, image, claim)
    text = templating.template(engine, study, needs, place).encode()
    if out is None:
        typer.echo(text, nl=False)  # bytes: no terminal's encoding changes a script
        return
    try:
        with out.open("xb") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"--out {out}: it is there already; choose another name") from None
    except OSError as error:
        raise InputError(f"--out {out}: {error.strerror or error}") from None


def _needs(
    engine: Engine,
    name: str,
    part: Part,
    workers: int | None,
    nodes: int | None,
    memory: int,
    wall_time: str,
) -> Needs:
    """Return what a part of a study asks of an engine, with what is usual where nobody says."""
    from harness.submission.needs import Needs, duration

    study, chosen = _chosen(name, part)
    if workers is None:
        seeds, conditions = len(chosen.seeds), len(chosen.conditions)
        workers = min(MOST_WORKERS, seeds if engine == "slurm-array" else seeds * conditions)
    usual = workers if engine == "kuberay" else 1
    seconds = duration(wall_time, "--time")
    return Needs(study, chosen, part, workers, nodes or usual, memory, seconds)


def submit(
    address: JobServer,
    study: SubmittedStudy = None,
    attach: Attach = None,
    out: OutThere = None,
    data_dir: DataThere = None,
    seeds: arguments.Seeds = None,
    conditions: arguments.Conditions = None,
    workers: arguments.Workers = None,
    lanes: arguments.Lanes = None,
    device: Device = "cpu",
    block_timeout: arguments.BlockTimeout = None,
    allow_other_data: arguments.AllowOtherData = False,
    no_report: arguments.NoReport = False,
) -> None:
    """Run a study as a job of a Ray cluster, and follow its log; Ctrl-C leaves the job running.

    The program and the study's file travel along; records stay on the cluster. Exit codes: 0 the
    job succeeded, else what the run says (1 failed, 2 bad input), 130 no longer followed.
    """
    from harness.submission.jobs import JobServer as Server
    from harness.submission.jobs import require_on_cluster

    if (study is None) == (attach is None):
        raise InputError("submit takes a study, or --attach ID to follow a job that was submitted")
    if study is None:
        server, job = Server(address), str(attach)
    else:
        part = Part(seeds, conditions, lanes, device, block_timeout, allow_other_data)
        _chosen(study, part)
        if out is None:
            raise InputError("--out is needed: the results directory on the cluster's head")
        words = part.words() + ["--no-report"] * no_report
        if data_dir is not None:
            words.append(f"--data-dir={require_on_cluster(data_dir, '--data-dir')}")
        if workers is not None:
            words.append(f"--workers={workers}")
        require_on_cluster(out, "--out")
        server = Server(address)
        job = server.submit(study, words, out)
        typer.echo(f"job {job} at {address}; Ctrl-C leaves it running")
    raise typer.Exit(server.follow(job, lambda text: typer.echo(text.translate(SIGNS), nl=False)))


def _chosen(name: str, part: Part) -> tuple[Study, Study]:
    """Return a study and the part of it that is asked for, so that a typing error shows at once."""
    from harness.studies.study_files import load_study

    study = load_study(name)
    study.check_trainable()
    listed = None
    if part.conditions is not None:
        listed = [name.strip() for name in part.conditions.split(",") if name.strip()]
    return study, study.choose(listed, part.seeds)
