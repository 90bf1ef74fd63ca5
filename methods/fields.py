"""How a class declares the settings that a study may give it.

A class that a study can choose has a nested dataclass ``Settings``; each of its fields is a key of
the study's conditions. This module imports nothing that is slow.
"""

from __future__ import annotations

import dataclasses
from typing import Any

LANE, LIMITS = "lane", "limits"
"""Keys of a field's metadata: whether lanes may differ in it, and what bounds its values."""


def per_lane(
    default: float | None = None,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> Any:
    """Declare a number in which the lanes of one stack may differ.

    A study gives a number; the class gets an (S, 1, 1) tensor, one value for each lane. Without a
    default, a study must give it.
    """
    limits = {"gt": above, "ge": at_least, "lt": below, "le": at_most}
    given = dataclasses.MISSING if default is None else default
    return dataclasses.field(default=given, metadata={LANE: True, LIMITS: limits})


def setting(
    default: Any = dataclasses.MISSING,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> Any:
    """Declare a setting that all lanes of a stack share; the class gets it as the study gives it.

    Its annotation is its type: bool, int, float, str, ``Literal["a", "b"]``, or one of them
    ``| None`` with the default None. Without limits, ``name: type = default`` does as well.
    """
    limits = {"gt": above, "ge": at_least, "lt": below, "le": at_most}
    return dataclasses.field(default=default, metadata={LANE: False, LIMITS: limits})
