"""How the settings of a study were chosen: everything that a search tried, and what it chose."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.numbers.study import Study


@dataclass(frozen=True)
class TriedSetting:
    """A setting of a condition, measured on held-out training data.

    Attributes
    ----------
    mean, standard_error : over the seeds that trained to the end, in %, or in the study's own unit;
        None where too few did.
    done, diverged : numbers of seeds.
    seconds : of compute, summed over seeds.
    chosen, published : whether the search chose it, and whether a publication states it.
    """

    setting: Mapping[str, Any]
    mean: float | None
    standard_error: float | None
    done: int
    diverged: int
    seconds: float
    chosen: bool
    published: bool


@dataclass(frozen=True)
class SearchedCondition:
    """What was tried of one condition, the most cautious setting first.

    Attributes
    ----------
    published : the setting that a publication states; None where none does.
    """

    condition: str
    tried: tuple[TriedSetting, ...]
    published: Mapping[str, Any] | None

    @property
    def chosen(self) -> TriedSetting | None:
        """The setting that the search chose; None where a seed diverged in all."""
        return next((one for one in self.tried if one.chosen), None)

    @property
    def seconds(self) -> float:
        """The seconds of compute of all settings."""
        return math.fsum(one.seconds for one in self.tried)


@dataclass(frozen=True)
class Search:
    """The search behind the settings of a study; from ``search_of``.

    Attributes
    ----------
    study, fingerprint : whose settings were searched, and the hash of all that was found.
    seeds : of the search, which no result uses.
    validation_fraction : share of the training data that was held out.
    budget : most settings of each condition.
    measure, unit : of the means.
    """

    study: str
    fingerprint: str
    seeds: tuple[int, ...]
    validation_fraction: float
    budget: int
    measure: str
    unit: str
    conditions: tuple[SearchedCondition, ...]


def search_of(study: Study) -> Search | None:
    """Return the search behind a study's settings; None where it includes none.

    Of a search that another study made too, only the conditions of this one are kept.
    """
    found = study.strengths
    if found is None:
        return None
    names = dict.fromkeys(point.condition for point in found.curve)
    kept = [name for name in names if name in study.conditions] or [*names]
    return Search(
        study=found.study,
        fingerprint=found.fingerprint,
        seeds=tuple(found.seeds),
        validation_fraction=found.validation_fraction,
        budget=found.budget,
        measure=found.measure,
        unit="%" if found.unit == "points" else found.unit,
        conditions=tuple(
            SearchedCondition(
                condition=name,
                tried=tuple(
                    TriedSetting(
                        setting=point.setting,
                        mean=_known(point.mean),
                        standard_error=_known(point.standard_error),
                        done=len(point.values),
                        diverged=point.diverged,
                        seconds=point.seconds,
                        chosen=point.setting == found.chosen.get(name),
                        published=point.setting == found.published.get(name),
                    )
                    for point in found.curve
                    if point.condition == name
                ),
                published=found.published.get(name),
            )
            for name in kept
        ),
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
