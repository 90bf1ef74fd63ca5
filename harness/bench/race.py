"""A race of programs, each for a moment in every round: a busy machine slows all equally."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """A measured ratio and its target: "<= 1.5", ">= 4", or "" for no target."""

    name: str
    value: float
    target: str = ""
    unit: str = "x"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target."""
        if not self.target:
            return None
        sign, bound = self.target.split()
        return self.value <= float(bound) if sign == "<=" else self.value >= float(bound)


class Race:
    """Measures the processor time of programs that run in turn.

    Parameters
    ----------
    programs : programs by name; each call does the same amount of work and returns its seconds.
    divided : programs that measure their parts; each call returns the seconds by part.
    """

    def __init__(
        self,
        programs: Mapping[str, Callable[[], float]],
        divided: Sequence[Callable[[], Mapping[str, float]]] = (),
    ) -> None:
        self.programs = programs
        self.divided = divided
        self.rounds: list[dict[str, float]] = []

    def run(self, seconds: float, *, min_rounds: int = 3) -> None:
        """Run complete rounds for about ``seconds``, and at least ``min_rounds`` of them."""
        end = time.monotonic() + seconds
        while len(self.rounds) < min_rounds or time.monotonic() < end:
            times = {name: program() for name, program in self.programs.items()}
            for program in self.divided:
                times |= program()
            self.rounds.append(times)

    def seconds(self, name: str) -> float:
        """Return the median seconds of a program, or of a part."""
        return statistics.median(times[name] for times in self.rounds)

    def ratio(self, numerator: str, denominator: str) -> float:
        """Return the median over rounds of the ratio of two programs' times."""
        return self.over_rounds(lambda times: times[numerator] / times[denominator])

    def over_rounds(self, figure: Callable[[Mapping[str, float]], float]) -> float:
        """Return the median over rounds of a figure that is computed from the times of a round."""
        return statistics.median(map(figure, self.rounds))


def timed(action: Callable[[], object], calls: int = 1) -> float:
    """Return the processor seconds that an action takes, averaged over ``calls`` calls."""
    started = time.process_time()
    for _ in range(calls):
        action()
    return (time.process_time() - started) / calls
