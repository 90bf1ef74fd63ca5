"""The process that owns Ray, seen from the driver: its start, its end, and that nothing is left.

It leads a session of its own (setsid), so that signals of the terminal do not reach it, and every
process that Ray starts here is of that session: what is left of a Ray that broke can be found.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness.errors import InputError
from harness.keeping.processes import processes_of, started
from harness.running.interruption import SIGNALS, held
from harness.running.on_ray.orders import Orders

END_S = 20.0
"""So long the process may take to end Ray before what is left of it is killed."""
MARK = "dhp-repro.json"
"""A file in the folder of a Ray that was started for a run: the process that owns it."""
START = """
import json, sys
sys.path[:0] = [path for path in json.loads(sys.argv[2]) if path not in sys.path]
from multiprocessing.connection import Connection
from harness.running.on_ray.foreman import main
connection = Connection(int(sys.argv[1]))
main(connection, connection.recv())
"""


class Foreman:
    """A running process that owns Ray.

    Parameters
    ----------
    orders : what it shall do.
    kept_log : where its log goes if something breaks.

    Attributes
    ----------
    capacity : how many blocks run at the same time at most.
    log : what Ray and it print.

    Raises
    ------
    InputError
        Where Ray is not installed, does not start, or no cluster answers.
    EOFError
        Where the process ends without a word.
    """

    def __init__(self, orders: Orders, kept_log: Path | None) -> None:
        self.log = Path(tempfile.mkstemp(prefix="dhp-repro-ray-", suffix=".log")[1])
        self._kept_log = kept_log
        self._folder: Path | None = None
        self._before = set(_ray_folders())
        ours, theirs = socket.socketpair()
        with held(), theirs, self.log.open("w") as log:
            # The signals wait until the process leads its own session.
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", START, str(theirs.fileno()), json.dumps(sys.path)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        self.connection = Connection(ours.detach())
        try:
            self.connection.send(orders)
            word, *rest = self.hear()
            if word == "refused":
                raise InputError(rest[0])
            self.capacity, folder = rest
            if folder is not None:
                self._folder = Path(folder)
                mark = {"process": self._process.pid, "started": started(self._process.pid)}
                (self._folder / MARK).write_text(json.dumps(mark), encoding="utf-8")
                _remove_leftovers(self._folder.parent)
        except InputError:
            self.end()
            raise
        except EOFError:
            self.end(broken=True)
            raise EOFError(f"its log is {self.log}") from None
        except BaseException:
            self.end(broken=True)
            raise

    def hear(self) -> tuple[Any, ...]:
        """Return its next message (EOFError where it is gone)."""
        try:
            message: tuple[Any, ...] = self.connection.recv()
        except ConnectionResetError:
            raise EOFError from None
        return message

    def say(self, message: Any) -> None:
        """Send it a message (EOFError where it is gone)."""
        try:
            self.connection.send(message)
        except (BrokenPipeError, ConnectionResetError):
            raise EOFError from None

    def end(self, *, broken: bool = False) -> None:
        """Let it end Ray and itself; kill what is left of both.

        Parameters
        ----------
        broken : whether its log may tell somebody something, and is kept.
        """
        with held():
            self.connection.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(END_S)
            session = self._process.pid
            deadline = time.monotonic() + END_S
            while (left := list(processes_of(session))) and time.monotonic() < deadline:
                for pid in left:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                time.sleep(0.05)
            self._process.wait()
            # Also those of tries that failed: Ray names them by the process that started it.
            tried = set(_ray_folders(session)) - self._before
            for folder in tried | ({self._folder} if self._folder is not None else set()):
                shutil.rmtree(folder, ignore_errors=True)
            if broken:
                self._keep_log()
            else:
                self.log.unlink(missing_ok=True)

    def _keep_log(self) -> None:
        """Put what was printed beside the results, if there is such a place."""
        if self._kept_log is None:
            return
        with suppress(OSError):
            self._kept_log.parent.mkdir(parents=True, exist_ok=True)
            with self._kept_log.open("ab") as kept:
                kept.write(self.log.read_bytes())
            self.log.unlink()
            self.log = self._kept_log


def _ray_folders(process: int | None = None) -> Iterator[Path]:
    """Yield the folders of all Rays, or of those that a process has started, on this machine."""
    place = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()) / "ray"
    return place.glob("session_*" if process is None else f"session_*_{process}")


def _remove_leftovers(folder: Path) -> None:
    """Remove the folders of those Rays that were started for runs whose processes are gone."""
    for mark in folder.glob(f"session_*/{MARK}"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            owner = json.loads(mark.read_text(encoding="utf-8"))
            if started(int(owner["process"])) != owner["started"]:
                shutil.rmtree(mark.parent, ignore_errors=True)
