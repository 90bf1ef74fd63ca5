"""What a study lets be searched: settings of its conditions, on seeds that no result uses."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise, product
from typing import Annotated, Any, Self, TypeGuard

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

from harness.studies.chosen import Count, Frozen, Seed
from harness.studies.nearest import nearest
from harness.studies.seeds import distinct, parse_seeds

SPARE = 4
"""Settings beyond its grid that a condition may be given, where a study names no budget."""
FEWEST_SEEDS = 2
"""A standard error takes two."""
MOST_SETTINGS = 1000
PROTOCOL = "protocol."
"""The start of the name of a field of the protocol."""

Scalar = StrictBool | StrictInt | StrictFloat | StrictStr
Setting = dict[str, Scalar]
"""A value of each searched field; ``strength``, or ``protocol.learning_rate``."""


class Space(Frozen):
    """The grid of one condition.

    Attributes
    ----------
    values : by field, those that are tried, the most cautious one first: it is preferred where
        others are no better than by chance. All fields are crossed.
    published : the setting that a publication states, to be shown beside the choice.
    """

    values: Annotated[dict[str, Annotated[tuple[Scalar, ...], Field(min_length=1)]],
                      Field(min_length=1)]  # fmt: skip
    published: Setting = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _fields(cls, raw: Any) -> Any:
        """Take every key but ``published`` for a field; ``protocol`` holds more of them."""
        if not isinstance(raw, Mapping) or isinstance(raw.get("values"), Mapping):
            return raw
        values = {name: one for name, one in raw.items() if name not in ("published", "protocol")}
        protocol = raw.get("protocol", {})
        if isinstance(protocol, Mapping):
            values |= {f"{PROTOCOL}{name}": one for name, one in protocol.items()}
        return {"values": values, "published": raw.get("published", {})}

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        for name, values in self.values.items():
            if len(set(map(str, values))) < len(values):
                raise ValueError(f"{name}: a value is there twice")
            for value in values:
                if isinstance(value, float) and not math.isfinite(value):
                    raise ValueError(f"{name}: {value} is no number to train with")
                if name == "strength" and not (is_number(value) and value > 0):
                    raise ValueError(
                        f"strength: {value!r} is no strength to search; it is a number above 0 (at "
                        "0 there is no consolidation)"
                    )
        unknown = [name for name in self.published if name not in self.values]
        if unknown:
            raise ValueError(f"published: '{unknown[0]}' is not searched{self._known(unknown[0])}")
        return self

    def _known(self, name: str) -> str:
        return f"{nearest(name, list(self.values))}; searched are {', '.join(self.values)}"

    def grid(self) -> list[Setting]:
        """Return all crossings of the values, the most cautious first."""
        names = list(self.values)
        return [dict(zip(names, one, strict=True)) for one in product(*self.values.values())]

    def in_order(self, settings: Collection[Mapping[str, Any]]) -> list[Setting]:
        """Return settings with the most cautious first, the first field counting most."""

        def rank(setting: Mapping[str, Any]) -> list[float]:
            return [self._rank(name, setting[name]) for name in self.values]

        return [dict(setting) for setting in sorted(settings, key=rank)]

    def _rank(self, name: str, value: Any) -> float:
        listed = self.values[name]
        if direction := self._direction(name):
            return direction * float(value)
        return [*map(repr, listed)].index(repr(value))

    def _direction(self, name: str) -> int:
        """Return 1 where the values of a field rise and can go on so, -1 where they fall, or 0."""
        values = self.values[name]
        numbers = [float(value) for value in values if is_number(value) and value > 0]
        if len(numbers) < len(values) or len(numbers) < 2:
            return 0
        steps = [b - a for a, b in pairwise(numbers)]
        return int(min(steps) > 0) - int(max(steps) < 0)

    def beyond(self, setting: Setting, tried: Sequence[Setting]) -> Iterator[Setting]:
        """Yield what comes next where a setting lies at an edge of those that were tried.

        Only one field is changed at a time, by the factor between its last two values. An edge is
        the end of the tried values of a field, whatever the other fields.
        """
        for name in self.values:
            direction = self._direction(name)
            if not direction:
                continue
            values = sorted({float(one[name]) for one in tried})
            at = float(setting[name])
            neighbours = [values[1]] * (at == values[0]) + [values[-2]] * (at == values[-1])
            for neighbour in neighbours:
                new = float(f"{at * at / neighbour:.6g}")  # without the noise of its division
                whole = all(isinstance(value, int) for value in self.values[name])
                yield setting | {name: int(new) if whole and new.is_integer() else new}


class Search(Frozen):
    """How the settings of a study's conditions are searched.

    Attributes
    ----------
    seeds : of the search; no result may use them.
    validation_fraction : share of the training data of each class that is held out; accuracies
        are measured there, and the test data are not read.
    budget : most settings of each condition, those beyond its grid included; None for ``SPARE``
        more than the grid.
    held_out : for training functions that take no tasks: the parameters that make them measure on
        data held out of their training data.
    spaces : by condition, its grid. All have the same number of settings.
    """

    seeds: Annotated[
        tuple[Seed, ...],
        BeforeValidator(parse_seeds),
        AfterValidator(distinct),
        Field(min_length=FEWEST_SEEDS),
    ]
    validation_fraction: Annotated[float, Field(gt=0, lt=1, strict=True)] = 0.1
    budget: Count | None = None
    held_out: dict[str, Any] = Field(default_factory=dict)
    spaces: Annotated[dict[str, Space], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _conditions(cls, raw: Any) -> Any:
        """Take every key that is none of its own for a condition."""
        if not isinstance(raw, Mapping) or "spaces" in raw:
            return raw
        own = {name: one for name, one in raw.items() if name in cls.model_fields}
        return own | {"spaces": {name: one for name, one in raw.items() if name not in own}}

    @model_validator(mode="after")
    def _same_for_all(self) -> Self:
        sizes = {name: len(space.grid()) for name, space in self.spaces.items()}
        first = next(iter(sizes))
        for name, size in sizes.items():
            if size != sizes[first]:
                raise ValueError(
                    f"{name}: {size} settings, and {first} has {sizes[first]}; every condition "
                    "gets the same budget"
                )
        if self.most > MOST_SETTINGS:
            raise ValueError(f"{self.most} settings of each condition; at most {MOST_SETTINGS}")
        if self.most < sizes[first]:
            raise ValueError(
                f"budget: {self.budget} settings of each condition, and the grid has {sizes[first]}"
            )
        return self

    @property
    def most(self) -> int:
        """The number of settings that each condition may be given."""
        grid = len(next(iter(self.spaces.values())).grid())
        return self.budget if self.budget is not None else grid + SPARE

    def check(self, conditions: Collection[str], seeds: Collection[int]) -> None:
        """Raise ValueError where it names no condition of the study, or a seed of its results."""
        for name in self.spaces:
            if name not in conditions:
                raise ValueError(
                    f"search.{name}: no such condition{nearest(name, list(conditions))}; there are "
                    f"{', '.join(conditions)}"
                )
        refuse_shared(self.seeds, seeds, "search.seeds")


class Tried(Frozen):
    """A condition of a search: which condition of the study it is, and with which setting."""

    condition: str
    setting: Setting


class Searched(Frozen):
    """What makes a study a search of another one.

    Attributes
    ----------
    study : name of the study whose settings are searched.
    tried : by condition of the search; of each condition the most cautious setting first.
    """

    study: str
    search: Search
    tried: dict[str, Tried]


def refuse_shared(tuning: Collection[int], results: Collection[int], place: str) -> None:
    """Raise ValueError where seeds of a search are seeds of results too."""
    shared = sorted(set(tuning) & set(results))
    if shared:
        more = f" and {len(shared) - 1} more" if len(shared) > 1 else ""
        raise ValueError(
            f"{place}: seed {shared[0]}{more} of the search would be a seed of the results too; "
            "settings are chosen on seeds that no result uses"
        )


def is_number(value: Any) -> TypeGuard[int | float]:
    """Tell whether a value is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
