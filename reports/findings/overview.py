"""What the reports of several results directories say together, claim by claim."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reports.findings.completeness import Completeness
from reports.findings.contrasts import JudgedClaim
from reports.findings.statements import JudgedStatement
from reports.judging.kinds import KINDS
from reports.numbers.intervals import FEWEST, Interval
from reports.numbers.study import Study

APART = frozenset(("value", "rank"))
"""Kinds of claims whose number is no difference, and is not drawn beside differences."""


@dataclass(frozen=True)
class Row:
    """One claim as its report judges it.

    Attributes
    ----------
    directory, study : the name of the results directory, and of the study.
    verdict, label : the word; with its sign and all that must stand with it. None, and what is
        missing, where no seed can tell.
    late : whether the claim is not the one that was fixed before its data.
    expected, as_expected : the verdict that a control must get, and whether it got it; None for a
        real claim, or without seeds.
    estimate, ci : the gain or other number in its unit, and the interval that decided; None where
        there is none, the latter also below three seeds.
    band : where the true value lies if the claim is right; an end may be infinite.
    kind, unit : what kind of number that is.
    cause : what carries the difference, in words; how many settings differ where nobody tells.
    by : the study that tells it; None where nobody does.
    differs : number of settings in which the two conditions differ; None where it compares no two.
    contrast : stands for its two conditions and their data; the same one in another directory is
        the same comparison. Empty where it compares no two.
    """

    directory: str
    study: str
    id: str
    text: str
    source: str
    verdict: str | None
    label: str
    late: bool
    expected: str | None
    as_expected: bool | None
    estimate: float | None
    ci: Interval | None
    band: Interval | None
    kind: str
    unit: str
    cause: str
    by: str | None
    differs: int | None
    contrast: str
    complete: Completeness
    anchor: str

    @property
    def control(self) -> bool:
        """Whether the truth is known, so that the claim tests the procedure."""
        return self.expected is not None


@dataclass(frozen=True)
class Told:
    """One results directory.

    Attributes
    ----------
    page : the path of its page from the folder; None where it has none.
    headline : the first words of its report.
    cells : how complete its cells are.
    notices : what a reader must know before any number of it.
    """

    directory: str
    study: str
    page: str | None
    description: str
    headline: str
    fingerprint: str
    cells: Completeness
    notices: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class LeftOut:
    """A directory of the folder that is not told, and why."""

    directory: str
    reason: str
    damaged: bool


@dataclass(frozen=True)
class Overview:
    """All results directories of a folder, in the order of their names."""

    directories: tuple[Told, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def claims(self) -> list[Row]:
        """The claims that are no controls."""
        return [row for one in self.directories for row in one.rows if not row.control]

    @property
    def controls(self) -> list[Row]:
        """The claims whose truth is known."""
        return [row for one in self.directories for row in one.rows if row.control]

    @property
    def failed(self) -> list[Row]:
        """The controls that did not get the verdict that they must get."""
        return [row for row in self.controls if row.as_expected is False]

    @property
    def preliminary(self) -> list[Told]:
        """The directories with cells that are asked for and not yet run."""
        return [one for one in self.directories if one.cells.preliminary]

    def verdicts(self) -> list[tuple[str, int]]:
        """Return each verdict on a claim and how many have it, the most frequent first."""
        return Counter(row.verdict or "not judged" for row in self.claims).most_common()


def together(directories: Sequence[Told], left_out: Sequence[LeftOut]) -> Overview:
    """Return the overview of directories in any order.

    A claim whose cause its own report does not tell has it from a study that takes the same
    contrast apart, where one of the others does.
    """
    in_order = sorted(directories, key=lambda one: one.directory)
    told = {
        row.contrast: row
        for one in reversed(in_order)
        for row in one.rows
        if row.by is not None and row.contrast
    }
    return Overview(
        tuple(
            replace(one, rows=tuple(_with_cause(row, told.get(row.contrast)) for row in one.rows))
            for one in in_order
        ),
        tuple(sorted(left_out, key=lambda one: one.directory)),
    )


def _with_cause(row: Row, other: Row | None) -> Row:
    if other is None or row.by is not None:
        return row
    return replace(row, cause=other.cause, by=other.by)


def contrast_of(judged: JudgedClaim | JudgedStatement, study: Study, data: str) -> str:
    """Return what stands for the two conditions of a gain and their data; empty for other kinds."""
    if not isinstance(judged, JudgedClaim):
        return ""
    names = judged.claim.treatment, judged.claim.baseline
    settings = [study.conditions[name].settings() for name in names]
    return hashlib.sha256(json.dumps([settings, data], sort_keys=True).encode()).hexdigest()[:16]


def band_of(judged: JudgedClaim | JudgedStatement) -> Interval | None:
    """Return where the true value lies if the claim is right; None where that is no one number."""
    if isinstance(judged, JudgedClaim):
        claim = judged.claim
        return Interval(claim.reported - claim.margin, claim.reported + claim.margin)
    kind = KINDS[judged.claim.kind]
    if kind.name == "rank":
        return None
    agreeing = next(iter(kind.signs))
    for rule in kind.rules(judged.claim):
        if rule.word == agreeing:
            low = max(part.band.low for part in rule.parts)
            high = min(part.band.high for part in rule.parts)
            return Interval(low, high) if low <= high else None
    return None


def shown_interval(ends: Interval | None, seeds: int) -> Interval | None:
    """Return an interval that can be shown: with ends, and of three seeds or more."""
    if ends is None or seeds < FEWEST or not (math.isfinite(ends.low) and math.isfinite(ends.high)):
        return None
    return ends


def scales(rows: Sequence[Row]) -> dict[tuple[str, ...], Interval]:
    """Return the ends of the axis on which each claim is drawn, by ``scale_of``.

    Differences of one study in one unit share an axis, which has the zero.
    """
    values: dict[tuple[str, ...], list[float]] = {}
    for row in rows:
        if row.estimate is None:
            continue
        ends = [row.estimate]
        for span in (row.ci, row.band):
            ends += [] if span is None else [span.low, span.high]
        if row.kind not in APART:
            ends.append(0.0)
        values.setdefault(scale_of(row), []).extend(filter(math.isfinite, ends))
    found = {}
    for name, there in values.items():
        room = 0.08 * (max(there) - min(there)) or 1.0
        found[name] = Interval(min(there) - room, max(there) + room)
    return found


def scale_of(row: Row) -> tuple[str, ...]:
    """Return the name of the axis on which a claim is drawn."""
    return (row.directory, row.unit, *((row.id,) if row.kind in APART else ()))
