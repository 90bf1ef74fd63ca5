"""The same cells on machines that round differently: do the machines matter?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.numbers.metrics import as_matrix, final_accuracy
from reports.numbers.records import Record, is_done
from reports.numbers.statistics import Interval, t_interval

NEGLIGIBLE = 0.3
"""Points within which machines count as equivalent, where no claim of the study says."""


@dataclass(frozen=True)
class Bridge:
    """One condition on the machines of the results, and again on others.

    Attributes
    ----------
    numerics, other : the numerics classes.
    n : seeds that both have.
    same : how many of them have the same accuracies in both, bit for bit.
    difference, ci90 : mean of final accuracy there minus here, in points, over the seeds that are
        done in both, and its 90% interval; None for fewer than two.
    negligible : points.
    """

    condition: str
    numerics: str
    other: str
    n: int
    same: int
    difference: float | None
    ci90: Interval | None
    negligible: float

    @property
    def equivalent(self) -> bool | None:
        """Whether the difference is surely negligible; None where there is no telling."""
        if self.ci90 is None:
            return None
        if self.ci90.inside(Interval(-self.negligible, self.negligible)):
            return True
        beyond = self.ci90.low > self.negligible or self.ci90.high < -self.negligible
        return False if beyond else None


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
            classes = (_numerics(record), _numerics(other))
            if classes[0] != classes[1]:
                pairs.setdefault((record["condition"], *classes), []).append((record, other))
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
    differences = [100 * (_final(b) - _final(a)) for a, b in pairs if is_done(a) and is_done(b)]
    mean = interval = None
    if len(differences) > 1:
        mean = sum(differences) / len(differences)
        interval = t_interval(differences, 0.90)
    return Bridge(condition, numerics, other, len(pairs), same, mean, interval, negligible)


def _final(record: Record) -> float:
    return final_accuracy(as_matrix(record["accuracy"]))


def _numerics(record: Mapping[str, object]) -> str:
    provenance = record.get("provenance")
    return str(provenance.get("numerics")) if isinstance(provenance, dict) else "None"
