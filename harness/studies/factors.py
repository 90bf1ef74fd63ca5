"""Factors: named choices whose crossings are conditions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Annotated, Any

from pydantic import Field, field_validator

from harness.studies.condition import Frozen

Levels = dict[str, str]
"""A level's name by factor's name."""
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9+@:._-]*$")]
"""Of a factor or level: no space and no "=", which join them to a condition's name."""
MOST_CROSSINGS = 10_000


class Factor(Frozen):
    """One choice and what can be chosen.

    Attributes
    ----------
    levels : by name, the fields of the method that the level sets, with those of the protocol in
        a table ``protocol`` of their own; the first level is the reference.
    when : levels of other factors without which the choice does not arise: eta's start is no
        choice without plasticity.
    """

    levels: Annotated[dict[Name, dict[str, Any]], Field(min_length=2)]
    when: Levels = Field(default_factory=dict)

    @field_validator("levels")
    @classmethod
    def _tables(cls, levels: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, fields in levels.items():
            if not isinstance(fields.get("protocol", {}), dict):
                raise ValueError(f"{name}.protocol: not a table of the protocol's fields")
        return levels


def crossings(factors: Mapping[str, Factor]) -> Iterator[tuple[str, Levels, dict[str, Any]]]:
    """Yield name, levels and table of every crossing, the last factor changing fastest.

    A crossing is named by its levels, ``plasticity=on head_init=blog``, without the factors that
    do not arise in it.

    Raises
    ------
    ValueError
        Where two factors set the same field, ``when`` names what is not there or goes round in a
        circle, or there are too many.
    """
    if not factors:
        return
    for name, factor in factors.items():
        for other, level in factor.when.items():
            check_level(factors, other, level, f"factors.{name}.when")
        _refuse_circles(factors, name, ())
    count = math.prod(len(factor.levels) for factor in factors.values())
    if count > MOST_CROSSINGS:
        raise ValueError(f"the factors have {count} crossings; at most {MOST_CROSSINGS} can be run")
    seen = set()
    for chosen in product(*(factor.levels for factor in factors.values())):
        everything = dict(zip(factors, chosen, strict=True))
        levels = {n: level for n, level in everything.items() if _arises(factors, n, everything)}
        name = " ".join(f"{factor}={level}" for factor, level in levels.items())
        if name not in seen:
            seen.add(name)
            yield name, levels, _table(factors, levels)


def _arises(factors: Mapping[str, Factor], name: str, everything: Levels) -> bool:
    """Tell whether a factor's choice arises in a crossing: those it depends on must arise too."""
    return all(
        everything[other] == level and _arises(factors, other, everything)
        for other, level in factors[name].when.items()
    )


def _refuse_circles(factors: Mapping[str, Factor], name: str, above: tuple[str, ...]) -> None:
    """Raise ValueError where a factor arises only if it arises."""
    if name in above:
        raise ValueError(f"factors.{name}.when: goes round in a circle ({' -> '.join(above)})")
    for other in factors[name].when:
        if other in factors:
            _refuse_circles(factors, other, (*above, name))


def check_level(factors: Mapping[str, Factor], name: str, level: str, place: str) -> None:
    """Raise ValueError where there is no such factor, or it has no such level."""
    if name not in factors:
        raise ValueError(f"{place}: no factor '{name}'; there are {', '.join(factors) or 'none'}")
    if level not in factors[name].levels:
        raise ValueError(
            f"{place}: factor '{name}' has no level '{level}'; it has "
            f"{', '.join(factors[name].levels)}"
        )


def _table(factors: Mapping[str, Factor], levels: Levels) -> dict[str, Any]:
    """Merge what the levels set."""
    method: dict[str, Any] = {}
    protocol: dict[str, Any] = {}
    for factor, level in levels.items():
        fields = dict(factors[factor].levels[level])
        for part, added in ((protocol, fields.pop("protocol", {})), (method, fields)):
            twice = part.keys() & added.keys()
            if twice:
                raise ValueError(
                    f"factors.{factor}: '{min(twice)}' is set by another factor already"
                )
            part |= added
    return method | {"protocol": protocol}
