"""Measure what planning, resuming, reporting and verifying cost with many records.

    python tests/store_scale.py --records 1000,10000,100000 --save /tmp/scale

One seed of the ten conditions is trained for real on the small digits. Its records are the pattern
of all others: every accuracy, loss and time is changed a little, and the record is sealed, as a run
of ten conditions and many seeds would leave it. Each command then runs as a process of its own on
the directory, in this order:

    dry run, first    no index is there, so every record is read and checked once
    dry run           the index is there
    run               nothing is missing; no report
    report            all figures and tables
    verify            every record is read and checked

The columns are CPU seconds of the process and its peak memory (VmHWM), imports included: a dry run
of a new directory is the first line of the table.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent
sys.path.insert(0, str(HERE))

from harness.keeping.records import seal  # noqa: E402
from harness.keeping.store import Store  # noqa: E402
from harness.studies.condition import cell_key  # noqa: E402
from harness.studies.study_files import shipped_studies  # noqa: E402

CLAIM = """
[[claims]]
id = "gain"
text = "plasticity gains four points"
source = "nobody"
treatment = "dhp"
baseline = "finetune"
reported = 4.0
unit = "points"
margin = 1.3
"""
WATCHED = """
import json, os, runpy, sys
place = sys.argv[1]
sys.argv = sys.argv[2:]
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
code = 0
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as stop:
    code = stop.code or 0
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
spent = os.times()
with open(place, "w") as file:
    json.dump([code, spent.user + spent.system, peak / 1024], file)
"""


OF_SEED = ("key", "seed", "accuracy", "telemetry", "timings", "sha256")
GAP = "\0"


def program(*arguments: object) -> list[str]:
    """Return the command line of the program."""
    return [str(HERE / "run_all.py"), *map(str, arguments)]


def study_of(seeds: int, folder: Path) -> Path:
    """Write the study: the ten conditions on the digits, a claim, and so many seeds.

    Its strengths are those that a search chose. The search itself is left out: the seeds it took
    are among a thousand others.
    """
    shipped = shipped_studies()["dhp-split-digits"]
    text = re.sub(r"(?m)^strengths = .*$", "", shipped.read_text(encoding="utf-8"))
    text = re.sub(r"(?ms)^\[search.*?(?=^\[(?!search)|\Z)", "", text)
    table = shipped.parent / "strengths" / shipped.name
    for name, chosen in tomllib.loads(table.read_text(encoding="utf-8"))["chosen"].items():
        line = rf'(?m)^("?{re.escape(name)}"? = {{.*?) }}$'
        text = re.sub(line, rf"\1, strength = {chosen['strength']} }}", text)
    text = text.replace('name = "dhp-split-digits"', 'name = "scale"')
    path = folder / f"scale-{seeds}.toml"
    path.write_text(text.replace("seeds = 10\n", f"seeds = {seeds}\n") + CLAIM, encoding="utf-8")
    return path


def changed(pattern: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return a record of another seed, like a trained one but with other numbers."""
    draw = random.Random(f"{pattern['program']} {seed}")
    accuracy = [
        [
            None if v is None else max(0, min(91, round(91 * v) + draw.randint(-3, 3))) / 91
            for v in row
        ]
        for row in pattern["accuracy"]
    ]
    telemetry = [
        {name: v if name == "task" else v * draw.uniform(0.9, 1.1) for name, v in entry.items()}
        for entry in pattern["telemetry"]
    ]
    timings = {
        name: value * draw.uniform(0.9, 1.1) if isinstance(value, float) else value
        for name, value in pattern["timings"].items()
    }
    key = cell_key(pattern["program"], seed)
    content = {**pattern, "key": key, "seed": seed, "accuracy": accuracy}
    del content["sha256"]
    sealed: Any = seal({**content, "telemetry": telemetry, "timings": timings})  # type: ignore[typeddict-item]
    return dict(sealed)


def form_of(record: Mapping[str, Any]) -> str:
    """Return the text of a record's file with a gap for each value in which seeds differ."""

    def blank(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: blank(inner) for name, inner in value.items()}
        return [blank(inner) for inner in value] if isinstance(value, list) else GAP

    fields = {name: blank(value) if name in OF_SEED else value for name, value in record.items()}
    text = json.dumps(fields, indent=1) + "\n"
    return text.replace("%", "%%").replace(json.dumps(GAP), "%s")


def filled(form: str, record: Mapping[str, Any]) -> str:
    """Return the text of a record's file, as ``json.dumps`` writes it, in a tenth of its time."""

    def values(of: Any) -> Iterator[Any]:
        if isinstance(of, dict | list):
            for inner in of.values() if isinstance(of, dict) else of:
                yield from values(inner)
        else:
            yield of

    own = [value for name in record if name in OF_SEED for value in values(record[name])]
    return form % tuple(map(json.dumps, own))


def make(root: Path, study: Path, seeds: int) -> None:
    """Train one seed for real, and write the others without waiting for the disk."""
    train = [sys.executable, *program("run", study, "--seeds", "1", "--no-report", "--out", root)]
    subprocess.run(train, check=True, stdout=subprocess.DEVNULL)
    records = root / "records"
    patterns = [json.loads(path.read_text()) for path in sorted(records.glob("*.json"))]
    forms = [form_of(changed(pattern, 0)) for pattern in patterns]
    for seed in range(1, seeds):
        for pattern, form in zip(patterns, forms, strict=True):
            content = changed(pattern, seed)
            (records / f"{content['key']}.json").write_text(filled(form, content))


def measured(arguments: Sequence[object], scratch: Path) -> tuple[float, float]:
    """Run a command to its end; returns CPU seconds and peak memory in MiB."""
    place = scratch / "spent.json"
    command = [sys.executable, "-c", WATCHED, str(place), *program(*arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "150"}
    )
    if done.returncode or not place.is_file():
        raise SystemExit(f"{arguments} failed:\n{done.stdout}{done.stderr}")
    code, seconds, peak = json.loads(place.read_text())
    place.unlink()
    if code:
        raise SystemExit(f"{arguments} ended with {code}:\n{done.stdout}{done.stderr}")
    return seconds, peak


def commands(root: Path, study: Path) -> Iterator[tuple[str, list[object]]]:
    """Yield what is measured, in order."""
    run: list[object] = ["run", study, "--out", root, "--executor", "in-process"]
    yield "dry run of a new directory", [*run[:-3], root.parent / "new", "--dry-run"]
    yield "dry run, first", [*run, "--dry-run"]
    yield "dry run", [*run, "--dry-run"]
    yield "run, nothing missing", [*run, "--no-report"]
    yield "report", ["report", root]
    yield "verify", ["verify", root]


def main() -> None:
    """Measure every size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", default="1000,10000", help="numbers of records, of 10 each")
    parser.add_argument("--save", type=Path, required=True, help="the directories stay here")
    parser.add_argument("--only", default="", help="measure what begins so, such as 'dry run'")
    options = parser.parse_args()
    options.save.mkdir(parents=True, exist_ok=True)
    print("| records | command | CPU s | peak MiB |\n| --- | --- | --- | --- |", flush=True)
    for count in map(int, options.records.split(",")):
        root, seeds = options.save / f"records-{count}", count // 10
        study = study_of(seeds, options.save)
        if len(Store(root).files()) != 10 * seeds:
            shutil.rmtree(root, ignore_errors=True)
            make(root, study, seeds)
        for name, arguments in commands(root, study):
            if name == "dry run, first" and name.startswith(options.only):
                (root / "index.npz").unlink(missing_ok=True)
            if name.startswith(options.only):
                seconds, peak = measured(arguments, options.save)
                print(f"| {count} | {name} | {seconds:.1f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
