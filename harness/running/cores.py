"""The number of processor cores that this process may use, by its affinity and its quota."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def cores_here(root: Path = Path("/")) -> int:
    """Return the number of workers, one core each, that this process can run; at least 1.

    A part of a core counts as a whole core: its worker is slower but still adds to the speed.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = cpu_quota(root)
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def cpu_quota(root: Path = Path("/")) -> float | None:
    """Return the number of cores that the quotas of this process allow; None for no limit.

    The control group of a container or a service can have a quota of time over all cores, which
    the affinity does not show. The quotas of all enclosing groups limit a group too, so the
    smallest quota counts. This function reads both versions: ``cpu.max`` (v2) and
    ``cpu.cfs_quota_us`` (v1), which some machines mount side by side.

    Parameters
    ----------
    root : the folder that contains ``proc`` and the mounted control groups.

    Source: Linux, Documentation/admin-guide/cgroup-v2.rst and scheduler/sched-bwc.rst.
    """
    quotas = []
    for folder in _groups(root):
        for read in (_quota_v2, _quota_v1):
            try:
                quota = read(folder)
            except (OSError, ValueError, IndexError, ZeroDivisionError):
                continue  # a folder of the other version, or a group without this controller
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
    """Yield the folders of the groups of this process and of all groups that enclose them."""
    try:
        memberships = (root / "proc/self/cgroup").read_text().splitlines()
        mounts = (root / "proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return  # not Linux, or /proc is hidden
    paths: dict[str, str] = {}  # paths of the groups by controller; v2 has no controller name
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
        except ValueError:  # a container sees its own group as the top
            below = PurePosixPath()
        for group in (below, *below.parents):
            yield root / point.lstrip("/") / group


def _unescaped(field: str) -> str:
    """Return a path of mountinfo, which writes special characters as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), field)
