"""Studies of training functions as a user runs them: from the first file to the page."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from commands import HERE, command, run, without_notes
from processes import wait_until, working_in

from harness.data.no_data import no_data
from harness.errors import InputError
from harness.running.functions.preflight import Preflight, try_functions
from harness.running.functions.terms import Terms
from harness.studies.study_files import load_study

pytestmark = pytest.mark.slow

STUDY = """
name = "own"
train = "mine.py:train"
seeds = {seeds}
{more}
[conditions]
plain = {{}}
trick = {{ trick = 0.05 }}
"""
FLAKY = """
import os, time
from pathlib import Path

HERE = Path(__file__).parent

def train(seed, trick: float = 0.0):
    with (HERE / "calls").open("a") as calls:
        calls.write(f"{seed} {trick}\\n")
    if seed == 2 and (HERE / "broken").exists():
        raise RuntimeError("no such thing on the second day")
    while seed == 3 and (HERE / "slow").exists():
        os.chdir(HERE)
        time.sleep(0.05)
    return 0.5 + trick + seed / 100
"""


def write(folder: Path, mine: str = FLAKY, seeds: int = 4, more: str = "") -> Path:
    (folder / "mine.py").write_text(mine, encoding="utf-8")
    study = folder / "own.toml"
    study.write_text(STUDY.format(seeds=seeds, more=more), encoding="utf-8")
    return study


def records(out: Path) -> dict[tuple[str, int], dict[str, Any]]:
    found = [json.loads(path.read_text()) for path in (out / "records").glob("*.json")]
    return {(record["condition"], record["seed"]): record for record in found}


def calls(folder: Path) -> list[str]:
    path = folder / "calls"
    made = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return made


def test_the_two_files_of_init_run_report_and_verify_from_an_empty_folder(tmp_path: Path) -> None:
    assert run("init", "my-claim", cwd=tmp_path).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my-claim.toml", "my_claim.py"]
    again = run("init", "my-claim", cwd=tmp_path)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    done = run("run", "my-claim.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "REPRODUCED" in done.stdout
    assert without_notes(done.stderr) == ""
    out = tmp_path / "results" / "my-claim"
    assert {r["provenance"]["pairing"] for r in records(out).values()} == {"streams"}
    page = (out / "report" / "index.html").read_text(encoding="utf-8")
    words = re.sub(r"<(style|script|svg)\b.*?</\1>|<[^>]*>", " ", page, flags=re.S)
    assert not re.search(r"\b(DHP|MNIST|tasks?)\b", words)
    (tmp_path / "my_claim.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    verified = run("verify", out, cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert run("report", out, cwd=tmp_path).returncode == 0


def test_what_fails_is_recorded_and_tried_again_and_nothing_else_is(tmp_path: Path) -> None:
    study, out = write(tmp_path), tmp_path / "out"
    (tmp_path / "broken").touch()
    first = run("run", study, "--out", out, "--no-report", cwd=tmp_path)
    assert first.returncode == 1
    assert first.stderr.startswith(
        "failed: plain seed 2, trick seed 2: RuntimeError: no such thing on the second day (detail"
    )
    assert len(calls(tmp_path)) == 8 + 1, "the first cell runs twice"
    found = records(out)
    assert len(found) == 8
    failed = found["plain", 2]
    assert (failed["status"], failed["accuracy"], failed["values"]) == ("failed", [], {})
    assert 'mine.py", line' in failed["failure"]
    assert found["trick", 1]["values"] == {"accuracy": pytest.approx(0.56)}
    assert found["plain", 0]["provenance"]["deterministic"] is True
    assert found["plain", 0]["provenance"]["device"] == "cpu"
    again = run("run", study, "--out", out, "--no-report", cwd=tmp_path)
    assert again.returncode == 1, "it fails again"
    assert sorted(calls(tmp_path)) == ["2 0.0", "2 0.05"]
    refused = run("accept", out, "--reason", "x", "--baselines", tmp_path / "b", cwd=tmp_path)
    assert (refused.returncode, "plain seed 2" in refused.stderr) == (2, True)
    (tmp_path / "broken").unlink()
    mended = run("run", out, "--no-report", cwd=tmp_path)
    assert (mended.returncode, without_notes(mended.stderr)) == (0, "")
    assert sorted(calls(tmp_path)) == ["2 0.0", "2 0.05"]
    assert {record["status"] for record in records(out).values()} == {"done"}
    assert run("run", study, "--out", out, "--no-report", cwd=tmp_path).returncode == 0
    assert calls(tmp_path) == []
    accepted = run("accept", out, "--reason", "x", "--baselines", tmp_path / "b", cwd=tmp_path)
    assert accepted.returncode == 0, accepted.stderr
    checked = run("check", out, "--baselines", tmp_path / "b", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_run_that_is_interrupted_leaves_nothing_and_goes_on(tmp_path: Path) -> None:
    study, out = write(tmp_path), tmp_path / "out"
    (tmp_path / "slow").touch()
    process = subprocess.Popen(
        command("run", study, "--out", out, "--no-report"),
        cwd=HERE,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: working_in(tmp_path))
    process.send_signal(signal.SIGINT)
    said = without_notes(process.communicate()[1])
    assert process.returncode == 130
    assert re.fullmatch(r"interrupted: \d of 8 cells were recorded; the same command .*\n", said)
    wait_until(lambda: not working_in(tmp_path))
    kept = len(records(out))
    (tmp_path / "slow").unlink()
    calls(tmp_path)
    assert run("run", study, "--out", out, "--no-report").returncode == 0
    assert len(records(out)) == 8
    assert len(calls(tmp_path)) == 8 - kept


def test_a_run_that_is_killed_takes_its_cells_along(tmp_path: Path) -> None:
    study, out = write(tmp_path), tmp_path / "out"
    (tmp_path / "slow").touch()
    process = subprocess.Popen(
        command("run", study, "--out", out, "--no-report"),
        cwd=HERE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: working_in(tmp_path))
    process.kill()
    process.wait()
    wait_until(lambda: not working_in(tmp_path))


def test_two_drivers_share_the_cells(tmp_path: Path) -> None:
    study, out = write(tmp_path, seeds=8), tmp_path / "out"
    words = command("run", study, "--out", out, "--no-report")
    drivers = [
        subprocess.Popen(words, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for driver in drivers:
        driver.communicate()
    assert [driver.returncode for driver in drivers] == [0, 0]
    assert len(records(out)) == 16
    assert not (out / "conflicts").exists()


def test_a_time_limit_ends_a_cell_and_is_for_functions_only(tmp_path: Path) -> None:
    study, out = write(tmp_path), tmp_path / "out"
    (tmp_path / "slow").touch()
    words = ("--cell-timeout", "3", "--seeds", "0,3", "--no-report", "--out", out)
    done = run("run", study, *words)
    assert done.returncode == 1
    assert "took longer than --cell-timeout 3" in done.stderr
    assert records(out)["plain", 3]["status"] == "timed out"
    wait_until(lambda: not working_in(tmp_path))
    refused = run("run", "smoke", "--cell-timeout", "3", "--out", tmp_path / "smoke")
    assert (refused.returncode, without_notes(refused.stderr).count("\n")) == (2, 1)


def test_a_function_that_always_fails_is_answered_before_the_run(tmp_path: Path) -> None:
    study = write(tmp_path, "def train(seed, trick: float = 0.0):\n    return 93.2\n")
    done = run("run", study, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert without_notes(done.stderr).count("\n") == 1
    assert "fails in each run of its trial: returned what is no result: accuracy = 93.2" in (
        done.stderr
    )


def tried(folder: Path, mine: str, more: str = "", **terms: Any) -> Preflight:
    study = load_study(str(write(folder, mine, more=more)))
    conditions = [*study.ours.values()]
    return try_functions(study, conditions, no_data(), "cpu", Terms(**terms), 2, folder)


@pytest.mark.parametrize(
    ("body", "says", "deterministic"),
    [
        ("return 0.5 + trick + seed / 100", [], True),
        (
            "import random; return random.random()",
            ["is not deterministic: 'plain' with seed 0 gave accuracy 0."],
            False,
        ),
        ("return 0.5 + trick", ["for the seeds 0 and 1 of 'plain' alike: does it use its"], True),
        ("return 0.5 + seed / 100", ["for 'trick' and 'plain' alike (seed 0): does it"], True),
        ("return 0.5", ["does it use its seed?", "does it use what they differ in?"], True),
        ("1 / trick", ["fails"], None),
    ],
)
def test_the_trial_says_what_is_wrong_in_a_line(
    body: str, says: list[str], deterministic: bool | None, tmp_path: Path
) -> None:
    mine = f"def train(seed, trick: float = 0.0):\n    {body}\n"
    if deterministic is None:
        mine = "def train(seed, trick: float = 0.0):\n    return 1 / 0\n"
        with pytest.raises(InputError, match=r"mine\.py, line 2\): ZeroDivisionError"):
            tried(tmp_path, mine)
        return
    found = tried(tmp_path, mine)
    assert len(found.lines) == len(says)
    for line, part in zip(found.lines, says, strict=True):
        assert part in line
    assert [*found.deterministic.values()] == [deterministic]
    assert len(found.done) == 3, "its cells are cells of the run"
    again = tried(tmp_path, mine)
    assert (again.lines, again.deterministic, again.done) == (found.lines, found.deterministic, [])


def test_a_cheap_trial_is_none_of_the_run(tmp_path: Path) -> None:
    mine = (
        "import pathlib\ndef train(seed, trick: float = 0.0, epochs: int = 100):\n"
        "    if epochs > 1: raise ValueError\n    return 0.5 + trick + seed / 100\n"
    )
    found = tried(tmp_path, mine, more="preflight = { epochs = 1 }")
    assert (found.lines, found.done) == ([], [])


def test_on_ray_and_beside_the_stack_a_function_gives_the_same(tmp_path: Path) -> None:
    study = tmp_path / "own.toml"
    study.write_text(
        """
name = "both"
seeds = 2
[protocol]
benchmark = "split-digits"
hidden = [12]
iterations_per_task = 4
[conditions]
ours = {}
theirs = { train = "mine.py:train" }
listed = { command = "./train.sh {seed}" }
""",
        encoding="utf-8",
    )
    (tmp_path / "mine.py").write_text(
        "def train(seed, tasks, streams):\n"
        "    for number in range(len(tasks)):\n"
        "        yield [float(streams('x').random()) for _ in range(number + 1)]\n",
        encoding="utf-8",
    )
    script = tmp_path / "train.sh"
    script.write_text('#!/bin/sh\necho "[[0.5], [0.5, 0.2$1]]"\n', encoding="utf-8")
    script.chmod(0o755)
    told = []
    for executor in ("in-process", "ray"):
        out = tmp_path / executor
        done = run("run", study, "--out", out, "--no-report", "--executor", executor)
        assert done.returncode == 0, done.stderr
        found = records(out)
        told.append({cell: (r["accuracy"], r.get("values", 0), r["method"])
                     for cell, r in found.items()})  # fmt: skip
        assert {r["provenance"]["data"] == "none" for r in found.values()} == {True, False}
        assert len({r["provenance"]["numerics"] for r in found.values()}) == 1
    assert told[0] == told[1]
    assert len(told[0]) == 6
    shutil.rmtree(tmp_path / "ray")
