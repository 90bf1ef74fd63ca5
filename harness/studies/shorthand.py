"""What a study file may leave out of a claim, filled in before anything is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.studies.measured import Measure
from harness.studies.statements import METRICS

SHARE = 5
"""A gain of less than this part of the margin counts as none, in units that have no default."""
FIELD = "values."
"""Where in a record the numbers lie that a program or a table measured."""


def with_ids(claims: list[Any]) -> list[Any]:
    """Give each claim an id that has none, made of the conditions that it is about."""
    taken = {claim.get("id") for claim in claims if isinstance(claim, Mapping)}
    named = []
    for claim in claims:
        if isinstance(claim, Mapping) and "id" not in claim:
            base = name = _name_of(claim)
            number = 1
            while name in taken:
                number += 1
                name = f"{base} ({number})"
            taken.add(name)
            claim = {"id": name, **claim}
        named.append(claim)
    return named


def about_values(claim: Any, measure: Measure) -> Any:
    """Return a claim of a study that measures numbers of its own, as one about a record's number.

    A claim that names no metric is about the measure; an accuracy's is left as it is. Any metric
    that is not ours is the name of a number.

    Raises
    ------
    ValueError
        Where a claim contradicts the measure, or does not say enough about another number.
    """
    if not isinstance(claim, Mapping) or "field" in claim:
        return claim
    metric = claim.get("metric", measure.name)
    place = f"claim '{claim.get('id')}'"
    if metric == measure.name:
        if measure.is_accuracy:
            return {name: value for name, value in claim.items() if name != "metric"}
        if "higher_is_better" in claim:
            raise ValueError(f"{place}: the table [measure] says higher_is_better; remove it here")
        if claim.get("unit", measure.unit) not in (measure.unit, "relative %"):
            raise ValueError(
                f"{place}: unit = '{claim['unit']}', but {measure.name} is measured in "
                f"'{measure.unit}'; write that, or 'relative %'"
            )
        said = {"unit": measure.unit, "higher_is_better": measure.higher_is_better}
    elif metric in METRICS or not isinstance(metric, str):
        if metric in METRICS and not measure.is_accuracy:
            raise ValueError(
                f"{place}: metric = '{metric}' is of accuracies, and {measure.name} is none; "
                "write the name of a number that is measured"
            )
        return claim
    else:
        if "unit" not in claim or "higher_is_better" not in claim:
            raise ValueError(f"{place}: metric = '{metric}' needs unit and higher_is_better")
        said = {}
    filled = said | {**claim, "metric": "record", "field": f"{FIELD}{metric}"}
    margin = claim.get("margin")
    is_gain = claim.get("kind", "gain") == "gain" and filled["unit"] != "relative %"
    if is_gain and "negligible" not in claim and isinstance(margin, int | float) and margin > 0:
        filled["negligible"] = margin / SHARE
    return filled


def _name_of(claim: Mapping[str, Any]) -> str:
    treatment, baseline = claim.get("treatment"), claim.get("baseline")
    order, kind = claim.get("order"), claim.get("kind", "gain")
    if treatment is not None:
        about = f"{treatment} over {baseline}"
    elif isinstance(order, list):
        about = ", ".join(map(str, order))
    else:
        about = str(claim.get("condition", ""))
    metric = claim.get("metric")
    words = [kind] * (kind != "gain") + [about] + ([f"in {metric}"] if metric else [])
    return " ".join(words)[:90].strip() or "claim"
