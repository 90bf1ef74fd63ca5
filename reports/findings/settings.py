"""What the conditions of a study have in common, and in what each differs from another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.numbers.study import Study

HASHES = "_source"
"""The end of a field that holds the hash of a user's own file."""
LABELS = frozenset({"imported"})
"""Fields that repeat the name of a condition."""


def settings_of(condition: Any) -> dict[str, Any]:
    """Return all settings of a condition in one mapping, but hashes and labels."""
    told: dict[str, Any] = {}
    for name, part in condition.settings().items():
        told |= part if isinstance(part, Mapping) else {name: part}
    return {
        name: value
        for name, value in told.items()
        if not name.endswith(HASHES) and name not in LABELS
    }


def shared(study: Study) -> dict[str, Any]:
    """Return the settings that all conditions have alike."""
    first, *others = (settings_of(condition) for condition in study.conditions.values())
    return {
        name: value
        for name, value in first.items()
        if all(name in other and other[name] == value for other in others)
    }


def differing(a: Any, b: Any) -> list[str]:
    """Return the choices that two conditions both have and in which they differ.

    A choice can arise in one alone: a rate has no start where nothing is learned with it.
    """
    of_a, of_b = settings_of(a), settings_of(b)
    return [name for name, value in of_a.items() if name in of_b and value != of_b[name]]


def differences(condition: Any, baseline: Any) -> dict[str, Any]:
    """Return the settings of a condition that the baseline has not, or has otherwise."""
    of_baseline = settings_of(baseline)
    return {
        name: value
        for name, value in settings_of(condition).items()
        if name not in of_baseline or of_baseline[name] != value
    }


def differ_by_claim(study: Study) -> dict[str, tuple[str, ...]]:
    """Return by claim in what its two conditions differ, for the claims that compare two."""
    found: dict[str, tuple[str, ...]] = {}
    for claim in study.claims:
        names: Sequence[str | None] = [
            getattr(claim, role, None) for role in ("treatment", "baseline")
        ]
        pair = [study.conditions[name] for name in names if name in study.conditions]
        if len(pair) == 2:
            found[claim.id] = tuple(differing(*pair))
    return found
