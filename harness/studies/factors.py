"""Factors: named choices whose crossings are conditions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Annotated, Any

from pydantic import Field, field_validator

from harness.studies.chosen import Frozen

Levels = dict[str, str]
"""Names of levels by name of factor."""
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9+@:._-]*$")]
"""The name of a factor or level, without the space and "=" that join names to a condition's."""
MOST_CROSSINGS = 10_000


class Factor(Frozen):
    """One choice, and the levels that can be chosen.

    Attributes
    ----------
    levels : by name, the fields of the method that the level sets. A table ``protocol`` inside
        holds the fields of the protocol. The first level is the reference.
    when : levels of other factors that this choice requires. For example, the initial eta is a
        choice only with plasticity.
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

    Its levels name a crossing, as in ``plasticity=on head_init=blog``. Factors that do not arise in
    it are left out.

    Raises
    ------
    ValueError
        Where two factors set the same field, ``when`` names an unknown factor or level or goes
        round in a circle, or there are too many crossings.
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
    for combination in product(*(factor.levels for factor in factors.values())):
        level_of = dict(zip(factors, combination, strict=True))
        levels = {
            factor: level
            for factor, level in level_of.items()
            if _arises(factors, factor, level_of)
        }
        name = " ".join(f"{factor}={level}" for factor, level in levels.items())
        if name not in seen:
            seen.add(name)
            yield name, levels, _merged(factors, levels)


def _arises(factors: Mapping[str, Factor], name: str, level_of: Levels) -> bool:
    """Tell whether a factor's choice arises in a crossing: factors it depends on must arise too."""
    return all(
        level_of[other] == level and _arises(factors, other, level_of)
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
    """Raise ValueError where no factor has this name, or the factor has no such level."""
    if name not in factors:
        raise ValueError(f"{place}: no factor '{name}'; there are {', '.join(factors) or 'none'}")
    if level not in factors[name].levels:
        raise ValueError(
            f"{place}: factor '{name}' has no level '{level}'; it has "
            f"{', '.join(factors[name].levels)}"
        )


def _merged(factors: Mapping[str, Factor], levels: Levels) -> dict[str, Any]:
    """Merge the fields that the levels set into one table."""
    method: dict[str, Any] = {}
    protocol: dict[str, Any] = {}
    for factor, level in levels.items():
        fields = dict(factors[factor].levels[level])
        for merged, added in ((protocol, fields.pop("protocol", {})), (method, fields)):
            repeated = merged.keys() & added.keys()
            if repeated:
                raise ValueError(
                    f"factors.{factor}: '{min(repeated)}' is set by another factor already"
                )
            merged |= added
    return method | {"protocol": protocol}
