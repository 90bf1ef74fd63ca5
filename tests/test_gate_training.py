"""The gate on results that are really trained: confirmations on fresh seeds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from test_gate import Gate, answer, call

from harness.keeping.records import seal
from harness.screen.confirming import FIRST_SEED

pytestmark = pytest.mark.slow

STUDY = """
name = "by-hand"
seeds = 10
[protocol]
benchmark = "split-digits"
hidden = [32]
learning_rate = 0.1
iterations_per_task = {updates}
[conditions]
plain = {{}}
kept = {{ consolidation = "mas", strength = 0.1 }}
"""


def train(folder: Path, name: str, updates: int) -> Path:
    """Train the study with so many updates a task; returns its results directory."""
    (folder / f"{name}.toml").write_text(STUDY.format(updates=updates))
    root = folder / name
    code, output = call(
        "run", folder / f"{name}.toml", "--out", root, "--executor", "in-process", "--no-report"
    )
    assert code == 0, output
    return root


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a gate and its accepted results."""
    folder = tmp_path_factory.mktemp("trained")
    code, output = Gate(folder).accept(train(folder, "accepted", updates=30))
    assert code == 0, output
    return folder


def attempts(gate: Gate) -> list[dict[str, Any]]:
    lines = (gate.study / "confirmations.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_true_regression_is_confirmed_by_fresh_seeds(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    gate, worse = Gate(tmp_path), train(tmp_path, "worse", updates=2)
    assert gate.check(worse)[0] == 1
    code, output = gate.check(worse, "--confirm")
    assert code == 1
    found = answer(worse)
    assert found["verdict"] == "REGRESSION"
    first = FIRST_SEED + 10_000
    assert found["confirmation"]["seeds"] == list(range(first, first + 10))
    assert [line["event"] for line in attempts(gate)] == ["started", "judged"]
    assert attempts(gate)[-1]["verdict"] == "REGRESSION"
    assert f"Confirmation, attempt 1: fresh seeds {first} to {first + 9}" in output
    gate.check(worse, "--confirm")
    assert answer(worse)["confirmation"]["seeds"][0] == first + 10_000, "never the same seeds twice"
    assert len(attempts(gate)) == 4


def test_a_false_alarm_is_not_confirmed(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    gate, false = Gate(tmp_path), tmp_path / "false"
    shutil.copytree(tmp_path / "accepted", false)
    for path in (false / "records").glob("*.json"):
        record = json.loads(path.read_text())
        if record["condition"] == "plain":
            lower = [[v and v - 0.3 for v in row] for row in record["accuracy"]]
            changed = record | {"accuracy": lower}
            changed["provenance"] = record["provenance"] | {"numerics": "unknown"}
            path.write_text(json.dumps(seal(changed)))
    assert gate.check(false)[0] == 1
    code, output = gate.check(false, "--confirm")
    assert code in (0, 3)
    assert "REGRESSION: " not in output
    assert answer(false)["confirmation"]["conditions"] == ["plain"]


def test_a_study_that_uses_the_seeds_of_confirmations_gets_none(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    text = STUDY.format(updates=2).replace("seeds = 10", f'seeds = "{FIRST_SEED}-{FIRST_SEED + 2}"')
    (tmp_path / "study.toml").write_text(text)
    run = ("run", tmp_path / "study.toml", "--no-report", "--executor", "in-process", "--out")
    assert call(*run, tmp_path / "a")[0] == 0
    assert gate.accept(tmp_path / "a")[0] == 0
    (tmp_path / "study.toml").write_text(text.replace("per_task = 2", "per_task = 60"))
    assert call(*run, tmp_path / "b")[0] == 0
    code, output = gate.check(tmp_path / "b", "--confirm", "--new-bits")
    assert code in (1, 2, 3)
    assert "are kept for confirmations" in output or code != 2
