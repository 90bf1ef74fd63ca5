"""What is read of a class without running it is what the class is."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.studies.chosen import Chosen
from harness.studies.classes import find
from harness.studies.condition import Condition, Method, Protocol
from harness.studies.declared import Declared, declared, fields_of
from methods import ablations, consolidation, optimisers, path_integral, softmax

KINDS = ("head", "consolidation", "optimiser")
MODULES = (softmax, ablations, consolidation, path_integral, optimisers)
ALL = [of for kind in KINDS for of in declared(kind).values()]


@pytest.mark.parametrize("of", ALL, ids=lambda of: f"{of.kind}-{of.name}")
def test_the_class_declares_what_was_read(of: Declared) -> None:
    real = find(of.kind, of.name)
    assert real is getattr(importlib.import_module(of.module), of.class_name)
    assert (real.kind, vars(real)["name"]) == (of.kind, of.name)
    names = {k: v for part in real.Settings.__mro__ for k, v in _module_of(part).items()}
    assert fields_of(real.Settings, names) == of.fields


def _module_of(part: type) -> dict[str, Any]:
    return vars(sys.modules[part.__module__])


def test_every_class_with_a_name_was_read() -> None:
    found = {
        value
        for module in MODULES
        for value in vars(module).values()
        if isinstance(value, type) and "name" in vars(value) and hasattr(value, "kind")
    }
    assert found == {find(of.kind, of.name) for of in ALL}
    assert len(found) == len(ALL) == 20


@given(st.sampled_from(ALL), st.sampled_from(ALL))
def test_a_field_is_known_exactly_with_the_classes_that_declare_it(
    chosen: Declared, other: Declared
) -> None:
    """Whichever class: a number for each of its own fields, one more of another class's."""
    if chosen.kind == "head" or chosen.kind != other.kind:
        return
    model: type[Chosen] = Protocol if chosen.kind == "optimiser" else Method
    own = {field.name: 0.5 for field in chosen.fields if field.lane}
    settings = model(**{chosen.kind: chosen.name}, **own)
    lanes = {field.name for field in chosen.fields if field.lane}
    assert all(settings.get(name) == 0.5 for name in own)
    assert lanes <= settings.lane_fields()
    superfluous = [f.name for f in other.fields if f.name not in {g.name for g in chosen.fields}]
    for name in superfluous:
        with pytest.raises(ValueError, match=f"{name} has no effect with"):
            model(**{chosen.kind: chosen.name, name: 0.5}, **own)


def test_stacks_share_everything_that_lanes_may_not_differ_in() -> None:
    def structure(**own: Any) -> str:
        method = Method(consolidation="ewc", strength=own.pop("strength", 1.0), **own)
        return Condition(name="a", method=method, protocol=Protocol()).structure()

    assert structure() == structure(strength=2.0)
    assert structure() != structure(fisher="true")
    assert structure() != structure(importance_samples=3)


def test_settings_of_a_stack_are_tensors_exactly_where_lanes_may_differ() -> None:
    for of in ALL:
        settings = find(of.kind, of.name).Settings
        declared_lanes = {f.name for f in dataclasses.fields(settings) if f.metadata.get("lane")}
        assert declared_lanes == {field.name for field in of.fields if field.lane}
