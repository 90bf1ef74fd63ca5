"""The gate on functions of the user's own: any measure, either direction, fresh seeds."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from test_gate import Gate, answer, call

STUDY = """
name = "by-hand"
train = "fit.py:train"
seeds = 8
isolation = "none"
[measure]
name = "{name}"
unit = "nats"
higher_is_better = {higher}
[conditions]
plain = {{}}
other = {{ other = true }}
"""
FUNCTION = """
import random
LEVEL = {level}
def train(seed: int, other: bool = False) -> dict:
    draw = random.Random(f"{{seed}} {{other}} {{LEVEL if other else 0}}")
    value = 1 + draw.gauss(0, 0.01) + (LEVEL if other else 0)
    return {{"{measure}": value, "steps": 100 + draw.gauss(0, 1), "path": [value, 2]}}
"""


def train(folder: Path, name: str, level: float, *, measure: str = "loss") -> Path:
    """Run the study with a function that gives so much more for one of its conditions."""
    folder = folder / name
    folder.mkdir(parents=True)
    higher = str(measure == "reward").lower()
    (folder / "fit.toml").write_text(STUDY.format(name=measure, higher=higher))
    (folder / "fit.py").write_text(FUNCTION.format(level=level, measure=measure))
    root = folder / "results"
    code, output = call("run", folder / "fit.toml", "--out", root, "--no-report")
    assert code == 0, output
    return root


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, float], Path]:
    """Return results by measure and by how much more the function gives for one condition."""
    folder = tmp_path_factory.mktemp("levels")
    return {
        (measure, level): train(folder, f"{measure} {level}", level, measure=measure)
        for measure in ("loss", "reward")
        for level in (0, 0.5, -0.5)
    }


@pytest.mark.parametrize(
    ("measure", "level", "verdict"),
    [
        ("loss", 0.5, "REGRESSION"),
        ("loss", -0.5, "IMPROVEMENT"),
        ("reward", -0.5, "REGRESSION"),
        ("reward", 0.5, "IMPROVEMENT"),
    ],
)
def test_which_way_is_worse_follows_from_the_measure(
    levels: dict[tuple[str, float], Path],
    tmp_path: Path,
    measure: str,
    level: float,
    verdict: str,
) -> None:
    gate = Gate(tmp_path)
    code, output = gate.accept(levels[measure, 0])
    assert code == 0, output
    code, output = gate.check(levels[measure, 0])
    assert code == 0
    assert "compared 96 of 96 values of 16 cells" in output  # status, 3 numbers, 2 points
    new = levels[measure, level]
    code, output = gate.check(new)
    assert code == 1, "a known environment has to give the same bits"
    code, output = gate.check(new, "--new-bits")
    assert code == (verdict == "REGRESSION"), output
    (moved,) = [
        shift
        for shift in answer(new)["shifts"]
        if (shift["condition"], shift["metric"]) == ("other", measure)
    ]
    assert moved["outcome"] == verdict
    assert moved["unit"] == "nats"
    assert moved["higher_is_better"] is (measure == "reward")
    assert moved["mean"] == pytest.approx(level, abs=0.02)
    steps = [shift for shift in answer(new)["shifts"] if shift["metric"] == "steps"]
    assert [shift["higher_is_better"] for shift in steps] == [None, None]
    assert f"a {'rise' if measure == 'loss' else 'drop'} of 0.0" in output
    junit = ElementTree.parse(new / "gate" / "gate.xml").getroot()
    failed = [case.find("failure") for case in junit.iter("testcase") if case.get("name") != "bits"]
    said = [failure.get("message", "") for failure in failed if failure is not None]
    if verdict == "REGRESSION":
        assert f"REGRESSION: {measure} of other {level:+.1f}"[:-2] in said[0]
        assert " nats (" in said[0]


def test_a_margin_is_in_the_unit_of_the_measure(
    levels: dict[tuple[str, float], Path], tmp_path: Path
) -> None:
    gate = Gate(tmp_path)
    assert gate.accept(levels["loss", 0])[0] == 0
    code, output = gate.check(levels["loss", 0.5], "--margin", 0.001)
    assert code == 2
    assert "a margin of 0.001 nats cannot be resolved: loss of " in output
    assert gate.check(levels["loss", 0.5], "--margin", "nan")[0] == 2
    assert gate.check(levels["loss", 0.5], "--margin", 0.7, "--new-bits")[0] == 0


def test_results_of_another_measure_are_not_compared(
    levels: dict[tuple[str, float], Path], tmp_path: Path
) -> None:
    gate = Gate(tmp_path)
    assert gate.accept(levels["loss", 0])[0] == 0
    code, output = gate.check(levels["reward", 0])
    assert code == 2
    assert "measures reward in 'nats', more is better; the accepted results" in output
    assert "are loss in 'nats', less is better" in output
    assert gate.accept(levels["reward", 0])[0] == 0
    assert gate.check(levels["reward", 0])[0] == 0


def test_what_is_not_deterministic_is_judged_by_statistics(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    function = "import time\ndef train(seed: int, other: bool = False) -> float:\n"
    function += "    return 1 + time.perf_counter_ns() % 1009 / 1e5\n"
    (tmp_path / "fit.py").write_text(function)
    (tmp_path / "fit.toml").write_text(STUDY.format(name="time", higher="false"))
    for name in ("first", "second"):
        call("run", tmp_path / "fit.toml", "--out", tmp_path / name, "--no-report")
    assert gate.accept(tmp_path / "first")[0] == 0
    code, output = gate.check(tmp_path / "second")
    assert code in (0, 3), output
    assert "other and plain by statistics: the same seed did not give the same" in output
    assert answer(tmp_path / "second")["exact"] is None


def test_an_alarm_of_a_function_is_confirmed_by_fresh_seeds(
    levels: dict[tuple[str, float], Path], tmp_path: Path
) -> None:
    gate, worse = Gate(tmp_path), levels["loss", 0.5]
    assert gate.accept(levels["loss", 0])[0] == 0
    code, output = gate.check(worse, "--confirm")
    assert code == 1, output
    assert "REGRESSION: loss of other +0.5" in output
    found = answer(worse)["confirmation"]
    assert found["conditions"] == ["other"]
    assert len(found["seeds"]) == 8
    function = worse.parent / "fit.py"
    text = function.read_text()
    function.write_text(text + "# changed\n")
    attempts = (gate.study / "confirmations.jsonl").read_text()
    code, output = gate.check(worse, "--confirm")
    function.write_text(text)
    assert code == 2
    assert "is not what these results were trained with" in output
    assert (gate.study / "confirmations.jsonl").read_text() == attempts, "it does not count"
