"""Which block is trained where: the rules of a cluster, without the cluster.

Time and machines are told to it, so that a simulation goes through the same code as a run.

- Every condition of a seed is trained in one numerics class (nodes that round alike): a difference
  between conditions is never one between machines. The first block of a seed chooses the class.
- A block that raises an error is tried once more on another node, if there is one. If it succeeds
  there, that is a strike against the first node, which gets no block in between; two strikes in a
  row, and the node is left out. If it fails there too, the code is at fault, and it is not tried
  again.
- A block that was lost with its node runs again, as often as that happens. One that was lost with
  its worker alone (it crashed, or gave no sign) may bring it down: it has a few tries. One that
  needs more memory than there is runs again in halves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from harness.running.events import Block

WORKER_TRIES = 4
"""How often a block is given to a worker at most, where each of them was lost."""
STRIKES = 2
"""So many blocks in a row that failed on a node, and succeeded on another one, exclude it."""
LOOKAHEAD = 64
"""How many blocks may wait for a node of their class before no further ones are drawn."""


@dataclass
class Node:
    """A machine of a cluster.

    Attributes
    ----------
    name : its identity.
    numerics : its class; nodes of one class give the same bits.
    room : how many blocks it may have at a time.
    strikes : how many blocks in a row failed here and succeeded elsewhere.
    accused : a block that failed here, until another node has tried it.
    excluded : why it is left out; None where it is not.
    """

    name: str
    numerics: str
    room: int
    strikes: int = 0
    accused: Job | None = None
    excluded: str | None = None
    running: list[Job] = field(default_factory=list)

    @property
    def free(self) -> bool:
        """Whether it takes a block now."""
        return self.excluded is None and self.accused is None and len(self.running) < self.room


@dataclass(eq=False)
class Job:
    """A block on its way.

    Attributes
    ----------
    tries : how often a worker that had it was lost.
    avoid : the node on which it failed; it is tried on another one.
    """

    block: Block
    tries: int = 0
    avoid: str | None = None


class Scheduler:
    """Gives blocks to nodes.

    Parameters
    ----------
    limit : number of blocks that run at the same time at most; None for no limit.
    bound : the numerics class of seeds that have cells on record.
    """

    def __init__(self, limit: int | None = None, bound: Mapping[int, str] | None = None) -> None:
        self.limit = limit
        self.bound = dict(bound or {})
        self.nodes: dict[str, Node] = {}
        self.waiting: list[Job] = []

    @property
    def running(self) -> int:
        """Number of blocks that nodes have."""
        return sum(len(node.running) for node in self.nodes.values())

    @property
    def capacity(self) -> int:
        """Number of blocks that all nodes together have room for, up to the limit."""
        room = sum(node.room for node in self.nodes.values() if node.excluded is None)
        return room if self.limit is None else min(self.limit, room)

    def offer(self, block: Block) -> None:
        """Take in a block; one whose seeds are of several classes is cut at once."""
        self.waiting += [Job(part) for part in self._parts(block)]

    @property
    def hungry(self) -> bool:
        """Whether there is room for a further block that none of the waiting ones can take."""
        if len(self.waiting) >= LOOKAHEAD or not self._below_limit:
            return False
        free = [node for node in self.nodes.values() if node.free]
        return bool(free) and not any(self._suits(j, n) for j in self.waiting for n in free)

    def assignments(self, draw: Callable[[], Block | None]) -> Iterator[tuple[Job, Node]]:
        """Give out everything that can run now.

        Parameters
        ----------
        draw : returns a further block; None where there is none.
        """
        while True:
            while self.hungry and (block := draw()) is not None:
                self.offer(block)
            assigned = self.assign()
            if assigned is None:
                return
            yield assigned

    def assign(self) -> tuple[Job, Node] | None:
        """Give the first block that can run to the node with most room; None where there is none.

        The block's seeds belong to the class of that node from now on.
        """
        if not self._below_limit:
            return None
        free = [node for node in self.nodes.values() if node.free]
        for job in list(self.waiting) if free else ():
            parts = self._parts(job.block)
            if len(parts) > 1:  # a seed was given to a class since it was offered
                place = self.waiting.index(job)
                self.waiting[place : place + 1] = [Job(part, job.tries) for part in parts]
                return self.assign()
            suiting = [node for node in free if self._suits(job, node)]
            if suiting:
                node = max(suiting, key=lambda node: node.room - len(node.running))
                self.waiting.remove(job)
                node.running.append(job)
                for cell in job.block:
                    self.bound.setdefault(cell.seed, node.numerics)
                return job, node
        return None

    def succeeded(self, job: Job, node: Node) -> Node | None:
        """Note a finished block; returns a node that is left out because of it."""
        node.running.remove(job)
        node.strikes = 0
        return self._resolve(job, at_fault=True)

    def failed(self, job: Job, node: Node) -> bool:
        """Note a block that raised an error; returns whether that is final."""
        node.running.remove(job)
        others = [n for n in self.nodes.values() if n is not node and n.excluded is None]
        if job.avoid is None and any(other.numerics == node.numerics for other in others):
            job.avoid, node.accused = node.name, job
            self.waiting.insert(0, job)
            return False
        self._resolve(job, at_fault=False)
        return True

    def lost(self, job: Job, node: Node, *, with_node: bool) -> bool:
        """Note a block whose worker was lost; returns whether it has had its tries."""
        if job in node.running:
            node.running.remove(job)
        if not with_node:
            job.tries += 1
            if job.tries >= WORKER_TRIES:
                self._resolve(job, at_fault=False)
                return True
        self.waiting.insert(0, job)
        return False

    def too_large(self, job: Job, node: Node) -> bool:
        """Note a block that needed too much memory; returns whether it cannot be cut."""
        node.running.remove(job)
        self._resolve(job, at_fault=False)
        if len(job.block) == 1:
            return True
        half = len(job.block) // 2
        self.waiting[:0] = [Job(job.block[:half]), Job(job.block[half:])]
        return False

    def take_back(self, job: Job, node: Node) -> None:
        """Let a block that no worker has begun wait again."""
        node.running.remove(job)
        self.waiting.insert(0, job)

    def leave(self, name: str) -> list[Job]:
        """Forget a node that is gone; returns the blocks that it had, which wait again."""
        node = self.nodes.pop(name)
        for job in self.waiting:
            if job.avoid == name:
                job.avoid = None
        for other in self.nodes.values():
            if other.accused is not None and not self._others(other):
                other.accused = None  # nobody is left to say whose fault it was
        jobs, node.running = node.running, []
        self.waiting[:0] = jobs
        return jobs

    def elsewhere(self, job: Job) -> bool:
        """Tell whether a node has room for this block now."""
        return any(node.free and self._suits(job, node) for node in self.nodes.values())

    def stranded(self) -> list[Job]:
        """Return the waiting blocks whose numerics class no node has."""
        classes = {node.numerics for node in self.nodes.values() if node.excluded is None}
        return [j for j in self.waiting if not classes & (self._classes(j.block) or classes)]

    def _resolve(self, job: Job, *, at_fault: bool) -> Node | None:
        """Clear, or strike, the node on which a block had failed before."""
        node = self.nodes.get(job.avoid or "")
        if node is None or node.accused is not job:
            return None
        node.accused = None
        node.strikes = node.strikes + 1 if at_fault else 0
        if node.strikes < STRIKES:
            return None
        node.excluded = f"{STRIKES} blocks in a row failed there that others could run"
        return node

    def _suits(self, job: Job, node: Node) -> bool:
        if job.avoid == node.name and self._others(node):
            return False
        return self._classes(job.block) <= {node.numerics}

    def _others(self, node: Node) -> bool:
        nodes = (other for other in self.nodes.values() if other.excluded is None)
        return any(n is not node and n.numerics == node.numerics for n in nodes)

    @property
    def _below_limit(self) -> bool:
        return self.limit is None or self.running < self.limit

    def _classes(self, block: Block) -> set[str]:
        return {self.bound[cell.seed] for cell in block if cell.seed in self.bound}

    def _parts(self, block: Block) -> list[Block]:
        """Cut a block by the classes of its seeds; those of no class yet go with the first."""
        if len(self._classes(block)) < 2:
            return [block]
        first = next(self.bound[cell.seed] for cell in block if cell.seed in self.bound)
        by_class: dict[str, list[Block]] = {}
        for cell in block:
            by_class.setdefault(self.bound.get(cell.seed, first), []).append((cell,))
        return [tuple(cell for (cell,) in cells) for cells in by_class.values()]


def seeds_in_words(blocks: Iterable[Block]) -> str:
    """Return the seeds of blocks: "seeds 3, 7"."""
    seeds = sorted({cell.seed for block in blocks for cell in block})
    shown = ", ".join(map(str, seeds[:5])) + (f" and {len(seeds) - 5} more" * (len(seeds) > 5))
    return f"seed{'s' * (len(seeds) != 1)} {shown}"
