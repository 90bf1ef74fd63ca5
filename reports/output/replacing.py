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
    """Give an empty folder to write to, which takes the place of ``folder`` if all goes well.

    On any failure, and on an interruption, ``folder`` stays what it was, and nothing of the new one
    is left. It takes two renamings to put the new one in place; who is killed between them finds
    the old one beside it, under a hidden name.

    Parameters
    ----------
    folder : need not exist; a link to a folder is followed.
    foreign : which of its entries are somebody else's, and are copied to the new one.

    Raises
    ------
    OSError
        Where it cannot be written; NotADirectoryError where a file has its name.
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
