"""What a run reports while it goes on, from an executor to whoever keeps or shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.running.outcomes import Outcome
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
    """A block that raised an error, needs too much memory, or whose worker was lost too often."""

    block: Block
    error: str
    details: str


@dataclass(frozen=True)
class BlockLost:
    """A block that was lost with its worker or its node, or failed on one node; it runs again.

    Attributes
    ----------
    why : in words, a part of a sentence.
    """

    block: Block
    why: str


@dataclass(frozen=True)
class BlockNotStarted:
    """A block that this run leaves out.

    Attributes
    ----------
    why : in words, a part of a sentence.
    """

    block: Block
    why: str


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


@dataclass(frozen=True)
class WaitingForOthers:
    """Nothing is left to do but cells that other drivers of the same directory have.

    Attributes
    ----------
    cells : how many.
    """

    cells: int


@dataclass(frozen=True)
class Bridging:
    """Further cells are trained, for the second time, in another numerics class.

    Attributes
    ----------
    cells, numerics : how many, and the class.
    """

    cells: int
    numerics: str


@dataclass(frozen=True)
class NodeJoined:
    """A node of a cluster that is used from now on.

    Attributes
    ----------
    node : its name.
    cpu, numerics : the model of its processor, and how it rounds; None for this machine.
    room : how many blocks it has room for.
    """

    node: str
    cpu: str | None
    numerics: str | None
    room: int


@dataclass(frozen=True)
class NodeGone:
    """A node that is not used, or not any more.

    Attributes
    ----------
    why : in words; None where it has left the cluster.
    """

    node: str
    why: str | None = None


@dataclass(frozen=True)
class ExecutorLost:
    """The connection to the cluster, or Ray on this machine, broke.

    Attributes
    ----------
    why : in words.
    remedy : what the run does now, as a sentence.
    """

    why: str
    remedy: str


Event = (
    BlockProgress
    | BlockDone
    | BlockFailed
    | BlockLost
    | BlockNotStarted
    | NotKept
    | NoWorker
    | WaitingForOthers
    | Bridging
    | NodeJoined
    | NodeGone
    | ExecutorLost
)
