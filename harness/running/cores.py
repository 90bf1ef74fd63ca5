"""How many processor cores this process may use: its affinity and its container's quota."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def cores_here(root: Path = Path("/")) -> int:
    """Return the number of workers, one core each, that this process has room for; at least 1.

    A part of a core counts as a whole one: its worker is slowed down, and still adds what it has.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = cpu_quota(root)
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def cpu_quota(root: Path = Path("/")) -> float | None:
    """Return the cores' worth of time that this process's control groups allow; None for no limit.

    A container or a service limits itself by a quota of time over all cores, which the affinity
    does not show. A group is bound by the groups that it lies in, so the smallest quota on the way
    up counts. Both versions are read: ``cpu.max`` (v2) and ``cpu.cfs_quota_us`` (v1), which some
    machines mount side by side.

    Parameters
    ----------
    root : where ``proc`` and the mounted control groups lie.

    Source: Linux, Documentation/admin-guide/cgroup-v2.rst and scheduler/sched-bwc.rst.
    """
    quotas = []
    for folder in _groups(root):
        for read in (_quota_v2, _quota_v1):
            try:
                quota = read(folder)
            except (OSError, ValueError, IndexError, ZeroDivisionError):
                continue  # the other version's folder, or a group without this controller
            if quota is not None:
                quotas.append(quota)
    return min(quotas, default=None)


def _quota_v2(folder: Path) -> float | None:
    quota, period = (folder / "cpu.max").read_text().split()
    return None if quota == "max" else int(quota) / int(period)


def _quota_v1(folder: Path) -> float | None:
    quota = int((folder / "cpu.cfs_quota_us").read_text())
    return None if quota < 0 else quota / int((folder / "cpu.cfs_period_us").read_text())


def _groups(root: Path) -> Iterator[Path]:
    """Yield the folders of the process's own groups and of all groups that these lie in."""
    try:
        memberships = (root / "proc/self/cgroup").read_text().splitlines()
        mounts = (root / "proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return  # no Linux, or /proc is hidden
    paths: dict[str, str] = {}  # of the process's groups, by controller; v2 names none
    for line in memberships:
        _, controllers, path = line.split(":", 2)
        paths |= dict.fromkeys(controllers.split(","), path)
    for line in mounts:
        # id parent device ROOT POINT options [tags] - TYPE source SUPER_OPTIONS; see proc(5)
        before, _, after = line.partition(" - ")
        top, point = (_unescaped(field) for field in before.split()[3:5])
        kind, options = after.split()[0], after.split()[-1]
        if kind == "cgroup2":
            controller = ""
        elif kind == "cgroup" and "cpu" in options.split(","):
            controller = "cpu"
        else:
            continue
        try:
            below = PurePosixPath(paths.get(controller, top)).relative_to(top)
        except ValueError:  # a container that sees its own group as the top
            below = PurePosixPath()
        for part in (below, *below.parents):
            yield root / point.lstrip("/") / part


def _unescaped(field: str) -> str:
    """Return a path of mountinfo, where spaces and the like are written as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)
