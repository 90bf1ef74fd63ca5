"""The file that a search writes and a study includes: the choice, the curve behind it, a hash."""

from __future__ import annotations

import json
import math
import re
import statistics
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from harness.studies.chosen import Frozen, Seed
from harness.studies.condition import digest
from harness.studies.search import PROTOCOL, Setting
from harness.studies.seeds import distinct, parse_seeds

RULE = "one standard error"
BARE = re.compile(r"[A-Za-z0-9_-]+")
"""Keys that TOML takes without quotes."""


class Point(Frozen):
    """A setting that was tried, and what came of it.

    Attributes
    ----------
    values : what was measured on held-out data, of each seed that trained to the end, in the order
        of the seeds: accuracies in %, or the study's own number in its unit.
    diverged : number of the other seeds.
    seconds : of compute, summed over all seeds.
    """

    condition: str
    setting: Setting
    values: tuple[float, ...]
    diverged: Annotated[int, Field(ge=0)]
    seconds: float

    @property
    def mean(self) -> float:
        """Mean over the seeds that trained to the end; nan where none did."""
        return statistics.fmean(self.values) if self.values else math.nan

    @property
    def standard_error(self) -> float:
        """Standard error of the mean; nan for fewer than two seeds."""
        if len(self.values) < 2:
            return math.nan
        return statistics.stdev(self.values) / math.sqrt(len(self.values))


class Strengths(Frozen):
    """What a search found.

    Attributes
    ----------
    study : whose settings were searched.
    data : checksum of the benchmark's data.
    seeds : those of the search.
    validation_fraction, budget : as of the search; the former is 0 where training functions hold
        their data out themselves.
    measure, unit, higher_is_better : what was measured.
    chosen : by condition, its setting.
    published : by condition, the setting that a publication states, where one does.
    curve : everything that was tried, of each condition the most cautious setting first.
    fingerprint : hash of all of this.
    """

    study: str
    benchmark: str
    data: str
    rule: str = RULE
    seeds: Annotated[tuple[Seed, ...], BeforeValidator(parse_seeds), AfterValidator(distinct)]
    validation_fraction: float
    budget: int
    measure: str = "accuracy"
    unit: str = "points"
    higher_is_better: bool = True
    chosen: dict[str, Setting] = Field(default_factory=dict)
    published: dict[str, Setting] = Field(default_factory=dict)
    curve: tuple[Point, ...]
    fingerprint: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", self.hashed())
        if self.fingerprint != self.hashed():
            raise ValueError(
                f"its content is not what its fingerprint {self.fingerprint[:12]} is of: it was "
                "changed by hand or is damaged"
            )
        for name, setting in choices(self.curve, higher=self.higher_is_better).items():
            if self.chosen.get(name) != setting:
                raise ValueError(
                    f"its own curve does not give what it says was chosen for '{name}': "
                    f"{worded(self.chosen.get(name, {}))}, by the curve {worded(setting)}"
                )
        return self

    def hashed(self) -> str:
        """Return the hash of everything but the fingerprint."""
        return digest(self.model_dump(mode="json", exclude={"fingerprint"}))

    def points(self, condition: str) -> list[Point]:
        """Return what was tried of a condition, the most cautious setting first."""
        return [point for point in self.curve if point.condition == condition]


def chosen_of(points: Sequence[Point], *, higher: bool) -> Point | None:
    """Choose one of a condition's points by the rule of one standard error.

    Of the settings in which no seed diverged, the most cautious one is chosen whose mean is at most
    one standard error (that of the best) below the best (Breiman et al. 1984). None where there is
    no such setting.

    Parameters
    ----------
    points : the most cautious setting first.
    """
    alive = [point for point in points if point.values and not point.diverged]
    best = best_of(points, higher=higher)
    if best is None:
        return None
    sign = 1 if higher else -1
    return next(p for p in alive if sign * p.mean >= sign * best.mean - best.standard_error)


def best_of(points: Sequence[Point], *, higher: bool) -> Point | None:
    """Return the point with the best mean of those in which no seed diverged."""
    alive = [point for point in points if point.values and not point.diverged]
    sign = 1 if higher else -1
    return max(alive, key=lambda point: sign * point.mean, default=None)


def choices(curve: Sequence[Point], *, higher: bool) -> dict[str, Setting]:
    """Return by condition what is chosen; a condition without any choice is left out."""
    names = dict.fromkeys(point.condition for point in curve)
    found = {
        name: chosen_of([p for p in curve if p.condition == name], higher=higher) for name in names
    }
    return {name: point.setting for name, point in found.items() if point is not None}


def included(raw: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a parsed study with the values of the file that it includes, and its content.

    Raises
    ------
    ValueError
        Where the file is missing or damaged, or the study says another value itself.
    """
    place = str(raw["strengths"])
    found = read_strengths(folder / place, place)
    tables = raw.get("conditions")
    tables = dict(tables) if isinstance(tables, Mapping) else {}
    there = [name for name in found.chosen if isinstance(tables.get(name), Mapping)]
    if not there:
        raise ValueError(
            f"strengths: '{place}' chooses for {', '.join(found.chosen)}, and the study writes out "
            "no condition of these names"
        )
    for name in there:
        tables[name] = given(tables[name], found.chosen[name], f"conditions.{name}", place)
    return {**raw, "conditions": tables, "strengths": found.model_dump(mode="json")}


def given(
    table: Mapping[str, Any], setting: Setting, where: str = "", place: str | None = None
) -> dict[str, Any]:
    """Return the table of a condition with a setting.

    Raises
    ------
    ValueError
        Where ``place``, the file of the setting, is given and the table says another value.
    """
    changed = dict(table)
    for name, value in setting.items():
        of_protocol = name.startswith(PROTOCOL)
        inner = dict(changed.get("protocol", {})) if of_protocol else changed
        key = name.removeprefix(PROTOCOL) if of_protocol else name
        if place is not None and key in inner and inner[key] != value:
            raise ValueError(
                f"{where}.{name}: is {inner[key]}, and '{place}' chose {value}; remove it, or do "
                "not include the file"
            )
        inner[key] = value
        if of_protocol:
            changed["protocol"] = inner
    return changed


def read_strengths(path: Path, place: str) -> Strengths:
    """Read a file of strengths; ``place`` names it in errors.

    Raises
    ------
    ValueError
        Where it is not there, cannot be read, or is not as a search wrote it.
    """
    try:
        return Strengths.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ValueError(
            f"strengths: '{place}' is not there; make it: python run_all.py tune STUDY --to {path}"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"]))
        says = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"strengths: '{place}': {f'{at}: ' * bool(at)}{says}") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"strengths: '{place}' cannot be read: {reason}") from None


def strengths_text(found: Strengths, command: str) -> str:
    """Return the content of the file: TOML, the same bytes for the same search."""
    return "\n".join(_lines(found, command)) + "\n"


def _lines(found: Strengths, command: str) -> Iterator[str]:
    yield f"# Written by: {command}"
    yield "# The settings that it chose on held-out training data, and everything that it tried."
    yield "# A study includes it by its path; nobody edits it: the fingerprint is of all of it."
    yield ""
    yield f"fingerprint = {_toml(found.fingerprint)}"
    content = found.model_dump(mode="json")
    for name in ("study", "benchmark", "data", "rule"):
        yield f"{name} = {_toml(content[name])}"
    yield f"seeds = {_toml(','.join(map(str, found.seeds)))}"
    for name in ("validation_fraction", "budget", "measure", "unit", "higher_is_better"):
        yield f"{name} = {_toml(content[name])}"
    for table in ("chosen", "published"):
        for name, setting in content[table].items():
            yield f"\n[{table}.{_key(name)}]"
            yield from (f"{_key(key)} = {_toml(value)}" for key, value in setting.items())
    for point in content["curve"]:
        yield "\n[[curve]]"
        setting = ", ".join(f"{_key(key)} = {_toml(v)}" for key, v in point["setting"].items())
        yield f"condition = {_toml(point['condition'])}"
        yield f"setting = {{ {setting} }}"
        yield f"values = [{', '.join(map(_toml, point['values']))}]"
        yield f"diverged = {point['diverged']}"
        yield f"seconds = {_toml(point['seconds'])}"


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else _toml(name)


def _toml(value: Any) -> str:
    """Return a text, number or truth value as TOML, which writes them as JSON does."""
    return json.dumps(value) if not isinstance(value, float) else repr(value)


def worded(setting: Mapping[str, Any]) -> str:
    """Return a setting in words: strength 100, xi 0.1."""
    return ", ".join(f"{name} {short(value)}" for name, value in setting.items()) or "nothing"


def short(value: Any) -> str:
    """Return a value as short as it can be without becoming another one."""
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return str(value)
