"""The state of a run as data, for whoever watches it from outside: kept up to date by its events.

The driver's thread tells of events, and threads of a server ask for the state. What takes time (the
intervals) is computed by those who ask, and only for what has changed since.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from harness.keeping.records import final_accuracy
from harness.running.events import (
    Block,
    BlockDone,
    BlockFailed,
    BlockLost,
    BlockNotStarted,
    BlockProgress,
    Bridging,
    Event,
    NotKept,
)
from harness.screen.progress import in_words
from harness.studies.shorthand import FIELD
from harness.studies.study import Study

LAST_EVENTS = 12
"""How many of the last events the state tells in words."""
MOST_SEEDS_NAMED = 6
OF_WORKER = ("device", "cpu", "numerics", "torch")
"""What tells one kind of worker from another, of a block's environment."""


class Estimate(Protocol):
    """A mean over ``n`` seeds and its interval, whose ends are None where there is none."""

    @property
    def n(self) -> int: ...  # noqa: D102
    @property
    def mean(self) -> float: ...  # noqa: D102
    @property
    def low(self) -> float | None: ...  # noqa: D102
    @property
    def high(self) -> float | None: ...  # noqa: D102


class Estimator(Protocol):
    """Means and gains with their intervals; values and accuracies in %."""

    def mean(self, values: Sequence[float]) -> Estimate | None: ...  # noqa: D102
    def gain(  # noqa: D102
        self,
        treated: Sequence[float],
        untreated: Sequence[float],
        unit: Literal["points", "relative %"],
    ) -> Estimate | None: ...


class Watched:
    """A run that is watched: its cells, estimates, workers and last events.

    Parameters
    ----------
    estimator : computes the intervals.
    adaptive : whether seeds are added until the claims are decided.
    """

    def __init__(self, study: Study, estimator: Estimator, *, adaptive: bool = False) -> None:
        self.study = study
        self.adaptive = adaptive
        self._estimator = estimator
        self._estimates: dict[str, tuple[int, Estimate | None]] = {}
        self._lock = threading.Lock()
        self._phase = "starting"
        self._before: int | None = None
        self._finals: dict[str, dict[int, float]] = {name: {} for name in study.conditions}
        self._cells: Counter[str] = Counter()
        self._blocks: Counter[str] = Counter()
        self._workers: dict[tuple[Any, ...], Counter[str]] = {}
        self._running: dict[Block, float] = {}
        self._events: deque[tuple[str, str]] = deque(maxlen=LAST_EVENTS)
        self._asked = 0
        # Of the present round, for the time left: an adaptive run has several.
        self._missing = 0
        self._ended = 0
        self._estimated_s = 0.0
        self._began: float | None = None

    def begin(
        self,
        missing: int,
        recorded: int,
        finals: Mapping[str, Mapping[int, float]],
        estimated_s: float,
    ) -> None:
        """Take in that a plan is about to run.

        Parameters
        ----------
        missing, recorded : cells of the plan that are to run, and that have a record.
        finals : the mean accuracies after the last task (fractions), or what else the study
            measures, that are on record; by condition and seed.
        """
        with self._lock:
            self._phase = "running"
            if self._before is None:
                self._before = recorded
            for condition, by_seed in finals.items():
                self._finals.setdefault(condition, {}).update(by_seed)
            self._asked += missing
            self._missing, self._ended, self._estimated_s = missing, 0, estimated_s
            self._began = None
            self._running.clear()
            self._say(f"{missing} cells to run, {recorded} on record")

    def end(self) -> None:
        """Take in that the plan has run."""
        with self._lock:
            self._phase = "ended"
            self._say("all that was to run has run, or was stopped")

    def observe(self, event: Event) -> None:
        """Take in an event; those of unknown classes change nothing."""
        with self._lock:
            match event:
                case BlockProgress(block, fraction):
                    if self._began is None:
                        self._began = time.monotonic()
                    self._running[block] = fraction
                case BlockDone(block):
                    self._finish(block)
                    self._take(event)
                    self._say(f"done: {_named(block)}")
                case BlockFailed(block, error):
                    self._finish(block)
                    self._cells["failed"] += len(block)
                    self._blocks["failed"] += 1
                    self._say(f"failed: {_named(block)}: {error}")
                case NotKept(block, reason, whereabouts):
                    self._finish(block)
                    self._cells["not-kept"] += len(block)
                    self._say(
                        f"{_named(block)} could not be written ({reason}), {whereabouts}. No "
                        "further cells are started"
                    )
                case BlockLost(block, why):
                    self._running.pop(block, None)
                    self._blocks["lost"] += 1
                    self._say(f"{why}: {_named(block)} again")
                case Bridging(cells):
                    self._asked += cells
                    self._missing += cells
                    self._say(str(in_words(event)))
                case BlockNotStarted(block, why):
                    self._say(f"not started: {_named(block)}: {why}")
                case _:
                    said = in_words(event)
                    if said is not None:
                        self._say(said)

    def state(self) -> dict[str, Any]:
        """Return the state as what JSON has; docs/watching.md describes its fields."""
        with self._lock:
            left, rate = self._pace()
            finals = {name: dict(by_seed) for name, by_seed in self._finals.items()}
            cells = {name: self._cells[name] for name in ("done", "diverged", "failed", "not-kept")}
            missing = self._asked - sum(cells.values())
            partly = sum(len(block) * share for block, share in self._running.items())
            state: dict[str, Any] = {
                "study": self.study.name,
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
                "phase": self._phase,
                "adaptive": self.adaptive,
                "cells": cells | {"missing": missing},
                "cells_on_record_before": self._before or 0,
                "share_done": min(1.0, (self._asked - missing + partly) / self._asked)
                if self._asked
                else 0.0,
                "records_written": cells["done"] + cells["diverged"],
                "blocks": {
                    "running": len(self._running),
                    **{name: self._blocks[name] for name in ("done", "failed", "lost")},
                },
                "cells_per_second": rate,
                "seconds_left": left,
                "workers": [
                    dict(zip(OF_WORKER, worker, strict=True)) | dict(count)
                    for worker, count in self._workers.items()
                ],
                "events": [{"time": when, "text": text} for when, text in reversed(self._events)],
            }
        state["conditions"] = [self._condition(name, finals[name]) for name in finals]
        gains = self._gains()
        state["claims"] = [self._claim(claim, finals) for claim in gains]
        shown = {claim.id for claim in gains}
        state["other_claims"] = [c.id for c in self.study.statements if c.id not in shown]
        measure = self.study.measured
        unit = "%" if measure.is_accuracy else measure.unit
        state["measure"] = {
            "name": measure.name, "unit": unit, "is_accuracy": measure.is_accuracy
        }  # fmt: skip
        return state

    def _take(self, event: BlockDone) -> None:
        worker = tuple(str(event.environment.get(name, "unknown")) for name in OF_WORKER)
        count = self._workers.setdefault(worker, Counter())
        count.update(blocks=1, cells=len(event.block))
        self._blocks["done"] += 1
        for cell, outcome in zip(event.block, event.outcomes, strict=True):
            self._cells["done" if outcome.status == "done" else "diverged"] += 1
            measure = self.study.measured
            final = final_accuracy(outcome.accuracy)
            if not measure.is_accuracy:
                final = outcome.values.get(measure.name)
            if final is not None:
                self._finals.setdefault(cell.condition.name, {})[cell.seed] = final

    def _finish(self, block: Block) -> None:
        self._running.pop(block, None)
        self._ended += len(block)

    def _say(self, text: str) -> None:
        self._events.append((datetime.now(UTC).isoformat(timespec="seconds"), text))

    def _pace(self) -> tuple[float | None, float]:
        """Return the seconds that are left of the round, None where unknown, and cells a second."""
        if self._phase != "running":
            return (0.0 if self._phase == "ended" else None), 0.0
        worked = 0.0 if self._began is None else time.monotonic() - self._began
        partly = sum(len(block) * share for block, share in self._running.items())
        rate = (self._ended + partly) / worked if worked > 0 else 0.0
        if rate == 0:  # by the trial before the run, until there is something to go by
            return max(0.0, self._estimated_s - worked), 0.0
        return max(0.0, self._missing - self._ended - partly) / rate, rate

    @property
    def _scale(self) -> int:
        """What turns a value into one that is shown: accuracies are shown in %."""
        return 100 if self.study.measured.is_accuracy else 1

    def _gains(self) -> list[Any]:
        """Return the claims of gains in final accuracy, or in what else the study measures."""
        measure = self.study.measured
        if measure.is_accuracy:
            return [*self.study.gains]
        field = f"{FIELD}{measure.name}"
        return [
            claim
            for claim in self.study.statements
            if (claim.kind, claim.field, claim.unit) == ("gain", field, measure.unit)
            and claim.pairing != "none"
            and claim.reported is not None
        ]

    def _condition(self, name: str, by_seed: Mapping[int, float]) -> dict[str, Any]:
        values = [self._scale * by_seed[seed] for seed in sorted(by_seed)]
        found = self._estimated(f"mean {name}", len(values), lambda: self._estimator.mean(values))
        return {"condition": name, "seeds": len(values), **_numbers(found)}

    def _claim(self, claim: Any, finals: Mapping[str, Mapping[int, float]]) -> dict[str, Any]:
        treated, untreated = finals[claim.treatment], finals[claim.baseline]
        measure = self.study.measured
        if not measure.higher_is_better:
            treated, untreated = untreated, treated
        seeds = sorted(treated.keys() & untreated.keys())
        found = self._estimated(
            f"gain {claim.id}",
            len(seeds),
            lambda: self._estimator.gain(
                [self._scale * treated[seed] for seed in seeds],
                [self._scale * untreated[seed] for seed in seeds],
                claim.unit if measure.is_accuracy else "points",
            ),
        )
        fields = ("id", "text", "treatment", "baseline", "unit", "reported", "margin")
        own = {field: getattr(claim, field) for field in fields}
        return own | {"pairs": len(seeds), **_numbers(found)}

    def _estimated(
        self, name: str, n: int, compute: Callable[[], Estimate | None]
    ) -> Estimate | None:
        """Return an estimate, computed anew only where values have been added to it."""
        known = self._estimates.get(name)
        if known is None or known[0] != n:
            known = (n, compute())
            self._estimates[name] = known
        return known[1]


def _numbers(found: Estimate | None) -> dict[str, float | None]:
    if found is None:
        return {"mean": None, "low": None, "high": None}
    return {"mean": found.mean, "low": found.low, "high": found.high}


def _named(block: Iterable[Any]) -> str:
    """Name the cells of a block in short: condition by condition, with their seeds."""
    seeds: dict[str, list[str]] = {}
    for cell in block:
        seeds.setdefault(cell.condition.name, []).append(str(cell.seed))
    return "; ".join(f"{name} seed{_listed(numbers)}" for name, numbers in seeds.items())


def _listed(numbers: Sequence[str]) -> str:
    if len(numbers) == 1:
        return f" {numbers[0]}"
    more = f" and {len(numbers) - MOST_SEEDS_NAMED} more" if len(numbers) > MOST_SEEDS_NAMED else ""
    return f"s {', '.join(numbers[:MOST_SEEDS_NAMED])}{more}"
