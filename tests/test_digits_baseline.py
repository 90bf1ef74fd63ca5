"""The accepted results of the digits' study, trained anew: same bits, or equivalent elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import HERE, run

pytestmark = pytest.mark.slow

BASELINES = HERE / "tests" / "baselines"


def test_the_digits_are_the_accepted_ones(tmp_path: Path) -> None:
    out = tmp_path / "digits"
    # One process: the other core runs other tests.
    options = ("--seeds", 20, "--executor", "in-process", "--no-report", "--out", out)
    trained = run("run", "dhp-split-digits", *options, timeout=900)
    assert trained.returncode == 0, trained.stderr
    checked = run("check", out, "--baselines", BASELINES)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    answer = json.loads((out / "gate" / "gate.json").read_text())
    assert answer["verdict"] == "OK"
    if answer["exact"] is not None:
        assert answer["exact"]["compared"] == answer["exact"]["values"] == 8_300
    else:
        assert answer["shifts"]
