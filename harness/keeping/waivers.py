"""Waivers: alarms that somebody has excused until a date.

[[waivers]]
condition = "dhp+mas"
metric = "final_accuracy"      # "*" for all, "bits" for results that are not the same bits
reason = "#123: the new optimiser; strength to be searched again"
owner = "a.name"
until = 2026-12-31
"""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from harness.errors import InputError
from harness.studies.study_files import read_text


class Waiver(BaseModel):
    """One excused alarm; it counts up to and including the day ``until``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    condition: str = Field(min_length=1)
    metric: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    until: date

    @field_validator("until", mode="before")
    @classmethod
    def _is_a_date(cls, value: object) -> object:
        if isinstance(value, datetime) or not isinstance(value, date):
            raise ValueError("write a date as 2026-12-31, without quotes")
        return value

    def covers(self, condition: str, metric: str) -> bool:
        """Tell whether this waiver is about a condition's metric."""
        return self.condition == condition and self.metric in (metric, "*")


def read_waivers(path: Path) -> tuple[Waiver, ...]:
    """Return the waivers of a file; none where there is no file.

    Raises
    ------
    InputError
        Naming the file, the entry and the key.
    """
    if not path.is_file():
        return ()
    try:
        content = tomllib.loads(read_text(path))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as TOML: {error}") from None
    unknown = sorted(content.keys() - {"waivers"})
    tables = content.get("waivers", [])
    if unknown or not isinstance(tables, list):
        raise InputError(f"{path}: {unknown[0] if unknown else 'waivers'}: only [[waivers]] tables")
    waivers = []
    for number, table in enumerate(tables, start=1):
        try:
            waivers.append(Waiver.model_validate(table))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise InputError(f"{path}: waiver {number}: {key}: {first['msg']}") from None
    return tuple(waivers)
