"""The command line of the reproduction: run studies, report on results, list what ships."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from harness.data.benchmarks import split_mnist
from harness.errors import InputError, NoDataError
from harness.keeping.records import Record
from harness.keeping.selection import select
from harness.keeping.store import Damaged, Store
from harness.running.runner import Tally
from harness.running.session import DeviceName, ExecutorName, Options, Session
from harness.screen.listing import shipped_table, show_study
from harness.screen.progress import Display, clock
from harness.studies.study import Study
from harness.studies.study_files import load_study
from reports.findings.analysis import Analysis, analyse
from reports.findings.causes import Causes, causes
from reports.findings.notices import OTHER_DATA
from reports.numbers.sequential import ANYTIME
from reports.numbers.statistics import FIXED
from reports.numbers.summary import summary_text
from reports.numbers.verdict import Verdict
from reports.output.page import write_report
from reports.output.terminal import show
from reports.output.verify import differences, grouped

DEFAULT_STUDY, FALLBACK_STUDY = "dhp-split-mnist", "dhp-split-digits"
ADAPTIVE_BLOCK = 5
INTERRUPTED = 130

out = Console()
app = typer.Typer(
    help="Does differentiable Hebbian plasticity (DHP-Softmax) reduce catastrophic forgetting?\n\n"
    "Without a command: run what is missing of dhp-split-mnist, then summarise.",
    epilog="Examples:\n\n"
    "  python run_all.py --data-dir ~/data\n\n"
    "  python run_all.py run dhp-split-mnist --seeds 20 --conditions finetune,dhp\n\n"
    "  python run_all.py run my-study.toml --address auto --out results/mine\n\n"
    "  python run_all.py report results/dhp-split-mnist",
    add_completion=False,
    no_args_is_help=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

DataDir = Annotated[
    Path,
    typer.Option(
        envvar="REPRO_DATA_DIR",
        help="Folder that holds MNIST/raw (torchvision's layout), or where to download it to.",
    ),
]
AllowOtherData = Annotated[
    bool,
    typer.Option(
        "--allow-other-data",
        help="Train on files in MNIST's format that are not MNIST; everything then says so.",
    ),
]


@app.callback(invoke_without_command=True)
def default(
    context: typer.Context,
    data_dir: DataDir = Path("data"),
    allow_other_data: AllowOtherData = False,
) -> None:
    """Run the default job where no command is given."""
    if context.invoked_subcommand is not None:
        for name in ("data_dir", "allow_other_data"):
            source = context.get_parameter_source(name)
            if source is not None and source.name == "COMMANDLINE":
                option = f"--{name.replace('_', '-')}"
                raise InputError(f"{option} goes after the command {context.invoked_subcommand}")
        return
    try:
        split_mnist(data_dir, allow_other=allow_other_data)
    except NoDataError as error:
        notice = (
            f"[bold yellow]{OTHER_DATA}.[/] Without MNIST this runs {FALLBACK_STUDY} "
            "on the small digits that scikit-learn carries; its numbers say nothing about the "
            "published ones."
        )
        out.print(notice)
        out.print(f"({error})\n", markup=False, highlight=False)
        code = _run(FALLBACK_STUDY, data_dir)
        out.print("\n" + notice)
        raise typer.Exit(code) from None
    raise typer.Exit(_run(DEFAULT_STUDY, data_dir, allow_other_data=allow_other_data))


@app.command()
def run(
    study: Annotated[str, typer.Argument(help="Name of a study that ships, or a TOML file.")],
    seeds: Annotated[
        str | None, typer.Option(help="How many (10: 0 to 9), or which (0-9,20).")
    ] = None,
    conditions: Annotated[
        str | None, typer.Option(help="Some of the study's conditions: finetune,dhp")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Results directory (default: results/STUDY).")
    ] = None,
    executor: Annotated[
        ExecutorName,
        typer.Option(help="ray, in-process, or auto: Ray if installed and the job is long."),
    ] = "auto",
    address: Annotated[
        str | None, typer.Option(help="Join the Ray cluster at this address (or 'auto').")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Blocks in flight (default: one for every core or GPU)."),
    ] = None,
    lanes: Annotated[
        int | None,
        typer.Option(min=1, help="Cells trained side by side; never changes a number."),
    ] = None,
    device: Annotated[DeviceName, typer.Option(help="auto, cpu or cuda.")] = "auto",
    data_dir: DataDir = Path("data"),
    allow_other_data: AllowOtherData = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan and an estimate of the time.")
    ] = False,
    adaptive: Annotated[
        bool,
        typer.Option(
            "--adaptive",
            help=f"Add {ADAPTIVE_BLOCK} seeds at a time until every claim is decided, with "
            "intervals that stay valid however often one looks.",
        ),
    ] = False,
    max_seeds: Annotated[
        int, typer.Option(min=2, help="Where --adaptive stops in any case.")
    ] = 100,
) -> None:
    """Run what is missing of a study, then summarise it.

    Finished cells are kept: an interrupted run goes on with the same command. Exit codes: 0 done,
    1 some cells failed or diverged, 2 bad input, 130 interrupted.
    """
    options = Options(executor, address, workers, lanes, device)
    if not adaptive:
        code = _run(
            study,
            data_dir,
            seeds,
            conditions,
            out,
            options,
            allow_other_data=allow_other_data,
            dry_run=dry_run,
        )
    elif seeds is not None or dry_run:
        raise InputError("--adaptive chooses the seeds itself: leave out --seeds and --dry-run")
    else:
        code = _run_adaptively(
            study, data_dir, max_seeds, conditions, out, options, allow_other_data=allow_other_data
        )
    raise typer.Exit(code)


@app.command()
def report(
    directory: Annotated[Path, typer.Argument(help="A results directory, as a run made it.")],
) -> None:
    """Write the report of a results directory: verdicts, page, figures, tables."""
    raise typer.Exit(_report(directory))


@app.command()
def verify(
    directory: Annotated[Path, typer.Argument(help="A results directory with a report.")],
) -> None:
    """Recompute verdict.json and summary.csv from the records; exit 1 naming what differs."""
    loaded = _load(directory)
    if not (directory / "report").is_dir():
        raise InputError(
            f"{directory} has no report to verify; write it: python run_all.py report {directory}"
        )
    named = [f"damaged record {bad.path.name}: {bad.reason}" for bad in loaded.damaged]
    for notice in loaded.analysis.notices:
        warn(notice)
    text = summary_text(loaded.records, loaded.study)
    named += differences(loaded.analysis, text, directory / "report", loaded.records)
    for name in grouped(named):
        warn(f"differs: {name}")
    if not named:
        out.print(f"{len(loaded.records)} records, verdict.json and summary.csv agree")
    raise typer.Exit(1 if named else 0)


@app.command()
def studies(
    study: Annotated[str | None, typer.Argument(help="Show this one in full.")] = None,
) -> None:
    """List the studies that ship; with a name, its protocol, conditions and claims."""
    if study is None:
        out.print(shipped_table())
    else:
        show_study(out, load_study(study))


def _run(
    study_name: str,
    data_dir: Path,
    seeds: str | None = None,
    conditions: str | None = None,
    root: Path | None = None,
    options: Options | None = None,
    *,
    allow_other_data: bool = False,
    dry_run: bool = False,
) -> int:
    """Run what is missing of a study and report on it; returns the exit code."""
    study = load_study(study_name)
    chosen = study.choose(_names(conditions), seeds)
    root = root or Path("results") / study.name
    session = Session(study, chosen, data_dir, root, options, allow_other_data=allow_other_data)
    if dry_run:
        _print_plan(session)
        return 0
    trained = _train(session)
    return trained if trained == INTERRUPTED else max(trained, _report(session.store.root))


def _run_adaptively(
    study_name: str,
    data_dir: Path,
    max_seeds: int,
    conditions: str | None,
    root: Path | None,
    options: Options,
    *,
    allow_other_data: bool,
) -> int:
    """Add seeds in blocks until every claim is decided; returns the exit code."""
    study = load_study(study_name)
    root = root or Path("results") / study.name
    names = _names(conditions)
    if not study.claims:
        raise InputError(f"--adaptive: study '{study.name}' has no claim that could be decided")
    count, worst = 0, 0
    while count < max_seeds:
        count = min(count + ADAPTIVE_BLOCK, max_seeds)
        chosen = study.choose(names, str(count))
        session = Session(study, chosen, data_dir, root, options, allow_other_data=allow_other_data)
        trained = _train(session, adaptive_seeds=count)
        if trained == INTERRUPTED:
            return trained
        worst = max(worst, trained)
        analysis = _load(root).analysis  # of all seeds on record, be they more than these
        claims = analysis.claims
        undecided = [
            one.claim.id for one in claims if one.judgement is None or not one.judgement.settled
        ]
        undecidable = [
            one.claim.id
            for one in claims
            if one.claim.id not in undecided
            if one.judgement and one.judgement.verdict is Verdict.INCONCLUSIVE
        ]
        decided = len(claims) - len(undecided) - len(undecidable)
        said = f"[bold]{len(analysis.seeds)} seeds[/]: {decided} of {len(claims)} claims decided"
        if undecided:
            said += f"; not yet {', '.join(undecided)}"
        if undecidable:
            said += (
                f"; no number of seeds decides {', '.join(undecidable)} "
                "(margin not smaller than the claim)"
            )
        out.print(said, highlight=False)
        if not undecided:
            break
    return max(worst, _report(root))


def _names(conditions: str | None) -> list[str] | None:
    return None if conditions is None else [n.strip() for n in conditions.split(",") if n.strip()]


def _train(session: Session, adaptive_seeds: int | None = None) -> int:
    """Run a session's plan, showing how it goes; returns 0, 1 or INTERRUPTED."""
    _say_other_data(session)
    for damaged, target in session.open_store(adaptive_seeds):
        warn(f"damaged record {damaged.path.name}: {damaged.reason}; set aside as {target}")
    plan = session.plan
    out.print(
        f"[bold]{session.study.name}[/]: {plan.missing} cells to run, {plan.recorded} on record in "
        f"{session.store.root}",
        highlight=False,
    )
    tally = Tally()
    if plan.missing:
        about = f"about {clock(session.estimated_seconds)}"  # before the workers are busy
        executor = session.executor()
        where = f"{type(executor).__name__}, {executor.workers} workers, {session.device}"
        out.print(f"[dim]{where}, {about}; Ctrl-C keeps what is finished[/]", highlight=False)
        try:
            with Display(out, plan.missing, session.finals_on_record()) as display:
                session.execute(executor, display.observe, tally)
        except KeyboardInterrupt:
            warn(
                f"interrupted: {tally.done + tally.diverged} of {plan.missing} cells were "
                "recorded; the same command goes on from here"
            )
            _warn_of(tally, session.store.root)
            return INTERRUPTED
    _warn_of(tally, session.store.root)
    return 0 if tally.clean else 1


def _say_other_data(session: Session) -> None:
    if not session.data.genuine:
        out.print(
            f"[bold yellow]{OTHER_DATA}.[/] The files are not the data of {session.data.name}; the "
            "numbers will say nothing about the published ones.",
            highlight=False,
        )


def _print_plan(session: Session) -> None:
    _say_other_data(session)
    plan = session.plan
    table = Table(title=f"plan of {session.study.name}", title_justify="left", show_header=False)
    table.add_row("cells to run", str(plan.missing))
    table.add_row("already done", f"{plan.recorded} in {session.store.root}")
    lanes = max((len(block) for block in plan.blocks), default=0)
    table.add_row("blocks", f"{len(plan.blocks)} of up to {lanes} lanes")
    table.add_row("workers", f"{session.workers} ({session.device})")
    table.add_row("estimated time", clock(session.estimated_seconds))
    out.print(table)


def _warn_of(tally: Tally, root: Path) -> None:
    """Say what did not go as it should, naming thing, place and remedy."""
    if tally.diverged:
        warn(f"{tally.diverged} cells diverged (a loss was not finite); recorded as such")
    if tally.failed:
        log = root / "failures.log"
        with contextlib.suppress(OSError):
            log.write_text("\n".join(failed.details for failed in tally.failed), encoding="utf-8")
        for failed in tally.failed:
            cells = ", ".join(f"{c.condition.name} seed {c.seed}" for c in failed.block)
            warn(f"failed: {cells}: {failed.error} (details in {log})")
    for conflict in tally.conflicts:
        warn(
            f"cell {conflict.key} was computed twice with different {', '.join(conflict.differs)}; "
            f"the first record stays, the second is {conflict.path}"
        )
    if tally.unwritten:
        kept = f"kept in {tally.rescued}" if tally.rescued else "and nowhere else either: lost"
        warn(
            f"{len(tally.unwritten)} finished cells could not be written to {root / 'records'} "
            f"({tally.write_error}), {kept}. Make room, move them there, and run again"
        )


@dataclass(frozen=True)
class Loaded:
    """A results directory, read and analysed; ``study`` has the seeds that were asked for."""

    study: Study
    records: list[Record]
    damaged: list[Damaged]
    hidden: Mapping[tuple[str, str], int]
    analysis: Analysis
    causes: Causes


def _load(directory: Path) -> Loaded:
    store = Store(directory)
    study, adaptive_seeds = store.study(), store.adaptive_seeds()
    if adaptive_seeds is not None:
        study = study.choose(None, str(adaptive_seeds))
    records, damaged = store.read_all()
    selection = select(records, study)
    procedure = FIXED if adaptive_seeds is None else ANYTIME
    found = causes(selection.records, study)
    analysis = replace(analyse(selection.records, study, procedure), extra=found.as_json())
    return Loaded(study, selection.records, damaged, selection.hidden, analysis, found)


def _report(directory: Path) -> int:
    """Write the report of a results directory, and show what it says in short."""
    loaded = _load(directory)
    study, analysis = loaded.study, loaded.analysis
    for bad in loaded.damaged:
        warn(f"damaged record {bad.path}: {bad.reason}; left out (run the study to replace it)")
    if not loaded.records:
        raise InputError(
            f"{directory} has no finished cell of the study '{study.name}' yet; run it first: "
            f"python run_all.py run {study.name} --out {directory}"
        )
    try:
        page = write_report(
            analysis,
            loaded.records,
            study,
            directory / "report",
            loaded.causes.findings(),
            loaded.causes.sections(),
        )
    except OSError as error:
        raise InputError(
            f"cannot write the report to {directory / 'report'} ({_first_line(error)}); the "
            f"records are safe. Make room, then: python run_all.py report {directory}"
        ) from None
    show(out, loaded.records, study, analysis, loaded.causes.findings())
    if loaded.hidden:
        named = [f"{name} ({count}: {why})" for (name, why), count in loaded.hidden.items()]
        out.print(
            f"{sum(loaded.hidden.values())} records of conditions that the study no longer has "
            f"are kept and not shown: {', '.join(grouped(named, 5))}",
            style="dim",
            markup=False,
            highlight=False,
        )
    out.print(f"report: {page}", highlight=False, soft_wrap=True)
    return 1 if loaded.damaged else 0


def _first_line(error: OSError) -> str:
    return (error.strerror or str(error)).splitlines()[0]


def warn(message: str) -> None:
    """Print one line to standard error, never wrapped."""
    print(message, file=sys.stderr)


def _terminated(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; every error that a user can mend is one line and exit code 2."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app()
    except InputError as error:
        warn(f"error: {error}")
        sys.exit(2)


if __name__ == "__main__":
    main()
