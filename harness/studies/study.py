"""Studies: frozen and validated descriptions of what is run.

A study file is TOML: a protocol (how everything is trained), conditions (what is compared),
seeds, the published values and the claims that are judged. A study writes its conditions out, or
defines them as the crossings of factors, or both. Errors name unknown keys and impossible
values.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from harness.errors import InputError
from harness.studies.chosen import Frozen, Seed, folder_of
from harness.studies.claims import Claim, Comparisons, Curve, Published
from harness.studies.condition import Condition, Method, Protocol, digest, is_function
from harness.studies.factors import Factor, Name, check_level, crossings
from harness.studies.known_data import KNOWN_DATA, held_out
from harness.studies.measured import (
    ImportedCondition,
    Measure,
    imported,
    is_imported,
    is_of_import,
    measures_values,
)
from harness.studies.nearest import nearest
from harness.studies.published_values import with_published_values
from harness.studies.search import Search, Searched, refuse_shared
from harness.studies.seeds import MOST_SEEDS, distinct, parse_seeds
from harness.studies.shorthand import about_values, with_ids
from harness.studies.statements import AnyClaim, Family, Statement, check_families, check_statement
from harness.studies.strengths import Strengths, given, included
from harness.studies.texts import BibTeX, Texts
from harness.studies.trained import OF_TASKS

ARRANGEMENT = {"pairs", "comparisons", "causes", "citation", "texts"} | {
    "search", "searched", "strengths"
}  # fmt: skip
"""Fields that decide how a report shows results, or where settings come from, and nothing of the
results or verdicts: what was chosen stands in the conditions."""

AnyCondition = Annotated[
    Annotated[Condition, Tag("trained")] | Annotated[ImportedCondition, Tag("imported")],
    Discriminator(lambda table: "imported" if is_of_import(table) else "trained"),
]


class Study(Frozen):
    """Conditions x seeds under a protocol, with the published values to compare them with.

    Attributes
    ----------
    measure : the number that is measured on each seed; None for the accuracies of our stack.
    protocol : None where no condition is trained under one.
    train, command : the user's own function, or program, that trains every condition which names
        no other one; see ``harness.studies.trained``.
    isolation : "process" for a fresh process for each cell of such a function; "none" for
        functions that are known to leave nothing behind.
    preflight : parameters that make such a function cheap, for its trial before the run.
    factors : choices whose crossings are conditions, in addition to the conditions that are
        written out.
    claims : of every kind, the main claim first.
    families : claims that stand or fall together.
    curves : gains that reports show under every crossing.
    pairs : by condition, the other one that it is a variant of; figures show them together.
    comparisons : of such pairs, which make one statement together.
    causes : name of the study that takes the differences between this one's conditions apart.
    citation : of the source of the claims, in BibTeX.
    texts : what it is all about, in words.
    search : how settings of its conditions are searched.
    searched : which study's settings this one searches; None for every other study.
    strengths : what a search chose for its conditions, whose file it includes; of a search, what
        it chose itself.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    description: str = ""
    seeds: Annotated[
        tuple[Seed, ...],
        BeforeValidator(parse_seeds),
        AfterValidator(distinct),
        Field(min_length=1, max_length=MOST_SEEDS),
    ]
    measure: Measure | None = None
    protocol: Annotated[Protocol | None, Field(default_factory=Protocol)]
    train: str | None = None
    command: str | None = None
    isolation: Literal["process", "none"] | None = None
    preflight: dict[str, Any] | None = None
    factors: dict[Name, Factor] = Field(default_factory=dict)
    conditions: Annotated[
        dict[str, AnyCondition], Field(min_length=1, validate_default=True, default_factory=dict)
    ]
    published: tuple[Published, ...] = ()
    claims: tuple[AnyClaim, ...] = ()
    families: tuple[Family, ...] | None = None
    curves: tuple[Curve, ...] = ()
    pairs: dict[str, str] = Field(default_factory=dict)
    comparisons: tuple[Comparisons, ...] = ()
    causes: str | None = None
    citation: BibTeX | None = None
    texts: Texts | None = None
    search: Search | None = None
    searched: Searched | None = None
    strengths: Strengths | None = None

    @model_validator(mode="before")
    @classmethod
    def _complete_what_may_be_left_out(cls, raw: Any, study: ValidationInfo) -> Any:
        """Give claims their ids, and a study of results from elsewhere its conditions."""
        if not isinstance(raw, dict):
            return raw
        raw = dict(with_published_values(raw))
        if (study.context or {}).get("tuning"):
            raw = _to_be_searched(raw)
        elif isinstance(raw.get("strengths"), str) and (folder := folder_of(study)) is not None:
            raw = included(raw, folder)
        if isinstance(raw.get("claims"), list):
            raw["claims"] = with_ids(raw["claims"])
        tables = raw.get("conditions")
        seeds = (study.context or {}).get("imported")
        if is_imported(raw, asked=seeds is not None):
            tables = {
                name: imported(name, table) if isinstance(table, dict) else table
                for name, table in raw["conditions"].items()
            }
            raw["conditions"] = tables
            if seeds is None and "seeds" not in raw:
                raise ValueError(_nothing_trains(next(iter(tables)), raw.get("name")))
        if seeds:
            raw.setdefault("seeds", list(seeds))
        imports = isinstance(tables, dict) and tables and all(map(is_of_import, tables.values()))
        if imports or is_function(raw):
            raw.setdefault("protocol", None)
        if measures_values(raw):
            raw["claims"] = cls._about_values(raw)
        return raw

    @classmethod
    def _about_values(cls, raw: dict[str, Any]) -> Any:
        """Return the claims of a study whose cells hold named numbers."""
        claims = raw.get("claims", [])
        try:
            measure = Measure.model_validate(raw.get("measure") or {})
        except ValidationError:
            return claims  # the measure's own check names the fault
        if not isinstance(claims, list):
            return claims
        return [about_values(claim, measure) for claim in claims]

    @field_validator("conditions", mode="before")
    @classmethod
    def _resolve(cls, tables: Any, study: ValidationInfo) -> Any:
        """Cross the factors, and turn each condition's table into a Condition."""
        if not isinstance(tables, dict) or not {"protocol", "factors"} <= study.data.keys():
            return tables
        shared: Protocol = study.data["protocol"] or Protocol()
        train, command = study.data.get("train"), study.data.get("command")
        if train is not None and command is not None:
            raise ValueError("the study gives both train and command; give one")
        trained_by = {"train": train} if train is not None else {"command": command}
        resolved: dict[str, Any] = {}
        for name, levels, table in crossings(study.data["factors"]):
            if name not in tables:  # study.json holds the crossings as resolved conditions
                resolved[name] = _condition(name, table, shared, trained_by)
                resolved[name]["levels"] = levels
        for name, table in tables.items():
            if isinstance(table, dict) and "method" not in table:
                table = _condition(name, table, shared, trained_by)
            resolved[name] = table
        if folder_of(study) is not None:  # in results, everything is set
            _refuse_for_functions(shared, resolved.values())
        return resolved

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._check_conditions()
        self._check_preflight()
        self._check_published()
        self._check_claims()
        self._check_curves()
        self._check_measure()
        self._check_pairs()
        self._check_texts()
        self._check_search()
        return self

    def _check_search(self) -> None:
        """Refuse a search of conditions that are not there, or on seeds of results."""
        if self.search is not None:
            self.search.check(list(self.ours), self.seeds)
        self._refuse_seeds_of_search(self.seeds, "seeds")

    def _refuse_seeds_of_search(self, seeds: Sequence[int], place: str) -> None:
        """Raise ValueError where results would be measured on seeds of the search."""
        if self.strengths is not None and self.searched is None:
            refuse_shared(self.strengths.seeds, seeds, place)
        if self.search is not None:
            refuse_shared(self.search.seeds, seeds, place)

    def _check_conditions(self) -> None:
        """Refuse conditions that contradict their names or each other."""
        levels_of = {name: levels for name, levels, _ in crossings(self.factors)}
        for name, condition in self.conditions.items():
            if condition.name != name:
                raise ValueError(f"conditions.{name}.name: is '{condition.name}'")
            if condition.levels != levels_of.get(name, {}):
                raise ValueError(
                    f"conditions.{name}: this is the name of a crossing of the factors; choose "
                    "another"
                    if name in levels_of
                    else f"conditions.{name}.levels: it is no crossing of the factors"
                )
        benchmarks = {c.protocol.benchmark for c in self.ours.values()} - {None}
        if len(benchmarks) > 1:
            raise ValueError("all conditions of a study share one benchmark")
        own = [c.protocol for c in self.ours.values() if "benchmark" in c.protocol.own]
        if any(protocol.of_benchmark() != own[0].of_benchmark() for protocol in own):
            raise ValueError("all conditions of a study give its benchmark the same parameters")
        if self.benchmark in KNOWN_DATA:
            self.check_sizes(KNOWN_DATA[self.benchmark].train_sizes)

    def check_sizes(self, train_sizes: Sequence[int]) -> None:
        """Raise ValueError where a validation fraction leaves a class no sample to train on.

        ``train_sizes`` are the numbers of training samples of the classes.
        """
        for name, condition in self.ours.items():
            fraction = condition.protocol.validation_fraction or 0.0
            for label, samples in enumerate(train_sizes):
                if fraction > 0 and held_out(samples, fraction) >= samples:
                    raise ValueError(
                        f"conditions.{name}.protocol.validation_fraction: {fraction} leaves none "
                        f"of the {samples} training samples of class {label} to train on; choose "
                        "a smaller one"
                    )

    def _check_preflight(self) -> None:
        """Refuse values for a trial that no function takes."""
        functions = [c.function for c in self.ours.values() if c.function is not None]
        if not functions:
            given = [key for key in ("preflight", "isolation") if getattr(self, key) is not None]
            if given:
                raise ValueError(f"{given[0]} is for training functions, and no condition has one")
        known = [*dict.fromkeys(name for of in functions for name in of.names)]
        for name in self.preflight or ():
            if name not in known and not any(of.takes_any_name for of in functions):
                raise ValueError(
                    f"preflight.{name}: no such parameter{nearest(name, known)}; there are "
                    f"{', '.join(known) or 'none'}"
                )
        for of in functions:
            of.under(self.preflight or {})

    def _check_published(self) -> None:
        _check_ids("sources of published values", [source.id for source in self.published])
        known_data = KNOWN_DATA.get(self.benchmark)
        for source in self.published:
            for name in source.accuracy:
                self._check_condition(name, f"published '{source.id}'")
            last = max(source.after_tasks)
            if known_data is not None and last > len(known_data.tasks):
                raise ValueError(
                    f"published '{source.id}': after_tasks has {last}, {self.benchmark} has "
                    f"{len(known_data.tasks)} tasks"
                )

    def _check_claims(self) -> None:
        ids = [claim.id for claim in self.claims] + [curve.id for curve in self.curves]
        _check_ids("claims or curves", ids)
        families = self.families or ()
        _check_ids("families", [family.id for family in families])
        check_families(families, self.claims)
        known_data = KNOWN_DATA.get(self.benchmark)
        tasks = None if known_data is None else len(known_data.tasks)
        for statement in self.statements:
            for name in statement.conditions:
                self._check_condition(name, f"claim '{statement.id}'")
            programs = [str(self.conditions[name].settings()) for name in statement.conditions]
            check_statement(statement, programs, tasks)
        for claim in self.gains:
            for name in (claim.treatment, claim.baseline):
                self._check_condition(name, f"claim '{claim.id}'")
            if claim.treatment == claim.baseline:
                raise ValueError(
                    f"claim '{claim.id}' compares the condition '{claim.baseline}' with itself"
                )
            treatment, baseline = (
                self.conditions[name].settings() for name in (claim.treatment, claim.baseline)
            )
            if treatment == baseline:
                raise ValueError(
                    f"claim '{claim.id}': '{claim.treatment}' and '{claim.baseline}' are the same "
                    "program under two names, so that the gain is 0 on every seed; a program is "
                    "compared with itself by a seed_offset in one of them"
                )
            if claim.reported == 0:
                raise ValueError(
                    f"claim '{claim.id}' reports a gain of 0: there is nothing to judge"
                )

    def _check_curves(self) -> None:
        for curve in self.curves:
            for levels in (curve.treatment, curve.baseline):
                for factor, level in levels.items():
                    check_level(self.factors, factor, level, f"curve '{curve.id}'")
            if curve.treatment == curve.baseline:
                raise ValueError(f"curve '{curve.id}' compares its treatment with itself")

    def _check_measure(self) -> None:
        """Refuse what is said in points of accuracy where something else is measured."""
        measure = self.measured
        if measure.is_accuracy:
            return
        if any(isinstance(condition.method, Method) for condition in self.ours.values()):
            raise ValueError(
                f"measure.unit: '{measure.unit}', and these conditions measure accuracies; remove "
                "it"
            )
        for name in ("published", "curves", "comparisons"):
            if getattr(self, name):
                raise ValueError(
                    f"{name}: are of accuracies, and {measure.name} is measured in "
                    f"'{measure.unit}'; remove them, or make them claims"
                )

    def _check_pairs(self) -> None:
        for variant, plain in self.pairs.items():
            for name in (variant, plain):
                self._check_condition(name, f"pairs.{variant}")
            if plain in self.pairs:
                raise ValueError(
                    f"pairs.{variant}: '{plain}' is a variant of '{self.pairs[plain]}' itself"
                )
        for number, comparisons in enumerate(self.comparisons):
            for name in comparisons.treatments:
                if name not in self.pairs:
                    raise ValueError(
                        f"comparisons.{number}: '{name}' has no partner; name it in [pairs]"
                    )

    def _check_texts(self) -> None:
        if self.texts is None:
            return
        parts = [part for one in self.conditions.values() for part in one.settings().values()]
        settings = list(dict.fromkeys(name for part in parts for name in part))
        levels = {name: factor.levels for name, factor in self.factors.items()}
        claims = [claim.id for claim in self.claims]
        self.texts.check(self.conditions, settings, levels, claims)

    def _check_condition(self, name: str, place: str) -> None:
        if name not in self.conditions:
            raise ValueError(
                f"{place} names the condition '{name}', which the study does not have; it has "
                f"{', '.join(self.conditions)}"
            )

    @property
    def gains(self) -> tuple[Claim, ...]:
        """The claims that one condition gains final accuracy over another, paired by seed."""
        return tuple(claim for claim in self.claims if isinstance(claim, Claim))

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All other claims."""
        return tuple(claim for claim in self.claims if isinstance(claim, Statement))

    @property
    def ours(self) -> dict[str, Condition]:
        """The conditions that can be trained here, by name."""
        return {name: c for name, c in self.conditions.items() if isinstance(c, Condition)}

    @property
    def imported(self) -> tuple[str, ...]:
        """The names of the conditions whose results come from tables that exist already."""
        conditions = self.conditions.values()
        return tuple(c.name for c in conditions if isinstance(c, ImportedCondition))

    @property
    def measured(self) -> Measure:
        """The number that is measured on each seed."""
        return self.measure or Measure()

    @property
    def benchmark(self) -> str:
        """The benchmark that all conditions share; empty where the study names none."""
        if not self.ours and self.protocol is not None:
            return self.protocol.benchmark
        named = (condition.protocol.benchmark for condition in self.ours.values())
        return next((benchmark for benchmark in named if benchmark is not None), "")

    @property
    def chance(self) -> float | None:
        """The accuracy after the last task, a fraction, of a network that guesses among the classes
        of each task; None for data that are not known.
        """
        known = KNOWN_DATA.get(self.benchmark)
        return None if known is None else known.chance

    def check_trainable(self) -> None:
        """Raise InputError where its results come from a table, so that nothing trains them."""
        if self.imported:
            raise InputError(_nothing_trains(self.imported[0], self.name))

    def check_accuracies(self, what: str) -> None:
        """Raise InputError where something else is measured; ``what`` compares accuracies."""
        if not self.measured.is_accuracy:
            raise InputError(
                f"{what} compares accuracies, and study '{self.name}' measures "
                f"{self.measured.name} in '{self.measured.unit}'"
            )

    def fingerprint(self) -> str:
        """Return a hash of the whole study, margins of the claims included.

        The hash leaves out fields that the study does not set and that have no default, so that a
        new optional field changes no fingerprint, what only arranges a report, and what a gate
        requires of verdicts.
        """
        left_out: dict[str, Any] = dict.fromkeys(ARRANGEMENT, True)
        left_out["claims"] = {"__all__": {"require"}}
        return digest(self.model_dump(mode="json", exclude_none=True, exclude=left_out))

    def choose(self, conditions: Sequence[str] | None, seeds: str | None) -> Study:
        """Return the study with some of its conditions only, or with other seeds.

        Raises
        ------
        InputError
            Where a condition is unknown or the seeds cannot be read.
        """
        changes: dict[str, Any] = {}
        if seeds is not None:
            try:
                changes["seeds"] = chosen = parse_seeds(seeds)
                assert isinstance(chosen, tuple)
                self._refuse_seeds_of_search(chosen, "these seeds")
            except ValueError as error:
                raise InputError(f"--seeds: {error}") from None
        if conditions is not None:
            unknown = [name for name in conditions if name not in self.conditions]
            if unknown or not conditions:
                near = difflib.get_close_matches(unknown[0], self.conditions, 1) if unknown else []
                meant = f" (did you mean '{near[0]}'?)" if near else ""
                raise InputError(
                    f"--conditions: study '{self.name}' has no condition "
                    f"'{', '.join(unknown)}'{meant}; it has {', '.join(self.conditions)}"
                )
            changes["conditions"] = {
                name: self.conditions[name] for name in self.conditions if name in conditions
            }
        return self.model_copy(update=changes)


def _to_be_searched(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a parsed study whose searched fields have values, none of which is a choice."""
    raw = {name: part for name, part in raw.items() if name != "strengths"}
    try:
        spaces = Search.model_validate(raw["search"]).spaces
        tables = dict(raw["conditions"])
    except (KeyError, ValueError, TypeError):
        return raw  # the checks of these parts name the fault
    for name, space in spaces.items():
        if isinstance(tables.get(name), dict):
            tables[name] = given(tables[name], space.grid()[0])
    return raw | {"conditions": tables}


def _nothing_trains(condition: object, study: object) -> str:
    return (
        f"nothing can train '{condition}': study '{study}' says of its conditions only their "
        "names, so that their results come from a table: "
        f"python run_all.py import TABLE --study FILE --out results/{study}"
    )


def _check_ids(kind: str, ids: Sequence[str]) -> None:
    """Raise ValueError where an id appears twice."""
    repeated = [name for name, times in Counter(ids).items() if times > 1]
    if repeated:
        raise ValueError(f"two {kind} have the same id '{repeated[0]}'")


def _refuse_for_functions(shared: Protocol, tables: Iterable[Any]) -> None:
    """Raise ValueError where a protocol says how to train and functions of the user's own do."""
    methods = [table.get("method") for table in tables if isinstance(table, dict)]
    set_here = shared.model_fields_set & {*Protocol.model_fields} - {*OF_TASKS, "own"}
    said = sorted(name for name in set_here if not name.endswith("_source"))
    if said and methods and all(map(is_function, methods)):
        raise ValueError(
            f"protocol.{said[0]} has no effect: functions of your own train all conditions; they "
            f"take {', '.join(OF_TASKS)}"
        )


def _condition(
    name: str, table: dict[str, Any], shared: Protocol, trained_by: dict[str, str | None]
) -> dict[str, Any]:
    """Return the fields of a Condition, given the table that a study writes for it.

    The table holds fields of the method and, in a table ``protocol``, fields that replace those of
    the ``shared`` protocol. A ``protocol`` that is not a table is kept, so that validation refuses
    it. ``trained_by`` is the function or program of the study.
    """
    method = dict(table)
    protocol = method.pop("protocol", {})
    if not is_function(method) and is_function(trained_by):
        method |= trained_by
    if is_function(method):
        said = {key: shared.get(key) for key in OF_TASKS if key in shared.model_fields_set}
        said |= shared.of_benchmark() if shared.own else {}
        protocol = {**said, **protocol} if isinstance(protocol, dict) else protocol
    elif isinstance(protocol, dict):
        protocol = shared.under(protocol) | protocol
    return {"name": name, "method": method, "protocol": protocol}
