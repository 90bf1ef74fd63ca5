"""A folder that is written whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(folder: Path, foreign: Callable[[Path], bool]) -> Iterator[Path]:
    """Give an empty folder to write to, which replaces ``folder`` if all goes well.

    On a failure or an interruption ``folder`` stays unchanged, and the new folder is removed. Two
    renamings put the new folder in place; if the process is killed between them, the old folder
    lies beside that place under a hidden name.

    Parameters
    ----------
    folder : need not exist; a link to a folder is followed.
    foreign : tells whether an entry of ``folder`` is somebody else's; such an entry is copied to
        the new folder.

    Raises
    ------
    OSError
        Where the folder cannot be written; NotADirectoryError where a file has its name.
    """
    folder = folder.resolve()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    hidden = f".{folder.name}.{uuid.uuid4().hex}"
    new, old = folder.with_name(f"{hidden}.new"), folder.with_name(f"{hidden}.old")
    try:
        new.mkdir()
        yield new
        if folder.exists():
            for path in filter(foreign, folder.iterdir()):
                _copy(path, new / path.name)
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _copy(path: Path, target: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.copytree(path, target, symlinks=True)
    else:
        shutil.copy2(path, target, follow_symlinks=False)
