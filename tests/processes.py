"""The processes that descend from one of the tests' own; no others are looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 900
"""Until a test gives up on something that must happen; how long it takes is not its law."""


@dataclass(frozen=True)
class Process:
    """A process; numbers of processes are used again, numbers with their start are not."""

    pid: int
    started: str

    @property
    def name(self) -> str:
        """Its command line, or what it calls itself (Ray's workers write their task there)."""
        try:
            return Path(f"/proc/{self.pid}/cmdline").read_text().replace("\0", " ")
        except OSError:
            return ""


def descendants(pid: int) -> set[Process]:
    """The living processes below a process, whatever their depth."""
    parents = dict(_living())
    found: set[int] = {pid}
    while more := {p.pid for p, parent in parents.items() if parent in found} - found:
        found |= more
    return {process for process in parents if process.pid in found - {pid}}


def alive(processes: set[Process]) -> set[Process]:
    """Those that have not ended."""
    return processes & {process for process, _ in _living()}


def wait_until(happens: Callable[[], object]) -> None:
    """Return as soon as something is true; fail where it does not become so."""
    deadline = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < deadline, "it was to happen"
        time.sleep(0.05)


def _living() -> Iterator[tuple[Process, int]]:
    """All processes but those that have ended and wait for their parents to look, with parents."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except OSError:
            continue
        state, parent, *rest = stat.rpartition(")")[2].split()  # the name may hold spaces
        if state != "Z":
            yield Process(int(folder.name), rest[17]), int(parent)


def working_in(folder: Path) -> set[Process]:
    """The living processes whose current folder this is, whoever has started them."""
    found = set()
    for process, _ in _living():
        try:
            if Path(f"/proc/{process.pid}/cwd").readlink() == folder:
                found.add(process)
        except OSError:
            continue
    return found
