"""What is measured on each seed, and conditions whose results exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from harness.studies.chosen import Frozen
from harness.studies.claims import Id
from harness.studies.condition import NUMERICS_REVISION, ConditionName, digest
from harness.studies.known_data import NO_DATA as NO_DATA  # conditions without data have it

IMPORTED = "imported"
"""The key of an imported condition's settings that holds its name."""
POINTS = "points"

Value = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*([.:/ -]\w+)*$", max_length=100)]
"""The name of a number that a cell measures."""


class Measure(Frozen):
    """The number that is measured on each seed.

    Attributes
    ----------
    name : of the number among a record's ``values``.
    unit : "points" for an accuracy, a fraction in [0, 1] that is shown in %, its differences in
        percentage points; any other text is a unit of its own, and its numbers are shown as they
        are.
    higher_is_better : whether a gain is treatment minus baseline, or the other way round.
    """

    name: Value = "accuracy"
    unit: Id = POINTS
    higher_is_better: Annotated[bool, Field(strict=True)] = True

    @property
    def is_accuracy(self) -> bool:
        """Whether it is an accuracy."""
        return self.unit == POINTS


class ImportedCondition(Frozen):
    """A named condition whose results exist already: nothing here trains it.

    Attributes
    ----------
    method : its name, under ``IMPORTED``, and what else the study says of it.
    levels : as of ``harness.studies.condition.Condition``.
    """

    name: ConditionName
    method: Annotated[dict[str, Any], Field(min_length=1)]
    levels: dict[str, str] = Field(default_factory=dict)

    def __hash__(self) -> int:  # a dict has no hash
        return hash((self.name, digest(self.method)))

    def settings(self) -> dict[str, Any]:
        """Return everything about the condition that can change its numbers, JSON-ready."""
        return {"protocol": {}, "method": dict(self.method)}

    def program(self, data_checksum: str = NO_DATA) -> str:
        """Return the hash of settings and data; the condition's name has no part in it."""
        return digest([NUMERICS_REVISION, data_checksum, self.settings()])


def is_of_import(condition: Any) -> bool:
    """Tell whether a condition, or the resolved table of one, is imported."""
    if isinstance(condition, Mapping):
        return "method" in condition and "protocol" not in condition
    return isinstance(condition, ImportedCondition)


def measures_values(raw: Mapping[str, Any]) -> bool:
    """Tell whether the cells of a parsed study hold named numbers, not our accuracies alone."""
    tables = raw.get("conditions")
    parts = (
        [t for t in tables.values() if isinstance(t, Mapping)]
        if isinstance(tables, Mapping)
        else []
    )
    places = [raw, *parts, *(p["method"] for p in parts if isinstance(p.get("method"), Mapping))]
    keys = ("measure", "train", "command", IMPORTED)
    return any(place.get(key) is not None for place in places for key in keys)


def imported(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a condition whose results are imported, given what a study says of it.

    What else the study says of it is kept, as words about the condition.
    """
    return {"name": name, "method": {IMPORTED: name, **table}}


def is_imported(raw: Mapping[str, Any], *, asked: bool) -> bool:
    """Tell whether a parsed study file is about results that exist already.

    Parameters
    ----------
    asked : whether it is read in order to import.
    """
    tables = raw.get("conditions")
    if not isinstance(tables, Mapping) or not tables:
        return False
    if any(key in raw for key in ("train", "command", "protocol", "factors")):
        return False
    parts = [table for table in tables.values() if isinstance(table, Mapping)]
    if any(key in part for part in parts for key in ("method", "train", "command", "protocol")):
        return False
    return asked or "measure" in raw or (len(parts) > 1 and not any(parts))
