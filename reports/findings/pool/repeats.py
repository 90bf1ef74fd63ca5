"""Cells that two sites both trained: the same bits, equivalent, or a finding."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from reports.findings.gate.exact import compare_exactly
from reports.findings.pool.sites import Site, origin_of
from reports.numbers.intervals import Interval, t_interval
from reports.numbers.records import Record, final_accuracy, is_done

MOST_NAMED = 20
"""How many cells of one condition and two sites are named at most."""


class Repeated(StrEnum):
    """What the cells of one condition say that two sites both trained."""

    SAME = "SAME BITS"
    EQUIVALENT = "EQUIVALENT"
    UNDECIDED = "UNDECIDED"
    BITS = "BITS DIFFER"
    DIFFERENT = "DIFFERENT"

    @property
    def finding(self) -> bool:
        """Whether something is wrong that somebody must look at."""
        return self in (Repeated.BITS, Repeated.DIFFERENT)


@dataclass(frozen=True)
class Repeat:
    """One condition that two sites trained with the same seeds.

    Attributes
    ----------
    seeds : how many both have.
    same : how many of these are the same bits in every value.
    copies : how many of these are one record in two places, times included: no second measurement.
    difference, ci90 : mean final accuracy of the second minus the first, in points, over the seeds
        that are done at both, and its 90% interval; None for fewer than two.
    negligible : points.
    named : the cells that differ, each with its first value that does, for a finding.
    """

    condition: str
    first: str
    second: str
    seeds: int
    same: int
    copies: int
    difference: float | None
    ci90: Interval | None
    negligible: float
    outcome: Repeated
    named: tuple[str, ...]


def repeats(
    sites: Sequence[Site], conditions: Sequence[str], negligible: float
) -> tuple[Repeat, ...]:
    """Compare the cells that two sites both have, for every two sites and every condition."""
    by_cell = [{(r["condition"], r["seed"]): r for r in site.records} for site in sites]
    found = []
    for a, b in combinations(range(len(sites)), 2):
        for condition in conditions:
            seeds = sorted(
                seed
                for name, seed in by_cell[a]
                if name == condition and (name, seed) in by_cell[b]
            )
            pairs = [(by_cell[a][condition, seed], by_cell[b][condition, seed]) for seed in seeds]
            if pairs:
                found.append(_repeat(condition, sites[a], sites[b], pairs, negligible))
    return tuple(found)


def _repeat(
    condition: str,
    first: Site,
    second: Site,
    pairs: Sequence[tuple[Record, Record]],
    negligible: float,
) -> Repeat:
    differing = list(_differing(pairs))
    finals = [final_accuracy(b) - final_accuracy(a) for a, b in pairs if is_done(a) and is_done(b)]
    mean = interval = None
    if len(finals) > 1:
        mean, interval = math.fsum(finals) / len(finals), t_interval(finals, 0.90)
    unlike = [(a, b) for a, b in pairs if a["status"] != b["status"]]
    one_origin = [sentence for a, b, sentence in differing if origin_of(a) == origin_of(b)]
    outcome = _outcome(differing, one_origin, unlike, interval, negligible)
    named = one_origin if outcome is Repeated.BITS else [sentence for _, _, sentence in differing]
    return Repeat(
        condition,
        first.name,
        second.name,
        len(pairs),
        len(pairs) - len(differing),
        sum(a.get("sha256") is not None and a.get("sha256") == b.get("sha256") for a, b in pairs),
        mean,
        interval,
        negligible,
        outcome,
        tuple(named[:MOST_NAMED]) if outcome.finding else (),
    )


def _differing(pairs: Sequence[tuple[Record, Record]]) -> Iterator[tuple[Record, Record, str]]:
    for a, b in pairs:
        name = (a["condition"], a["seed"])
        exact = compare_exactly({name: b | {"telemetry": b.get("telemetry", [])}},
                                {name: a | {"telemetry": a.get("telemetry", [])}})  # fmt: skip
        for difference in exact.differences:
            yield a, b, difference.sentence()


def _outcome(
    differing: Sequence[object],
    one_origin: Sequence[object],
    unlike: Sequence[object],
    interval: Interval | None,
    negligible: float,
) -> Repeated:
    if not differing:
        return Repeated.SAME
    if one_origin:
        return Repeated.BITS
    if unlike:
        return Repeated.DIFFERENT
    if interval is None:
        return Repeated.UNDECIDED
    if interval.inside(Interval(-negligible, negligible)):
        return Repeated.EQUIVALENT
    surely = interval.low > negligible or interval.high < -negligible
    return Repeated.DIFFERENT if surely else Repeated.UNDECIDED
