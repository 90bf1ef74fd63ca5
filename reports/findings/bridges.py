"""The same cells on machines that round differently: do the machines matter?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.numbers.intervals import Interval, t_interval
from reports.numbers.records import Record, final_accuracy, is_done

NEGLIGIBLE = 0.3
"""Points within which machines count as equivalent, where no claim of the study says."""


@dataclass(frozen=True)
class Bridge:
    """One condition in two numerics classes.

    Attributes
    ----------
    numerics, other : the classes, in alphabetical order.
    n : seeds that both have.
    same : how many of them have the same accuracies in both, bit for bit.
    difference, ci90 : mean of final accuracy in the other minus the first class, in points, over
        the seeds that are done in both, and its 90% interval; None for fewer than two.
    negligible : points.
    equivalent : whether the difference is surely negligible; None where there is no telling.
    """

    condition: str
    numerics: str
    other: str
    n: int
    same: int
    difference: float | None
    ci90: Interval | None
    negligible: float
    equivalent: bool | None


def bridges(
    records: Sequence[Record],
    elsewhere: Sequence[Record],
    conditions: Sequence[str],
    negligible: float = NEGLIGIBLE,
) -> tuple[Bridge, ...]:
    """Compare the cells that were trained in two numerics classes.

    Parameters
    ----------
    records, elsewhere : those of the results, and those of other classes; paired by key.
    conditions : names, in the order to return.
    """
    here = {record["key"]: record for record in records}
    pairs: dict[tuple[str, str, str], list[tuple[Record, Record]]] = {}
    for other in elsewhere:
        record = here.get(other["key"])
        if record is not None:
            first, second = sorted((record, other), key=_numerics)
            classes = (_numerics(first), _numerics(second))
            if classes[0] != classes[1]:
                pairs.setdefault((record["condition"], *classes), []).append((first, second))
    return tuple(
        _bridge(name, numerics, other, pairs[name, numerics, other], negligible)
        for name, numerics, other in sorted(
            pairs, key=lambda of: (list(conditions).index(of[0]), of[1:])
        )
    )


def _bridge(
    condition: str,
    numerics: str,
    other: str,
    pairs: Sequence[tuple[Record, Record]],
    negligible: float,
) -> Bridge:
    same = sum(a["accuracy"] == b["accuracy"] for a, b in pairs)
    differences = [
        final_accuracy(b) - final_accuracy(a) for a, b in pairs if is_done(a) and is_done(b)
    ]
    mean = interval = None
    if len(differences) > 1:
        mean = math.fsum(differences) / len(differences)
        # Cells that agree in every accuracy are the same; equal final accuracies alone are chance.
        interval = Interval(0, 0) if same == len(pairs) else t_interval(differences, 0.90)
    equivalent = None if interval is None else _equivalent(interval, negligible)
    found = (len(pairs), same, mean, interval, negligible, equivalent)
    return Bridge(condition, numerics, other, *found)


def _equivalent(interval: Interval, negligible: float) -> bool | None:
    if interval.inside(Interval(-negligible, negligible)):
        return True
    return False if interval.low > negligible or interval.high < -negligible else None


def _numerics(record: Mapping[str, object]) -> str:
    provenance = record.get("provenance")
    return str(provenance.get("numerics")) if isinstance(provenance, dict) else "None"
