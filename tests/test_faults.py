"""Faults, really injected; ``tests/fault_rounds.py`` injects them at random moments, many times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from faults import AT_ONCE, FAULTS, IN_PROCESS, STUDY, Run, results, suffer
from processes import alive, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "faults.toml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="module")
def undisturbed(study_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    run = Run(study_file, tmp_path_factory.mktemp("undisturbed") / "out", *AT_ONCE)
    assert run.end() == 0, run.said
    return results(run.out)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("GCS killed", "Ray is lost", marks=pytest.mark.long),
        ("owner of Ray killed", "Ray is lost"),
        ("driver killed", "12 cells to run"),
    ],
)
def test_nothing_is_lost_and_the_bits_stay(
    name: str,
    says: str,
    study_file: Path,
    tmp_path: Path,
    undisturbed: dict[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "5")  # 20 s by our own default
    said = suffer(FAULTS[name], study_file, tmp_path / "out", undisturbed, moment=0.0)
    assert says in said
    assert "Traceback" not in said


def test_two_drivers_of_one_directory_share_its_cells(
    study_file: Path, tmp_path: Path, undisturbed: dict[str, list[Any]]
) -> None:
    first = Run(study_file, tmp_path / "out", *IN_PROCESS)
    wait_until(lambda: first.records() > 0 or first.driver.poll() is not None)
    second = Run(study_file, tmp_path / "out", *IN_PROCESS)
    try:
        assert (first.end(), second.end()) == (0, 0), first.said + second.said
    finally:
        first.kill()
        second.kill()
    assert results(tmp_path / "out") == undisturbed
    lines = map(json.loads, (tmp_path / "out" / "events.jsonl").read_text().splitlines())
    done = [(line["driver"], *cell) for line in lines if line["event"] == "done"
            for cell in line["cells"]]  # fmt: skip
    assert len(done) == len(undisturbed), "no cell was trained twice"
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left - {"index.npz"} == {"study.json", "records", "events.jsonl"}


def test_a_block_without_enough_memory_runs_in_halves_and_then_fails_clearly(
    study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_memory_usage_threshold", "0.01")  # every worker is over it
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "100")
    part = ("--seeds", "2", "--conditions", "finetune", "--workers", "1", "--lanes", "2")
    run = Run(study_file, tmp_path / "out", "--executor", "ray", *part)
    assert run.end() == 1
    assert run.said.count("out of memory; it runs in halves: its block runs again") == 1
    why = "a single cell needs more memory than its node has for it"
    assert run.said.count(f"finetune seed 0, finetune seed 1: {why}") == 1
    wait_until(lambda: not alive(run.seen))
