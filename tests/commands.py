"""The program as a person runs it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent.parent
"""The root of the repository."""


def command(*arguments: object) -> list[str]:
    """Return the command line of the program with these arguments."""
    return [sys.executable, str(HERE / "run_all.py"), *map(str, arguments)]


def run(
    *arguments: object,
    cwd: Path = HERE,
    below: Sequence[str] = (),
    timeout: float = 300,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run it to its end, without MNIST and on a wide screen, with these environment variables.

    ``below`` is a program that starts it, such as a wrapper. Its standard error is returned without
    the lines that say what takes a while.
    """
    done = subprocess.run(
        [*below, *command(*arguments)],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "200", "REPRO_DATA_DIR": ""} | variables,
        text=True,
        capture_output=True,
        timeout=timeout,
    )
    done.stderr = without_notes(done.stderr)
    return done


def without_notes(said: str) -> str:
    """Return standard error without the lines that say what takes a while."""
    return "".join(line for line in said.splitlines(True) if not line.endswith(" ...\n"))
