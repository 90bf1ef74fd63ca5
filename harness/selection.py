"""Which of the records in a directory answer for the study as it stands now."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import InputError
from harness.store import Record
from harness.study import Study


@dataclass(frozen=True)
class Selection:
    """The records of a study's conditions.

    Attributes
    ----------
    records : each under the name that the study gives its program today.
    superseded : number of records of conditions that have since been changed or removed.
    """

    records: list[Record]
    superseded: int


def select(records: list[Record], study: Study) -> Selection:
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
        for name, condition in study.conditions.items():
            program = condition.program(checksums[0])
            for record in records:
                if record["program"] == program:
                    chosen.append(record | {"condition": name})
                    used.add(record["key"])
    return Selection(chosen, len(records) - len(used))
