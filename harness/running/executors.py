"""Where blocks run: in this process, or as Ray Core tasks. Both give the same bits.

This file is long because Ray's start, its way with signals and its lost workers are one executor's.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import traceback
from collections.abc import Generator, Iterable, Iterator
from concurrent import futures
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.data.benchmarks import Dataset
from harness.errors import InputError
from harness.running import provenance
from harness.running.events import (
    Block,
    BlockDone,
    BlockFailed,
    BlockLost,
    BlockProgress,
    Event,
    NoWorker,
)
from harness.running.interruption import held
from harness.running.training import Outcome, Progress, train_block

WORKER_RETRIES = 3
"""How often a block is run again that was lost with its worker or node."""
CAPACITY_EVERY_S = 5.0
"""How often the cluster is asked for its size: nodes join and leave while blocks run."""
BLOCK_TIMEOUT_S = 600.0
"""So long a worker may give no sign, which it does after each epoch, until its block runs again."""
NO_WORKER_S = 30.0
"""After so long without any worker at work there is a word about it; the next after twice that."""

Result = tuple[list[Outcome], dict[str, Any]]
"""The outcomes of a block, and the environment that they were computed in."""


class Executor(Protocol):
    """Runs blocks and reports what happens; blocks are drawn only when there is room."""

    workers: int

    def run(self, blocks: Iterable[Block], data: Dataset) -> Generator[Event, None, None]:
        """Yield the events of all blocks, in the order in which they happen."""
        ...


def work(block: Block, data: Dataset, device: str) -> Generator[Progress, None, Result]:
    """Train a block where this is called."""
    yield Progress(0)  # somebody is at work: to cut the data into tasks takes a while
    outcomes = yield from train_block(block, data, device)
    return outcomes, provenance.environment(device)


@dataclass(frozen=True)
class Sign:
    """A sign of life: the share of a block that is done, and the process that trains it."""

    fraction: float
    pid: int


def work_on_ray(block: Block, data: Dataset, device: str) -> Iterator[Sign | Result]:
    """Do the same as a task of Ray: there a generator cannot return, so the result comes last."""
    training = work(block, data, device)
    while True:
        try:
            progress = next(training)
        except StopIteration as end:
            yield end.value
            return
        yield Sign(progress.fraction, os.getpid())


@dataclass
class _Task:
    """A block that a task of Ray trains.

    Attributes
    ----------
    began, heard : when the first and the last sign of a worker came; None before the first.
    pid : the worker's process, on whatever machine.
    tries : how often the block was given to a worker by this driver.
    """

    block: Block
    tries: int = 1
    began: float | None = None
    heard: float = 0.0
    pid: int | None = None

    def silent(self, now: float) -> float:
        """Return for how long there has been no sign; 0 while no worker has begun."""
        return 0.0 if self.began is None else now - self.heard

    def allowed(self, timeout: float) -> float:
        """Return for how long there need not be a sign.

        Ray starts a block again whose worker died, and there is no sign until the new worker has
        come as far as the old one. Each further try has twice as long: the machine may be slow.
        """
        again = 0.0 if self.began is None else self.heard - self.began
        return timeout * 2.0 ** (self.tries - 1) + again


class InProcess:
    """One block after the other in this process; needs no Ray."""

    workers = 1

    def __init__(self, device: str) -> None:
        self.device = device

    def run(self, blocks: Iterable[Block], data: Dataset) -> Generator[Event, None, None]:  # noqa: D102
        for block in blocks:
            training = work(block, data, self.device)
            try:
                while True:
                    yield BlockProgress(block, next(training).fraction)
            except StopIteration as end:
                yield BlockDone(block, *end.value)
            except Exception as error:
                yield BlockFailed(block, _summary(error), traceback.format_exc())


class OnRay:
    """Ray Core tasks with one core (or one GPU) each, on this machine or on a cluster.

    Parameters
    ----------
    device : "cpu" or "cuda".
    workers : tasks in flight at most; None for as many as the machine or cluster has cores (GPUs),
        those of nodes that join during a run included.
    address : of a running cluster; None starts Ray on this machine alone.
    timeout : seconds after which a block is run again if there is no sign of its worker.

    Raises
    ------
    InputError
        Where Ray is not installed or there is no cluster at the address.
    """

    def __init__(
        self,
        device: str,
        workers: int | None,
        address: str | None,
        timeout: float = BLOCK_TIMEOUT_S,
    ) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        if address is None:
            # Below `uv run`, Ray starts its workers through uv too, in a bare copy of the current
            # folder with an environment to be installed. Here they share folder and environment.
            os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        try:
            import ray
        except ImportError:
            raise InputError(
                "Ray is not installed; install it (pip install ray) or use --executor in-process"
            ) from None
        self.ray = ray
        self.device = device
        self.address = address
        self.limit = workers
        self.timeout = timeout
        self._resource = "GPU" if device == "cuda" else "CPU"
        self._asked = 0.0
        try:
            # Interrupted half-way, it would leave processes that nobody ends.
            with held(), _sigterm_kept(ray):
                self.advice = self._start(workers)
            self.workers = self._capacity()
            if self.workers == 0:
                raise InputError(
                    f"the Ray cluster has no {self._resource}; choose another --device"
                )
        except BaseException:
            self._stop()
            raise

    def _capacity(self) -> int:
        """Return how many tasks the cluster has room for, up to the limit."""
        self._asked = time.monotonic()
        available = int(self.ray.cluster_resources().get(self._resource, 0))
        return min(self.limit or available, available)

    def _start(self, workers: int | None) -> str:
        """Start or join Ray; returns what to look at where no worker starts."""
        shared: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if self.address is None:
            if self.device == "cpu":
                shared["num_cpus"] = workers
            # "local": never join a cluster that happens to run here; that takes --address.
            shared |= {"include_dashboard": False, "object_store_memory": 512 * 2**20}
            try:
                context: Any = self.ray.init(address="local", **shared)
            except Exception as error:  # of any class: what a start of Ray can fail from is open
                raise InputError(
                    f"Ray does not start here ({_summary(error)}); --executor in-process does "
                    "without it"
                ) from None
            logs = f"{context.address_info['session_dir']}/logs"
            return f"look into Ray's logs in {logs}; --executor in-process does without Ray"
        import harness
        import methods

        _check_reachable(self.address)
        # By their folders: modules themselves cannot be copied, as Ray does below `uv run`.
        shared["runtime_env"] = {"py_modules": [m.__path__[0] for m in (harness, methods)]}
        try:
            self.ray.init(address=self.address, **shared)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise InputError(
                f"--address {self.address}: no Ray cluster answers there ({_summary(error)}). "
                "Where the cluster asks for a token, set RAY_AUTH_MODE=token"
            ) from None
        advice = (
            "the cluster may be busy (ray status), or cannot start workers for this program (their "
            "logs are on its nodes, in /tmp/ray/session_latest/logs)"
        )
        if "UV" in os.environ:
            advice += (
                "; below uv run they are started by uv there, unless this run has "
                "RAY_ENABLE_UV_RUN_RUNTIME_ENV=0 set"
            )
        return advice

    def _stop(self) -> None:
        """Leave Ray, and end it where it was started here."""
        # On its way out Ray gives SIGTERM back to the system, which would end this process at
        # once. So another thread waits for Ray, while this one takes the signal again.
        handler = signal.getsignal(signal.SIGTERM)
        with futures.ThreadPoolExecutor(1) as pool:
            stopping = pool.submit(self.ray.shutdown)
            while not stopping.done():
                futures.wait([stopping], timeout=0.01)
                _set_sigterm(handler)
            stopping.result()

    def run(self, blocks: Iterable[Block], data: Dataset) -> Generator[Event, None, None]:  # noqa: D102
        ray = self.ray
        resources = {"num_gpus": 1} if self.device == "cuda" else {"num_cpus": 1}
        # Errors in the code are not retried: they would only fail again.
        options = {"max_retries": WORKER_RETRIES, "retry_exceptions": False} | resources
        task = ray.remote(**options)(work_on_ray)
        waiting = iter(blocks)
        again: list[_Task] = []
        running: dict[Any, _Task] = {}
        last_word, patience = time.monotonic(), NO_WORKER_S
        try:
            shared = ray.put(data)
            while True:
                if time.monotonic() - self._asked > CAPACITY_EVERY_S:
                    # Without any node, one block waits for the next.
                    self.workers = max(1, self._capacity())
                while len(running) < self.workers and (next_task := _next(again, waiting)):
                    running[task.remote(next_task.block, shared, self.device)] = next_task
                if not running:
                    return
                begun = any(trained.began is not None for trained in running.values())
                wait = min(CAPACITY_EVERY_S, self.timeout)
                if not begun:
                    wait = min(wait, max(0.01, last_word + patience - time.monotonic()))
                ready, _ = ray.wait(list(running), num_returns=1, timeout=wait)
                now = time.monotonic()
                if not ready and not begun and now - last_word >= patience:
                    patience *= 2
                    yield NoWorker(now - last_word, self.advice)
                for generator in ready:
                    last_word, patience = now, NO_WORKER_S
                    event = self._heard(generator, running[generator], now)
                    if event is None or isinstance(event, BlockFailed):
                        del running[generator]
                    if event is not None:
                        yield event
                for generator, trained in list(running.items()):
                    silent = trained.silent(now)
                    if silent > trained.allowed(self.timeout):
                        yield self._lost(generator, running, again, silent)
        finally:
            self._stop()

    def _heard(self, generator: Any, trained: _Task, now: float) -> Event | None:
        """Return what a worker says; None at its end."""
        ray = self.ray
        try:
            item: Sign | Result = ray.get(next(generator))
        except StopIteration:
            return None
        except ray.exceptions.RayError as error:
            return BlockFailed(trained.block, _summary(error), str(error))
        if trained.began is None:
            trained.began = now
        trained.heard = now
        if isinstance(item, Sign):
            trained.pid = item.pid
            return BlockProgress(trained.block, item.fraction)
        return BlockDone(trained.block, *item)

    def _lost(
        self, generator: Any, running: dict[Any, _Task], again: list[_Task], silent: float
    ) -> Event:
        """Let a block run again whose worker gives no sign; it fails if that happens too often."""
        trained = running[generator]
        if trained.tries > WORKER_RETRIES:
            del running[generator]
            why = f"no sign of its worker for {silent:.0f} s, {trained.tries} times"
            return BlockFailed(trained.block, why, why)
        trained.tries += 1
        if self.address is None and trained.pid is not None and _is_worker(trained.pid):
            # The worker is of this machine and of this Ray, which starts the block again.
            os.kill(trained.pid, signal.SIGKILL)
            trained.began = trained.pid = None
        else:
            del running[generator]
            with suppress(Exception):  # a node that is gone cannot be asked
                self.ray.cancel(generator, force=True)
            again.append(_Task(trained.block, trained.tries))
        return BlockLost(trained.block, silent)


def _next(again: list[_Task], waiting: Iterator[Block]) -> _Task | None:
    """Return the next block to give to a worker; None where there is none."""
    if again:
        return again.pop(0)
    block = next(waiting, None)
    return None if block is None else _Task(block)


def _is_worker(pid: int) -> bool:
    """Tell whether a process of this machine is a worker of Ray, by the name it gives itself."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::")
    except OSError:
        return False


@contextmanager
def _sigterm_kept(ray: Any) -> Iterator[None]:
    """Leave SIGTERM with whose it is while Ray starts, which takes it twice: in Python and in C++.

    The first is kept from happening, for a signal meanwhile would end the process without a word.
    The second comes last of all, and is undone.
    """
    utilities, name = ray._private.utils, "set_sigterm_handler"
    handler, theirs = signal.getsignal(signal.SIGTERM), getattr(utilities, name, None)
    setattr(utilities, name, lambda handler: None)
    try:
        yield
    finally:
        setattr(utilities, name, theirs)
        _set_sigterm(handler)


def _set_sigterm(handler: Any) -> None:
    """Set the handler, where this thread may and Python can (not if it is of another language)."""
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def _check_reachable(address: str) -> None:
    """Refuse an address where nothing listens; Ray itself would try again for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon:
        return  # "auto" and "local" are Ray's own words
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError, OverflowError) as error:
        raise InputError(f"--address {address}: nothing answers there ({error})") from None


def _summary(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1].strip()}" if lines else type(error).__name__
