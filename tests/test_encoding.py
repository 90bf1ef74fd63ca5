"""Findings as JSON: what JSON does not have is null, spelt, or refused."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.numbers.intervals import Interval
from reports.numbers.verdict import Verdict
from reports.output.encoding import as_json

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(PLAIN, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=20)


@dataclass(frozen=True)
class Finding:
    gain: float
    ci95: Interval
    verdicts: dict[Verdict, int]
    inner: Finding | None = None


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, b"bytes", 1j, np.arange(3), np.int64(1), Finding],
    ids=lambda value: type(value).__name__,
)
def test_a_value_of_a_kind_that_no_finding_holds_is_refused_by_name(value: object) -> None:
    for holder in (value, [value], {"in": (value,)}):
        with pytest.raises(TypeError, match=f"^{type(value).__name__} has no place in a report"):
            as_json(holder)


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_number_that_json_does_not_have_is_null(number: float) -> None:
    assert as_json(number) is None
    assert as_json(Interval(-math.inf, 2.5)) == [None, 2.5]
    assert as_json(Interval(2.5, math.inf)) == [2.5, None]
    assert as_json({"deep": [(1.0, number)]}) == {"deep": [[1.0, None]]}


@pytest.mark.parametrize(
    ("key", "spelt"),
    [
        (Verdict.NOT_REPRODUCED, "NOT REPRODUCED"),
        (("plasticity", "bias"), "plasticity+bias"),
        ((), ""),
        (0.5, "0.5"),
        (7, "7"),
        ("a b", "a b"),
    ],
)
def test_a_key_is_text_whatever_it_was(key: object, spelt: str) -> None:
    found = as_json({key: 1})
    assert found == {spelt: 1}
    assert [type(name) for name in found] == [str]


def test_a_finding_becomes_its_fields_and_a_member_its_value() -> None:
    inner = Finding(-math.inf, Interval(0.0, 1.0), {Verdict.PARTIAL: 0})
    found = as_json(Finding(4.5, Interval(4.0, math.inf), {Verdict.LARGER: 3}, inner))
    assert found == {
        "gain": 4.5,
        "ci95": [4.0, None],
        "verdicts": {"LARGER": 3},
        "inner": {"gain": None, "ci95": [0.0, 1.0], "verdicts": {"PARTIAL": 0}, "inner": None},
    }
    member = as_json(Verdict.LARGER)
    assert (member, type(member)) == ("LARGER", str)


@settings(derandomize=True, deadline=None)
@given(VALUES)
def test_what_is_json_already_stays_as_it_is_but_for_what_is_infinite(value: Any) -> None:
    text = json.dumps(as_json(value), allow_nan=False)
    assert json.loads(text, parse_constant=pytest.fail) == without_infinities(value)


def without_infinities(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_infinities(item) for name, item in value.items()}
    if isinstance(value, list):
        return [without_infinities(item) for item in value]
    return None if isinstance(value, float) and math.isinf(value) else value
