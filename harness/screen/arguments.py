"""The arguments and options of the commands, each with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from harness.running.options import DeviceName, ExecutorName

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
StudyName = Annotated[
    str, Argument(help="A study that ships, a TOML file, or a results directory.")
]
RunName = Annotated[
    str | None, Argument(help="A study that ships, a TOML file, or a results directory.")
]
All = Annotated[
    bool,
    Option(
        "--all",
        help="Every study that ships, the cheapest first, then one page over all; --out is the "
        "folder of their results directories (default: results).",
    ),
]
TunedStudy = Annotated[str, Argument(help="A study that ships, or a TOML file, with [search].")]
TuneOut = Annotated[
    Path | None, Option("--out", help="Results directory (default: results/tune-STUDY).")
]
StrengthsFile = Annotated[
    Path | None,
    Option("--to", help="Write the file of strengths here too (default: only to --out)."),
]
NewName = Annotated[str, Argument(help="Name of the new study: my-claim.")]
ShownStudy = Annotated[str | None, Argument(help="Show this one in full.")]
Seeds = Annotated[str | None, Option(help="How many (10: 0 to 9), or which (0-9,20).")]
Conditions = Annotated[str | None, Option(help="Some of the study's conditions: finetune,dhp")]
Out = Annotated[Path | None, Option(help="Results directory (default: results/STUDY).")]
Executor = Annotated[
    ExecutorName, Option(help="ray, in-process, or auto: Ray if installed and the job is long.")
]
Address = Annotated[str | None, Option(help="Join the Ray cluster at this address (or 'auto').")]
Workers = Annotated[
    int | None, Option(min=1, help="Blocks in flight (default: one for every core or GPU).")
]
Lanes = Annotated[
    int | None, Option(min=1, help="Cells trained side by side; never changes a number.")
]
Device = Annotated[DeviceName, Option(help="auto, cpu or cuda.")]
BlockTimeout = Annotated[
    float | None,
    Option(min=1, help="Seconds without a sign of a worker until its block runs again (600)."),
]
CellTimeout = Annotated[
    float | None,
    Option(min=0.1, help="Seconds until a cell of a training function of your own is ended."),
]
Deadline = Annotated[
    str | None,
    Option(
        help="When the run must have ended: 3:30:00 from now, or 2030-12-31T08:00 "
        "(default: what SLURM tells its jobs). What would not end before is not started."
    ),
]
Bridge = Annotated[
    int | None,
    Option(
        min=1,
        help="Train so many seeds on nodes of a second numerics class too; the report compares.",
    ),
]
Serve = Annotated[
    int | None,
    Option(
        help="Show the run at this port of 127.0.0.1, and nowhere else (0: any that is free).",
    ),
]
DryRun = Annotated[bool, Option("--dry-run", help="Show the plan and an estimate of the time.")]
Nodes = Annotated[
    str | None, Option(help="With --dry-run: predict the run on so many machines (8, or 1,8,64).")
]
CpusPerNode = Annotated[int | None, Option(min=1, help="Cores of each of these machines.")]
GpusPerNode = Annotated[int | None, Option(min=1, help="GPUs of each; trains on them.")]
RequireComplete = Annotated[
    bool,
    Option("--require-complete", help="With --dry-run: exit 1 unless every cell is on record."),
]
NoReport = Annotated[
    bool, Option("--no-report", help="Train only; the command report writes the report later.")
]
Require = Annotated[
    str | None,
    Option(help="Exit 1 unless every claim has one of these verdicts: REPRODUCED,PARTIAL"),
]
Version = Annotated[bool, Option("--version", help="Show the version and exit.", is_eager=True)]
Adaptive = Annotated[
    bool,
    Option(
        "--adaptive",
        help="Add 5 seeds at a time until every claim is decided, with intervals that stay "
        "valid however often one looks.",
    ),
]
MaxSeeds = Annotated[int, Option(min=2, help="Where --adaptive stops in any case.")]
Shard = Annotated[
    str | None,
    Option(help="Only the i-th of N parts of the seeds (2/8), for jobs that share nothing."),
]
MergedDirectories = Annotated[
    list[Path], Argument(help="Results directories of one study, as shards left them.")
]
MergeOut = Annotated[Path, Option(help="Results directory to join them in.")]
ImportedTable = Annotated[
    Path, Argument(help="A table of results: .csv or .parquet, one row a value.")
]
ImportStudy = Annotated[
    str, Option("--study", help="The study's file: names of conditions, and claims.")
]
PooledDirectories = Annotated[
    list[Path], Argument(help="Results directories of one study, one from each site.")
]
PoolOut = Annotated[
    Path | None, Option("--out", help="Folder for the page (default: pooled/STUDY).")
]
ResultsDirectory = Annotated[Path, Argument(help="A results directory, as a run made it.")]
ReportedOn = Annotated[
    Path, Argument(help="A results directory, as a run made it, or a folder of several.")
]
ReportedDirectory = Annotated[
    Path, Argument(help="A results directory with a report, or a folder of several.")
]

CheckedDirectory = Annotated[
    Path, Argument(help="A results directory; train it anew, with the code as it is.")
]
BaselinesFolder = Annotated[
    Path, Option("--baselines", help="Folder of the accepted results (baselines/STUDY/...).")
]
Reason = Annotated[str, Option(help="Why these results are right; the history keeps it.")]
NewEnvironment = Annotated[
    bool,
    Option(
        "--new-environment",
        help="Add another machine or library version, if its results are equivalent.",
    ),
]
Replace = Annotated[
    bool, Option("--replace", help="Start a new generation from an environment that is new.")
]
Restart = Annotated[
    bool, Option("--restart", help="Measure drift from here on, after a change on purpose.")
]
Margin = Annotated[
    float | None,
    Option(
        help="How much worse counts as the same, in points or the unit of the study's measure "
        "(default: by the accepted spread)."
    ),
]
Confirm = Annotated[
    bool, Option("--confirm", help="Train fresh seeds for what is in alarm; these alone decide.")
]
NewBits = Annotated[
    bool,
    Option("--new-bits", help="The arithmetic was changed on purpose: judge by statistics."),
]
