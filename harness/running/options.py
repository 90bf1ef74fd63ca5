"""Where and how a study runs; next to no imports, so that a command line may name the choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.errors import InputError

ExecutorName = Literal["auto", "ray", "in-process"]
DeviceName = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Options:
    """Where and how a study runs; none of it changes a number on one kind of device.

    Attributes
    ----------
    executor : "auto" takes Ray where it is installed and the job is long enough to pay.
    address : of a running Ray cluster.
    workers : blocks in flight; None for every core (every GPU).
    lanes : cells trained side by side; None to choose by device and size of the job.
    device : "auto" takes CUDA where there is a GPU.
    """

    executor: ExecutorName = "auto"
    address: str | None = None
    workers: int | None = None
    lanes: int | None = None
    device: DeviceName = "auto"

    def check(self) -> None:
        """Raise InputError where the options contradict each other."""
        if self.address is not None and self.executor == "in-process":
            raise InputError("--address needs Ray: leave out --executor in-process")
