"""The journal of a run, and what it does where it cannot be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from test_gate import call


def lines(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / "events.jsonl").read_text().splitlines()]


STUDY = """
name = "tiny"
seeds = 2
[protocol]
benchmark = "split-digits"
hidden = [16]
iterations_per_task = 2
[conditions]
plain = {}
kept = { consolidation = "mas", strength = 1.0 }
"""


def test_every_cell_is_started_and_done_between_start_and_end(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(STUDY)
    root = tmp_path / "out"
    run = ("run", tmp_path / "tiny.toml", "--out", root, "--executor", "in-process")
    assert call(*run)[0] == 0
    found = lines(root)
    assert found[0]["event"] == "run-started"
    assert found[0]["missing"] == 4
    assert found[-1]["event"] == "run-ended"
    assert found[-1]["recorded"] == 4
    for event in ("started", "done"):
        cells = [cell for line in found if line["event"] == event for cell in line["cells"]]
        assert sorted(cells) == [["kept", 0], ["kept", 1], ["plain", 0], ["plain", 1]]
    assert all(line["numerics"] for line in found if line["event"] == "done")
    assert call(*run)[0] == 0
    assert lines(root) == found, "a run that has nothing to do happened nowhere"


def test_a_run_goes_on_without_its_journal(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(STUDY)
    root = tmp_path / "out"
    (root / "events.jsonl").mkdir(parents=True)
    run = ("run", tmp_path / "tiny.toml", "--out", root, "--executor", "in-process")
    assert call(*run)[0] == 0
    assert len(list((root / "records").glob("*.json"))) == 4
