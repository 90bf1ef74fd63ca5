"""Options of a run. This module imports little, so that the command line loads quickly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.errors import InputError

ExecutorName = Literal["auto", "ray", "in-process"]
DeviceName = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Options:
    """Options of a run. On one kind of device, no option changes a number.

    Attributes
    ----------
    executor : "auto" takes Ray if it is installed and the job is long enough to be worth it.
    address : address of a running Ray cluster.
    workers : number of blocks that run at the same time; None for one on every core (every GPU).
    lanes : number of cells in a block; None to choose by device and size of the job.
    device : "auto" takes CUDA if there is a GPU.
    block_timeout : seconds after which a block runs again if its worker on Ray gives no sign; None
        for the default.
    bridge : so many seeds are trained in a second numerics class of the cluster too.
    cell_timeout : seconds after which a cell of the user's own function is ended.
    deadline : when the run must have ended; see ``harness.running.deadline.seconds_left``.
    """

    executor: ExecutorName = "auto"
    address: str | None = None
    workers: int | None = None
    lanes: int | None = None
    device: DeviceName = "auto"
    block_timeout: float | None = None
    deadline: str | None = None
    bridge: int | None = None
    cell_timeout: float | None = None

    def check(self) -> None:
        """Raise InputError where the options contradict each other."""
        if self.address is not None and self.executor == "in-process":
            raise InputError("--address needs Ray: leave out --executor in-process")
        if self.bridge is not None and self.address is None:
            raise InputError(
                "--bridge compares nodes of a cluster that round differently: it needs --address"
            )
