"""All shipped studies in one command: order, what is skipped, what fails, what an end keeps."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import HERE
from processes import wait_until
from test_gate import call
from test_overview import quick

from harness.keeping.results import read_results
from harness.studies import study_files
from reports.figures import theme

STUDY = """
name = "{name}"
seeds = {seeds}
[protocol]
benchmark = "{benchmark}"
hidden = [8]
batch_size = 16
iterations_per_task = {steps}
[conditions]
finetune = {{}}
si = {{ consolidation = "si", strength = 1.0 }}
"""
NOWHERE = "/proc/nothing"
"""Holds no data, and nothing can be written to it either."""


def ship(folder: Path, **steps: int) -> dict[str, Path]:
    """Write small studies; those whose name says so need MNIST."""
    folder.mkdir(exist_ok=True)
    written = {}
    for name, count in steps.items():
        benchmark = "split-mnist" if "mnist" in name else "split-digits"
        path = written[name] = folder / f"{name}.toml"
        path.write_text(STUDY.format(name=name, seeds=2, benchmark=benchmark, steps=count))
    return written


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for results, where three studies ship: a dear one, a cheap one, one of MNIST."""
    studies = ship(tmp_path / "studies", a_dear=400, b_mnist=2, c_cheap=2)
    monkeypatch.setattr(study_files, "shipped_studies", lambda: studies)
    monkeypatch.setattr("harness.screen.listing.shipped_studies", lambda: studies)
    monkeypatch.setattr(theme, "save", quick)
    return tmp_path / "results"


def answer(*arguments: object) -> tuple[int, dict[str, Any], str]:
    """Return the exit code of a run of all studies, its line of JSON, and all that it said."""
    code, output = call("run", "--all", "--executor", "in-process", "--json", "--data-dir",
                        NOWHERE, *arguments)  # fmt: skip
    (line,) = [line for line in output.splitlines() if line.startswith('{"command"')]
    return code, json.loads(line), output


def test_what_can_run_runs_the_cheapest_first_and_the_overview_ends_it(shipped: Path) -> None:
    code, facts, said = answer("--out", shipped)
    assert code == 0, said
    assert [one["study"] for one in facts["plan"]] == ["c_cheap", "a_dear"]
    assert [(one["study"], one["asked"], one["exit_code"]) for one in facts["ran"]] == [
        ("c_cheap", 4, 0),
        ("a_dear", 4, 0),
    ]
    finished = [
        [record["timings"]["finished"] for record in read_results(shipped / name).records]
        for name in ("c_cheap", "a_dear")
    ]
    assert max(finished[0]) < min(finished[1])
    assert all(len(times) == 4 for times in finished)
    overview = json.loads((shipped / "overview.json").read_text())
    assert {one["study"] for one in overview["directories"]} == {"a_dear", "c_cheap"}
    assert facts["overview"] == str(shipped / "index.html")
    assert (shipped / "index.html").is_file()

    assert facts["without_data"] == ["b_mnist"]
    assert not (shipped / "b_mnist").exists()
    loud = "NOT THE CLAIM'S DATA SET. b_mnist is left out, for"
    assert said.count(loud) == 2, "first and last"
    assert said.index(loud) < said.index("c_cheap: 4 cells to run")
    assert said.rindex(loud) > said.index("overview:")
    assert f"no MNIST: {NOWHERE}" in said

    before = {path: path.stat().st_mtime_ns for path in shipped.glob("*/records/*")}
    code, facts, _ = answer("--out", shipped)
    assert (code, facts["ran"]) == (0, [])
    assert [one["missing"] for one in facts["plan"]] == [0, 0]
    assert before == {path: path.stat().st_mtime_ns for path in shipped.glob("*/records/*")}


def test_a_plan_tells_the_time_of_each_and_of_all_and_writes_nothing(shipped: Path) -> None:
    code, facts, said = answer("--out", shipped, "--dry-run")
    assert code == 0, said
    seconds = [one["seconds"] for one in facts["plan"]]
    assert seconds == sorted(seconds)
    assert 0 < seconds[0] < seconds[1] / 10, "2 and 400 steps a task"
    rows = [line.split("\u2502")[1:5] for line in said.splitlines() if line.startswith("\u2502")]
    cells = {name.strip(): (int(missing), time.strip()) for name, missing, _, time in rows}
    assert cells["b_mnist"] == (4, "no data")
    assert cells["all that can run"][0] == 8
    assert cells["all that can run"][1].startswith("about ")
    assert "ran" not in facts
    assert not shipped.exists()


def test_a_study_that_fails_keeps_no_other_from_running(shipped: Path) -> None:
    """One whose directory is damaged from the start, and one whose records cannot be written."""
    (shipped / "a_dear").mkdir(parents=True)
    (shipped / "a_dear" / "study.json").write_text("{")
    code, facts, said = answer("--out", shipped, "--no-report")
    assert code == 1
    assert "a_dear: cannot run: " in said
    assert list(facts["unable"]) == ["a_dear"]
    assert [(one["study"], one["exit_code"]) for one in facts["ran"]] == [("c_cheap", 0)]
    assert not (shipped / "index.html").exists(), "no report was wanted"

    (shipped / "a_dear" / "study.json").unlink()
    (shipped / "a_dear").rmdir()
    for path in (shipped / "c_cheap" / "records").iterdir():
        path.unlink()
    (shipped / "c_cheap" / "claims.jsonl").unlink(missing_ok=True)
    (shipped / "c_cheap" / "claims.jsonl").mkdir()
    code, facts, said = answer("--out", shipped, "--no-report")
    assert code == 1
    assert [(one["study"], one["exit_code"]) for one in facts["ran"]] == [
        ("c_cheap", 1),
        ("a_dear", 0),
    ]
    assert said.count("c_cheap: ") >= 2, "when it fails, and at the end"
    assert "claims.jsonl" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--seeds", "3"), "--seeds"),
        (("--conditions", "si", "--shard", "1/2"), "--conditions, --shard"),
        (("--adaptive",), "--adaptive"),
        (("--serve", "0"), "--serve"),
        (("--dry-run", "--nodes", "2"), "--nodes"),
        (("--dry-run", "--require-complete"), "--require-complete"),
        (("--address", "auto"), "--address"),
        (("--cell-timeout", "5"), "--cell-timeout"),
    ],
)
def test_options_of_one_study_are_refused(options: tuple[str, ...], named: str) -> None:
    code, said = call("run", "--all", *options)
    assert code == 2
    (line,) = said.strip().splitlines()
    assert line.endswith(f"leave out {named}, or name one study")


def test_it_takes_a_study_or_all(shipped: Path) -> None:
    for words in ((), ("c_cheap", "--all")):
        code, said = call("run", *words)
        assert code == 2
        assert "run takes either a study or --all" in said


@pytest.mark.slow
def test_an_interruption_keeps_all_and_names_the_study(tmp_path: Path) -> None:
    studies = {name: str(path) for name, path in ship(tmp_path / "s", cheap=2, dear=30_000).items()}
    script = tmp_path / "program.py"
    script.write_text(
        "import pathlib, sys, run_all\n"
        "from harness.studies import study_files\n"
        f"studies = {{name: pathlib.Path(path) for name, path in {studies!r}.items()}}\n"
        "study_files.shipped_studies = lambda: studies\n"
        "run_all.main()\n"
    )
    results = tmp_path / "results"
    program = subprocess.Popen(
        [sys.executable, script, "run", "--all", "--out", results, "--executor", "in-process",
         "--lanes", "1", "--no-report"],
        env=os.environ | {"PYTHONPATH": str(HERE)},
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    wait_until((results / "dear" / "study.json").exists)
    program.send_signal(signal.SIGINT)
    _, said = program.communicate(timeout=120)
    assert program.returncode == 130, said
    assert "interrupted: dear: " in said
    assert "the same command goes on from here" in said
    assert len(read_results(results / "cheap").records) == 4
