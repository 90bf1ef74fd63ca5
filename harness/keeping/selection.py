"""Select the records of a directory that belong to the conditions of the current study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError
from harness.keeping.records import Record, Trained
from harness.studies.known_data import NO_DATA, is_genuine
from harness.studies.stated import AnyCondition
from harness.studies.study import Study

MOST_NAMED = 5
"""Number of conditions that an error names; it counts the others."""


@dataclass(frozen=True)
class Selection:
    """The records of a study's conditions.

    Attributes
    ----------
    records : each under the name that the current study gives its program.
    hidden : number of records of no condition of the study, by the name of their condition and
        the reason why the study does not have it ("learning_rate was 0.1, is 0.01"; "removed").
    """

    records: list[Record]
    hidden: Mapping[tuple[str, str], int]

    @property
    def superseded(self) -> int:
        """Number of records of conditions that were changed or removed after they were trained."""
        return sum(self.hidden.values())


def select(records: Sequence[Record], study: Study) -> Selection:
    """Match records to the conditions of a study by their programs, not by name.

    Raises
    ------
    InputError
        Where the records were made from different versions of the data.
    """
    read = {record["provenance"]["data"] for record in records}
    checksums = sorted(read - {NO_DATA})
    if len(checksums) > 1:
        raise InputError(
            f"the records were made from {len(checksums)} different versions of the data set "
            f"(checksums {', '.join(c[:12] for c in checksums)}); keep each in a directory of "
            "its own"
        )
    by_program: dict[str, list[Record]] = {}
    for record in records:
        by_program.setdefault(record["program"], []).append(record)
    selected: list[Record] = []
    hidden: Counter[tuple[str, str]] = Counter()
    programs: set[str] = set()
    genuine = {data: data == NO_DATA or is_genuine(study.benchmark, data) for data in read}
    for name, condition in study.conditions.items():
        # Who reads no data is the same program whatever the data.
        for program in dict.fromkeys(map(condition.program, sorted(read))):
            programs.add(program)
            for record in by_program.get(program, ()):
                other_data = not genuine[record["provenance"]["data"]]
                selected.append(_under(name, record, other_data=other_data))
    reasons: dict[tuple[str, str], str] = {}  # by program and name: all their cells share one
    for record in records:
        program, name = record["program"], record["condition"]
        if program not in programs:
            if (program, name) not in reasons:
                reasons[program, name] = _reason(record, study.conditions)
            hidden[name, reasons[program, name]] += 1
    return Selection(selected, hidden)


def _under(name: str, record: Record, *, other_data: bool) -> Record:
    """Return a record under the name of a condition; the record itself where nothing changes."""
    if record["condition"] == name and not other_data:
        return record
    renamed = record | {"condition": name}
    if other_data:  # records of earlier versions do not say so
        renamed["provenance"] = record["provenance"] | {"data_genuine": False}
    return renamed


def refuse_to_hide(
    records: Sequence[Trained], before: Study | None, study: Study, data_checksum: str, root: Path
) -> None:
    """Refuse a study if reports would no longer show records of a directory under it.

    Records of a condition that the study no longer has are allowed: reports name them.

    Parameters
    ----------
    records : one for each settings and name are enough; the first of several is named.
    before : the study that the directory ``root`` belongs to so far; None if it is unknown.
        Records that are hidden under ``before`` already are allowed.

    Raises
    ------
    InputError
        Where records were made from other data, or a condition has other settings now than its
        records; names both, and the remedy.
    """
    remedy = f"choose another --out, or move {root} away"
    for record in records:
        if record["provenance"]["data"] not in (data_checksum, NO_DATA):
            raise InputError(
                f"{root} holds records made from other data (checksum "
                f"{record['provenance']['data'][:16]}, now {data_checksum[:16]}); {remedy}"
            )
    hidden = {record["program"] for record in records} - _programs(study, data_checksum)
    if before is not None:
        hidden &= _programs(before, data_checksum)
    changed: dict[str, str] = {}
    for record in records:
        if record["program"] in hidden:
            changes = list(_changes(record, study.conditions))
            if changes:
                changed.setdefault(record["condition"], ", ".join(changes))
    if changed:
        named = [f"{name} ({changed[name]})" for name in study.conditions if name in changed]
        if len(named) > MOST_NAMED:
            named[MOST_NAMED:] = [f"and {len(named) - MOST_NAMED} more"]
        raise InputError(
            f"{root} holds records of conditions of '{study.name}' that were trained with other "
            f"settings: {', '.join(named)}. They would no longer be shown: give the study or these "
            f"conditions another name, {remedy}"
        )


def _programs(study: Study, data_checksum: str) -> set[str]:
    conditions = study.conditions.values()
    return {c.program(checksum) for c in conditions for checksum in (data_checksum, NO_DATA)}


def _reason(record: Trained, conditions: Mapping[str, AnyCondition]) -> str:
    """Return the reason why no condition of a study has the program of a record."""
    if record["condition"] not in conditions:
        return "removed"
    changes = ", ".join(_changes(record, conditions))
    return changes or "trained by an earlier revision of the arithmetic"


def _changes(record: Trained, conditions: Mapping[str, AnyCondition]) -> Iterator[str]:
    """Yield the settings that differ between a record and the current condition of its name."""
    condition = conditions.get(record["condition"])
    if condition is None:
        return
    for part, current in condition.settings().items():
        recorded = record["protocol"] if part == "protocol" else record["method"]
        for field in sorted(current.keys() | recorded.keys()):
            if current.get(field) != recorded.get(field):
                old, new = (settings.get(field, "not set") for settings in (recorded, current))
                yield f"{field} was {old}, is {new}"
