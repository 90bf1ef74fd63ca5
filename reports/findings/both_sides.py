"""A gain against the published one where both are known with an error only.

A verdict takes the reported gain as an exact number and asks where the true gain lies. Whether the
published runs and ours can come from the same source is another question: the published gain is a
difference of two means of a few runs each, and has an error of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.findings.contrasts import JudgedClaim
from reports.numbers.study import Source
from reports.numbers.welch import Error, Reading, readings

PRINTED = 0.021
"""Points by which a gain may differ from that of two accuracies printed with two decimals."""


@dataclass(frozen=True)
class BothSides:
    """Our gain minus the published one of a source, in points.

    Attributes
    ----------
    source : its id.
    published : the gain that its printed accuracies after the last task make.
    difference : ours minus published.
    runs : of each of its two accuracies.
    runs_from : id of the source that states these numbers of runs, where it is another one.
    readings : the difference under both readings of the printed ±.
    """

    source: str
    published: float
    difference: float
    runs: tuple[int, int]
    runs_from: str | None
    readings: tuple[Reading, ...]


def both_sides(judged: JudgedClaim, sources: Sequence[Source], tasks: int) -> BothSides | None:
    """Return the comparison with the source that a claim's reported gain is from.

    That is the source whose two accuracies after the last of ``tasks`` make the reported gain, up
    to the digits printed. None where there is none, where it prints no ± or number of runs, where
    our gains show no spread, or where the claim is not in points.
    """
    claim, compared = judged.claim, judged.contrast.comparison
    if compared is None or not compared.sd or claim.unit != "points":
        return None
    for source in sources:
        pair = (claim.treatment, claim.baseline)
        if tasks not in source.after_tasks or not all(name in source.accuracy for name in pair):
            continue
        place = source.after_tasks.index(tasks)
        after, before = (source.accuracy[name][place] for name in pair)
        if abs(after - before - claim.reported) > PRINTED:
            continue
        stating = next(
            (other for other in (source, *sources) if all(name in other.runs for name in pair)),
            None,
        )
        if stating is None or not all(name in source.plus_minus for name in pair):
            continue
        runs = (stating.runs[pair[0]], stating.runs[pair[1]])
        bars = [(source.plus_minus[name][place], n) for name, n in zip(pair, runs, strict=True)]
        own = Error(compared.sd**2 / compared.n, compared.n - 1)
        difference = compared.mean - (after - before)
        found = readings(difference, own, bars)
        if found:
            other = None if stating is source else stating.id
            return BothSides(source.id, after - before, difference, runs, other, found)
    return None
