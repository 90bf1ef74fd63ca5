"""Where blocks run: in this process, or as Ray Core tasks. Both give the same bits."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import traceback
from collections.abc import Generator, Iterable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any, Protocol

from harness.data.benchmarks import Dataset
from harness.errors import InputError
from harness.running import provenance
from harness.running.events import Block, BlockDone, BlockFailed, BlockProgress, Event, NoWorker
from harness.running.interruption import held
from harness.running.training import Outcome, Progress, train_block

WORKER_RETRIES = 3
"""How often a block is run again that was lost with its worker or node."""
CAPACITY_EVERY_S = 5.0
"""How often the cluster is asked for its size: nodes join and leave while blocks run."""
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


def work_on_ray(block: Block, data: Dataset, device: str) -> Iterator[Progress | Result]:
    """Do the same as a task of Ray: there a generator cannot return, so the result comes last."""
    yield (yield from work(block, data, device))


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

    Raises
    ------
    InputError
        Where Ray is not installed or there is no cluster at the address.
    """

    def __init__(self, device: str, workers: int | None, address: str | None) -> None:
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
        running: dict[Any, Block] = {}
        at_work: set[Any] = set()
        last_word, patience = time.monotonic(), NO_WORKER_S
        try:
            shared = ray.put(data)
            while True:
                if time.monotonic() - self._asked > CAPACITY_EVERY_S:
                    # Without any node, one block waits for the next.
                    self.workers = max(1, self._capacity())
                while len(running) < self.workers and (block := next(waiting, None)) is not None:
                    running[task.remote(block, shared, self.device)] = block
                if not running:
                    return
                wait = CAPACITY_EVERY_S
                if not at_work:
                    wait = min(wait, max(0.01, last_word + patience - time.monotonic()))
                ready, _ = ray.wait(list(running), num_returns=1, timeout=wait)
                idle = time.monotonic() - last_word
                if not ready:
                    if not at_work and idle >= patience:
                        patience *= 2
                        yield NoWorker(idle, self.advice)
                    continue
                last_word, patience = time.monotonic(), NO_WORKER_S
                at_work.update(ready)
                for generator in ready:
                    block = running[generator]
                    event: Event | None = None
                    try:
                        item: Progress | Result = ray.get(next(generator))
                        if isinstance(item, Progress):
                            event = BlockProgress(block, item.fraction)
                        else:
                            event = BlockDone(block, *item)
                    except StopIteration:
                        pass
                    except ray.exceptions.RayError as error:
                        event = BlockFailed(block, _summary(error), str(error))
                    if event is None or isinstance(event, BlockFailed):
                        del running[generator]
                        at_work.remove(generator)
                    if event is not None:
                        yield event
        finally:
            self._stop()


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
