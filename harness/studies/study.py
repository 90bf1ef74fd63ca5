"""Studies: frozen and validated descriptions of what is run.

A study file is TOML: a protocol (how everything is trained), conditions (what is compared),
seeds, the published values and the claims that are judged. A study writes its conditions out, or
defines them as the crossings of factors, or both. Errors name unknown keys and impossible
values. What may be left out of the file is filled in here; ``stated`` has the fields,
``consistency`` what they must not contradict.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, Self

from pydantic import ValidationError, ValidationInfo, field_validator, model_validator

from harness.errors import InputError
from harness.studies.chosen import folder_of
from harness.studies.condition import Protocol, digest, is_function
from harness.studies.consistency import check, refuse_seeds_of_search
from harness.studies.factors import crossings
from harness.studies.measured import (
    Measure,
    imported,
    is_imported,
    is_of_import,
    measures_values,
)
from harness.studies.published_values import with_published_values
from harness.studies.search import Search
from harness.studies.seeds import parse_seeds
from harness.studies.shorthand import about_values, with_ids
from harness.studies.stated import Stated
from harness.studies.strengths import given, included
from harness.studies.trained import OF_TASKS

ARRANGEMENT = {"pairs", "comparisons", "causes", "citation", "texts"} | {
    "search", "searched", "strengths"
}  # fmt: skip
"""Fields that decide how a report shows results, or where settings come from, and nothing of the
results or verdicts: what was chosen stands in the conditions."""


class Study(Stated):
    """A study as it is run: read from a file, found consistent, whole or a part of itself."""

    @model_validator(mode="before")
    @classmethod
    def _complete_what_may_be_left_out(cls, raw: Any, study: ValidationInfo) -> Any:
        """Give claims their ids, and a study of results from elsewhere its conditions."""
        if not isinstance(raw, dict):
            return raw
        raw = dict(with_published_values(raw))
        if (study.context or {}).get("tuning"):
            raw = _to_be_searched(raw)
        elif isinstance(raw.get("strengths"), str) and (folder := folder_of(study)) is not None:
            raw = included(raw, folder)
        if isinstance(raw.get("claims"), list):
            raw["claims"] = with_ids(raw["claims"])
        tables = raw.get("conditions")
        seeds = (study.context or {}).get("imported")
        if is_imported(raw, asked=seeds is not None):
            tables = {
                name: imported(name, table) if isinstance(table, dict) else table
                for name, table in raw["conditions"].items()
            }
            raw["conditions"] = tables
            if seeds is None and "seeds" not in raw:
                raise ValueError(_nothing_trains(next(iter(tables)), raw.get("name")))
        if seeds:
            raw.setdefault("seeds", list(seeds))
        imports = isinstance(tables, dict) and tables and all(map(is_of_import, tables.values()))
        if imports or is_function(raw):
            raw.setdefault("protocol", None)
        if measures_values(raw):
            raw["claims"] = cls._about_values(raw)
        return raw

    @classmethod
    def _about_values(cls, raw: dict[str, Any]) -> Any:
        """Return the claims of a study whose cells hold named numbers."""
        claims = raw.get("claims", [])
        try:
            measure = Measure.model_validate(raw.get("measure") or {})
        except ValidationError:
            return claims  # the measure's own check names the fault
        if not isinstance(claims, list):
            return claims
        return [about_values(claim, measure) for claim in claims]

    @field_validator("conditions", mode="before")
    @classmethod
    def _resolve(cls, tables: Any, study: ValidationInfo) -> Any:
        """Cross the factors, and turn each condition's table into a Condition."""
        if not isinstance(tables, dict) or not {"protocol", "factors"} <= study.data.keys():
            return tables
        shared: Protocol = study.data["protocol"] or Protocol()
        train, command = study.data.get("train"), study.data.get("command")
        if train is not None and command is not None:
            raise ValueError("the study gives both train and command; give one")
        trained_by = {"train": train} if train is not None else {"command": command}
        resolved: dict[str, Any] = {}
        for name, levels, table in crossings(study.data["factors"]):
            if name not in tables:  # study.json holds the crossings as resolved conditions
                resolved[name] = _condition(name, table, shared, trained_by)
                resolved[name]["levels"] = levels
        for name, table in tables.items():
            if isinstance(table, dict) and not isinstance(table.get("method"), dict):
                table = _condition(name, table, shared, trained_by)
            resolved[name] = table
        if folder_of(study) is not None:  # in results, everything is set
            _refuse_for_functions(shared, resolved.values())
        return resolved

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check(self)
        return self

    def check_trainable(self) -> None:
        """Raise InputError where its results come from a table, so that nothing trains them."""
        if self.imported:
            raise InputError(_nothing_trains(self.imported[0], self.name))

    def check_accuracies(self, what: str) -> None:
        """Raise InputError where something else is measured; ``what`` compares accuracies."""
        if not self.measured.is_accuracy:
            raise InputError(
                f"{what} compares accuracies, and study '{self.name}' measures "
                f"{self.measured.name} in '{self.measured.unit}'"
            )

    def fingerprint(self) -> str:
        """Return a hash of the whole study, margins of the claims included.

        The hash leaves out fields that the study does not set and that have no default, so that a
        new optional field changes no fingerprint, what only arranges a report, and what a gate
        requires of verdicts.
        """
        left_out: dict[str, Any] = dict.fromkeys(ARRANGEMENT, True)
        left_out["claims"] = {"__all__": {"require"}}
        return digest(self.model_dump(mode="json", exclude_none=True, exclude=left_out))

    def choose(self, conditions: Sequence[str] | None, seeds: str | None) -> Study:
        """Return the study with some of its conditions only, or with other seeds.

        Raises
        ------
        InputError
            Where a condition is unknown or the seeds cannot be read.
        """
        changes: dict[str, Any] = {}
        if seeds is not None:
            try:
                changes["seeds"] = chosen = parse_seeds(seeds)
                assert isinstance(chosen, tuple)
                refuse_seeds_of_search(self, chosen, "these seeds")
            except ValueError as error:
                raise InputError(f"--seeds: {error}") from None
        if conditions is not None:
            unknown = [name for name in conditions if name not in self.conditions]
            if unknown or not conditions:
                near = difflib.get_close_matches(unknown[0], self.conditions, 1) if unknown else []
                meant = f" (did you mean '{near[0]}'?)" if near else ""
                raise InputError(
                    f"--conditions: study '{self.name}' has no condition "
                    f"'{', '.join(unknown)}'{meant}; it has {', '.join(self.conditions)}"
                )
            changes["conditions"] = {
                name: self.conditions[name] for name in self.conditions if name in conditions
            }
        return self.model_copy(update=changes)


def _to_be_searched(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a parsed study whose searched fields have values, none of which is a choice."""
    raw = {name: part for name, part in raw.items() if name != "strengths"}
    try:
        spaces = Search.model_validate(raw["search"]).spaces
        tables = dict(raw["conditions"])
    except (KeyError, ValueError, TypeError):
        return raw  # the checks of these parts name the fault
    for name, space in spaces.items():
        if isinstance(tables.get(name), dict):
            tables[name] = given(tables[name], space.grid()[0])
    return raw | {"conditions": tables}


def _nothing_trains(condition: object, study: object) -> str:
    return (
        f"nothing can train '{condition}': study '{study}' says of its conditions only their "
        "names, so that their results come from a table: "
        f"python run_all.py import TABLE --study FILE --out results/{study}"
    )


def _refuse_for_functions(shared: Protocol, tables: Iterable[Any]) -> None:
    """Raise ValueError where a protocol says how to train and functions of the user's own do."""
    methods = [table.get("method") for table in tables if isinstance(table, dict)]
    set_here = shared.model_fields_set & {*Protocol.model_fields} - {*OF_TASKS, "own"}
    said = sorted(name for name in set_here if not name.endswith("_source"))
    if said and methods and all(map(is_function, methods)):
        raise ValueError(
            f"protocol.{said[0]} has no effect: functions of your own train all conditions; they "
            f"take {', '.join(OF_TASKS)}"
        )


def _condition(
    name: str, table: dict[str, Any], shared: Protocol, trained_by: dict[str, str | None]
) -> dict[str, Any]:
    """Return the fields of a Condition, given the table that a study writes for it.

    The table holds fields of the method and, in a table ``protocol``, fields that replace those of
    the ``shared`` protocol. A ``protocol`` that is not a table is kept, so that validation refuses
    it. ``trained_by`` is the function or program of the study.
    """
    method = dict(table)
    protocol = method.pop("protocol", {})
    if not is_function(method) and is_function(trained_by):
        method |= trained_by
    if is_function(method):
        said = {key: shared.get(key) for key in OF_TASKS if key in shared.model_fields_set}
        said |= shared.of_benchmark() if shared.own else {}
        protocol = {**said, **protocol} if isinstance(protocol, dict) else protocol
    elif isinstance(protocol, dict):
        protocol = shared.under(protocol) | protocol
    return {"name": name, "method": method, "protocol": protocol}
