"""The version of the project's code and, in a git checkout of the project, the commit.

This module imports nothing that is slow, so that commands that never train can use it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

THIS_FILE = Path(__file__).resolve()
GIT_TIMEOUT_S = 10


@cache
def code() -> dict[str, Any]:
    """Return the project's version and, in a git checkout of it, the commit and its cleanness.

    ``git_commit`` and ``git_clean`` are None where git cannot tell: git is not installed, the
    checkout belongs to another user, or the project is not the root of a repository. A copy that is
    installed or unpacked inside another repository does not return that repository's commit.
    """
    try:
        version = metadata.version("dhp-repro")
    except metadata.PackageNotFoundError:
        version = None
    commit, clean = checkout(THIS_FILE.parent.parent.parent, THIS_FILE)
    return {"version": version, "git_commit": commit, "git_clean": clean}


@cache
def hash_of_sources() -> str:
    """Return a hash of the source files that a cell's numbers come from, as they are imported."""
    # Ray unpacks each package that it is sent into a folder of its own.
    methods = find_spec("methods")
    places = (methods and methods.submodule_search_locations) or []
    digest = hashlib.sha256()
    for package in (THIS_FILE.parent.parent, *map(Path, places)):
        for path in sorted(package.rglob("*.py")):
            digest.update(str(path.relative_to(package.parent)).encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def checkout(root: Path, file: Path) -> tuple[str | None, bool | None]:
    """Return the commit of the repository at ``root``, and whether its tracked files are clean.

    Parameters
    ----------
    root : must be the repository's top folder, else both values are None.
    file : must be tracked there, else the repository is not this project's.
    """
    if not (root / ".git").exists():
        return None, None
    answer = _git(root, "rev-parse", "--show-toplevel", "HEAD")
    if answer is None or _git(root, "ls-files", "--error-unmatch", "--", str(file)) is None:
        return None, None
    top, _, commit = answer.rpartition("\n")
    if Path(top).resolve() != root.resolve():
        return None, None
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return commit, None if changed is None else changed == ""


def _git(folder: Path, *arguments: str) -> str | None:
    """Return the output of a git command in a folder; None where it fails."""
    # Git sets GIT_DIR, GIT_INDEX_FILE and more when it runs a hook. They name the repository of the
    # hook and would override the folder.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        process = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            # The command must not write to the index, which another git process may have locked.
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=GIT_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return process.stdout.strip() if process.returncode == 0 else None
