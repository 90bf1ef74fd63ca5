"""The regression gate, through the program: what it accepts, what it finds, what it answers."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import gate_results
import pytest
from gate_results import STUDY, results, shifted
from typer.testing import CliRunner

import run_all
from harness.errors import InputError
from harness.studies.condition import Cell

RUNNER = CliRunner()
OTHER: dict[str, Any] = {"numerics": "fedcba9876543210"}
"""The provenance of another environment."""


def call(*arguments: object) -> tuple[int, str]:
    """Return exit code and output of a command, in this process; bad input is code 2."""
    run_all.out.width = 200
    done = RUNNER.invoke(run_all.app, list(map(str, arguments)))
    if isinstance(done.exception, InputError):
        return 2, str(done.exception)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


class Gate:
    """A folder of baselines, and commands on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "baselines"
        self.study = self.folder / STUDY.name

    def accept(self, directory: Path, *options: str, reason: str = "right") -> tuple[int, str]:
        arguments = ("--baselines", self.folder, "--reason", reason, *options)
        return call("accept", directory, *arguments)

    def check(self, directory: Path, *options: object) -> tuple[int, str]:
        return call("check", directory, "--baselines", self.folder, *options)

    def history(self) -> list[dict[str, Any]]:
        lines = (self.study / "history.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def file(self) -> Path:
        return next(self.study.glob("*.json"))


def gate_of(folder: Path) -> Gate:
    """Return a gate with accepted results."""
    found = Gate(folder)
    code, output = found.accept(results(folder / "accepted"))
    assert code == 0, output
    return found


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return gate_of(tmp_path)


def answer(directory: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((directory / "gate" / "gate.json").read_text())
    return content


def test_without_accepted_results_the_next_command_is_named(tmp_path: Path) -> None:
    code, output = Gate(tmp_path).check(results(tmp_path / "new"))
    assert code == 2
    assert "holds no accepted results of 'by-hand'" in output
    assert "python run_all.py accept" in output


def test_the_same_bits_are_ok_and_every_value_is_counted(gate: Gate, tmp_path: Path) -> None:
    new = results(tmp_path / "new")
    code, output = gate.check(new)
    cells, values_a_cell = 2 * 12, 1 + 3 * 2 + 6  # status, loss and penalty, accuracies
    assert code == 0
    assert f"compared {cells * values_a_cell} of {cells * values_a_cell} values" in output
    assert answer(new)["verdict"] == "OK"


def test_one_value_in_its_last_digit_fails_and_is_named(gate: Gate, tmp_path: Path) -> None:
    def change(cell: Cell, fields: dict[str, Any]) -> None:
        if cell.condition.name == "ewc" and cell.seed == 5:
            loss = fields["telemetry"][1]["loss"]
            fields["telemetry"][1]["loss"] = float.fromhex(loss.hex()[:-4] + "1" + loss.hex()[-3:])
            fields["telemetry"][2]["loss"] *= 1.0000001

    new = results(tmp_path / "new", change)
    code, output = gate.check(new)
    assert code == 1
    assert "BITS DIFFER: 1 of 24 cells" in output
    assert "ewc seed 5: after task 2, loss: " in output
    assert "1 later values" in output
    (difference,) = answer(new)["exact"]["differences"]
    assert difference["accepted"] != difference["new"]
    assert gate.check(new, "--new-bits")[0] == 0


def test_a_drop_is_a_regression_that_says_what_moved_and_where(gate: Gate, tmp_path: Path) -> None:
    new = results(tmp_path / "new", shifted(-9.0, noise=0.3), **OTHER)
    code, output = gate.check(new)
    assert code == 1
    assert re.search(r"REGRESSION: final_accuracy of plain -(8.9|9.0)", output)
    assert "first after task 1 on task 1" in output
    assert f"python run_all.py check {new} --confirm" in output
    found = answer(new)
    moved = {(s["condition"], s["metric"]): s for s in found["shifts"]}
    assert moved["plain", "final_accuracy"]["outcome"] == "REGRESSION"
    assert moved["ewc", "final_accuracy"]["outcome"] == "OK"
    junit = ElementTree.parse(new / "gate" / "gate.xml").getroot()
    failing = [case for case in junit.iter("testcase") if case.find("failure") is not None]
    assert {case.get("name") for case in failing} == {"final_accuracy", "learned_accuracy"}
    assert junit.get("failures") == "2"
    assert "REGRESSION" in (new / "gate" / "gate.md").read_text()


def test_a_gain_and_a_small_change_are_no_alarm(gate: Gate, tmp_path: Path) -> None:
    small = results(tmp_path / "small", shifted(-0.01), **OTHER)
    assert gate.check(small)[0] == 0
    better = results(tmp_path / "better", shifted(9.0, noise=0.3), **OTHER)
    code, output = gate.check(better)
    assert code == 0
    assert "IMPROVEMENT" in output


def test_a_change_that_is_neither_is_inconclusive(gate: Gate, tmp_path: Path) -> None:
    margin = json.loads(gate.file().read_text())["margins"]["plain"]["final_accuracy"]
    new = results(tmp_path / "new", shifted(-margin, noise=1.0), **OTHER)
    code, output = gate.check(new)
    assert code == 3
    assert "INCONCLUSIVE: " in output
    assert "seeds would decide" in output


def test_a_quantity_of_the_telemetry_that_changes_is_an_alarm(gate: Gate, tmp_path: Path) -> None:
    def change(cell: Cell, fields: dict[str, Any]) -> None:
        for entry in fields["telemetry"]:
            entry["loss"] *= 3

    new = results(tmp_path / "new", change, **OTHER)
    code, output = gate.check(new)
    assert code == 1
    assert "CHANGED: loss of plain +200%; loss of ewc +200%" in output


@pytest.mark.parametrize("change", ["missing", "extra", "orphaned"])
def test_missing_extra_and_orphaned_cells_are_errors(
    gate: Gate, tmp_path: Path, change: str
) -> None:
    seeds = range({"missing": 11, "extra": 13, "orphaned": 12}[change])
    new = results(tmp_path / "new", seeds=list(seeds))
    if change == "orphaned":
        fewer = STUDY.model_copy(update={"conditions": {"plain": STUDY.conditions["plain"]}})
        path = new / "study.json"
        content = json.loads(path.read_text())
        content["study"] = fewer.model_dump(mode="json", exclude_none=True)
        path.write_text(json.dumps(content))
    code, output = gate.check(new)
    assert code == 2
    words = {
        "missing": "accepted and not on record: 2 cells (plain seed 11, ewc seed 11)",
        "extra": "on record and not accepted: 2 cells (plain seed 12, ewc seed 12)",
        "orphaned": "records of no condition of the study: ewc (12: removed)",
    }
    assert words[change] in output


def test_newly_diverged_cells_are_a_regression(gate: Gate, tmp_path: Path) -> None:
    def diverge(cell: Cell, fields: dict[str, Any]) -> None:
        if cell.condition.name == "ewc":
            fields["status"] = "diverged"
            fields["accuracy"] = [[None] * 3 for _ in range(3)]

    code, output = gate.check(results(tmp_path / "new", diverge, **OTHER))
    assert code == 1
    assert "REGRESSION: diverged of ewc -100.00 % of cells" in output


def test_a_margin_that_the_seeds_cannot_resolve_is_refused(gate: Gate, tmp_path: Path) -> None:
    new = results(tmp_path / "new")
    code, output = gate.check(new, "--margin", 0.3)
    assert code == 2
    assert "a margin of 0.3 points cannot be resolved" in output
    assert "seeds could resolve 0.3" in output
    assert gate.check(new, "--margin", 5)[0] == 0


def test_another_environment_is_added_if_it_is_equivalent(gate: Gate, tmp_path: Path) -> None:
    worse = results(tmp_path / "worse", shifted(-9.0, noise=0.3), **OTHER)
    code, output = gate.accept(worse, "--new-environment")
    assert code == 1
    assert "not accepted" in output
    near = results(tmp_path / "near", shifted(0.0, noise=0.05), **OTHER)
    assert gate.accept(near)[0] == 2, "an unknown environment replaces nothing by itself"
    margin = json.loads(gate.file().read_text())["margins"]["plain"]["final_accuracy"]
    code, output = gate.accept(near, "--new-environment")
    assert code == 0, output
    line = gate.history()[-1]
    assert line["kind"] == "environment"
    assert line["generation"] == 1
    assert 0 < line["drift_sd"]["plain"]["final_accuracy"] < 0.1
    code, output = gate.check(near)
    assert code == 0
    assert "bit for bit" in output
    third = results(tmp_path / "third", numerics="abc")
    gate.check(third)
    sight = answer(third)["sights"][0]
    assert sight["measured"]
    assert sight["margin"] < margin / 5, "the measured spread makes the gate sharper"


def test_a_new_generation_leaves_other_environments_behind(gate: Gate, tmp_path: Path) -> None:
    gate.accept(results(tmp_path / "other", **OTHER), "--new-environment")
    new = results(tmp_path / "new", shifted(0.2))
    assert gate.check(new)[0] == 1
    assert gate.accept(new, reason="#1: another order of sums")[0] == 0
    code, output = gate.check(new)
    assert code == 0
    assert "generation 2" in output
    stale = results(tmp_path / "stale", **OTHER)
    gate.check(stale)
    assert answer(stale)["exact"] is None, "a known environment of the former generation"
    assert "another order of sums" in gate.history()[-1]["reason"]


def test_results_that_are_accepted_already_change_nothing(gate: Gate, tmp_path: Path) -> None:
    before = gate.file().read_bytes(), gate.history()
    code, output = gate.accept(results(tmp_path / "new"))
    assert code == 0
    assert "nothing to accept" in output
    assert (gate.file().read_bytes(), gate.history()) == before


def test_slow_drift_is_seen_against_the_first_results(gate: Gate, tmp_path: Path) -> None:
    for step in range(1, 5):
        lower = results(tmp_path / f"step{step}", shifted(-1.5 * step, noise=0.1))
        assert gate.accept(lower, reason=f"step {step}")[0] == 0
    code, output = gate.check(lower)
    assert code == 1, "each step is within its margin, all of them are not"
    assert "REGRESSION: final_accuracy of plain -5.99" in output
    assert "final_accuracy of plain moved to the same side every time" in output
    page = (lower / "gate" / "index.html").read_text()
    assert "Mean final accuracy at each acceptance" in page
    assert gate.accept(results(tmp_path / "r", shifted(-6.1, noise=0.1)), "--restart")[0] == 0
    assert gate.check(tmp_path / "r")[0] == 0


def test_alarms_from_one_machine_are_an_infrastructure_fault(gate: Gate, tmp_path: Path) -> None:
    def one_machine(cell: Cell, fields: dict[str, Any]) -> None:
        if cell.seed % 3 == 0:
            fields["provenance"] = fields["provenance"] | {"cpu": "A hot processor"}
            fields["telemetry"][0]["loss"] *= 1.5

    code, output = gate.check(results(tmp_path / "new", one_machine))
    assert code == 1
    assert "Infrastructure: all alarms come from one of 2 machines (A hot processor" in output


def test_what_else_changed_is_said(gate: Gate, tmp_path: Path) -> None:
    faster = STUDY.model_dump(mode="json", exclude_none=True)
    faster["conditions"]["plain"]["protocol"]["learning_rate"] = 0.011
    study = type(STUDY).model_validate(faster)
    code = {"version": "1", "git_commit": "b" * 40, "git_clean": False}
    new = results(tmp_path / "new", shifted(-0.3), study=study, torch="2.14.0", code=code)
    assert gate.check(new)[0] == 0
    changed = answer(new)["changed"]
    assert "protocol.learning_rate 0.01 -> 0.011 in plain" in changed
    assert "torch 2.13.0+cpu -> 2.14.0" in changed
    assert f"commits {'a' * 12}..{'b' * 12} with changes" in changed


def waive(gate: Gate, until: str, metric: str = "*") -> None:
    (gate.study / "waivers.toml").write_text(
        f'[[waivers]]\ncondition = "plain"\nmetric = "{metric}"\nreason = "#7"\n'
        f'owner = "ada"\nuntil = {until}\n'
    )


def test_waivers_excuse_until_their_day_and_fail_after_it(gate: Gate, tmp_path: Path) -> None:
    worse = results(tmp_path / "worse", shifted(-9.0, noise=0.3), **OTHER)
    today = datetime.date.today()
    waive(gate, str(today))
    code, output = gate.check(worse)
    assert code == 0
    assert f"waived by ada until {today}: #7" in output
    junit = (worse / "gate" / "gate.xml").read_text()
    assert "<skipped" in junit
    waive(gate, str(today - datetime.timedelta(days=1)))
    code, output = gate.check(worse)
    assert code == 1
    assert "REGRESSION" in output
    fine = results(tmp_path / "fine")
    code, output = gate.check(fine)
    assert code == 1
    assert "WAIVER EXPIRED: plain, *: past" in output


def test_a_waiver_of_bits(gate: Gate, tmp_path: Path) -> None:
    new = results(tmp_path / "new", shifted(0.001))
    assert gate.check(new)[0] == 1
    waive(gate, "2999-01-01", "bits")
    assert gate.check(new)[0] == 0


WAIVER = """
[[waivers]]
condition = "plain"
metric = "bits"
reason = "#7"
owner = "ada"
until = 2999-01-01
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[waivers]]\nuntil = 2030-01-01", "waiver 1: condition: Field required"),
        ('[[waivers]]\ncondition="a"\nmetric="b"\nreason="c"\nowner="d"\nuntil="soon"', "until"),
        (WAIVER.replace("plain", "plane"), "names the condition 'plane'; there are plain, ewc"),
        (WAIVER.replace("bits", "final"), "names the metric 'final' of plain; there are final_acc"),
        ("waivers = 3", "only [[waivers]] tables"),
        ("[[waiver]]", "waiver: only [[waivers]] tables"),
        ("[[", "cannot be read as TOML"),
    ],
)
def test_bad_waivers_are_named(gate: Gate, tmp_path: Path, text: str, said: str) -> None:
    (gate.study / "waivers.toml").write_text(text)
    code, output = gate.check(results(tmp_path / "new"))
    assert code == 2
    assert "waive" in output
    assert str(gate.study) in output
    assert said in output


def test_results_that_are_not_whole_are_not_accepted(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    partial = results(tmp_path / "partial")
    next((partial / "records").glob("*.json")).unlink()
    code, output = gate.accept(partial)
    assert code == 2
    assert "lacks 1 cells" in output
    whole = results(tmp_path / "whole")
    assert gate.accept(whole, reason=" ")[0] == 2
    assert gate.accept(whole, "--new-environment")[0] == 2
    mixed = results(
        tmp_path / "mixed",
        lambda cell, fields: fields.update(
            provenance=gate_results.PROVENANCE | {"numerics": str(cell.seed % 2)}
        ),
    )
    assert "come from 2 environments" in gate.accept(mixed)[1]


def test_the_answer_goes_to_a_pull_request(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    gate.check(results(tmp_path / "new"))
    assert summary.read_text().startswith("# by-hand: OK")
