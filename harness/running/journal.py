"""The journal of a results directory: one line of JSON for each thing that happens in its runs.

``events.jsonl`` is for people and programs that watch; nothing is read back from it, and a run goes
on where it cannot be written. Every line has

    time     when the driver heard of it (ISO 8601, UTC)
    driver   process of the driver, so that runs that share a directory can be told apart
    event    "run-started", "started", "done", "failed", "lost", "left-out", "not-kept",
             "no-worker", "waiting", "bridging", "node-joined", "node-gone", "executor-lost" or
             "run-ended"

and further

    cells    started, done, failed, lost, left-out, not-kept: a list of [condition, seed]
    seconds  done: time of the whole block at work; no-worker: how long none has been at work
    numerics, cpu, device, torch    done: of the worker
    node     node-joined, node-gone: its name
    numerics, cpu, room    node-joined: how it rounds, its processor, blocks at a time
    why      failed, lost, left-out, not-kept, no-worker, node-gone, executor-lost: in words
    remedy   executor-lost: what the run does now
    cells    waiting: how many cells other drivers of the directory have; bridging: how many are
             trained for the second time, in the class that ``numerics`` names
    missing, workers    run-started: cells to run, workers at most
    recorded, failed    run-ended: cells recorded, and blocks that failed
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.running.events import (
    Block,
    BlockDone,
    BlockFailed,
    BlockLost,
    BlockNotStarted,
    BlockProgress,
    Bridging,
    Event,
    ExecutorLost,
    NodeGone,
    NodeJoined,
    NotKept,
    NoWorker,
    WaitingForOthers,
)

OF_WORKER = ("numerics", "cpu", "device", "torch")


class Journal:
    """Appends to ``events.jsonl`` of a results directory."""

    def __init__(self, root: Path) -> None:
        self.path = root / "events.jsonl"
        self._started: set[Block] = set()

    def add(self, event: str, **content: Any) -> None:
        """Add one line."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": time, "driver": os.getpid(), "event": event, **content})
        with suppress(OSError), self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def observe(self, event: Event) -> None:
        """Add the line of an event; progress within a block has none."""
        match event:
            case BlockProgress(block) if block not in self._started:
                self._started.add(block)
                self.add("started", cells=_cells(block))
            case BlockDone(block, outcomes, environment):
                self._started.discard(block)
                seconds = sum(outcome.timings.get("total", 0.0) for outcome in outcomes)
                worker = {name: environment.get(name) for name in OF_WORKER}
                self.add("done", cells=_cells(block), seconds=round(seconds, 3), **worker)
            case BlockFailed(block, error):
                self._started.discard(block)
                self.add("failed", cells=_cells(block), why=error)
            case BlockLost(block, why):
                self._started.discard(block)
                self.add("lost", cells=_cells(block), why=why)
            case BlockNotStarted(block, why):
                self.add("left-out", cells=_cells(block), why=why)
            case NotKept(block, reason, whereabouts):
                self._started.discard(block)
                self.add("not-kept", cells=_cells(block), why=f"{reason}; {whereabouts}")
            case NoWorker(seconds, advice):
                self.add("no-worker", seconds=round(seconds, 3), why=advice)
            case WaitingForOthers(cells):
                self.add("waiting", cells=cells)
            case Bridging(cells, numerics):
                self.add("bridging", cells=cells, numerics=numerics)
            case NodeJoined(node, cpu, numerics, room):
                self.add("node-joined", node=node, cpu=cpu, numerics=numerics, room=room)
            case NodeGone(node, reason):
                self.add("node-gone", node=node, why=reason or "it left")
            case ExecutorLost(reason, remedy):
                self.add("executor-lost", why=reason, remedy=remedy)


def _cells(block: Block) -> list[tuple[str, int]]:
    return [(cell.condition.name, cell.seed) for cell in block]
