"""The output of a run: its plan, its progress and its problems."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.errors import InputError, Interrupted
from harness.running.events import Event
from harness.running.executors import Executor
from harness.running.prediction import Cluster
from harness.running.runner import Tally
from harness.running.scheduling import seeds_in_words
from harness.running.session import Session
from harness.screen.answer import Answer
from harness.screen.messages import OTHER_DATA, visible, warn
from harness.screen.progress import Display, clock
from harness.screen.watching import Watched

MOST_NAMED = 8
"""Number of cells that a line names which failed alike."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""What Ray colours the tracebacks of its workers with."""


def show_plan(answer: Answer, session: Session) -> None:
    """Print the plan of a session, and an estimate of its time."""
    out = answer.out
    _print_caveats(out, session)
    plan = session.plan
    table = Table(title=f"plan of {session.study.name}", title_justify="left", show_header=False)
    table.add_row("cells to run", str(plan.missing))
    table.add_row("already done", f"{plan.recorded} in {session.store.root}")
    lanes = max((len(block) for block in plan.blocks), default=0)
    table.add_row("blocks", f"{len(plan.blocks)} of up to {lanes} lanes")
    table.add_row("workers", f"{session.workers} ({session.device})")
    answer.note("timing a few steps of each condition ...")
    table.add_row("estimated time", _estimate(session))
    answer.add(missing=plan.missing, on_record=plan.recorded, seconds=session.estimated_seconds)
    out.print(table)


def show_predictions(
    out: Console, session: Session, sizes: Sequence[int], cpus: int | None, gpus: int | None
) -> None:
    """Print what a run would take on machines like this one, simulated from the pace here.

    Parameters
    ----------
    sizes : numbers of machines.
    cpus, gpus : of each machine; None for as many cores as are used here.

    Raises
    ------
    InputError
        Where GPUs are asked for and this machine has none to measure the pace on.
    """
    if gpus is not None and session.device != "cuda":
        raise InputError(
            "--gpus-per-node: no GPU is used here, so the pace of one cannot be measured; ask on a "
            "machine that has one, or predict for --cpus-per-node"
        )
    room = gpus or cpus or session.workers
    unit = "GPU" if session.device == "cuda" else "core"
    table = Table(
        title=f"{session.study.name}: {session.plan.missing} cells to run, simulated from the pace "
        "here",
        title_justify="left",
    )
    for header in ("machines", f"{unit}s of each", "lanes", "time", f"{unit} hours", "efficiency"):
        table.add_column(header, justify="right")
    table.add_column("limited by")
    for nodes in sizes:
        cluster = Cluster(nodes, room)
        plan, prediction = session.predicted(cluster)
        table.add_row(
            str(nodes),
            str(room),
            str(max((len(block) for block in plan.blocks), default=0)),
            clock(prediction.seconds),
            f"{cluster.workers * prediction.seconds / 3600:.1f}",
            f"{prediction.efficiency:.0%}",
            prediction.bottleneck,
        )
    out.print(table)


def show_completeness(answer: Answer, session: Session) -> int:
    """Print whether every cell of a session is on record; returns an exit code, 0 where it is."""
    plan = session.plan
    answer.add(missing=plan.missing, on_record=plan.recorded)
    of = f"{session.study.name} in {session.store.root}"
    if plan.missing:
        warn(f"{plan.missing} cells are missing, {plan.recorded} are on record: {of}")
        return 1
    answer.out.print(f"complete, {plan.recorded} cells: {of}", highlight=False, soft_wrap=True)
    return 0


def show_run(
    answer: Answer,
    session: Session,
    adaptive_seeds: int | None = None,
    watched: Watched | None = None,
) -> int:
    """Run a session's plan and show how it goes.

    Parameters
    ----------
    adaptive_seeds : as for ``Store.open_for``.
    watched : is kept up to date, for those who watch the run from outside.

    Returns
    -------
    An exit code: 0 where every cell was recorded as done, else 1.

    Raises
    ------
    Interrupted
        Where a signal ended the run; it says how much is recorded.
    """
    out = answer.out
    for damaged, target in session.open_store(adaptive_seeds):
        warn(f"damaged record {damaged.path.name}: {damaged.reason}; set aside as {target}")
    _print_caveats(out, session)
    plan = session.plan
    out.print(
        f"{session.study.name}: {plan.missing} cells to run, {plan.recorded} on record in "
        f"{session.store.root}",
        highlight=False,
    )
    tally = Tally()
    try:
        if plan.missing:
            _try_functions(out, session)
            answer.note("timing a few steps of each condition ...")
            _execute(out, session, tally, watched)
    except KeyboardInterrupt:
        recorded = tally.done + tally.diverged + tally.by_others
        raise Interrupted(
            f"{recorded} of {plan.missing} cells were recorded; the same command goes on from here"
        ) from None
    finally:
        _warn_of(tally, session.store.root)
        answer.add(
            asked=plan.missing + plan.recorded,
            on_record=plan.recorded + tally.done + tally.diverged + tally.by_others,
            diverged=tally.diverged,
            failed=sum(len(failed.block) for failed in tally.failed),
        )
    return 0 if tally.clean else 1


def _execute(out: Console, session: Session, tally: Tally, watched: Watched | None) -> None:
    estimate = _estimate(session)  # computed before the workers are busy
    executor = session.executor()
    workers = f"{executor.workers} worker{'s' * (executor.workers != 1)}"
    where = f"{executor.place}, {workers}, {session.device}"
    out.print(f"{where}, {estimate}; Ctrl-C keeps what is finished", style="dim", highlight=False)
    finals = session.finals_on_record()
    values = {condition: by_seed.values() for condition, by_seed in finals.items()}
    with Display(out, session.plan.missing, values, session.study.measured) as display:
        if watched is None:
            session.execute(executor, display.observe, tally)
        else:
            plan = session.plan
            estimated = session.estimated_seconds or 0.0
            watched.begin(plan.missing, plan.recorded, finals, estimated)
            _execute_watched(session, executor, display, tally, watched)


def _try_functions(out: Console, session: Session) -> None:
    """Try the user's own functions before the run, and say what is to be said of them."""
    if any(block[0].condition.function is not None for block in session.plan.blocks):
        out.print("trying the study's functions before the run ...", style="dim", highlight=False)
    for line in session.preflight():
        warn(f"preflight: {line}")


def _estimate(session: Session) -> str:
    seconds = session.estimated_seconds
    return "unknown until a cell has run" if seconds is None else f"about {clock(seconds)}"


def _execute_watched(
    session: Session, executor: Executor, display: Display, tally: Tally, watched: Watched
) -> None:
    def both(event: Event) -> None:
        display.observe(event)
        with contextlib.suppress(Exception):  # a run does not end because somebody watches
            watched.observe(event)

    try:
        session.execute(executor, both, tally)
    finally:
        watched.end()


def _print_caveats(out: Console, session: Session) -> None:
    if not session.data.genuine:
        out.print(
            Text.assemble(
                (f"{OTHER_DATA}.", "bold yellow"),
                f" The files are not the data of {session.data.name}; the numbers will say nothing "
                "about the published ones.",
            )
        )
    if session.emulates_bfloat16:
        out.print(
            "bfloat16 products are emulated: this processor has none. The numbers mean the same; "
            "they take longer.",
            highlight=False,
        )


def _warn_of(tally: Tally, root: Path) -> None:
    """Warn of every problem of a run, with the thing, the place and the remedy."""
    if tally.diverged:
        warn(f"{tally.diverged} cells diverged (a loss was not finite); recorded as such")
    if tally.failed:
        log = root / "failures.log"
        with contextlib.suppress(OSError):
            details = "\n".join(failed.details for failed in tally.failed)
            log.write_text(
                visible(COLOUR.sub("", details)), encoding="utf-8", errors="backslashreplace"
            )
        for error in dict.fromkeys(failed.error for failed in tally.failed):
            blocks = [failed.block for failed in tally.failed if failed.error == error]
            named = [f"{c.condition.name} seed {c.seed}" for block in blocks for c in block]
            more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
            cells = ", ".join(named[:MOST_NAMED])
            warn(f"failed: {cells}{more}: {error} (details in {log})")
    for why in dict.fromkeys(left.why for left in tally.left_out):
        blocks = [left.block for left in tally.left_out if left.why == why]
        count = sum(map(len, blocks))
        warn(
            f"{count} cells were not started ({seeds_in_words(blocks)}): {why}; the same command "
            "goes on"
        )
    for conflict in tally.conflicts:
        warn(
            f"cell {conflict.key} was computed twice with different {', '.join(conflict.differs)}; "
            f"the first record stays, the second is {conflict.path}"
        )
    if tally.unbridged:
        warn(f"--bridge: {tally.unbridged}; no seed was trained in a second numerics class")
    if tally.vanished:
        warn(
            f"{root} was removed while the run went on, with {tally.vanished} cells that had been "
            "recorded; the same command trains them again"
        )
    if tally.stopped:
        warn(
            f"records could not be written ({tally.write_error}), so the remaining cells were not "
            "started; make room and run again"
        )
    if tally.unwritten:
        warn(
            f"{len(tally.unwritten)} finished cells could not be written to {root / 'records'} "
            f"({tally.write_error}), {tally.whereabouts}. Make room, move them there, and run again"
        )
