"""Files that are whole on disk, or not there, whatever happens to the process."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def replace(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON to a file, which is then the old one or the new one, and never a part."""
    temporary = temporary_of(path)
    try:
        write_synced(temporary, content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def temporary_of(path: Path) -> Path:
    """Return a hidden file name in the folder of ``path`` that no other process uses."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


def write_synced(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON to a file, and return when it is on disk."""
    with path.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Return when the names of the files in a folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
