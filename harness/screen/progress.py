"""What a person sees while cells are trained: a bar with the time left, and running means."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

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
    ExecutorLost,
    NodeGone,
    NodeJoined,
    NotKept,
    NoWorker,
    WaitingForOthers,
)
from harness.studies.measured import Measure


class Display:
    """Shows events as they come: live in a terminal, one line a block elsewhere.

    Parameters
    ----------
    missing : cells to run.
    finals : the mean accuracies after the last task (fractions) that are on record, by
        condition, in the order to show.
    measure : the number that is measured instead, where that is no accuracy.
    """

    def __init__(
        self,
        console: Console,
        missing: int,
        finals: Mapping[str, Iterable[float]],
        measure: Measure | None = None,
    ) -> None:
        self.console = console
        self.measure = measure if measure is not None and not measure.is_accuracy else None
        self.missing = missing
        self.finals = {condition: list(values) for condition, values in finals.items()}
        self._started = time.monotonic()
        self._running: dict[Block, float] = {}
        self._finished = 0
        self._bar = Progress(
            # The bar grows with every step; what is counted is on record.
            TextColumn("[bold]{task.fields[recorded]}/{task.total:.0f} cells"),
            BarColumn(None),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            # Progress comes in steps of an epoch: average over minutes, not seconds.
            speed_estimate_period=300,
        )
        self._task = self._bar.add_task("cells", total=missing, recorded=0)
        self._live = Live(console=console, refresh_per_second=4) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.update(self._render())
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            with suppress(OSError):  # a terminal that was closed
                self._live.update(self._render())
                self._live.stop()

    def observe(self, event: Event) -> None:
        """Take in an event of the run."""
        said = in_words(event)
        if said is not None:
            self.console.print(said, markup=False, highlight=False, soft_wrap=True)
        match event:
            case BlockProgress(block, fraction):
                self._running[block] = fraction
            case BlockLost(block) | NotKept(block) | BlockNotStarted(block):
                self._running.pop(block, None)
            case Bridging(cells):
                self.missing += cells
                self._bar.update(self._task, total=self.missing)
            case BlockDone(block) | BlockFailed(block):
                self._running.pop(block, None)
                self._finished += len(block)
                if isinstance(event, BlockDone):
                    self._take(event)
        partly = sum(len(block) * share for block, share in self._running.items())
        completed = self._finished + partly
        self._bar.update(self._task, completed=completed, recorded=self._finished)
        if self._live:
            self._live.update(self._render())
        elif isinstance(event, BlockDone | BlockFailed):
            self._print_line(event)

    def _take(self, event: BlockDone) -> None:
        for cell, outcome in zip(event.block, event.outcomes, strict=True):
            final = final_accuracy(outcome.accuracy)
            if self.measure is not None:
                final = outcome.values.get(self.measure.name)
            if final is not None:
                self.finals.setdefault(cell.condition.name, []).append(final)

    def _print_line(self, event: BlockDone | BlockFailed) -> None:
        elapsed = time.monotonic() - self._started
        left = elapsed / self._finished * (self.missing - self._finished)
        names = ", ".join(dict.fromkeys(cell.condition.name for cell in event.block))
        outcome = "" if isinstance(event, BlockDone) else "  FAILED"
        self.console.print(
            f"{self._finished:>4}/{self.missing} cells  {clock(elapsed)} elapsed, about "
            f"{clock(left)} left  {names}{outcome}",
            highlight=False,
        )

    def _render(self) -> Group:
        table = Table.grid(padding=(0, 2))
        row: list[Text] = []
        for condition, values in self.finals.items():
            if values:
                mean = sum(values) / len(values)
                shown = f"{100 * mean:.2f}" if self.measure is None else f"{mean:.4g}"
                row.append(
                    Text.assemble(f"{condition} ", (shown, "bold"), (f" ({len(values)})", "dim"))
                )
        for start in range(0, len(row), 5):
            table.add_row(*row[start : start + 5])
        what = "accuracy after the last task, %"
        if self.measure is not None:
            what = f"{self.measure.name}, {self.measure.unit}"
        note = f"running mean {what} (seeds)" if row else ""
        return Group(self._bar, Text(note, "dim"), table)


def in_words(event: Event) -> str | None:
    """Return a line about an event that a person should know of; None for the usual ones."""
    match event:
        case NoWorker(seconds, advice):
            return f"no worker has started for {clock(seconds)}: {advice}"
        case BlockLost(block, why):
            return f"{why}: its block runs again ({_names(block)})"
        case NotKept(block, reason, whereabouts):
            return (
                f"{len(block)} finished cells could not be written ({reason}), "
                f"{whereabouts}. No further cells are started; make room"
            )
        case WaitingForOthers(cells):
            return (
                f"{cells} cells are left, which other runs of this directory have; waiting for them"
            )
        case Bridging(cells, numerics):
            return f"{cells} cells again, on nodes of numerics {numerics}"
        case NodeJoined(node, cpu, numerics, room) if cpu is not None:
            return f"{node} is used: {room} x {cpu}, numerics {numerics}"
        case NodeGone(node, None):
            return f"{node} has left"
        case NodeGone(node, why):
            return f"{node} is not used: {why}"
        case ExecutorLost(why, remedy):
            return f"Ray is lost ({why}). {remedy}"
        case _:
            return None


def _names(block: Block) -> str:
    return ", ".join(f"{cell.condition.name} seed {cell.seed}" for cell in block)


def clock(seconds: float) -> str:
    """Write a duration as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
