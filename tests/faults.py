"""Faults as they happen to a run, really injected, and what must be true after each of them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commands import HERE, command
from processes import PATIENCE_S, Process, alive, descendants, wait_until

from harness.keeping.records import RESULTS
from harness.running.on_ray.process import MARK

STUDY = """
name = "faults"
seeds = 6
[protocol]
benchmark = "split-digits"
hidden = [24, 20]
batch_size = 16
iterations_per_task = 200
[conditions]
finetune = {}
"dhp+si" = { plasticity = "on", consolidation = "si", strength = 1.0 }
"""
ON_RAY = ("--executor", "ray", "--workers", "2", "--lanes", "1")
IN_PROCESS = ("--executor", "in-process", "--lanes", "1")
AT_ONCE = ("--executor", "in-process", "--lanes", "20")
"""The quickest way to the results of an undisturbed run; lanes do not change them."""


class Run:
    """A run of the program, and every process that it has had."""

    def __init__(self, study: Path, out: Path, *options: str) -> None:
        self.out = out
        self.driver = subprocess.Popen(
            command("run", study, "--out", out, "--no-report", *options),
            cwd=HERE,
            env=os.environ | {"REPRO_DATA_DIR": ""},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=_standard_signals,
        )
        self.seen: set[Process] = set()
        self.said = ""

    def look(self) -> set[Process]:
        """Return its processes of now."""
        now = descendants(self.driver.pid)
        self.seen |= now
        return now

    def named(self, name: str) -> list[Process]:
        """Return its processes of this name."""
        return [process for process in self.look() if name in process.name]

    def records(self) -> int:
        """Return how many cells are on record."""
        return len(list(self.out.glob("records/*.json")))

    def end(self) -> int:
        """Wait for its end; returns its exit code."""
        deadline = time.monotonic() + PATIENCE_S
        while self.driver.poll() is None:
            assert time.monotonic() < deadline, "it was to end"
            self.look()
            time.sleep(0.1)
        self.said = self.driver.communicate()[0]
        return self.driver.returncode

    def kill(self) -> None:
        """Kill what is left of it, where a test gives up."""
        for process in alive(self.seen | self.look()):
            os.kill(process.pid, signal.SIGKILL)
        if self.driver.returncode is None:
            self.driver.kill()
            self.driver.communicate()


def _standard_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def results(out: Path) -> dict[str, list[Any]]:
    """Return the results of every record, by key."""
    found = {}
    for path in out.glob("records/*.json"):
        record = json.loads(path.read_text())
        found[path.stem] = [record.get(name) for name in RESULTS]
    return found


@dataclass(frozen=True)
class Fault:
    """Something that happens to a run.

    Attributes
    ----------
    inject : does it, and returns whether there was something to do it to.
    fatal : whether the driver ends by it, so that the run is started again.
    """

    name: str
    inject: Callable[[Run], bool]
    fatal: bool = False
    options: tuple[str, ...] = field(default=ON_RAY)


def _killing(name: str, number: int = signal.SIGKILL) -> Callable[[Run], bool]:
    def inject(run: Run) -> bool:
        victims = run.named(name)
        for victim in victims:
            try:
                os.kill(victim.pid, number)
            except ProcessLookupError:
                continue
        return bool(victims)

    return inject


def _signalling(*numbers: int) -> Callable[[Run], bool]:
    def inject(run: Run) -> bool:
        run.look()
        for number in numbers:
            run.driver.send_signal(number)
            time.sleep(0.05)
        return run.driver.poll() is None

    return inject


def _killing_both(run: Run) -> bool:
    foremen = run.named(FOREMAN)
    run.driver.kill()
    for process in foremen:
        os.kill(process.pid, signal.SIGKILL)
    return bool(foremen)


FOREMAN = "harness.running.on_ray.foreman"
STOPPING = (*ON_RAY, "--block-timeout", "8")
FAULTS = {
    fault.name: fault
    for fault in (
        Fault("worker killed", _killing("ray::train")),
        Fault("worker stopped", _killing("ray::train", signal.SIGSTOP), options=STOPPING),
        Fault("raylet killed", _killing("/raylet/raylet ")),
        Fault("GCS killed", _killing("/gcs_server ")),
        Fault("owner of Ray killed", _killing(FOREMAN)),
        Fault("driver killed", _signalling(signal.SIGKILL), fatal=True),
        Fault("driver and owner of Ray killed", _killing_both, fatal=True),
        Fault("driver killed in process", _signalling(signal.SIGKILL), True, IN_PROCESS),
        Fault("SIGINT", _signalling(signal.SIGINT), fatal=True),
        Fault("SIGINT twice", _signalling(signal.SIGINT, signal.SIGINT), fatal=True),
        Fault("SIGTERM", _signalling(signal.SIGTERM), fatal=True),
        Fault("SIGHUP", _signalling(signal.SIGHUP), fatal=True),
    )
}


def suffer(
    fault: Fault, study: Path, out: Path, undisturbed: dict[str, list[Any]], moment: float
) -> str:
    """Inject a fault into a run and hold it against an undisturbed one.

    Parameters
    ----------
    moment : seconds after the first worker's start at which it happens.

    Returns
    -------
    What the run, and the one after it, said.

    Raises
    ------
    AssertionError
        Where something is lost, differs, or is left behind.
    """
    run = Run(study, out, *fault.options)
    try:
        on_ray = fault.options is not IN_PROCESS
        wait_until(lambda: run.driver.poll() is not None or not on_ray or run.named("ray::train"))
        time.sleep(moment)
        happened = run.driver.poll() is None and fault.inject(run)
        code = run.end()
        said = run.said
        kept = results(out)
        assert all(undisturbed[key] == kept[key] for key in kept), "other bits"
        if happened and fault.fatal:
            assert code in (130, -signal.SIGKILL, 0), (code, said)
        else:
            assert code == 0, (code, said)
        wait_until(lambda: not alive(run.seen))
        if code != 0:
            again = Run(study, out, *fault.options)
            code = again.end()
            said += again.said
            assert code == 0, said
            wait_until(lambda: not alive(again.seen))
            run.seen |= again.seen
        assert results(out) == undisturbed, "lost, or other bits"
        assert not [path for path in out.rglob("*") if path.name.endswith(".tmp")]
        assert not (out / "conflicts").exists()
        left = list(_folders_of(run.seen))
        assert not left, f"left behind: {left}"
    finally:
        run.kill()
    return said


def _folders_of(processes: set[Process]) -> Iterator[Path]:
    """Yield the folders of those Rays that were started by one of the processes."""
    owners = {process.pid for process in processes}
    for mark in Path(tempfile.gettempdir()).glob(f"ray/session_*/{MARK}"):
        with suppress(OSError, ValueError):  # of a run beside this one, which ends just now
            if json.loads(mark.read_text())["process"] in owners:
                yield mark.parent


def random_moment(draw: random.Random) -> float:
    """Return a moment, in seconds, between a worker's start and the end of a run."""
    return draw.uniform(0.0, 6.0)
