"""The process of a cell, seen from the run: its start, what it says, its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import InputError

CHILD = Path(__file__).with_name("child.py")
MARK = "DHP_REPRO_CELL"
"""A variable in the environment of everything that a cell starts."""
TAIL_BYTES = 65536
"""So much of what a cell prints is kept, for the case that it fails."""
ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Variables by which libraries use one core each, as many cells run side by side."""


@dataclass
class Printed:
    """The end of what a cell printed to one of its streams."""

    kept: bytearray = field(default_factory=bytearray)

    def add(self, content: bytes) -> None:
        """Take in more; the beginning is dropped where it is too much."""
        self.kept += content
        if len(self.kept) > 2 * TAIL_BYTES:
            del self.kept[:-TAIL_BYTES]

    def text(self) -> str:
        """Return what is kept."""
        return bytes(self.kept[-TAIL_BYTES:]).decode(errors="replace")


class AnonymousFile:
    """A file without a name, which is gone with the last process that has it open."""

    def __init__(self, parts: Iterator[bytes | memoryview]) -> None:
        with tempfile.TemporaryFile() as file:
            for part in parts:
                file.write(part)
            file.flush()
            self.descriptor = os.dup(file.fileno())

    def close(self) -> None:
        """Close it here."""
        with suppress(OSError):
            os.close(self.descriptor)


class Process:
    """A keeper and its trainer; see ``harness.running.functions.child``.

    Parameters
    ----------
    setup : a file with what all cells of a function share.
    more : further files that it needs.
    variables : of its environment, beside those of this process.

    Attributes
    ----------
    said : called with each line of JSON that the trainer writes.
    ended : the trainer's status as the system gives it, once it and its children are gone.
    lost : whether the keeper is gone without a word.
    """

    def __init__(
        self,
        setup: AnonymousFile,
        more: tuple[AnonymousFile, ...],
        variables: Mapping[str, str],
        said: Callable[[dict[str, Any]], None],
    ) -> None:
        self.said = said
        self.out, self.err = Printed(), Printed()
        self.ended: int | None = None
        self.lost = False
        self._mark = uuid.uuid4().hex
        theirs: list[int] = []
        ours: list[int] = []

        def pipe(*, to_child: bool) -> tuple[int, int]:
            read, write = os.pipe()
            mine, its = (write, read) if to_child else (read, write)
            ours.append(mine)
            theirs.append(its)
            return mine, its

        try:
            self._requests, requests = pipe(to_child=True)
            self._lifeline, lifeline = pipe(to_child=True)
            reports = pipe(to_child=False)
            keeper = pipe(to_child=False)
            out = pipe(to_child=False)
            err = pipe(to_child=False)
            told = (requests, reports[1], lifeline, keeper[1], setup.descriptor)
            environment = os.environ | dict.fromkeys(ONE_THREAD, "1") | dict(os.environ)
            path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
            environment |= {"PYTHONHASHSEED": "0", "PATH": path, **variables, MARK: self._mark}
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(CHILD), *map(str, told)],
                stdin=subprocess.DEVNULL,
                stdout=out[1],
                stderr=err[1],
                pass_fds=[*told, *(file.descriptor for file in more)],
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            for descriptor in ours:
                os.close(descriptor)
            raise InputError(f"no process can be started: {error.strerror or error}") from None
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        self._readers: dict[int, Callable[[bytes], None]] = {
            reports[0]: _Lines(self._hear).add,
            keeper[0]: _Lines(self._hear_keeper).add,
            out[0]: self.out.add,
            err[0]: self.err.add,
        }
        self.keeper = keeper[0]
        for descriptor in self._readers:
            os.set_blocking(descriptor, False)

    @property
    def pid(self) -> int:
        """The keeper's."""
        return self._process.pid

    @property
    def descriptors(self) -> list[int]:
        """What can be waited for; see ``read``."""
        return list(self._readers)

    def _hear(self, line: dict[str, Any]) -> None:
        self.said(line)

    def _hear_keeper(self, line: dict[str, Any]) -> None:
        self.ended = int(line["ended"])

    def ask(self, request: Mapping[str, Any]) -> None:
        """Send a request; nothing happens where the trainer is gone."""
        with suppress(BrokenPipeError):
            waiting = memoryview(json.dumps(request).encode() + b"\n")
            while waiting:
                waiting = waiting[os.write(self._requests, waiting) :]

    def no_more(self) -> None:
        """Let the trainer end after what it was asked."""
        if self._requests >= 0:
            os.close(self._requests)
            self._requests = -1

    def read(self, descriptor: int) -> bool:
        """Take in what is there; returns False where nothing more can come."""
        try:
            content = os.read(descriptor, TAIL_BYTES)
        except BlockingIOError:
            return True
        if content:
            self._readers[descriptor](content)
        elif descriptor == self.keeper:
            self.lost = self.ended is None
        return bool(content)

    def end(self) -> None:
        """Let the keeper end the trainer, and everything that it has started."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    def close(self) -> None:
        """End it and everything that it has started, and take in what it said to the last."""
        self.end()
        self.no_more()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for descriptor, take in self._readers.items():
            with suppress(OSError):
                while content := os.read(descriptor, TAIL_BYTES):
                    take(content)
            os.close(descriptor)
        if self.ended is None:  # somebody ended the keeper, which then could end nobody
            for pid in _marked(self._mark):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _marked(mark: str) -> Iterator[int]:
    """Yield the processes of this user that have a mark in their environment (Linux)."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)


class _Lines:
    """Cuts a stream into lines of JSON; what is none is dropped."""

    def __init__(self, hear: Callable[[dict[str, Any]], None]) -> None:
        self._hear = hear
        self._begun = b""

    def add(self, content: bytes) -> None:
        *lines, self._begun = (self._begun + content).split(b"\n")
        for line in lines:
            with suppress(ValueError, KeyError, TypeError):
                self._hear(json.loads(line))
