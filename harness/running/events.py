"""What a run reports while it goes on, from an executor to whoever keeps or shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.running.training import Outcome
    from harness.studies.condition import Cell

Block = tuple["Cell", ...]


@dataclass(frozen=True)
class BlockProgress:
    """Share of a block that is done, from 0 (its worker has started) to 1."""

    block: Block
    fraction: float


@dataclass(frozen=True)
class BlockDone:
    """A finished block: an outcome for each of its cells, and where they were computed."""

    block: Block
    outcomes: list[Outcome]
    environment: dict[str, Any]


@dataclass(frozen=True)
class BlockFailed:
    """A block that raised an error or whose worker was lost too often."""

    block: Block
    error: str
    details: str


@dataclass(frozen=True)
class BlockLost:
    """A block whose worker gave no sign for too long; it runs again.

    Attributes
    ----------
    seconds : how long there was no sign.
    """

    block: Block
    seconds: float


@dataclass(frozen=True)
class NotKept:
    """A finished block with cells that could not be written to the store.

    Attributes
    ----------
    reason : what the system said.
    whereabouts : where the cells are instead, as the end of a sentence.
    """

    block: Block
    reason: str
    whereabouts: str


@dataclass(frozen=True)
class NoWorker:
    """Blocks wait, and no worker has started on any of them for some time.

    Attributes
    ----------
    seconds : how long that has been so.
    advice : what to look at, as the end of a sentence.
    """

    seconds: float
    advice: str


Event = BlockProgress | BlockDone | BlockFailed | BlockLost | NotKept | NoWorker
