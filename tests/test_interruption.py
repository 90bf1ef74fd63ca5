"""A run that is asked to end ends in order: once, with one line, exit code 130, nothing left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pytest
from commands import HERE, run, without_notes
from processes import PATIENCE_S, Process, alive, descendants, wait_until

pytestmark = pytest.mark.slow

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STUDY = """
name = "long"
seeds = 20
[protocol]
benchmark = "split-digits"
hidden = [24, 20]
batch_size = 16
iterations_per_task = 300
[conditions]
finetune = {}
"""
LISTENING = """
import os, signal, time
from harness.running import interruption
interruption.listen()
def send(*names):
    for name in names:
        os.kill(os.getpid(), getattr(signal, name))
"""


def started(*arguments: object, ignored: Sequence[int] = ()) -> subprocess.Popen[str]:
    """A process with standard signals: a shell's background jobs inherit some as ignored."""

    def settle() -> None:
        for number in ENDINGS:
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)

    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=HERE,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=settle,
    )


def said_by(code: str, ignored: Sequence[int] = (), exit_code: int = 0) -> list[str]:
    """The lines that a program prints which listens to the signals."""
    process = started("-c", LISTENING + code, ignored=ignored)
    out, errors = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, errors) == (exit_code, "")
    return out.splitlines()


@pytest.mark.parametrize("first", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_the_first_signal_interrupts_and_the_others_change_nothing(first: str) -> None:
    code = f"""
try:
    send("{first}")
    print("not interrupted")
except KeyboardInterrupt:
    send("SIGINT", "SIGTERM", "SIGHUP", "{first}")
    print("cleaned up")
"""
    assert said_by(code) == ["cleaned up"]


def test_a_program_that_does_not_find_its_way_out_can_still_be_ended() -> None:
    code = """
interruption.WAY_OUT_S = 0
try:
    send("SIGTERM")
finally:
    time.sleep(0.01)
    print("on the way", flush=True)
    send("SIGTERM")
    print("still on the way")
"""
    assert said_by(code, exit_code=130) == ["on the way"]


def test_an_interruption_that_a_library_swallows_is_not_lost() -> None:
    code = """
interruption.check()
try:
    send("SIGTERM")
except BaseException:
    pass
try:
    interruption.check()
except KeyboardInterrupt:
    print("interrupted")
"""
    assert said_by(code) == ["interrupted"]


def test_what_is_held_is_done_before_it_is_interrupted() -> None:
    code = """
try:
    with interruption.held():
        with interruption.held():
            send("SIGINT", "SIGTERM")
        print("done")
    print("not interrupted")
except KeyboardInterrupt:
    with interruption.held():
        print("cleaned up")
"""
    assert said_by(code) == ["done", "cleaned up"]


def test_what_was_ignored_before_stays_ignored() -> None:
    """As nohup does for SIGHUP, and a shell for its background jobs with SIGINT."""
    code = """
send("SIGHUP", "SIGINT")
try:
    send("SIGTERM")
except KeyboardInterrupt:
    print("interrupted")
"""
    assert said_by(code, ignored=(signal.SIGHUP, signal.SIGINT)) == ["interrupted"]


def test_signals_are_ignored_from_the_last_line_to_the_exit() -> None:
    code = """
import atexit
atexit.register(send, "SIGINT", "SIGTERM", "SIGHUP")
interruption.ignore()
"""
    assert said_by(code) == []


@pytest.fixture(scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "long.toml"
    path.write_text(STUDY)
    return path


class RayRun:
    """A run on Ray, and every process that it had at any time; killed where a test gives up."""

    def __init__(self, study_file: Path, out: Path) -> None:
        options = ("--executor", "ray", "--workers", 2, "--lanes", 1)
        self.out = out
        self.driver = started("run_all.py", "run", study_file, "--out", out, *options)
        self.seen: set[Process] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.driver.kill()
        self.driver.communicate()

    def has(self, name: str) -> bool:
        """Whether it has started a process of this name."""
        assert self.driver.poll() is None, "it was to run on"
        self.seen |= descendants(self.driver.pid)
        return any(name in process.name for process in self.seen)

    def end(self, *signals: signal.Signals) -> str:
        """Send signals, the later ones while it ends; returns what it says of that."""
        self.seen |= descendants(self.driver.pid)
        for number in signals:
            os.kill(self.driver.pid, number)
            try:
                self.driver.wait(0.2)
            except subprocess.TimeoutExpired:
                self.seen |= descendants(self.driver.pid)
        _, errors = self.driver.communicate(timeout=PATIENCE_S)
        assert self.driver.returncode == 130, errors
        wait_until(lambda: not alive(self.seen))
        assert not [path for path in self.out.rglob("*") if path.name.endswith(".tmp")]
        return without_notes(errors)


@pytest.fixture(scope="module")
def interrupted(study_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Results of a run on Ray that SIGTERM and others ended half-way, and what it said."""
    with RayRun(study_file, tmp_path_factory.mktemp("interrupted")) as run:
        wait_until(lambda: run.has("ray::train") and len(list(run.out.glob("records/*.json"))) > 1)
        said = run.end(signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    return run.out, said


def test_sigterm_ends_a_run_on_ray_with_the_usual_line(interrupted: tuple[Path, str]) -> None:
    out, said = interrupted
    recorded = len(list(out.glob("records/*.json")))
    assert said == (
        f"interrupted: {recorded} of 20 cells were recorded; the same command goes on from here\n"
    )


def test_sigterm_ends_a_run_while_ray_starts(study_file: Path, tmp_path: Path) -> None:
    with RayRun(study_file, tmp_path / "out") as run:
        wait_until(lambda: run.has("gcs_server"))
        said = run.end(signal.SIGTERM, signal.SIGINT)
    assert said == "interrupted: 0 of 20 cells were recorded; the same command goes on from here\n"


def test_a_report_that_is_interrupted_says_how_it_is_written(interrupted: tuple[Path, str]) -> None:
    out, _ = interrupted
    code = f"""
import os, signal, sys, reports.output.page
reports.output.page.write_report = lambda *rest, **more: os.kill(os.getpid(), signal.SIGTERM)
import run_all
sys.argv = ["run_all.py", "report", {str(out)!r}]
run_all.main()
"""
    process = started("-c", code)
    said, errors = process.communicate(timeout=PATIENCE_S)
    errors = without_notes(errors)
    assert (process.returncode, said) == (130, "")
    assert errors.startswith("interrupted: the records are safe")
    assert errors.endswith(f"python run_all.py report {out}\n")
    assert errors.count("\n") == 1


def test_a_ray_that_cannot_start_is_one_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    """In a folder whose name is too long for its sockets, which Ray finds out half-way."""
    folder = tmp_path / ("x" * 80)
    folder.mkdir()
    options = ("--executor", "ray", "--seeds", 1, "--no-report")
    done = run("run", "smoke", "--out", tmp_path / "out", *options, TMPDIR=str(folder))
    assert done.returncode == 2
    said = without_notes(done.stderr)
    assert said.startswith("error: Ray does not start here (")
    assert said.count("\n") == 1
    assert not [path for path in folder.glob("ray/session_*") if not path.is_symlink()]
