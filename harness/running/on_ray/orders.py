"""What the driver wants of the process that owns Ray."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.running.functions.terms import Terms


@dataclass(frozen=True)
class Orders:
    """What the driver wants, fixed for the whole process.

    Attributes
    ----------
    device : "cpu" or "cuda".
    workers : blocks that run at the same time at most; None for no limit.
    address : of a running cluster; None to start Ray here.
    block_timeout : seconds without a sign of a worker after which its block runs again.
    versions : of the packages in which the driver and all nodes must agree.
    look_every : seconds between two looks at the nodes.
    word_after : seconds without any worker at work after which there is a word about it.
    terms : of cells that the user's own functions train.
    """

    device: str
    workers: int | None
    address: str | None
    block_timeout: float
    versions: Mapping[str, str]
    look_every: float
    word_after: float
    terms: Terms
