"""How much memory is left, and how much a cell has (Linux; elsewhere nobody knows)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LEAST_SHARE = 0.05
"""Where less than this share of all memory is left, the largest cell is ended."""
LARGE_SHARE = 0.2
"""Only a cell that has more than this share of all memory is ended so."""


def total_and_left(root: Path = Path("/")) -> tuple[int, int] | None:
    """Return the bytes of memory that this process may use, and those that are left."""
    found: dict[str, int] = {}
    with suppress(OSError, ValueError):
        for line in (root / "proc/meminfo").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("MemTotal", "MemAvailable"):
                found[name] = int(rest.split()[0]) * 1024
    if len(found) < 2:
        return None
    total, left = found["MemTotal"], found["MemAvailable"]
    for limit, used in (
        ("memory.max", "memory.current"),  # version 2 of control groups, then version 1
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):
            folder = root / "sys/fs/cgroup"
            most = int((folder / limit).read_text())
            if most < total:
                total = most
                left = min(left, most - int((folder / used).read_text()))
    return total, left


def bytes_of(keeper: int) -> int:
    """Return the bytes that the processes below a keeper hold in memory."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(folder.name))
    waiting, total = [keeper], 0
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, [])
        with suppress(OSError, IndexError, ValueError):
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            total += pages * os.sysconf("SC_PAGE_SIZE")
    return total
