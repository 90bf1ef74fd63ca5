"""Factors: named choices whose crossings are conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Annotated, Any

from pydantic import Field

from harness.condition import Frozen

Levels = dict[str, str]
"""A level's name by factor's name."""


class Factor(Frozen):
    """One choice and what can be chosen.

    Attributes
    ----------
    levels : by name, the fields of the method that the level sets, with those of the protocol in
        a table ``protocol`` of their own; the first level is the reference.
    when : levels of other factors without which the choice does not arise: eta's start is no
        choice without plasticity.
    """

    levels: Annotated[dict[str, dict[str, Any]], Field(min_length=2)]
    when: Levels = Field(default_factory=dict)


def crossings(factors: Mapping[str, Factor]) -> Iterator[tuple[str, Levels, dict[str, Any]]]:
    """Yield name, levels and table of every crossing, the last factor changing fastest.

    A crossing is named by its levels, ``plasticity=on head_init=blog``, without the factors that
    do not arise in it.

    Raises
    ------
    ValueError
        Where two factors set the same field, or ``when`` names what is not there.
    """
    if not factors:
        return
    for name, factor in factors.items():
        for other, level in factor.when.items():
            check_level(factors, other, level, f"factors.{name}.when")
    seen = set()
    for chosen in product(*(factor.levels for factor in factors.values())):
        everything = dict(zip(factors, chosen, strict=True))
        levels = {
            name: level
            for name, level in everything.items()
            if factors[name].when.items() <= everything.items()
        }
        name = " ".join(f"{factor}={level}" for factor, level in levels.items())
        if name not in seen:
            seen.add(name)
            yield name, levels, _table(factors, levels)


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
