"""The nodes of a cluster: which there are, what their canaries say, how much room they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from harness.errors import in_a_line
from harness.keeping.code_version import hash_of_sources
from harness.running.events import Event, NodeGone, NodeJoined
from harness.running.on_ray.tasks import Canary, canary
from harness.running.scheduling import Node, Scheduler

MOST_ASKED_FOR = 10_000
"""Bundles that an autoscaler is asked for at most."""


class Nodes:
    """Keeps a scheduler's nodes as the cluster has them.

    A node of a cluster is used when its canary has come back: a small cell that is trained there,
    which tells versions, code and class. A node with other versions or other code than this
    program, or with other bits than its class has, is named and not used.

    Parameters
    ----------
    resource : "CPU" or "GPU", of which a block takes one.
    versions : of the packages in which nodes must agree with this program; None where Ray was
        started here, for this run: its node needs no canary.

    Attributes
    ----------
    canaries : the tasks of canaries under way, and the names of their nodes.
    environments : of each node, as its canary told it.
    """

    def __init__(
        self,
        ray: Any,
        scheduler: Scheduler,
        resource: str,
        device: str,
        versions: Mapping[str, str] | None,
    ) -> None:
        self.ray = ray
        self.scheduler = scheduler
        self.resource = resource
        self.device = device
        self.here = versions is None
        self.canaries: dict[Any, str] = {}
        self.environments: dict[str, dict[str, Any]] = {}
        self._versions = versions or {}
        self._sources = hash_of_sources()
        self._bits: dict[str, str] = {}
        self._left_out: set[str] = set()
        self._labels: dict[str, str] = {}
        self._asked_for = 0

    def total_room(self) -> int:
        """Return how many blocks all nodes have room for, their canaries aside."""
        return sum(map(self._total, self._alive()))

    @property
    def all_left_out(self) -> bool:
        """Whether there are nodes, and none of them can be used."""
        usable = [n for n in self.scheduler.nodes.values() if n.excluded is None]
        gone = self._left_out or len(usable) < len(self.scheduler.nodes)
        return bool(gone) and not usable and not self.canaries

    def label(self, name: str) -> str:
        """Return the name of a node for people: "node 1a2b3c (10.0.0.7)"."""
        return self._labels.get(name, f"node {name[:6]}")

    def only(self, node: Node) -> dict[str, Any]:
        """Return the options of a task that place it on this node."""
        if self.here:
            return {}
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return {"scheduling_strategy": NodeAffinitySchedulingStrategy(node.name, soft=False)}

    def look(self, begun: Sequence[str]) -> Iterator[Event]:
        """Take in which nodes there are, and how much room each has.

        Parameters
        ----------
        begun : for each block that a worker has begun, the name of its node.
        """
        alive = {node["NodeID"]: node for node in self._alive() if self._total(node)}
        for name in [n for n in self.scheduler.nodes if n not in alive]:
            self.scheduler.leave(name)
            yield NodeGone(self.label(name))
        # A task's own core is not among the free ones once its worker has it.
        free = {} if self.here else self._free()
        for name, node in alive.items():
            total = self._total(node)
            self._labels[name] = f"node {name[:6]} ({node.get('NodeManagerAddress', '?')})"
            if name in self.scheduler.nodes:
                known = self.scheduler.nodes[name]
                busy = begun.count(name)
                open_room = max(0, free.get(name, total) - (len(known.running) - busy))
                # One block may always wait there, so that it runs as soon as there is room.
                known.room = total if self.here else max(1, min(total, busy + open_room))
            elif self.here:
                self.scheduler.nodes[name] = Node(name, "", total)
                yield NodeJoined("this machine", None, None, total)
            elif name not in self._left_out and name not in self.canaries.values():
                self._send_canary(name)

    def _send_canary(self, name: str) -> None:
        resources = {"num_gpus": 1} if self.resource == "GPU" else {"num_cpus": 1}
        task = self.ray.remote(max_retries=0, **resources)(canary)
        placed = task.options(**self.only(Node(name, "", 1)))
        self.canaries[placed.remote(self.device)] = name

    def heard(self, task: Any) -> Iterator[Event]:
        """Take in what a canary says: use its node, or leave it out."""
        name = self.canaries.pop(task)
        node = next((n for n in self._alive() if n["NodeID"] == name), None)
        if node is None:
            return
        errors = self.ray.exceptions
        try:
            told: Canary = self.ray.get(task)
        except (errors.RayTaskError, errors.RuntimeEnvSetupError) as error:
            why: str | None = f"its canary failed ({in_a_line(error)})"
        except errors.RayError:
            return  # lost on the way; the next look sends another one
        else:
            why = self.fault(told)
        if why is not None:
            self._left_out.add(name)
            yield NodeGone(self.label(name), why)
            return
        numerics = told.environment["numerics"]
        self.environments[name] = told.environment
        self.scheduler.nodes[name] = Node(name, numerics, self._total(node))
        cpu = told.environment["cpu" if self.resource == "CPU" else "device"]
        yield NodeJoined(self.label(name), cpu, numerics, self._total(node))

    def fault(self, told: Canary) -> str | None:
        """Return why a node with this canary is not used; None where it is."""
        for package, here in self._versions.items():
            there = told.environment[package]
            if there != here:
                return f"it has {package} {there}, this program {here}"
        if told.sources != self._sources:
            return f"it has another state of this program's code ({told.sources})"
        numerics = told.environment["numerics"]
        if self._bits.setdefault(numerics, told.bits) != told.bits:
            return f"it computes other bits ({told.bits}) than its class {numerics} does"
        return None

    def ask_for(self, blocks: int) -> None:
        """Tell the cluster's autoscaler, if it has one, how many blocks could run now."""
        wanted = min(blocks, MOST_ASKED_FOR)
        if wanted == self._asked_for:
            return
        self._asked_for = wanted
        with suppress(Exception):  # of any class; without an autoscaler nobody listens
            from ray.autoscaler.sdk import request_resources

            request_resources(bundles=[{self.resource: 1}] * wanted)

    def _alive(self) -> list[dict[str, Any]]:
        return [node for node in self.ray.nodes() if node["Alive"]]

    def _total(self, node: dict[str, Any]) -> int:
        return int(node["Resources"].get(self.resource, 0))

    def _free(self) -> dict[str, int]:
        """Return how many cores (GPUs) of each node nobody uses now."""
        from ray._private.state import available_resources_per_node

        free = available_resources_per_node()
        return {name: int(there.get(self.resource, 0)) for name, there in free.items()}
