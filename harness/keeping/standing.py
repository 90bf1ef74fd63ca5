"""Was each claim fixed before its data? What the register and the records' times say together.

The claim that stood when the first cell of its conditions was recorded is the one that was fixed
before the data. A directory can hold what several knew (merged shards); each of their registers is
followed on its own, and the claim must be the one that stood in all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import takewhile

from harness.keeping.records import Record
from harness.keeping.register import (
    ENTERED,
    FOUND,
    LOST,
    Entry,
    Place,
    Said,
    claims_of,
    conditions_of,
    fingerprint,
    said_of,
)
from harness.studies.study import Study

CLOCKS_APART_S = 300.0
"""By how much the clocks of machines that write to one directory may differ."""
FOUND_LATE = (
    "Whether even that one was fixed before the data is not recorded: the directory has cells from "
    "before it had a register."
)
GONE = "The directory had a register of claims (claims.jsonl), which is gone."
NOT_WRITTEN = (
    "The register does not have this: study.json was changed by hand, or by an earlier version."
)


@dataclass(frozen=True)
class Standing:
    """How a claim stands to its data.

    Attributes
    ----------
    what, id : "claim", "family" or "curve", and which.
    status : "before" (it was fixed before the data), "changed" or "made" after them, "removed"
        after them, or "unknown" where no register tells.
    fingerprint : of the claim that is judged.
    entered : when it was first written down as it is judged (ISO 8601); None where it never was.
    since : when the claim that stood before the data was first written down, the same way.
    seen : by condition, how many cells were on record when it was written down as it is judged.
    first_cell : when the first of its cells finished; None where no record tells.
    was : the claim that stood before the data, where it was changed or removed; None where it was
        not, or this program cannot read it.
    changes : what differs: "margin was 1.0, is 16.0".
    versions : how many versions of it were written down after the data.
    why : what else a reader must know, as a sentence; empty in most cases.
    """

    what: str
    id: str
    status: str
    fingerprint: str
    entered: str | None
    since: str | None
    seen: Mapping[str, int]
    first_cell: str | None
    was: Said | None
    changes: tuple[str, ...]
    versions: int
    why: str


def standings(
    study: Study, entries: Sequence[Entry], records: Sequence[Record], *, lost: bool = False
) -> list[Standing]:
    """Return how each claim, family and curve stands, in the study's order; then those removed.

    Parameters
    ----------
    entries : the directory's register.
    records : of the study's conditions, under their names.
    lost : whether there was a register once that is gone.
    """
    found, now, firsts = [], claims_of(study), _first_cells(records)
    by_place: dict[Place, list[Entry]] = {place: [] for place in now}
    for entry in entries:
        by_place.setdefault(entry.place, []).append(entry)
    for place, own in by_place.items():
        one = now.get(place)
        if one is not None:
            found.append(_standing(place, one, study, own, firsts, lost))
            if entries and not own:
                found[-1] = replace(found[-1], status="made", why=NOT_WRITTEN)
        else:
            found += _removed(place, own, study, records)
    return found


def _standing(
    place: Place,
    one: Said,
    study: Study,
    entries: Sequence[Entry],
    firsts: Mapping[str, str],
    lost: bool,
) -> Standing:
    mark = fingerprint(said_of(one))
    same = [entry for entry in entries if entry.fingerprint_now == mark]
    stood = _stood(entries)
    other = next((entry for entry in stood if entry.fingerprint_now != mark), None)
    names = conditions_of(one, study)
    first_cell = min((firsts[name] for name in names if name in firsts), default=None, key=_time)
    entered = min((entry.entered for entry in same), default=None, key=_time)
    why = ""
    if other is not None:
        status, why = "changed", "" if same else NOT_WRITTEN
        if other.how != ENTERED:
            why = f"{why} {FOUND_LATE if other.how == FOUND else GONE}".strip()
    elif stood and all(entry.how == ENTERED for entry in stood):
        status = "before"
        if entered is not None and first_cell is not None and _much_before(first_cell, entered):
            status = "made"
            why = (
                f"The register says that no cell was on record then, but the record of one "
                f"finished earlier, {first_cell}."
            )
    elif stood or not entries:
        status = "unknown"
        if lost or any(entry.how == LOST for entry in stood):
            why = GONE
    else:
        status = "made"
    late = [entry for entry in entries if entry not in stood and sum(entry.cells.values()) > 0]
    seen = same[0].cells if same and status in ("made", "changed") else {}
    was = None if other is None else other.version
    return Standing(
        *place,
        status=status,
        fingerprint=mark,
        entered=entered,
        since=None if not stood else min((entry.entered for entry in stood), key=_time),
        seen=dict(seen),
        first_cell=first_cell,
        was=was,
        changes=() if other is None else tuple(_changes(other, said_of(one))),
        versions=len({entry.fingerprint_now for entry in late if entry.said is not None}),
        why=why,
    )


def _removed(
    place: Place, entries: Sequence[Entry], study: Study, records: Sequence[Record]
) -> list[Standing]:
    """Return that a claim is gone, where it stood before its data and went after them."""
    stood = _stood(entries)
    if not stood:
        return []
    last, was = entries[-1], stood[0].version
    seen: Mapping[str, int] = last.cells
    if last.said is not None:
        names = () if was is None else conditions_of(was, study)
        seen = Counter(r["condition"] for r in records if r["condition"] in names)
    if not sum(seen.values()):
        return []
    return [
        Standing(
            *place,
            status="removed",
            fingerprint=str(stood[0].fingerprint),
            entered=last.entered if last.said is None else None,
            since=stood[0].entered,
            seen=dict(seen),
            first_cell=None,
            was=was,
            changes=(),
            versions=0,
            why="" if last.said is None else NOT_WRITTEN,
        )
    ]


def _stood(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entry of each register that stood when the first cell was recorded there.

    An entry that was found with cells already, in a directory from a time without register, stands
    as the first that is known. None stood where one register made the claim after its data, or had
    taken it out.
    """
    by_register: dict[str | None, list[Entry]] = {}
    for entry in entries:
        by_register.setdefault(entry.origin, []).append(entry)
    stood = []
    for origin, own in by_register.items():
        before = list(takewhile(_before_data, own))
        if before and before[-1].said is not None:
            stood.append(before[-1])
        elif before or origin is not None or len(by_register) == 1:
            return []
        # else the directory goes on with what others began
    return stood


def _before_data(entry: Entry) -> bool:
    return not sum(entry.cells.values()) or entry.how != ENTERED


def _changes(was: Entry, said: Mapping[str, object]) -> Iterable[str]:
    old = was.said or {}
    for name in sorted(old.keys() | said.keys()):
        if old.get(name) != said.get(name) and name not in ("text", "source"):
            yield f"{name} was {_shown(old.get(name))}, is {_shown(said.get(name))}"


def _shown(value: object) -> str:
    if value is None:
        return "not said"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {level}" for name, level in value.items())
    return str(value)


def _first_cells(records: Sequence[Record]) -> dict[str, str]:
    """Return by condition when the first of its cells finished, where a record tells."""
    never = datetime.max.replace(tzinfo=UTC)
    first: dict[str, tuple[datetime, str]] = {}
    for record in records:
        text = str(record["timings"].get("finished", ""))
        time = _time(text)
        if time < first.get(record["condition"], (never, ""))[0]:
            first[record["condition"]] = time, text
    return {name: text for name, (_, text) in first.items()}


def _much_before(cell: str, entry: str) -> bool:
    return (_time(entry) - _time(cell)).total_seconds() > CLOCKS_APART_S


def _time(text: str) -> datetime:
    """Return a time as records and registers say it; the latest one where it is none."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
