"""The command line: arguments, exit codes, and what joins the harness to the reports.

What a command needs is imported where it is called: help, lists and answers to a typing error do
not wait for torch, pandas or the drawing of figures.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer
from rich.text import Text

from harness.errors import InputError, Interrupted, NoDataError
from harness.running import interruption
from harness.running.options import Options
from harness.screen import arguments, cluster_commands
from harness.screen.answer import Answer
from harness.screen.messages import OTHER_DATA, say_error, warn
from harness.screen.request import Request, carry_out
from reports.output.console import Terminal, spell_out_what_cannot_be_written

if TYPE_CHECKING:
    from harness.running.adaptive import Look
    from reports.findings.running import Estimator

DEFAULT_STUDY, FALLBACK_STUDY = "dhp-split-mnist", "dhp-split-digits"
RESULTS = Path("results")

out = Terminal()
answer = Answer(out)
app = typer.Typer(
    help="Judges a claim by many seeds: yours, with your own code or results that you have, or "
    "the published one that ships: does differentiable Hebbian plasticity (DHP-Softmax) reduce "
    "catastrophic forgetting?\n\n"
    "A claim of your own: init my-claim writes a study and its training function, which run as "
    "they are; import judges a table of results.\n\n"
    "Without a command: run what is missing of dhp-split-mnist, then summarise.",
    epilog="Examples:\n\n"
    "  python run_all.py init my-claim, then python run_all.py run my-claim.toml\n\n"
    "  python run_all.py import results.csv --study my-claim.toml\n\n"
    "  python run_all.py --data-dir ~/data\n\n"
    "  python run_all.py run dhp-split-mnist --seeds 20 --conditions finetune,dhp\n\n"
    "  python run_all.py run my-study.toml --address auto --out results/mine\n\n"
    "  python run_all.py report results/dhp-split-mnist",
    add_completion=False,
    no_args_is_help=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
@answer.of
def default(
    context: typer.Context,
    data_dir: arguments.DataDir = Path("data"),
    allow_other_data: arguments.AllowOtherData = False,
    version: arguments.Version = False,
) -> None:
    """Run the default job where no command is given."""
    if version:
        from importlib.metadata import version as version_of

        out.print(f"dhp-repro {version_of('dhp-repro')}", highlight=False)
        raise typer.Exit(0)
    if context.invoked_subcommand is not None:
        for name in ("data_dir", "allow_other_data", "quiet", "as_json"):
            source = context.get_parameter_source(name)
            if source is not None and source.name == "COMMANDLINE":
                option = f"--{name.removeprefix('as_').replace('_', '-')}"
                raise InputError(f"{option} goes after the command {context.invoked_subcommand}")
        return
    try:
        code = _run(Request(DEFAULT_STUDY, data_dir, allow_other_data))
        _report_folder(RESULTS)
    except NoDataError as error:
        notice = Text.assemble(
            (f"{OTHER_DATA}.", "bold yellow"),
            f" Without MNIST this runs {FALLBACK_STUDY} on the small digits that scikit-learn "
            "carries; its numbers say nothing about the published ones.",
        )
        if answer.quiet:
            warn(notice.plain)
        out.print(notice)
        out.print(f"({error})\n", highlight=False)
        code = _run(Request(FALLBACK_STUDY, data_dir))
        _report_folder(RESULTS)
        out.print()
        out.print(notice)
    raise typer.Exit(code)


@app.command()
@answer.of
def run(
    study: arguments.RunName = None,
    all_: arguments.All = False,
    seeds: arguments.Seeds = None,
    conditions: arguments.Conditions = None,
    out: arguments.Out = None,
    executor: arguments.Executor = "auto",
    address: arguments.Address = None,
    workers: arguments.Workers = None,
    lanes: arguments.Lanes = None,
    device: arguments.Device = "auto",
    block_timeout: arguments.BlockTimeout = None,
    cell_timeout: arguments.CellTimeout = None,
    deadline: arguments.Deadline = None,
    bridge: arguments.Bridge = None,
    data_dir: arguments.DataDir = Path("data"),
    allow_other_data: arguments.AllowOtherData = False,
    shard: arguments.Shard = None,
    serve: arguments.Serve = None,
    dry_run: arguments.DryRun = False,
    nodes: arguments.Nodes = None,
    cpus_per_node: arguments.CpusPerNode = None,
    gpus_per_node: arguments.GpusPerNode = None,
    require_complete: arguments.RequireComplete = False,
    no_report: arguments.NoReport = False,
    adaptive: arguments.Adaptive = False,
    max_seeds: arguments.MaxSeeds = 100,
    require: arguments.Require = None,
) -> None:
    """Run what is missing of a study, then summarise it.

    Finished cells are kept: an interrupted run goes on with the same command. Exit codes: 0 done,
    1 some cells failed or diverged (or are missing), 2 bad input, 3 --adaptive ended undecided,
    130 interrupted.
    """
    patience = (block_timeout, deadline, bridge, cell_timeout)
    options = Options(executor, address, workers, lanes, device, *patience)
    most = max_seeds if adaptive else None
    cluster = None if nodes is None else (nodes, cpus_per_node, gpus_per_node)
    if nodes is None and (cpus_per_node or gpus_per_node):
        raise InputError("--cpus-per-node and --gpus-per-node describe the machines of --nodes")
    part = (seeds, conditions, out, options, dry_run, most, shard, cluster, serve, require_complete)
    if require is not None and (no_report or dry_run):
        raise InputError("--require is about the report: leave out --no-report and --dry-run")
    required = _required(require)
    if (study is None) != all_:
        raise InputError(
            "run takes either a study or --all, which is every study that ships: python run_all.py "
            f"run {DEFAULT_STUDY}"
        )
    request = Request(study or "", data_dir, allow_other_data, *part)
    raise typer.Exit((_run_all if all_ else _run)(request, not no_report, required))


@app.command()
@answer.of
def tune(
    study: arguments.TunedStudy,
    out: arguments.TuneOut = None,
    to: arguments.StrengthsFile = None,
    executor: arguments.Executor = "auto",
    address: arguments.Address = None,
    workers: arguments.Workers = None,
    lanes: arguments.Lanes = None,
    device: arguments.Device = "auto",
    data_dir: arguments.DataDir = Path("data"),
    allow_other_data: arguments.AllowOtherData = False,
    dry_run: arguments.DryRun = False,
    no_report: arguments.NoReport = False,
) -> None:
    """Search the settings that a study's table \\[search] names, on held-out training data.

    Every condition gets the same budget, on seeds that no result uses; an interrupted search goes
    on with the same command. Writes what it chose, with all that it tried, to a file that the study
    includes. Exit codes: 0 done, 1 some cells failed, or a condition diverged in every setting, 2
    bad input, 130 interrupted.
    """
    from harness.screen.tuning import tune as search

    options = Options(executor, address, workers, lanes, device)
    request = Request(study, data_dir, allow_other_data, root=out, options=options, dry_run=dry_run)
    code, root = search(answer, request, to)
    quiet = no_report or dry_run or code != 0
    raise typer.Exit(code if quiet else _report(root))


@app.command()
@answer.of
def init(name: arguments.NewName) -> None:
    """Write a study and its training function, NAME.toml and NAME.py, which run as they are.

    Exit codes: 0 done, 2 where a file is there already or cannot be written.
    """
    from harness.screen.starting import start

    study, function = start(name, Path())
    answer.add(study=str(study), function=str(function))
    out.print(f"{study} and {function}: look into them, then", highlight=False, soft_wrap=True)
    out.print(f"  python run_all.py run {study}", highlight=False, soft_wrap=True)


@app.command()
@answer.of
def report(directory: arguments.ReportedOn, require: arguments.Require = None) -> None:
    """Write the report of a results directory: verdicts, page, figures, tables.

    Of a folder of several, one page over all of them, index.html, and every report that is missing
    or not of its records. Exit codes: 0 done, 1 a control failed, a record or directory is damaged
    or --require not met, 2 bad input.
    """
    required = _required(require)
    if directory.is_dir() and not (directory / "study.json").exists():
        raise typer.Exit(_report_folder(directory, required))
    raise typer.Exit(_report(directory, required))


@app.command()
@answer.of
def merge(directories: arguments.MergedDirectories, out: arguments.MergeOut) -> None:
    """Join results directories of one study, then report on them; exit 1 naming gaps.

    Records that are damaged, and cells with two different results, are named too.
    """
    from harness.screen.merging import merge_results

    code = merge_results(answer.out, directories, out)
    raise typer.Exit(max(code, _report(out)))


@app.command()
@answer.of
def pool(directories: arguments.PooledDirectories, out: arguments.PoolOut = None) -> None:
    """Judge one study over several sites: machines, teams or devices.

    Cells that two sites both trained are compared first. Exit codes: 0 done, 1 such cells differ,
    or a record is damaged, 2 bad input.
    """
    raise typer.Exit(_pool(directories, out))


@app.command(name="import")
@answer.of
def import_(
    table: arguments.ImportedTable,
    study: arguments.ImportStudy,
    out: arguments.Out = None,
    require: arguments.Require = None,
) -> None:
    """Judge results that exist already: a table becomes records, then summarise.

    TABLE is CSV or Parquet, one row a value, with columns of these names (rename those of an export
    of W&B or MLflow): condition, seed, value; for accuracies by task also after_task and task, from
    1 on; for curves also step. Other columns count where a claim names them as its metric.
    Accuracies are fractions from 0 to 1; nan is a run that diverged. Exit codes: 0 done, 1 a
    control failed or --require not met, 2 bad input, and nothing is written.
    """
    from harness.screen.importing import import_results

    required = _required(require)
    raise typer.Exit(_report(import_results(answer.out, table, study, out), required))


@app.command()
@answer.of
def verify(directory: arguments.ReportedDirectory) -> None:
    """Make the report again from the records; exit 1 naming every file that differs.

    Verdicts and tables are compared value by value, the page, the Markdown and the figures to the
    byte. All files must be there, and no others beside them. Of a report that another state of the
    program wrote, only verdicts and numbers are compared, which it says (exit 3, or 0 for a report
    from before version 0.3). Of a folder of results, each report in it and the page over all.
    """
    from harness.keeping.folder import is_folder_of_results
    from harness.screen.reporting import verify_folder, verify_report
    from reports.output.reporter import Reporter

    of_folder = is_folder_of_results(directory)
    raise typer.Exit((verify_folder if of_folder else verify_report)(answer, Reporter(), directory))


@app.command()
@answer.of
def accept(
    directory: arguments.ResultsDirectory,
    reason: arguments.Reason,
    baselines: arguments.BaselinesFolder = Path("baselines"),
    new_environment: arguments.NewEnvironment = False,
    replace: arguments.Replace = False,
    restart: arguments.Restart = False,
) -> None:
    """Accept results as the baseline that later ones are checked against.

    Exit codes: 0 accepted, 1 not equivalent to what is accepted, 2 bad input.
    """
    from harness.screen.gating import accept_results
    from reports.output.gate.judge import GateJudge

    code = accept_results(
        out,
        GateJudge(),
        directory,
        baselines,
        reason=reason,
        new_environment=new_environment,
        replace=replace,
        restart=restart,
    )
    raise typer.Exit(code)


@app.command()
@answer.of
def check(
    directory: arguments.CheckedDirectory,
    baselines: arguments.BaselinesFolder = Path("baselines"),
    margin: arguments.Margin = None,
    confirm: arguments.Confirm = False,
    new_bits: arguments.NewBits = False,
    data_dir: arguments.DataDir = Path("data"),
    allow_other_data: arguments.AllowOtherData = False,
) -> None:
    """Check results against the accepted ones: bit for bit, or by paired statistics.

    Writes DIR/gate: a page, Markdown, JSON and JUnit XML. Exit codes: 0 ok, 1 regression, 2 bad
    input or missing cells, 3 inconclusive.
    """
    from harness.screen.gating import check_results
    from reports.output.gate.judge import GateJudge

    code = check_results(
        answer,
        GateJudge(),
        directory,
        baselines,
        margin=margin,
        confirm=confirm,
        new_bits=new_bits,
        data_dir=data_dir,
        allow_other_data=allow_other_data,
    )
    raise typer.Exit(code)


@app.command()
@answer.of
def studies(study: arguments.ShownStudy = None) -> None:
    """List the studies that ship and what may stand in one; with a name, all of that study."""
    from harness.screen.listing import settings_table, shipped_facts, shipped_table, show_study
    from harness.studies.study_files import load_study

    if study is None:
        answer.add(studies=shipped_facts())
        out.print(shipped_table())
        out.print(settings_table())
    else:
        show_study(out, load_study(study))


app.command()(answer.of(cluster_commands.template))
app.command()(answer.of(cluster_commands.submit))


def _run(
    request: Request, then_report: bool = True, required: tuple[str, ...] | None = None
) -> int:
    """Run what is missing of a study and report on it; returns the exit code."""
    code, root = carry_out(answer, request, _look, _estimator)
    return max(code, _report(root, required)) if then_report and not request.dry_run else code


def _run_all(request: Request, then_report: bool, required: tuple[str, ...] | None) -> int:
    """Run what is missing of all studies that ship; returns the exit code."""
    from harness.screen.all_studies import carry_out_all

    def summarise(folder: Path) -> int:
        return _report_folder(folder, required) if then_report else 0

    return carry_out_all(answer, request, lambda one: _run(one, then_report), summarise)


def _report(directory: Path, required: tuple[str, ...] | None = None) -> int:
    """Report on a results directory; returns the exit code."""
    from harness.screen.reporting import report_on
    from reports.output.reporter import Reporter

    return report_on(answer, Reporter(), directory, required)


def _report_folder(folder: Path, required: tuple[str, ...] | None = None) -> int:
    """Report on every directory of a folder, and on all together; returns the exit code."""
    from harness.screen.reporting import report_on_folder
    from reports.output.reporter import Reporter

    return report_on_folder(answer, Reporter(), folder, required)


def _look(root: Path) -> Look:
    """Return which claims are undecided, on all seeds on record."""
    from harness.screen.reporting import look_at
    from reports.output.reporter import Reporter

    return look_at(Reporter(), root)


def _required(require: str | None) -> tuple[str, ...] | None:
    """Return the verdicts that are required, None for any; InputError where one is no verdict."""
    if require is None:
        return None
    from reports.findings.requirements import verdicts_in

    try:
        return verdicts_in(require)
    except ValueError as error:
        raise InputError(f"--require: {error}") from None


def _estimator(adaptive: bool) -> Estimator:
    """Return what computes the intervals of a run that is watched."""
    from reports.findings.running import Estimator
    from reports.numbers.intervals import FIXED
    from reports.numbers.sequential import ANYTIME

    return Estimator(ANYTIME if adaptive else FIXED)


def _pool(directories: list[Path], folder: Path | None) -> int:
    """Write and show what several sites say together; returns the exit code."""
    from harness.screen.pooling import fingerprint_without_seeds, read_sites

    read = read_sites(directories)

    from reports.findings.looks import Look
    from reports.findings.pool.pool import pool_sites
    from reports.findings.pool.sites import Site
    from reports.numbers.records import as_records
    from reports.output.pool.files import write_pool
    from reports.output.pool.terminal import show_pool

    sites = [
        Site(
            one.name,
            as_records(one.results.records),
            one.results.adaptive,
            [Look(*look) for look in one.results.looks],
            one.results.standings,
        )
        for one in read
    ]
    study = read[0].results.study
    found = pool_sites(sites, study, fingerprint_without_seeds(study))
    folder = folder or Path("pooled") / study.name
    try:
        page = write_pool(found, folder)
    except OSError as error:
        raise InputError(
            f"cannot write to {folder}: {error.strerror or error}; choose another --out"
        ) from None
    show_pool(out, found)
    answer.add(study=study.name, page=str(page), findings=len(found.findings))
    out.print(f"page: {page}", highlight=False, soft_wrap=True)
    damaged = [bad for one in read for bad in one.results.damaged]
    for bad in damaged:
        warn(f"damaged record {bad.path}: {bad.reason}; left out")
    return 1 if found.findings or damaged else 0


def main() -> None:
    """Run the command line; every error that a user can mend is one line and exit code 2."""
    interruption.listen()
    spell_out_what_cannot_be_written()
    try:
        app()
    except InputError as error:
        say_error(error)
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
