"""Checks what a study sets against the fields of the classes that it chooses."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, NoReturn, get_args

from pydantic import BaseModel, ConfigDict, StrictBool, StrictStr, ValidationError, create_model
from pydantic import Field as Constraint
from pydantic_core import InitErrorDetails, PydanticCustomError

from harness.studies.declared import MISSING, Field, declared
from harness.studies.nearest import nearest


@dataclass(frozen=True)
class Choice:
    """A class that a study chooses.

    Attributes
    ----------
    kind : "head", "consolidation" or "optimiser".
    key, name : what the study writes, "plasticity" and "on".
    fields : of the class's settings.
    """

    kind: str
    key: str
    name: str
    fields: tuple[Field, ...]


def complete(
    given: Mapping[str, Any], fixed: Sequence[str], choices: Sequence[Choice]
) -> dict[str, Any]:
    """Return the fields of the chosen classes, checked, with their defaults.

    Parameters
    ----------
    given : what the study writes.
    fixed : the keys that are no fields of a class.

    Raises
    ------
    ValidationError
        With a line for each key that is unknown, has no effect, is missing or has a wrong value.
    ValueError
        Where two classes declare the same field.
    """
    fields = [field for choice in choices for field in choice.fields]
    _refuse_twice([*fixed, *(field.name for field in fields)], choices)
    values = {f.name: given[f.name] for f in fields if given.get(f.name) is not None}
    faults = [*_superfluous(given, fixed, fields, choices)]
    for choice in choices:
        for field in choice.fields:
            if field.default is MISSING and field.name not in values:
                needs = f"{choice.key} = '{choice.name}' needs a {field.name}"
                faults.append(fault((), needs, dict(given)))
    try:
        checked = _model(tuple(fields)).model_validate(values)
    except ValidationError as error:
        faults += [fault(line["loc"], line["msg"], line["input"]) for line in error.errors()]
    if faults:
        raise ValidationError.from_exception_data("settings", faults)
    return checked.model_dump(exclude_none=True)


def _superfluous(
    given: Mapping[str, Any],
    fixed: Sequence[str],
    fields: Sequence[Field],
    choices: Sequence[Choice],
) -> list[InitErrorDetails]:
    """Return a fault for each key that is unknown or has no effect."""
    known = [*fixed, *(field.name for field in fields)]
    elsewhere = {
        field.name
        for choice in choices
        for of in declared(choice.kind).values()
        for field in of.fields
    }
    chosen = " and ".join(f"{choice.key} = '{choice.name}'" for choice in choices)
    faults = []
    for name, value in given.items():
        if name in known or (name in elsewhere and value is None):
            continue
        if name in elsewhere:
            faults.append(fault((), f"{name} has no effect with {chosen}; remove it", dict(given)))
        else:
            near = nearest(name, [*known, *sorted(elsewhere)])
            listed = f"unknown key{near}; known here: {', '.join(known)}"
            faults.append(fault((name,), listed, dict(given)))
    return faults


def _refuse_twice(names: Sequence[str], choices: Sequence[Choice]) -> None:
    for name in names:
        if names.count(name) > 1:
            owners = " and ".join(
                f"'{choice.name}'"
                for choice in choices
                if any(field.name == name for field in choice.fields)
            )
            raise ValueError(
                f"{owners}: the setting '{name}' is declared twice, or is a key of its own here; "
                "give it another name"
            )


def refuse(key: str, says: str, value: Any) -> NoReturn:
    """Raise a ValidationError about the value of one key."""
    raise ValidationError.from_exception_data("settings", [fault((key,), says, value)])


def one_of(key: str, value: object, allowed: Sequence[str]) -> None:
    """Raise a ValidationError where the value of a key is none of the allowed names."""
    if value not in allowed:
        *first, last = (f"'{name}'" for name in allowed)
        refuse(key, f"Input should be {', '.join(first)} or {last}", value)


def fault(place: Collection[int | str], says: str, value: Any) -> InitErrorDetails:
    """Return a fault of a study's file: where, what, and the value there."""
    return InitErrorDetails(
        type=PydanticCustomError("settings", "{says}", {"says": says}),
        loc=tuple(place),
        input=value,
    )


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


@cache
def _model(fields: tuple[Field, ...]) -> type[_Settings]:
    """Return a pydantic model of fields; those without a default may be left out here."""
    definitions: dict[str, Any] = {
        field.name: (_checked(field), None if field.default is MISSING else field.default)
        for field in fields
    }
    return create_model("Settings", __base__=_Settings, **definitions)


def _checked(field: Field) -> Any:
    limits: dict[str, Any] = {name: bound for name, bound in field.limits if bound is not None}
    of = [part for part in get_args(field.type) if part in (bool, int, float, str)]
    plain = of[0] if of else field.type
    if plain is float:
        limited: Any = Annotated[float, Constraint(strict=True, allow_inf_nan=False, **limits)]
    elif plain is int:
        limited = Annotated[int, Constraint(strict=True, **limits)]
    elif plain in (bool, str):
        limited = StrictBool if plain is bool else StrictStr
    else:
        limited = plain
    return limited | None if field.default is None else limited
