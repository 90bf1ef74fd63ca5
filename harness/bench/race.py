"""Programs in a race: each runs a little in every round, so that a busy machine slows all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """A ratio, what it was aimed at ("<= 1.5", ">= 4", or "" for none) and whether it got there."""

    name: str
    value: float
    target: str = ""
    unit: str = "x"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if not self.target:
            return None
        sign, bound = self.target.split()
        return self.value <= float(bound) if sign == "<=" else self.value >= float(bound)


class Race:
    """The processor time of some programs, taken in turn.

    Parameters
    ----------
    programs : by name; each call does the same amount of work and returns the seconds it took.
    parted : programs that take the time of their parts; each call returns the seconds by part.
    """

    def __init__(
        self,
        programs: Mapping[str, Callable[[], float]],
        parted: Sequence[Callable[[], Mapping[str, float]]] = (),
    ) -> None:
        self.programs = programs
        self.parted = parted
        self.rounds: list[dict[str, float]] = []

    def run(self, seconds: float, *, least: int = 3) -> None:
        """Run whole rounds for about so many seconds, and at least ``least`` of them."""
        end = time.monotonic() + seconds
        while len(self.rounds) < least or time.monotonic() < end:
            times = {name: program() for name, program in self.programs.items()}
            for program in self.parted:
                times |= program()
            self.rounds.append(times)

    def seconds(self, name: str) -> float:
        """Return the median time of a program, or of a part."""
        return statistics.median(times[name] for times in self.rounds)

    def ratio(self, above: str, below: str) -> float:
        """Return the median over rounds of one program's time over another's."""
        return self.over_rounds(lambda times: times[above] / times[below])

    def over_rounds(self, figure: Callable[[Mapping[str, float]], float]) -> float:
        """Return the median over rounds of a figure made of the round's times."""
        return statistics.median(map(figure, self.rounds))


def timed(action: Callable[[], object], times: int = 1) -> float:
    """Return the processor seconds that an action takes, on average over some calls."""
    started = time.process_time()
    for _ in range(times):
        action()
    return (time.process_time() - started) / times
