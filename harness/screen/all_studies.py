"""All studies that ship, one after the other: what is missing of each, the cheapest first."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from harness.errors import InputError, Interrupted, NoDataError, in_a_line
from harness.screen.answer import Answer
from harness.screen.listing import place_of
from harness.screen.messages import OTHER_DATA, visible, warn
from harness.screen.progress import clock
from harness.screen.request import Request
from harness.studies.known_data import KNOWN_DATA

RESULTS = Path("results")


@dataclass(frozen=True)
class Planned:
    """What is left to do of a study.

    Attributes
    ----------
    missing, on_record : numbers of cells.
    seconds : an estimate of the time that the missing ones take; None where nobody knows.
    """

    name: str
    directory: Path
    missing: int
    on_record: int
    seconds: float | None


@dataclass
class Plans:
    """What is to be done of all studies; from ``plan_all``.

    Attributes
    ----------
    there : the studies that can run, those that take least first.
    without_data : the studies whose data are not here, with their numbers of cells.
    no_data : why the data are not here; empty where they are.
    unable : why others cannot run, by name.
    """

    there: list[Planned]
    without_data: dict[str, int]
    no_data: str
    unable: dict[str, str]


def carry_out_all(
    answer: Answer,
    request: Request,
    run: Callable[[Request], int],
    summarise: Callable[[Path], int],
) -> int:
    """Run what is missing of all studies that ship, or show the plan of that.

    The time of each is what ``run STUDY --dry-run`` says, by a few steps of each of its programs. A
    study that fails does not keep the others from running. An interruption ends all; what is
    finished is kept, and the same command goes on.

    Parameters
    ----------
    request : its study is not looked at; its root is the folder of the results directories.
    run : runs what is missing of one study; returns an exit code.
    summarise : writes the page over a folder of results; returns an exit code.

    Returns
    -------
    An exit code: 0 where all that can run with the data at hand is done, 1 where a study failed or
    some of its cells did, or as ``summarise`` says.

    Raises
    ------
    InputError
        Where an option is about one study.
    Interrupted
        Where a signal ended a run; it names the study.
    """
    _refuse(request)
    request.options.check()
    # What follows imports torch and reads the data, which takes seconds.
    from harness.running.deadline import fixed

    # Counted from now on, not from the start of each study.
    options = replace(request.options, deadline=fixed(request.options.deadline))
    request = replace(request, options=options)
    folder = request.root or RESULTS
    plans = plan_all(answer, request, folder)
    answer.out.print(_table(plans))
    _say_what_is_left_out(answer, plans)
    answer.add(
        directory=str(folder),
        plan=[
            {
                "study": one.name,
                "missing": one.missing,
                "on_record": one.on_record,
                "seconds": one.seconds,
            }
            for one in plans.there
        ],
        without_data=list(plans.without_data),
        unable=plans.unable,
    )
    failed = dict(plans.unable)
    if request.dry_run:
        return 1 if failed else 0
    ran: list[dict[str, Any]] = []
    for one in plans.there:
        if one.missing:
            code = _run_one(answer, request, one, run, failed, ran)
            if code:
                failed.setdefault(one.name, f"exit code {code}; see above")
    answer.add(ran=ran)
    # Whether there is anything to say, and be it of studies that do not ship.
    code = summarise(folder) if any(folder.glob("*/study.json")) else 0
    for name, why in failed.items():
        warn(f"{name}: {why}")
    if plans.without_data:
        answer.out.print()
        _say_what_is_left_out(answer, replace(plans, unable={}))
    return max(code, 1 if failed else 0)


def plan_all(answer: Answer, request: Request, folder: Path) -> Plans:
    """Return what is missing of each study that ships, and how long that takes here."""
    from harness.keeping.asking import Asked
    from harness.running.session import Session
    from harness.studies.study_files import load_study, shipped_studies

    plans = Plans([], {}, "", {})
    absent: set[str] = set()
    for name in sorted(shipped_studies(), key=place_of):
        answer.note(f"{name}: looking what is missing, and timing a few steps ...")
        directory = folder / name
        try:
            study = load_study(name)
            known = KNOWN_DATA.get(study.benchmark or "")
            cells = len(study.conditions) * len(study.seeds)
            if known is not None and known.source in absent:  # no need to look for it again
                plans.without_data[name] = cells
                continue
            session = Session(
                study,
                study,
                request.data_dir,
                directory,
                request.options,
                allow_other_data=request.allow_other_data,
                asked=Asked(study=name, seeds=None, conditions=None, out=str(directory)),
            )
            seconds = session.estimated_seconds if session.plan.missing else 0.0
        except NoDataError as error:
            plans.without_data[name], plans.no_data = cells, str(error)
            if known is not None:
                absent.add(known.source)
        except InputError as error:
            plans.unable[name] = str(error)
        else:
            plan = session.plan
            plans.there.append(Planned(name, directory, plan.missing, plan.recorded, seconds))
    plans.there.sort(key=lambda one: (one.seconds is None, one.seconds or 0.0))
    return plans


def _run_one(
    answer: Answer,
    request: Request,
    one: Planned,
    run: Callable[[Request], int],
    failed: dict[str, str],
    ran: list[dict[str, Any]],
) -> int:
    """Run a study and note what came of it; whatever it raises is its own failure."""
    answer.out.print()
    facts, answer.facts = answer.facts, {}
    code = 1
    try:
        code = run(replace(request, study=one.name, root=one.directory))
    except Interrupted as end:
        raise Interrupted(f"{one.name}: {end}") from None
    except InputError as error:
        failed[one.name] = str(error)
    except Exception as error:  # of any class: hours of other studies are not lost by one
        log = one.directory / "failures.log"
        with contextlib.suppress(OSError):
            log.write_text(visible(traceback.format_exc()), "utf-8", "backslashreplace")
        failed[one.name] = f"{in_a_line(error)} (details in {log})"
    finally:
        told, answer.facts = answer.facts, facts
        counts = {name: told[name] for name in COUNTS if name in told}
        ran.append({"study": one.name, "exit_code": code} | counts)
        if one.name in failed:
            warn(f"{one.name}: {failed[one.name]}")
    return code


COUNTS = ("asked", "on_record", "diverged", "failed", "report")
"""What the answer says of each study that ran, of all that its own answer would say."""


def _refuse(request: Request) -> None:
    """Raise InputError where an option is about one study, or about a cluster's."""
    given = {
        "--seeds": request.seeds,
        "--conditions": request.conditions,
        "--shard": request.shard,
        "--adaptive": request.most_seeds,
        "--nodes": request.cluster,
        "--serve": request.serve,
        "--require-complete": request.require_complete or None,
        "--address": request.options.address,
        "--bridge": request.options.bridge,
        "--cell-timeout": request.options.cell_timeout,
    }
    wrong = [option for option, value in given.items() if value is not None]
    if wrong:
        raise InputError(
            f"--all runs every study as it ships, on this machine: leave out {', '.join(wrong)}, "
            "or name one study"
        )


def _table(plans: Plans) -> Table:
    table = Table(title="cells that are missing, the cheapest study first", title_justify="left")
    table.add_column("study", overflow="fold", no_wrap=True)
    for header in ("to run", "done", "time"):
        table.add_column(header)
    for one in plans.there:
        time = "done" if not one.missing else _about(one.seconds)
        table.add_row(one.name, str(one.missing), str(one.on_record), time)
    for name, cells in plans.without_data.items():
        table.add_row(name, str(cells), "?", "no data")
    for name in plans.unable:
        table.add_row(name, "?", "?", "cannot run")
    table.add_section()
    known = [one.seconds for one in plans.there if one.seconds is not None]
    missing = sum(one.missing for one in plans.there)
    on_record = sum(one.on_record for one in plans.there)
    table.add_row("all that can run", str(missing), str(on_record), _about(sum(known)))
    return table


def _about(seconds: float | None) -> str:
    return "not known yet" if seconds is None else f"about {clock(seconds)}"


def _say_what_is_left_out(answer: Answer, plans: Plans) -> None:
    """Say loudly which studies have no data here, and in a line each which cannot run."""
    if plans.without_data:
        notice = Text.assemble(
            (f"{OTHER_DATA}.", "bold yellow"),
            f" {_counted(plans.without_data)} left out, for their data are not here; the numbers "
            "of the others say nothing about the published ones.",
        )
        if answer.quiet:
            warn(notice.plain)
        answer.out.print(notice)
        answer.out.print(f"({plans.no_data})", highlight=False, soft_wrap=True)
    for name, why in plans.unable.items():
        warn(f"{name}: cannot run: {why}")


def _counted(names: Sequence[str] | dict[str, int]) -> str:
    listed = ", ".join(names)
    return f"{len(names)} studies are ({listed})" if len(names) > 1 else f"{listed} is"
