"""A results directory can be run as it is, and its page says how it was run."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any, cast

import pytest
from gate_results import STUDY, results
from test_gate import call

from harness.keeping.asking import Asked, asked_of, command_of, seeds_written
from harness.keeping.results import read_results
from harness.keeping.store import Store
from harness.studies.seeds import parse_seeds

TINY = """
name = "tiny"
seeds = 2
[protocol]
benchmark = "split-digits"
hidden = [8, 8]
batch_size = 16
iterations_per_task = 2
[conditions]
finetune = {}
si = { consolidation = "si", strength = 1 }
"""
HOW = ("--executor", "in-process")


def keys(directory: Path) -> set[str]:
    return {path.stem for path in (directory / "records").glob("*.json")}


@pytest.mark.parametrize("seeds", [[0], [3], [0, 1, 2], [0, 1, 5], [4, 7, 8, 9], [2, 3]])
def test_seeds_are_written_as_they_are_read(seeds: list[int]) -> None:
    assert parse_seeds(seeds_written(seeds)) == tuple(seeds)


def asked(**fields: Any) -> Asked:
    default: dict[str, Any] = {"study": "s.toml", "seeds": None, "conditions": None, "out": "o"}
    return cast(Asked, default | fields)


@pytest.mark.parametrize(
    ("fields", "seeds", "conditions", "options"),
    [
        ({}, range(12), STUDY.conditions, ""),
        ({}, range(20), STUDY.conditions, "--seeds 20 "),
        ({"seeds": "3,5"}, (3, 5), STUDY.conditions, "--seeds 3,5 "),
        ({}, range(12), ["ewc"], "--conditions ewc "),
        ({"study": "my study.toml"}, range(12), STUDY.conditions, ""),
    ],
)
def test_the_command_names_what_is_not_the_studys_own(
    fields: dict[str, Any], seeds: Any, conditions: Any, options: str
) -> None:
    records = [{"seed": seed, "condition": name} for seed in seeds for name in conditions]
    study = shlex.quote(fields.get("study", "s.toml"))
    found = command_of(asked(**fields), STUDY, records, adaptive=False)
    assert found == f"python run_all.py run {study} {options}--out o"


def test_the_command_of_an_adaptive_run_lets_it_choose_its_seeds() -> None:
    records = [{"seed": seed, "condition": name} for seed in range(20) for name in STUDY.conditions]
    found = command_of(asked(), STUDY, records, adaptive=True)
    assert found == "python run_all.py run s.toml --adaptive --out o"


@pytest.mark.parametrize("content", [None, [], {}, {"study": "x"}, asked() | {"out": 1}])
def test_what_says_nothing_of_a_run_is_ignored(content: object) -> None:
    assert asked_of(content) is None


def test_a_directory_that_does_not_say_how_it_was_run_can_be_run(tmp_path: Path) -> None:
    directory = results(tmp_path / "by-hand")
    assert "again" not in read_results(directory).commands
    assert call("report", directory)[0] == 0
    text = (directory / "report" / "report.md").read_text()
    assert "Run it again:" not in text
    assert "\npython run_all.py run DIRECTORY --out ANOTHER\n" in text


def test_a_directory_is_run_as_it_was_asked_for(tmp_path: Path) -> None:
    study, first = tmp_path / "tiny.toml", tmp_path / "first"
    study.write_text(TINY)
    options = ("--seeds", "3", "--conditions", "finetune", *HOW)
    code, output = call("run", study, *options, "--out", first)
    assert code == 0, output
    said = f"run {study} --seeds 3 --conditions finetune --out {first}"
    assert said in (first / "report" / "report.md").read_text().replace("\\", "")
    whole, kept = keys(first), json.loads((first / "study.json").read_text())
    study.unlink()  # the directory is enough
    next((first / "records").glob("*.json")).unlink()
    assert call("run", first, *HOW)[0] == 0
    assert keys(first) == whole
    assert json.loads((first / "study.json").read_text()) == kept
    again = tmp_path / "again"
    assert call("run", first, "--out", again, "--no-report", *HOW)[0] == 0
    assert keys(again) == whole
    assert Store(again).asked() == asked(
        study=str(first), seeds="3", conditions="finetune", out=str(again)
    )
    assert call("run", first, "--seeds", "4", "--no-report", *HOW)[0] == 0
    assert len(keys(first)) == 4, "what is typed goes before what was asked"
    last = Store(first).asked()
    assert last is not None
    assert last["study"] == str(study)


def test_a_moved_directory_gives_the_same_bytes(tmp_path: Path) -> None:
    study, first = tmp_path / "tiny.toml", tmp_path / "first"
    study.write_text(TINY)
    assert call("run", study, "--out", first, *HOW)[0] == 0
    moved = tmp_path / "moved"
    shutil.copytree(first, moved)
    code, output = call("verify", moved)
    assert code == 0, output


def test_a_folder_that_holds_no_results_is_refused(tmp_path: Path) -> None:
    code, output = call("run", tmp_path)
    assert code == 2
    assert "holds no results (no study.json)" in output
