"""Which of the records in a directory answer for the study as it stands now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError
from harness.keeping.records import Record
from harness.studies.condition import Condition
from harness.studies.known_data import is_genuine
from harness.studies.study import Study

MOST_NAMED = 5
"""Conditions that an error names; of more it says how many."""


@dataclass(frozen=True)
class Selection:
    """The records of a study's conditions.

    Attributes
    ----------
    records : each under the name that the study gives its program today.
    hidden : the records of no condition of the study: their number, by the condition's name and
        by why the study does not have it ("learning_rate was 0.1, is 0.01"; "removed").
    """

    records: list[Record]
    hidden: Mapping[tuple[str, str], int]

    @property
    def superseded(self) -> int:
        """Number of records of conditions that have since been changed or removed."""
        return sum(self.hidden.values())


def select(records: Sequence[Record], study: Study) -> Selection:
    """Match records to the conditions of a study by what was run, not by name.

    Raises
    ------
    InputError
        Where the records were made from different versions of the data.
    """
    checksums = sorted({record["provenance"]["data"] for record in records})
    if len(checksums) > 1:
        raise InputError(
            f"the records were made from {len(checksums)} different versions of the data set "
            f"(checksums {', '.join(c[:12] for c in checksums)}); keep each in a directory of "
            "its own"
        )
    chosen: list[Record] = []
    used: set[str] = set()
    if checksums:
        other = not is_genuine(study.benchmark, checksums[0])
        for name, condition in study.conditions.items():
            program = condition.program(checksums[0])
            for record in records:
                if record["program"] == program:
                    named = record | {"condition": name}
                    if other:  # earlier versions did not note it
                        named["provenance"] = record["provenance"] | {"data_genuine": False}
                    chosen.append(named)
                    used.add(record["key"])
    hidden = Counter(
        (record["condition"], _reason(record, study.conditions))
        for record in records
        if record["key"] not in used
    )
    return Selection(chosen, hidden)


def refuse_to_hide(
    records: Sequence[Record], before: Study | None, study: Study, data_checksum: str, root: Path
) -> None:
    """Refuse a study under which records of a directory would no longer be shown.

    Records of a condition that the study no longer has are no reason: reports name them.

    Parameters
    ----------
    before : the study that the directory ``root`` belongs to so far; None where it cannot be told.
        What that one does not show can be hidden no more.

    Raises
    ------
    InputError
        Where records were made from other data, or a condition's name stands for other settings
        than those it was trained with; names both, and what to do.
    """
    remedy = f"choose another --out, or move {root} away"
    for record in records:
        if record["provenance"]["data"] != data_checksum:
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
        told = [f"{name} ({changed[name]})" for name in study.conditions if name in changed]
        if len(told) > MOST_NAMED:
            told[MOST_NAMED:] = [f"and {len(told) - MOST_NAMED} more"]
        raise InputError(
            f"{root} holds records of conditions of '{study.name}' that were trained with other "
            f"settings: {', '.join(told)}. They would no longer be shown: give the study or these "
            f"conditions another name, {remedy}"
        )


def _programs(study: Study, data_checksum: str) -> set[str]:
    return {condition.program(data_checksum) for condition in study.conditions.values()}


def _reason(record: Record, conditions: Mapping[str, Condition]) -> str:
    """Say why no condition of a study has a record's program."""
    if record["condition"] not in conditions:
        return "removed"
    changes = ", ".join(_changes(record, conditions))
    return changes or "trained by an earlier revision of the arithmetic"


def _changes(record: Record, conditions: Mapping[str, Condition]) -> Iterator[str]:
    """Say which settings the condition of a record's name has now that it had not then."""
    condition = conditions.get(record["condition"])
    if condition is None:
        return
    for part, now in condition.settings().items():
        then = record["protocol"] if part == "protocol" else record["method"]
        for field in sorted(now.keys() | then.keys()):
            if now.get(field) != then.get(field):
                was, is_ = (side.get(field, "not set") for side in (then, now))
                yield f"{field} was {was}, is {is_}"
