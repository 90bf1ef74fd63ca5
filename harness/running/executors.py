"""Where blocks run: in this process, or as Ray Core tasks. Both give the same bits."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from harness.data.benchmarks import Dataset
from harness.errors import InputError
from harness.running import provenance
from harness.running.training import Outcome, Progress, train_block
from harness.studies.condition import Cell

WORKER_RETRIES = 3
"""How often a block is run again that was lost with its worker or node."""

Block = tuple[Cell, ...]


@dataclass(frozen=True)
class BlockProgress:
    """Share of a block that is done, from 0 to 1."""

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


Event = BlockProgress | BlockDone | BlockFailed
Answer = Progress | tuple[list[Outcome], dict[str, Any]]


class Executor(Protocol):
    """Runs blocks and reports what happens; blocks are drawn only when there is room."""

    workers: int

    def run(self, blocks: Iterable[Block], data: Dataset) -> Iterator[Event]:
        """Yield the events of all blocks, in the order in which they happen."""
        ...


def work(block: Block, data: Dataset, device: str) -> Iterator[Answer]:
    """Train a block where this is called: progress, then outcomes and environment."""
    for item in train_block(block, data, device):
        if isinstance(item, Progress):
            yield item
        else:
            yield item, provenance.environment(device)


def _event(block: Block, answer: Answer) -> Event:
    if isinstance(answer, Progress):
        return BlockProgress(block, answer.fraction)
    return BlockDone(block, *answer)


class InProcess:
    """One block after the other in this process; needs no Ray."""

    workers = 1

    def __init__(self, device: str) -> None:
        self.device = device

    def run(self, blocks: Iterable[Block], data: Dataset) -> Iterator[Event]:  # noqa: D102
        for block in blocks:
            try:
                for answer in work(block, data, self.device):
                    yield _event(block, answer)
            except Exception as error:
                yield BlockFailed(block, _summary(error), traceback.format_exc())


class OnRay:
    """Ray Core tasks with one core (or one GPU) each, on this machine or on a cluster.

    Parameters
    ----------
    device : "cpu" or "cuda".
    workers : tasks in flight; None for as many as the machine or cluster has cores (GPUs).
    address : of a running cluster; None starts Ray on this machine alone.

    Raises
    ------
    InputError
        Where Ray is not installed or there is no cluster at the address.
    """

    def __init__(self, device: str, workers: int | None, address: str | None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray
        except ImportError:
            raise InputError(
                "Ray is not installed; install it (pip install ray) or use --executor in-process"
            ) from None
        self.ray = ray
        self.device = device
        resource = "GPU" if device == "cuda" else "CPU"
        shared: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if address is None:
            if device == "cpu":
                shared["num_cpus"] = workers
            # "local": never join a cluster that happens to run here; that takes --address.
            shared |= {"include_dashboard": False, "object_store_memory": 512 * 2**20}
            ray.init(address="local", **shared)
        else:
            import harness
            import methods

            _check_reachable(address)
            shared["runtime_env"] = {"py_modules": [harness, methods]}
            try:
                ray.init(address=address, **shared)
            except (ConnectionError, RuntimeError, ValueError, OSError) as error:
                raise InputError(
                    f"--address {address}: no Ray cluster answers there ({_summary(error)}). "
                    "Where the cluster asks for a token, set RAY_AUTH_MODE=token"
                ) from None
        available = int(ray.cluster_resources().get(resource, 0))
        if available == 0:
            ray.shutdown()
            raise InputError(f"the Ray cluster has no {resource}; choose another --device")
        self.workers = min(workers or available, available)

    def run(self, blocks: Iterable[Block], data: Dataset) -> Iterator[Event]:  # noqa: D102
        ray = self.ray
        resources = {"num_gpus": 1} if self.device == "cuda" else {"num_cpus": 1}
        # Errors in the code are not retried: they would only fail again.
        task = ray.remote(**resources, max_retries=WORKER_RETRIES, retry_exceptions=False)(work)
        shared = ray.put(data)
        waiting = iter(blocks)
        running: dict[Any, Block] = {}
        try:
            while True:
                while len(running) < self.workers and (block := next(waiting, None)) is not None:
                    running[task.remote(block, shared, self.device)] = block
                if not running:
                    return
                ready, _ = ray.wait(list(running), num_returns=1)
                for generator in ready:
                    block = running[generator]
                    try:
                        yield _event(block, ray.get(next(generator)))
                    except StopIteration:
                        del running[generator]
                    except ray.exceptions.RayError as error:
                        del running[generator]
                        yield BlockFailed(block, _summary(error), str(error))
        finally:
            ray.shutdown()


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
