"""The parameters of a training function, as they travel between processes, and what they take.

A type is written as plain JSON: "bool", "int", "float", "str", "none", "any", or one of
``{"literal": [...]}``, ``{"list": TYPE}``, ``{"table": TYPE}`` and ``{"or": [TYPE, ...]}``. "other"
stands for everything that no study can give.
"""

from __future__ import annotations

import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union

GIVEN = ("seed", "tasks", "streams", "device")
"""Parameters that get their values from the run and not from a study."""
RESERVED = (
    *("train", "command", "train_source", "command_source"),
    *("protocol", "method", "own", "signature", "program"),
)
"""Names that mean something else in a condition."""
NAMES = {bool: "bool", int: "int", float: "float", str: "str", type(None): "none", Any: "any"}
WORDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "none": "nothing",
    "any": "a value of TOML",
    "other": "of a type that no study can give",
}
MOST_DIGITS = 300


@dataclass(frozen=True)
class Parameter:
    """One parameter that a study may set.

    Attributes
    ----------
    type : see above.
    needed : whether it has no default.
    default : None where it has none that a record can hold.
    """

    name: str
    type: Any
    needed: bool
    default: Any = None


@dataclass(frozen=True)
class Signature:
    """What a training function takes.

    Attributes
    ----------
    parameters : those that a study sets.
    takes : those of ``GIVEN`` that it has.
    any_name : whether it takes parameters of any name (``**settings``).
    """

    parameters: tuple[Parameter, ...]
    takes: tuple[str, ...]
    any_name: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        parameters = [[p.name, p.type, p.needed, p.default] for p in self.parameters]
        return {"parameters": parameters, "takes": self.takes, "any_name": self.any_name}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Signature:
        """Return what ``to_json`` wrote."""
        parameters = tuple(Parameter(*fields) for fields in content["parameters"])
        return cls(parameters, tuple(content["takes"]), bool(content["any_name"]))


def signature_of(function: Callable[..., Any]) -> Signature:
    """Return what a function takes.

    Raises
    ------
    ValueError
        Where it cannot be called by the names of its parameters, or does not take a seed.
    """
    if not callable(function):
        raise ValueError(f"is a {type(function).__name__}, no function")
    try:
        found = inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise ValueError("does not tell its parameters; wrap it in a function that does") from None
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # an annotation is any expression
        hints = {}
    parameters, takes, any_name = [], [], False
    for name, parameter in found.items():
        needed = parameter.default is parameter.empty
        if parameter.kind is parameter.VAR_KEYWORD:
            any_name = True
        elif parameter.kind is parameter.VAR_POSITIONAL:
            continue
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            if needed:
                raise ValueError(f"its parameter '{name}' cannot be given by name; remove the /")
        elif name in GIVEN:
            takes.append(name)
        elif name in RESERVED:
            raise ValueError(
                f"has a parameter '{name}', which means something else in a study; rename it"
            )
        else:
            annotation = hints.get(name, parameter.annotation)
            parameters.append(_parameter(name, annotation, parameter.default))
    if not {"seed", "streams"} & set(takes):
        raise ValueError("takes neither 'seed' nor 'streams', so that all its runs were the same")
    return Signature(tuple(parameters), tuple(takes), any_name)


def _parameter(name: str, annotation: Any, default: Any) -> Parameter:
    needed = default is inspect.Parameter.empty
    if annotation is inspect.Parameter.empty:
        annotation = Any if needed or default is None else type(default)
    kind = _written(annotation)
    if needed:
        return Parameter(name, kind, True)
    if hasattr(default, "item") and getattr(default, "ndim", 1) == 0:
        default = default.item()  # a number of numpy
    try:
        return Parameter(name, kind, False, checked(default, kind))
    except ValueError:
        plain = default if _is_plain(default) else None
        return Parameter(name, kind, False, plain)


def _written(annotation: Any) -> Any:
    """Return a type as JSON."""
    if annotation is None or annotation in NAMES:
        return NAMES[annotation if annotation is not None else type(None)]
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        kinds = [_written(part) for part in parts]
        kinds = [kind for kind in kinds if kind != "other"]
        return {"or": kinds} if kinds else "other"
    if origin is Literal:
        return {"literal": list(parts)} if all(map(_is_plain, parts)) else "other"
    if origin is typing.Annotated:
        return _written(parts[0])
    if annotation in (list, tuple, Sequence, dict, Mapping):
        return {"table" if annotation in (dict, Mapping) else "list": "any"}
    if origin in (dict, Mapping):
        return {"table": _written(parts[1])}
    if origin in (list, Sequence) or (origin is tuple and parts[1:] in ((Ellipsis,), ())):
        return {"list": _written(parts[0])}
    if origin is tuple:
        return {"list": {"or": [_written(part) for part in parts]}}
    return "other"


def _is_plain(value: Any) -> bool:
    """Tell whether a value is one that JSON and TOML can hold."""
    if isinstance(value, float):
        return math.isfinite(value)
    if value is None or isinstance(value, (bool, int, str)):
        return True
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    return isinstance(value, (list, tuple)) and all(map(_is_plain, value))


def checked(value: Any, kind: Any) -> Any:
    """Return a value as a type has it: 1 becomes 1.0 where a number is wanted.

    Raises
    ------
    ValueError
        Naming what it should be.
    """
    match kind:
        case "any" if _is_plain(value):
            return list(value) if isinstance(value, tuple) else value
        case "none" if value is None:
            return None
        case "bool" if isinstance(value, bool):
            return value
        case "int" if isinstance(value, int) and not isinstance(value, bool):
            return value
        case "float" if isinstance(value, (int, float)) and not isinstance(value, bool):
            if math.isfinite(value) and abs(value) < 10.0**MOST_DIGITS:
                return float(value)
        case "str" if isinstance(value, str):
            return value
        case {"literal": allowed}:
            for one in allowed:
                if type(one) is type(value) and one == value:
                    return value
        case {"list": of} if isinstance(value, (list, tuple)):
            return [checked(part, of) for part in value]
        case {"table": of} if isinstance(value, dict):
            return {str(key): checked(part, of) for key, part in value.items()}
        case {"or": kinds}:
            # An integer stays one where both are allowed.
            for one in sorted(kinds, key=lambda kind: kind in ("float", "any")):
                try:
                    return checked(value, one)
                except ValueError:
                    continue
    raise ValueError(f"should be {in_words(kind)}")


def in_words(kind: Any) -> str:
    """Return what a type takes, as a part of a sentence."""
    match kind:
        case str():
            return WORDS[kind]
        case {"literal": allowed}:
            return " or ".join(repr(one) for one in allowed)
        case {"list": of}:
            return f"a list, each {in_words(of)}"
        case {"table": of}:
            return f"a table, each value {in_words(of)}"
        case _:
            return " or ".join(in_words(one) for one in kind["or"] if one != "none")
