"""The one number that each cell measured, in its own unit, and how such numbers are printed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.numbers.records import Record, final_accuracy, is_done
from reports.numbers.study import Measure
from reports.numbers.tables import IDENTITY, mean_with_interval

BySeed = Mapping[str, Mapping[int, float]]
"""By condition, then by seed."""
PLAIN = 6  # digits after the point beyond which powers of ten are easier to read


def shown_unit(measure: Measure) -> str:
    """Return the unit in which the measure is shown: an accuracy in %, others in their own."""
    return "%" if measure.is_accuracy else measure.unit


def value_of(record: Record, measure: Measure) -> float | None:
    """Return what a cell that is done measured, in ``shown_unit``; None where it did not."""
    if not is_done(record):
        return None
    if measure.is_accuracy:
        return final_accuracy(record) if record["accuracy"] else None
    return record.get("values", {}).get(measure.name)


def by_seed(records: Sequence[Record], conditions: Iterable[str], measure: Measure) -> BySeed:
    """Return the values of the conditions that have any, seeds rising."""
    found: dict[str, dict[int, float]] = {name: {} for name in conditions}
    for record in sorted(records, key=lambda record: record["seed"]):
        value = value_of(record, measure)
        if value is not None and record["condition"] in found:
            found[record["condition"]][record["seed"]] = value
    return {name: values for name, values in found.items() if values}


def curves_of(
    records: Sequence[Record], conditions: Iterable[str], measure: Measure
) -> dict[str, dict[str, list[list[float]]]]:
    """Return the curves that cells recorded, by name and condition, one list a seed.

    Those of an accuracy are in %; what was not finite is NaN.
    """
    found: dict[str, dict[str, list[list[float]]]] = {}
    for record in sorted(records, key=lambda record: record["seed"]):
        for name, curve in record.get("curves", {}).items() if is_done(record) else ():
            factor = 100 if measure.is_accuracy and name == measure.name else 1
            values = [math.nan if value is None else factor * value for value in curve]
            found.setdefault(name, {}).setdefault(record["condition"], []).append(values)
    kept = list(conditions)
    return {
        name: {condition: of[condition] for condition in kept if condition in of}
        for name, of in sorted(found.items())
    }


def summary(records: Sequence[Record], conditions: Sequence[str], measure: Measure) -> pd.DataFrame:
    """Return one row for each condition: its mean over seeds with a 95% t interval.

    Columns: condition, seeds (how many are done), diverged, and the measure's name with the ends
    ``_low`` and ``_high`` (NaN where the seeds show no spread). No mean includes diverged cells.
    """
    values = by_seed(records, conditions, measure)
    rows = []
    for name in conditions:
        diverged = sum(r["condition"] == name and r["status"] == "diverged" for r in records)
        own = np.array([*values.get(name, {}).values()], dtype=np.float64)
        mean, low, high = mean_with_interval(own)
        of_measure = {measure.name: mean, f"{measure.name}_low": low, f"{measure.name}_high": high}
        rows.append({"condition": name, "seeds": len(own), "diverged": diverged, **of_measure})
    ends = [f"{measure.name}{end}" for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["condition", "seeds", "diverged", *ends])


def tidy(records: Sequence[Record]) -> pd.DataFrame:
    """Return one row for each named number that was measured, and each point of a curve.

    Columns: study, condition, seed, status, key, quantity, step (counted from 1; missing where the
    number is no point of a curve), value; sorted by condition, seed, quantity and step.
    """
    rows: list[dict[str, Any]] = []
    for record in sorted(records, key=lambda record: (record["condition"], record["seed"])):
        identity: Mapping[str, Any] = record
        cell = {name: identity[name] for name in IDENTITY}
        for name, value in sorted(record.get("values", {}).items()):
            rows.append({**cell, "quantity": name, "step": None, "value": value})
        for name, curve in sorted(record.get("curves", {}).items()):
            for step, value in enumerate(curve, start=1):
                rows.append({**cell, "quantity": name, "step": step, "value": value})
    table = pd.DataFrame(rows, columns=[*IDENTITY, "quantity", "step", "value"])
    return table.astype({"step": "Int64", "value": "float64"})


def form_for(values: Iterable[float], errors: Iterable[float] = ()) -> Callable[[float], str]:
    """Return how numbers of one table are printed: 0.0012, 0.473, 12.35, 35,000.

    All of them have so many digits after the point that the smallest of their ``errors``, such as
    half the width of an interval, has two digits; without errors, that the values have four.
    """
    sizes = [abs(v) for v in values if math.isfinite(v) and v]
    widths = [e for e in errors if math.isfinite(e) and e > 0]
    if not sizes:
        return lambda value: f"{value:g}"
    digits = 1 - _exponent(min(widths)) if widths else 3 - _exponent(max(sizes))
    decimals = max(0, min(digits, 12))
    if (decimals > PLAIN and max(sizes) < 10**-3) or max(sizes) >= 10**9:
        figures = max(1, _exponent(max(sizes)) + digits)
        return lambda value: f"{value:.{min(figures, 9)}e}"
    return lambda value: f"{value:,.{decimals}f}"


def signed_form(form: Callable[[float], str]) -> Callable[[float], str]:
    """Return how differences are printed: as the numbers, with a sign."""
    return lambda value: f"+{form(value)}" if value >= 0 else form(value)


def _exponent(value: float) -> int:
    """Return the power of ten of the first digit."""
    return math.floor(math.log10(value))
