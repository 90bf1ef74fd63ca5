"""A record names the commit of this project's code, or none: never that of another repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import harness
import methods
from harness.keeping.code_version import checkout, hash_of_sources


def git(folder: Path, *arguments: object) -> str:
    identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *map(str, arguments)],
        env={name: v for name, v in os.environ.items() if not name.startswith("GIT_")},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def repository(folder: Path, content: str) -> Path:
    """Make a repository of one commit; returns its one file, whose content makes the commit."""
    file = folder / "package" / "module.py"
    file.parent.mkdir(parents=True)
    file.write_text(content)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", content)
    return file


def test_a_checkout_names_its_commit_and_whether_tracked_files_were_changed(tmp_path: Path) -> None:
    file = repository(tmp_path, "one")
    commit = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "untracked.txt").write_text("")
    assert checkout(tmp_path, file) == (commit, True)
    file.write_text("two")
    assert checkout(tmp_path, file) == (commit, False)


def test_what_git_sets_for_its_hooks_does_not_lead_to_another_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = repository(tmp_path / "ours", "ours")
    repository(tmp_path / "other", "other")
    named = checkout(tmp_path / "ours", file)
    assert named == (git(tmp_path / "ours", "rev-parse", "HEAD"), True)
    other = tmp_path / "other"
    for name, value in {
        "GIT_DIR": other / ".git",
        "GIT_COMMON_DIR": other / ".git",
        "GIT_WORK_TREE": other,
        "GIT_INDEX_FILE": other / ".git" / "index",
        "GIT_OBJECT_DIRECTORY": other / ".git" / "objects",
        "GIT_PREFIX": "package/",
    }.items():
        monkeypatch.setenv(name, str(value))
    assert checkout(tmp_path / "ours", file) == named


def test_a_worktree_names_its_own_commit(tmp_path: Path) -> None:
    repository(tmp_path / "main", "main")
    git(tmp_path / "main", "worktree", "add", "--quiet", tmp_path / "second")
    git(tmp_path / "second", "commit", "--allow-empty", "--quiet", "--message", "ahead")
    ahead = git(tmp_path / "second", "rev-parse", "HEAD")
    assert ahead != git(tmp_path / "main", "rev-parse", "HEAD")
    file = tmp_path / "second" / "package" / "module.py"
    assert checkout(tmp_path / "second", file) == (ahead, True)


@pytest.mark.parametrize("place", ["venv/lib/site-packages", "."])
def test_a_copy_inside_somebody_elses_repository_names_no_commit(
    place: str, tmp_path: Path
) -> None:
    repository(tmp_path, "theirs")
    root = tmp_path / place
    file = root / "harness" / "code_version.py"
    file.parent.mkdir(parents=True)
    file.write_text("installed")
    assert checkout(root, file) == (None, None)


def test_a_repository_of_a_larger_tree_names_no_commit(tmp_path: Path) -> None:
    file = repository(tmp_path / "here", "here")
    git(tmp_path / "here", "config", "core.worktree", tmp_path)
    git(tmp_path / "here", "add", file)
    git(tmp_path / "here", "commit", "--quiet", "--message", "the same file, seen from above")
    assert checkout(tmp_path / "here", file) == (None, None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_another_user_names_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = repository(tmp_path / "theirs", "theirs")
    for path in (tmp_path / "theirs", tmp_path / "theirs" / ".git"):
        os.chown(path, 12345, 12345)
    monkeypatch.setenv("HOME", str(tmp_path))  # whose .gitconfig calls no folder safe
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert checkout(tmp_path / "theirs", file) == (None, None)


def test_without_git_or_a_commit_there_is_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet")
    assert checkout(tmp_path, tmp_path / "module.py") == (None, None)
    file = repository(tmp_path / "whole", "whole")
    assert checkout(tmp_path / "whole", file) != (None, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checkout(tmp_path / "whole", file) == (None, None)


def test_the_hash_of_the_sources_is_of_both_packages_wherever_they_are(tmp_path: Path) -> None:
    for package in (harness, methods):  # as Ray unpacks them: each into a folder of its own
        name = package.__name__
        shutil.copytree(package.__path__[0], tmp_path / f"{name}-alone" / name)
    ask = "from harness.keeping.code_version import hash_of_sources; print(hash_of_sources())"

    def there() -> str:
        path = os.pathsep.join(str(folder) for folder in tmp_path.iterdir())
        return subprocess.run(
            [sys.executable, "-c", ask],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": path},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    assert there() == hash_of_sources()
    with (tmp_path / "methods-alone" / "methods" / "network.py").open("a") as file:
        file.write("# changed")
    assert there() != hash_of_sources()
