"""The command line: run studies, report on results, list what ships. Arguments and exit codes.

What a command needs is imported where it is called: help, lists and answers to a typing error do
not wait for torch, pandas or the drawing of figures.

This file is long because every option stands with its help.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.text import Text
from typer import Argument, Option

from harness.errors import InputError, Interrupted, NoDataError
from harness.running import interruption
from harness.running.options import DeviceName, ExecutorName, Options
from harness.screen.messages import OTHER_DATA, warn
from reports.output.console import Terminal, spell_out_what_cannot_be_written

if TYPE_CHECKING:
    from harness.keeping.results import Results
    from harness.running.adaptive import Look
    from harness.studies.study import Study
    from reports.findings.analysis import Analysis

DEFAULT_STUDY, FALLBACK_STUDY = "dhp-split-mnist", "dhp-split-digits"

out = Terminal()
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
    Option(
        envvar="REPRO_DATA_DIR",
        help="Folder that holds MNIST/raw (torchvision's layout), or where to download it to.",
    ),
]
AllowOtherData = Annotated[
    bool,
    Option(
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
        code = _run(DEFAULT_STUDY, data_dir, allow_other_data=allow_other_data)
    except NoDataError as error:
        notice = Text.assemble(
            (f"{OTHER_DATA}.", "bold yellow"),
            f" Without MNIST this runs {FALLBACK_STUDY} on the small digits that scikit-learn "
            "carries; its numbers say nothing about the published ones.",
        )
        out.print(notice)
        out.print(f"({error})\n", highlight=False)
        code = _run(FALLBACK_STUDY, data_dir)
        out.print()
        out.print(notice)
    raise typer.Exit(code)


@app.command()
def run(
    study: Annotated[str, Argument(help="Name of a study that ships, or a TOML file.")],
    seeds: Annotated[str | None, Option(help="How many (10: 0 to 9), or which (0-9,20).")] = None,
    conditions: Annotated[
        str | None, Option(help="Some of the study's conditions: finetune,dhp")
    ] = None,
    out: Annotated[Path | None, Option(help="Results directory (default: results/STUDY).")] = None,
    executor: Annotated[
        ExecutorName, Option(help="ray, in-process, or auto: Ray if installed and the job is long.")
    ] = "auto",
    address: Annotated[
        str | None, Option(help="Join the Ray cluster at this address (or 'auto').")
    ] = None,
    workers: Annotated[
        int | None, Option(min=1, help="Blocks in flight (default: one for every core or GPU).")
    ] = None,
    lanes: Annotated[
        int | None, Option(min=1, help="Cells trained side by side; never changes a number.")
    ] = None,
    device: Annotated[DeviceName, Option(help="auto, cpu or cuda.")] = "auto",
    data_dir: DataDir = Path("data"),
    allow_other_data: AllowOtherData = False,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show the plan and an estimate of the time.")
    ] = False,
    adaptive: Annotated[
        bool,
        Option(
            "--adaptive",
            help="Add 5 seeds at a time until every claim is decided, with intervals that stay "
            "valid however often one looks.",
        ),
    ] = False,
    max_seeds: Annotated[int, Option(min=2, help="Where --adaptive stops in any case.")] = 100,
) -> None:
    """Run what is missing of a study, then summarise it.

    Finished cells are kept: an interrupted run goes on with the same command. Exit codes: 0 done,
    1 some cells failed or diverged, 2 bad input, 130 interrupted.
    """
    if adaptive and (seeds is not None or dry_run):
        raise InputError("--adaptive chooses the seeds itself: leave out --seeds and --dry-run")
    options = Options(executor, address, workers, lanes, device)
    most = max_seeds if adaptive else None
    chosen = (seeds, conditions, out, options, allow_other_data, dry_run, most)
    raise typer.Exit(_run(study, data_dir, *chosen))


@app.command()
def report(
    directory: Annotated[Path, Argument(help="A results directory, as a run made it.")],
) -> None:
    """Write the report of a results directory: verdicts, page, figures, tables."""
    raise typer.Exit(_report(directory))


@app.command()
def verify(
    directory: Annotated[Path, Argument(help="A results directory with a report.")],
) -> None:
    """Recompute verdict.json and summary.csv from the records; exit 1 naming what differs.

    The other files must be there, and no others beside them.
    """
    from harness.keeping.results import read_results

    results = read_results(directory)
    if not (directory / "report").is_dir():
        raise InputError(
            f"{directory} has no report to verify; write it: python run_all.py report {directory}"
        )
    from reports.output.page import report_files
    from reports.output.verify import differences, grouped
    from reports.sections.report import sections

    analysis = _analysed(results)
    named = [f"damaged record {bad.path.name}: {bad.reason}" for bad in results.damaged]
    for notice in analysis.notices:
        warn(notice)
    files = report_files(sections(analysis, results.study))
    named += differences(analysis, directory / "report", files)
    for name in grouped(named):
        warn(f"differs: {name}")
    if not named:
        count = len(analysis.records)
        out.print(f"{count} records, verdict.json and summary.csv agree; all files are there")
    raise typer.Exit(1 if named else 0)


@app.command()
def studies(
    study: Annotated[str | None, Argument(help="Show this one in full.")] = None,
) -> None:
    """List the studies that ship; with a name, its protocol, conditions and claims."""
    from harness.screen.listing import shipped_table, show_study
    from harness.studies.study_files import load_study

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
    allow_other_data: bool = False,
    dry_run: bool = False,
    most_seeds: int | None = None,
) -> int:
    """Run what is missing of a study and report on it; returns the exit code.

    ``most_seeds`` is where to stop adding seeds; None to run those of the study, or ``seeds``.
    """
    from harness.studies.study_files import load_study

    study = load_study(study_name)
    names = None if conditions is None else [n for n in map(str.strip, conditions.split(",")) if n]
    chosen = study.choose(names, seeds)
    if most_seeds is not None and not study.claims:
        raise InputError(f"--adaptive: study '{study.name}' has no claim that could be decided")
    root = root or Path("results") / study.name
    if options is not None:
        options.check()

    from harness.running.adaptive import add_seeds
    from harness.running.session import Session
    from harness.screen.run import show_plan, show_run

    def session(part: Study) -> Session:
        return Session(study, part, data_dir, root, options, allow_other_data=allow_other_data)

    if dry_run:
        show_plan(out, session(chosen))
        return 0
    if most_seeds is None:
        code = show_run(out, session(chosen))
    else:
        code = add_seeds(
            lambda count: show_run(out, session(study.choose(names, str(count))), count),
            lambda: _look(root),
            lambda sentence: out.print(sentence, highlight=False),
            most_seeds,
        )
    return max(code, _report(root))


def _look(root: Path) -> Look:
    """Return which claims are undecided, on all seeds on record."""
    from harness.keeping.results import read_results
    from harness.running.adaptive import Look
    from reports.findings.contrasts import undecidable, undecided

    analysis = _analysed(read_results(root))
    claims = analysis.claims
    return Look(len(analysis.seeds), len(claims), undecided(claims), undecidable(claims))


def _analysed(results: Results) -> Analysis:
    from reports.findings.analysis import analyse
    from reports.numbers.records import as_records
    from reports.numbers.sequential import ANYTIME
    from reports.numbers.statistics import FIXED

    procedure = ANYTIME if results.adaptive else FIXED
    return analyse(as_records(results.records), results.study, procedure)


def _report(directory: Path) -> int:
    """Write the report of a results directory, and show what it says in short."""
    from harness.keeping.results import read_results
    from harness.screen.messages import say_what_is_left_out

    results = read_results(directory)

    from reports.output.page import write_report
    from reports.output.terminal import show

    analysis = _analysed(results)
    try:
        page = write_report(analysis, results.study, directory / "report")
    except OSError as error:
        reason = (error.strerror or str(error)).splitlines()[0]
        raise InputError(
            f"cannot write the report to {directory / 'report'} ({reason}); the records are "
            f"safe. Make room, then: python run_all.py report {directory}"
        ) from None
    except KeyboardInterrupt:
        raise Interrupted(
            f"the records are safe; write the report: python run_all.py report {directory}"
        ) from None
    show(out, analysis, results.study)
    say_what_is_left_out(out, results)
    out.print(f"report: {page}", highlight=False, soft_wrap=True)
    return 1 if results.damaged else 0


def main() -> None:
    """Run the command line; every error that a user can mend is one line and exit code 2."""
    interruption.listen()
    spell_out_what_cannot_be_written()
    try:
        app()
    except InputError as error:
        warn(f"error: {error}")
        sys.exit(2)
    except Interrupted as end:
        _exit_interrupted(str(end))
    except SystemExit as end:
        if end.code != interruption.INTERRUPTED:
            raise
        # typer answers so to a KeyboardInterrupt
        _exit_interrupted("what is recorded is kept; the same command goes on from there")


def _exit_interrupted(kept: str) -> NoReturn:
    interruption.ignore()
    warn(f"interrupted: {kept}")
    sys.exit(interruption.INTERRUPTED)


if __name__ == "__main__":
    main()
