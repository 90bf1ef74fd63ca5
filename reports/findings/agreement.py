"""Do our accuracies agree with the published ones, value by value?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from reports.numbers import metrics
from reports.numbers.intervals import Interval, has_spread, prediction_interval, t_interval
from reports.numbers.records import Record
from reports.numbers.study import Source
from reports.numbers.welch import Error, Reading, agree, readings


@dataclass(frozen=True)
class Agreement:
    """A condition's mean accuracy beside one published value of it.

    Attributes
    ----------
    after_tasks : number of tasks trained; the accuracy is the mean over these tasks.
    published, plus_minus : what the source prints, in %; ``plus_minus`` is None where it prints
        none.
    n : number of our seeds.
    difference, ci95 : ours minus published, in points, with its 95% t interval, which is infinite
        where our seeds show no spread. The interval takes the published value as exact, so it is
        too narrow to judge agreement by.
    runs : how many runs the published value is the mean of; None where that is not known.
    prediction95 : the interval in % into which the mean of ``runs`` seeds like ours falls 95 times
        in 100; not clipped at 100; None where ``runs`` is None.
    readings : the difference with the errors of both sides (Welch), under both readings of
        ``plus_minus``; empty where it or ``runs`` is not known, or our seeds show no spread.
    agrees : whether zero lies in the intervals of both readings; None where it does in one only.
        Without readings, whether ``published`` lies in ``prediction95``, which takes the published
        runs to spread as ours do; None where ``runs`` is unknown or our seeds show no spread.
    """

    condition: str
    source: str
    after_tasks: int
    published: float
    plus_minus: float | None
    n: int
    difference: float
    ci95: Interval
    runs: int | None
    prediction95: Interval | None
    readings: tuple[Reading, ...]
    agrees: bool | None


def agreements(records: Sequence[Record], published: Iterable[Source]) -> Iterator[Agreement]:
    """Yield how each published value compares with the records, in the order of the sources.

    A value is left out where no seed of its condition is done, or where it was taken after more
    tasks than the records have. The order of the records does not matter.
    """
    sources = list(published)
    wanted = {condition for source in sources for condition in source.accuracy}
    ours: dict[str, list[metrics.Floats]] = {}
    for record in sorted(records, key=lambda record: int(record["seed"])):
        if record["status"] == "done" and record["condition"] in wanted:
            curve = 100 * metrics.seen_accuracy(metrics.as_matrix(record["accuracy"]))
            ours.setdefault(record["condition"], []).append(curve)
    for source in sources:
        for condition, values in source.accuracy.items():
            for place, after in enumerate(source.after_tasks):
                accuracies = [
                    curve[after - 1] for curve in ours.get(condition, []) if after <= len(curve)
                ]
                if accuracies:
                    yield _agreement(source, condition, place, np.array(accuracies), values[place])


def _agreement(
    source: Source,
    condition: str,
    place: int,
    ours: metrics.Floats,
    published: float,
) -> Agreement:
    """Compare our accuracies, (n,) in %, with the value at one place of a source's list."""
    runs, bars = source.runs.get(condition), source.plus_minus.get(condition)
    band = None if runs is None else prediction_interval(ours, runs, 0.95)
    ci95 = t_interval(ours - published, 0.95)
    if not has_spread(ours):  # equal to the published value too: a zero difference is no interval
        ci95 = Interval(-math.inf, math.inf)
        band = band and ci95
    agrees = None
    difference = float((ours - published).mean())
    found: tuple[Reading, ...] = ()
    if bars is not None and runs is not None and has_spread(ours):
        own = Error(float(ours.var(ddof=1)) / len(ours), len(ours) - 1)
        found = readings(difference, own, [(bars[place], runs)])
    if found:
        agrees = agree(found)
    elif band is not None and math.isfinite(band.high):
        agrees = band.low <= published <= band.high
    return Agreement(
        condition=condition,
        source=source.id,
        after_tasks=source.after_tasks[place],
        published=published,
        plus_minus=None if bars is None else bars[place],
        n=len(ours),
        difference=difference,
        ci95=ci95,
        runs=runs,
        prediction95=band,
        readings=found,
        agrees=agrees,
    )
