"""Findings as strict JSON: one encoder, so that only the dataclass names a field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from reports.findings.origins import CodeState, Origin
from reports.findings.variance import VarianceComponents
from reports.numbers.intervals import Interval


def as_json(value: Any) -> Any:
    """Return a value as what JSON has: objects, lists, text, numbers and null.

    A dataclass becomes an object with its fields as keys, an interval ``[low, high]``, a tuple a
    list, a member of an enumeration its value. The names in a key of several names are joined with
    "+". JSON has no infinity, so an infinite number becomes null.

    Raises
    ------
    TypeError
        Where a value has a type that no finding holds.
    """
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Enum():
            return value.value
        case str():
            return value
        case Interval():
            return [as_json(value.low), as_json(value.high)]
        case Origin():
            return _fields(value) | {"conditions": dict(value.conditions)}
        case CodeState():
            return _fields(value) | {"seeds": as_json(dict(value.seeds)), "cells": value.cells}
        case VarianceComponents():
            return _fields(value, leave="seeds_ci95") | {
                "seeds": {
                    _key(half): {"number": number, "range": as_json(value.seeds_ci95[half])}
                    for half, number in value.seeds.items()
                }
            }
        case Mapping():
            return {_key(name): as_json(item) for name, item in value.items()}
        case list() | tuple():
            return [as_json(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    raise TypeError(f"{type(value).__name__} has no place in a report: {value!r}")


def _fields(value: Any, leave: str = "") -> dict[str, Any]:
    return {
        field.name: as_json(getattr(value, field.name))
        for field in fields(value)
        if field.name != leave
    }


def _key(name: Any) -> str:
    match name:
        case Enum():
            return str(name.value)
        case tuple():
            return "+".join(name)
        case float():
            return f"{name:g}"
    return str(name)
