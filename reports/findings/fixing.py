"""Which claims were fixed before their data, and what those that were not said before.

A claim that was changed or made when its data could be seen is judged all the same. Its verdict is
never given without that word, and the verdict on the claim that stood before the data, with the
numbers of that one, stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from reports.findings.contrasts import JudgedClaim
from reports.findings.curves import CurveFinding
from reports.findings.families import JudgedFamily
from reports.findings.statements import JudgedStatement
from reports.numbers.intervals import Interval
from reports.numbers.words import counted, interval, listed

CHANGED, MADE, REMOVED = "changed after the data", "made after the data", "removed after the data"
WORDS = {
    "before": "before the data",
    "changed": CHANGED,
    "made": MADE,
    "removed": REMOVED,
    "unknown": "not recorded",
}
"""By status, when the claim was fixed."""

Judged = JudgedClaim | JudgedStatement | JudgedFamily | CurveFinding


class Standing(Protocol):
    """What a results directory knows of a claim, a family or a curve, and of its data.

    ``what`` is "claim", "family" or "curve"; ``status`` one of ``WORDS``. ``entered`` and ``since``
    are the times (ISO 8601) at which the claim was first written down as it is judged, and as it
    stood before the data; ``seen`` is by condition how many cells were on record at the first of
    them, ``first_cell`` when the first cell finished. ``was`` is the claim that stood before the
    data where it is another, ``changes`` what differs, ``versions`` how many versions were written
    down after the data, and ``why`` what else must be known.
    """

    # ruff: noqa: D102
    @property
    def what(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def entered(self) -> str | None: ...
    @property
    def since(self) -> str | None: ...
    @property
    def seen(self) -> Mapping[str, int]: ...
    @property
    def first_cell(self) -> str | None: ...
    @property
    def was(self) -> Any: ...
    @property
    def changes(self) -> Sequence[str]: ...
    @property
    def versions(self) -> int: ...
    @property
    def why(self) -> str: ...


@dataclass(frozen=True)
class Fixing:
    """How a claim stands to its data.

    Attributes
    ----------
    standing : what the results directory knows.
    before : the claim that stood before the data, judged by the same records; None where it is the
        one that is judged, or cannot be judged.
    """

    standing: Standing
    before: Judged | None

    @property
    def late(self) -> bool:
        """Whether the claim is not the one that was fixed before its data."""
        return self.standing.status in ("changed", "made")

    @property
    def verdict_before(self) -> str | None:
        """The verdict on the claim that stood before the data, in words; None without one."""
        match self.before:
            case JudgedClaim(judgement=judgement):
                return "no pair of seeds" if judgement is None else judgement.label
            case JudgedStatement(ruling=ruling):
                return "no seeds" if ruling is None else ruling.label
            case JudgedFamily(verdict=verdict):
                return verdict
            case CurveFinding(counts=counts):
                given = [f"{number} {word}" for word, number in counts.verdicts.items() if number]
                return ", ".join(given) or "no verdict"
        return None

    @property
    def mark(self) -> str:
        """What stands with every mention of the verdict; empty where nothing needs to."""
        if self.standing.status == "made":
            return MADE
        if self.standing.status != "changed":
            return ""
        before = self.verdict_before
        return f"{CHANGED} (before: {before})" if before else CHANGED


def fixings(
    standings: Sequence[Standing], judge: Mapping[str, Callable[[Any], Judged | None]]
) -> tuple[Fixing, ...]:
    """Return how the claims of a study stand to their data.

    Parameters
    ----------
    judge : by "claim", "family" and "curve", what judges one by the records at hand; what is left
        out is not judged.
    """
    return tuple(
        Fixing(one, judge[one.what](one.was) if one.was is not None and one.what in judge else None)
        for one in standings
    )


def marked(words: str, found: Sequence[Fixing], name: str, what: str = "claim") -> str:
    """Return a verdict with what must stand with it: LARGER, changed after the data."""
    marks = [one.mark for one in found if (one.standing.what, one.standing.id) == (what, name)]
    return ", ".join(filter(None, [words, *marks]))


def told_by_table(
    found: Sequence[Fixing], tables: Mapping[str, Sequence[str]]
) -> dict[str, frozenset[str]]:
    """Return by table of published means which of its claims were fixed when it was.

    What is said of the table is said of these.

    Parameters
    ----------
    tables : by the id of a family, the ids of its claims.
    """
    claims = {one.standing.id: one for one in found if one.standing.what == "claim"}
    families = {one.standing.id: one for one in found if one.standing.what == "family"}
    told = {}
    for table, names in tables.items():
        if table in families:
            same = _when(families[table])
            told[table] = frozenset(n for n in names if n in claims and _when(claims[n]) == same)
    return told


def _when(one: Fixing) -> tuple[object, ...]:
    """Return when something was fixed, equal to nothing else where it was another before."""
    standing = one.standing
    if standing.status in ("changed", "removed"):
        return (standing.id,)
    return standing.status, standing.entered, standing.why


def late_notices(
    found: Sequence[Fixing],
    tables: Mapping[str, Sequence[str]] = MappingProxyType({}),
    *,
    judged: bool = True,
) -> tuple[str, ...]:
    """Return the sentences on claims that are not those that were fixed before their data.

    Parameters
    ----------
    tables : by family that is a table of published means, its claims; one sentence tells of all
        that were fixed together.
    judged : whether the claims that stood before the data were judged.
    """
    within = told_by_table(found, tables)
    hidden = frozenset[str]().union(*within.values())
    late = [one for one in found if one.late or one.standing.status == "removed"]
    return tuple(
        _sentence(one, judged, len(within.get(one.standing.id, ())))
        for one in late
        if one.standing.what != "claim" or one.standing.id not in hidden
    )


def _sentence(one: Fixing, judged: bool, claims: int = 0) -> str:
    standing = one.standing
    name = standing.id if standing.what == "claim" else f"the {standing.what} {standing.id}"
    if standing.what == "family" and claims:
        name += f" with {counted(claims, 'claim')}"
    when = (
        "at a time that is not recorded" if standing.entered is None else time_of(standing.entered)
    )
    seen = [f"{counted(n, 'cell')} of {name}" for name, n in standing.seen.items() if n]
    there = f", with {listed(seen)} on record" if seen else ""
    if standing.status == "made":
        parts = [f"{MADE.upper()}: {name}, {when}{there}."]
    elif standing.status == "changed":
        parts = [f"{CHANGED.upper()}: {name}, {when}{there}: {'; '.join(standing.changes)}."]
    else:
        parts = [f"{REMOVED.upper()}: {name}, {when}{there}."]
    if standing.versions > 1:
        parts.append(f"{standing.versions} versions of it were written down after the data.")
    if standing.status != "made" and judged:
        parts.append(f"As it stood before: {_before(one)}.")
    if standing.why:
        parts.append(standing.why)
    return " ".join(parts)


def time_of(text: str) -> str:
    """Return a time in UTC as a reader reads it: 2026-11-26 07:18:00 UTC."""
    if not text.endswith("+00:00"):
        return text
    return text[:19].replace("T", " ") + " UTC"


def _before(one: Fixing) -> str:
    verdict = one.verdict_before
    if verdict is None:
        return "not judged: this program cannot read it, or the study lacks its conditions"
    return f"{verdict}{terms_before(one)}"


def terms_before(one: Fixing) -> str:
    """Return the numbers of the claim that stood before the data and what was found, in brackets.

    Empty where it was not judged.
    """
    match one.before:
        case JudgedClaim(claim=claim, contrast=contrast, judgement=judgement) if (
            judgement is not None and contrast.comparison is not None
        ):
            return (
                f" (reported {claim.reported:+.2f} ± {claim.margin:.2f}; gain "
                f"{contrast.comparison.mean:+.2f}{_ends(judgement.ci)})"
            )
        case JudgedStatement(asks=asks, ruling=ruling) if ruling is not None:
            return f" ({asks}; found {ruling.estimate:+.2f}{_ends(ruling.ci)})"
        case JudgedFamily(members=members):
            said = [f"{one.claim} {one.verdict or 'not judged'}" for one in members]
            return f" ({listed(said)})"
        case CurveFinding(reported=reported, margin=margin):
            return f" (reported {reported:+.2f} ± {margin:.2f})"
    return ""


def _ends(ci: Interval) -> str:
    ends = interval(ci)
    return "" if ends == "-" else f", {ends}"
