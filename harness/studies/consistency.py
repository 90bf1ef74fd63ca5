"""Whether what a study states holds together; each contradiction is a ValueError that names it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.studies.condition import Method
from harness.studies.factors import check_level, crossings
from harness.studies.known_data import KNOWN_DATA, held_out
from harness.studies.nearest import nearest
from harness.studies.search import refuse_shared
from harness.studies.stated import Stated
from harness.studies.statements import check_families, check_statement


def check(study: Stated) -> None:
    """Raise ValueError at the first thing in which a study contradicts itself."""
    _check_conditions(study)
    _check_preflight(study)
    _check_published(study)
    _check_claims(study)
    _check_curves(study)
    _check_measure(study)
    _check_pairs(study)
    _check_texts(study)
    _check_search(study)


def _check_search(study: Stated) -> None:
    """Refuse a search of conditions that are not there, or on seeds of results."""
    if study.search is not None:
        study.search.check(list(study.ours), study.seeds)
    refuse_seeds_of_search(study, study.seeds, "seeds")


def refuse_seeds_of_search(study: Stated, seeds: Sequence[int], place: str) -> None:
    """Raise ValueError where results would be measured on seeds of the search."""
    if study.strengths is not None and study.searched is None:
        refuse_shared(study.strengths.seeds, seeds, place)
    if study.search is not None:
        refuse_shared(study.search.seeds, seeds, place)


def _check_conditions(study: Stated) -> None:
    """Refuse conditions that contradict their names or each other."""
    levels_of = {name: levels for name, levels, _ in crossings(study.factors)}
    for name, condition in study.conditions.items():
        if condition.name != name:
            raise ValueError(f"conditions.{name}.name: is '{condition.name}'")
        if condition.levels != levels_of.get(name, {}):
            raise ValueError(
                f"conditions.{name}: this is the name of a crossing of the factors; choose another"
                if name in levels_of
                else f"conditions.{name}.levels: it is no crossing of the factors"
            )
    benchmarks = {c.protocol.benchmark for c in study.ours.values()} - {None}
    if len(benchmarks) > 1:
        raise ValueError("all conditions of a study share one benchmark")
    own = [c.protocol for c in study.ours.values() if "benchmark" in c.protocol.own]
    if any(protocol.of_benchmark() != own[0].of_benchmark() for protocol in own):
        raise ValueError("all conditions of a study give its benchmark the same parameters")
    if study.benchmark in KNOWN_DATA:
        check_sizes(study, KNOWN_DATA[study.benchmark].train_sizes)


def check_sizes(study: Stated, train_sizes: Sequence[int]) -> None:
    """Raise ValueError where a validation fraction leaves a class no sample to train on.

    ``train_sizes`` are the numbers of training samples of the classes.
    """
    for name, condition in study.ours.items():
        fraction = condition.protocol.validation_fraction or 0.0
        for label, samples in enumerate(train_sizes):
            if fraction > 0 and held_out(samples, fraction) >= samples:
                raise ValueError(
                    f"conditions.{name}.protocol.validation_fraction: {fraction} leaves none "
                    f"of the {samples} training samples of class {label} to train on; choose "
                    "a smaller one"
                )


def _check_preflight(study: Stated) -> None:
    """Refuse values for a trial that no function takes."""
    functions = [c.function for c in study.ours.values() if c.function is not None]
    if not functions:
        given = [key for key in ("preflight", "isolation") if getattr(study, key) is not None]
        if given:
            raise ValueError(f"{given[0]} is for training functions, and no condition has one")
    known = [*dict.fromkeys(name for of in functions for name in of.names)]
    for name in study.preflight or ():
        if name not in known and not any(of.takes_any_name for of in functions):
            raise ValueError(
                f"preflight.{name}: no such parameter{nearest(name, known)}; there are "
                f"{', '.join(known) or 'none'}"
            )
    for of in functions:
        of.under(study.preflight or {})


def _check_published(study: Stated) -> None:
    _check_ids("sources of published values", [source.id for source in study.published])
    known_data = KNOWN_DATA.get(study.benchmark)
    for source in study.published:
        for name in source.accuracy:
            _check_condition(study, name, f"published '{source.id}'")
        last = max(source.after_tasks)
        if known_data is not None and last > len(known_data.tasks):
            raise ValueError(
                f"published '{source.id}': after_tasks has {last}, {study.benchmark} has "
                f"{len(known_data.tasks)} tasks"
            )


def _check_claims(study: Stated) -> None:
    ids = [claim.id for claim in study.claims] + [curve.id for curve in study.curves]
    _check_ids("claims or curves", ids)
    families = study.families or ()
    _check_ids("families", [family.id for family in families])
    check_families(families, study.claims)
    known_data = KNOWN_DATA.get(study.benchmark)
    tasks = None if known_data is None else len(known_data.tasks)
    for statement in study.statements:
        for name in statement.conditions:
            _check_condition(study, name, f"claim '{statement.id}'")
        programs = [str(study.conditions[name].settings()) for name in statement.conditions]
        check_statement(statement, programs, tasks)
    for claim in study.gains:
        for name in (claim.treatment, claim.baseline):
            _check_condition(study, name, f"claim '{claim.id}'")
        if claim.treatment == claim.baseline:
            raise ValueError(
                f"claim '{claim.id}' compares the condition '{claim.baseline}' with itself"
            )
        treatment, baseline = (
            study.conditions[name].settings() for name in (claim.treatment, claim.baseline)
        )
        if treatment == baseline:
            raise ValueError(
                f"claim '{claim.id}': '{claim.treatment}' and '{claim.baseline}' are the same "
                "program under two names, so that the gain is 0 on every seed; a program is "
                "compared with itself by a seed_offset in one of them"
            )
        if claim.reported == 0:
            raise ValueError(f"claim '{claim.id}' reports a gain of 0: there is nothing to judge")


def _check_curves(study: Stated) -> None:
    for curve in study.curves:
        for levels in (curve.treatment, curve.baseline):
            for factor, level in levels.items():
                check_level(study.factors, factor, level, f"curve '{curve.id}'")
        if curve.treatment == curve.baseline:
            raise ValueError(f"curve '{curve.id}' compares its treatment with itself")


def _check_measure(study: Stated) -> None:
    """Refuse what is said in points of accuracy where something else is measured."""
    measure = study.measured
    if measure.is_accuracy:
        return
    if any(isinstance(condition.method, Method) for condition in study.ours.values()):
        raise ValueError(
            f"measure.unit: '{measure.unit}', and these conditions measure accuracies; remove it"
        )
    for name in ("published", "curves", "comparisons"):
        if getattr(study, name):
            raise ValueError(
                f"{name}: are of accuracies, and {measure.name} is measured in "
                f"'{measure.unit}'; remove them, or make them claims"
            )


def _check_pairs(study: Stated) -> None:
    for variant, plain in study.pairs.items():
        for name in (variant, plain):
            _check_condition(study, name, f"pairs.{variant}")
        if plain in study.pairs:
            raise ValueError(
                f"pairs.{variant}: '{plain}' is a variant of '{study.pairs[plain]}' itself"
            )
    for number, comparisons in enumerate(study.comparisons):
        for name in comparisons.treatments:
            if name not in study.pairs:
                raise ValueError(
                    f"comparisons.{number}: '{name}' has no partner; name it in [pairs]"
                )


def _check_texts(study: Stated) -> None:
    if study.texts is None:
        return
    parts = [part for one in study.conditions.values() for part in one.settings().values()]
    settings = list(dict.fromkeys(name for part in parts for name in part))
    levels = {name: factor.levels for name, factor in study.factors.items()}
    claims = [claim.id for claim in study.claims]
    study.texts.check(study.conditions, settings, levels, claims)


def _check_condition(study: Stated, name: str, place: str) -> None:
    if name not in study.conditions:
        raise ValueError(
            f"{place} names the condition '{name}', which the study does not have; it has "
            f"{', '.join(study.conditions)}"
        )


def _check_ids(kind: str, ids: Sequence[str]) -> None:
    """Raise ValueError where an id appears twice."""
    repeated = [name for name, times in Counter(ids).items() if times > 1]
    if repeated:
        raise ValueError(f"two {kind} have the same id '{repeated[0]}'")
