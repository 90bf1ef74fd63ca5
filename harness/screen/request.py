"""A run as a person asks for it, checked and carried out.

Nothing that is slow is imported before it is needed: help needs none of it, and the answer to bad
input no training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from harness.errors import InputError
from harness.running.options import Options
from harness.screen.answer import Answer

if TYPE_CHECKING:
    from harness.keeping.asking import Asked
    from harness.running.adaptive import Look
    from harness.running.session import Session
    from harness.screen.watching import Estimator, Watched
from harness.studies.study import Study

MOST_NODES = 10_000
"""The largest cluster that is predicted for."""


@dataclass(frozen=True)
class Request:
    """What the command line asks to run.

    Attributes
    ----------
    study : name of a study that ships, a TOML file, or a results directory.
    seeds, conditions : the part of it, in the notation of the command line; None for all.
    root : the results directory; None for the default.
    require_complete : of a dry run, only tell whether every cell is on record.
    most_seeds : where to stop adding seeds; None to run ``seeds``.
    shard : "2/8" for the second of eight parts of the seeds; None for all.
    cluster : numbers of machines, cores of each, GPUs of each, to predict a run for.
    serve : port at which the run can be watched, 0 for any; None for nowhere.
    """

    study: str
    data_dir: Path
    allow_other_data: bool = False
    seeds: str | None = None
    conditions: str | None = None
    root: Path | None = None
    options: Options = field(default_factory=Options)
    dry_run: bool = False
    most_seeds: int | None = None
    shard: str | None = None
    cluster: tuple[str, int | None, int | None] | None = None
    serve: int | None = None
    require_complete: bool = False


def carry_out(
    answer: Answer,
    request: Request,
    look: Callable[[Path], Look],
    estimator: Callable[[bool], Estimator],
) -> tuple[int, Path]:
    """Run what is missing, or show the plan of it.

    Parameters
    ----------
    look : judges the claims by the records of a results directory.
    estimator : returns what computes the intervals of a run that is watched, which may be adaptive.

    Returns
    -------
    An exit code, and the results directory.

    Raises
    ------
    InputError
        Where the request contradicts itself, the study, the data or the results directory.
    """
    others = request.seeds is not None or request.dry_run or request.shard is not None
    if request.most_seeds is not None and others:
        raise InputError(
            "--adaptive chooses the seeds itself: leave out --seeds, --shard and --dry-run"
        )
    if request.cluster is not None and not request.dry_run:
        raise InputError("--nodes predicts a run: add --dry-run")
    if request.serve is not None and request.dry_run:
        raise InputError("--serve: a plan does nothing to be watched; leave out --dry-run")
    if request.require_complete and not request.dry_run:
        raise InputError("--require-complete looks and runs nothing: add --dry-run")
    from harness.keeping.asking import seeds_written

    study, request, asked = _resolved(request)
    study.check_trainable()
    chosen = study.choose(_listed(request.conditions), request.seeds)
    if request.shard is not None:
        chosen = shard_of(chosen, request.shard)
        asked["seeds"] = seeds_written(sorted(chosen.seeds))
    if request.most_seeds is not None and not study.claims:
        raise InputError(f"--adaptive: study '{study.name}' has no claim that could be decided")
    root = Path(asked["out"])
    request.options.check()

    # What follows imports torch and reads the data, which takes seconds.
    answer.note(f"{study.name}: reading the data and what is on record in {root} ...")
    answer.add(study=study.name, directory=str(root))
    with _watched(answer.out, request, study, estimator) as watched:
        return _run(answer, request, study, chosen, root, look, watched, asked), root


def _resolved(request: Request) -> tuple[Study, Request, Asked]:
    """Return the study, and what is asked of it; a results directory asks for what it was asked.

    Raises
    ------
    InputError
        Where there is no such study, or the directory holds no results.
    """
    from harness.keeping.asking import Asked
    from harness.keeping.store import Store
    from harness.studies.study_files import load_study

    named = came_from(request.study)
    if named is None:
        study = load_study(request.study)
        out = request.root or Path("results") / study.name
        asked = Asked(
            study=request.study, seeds=request.seeds, conditions=request.conditions, out=str(out)
        )
        return study, request, asked
    store = Store(named)
    study, before, count = store.study(), store.asked(), store.adaptive_seeds()
    seeds, conditions = request.seeds, request.conditions
    if before is not None:
        seeds, conditions = seeds or before["seeds"], conditions or before["conditions"]
    if count is not None and request.seeds is None:
        seeds = str(count)
    if request.most_seeds is not None:
        seeds = None
    out = request.root or named
    name = before["study"] if before is not None and out == named else request.study
    again = replace(request, seeds=seeds, conditions=conditions, root=out)
    return study, again, Asked(study=name, seeds=seeds, conditions=conditions, out=str(out))


def came_from(study: str) -> Path | None:
    """Return the results directory that a study is named by; None for a name or a study file."""
    from harness.studies.study_files import shipped_studies

    named = Path(study)
    return None if study in shipped_studies() or not named.is_dir() else named


def _run(
    answer: Answer,
    request: Request,
    study: Study,
    chosen: Study,
    root: Path,
    look: Callable[[Path], Look],
    watched: Watched | None,
    asked: Asked,
) -> int:
    """Run or show what was chosen; returns an exit code."""
    from harness.running.adaptive import add_seeds
    from harness.running.deadline import fixed
    from harness.running.session import Session
    from harness.screen.run import show_completeness, show_plan, show_predictions, show_run

    # Whoever only looks may do so after the deadline too.
    deadline = None if request.require_complete else fixed(request.options.deadline)
    options = replace(request.options, deadline=deadline)

    def session(part: Study) -> Session:
        other = request.allow_other_data
        return Session(
            study,
            part,
            request.data_dir,
            root,
            options,
            allow_other_data=other,
            asked=asked,
            came_from=came_from(request.study),
        )

    if request.dry_run and request.cluster is not None:
        nodes, cpus, gpus = request.cluster
        show_predictions(answer.out, session(chosen), _numbers(nodes), cpus, gpus)
        return 0
    if request.require_complete:
        return show_completeness(answer, session(chosen))
    if request.dry_run:
        show_plan(answer, session(chosen))
        return 0
    if request.most_seeds is None:
        return show_run(answer, session(chosen), watched=watched)
    names = _listed(request.conditions)
    return add_seeds(
        lambda count: show_run(answer, session(study.choose(names, str(count))), count, watched),
        lambda: look(root),
        lambda sentence: answer.out.print(sentence, highlight=False),
        request.most_seeds,
    )


@contextmanager
def _watched(
    out: Console, request: Request, study: Study, estimator: Callable[[bool], Estimator]
) -> Iterator[Watched | None]:
    """Serve the run while it goes on, where that was asked for."""
    if request.serve is None:
        yield None
        return
    from harness.screen.serving import Serving
    from harness.screen.watching import Watched

    adaptive = request.most_seeds is not None
    watched = Watched(study, estimator(adaptive), adaptive=adaptive)
    with Serving(watched, request.serve) as serving:
        out.print(f"watch it at {serving.address}", highlight=False)
        yield watched


def shard_of(study: Study, shard: str) -> Study:
    """Return a study with every N-th seed, from the i-th on, for the shard "i/N".

    All conditions of a seed are in one shard, so that pairs are made on one machine.

    Raises
    ------
    InputError
        Where the shard is not of this form, or there are fewer seeds than shards.
    """
    number, slash, count = shard.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise InputError(f"--shard: '{shard}' is no part; write 2/8 for the second of eight")
    seeds = study.seeds[int(number) - 1 :: int(count)]
    if not seeds:
        raise InputError(
            f"--shard {shard}: the run has {len(study.seeds)} seeds, so at most "
            f"{len(study.seeds)} parts"
        )
    return study.model_copy(update={"seeds": seeds})


def _listed(names: str | None) -> list[str] | None:
    return None if names is None else [name for name in map(str.strip, names.split(",")) if name]


def _numbers(nodes: str) -> list[int]:
    """Return the numbers of machines that are to be predicted for."""
    numbers = [part.strip() for part in nodes.split(",")]
    if not all(part.isdecimal() and 0 < int(part) <= MOST_NODES for part in numbers):
        raise InputError(
            f"--nodes: '{nodes}' is no number of machines; write 8, or 1,8,64 for three sizes "
            f"(up to {MOST_NODES})"
        )
    return [int(part) for part in numbers]
