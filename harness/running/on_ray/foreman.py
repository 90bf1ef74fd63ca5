"""The process that owns Ray: it gives blocks to workers and tells the driver what happens.

It talks to the driver through one connection, and ends as soon as that closes, whatever became of
the driver. It sends ("ready", capacity, folder of this Ray's files or None), ("refused", text),
("event", event), ("want",), ("workers", capacity), ("lost", why) and ("finished",); the driver
sends ("work", data, bound, blocks) once, and a block, or None at the end, for each "want".

This file is long because everything that can become of a block on Ray is decided in one loop.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness.data.own_tasks import Data
from harness.errors import InputError, in_a_line
from harness.keeping.processes import processes_of
from harness.running.events import (
    Block,
    BlockDone,
    BlockFailed,
    BlockLost,
    BlockNotStarted,
    BlockProgress,
    Event,
    NodeGone,
    NoWorker,
)
from harness.running.on_ray import tasks
from harness.running.on_ray.joining import join, start_here
from harness.running.on_ray.nodes import Nodes
from harness.running.on_ray.orders import Orders
from harness.running.scheduling import WORKER_TRIES, Job, Node, Scheduler


class RayLostError(Exception):
    """Ray itself is gone, not one worker or node of it."""


@dataclass(eq=False)
class Work:
    """A block that a node has.

    Attributes
    ----------
    given : when it was given to the node.
    heard : when the last sign of a worker came; None before the first.
    pid : the worker's process, on whatever machine.
    """

    job: Job
    node: Node
    given: float
    heard: float | None = None
    pid: int | None = None


HEARTBEAT_S = 0.5
"""How often the driver is looked for while nothing happens."""
BEGIN_S = 60.0
"""A worker on this machine has so much longer for its first sign: it starts, and reads the data."""
TAKE_BACK_S = 15.0
"""A block that no worker has begun for so long goes to another node that has room."""


def main(connection: Connection, orders: Orders) -> None:
    """Run blocks until the driver has no more, or is gone."""
    _unblock_signals()
    try:
        folder = None
        if orders.address is None:
            ray, folder, advice = start_here(_cores(orders))
        else:
            ray, advice = join(orders.address)
    except InputError as error:
        connection.send(("refused", str(error)))
        return
    try:
        foreman = Foreman(ray, connection, orders, advice)
        if foreman.capacity == 0:
            resource = foreman.nodes.resource
            no = f"the Ray cluster has no {resource}; choose another --device"
            connection.send(("refused", no))
            return
        connection.send(("ready", foreman.capacity, folder))
        foreman.work()
        connection.send(("finished",))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the driver wants no more, or is gone
    except RayLostError as error:
        connection.send(("lost", str(error)))
    finally:
        ray.shutdown()


def _cores(orders: Orders) -> int | None:
    return orders.workers if orders.device == "cpu" else None


def _unblock_signals() -> None:
    """Undo what the driver did to get this process out of the terminal's way before they come."""
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    for number in signals:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)


class Foreman:
    """Gives blocks to the workers of a running Ray.

    Parameters
    ----------
    advice : what to look at where no worker starts.
    """

    def __init__(self, ray: Any, driver: Connection, orders: Orders, advice: str) -> None:
        self.ray = ray
        self.driver = driver
        self.orders = orders
        self.advice = advice
        self.scheduler = Scheduler(orders.workers)
        resource = "GPU" if orders.device == "cuda" else "CPU"
        versions = None if orders.address is None else orders.versions
        self.nodes = Nodes(ray, self.scheduler, resource, orders.device, versions)
        self.working: dict[Any, Work] = {}
        self.blocks_left = 0
        self.more = True
        self.last_look = -1e9

    @property
    def capacity(self) -> int:
        """How many blocks the cluster has room for, up to the limit, canaries or not."""
        room = self.nodes.total_room()
        return room if self.orders.workers is None else min(room, self.orders.workers)

    def tell(self, event: Event) -> None:
        """Tell the driver of an event."""
        self.driver.send(("event", event))

    def work(self) -> None:
        """Run what the driver has."""
        data: Data
        bound: Mapping[int, str]
        _, data, bound, self.blocks_left = self.driver.recv()
        self.scheduler.bound |= bound
        shared = self.ray.put(data)  # reaches each node once, whatever the number of blocks
        resources = {"num_gpus": 1} if self.orders.device == "cuda" else {"num_cpus": 1}
        # What is lost runs again by our own rules, and what raises would only raise again.
        train = self.ray.remote(max_retries=0, retry_exceptions=False, **resources)(tasks.train)
        last_work, patience = time.monotonic(), self.orders.word_after
        while True:
            self._look_for_driver()
            now = time.monotonic()
            if now - self.last_look >= self.orders.look_every:
                self._look_at_nodes(now)
            for job, node in self.scheduler.assignments(self._draw):
                placed = train.options(**self.nodes.only(node))
                task = placed.remote(job.block, shared, self.orders.device, self.orders.terms)
                self.working[task] = Work(job, node, now)
            if not self.working and not self.scheduler.waiting and not self.more:
                return
            self._hear_workers()
            now = time.monotonic()
            if any(work.heard is not None for work in self.working.values()):
                last_work, patience = now, self.orders.word_after
            elif now - last_work >= patience:
                if self._give_up_stranded():
                    return
                patience *= 2
                self.tell(NoWorker(now - last_work, self.advice))
            self._look_for_silence(now)

    def _look_for_driver(self) -> None:
        """Raise EOFError where the driver has closed the connection."""
        if self.driver.poll(0):
            self.driver.recv()

    def _draw(self) -> Block | None:
        """Ask the driver for a block; returns None where it has no more."""
        if not self.more:
            return None
        self.driver.send(("want",))
        block: Block | None = self.driver.recv()
        self.more = block is not None
        self.blocks_left = max(0, self.blocks_left - 1) if self.more else 0
        return block

    def _look_at_nodes(self, now: float) -> None:
        """Use nodes that have joined, and let blocks run again whose node has left."""
        self.last_look = now
        begun = [w.node.name for w in self.working.values() if w.heard is not None]
        try:
            for event in self.nodes.look(begun):
                self.tell(event)
        except self.ray.exceptions.RayError as error:
            raise RayLostError(in_a_line(error)) from None
        for task, work in list(self.working.items()):
            if work.node.name not in self.scheduler.nodes:  # it waits again already
                del self.working[task]
                self.tell(BlockLost(work.job.block, "its node left"))
                continue
            hangs = work.heard is None and now - work.given > TAKE_BACK_S
            if hangs and self.scheduler.elsewhere(work.job):
                del self.working[task]
                self._cancel(task)
                self.scheduler.take_back(work.job, work.node)
        if self.orders.address is not None:
            left = len(self.working) + len(self.scheduler.waiting) + self.blocks_left
            self.nodes.ask_for(left if self.orders.workers is None else self.orders.workers)
            self.driver.send(("workers", self.scheduler.capacity))

    def _hear_workers(self) -> None:
        pending = [*self.working, *self.nodes.canaries]
        if not pending:
            time.sleep(HEARTBEAT_S)
            return
        ready, _ = self.ray.wait(pending, num_returns=1, timeout=HEARTBEAT_S)
        for task in ready:
            if task in self.working:
                self._hear(task, self.working[task])
            else:
                for event in self.nodes.heard(task):
                    self.tell(event)

    def _hear(self, task: Any, work: Work) -> None:
        """Take in what a worker says, or why it says no more."""
        errors = self.ray.exceptions
        job, node = work.job, work.node
        try:
            item = self.ray.get(next(task))
        except StopIteration:  # without a result: the stream of a task that was cancelled
            self._lost(task, work, "its worker was ended")
        except errors.RayTaskError as error:
            self._failed(task, work, error)
        except errors.OutOfMemoryError as error:
            del self.working[task]
            if self.scheduler.too_large(job, node):
                why = "a single cell needs more memory than its node has for it"
                self.tell(BlockFailed(job.block, why, str(error)))
            else:
                self.tell(BlockLost(job.block, "out of memory; it runs in halves"))
        except errors.WorkerCrashedError:
            self._lost(task, work, "its worker died")
        except (errors.LocalRayletDiedError, errors.RaySystemError, errors.RpcError) as error:
            raise RayLostError(in_a_line(error)) from None
        except (errors.RuntimeEnvSetupError, errors.TaskCancelledError) as error:
            self._failed(task, work, error)
        except errors.RayError as error:  # a node that died, was drained, or took an object along
            self._lost(task, work, f"its node was lost ({type(error).__name__})", with_node=True)
        else:
            work.heard = time.monotonic()
            if isinstance(item, tasks.Sign):
                work.pid = item.pid
                self.tell(BlockProgress(job.block, item.fraction))
                return
            del self.working[task]
            outcomes, environment = item
            known = self.nodes.environments.get(node.name, {})
            self.tell(BlockDone(job.block, outcomes, {**known, **environment}))
            excluded = self.scheduler.succeeded(job, node)
            if excluded is not None and excluded.excluded is not None:
                self.tell(NodeGone(self.nodes.label(excluded.name), excluded.excluded))

    def _failed(self, task: Any, work: Work, error: BaseException) -> None:
        del self.working[task]
        if self.scheduler.failed(work.job, work.node):
            self.tell(BlockFailed(work.job.block, in_a_line(error), str(error)))
        else:
            where = self.nodes.label(work.node.name)
            why = f"it failed on {where} ({in_a_line(error)}); another node tries it"
            self.tell(BlockLost(work.job.block, why))

    def _lost(self, task: Any, work: Work, why: str, with_node: bool = False) -> None:
        """Let a block run again that was lost; it fails if it was lost too often."""
        self.working.pop(task)
        if self.scheduler.lost(work.job, work.node, with_node=with_node):
            text = f"{why}, {WORKER_TRIES} times"
            self.tell(BlockFailed(work.job.block, text, text))
        else:
            self.tell(BlockLost(work.job.block, why))

    def _look_for_silence(self, now: float) -> None:
        """End workers that give no sign any more, and on this machine those that gave none."""
        here = self.orders.address is None
        for task, work in list(self.working.items()):
            if work.heard is None and not here:
                continue  # it may wait for the cluster's other users
            silent = now - (work.given if work.heard is None else work.heard)
            # Each further try has twice as long: the machine may be slow.
            allowed = self.orders.block_timeout * 2.0**work.job.tries
            if silent > allowed + (BEGIN_S if work.heard is None else 0.0):
                if here:
                    self._kill_worker_of(work)
                self._cancel(task)
                self._lost(task, work, f"no sign of its worker for {silent:.0f} s")

    def _kill_worker_of(self, work: Work) -> None:
        """Kill the worker that has a block; one that gave no sign is known by what others are."""
        known = {other.pid for other in self.working.values() if other is not work}
        for pid in processes_of(os.getsid(0)):  # of this machine and of this Ray
            if _trains(pid) and (pid == work.pid or (work.pid is None and pid not in known)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _cancel(self, task: Any) -> None:
        with suppress(Exception):  # a node that is gone cannot be asked
            self.ray.cancel(task, force=True)

    def _give_up_stranded(self) -> bool:
        """Leave out blocks that no node may run, where nothing else is left; tell so."""
        if self.nodes.all_left_out:
            while (block := self._draw()) is not None:
                self.scheduler.offer(block)
            for job in self.scheduler.waiting:
                self.tell(BlockNotStarted(job.block, "no node of the cluster can be used"))
            self.scheduler.waiting.clear()
            return True
        stranded = self.scheduler.stranded()
        if self.more or self.working or len(stranded) < len(self.scheduler.waiting):
            return False
        for job in stranded:
            why = "the other conditions of its seeds were trained on nodes that round otherwise"
            self.tell(BlockNotStarted(job.block, f"{why}, and no such node is here now"))
        self.scheduler.waiting.clear()
        return True


def _trains(pid: int) -> bool:
    """Tell whether a process of this machine has a block, by the name that Ray gives it."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::train")
    except OSError:
        return False
