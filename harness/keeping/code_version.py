"""Which code this is: the version of the project and, in its own git checkout, the commit.

Imports nothing that is slow, so that a command which never trains can ask for it.
"""

from __future__ import annotations

import os
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

THIS_FILE = Path(__file__).resolve()
GIT_TIMEOUT_S = 10


@cache
def code() -> dict[str, Any]:
    """Return the project's version and, in a git checkout of it, commit and cleanness.

    ``git_commit`` and ``git_clean`` are None where git cannot say: there is no git, the checkout
    belongs to another user, or the project is no repository of its own. A copy that is installed
    or unpacked inside another repository says nothing of that repository's commit.
    """
    try:
        version = metadata.version("dhp-repro")
    except metadata.PackageNotFoundError:
        version = None
    commit, clean = checkout(THIS_FILE.parent.parent.parent, THIS_FILE)
    return {"version": version, "git_commit": commit, "git_clean": clean}


def checkout(root: Path, file: Path) -> tuple[str | None, bool | None]:
    """Return the commit of the repository at ``root``, and whether its tracked files are clean.

    Parameters
    ----------
    root : must be the repository's top folder, else nothing is said.
    file : must be tracked there, else the repository is somebody else's.
    """
    if not (root / ".git").exists():
        return None, None
    named = _git(root, "rev-parse", "--show-toplevel", "HEAD")
    if named is None or _git(root, "ls-files", "--error-unmatch", "--", str(file)) is None:
        return None, None
    top, _, commit = named.rpartition("\n")
    if Path(top).resolve() != root.resolve():
        return None, None
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return commit, None if changed is None else changed == ""


def _git(folder: Path, *arguments: str) -> str | None:
    """Ask git about a folder; None where it has no answer."""
    # Git runs its hooks with GIT_DIR, GIT_INDEX_FILE and more set: they name the hook's own
    # repository and would win over the folder.
    environment = {name: v for name, v in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            # Asking must not write to the index, which another git may hold locked.
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=GIT_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
