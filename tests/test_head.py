"""A cluster that somebody started by hand: two drivers on it at once, and a head that is killed and
started again during a run."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from faults import AT_ONCE, STUDY, Run, results
from processes import alive, descendants, wait_until
from test_submit import answers, free_ports

pytestmark = [pytest.mark.slow, pytest.mark.long]


class Head:
    """A head of Ray with two cores, at the same address each time that it is started."""

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self.address = f"127.0.0.1:{self.port}"
        self.folder = tempfile.mkdtemp(prefix="ray")  # a path of sockets may not be long
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
        start += ["--node-ip-address=127.0.0.1", f"--port={self.port}", "--num-cpus=2"]
        start += ["--include-dashboard=false", f"--temp-dir={self.folder}", "--disable-usage-stats"]
        self.process = subprocess.Popen(
            start,
            cwd=self.folder,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: answers(self.port) or self.process.poll() is not None)
        assert self.process.poll() is None

    def kill(self) -> None:
        """Kill all of it at once, as a machine that goes down would."""
        there = descendants(self.process.pid)
        self.process.kill()
        for process in there:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        self.process.wait()
        wait_until(lambda: not alive(there))

    def end(self) -> None:
        """Kill it and remove what is left."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        started = Head()
        try:
            yield started
        finally:
            started.end()


@pytest.fixture(scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "faults.toml"
    path.write_text(STUDY.replace("seeds = 6", "seeds = 12"))
    return path


@pytest.fixture(scope="module")
def undisturbed(study_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    run = Run(study_file, tmp_path_factory.mktemp("undisturbed") / "out", *AT_ONCE)
    assert run.end() == 0, run.said
    return results(run.out)


def events(run: Run, name: str) -> list[dict[str, Any]]:
    lines = map(json.loads, (run.out / "events.jsonl").read_text().splitlines())
    return [line for line in lines if line["event"] == name]


def test_two_drivers_on_one_cluster_share_the_cells_of_a_directory(
    head: Head, study_file: Path, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    options = ("--executor", "ray", "--address", head.address, "--workers", "1", "--lanes", "1")
    drivers = [Run(study_file, tmp_path / "out", *options) for _ in range(2)]
    try:
        assert [driver.end() for driver in drivers] == [0, 0], drivers[0].said + drivers[1].said
        wait_until(lambda: not any(alive(driver.seen) for driver in drivers))
    finally:
        for driver in drivers:
            driver.kill()
    done = [line for line in events(drivers[0], "done") for _ in line["cells"]]
    shares = Counter(line["driver"] for line in done)
    assert len(shares) == 2, "both drivers have worked"
    assert sum(shares.values()) == len(undisturbed), "no cell was trained twice"
    assert results(tmp_path / "out") == undisturbed
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left - {"index.npz"} == {"study.json", "records", "events.jsonl"}
    assert head.process.poll() is None, "the cluster is not theirs to end"
    assert answers(head.port)


def test_a_head_that_is_killed_and_started_again_is_joined_again(
    head: Head, study_file: Path, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    options = ("--executor", "ray", "--address", head.address, "--lanes", "1", "--seeds", "6")
    run = Run(study_file, tmp_path / "out", *options)
    try:
        wait_until(lambda: run.records() > 0 or run.driver.poll() is not None)
        head.kill()
        on_record = run.records()
        assert 0 < on_record < 12
        head.start()
        assert run.end() == 0, run.said
        wait_until(lambda: not alive(run.seen))
    finally:
        run.kill()
    found = results(tmp_path / "out")
    assert len(found) == 12
    assert found == {key: undisturbed[key] for key in found}
    (lost,) = events(run, "executor-lost")
    assert lost["remedy"].startswith(f"{head.address} is tried for ")
    assert run.said.count("Ray is lost") == 1
    assert len(events(run, "node-joined")) == 2
    assert "Traceback" not in run.said
