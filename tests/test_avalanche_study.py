"""Where Avalanche is installed: its methods as a training function, run as a user runs them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from commands import HERE, run

pytest.importorskip("avalanche", reason="Avalanche is not installed")
pytestmark = pytest.mark.slow

SAME = {
    "avalanche-naive": "finetune",
    "avalanche-ewc-samples": "ewc",
    "avalanche-si-plain": "si",
    "avalanche-mas-summed": "mas",
    "avalanche-si": "avalanche-naive",
}
"""By condition, the one that has the same accuracies."""
ROUNDING = 0.012
"""The accuracy that one test image of a task is worth: sums are added in another order."""


def test_avalanches_methods_are_ours_where_they_are_told_what_ours_do(tmp_path: Path) -> None:
    for suffix in ("py", "toml"):
        shutil.copy(HERE / "examples" / f"avalanche_methods.{suffix}", tmp_path)
    chosen = ",".join(dict.fromkeys([*SAME, *SAME.values()]))
    out = tmp_path / "out"
    words = ("--seeds", 1, "--conditions", chosen, "--out", out, "--no-report")
    study = tmp_path / "avalanche_methods.toml"
    done = run(
        "run", study, *words, "--executor", "in-process", cwd=tmp_path, timeout=1200,
        PYTHONPATH=str(HERE),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    cells = [json.loads(path.read_text("utf-8")) for path in (out / "records").iterdir()]
    last = {cell["condition"]: cell["accuracy"][-1] for cell in cells}
    assert set(last) == {*SAME, *SAME.values()}
    for theirs, ours in SAME.items():
        assert last[theirs] == pytest.approx(last[ours], abs=ROUNDING), theirs
    final = {name: sum(row) / len(row) for name, row in last.items()}
    # Had consolidation no effect, everything would equal everything.
    assert min(final["si"], final["mas"]) > final["finetune"] + 0.02
    streams = {cell["provenance"].get("deterministic") for cell in cells}
    assert streams <= {True, None}
