"""The classes that a study chooses: ours by their names, the user's own by their places."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.studies.declared import MISSING, Field, declared, fields_of, type_of_key
from harness.studies.own_code import HOW, OwnCode, locate

BASES: Mapping[str, str] = {
    "head": "methods.softmax.Softmax",
    "consolidation": "methods.consolidation.NoConsolidation",
    "optimiser": "methods.optimisers.SGD",
}
"""What a class of each kind is derived from."""


def find(kind: str, name: str, folder: Path | None = None) -> Any:
    """Return the class that a name stands for, imported.

    Parameters
    ----------
    kind : "head", "consolidation" or "optimiser".
    name : of a class that ships, or the place of one's own; see ``harness.studies.own_code``.
    folder : where the files of one's own are; None for the current folder.

    Raises
    ------
    ValueError
        Naming what is wrong with the name, the file or the class.
    """
    ours = declared(kind).get(name)
    if ours is not None:
        return getattr(importlib.import_module(ours.module), ours.class_name)
    return load_own(kind, own(kind, name, folder))


def is_own(name: object) -> bool:
    """Tell whether a name is the place of a class or function of the user's own."""
    return isinstance(name, str) and ":" in name


def own(kind: str, name: str, folder: Path | None) -> OwnCode:
    """Find and read a class of the user's own (ValueError where there is none)."""
    if not is_own(name):
        raise ValueError(
            f"there is no {kind} '{name}'; there are {', '.join(declared(kind))}, and your own: "
            f"{HOW}"
        )
    return locate(name, folder)


def load_own(kind: str, code: OwnCode) -> Any:
    """Import a class of the user's own (ValueError where it is none of the kind)."""
    found = code.load()
    if not isinstance(found, type) or getattr(found, "kind", None) != kind:
        raise ValueError(f"'{code.place}' is no {kind}: derive the class from {BASES[kind]}")
    return found


def own_fields(kind: str, code: OwnCode) -> tuple[Field, ...]:
    """Return the fields of the settings of the user's own class (ValueError: see ``load_own``)."""
    settings = load_own(kind, code).Settings
    names: dict[str, Any] = {}
    for part in reversed(getattr(settings, "__mro__", ())):
        names |= getattr(sys.modules.get(part.__module__), "__dict__", {})
    try:
        return fields_of(settings, names)
    except ValueError as error:
        raise ValueError(f"'{code.place}': {error}") from None


BENCHMARK_GIVEN = ("data_dir", "seed")
"""Parameters of a benchmark that get their values from the run and not from a study."""
BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
"""Kinds of parameters that can be given by name."""


def benchmark_fields(code: OwnCode) -> tuple[Field, ...]:
    """Return what a study can set of the user's own benchmark: parameters of its function.

    One with a default that the study leaves out is no setting: the hash of the function's file
    says what it was.

    Raises
    ------
    ValueError
        Where it cannot be imported, is no function, or needs what no study can give.
    """
    function = code.load()
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise ValueError(f"'{code.place}' is no function that tells its parameters") from None
    names = getattr(sys.modules.get(code.module), "__dict__", {})
    found = []
    for name, parameter in parameters.items():
        if name in BENCHMARK_GIVEN or parameter.kind not in BY_NAME:
            continue
        needed = parameter.default is parameter.empty
        annotation = parameter.annotation
        if annotation is parameter.empty and not needed:
            annotation = type(parameter.default)
        try:
            of = type_of_key(name, annotation, names)
        except ValueError:
            if needed:
                raise ValueError(
                    f"'{code.place}': a study can give its parameter '{name}' nothing; annotate it "
                    "as bool, int, float, str or Literal, or give it a default"
                ) from None
            continue
        found.append(Field(name, of, MISSING if needed else None, False, ()))
    return tuple(found)
