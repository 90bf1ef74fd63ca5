"""When a run must have ended, as batch systems demand, and what still fits before that."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic

from harness.errors import InputError
from harness.running.events import Block, BlockDone

SLURM = "SLURM_JOB_END_TIME"
"""SLURM tells a job in this variable when it will end it (seconds since 1970)."""
RESERVE_S = 30.0
"""Kept free before the deadline, to write what is finished and to leave."""
SLACK = 1.25
"""A block may take so much longer than the slowest one of its kind so far."""


class Deadline:
    """Tells which blocks would still end in time.

    Parameters
    ----------
    seconds : from now to the deadline.
    paces : estimated seconds of one cell, by the structure of its condition.
    """

    def __init__(self, seconds: float, paces: Mapping[str, float]) -> None:
        self._at = monotonic() + seconds  # a clock that is set meanwhile changes nothing
        self._paces = dict(paces)
        self._measured: dict[str, float] = {}

    def allows(self, block: Block) -> bool:
        """Tell whether a block that is started now would end before the deadline."""
        structure = block[0].condition.structure()
        pace = self._measured.get(structure, self._paces.get(structure, 0.0))
        return monotonic() + SLACK * pace * len(block) + RESERVE_S <= self._at

    @property
    def passed(self) -> bool:
        """Whether nothing can be started any more."""
        return monotonic() + RESERVE_S > self._at

    def learn(self, done: BlockDone) -> None:
        """Take in how long a block took: the slowest of its kind counts from now on."""
        structure = done.block[0].condition.structure()
        pace = max(outcome.timings.get("total", 0.0) for outcome in done.outcomes)
        self._measured[structure] = max(pace, self._measured.get(structure, 0.0))


def fixed(deadline: str | None) -> str | None:
    """Return a deadline as date and time, so that what lasts long does not move it."""
    left = seconds_left(deadline)
    if deadline is None or left is None:
        return deadline
    return (datetime.now(UTC) + timedelta(seconds=left)).isoformat()


def seconds_left(deadline: str | None) -> float | None:
    """Return the seconds to the deadline; None for none.

    Parameters
    ----------
    deadline : a duration from now ("45" minutes, "3:30:00", "1-12:00:00" with days, as SLURM
        writes them), or a date and time (ISO 8601; of this machine's time zone if it names none).
        If None, a job of SLURM asks SLURM.

    Raises
    ------
    InputError
        Where it is neither, or has passed.
    """
    if deadline is None:
        told = os.environ.get(SLURM, "")
        return float(told) - time.time() if told.isdecimal() else None
    duration = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)|(\d+)", deadline.strip())
    if duration:
        days, hours, minutes, seconds, only_minutes = (int(n or 0) for n in duration.groups())
        left = float(86400 * days + 3600 * hours + 60 * (minutes + only_minutes) + seconds)
    else:
        try:
            at = datetime.fromisoformat(deadline.strip())
        except ValueError:
            raise InputError(
                f"--deadline: '{deadline}' is no time; write 3:30:00 for three and a half hours "
                "from now, or 2030-12-31T08:00"
            ) from None
        left = (at.astimezone(UTC) - datetime.now(UTC)).total_seconds()
    if left <= RESERVE_S:
        raise InputError(f"--deadline: until '{deadline}' there are no {RESERVE_S:.0f} s left")
    return left
