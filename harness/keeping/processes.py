"""Processes by more than their number, which the system gives again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def started(pid: int) -> str | None:
    """Return when a process of this machine started, in the system's ticks; None if it has ended.

    Linux tells; elsewhere every process counts as ended.
    """
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state in "ZX" else rest[18]


def machine() -> str | None:
    """Return what tells this boot of this machine, and this container on it, from all others."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return None


def processes_of(session: int) -> Iterator[int]:
    """Yield the processes of a session that still run (Linux; elsewhere none is known)."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            state, _, _, of = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(of) == session and state != "Z":
                yield int(folder.name)
