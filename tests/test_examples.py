"""What ``examples/`` shows, run as a user runs it: copied away, by the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from commands import HERE, run, without_notes

pytestmark = pytest.mark.slow
SHORT = ("--seeds", 2, "--executor", "in-process")


def test_a_training_function_without_torch_runs_from_anywhere(tmp_path: Path) -> None:
    shutil.copytree(HERE / "examples", tmp_path / "mine")
    out = tmp_path / "out"
    words = ("--seeds", 3, "--out", out, "--no-report")
    done = run("run", tmp_path / "mine" / "mine.toml", *words, cwd=tmp_path)
    assert (done.returncode, without_notes(done.stderr)) == (0, "")
    cells = [json.loads(path.read_text("utf-8")) for path in (out / "records").iterdir()]
    assert len(cells) == 6
    values = {(c["condition"], c["seed"]): c["values"]["accuracy"] for c in cells}
    gain = sum(values["average", seed] - values["plain", seed] for seed in range(3)) / 3
    assert 0 < gain < 0.12, "four points, give or take three standard errors of three seeds"
    assert {c["provenance"]["deterministic"] for c in cells} == {True}


def test_a_method_in_a_file_of_ones_own_runs_reports_and_verifies(tmp_path: Path) -> None:
    shutil.copytree(HERE / "examples", tmp_path / "mine")
    study, out = tmp_path / "mine" / "huber.toml", tmp_path / "out"
    done = run("run", study, *SHORT, "--out", out, cwd=tmp_path, timeout=1200)
    assert done.returncode == 0, done.stderr
    cells = [json.loads(path.read_text("utf-8")) for path in (out / "records").iterdir()]
    assert len(cells) == 10
    penalties = {
        cell["condition"]: cell["telemetry"][-1]["penalty"] for cell in cells if cell["seed"] == 0
    }
    assert penalties["wide"] == pytest.approx(penalties["l2"], rel=1e-3), "nothing is so far away"
    assert penalties["huber"] > penalties["narrow"] > 0
    assert penalties["finetune"] == 0

    (tmp_path / "mine" / "huber.py").write_text("raise ValueError('imported')", encoding="utf-8")
    for command in ("report", "verify"):
        done = run(command, out, cwd=tmp_path, timeout=1200)
        assert done.returncode == 0, done.stderr
    again = run("run", study, "--out", out, cwd=tmp_path)
    assert again.returncode == 2
    assert (
        "huber.toml: conditions.huber.consolidation: 'huber.py:Huber' cannot be imported"
        in again.stderr
    )
    assert "ValueError: imported" in again.stderr
    assert "Traceback" not in again.stderr
