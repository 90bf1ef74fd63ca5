"""What a study asks of a cluster: workers, memory, GPUs, time, and the command that runs it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from harness.errors import InputError
from harness.studies.study import Study

ClusterDevice = Literal["cpu", "cuda"]

MOST_WORKERS = 8
"""Workers that a template asks for where nobody says how many; fewer for a small study."""
MEMORY_GIB = 4
"""Of one worker: torch, Ray's own processes beside it, and Ray's store of the data."""
TIME = "4:00:00"
DRIVER_GIB = 4
"""Of the program itself, beside the workers."""
DURATION = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d)")


@dataclass(frozen=True)
class Part:
    """The part of a study that is run, and how: options of the command ``run``."""

    seeds: str | None = None
    conditions: str | None = None
    lanes: int | None = None
    device: ClusterDevice = "cpu"
    block_timeout: float | None = None
    allow_other_data: bool = False

    def words(self) -> list[str]:
        """Return the options as words, each in one piece so that no value is taken for another."""
        values = {
            "seeds": self.seeds,
            "conditions": self.conditions,
            "lanes": self.lanes,
            "device": self.device,
            "block-timeout": self.block_timeout,
        }
        words = [f"--{name}={value}" for name, value in values.items() if value is not None]
        return words + ["--allow-other-data"] * self.allow_other_data


@dataclass(frozen=True)
class Needs:
    """What is asked of a cluster for a part of a study.

    Attributes
    ----------
    study, chosen : the whole study, and the part of it that is run.
    workers : cells or blocks of cells that train at a time, each on one core or one GPU; of an
        array of jobs, the jobs.
    nodes : machines that the workers are on, as many on each.
    memory : GiB for each worker.
    seconds : wall time.

    Raises
    ------
    InputError
        Where there would be more workers than work.
    """

    study: Study
    chosen: Study
    part: Part = field(default_factory=Part)
    workers: int = MOST_WORKERS
    nodes: int = 1
    memory: int = MEMORY_GIB
    seconds: int = 4 * 3600

    def __post_init__(self) -> None:
        if self.workers > self.cells:
            raise InputError(
                f"--workers {self.workers}: there are {self.cells} cells to run, so at most "
                f"{self.cells} workers have work"
            )
        if self.nodes > self.workers:
            raise InputError(f"--nodes {self.nodes}: only {self.workers} workers to put on them")

    @property
    def cells(self) -> int:
        """Number of cells of the part."""
        return len(self.chosen.conditions) * len(self.chosen.seeds)

    @property
    def workers_a_node(self) -> int:
        """Number of workers on each node; together there may be some more than asked for."""
        return -(-self.workers // self.nodes)

    @property
    def clock(self) -> str:
        """The wall time as H:MM:SS, which SLURM and ``run --deadline`` read."""
        minutes, seconds = divmod(self.seconds, 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def duration(text: str, option: str) -> int:
    """Return the seconds of a duration such as "3:30:00"; InputError names the option."""
    found = DURATION.fullmatch(text)
    seconds = 0
    if found:
        hours, minutes, rest = map(int, found.groups())
        seconds = 3600 * hours + 60 * minutes + rest
    if seconds < 60:
        raise InputError(
            f"{option}: '{text}' is no time of a minute or more; write 3:30:00 for 3.5 hours"
        )
    return seconds
