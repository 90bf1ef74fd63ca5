"""What a program reads of a command: one line of JSON, and nothing where that is asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gate_results import results, shifted
from test_required import study_of

HERE = Path(__file__).parent.parent


def command(*words: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(HERE / "run_all.py"), *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the only line of standard output."""
    (line,) = done.stdout.splitlines()
    facts: dict[str, Any] = json.loads(line)
    assert facts["exit_code"] == done.returncode
    return facts


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = study_of(5.0, expected="NOT REPRODUCED")
    return results(tmp_path_factory.mktemp("answer") / "results", shifted(5.0), study)


def test_a_report_answers_in_a_line_and_says_the_rest_to_standard_error(directory: Path) -> None:
    done = command("report", directory, "--json")
    facts = answer(done)
    assert facts["command"] == "report"
    assert (facts["study"], facts["exit_code"]) == ("by-hand", 1), "its control fails"
    (claim,) = facts["claims"]
    assert (claim["id"], claim["verdict"]) == ("gain", "REPRODUCED")
    assert (claim["seeds"], claim["as_expected"]) == ([12], False)
    assert claim["reserved"] is None, "all its seeds are there, and nobody changed it"
    assert claim["ci"][0] < claim["estimate"] < claim["ci"][1]
    assert Path(facts["report"]).is_file()
    assert "REPRODUCED" in done.stderr

    silent = command("verify", directory, "--quiet")
    assert (silent.stdout, silent.returncode) == ("", 0)
    assert silent.stderr.startswith("CONTROL FAILED"), "a warning is no chatter"
    both = command("verify", directory, "--quiet", "--json")
    assert answer(both)["differing"] == []
    (directory / "report" / "report.md").write_text("forged")
    forged = command("verify", directory, "--quiet", "--json")
    assert any("report.md" in name for name in answer(forged)["differing"])
    assert "report.md" in forged.stderr


def test_a_run_tells_its_cells(tmp_path: Path) -> None:
    words = ("run", "smoke", "--conditions", "finetune", "--executor", "in-process", "--no-report")
    planned = answer(command(*words, "--out", tmp_path / "run", "--dry-run", "--json"))
    assert (planned["missing"], planned["on_record"]) == (2, 0)
    assert planned["seconds"] > 0
    facts = answer(command(*words, "--out", tmp_path / "run", "--json"))
    cells = {name: facts[name] for name in ("asked", "on_record", "diverged", "failed")}
    assert cells == {"asked": 2, "on_record": 2, "diverged": 0, "failed": 0}
    assert facts["directory"] == str(tmp_path / "run")


def test_bad_input_is_an_answer_too() -> None:
    facts = answer(command("run", "no-such-study", "--json"))
    assert facts["exit_code"] == 2
    assert "no-such-study" in facts["error"]


def test_the_options_go_after_the_command() -> None:
    done = command("--json", "studies")
    assert done.returncode == 2
    assert "--json goes after the command studies" in done.stderr


def test_the_studies_as_json() -> None:
    studies = {study["name"]: study for study in answer(command("studies", "--json"))["studies"]}
    assert studies["smoke"]["cells"] == 20
    assert "finetune" in studies["dhp-split-mnist"]["conditions"]


def test_every_command_has_the_options() -> None:
    import run_all

    for one in run_all.app.registered_commands:
        assert one.callback is not None
        assert {"quiet", "as_json"} <= one.callback.__annotations__.keys()
