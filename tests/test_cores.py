"""Workers are counted by what the process may use, on made-up trees of control groups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.running.cores import cores_here, cpu_quota

V2 = "30 24 0:26 / {point} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "33 31 0:30 {top} {point} rw - cgroup cgroup rw,cpu,cpuacct\n"
MEMORY_V1 = "34 31 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
OTHER = "22 1 8:1 / / rw,relatime - ext4 /dev/root rw\n"


def tree(root: Path, memberships: str, mounts: str, files: dict[str, str]) -> Path:
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "cgroup").write_text(memberships)
    (root / "proc" / "self" / "mountinfo").write_text(OTHER + mounts)
    for name, content in files.items():
        path = root / "sys" / "fs" / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")
    return root


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "150000 100000"}, 1.5),  # a container: its own group is the top
        ({"a/b/cpu.max": "50000 100000"}, 0.5),
        ({"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000"}, 3.0),
        ({"a/cpu.max": "100000 50000", "a/b/cpu.max": "800000 100000"}, 2.0),
        ({"a/cpu.max": "900000 100000", "a/b/cpu.max": "700000 100000"}, 7.0),
        ({"other/cpu.max": "100000 100000"}, None),
        ({"a/b/cpu.max": "nonsense", "a/cpu.max": ""}, None),
        ({"a/b/cpu.max": "100000 0"}, None),
    ],
)
def test_the_smallest_quota_of_a_group_and_those_above_it_counts(
    files: dict[str, str], quota: float | None, tmp_path: Path
) -> None:
    root = tree(tmp_path, "0::/a/b\n", V2.format(point="/sys/fs/cgroup"), files)
    assert cpu_quota(root) == quota


@pytest.mark.parametrize(
    ("top", "quotas", "quota"),
    [
        ("/", {"cpu/docker/id": -1}, None),
        ("/", {"cpu/docker/id": 250_000}, 2.5),
        ("/", {"cpu/docker": 100_000, "cpu/docker/id": 250_000}, 1.0),
        ("/docker/id", {"cpu": 120_000}, 1.2),  # the container sees its own group alone
        ("/somewhere/else", {"cpu": 120_000}, 1.2),
    ],
)
def test_the_first_version_of_control_groups_is_read_too(
    top: str, quotas: dict[str, int], quota: float | None, tmp_path: Path
) -> None:
    files: dict[str, str] = {}
    for folder, value in quotas.items():
        files |= {f"{folder}/cpu.cfs_quota_us": str(value)}
        files |= {f"{folder}/cpu.cfs_period_us": "100000"}
    files |= {"memory/docker/id/cpu.cfs_quota_us": "10000"}
    mounts = V1.format(top=top, point="/sys/fs/cgroup/cpu") + MEMORY_V1
    root = tree(tmp_path, "9:memory:/docker/id\n4:cpu,cpuacct:/docker/id\n", mounts, files)
    assert cpu_quota(root) == quota


def test_both_versions_side_by_side_and_a_space_in_the_mount_point(tmp_path: Path) -> None:
    mounts = V2.format(point="/sys/fs/cgroup/uni\\040fied")
    mounts += V1.format(top="/", point="/sys/fs/cgroup/cpu")
    files = {
        "uni fied/a/cpu.max": "200000 100000",
        "cpu/b/cpu.cfs_quota_us": "400000",
        "cpu/b/cpu.cfs_period_us": "100000",
    }
    root = tree(tmp_path, "1:cpu:/b\n0::/a\n", mounts, files)
    assert cpu_quota(root) == 2.0


def test_without_control_groups_there_is_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None
    assert cpu_quota(tree(tmp_path, "", "", {})) is None


@pytest.mark.parametrize(("quota", "cores"), [("max", 8), (50, 1), (100, 1), (150, 2), (9999, 8)])
def test_workers_are_the_affinity_or_the_quota_rounded_up_and_at_least_one(
    quota: str | int, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    files = {"a/cpu.max": f"{quota} 100"}
    root = tree(tmp_path, "0::/a\n", V2.format(point="/sys/fs/cgroup"), files)
    assert cores_here(root) == cores
