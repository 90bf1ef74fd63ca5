"""How sensitive each method is to its settings: what a search measured, and what it chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from reports.figures.sheet import HALF, Sheet
from reports.figures.theme import INK, MUTED, PALETTE, PAPER, drawing, lettered, power_of_ten
from reports.findings.searched import Search, SearchedCondition, TriedSetting

COLUMNS = 4


def draw_search(search: Search) -> Figure:
    """Draw each condition's mean on held-out data over the values of its first searched number.

    Settings that differ in other fields too are lines of their own. Bars are standard errors.

    Raises
    ------
    ValueError
        Where nothing was tried.
    """
    if not search.conditions:
        raise ValueError("the search tried nothing")
    with drawing():
        sheet = Sheet(len(search.conditions), HALF, 1.25, COLUMNS, same="y")
        keys: dict[str, Line2D] = {}
        for axis, of in zip(sheet.panels, search.conditions, strict=True):
            keys |= _draw_condition(sheet, axis, of, search.unit)
        sheet.note(f"↑ {lettered(search.measure)} ({lettered(search.unit)}) on held-out data")
        sheet.key(keys.values(), keys, alone=True)
        return sheet.finish()


def _draw_condition(
    sheet: Sheet, axis: Axes, of: SearchedCondition, unit: str
) -> dict[str, Line2D]:
    field = _field(of)
    places = _places(of, field)
    groups: dict[str, list[int]] = {}
    for number, one in enumerate(of.tried):
        others = {name: value for name, value in one.setting.items() if name != field}
        groups.setdefault(worded(others), []).append(number)
    keys: dict[str, Line2D] = {}
    for place, (name, members) in enumerate(groups.items()):
        shown = sorted(
            (number for number in members if _whole(of.tried[number])), key=places.__getitem__
        )
        colour = PALETTE[place % len(PALETTE)]
        means = [of.tried[number].mean or 0.0 for number in shown]
        errors = [of.tried[number].standard_error or 0.0 for number in shown]
        at = [places[number] for number in shown]
        ends = [(m - e, m + e) for m, e in zip(means, errors, strict=True)]
        axis.vlines(at, [low for low, _ in ends], [high for _, high in ends], color=colour, lw=1.0)
        (line,) = axis.plot(at, means, "-o", color=colour, ms=3.5, lw=1.2, mfc=PAPER)
        sheet.tell(line, [_says(of.tried[number], unit) for number in shown])
        keys["tried; bar: standard error" if not name else lettered(name, 24)] = line
        lost = [places[number] for number in members if not _whole(of.tried[number])]
        if lost:
            (cross,) = axis.plot(lost, [0.05] * len(lost), "x", color=MUTED, ms=4,
                                 transform=axis.get_xaxis_transform())  # fmt: skip
            keys["a seed diverged"] = cross
    for number, one in enumerate(of.tried):
        if one.chosen:
            (mark,) = axis.plot([places[number]], [one.mean or 0.0], "D", color=INK, ms=5, zorder=5)
            keys["chosen"] = mark
    if of.published is not None and isinstance(of.published.get(field or ""), int | float):
        line = axis.axvline(float(of.published[field or ""]), color=INK, ls="--", lw=1.0)
        keys["published"] = line
    axis.set_title(lettered(of.condition, 24))
    if field is not None:
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(FuncFormatter(power_of_ten))
        axis.minorticks_off()
        axis.set_xlabel(lettered(field, 24))
    else:
        axis.set_xticks(places, [lettered(worded(one.setting), 10) for one in of.tried])
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    return keys


def _whole(one: TriedSetting) -> bool:
    return one.diverged == 0 and one.mean is not None


def _field(of: SearchedCondition) -> str | None:
    """Return the searched number with the most values above 0; None where there is no such one."""
    values: dict[str, set[float]] = {}
    for one in of.tried:
        for name, value in one.setting.items():
            values.setdefault(name, set()).add(
                float(value) if _is_number(value) and value > 0 else -1.0
            )
    numbers = {name: len(those) for name, those in values.items() if -1.0 not in those}
    return max(numbers, key=lambda name: numbers[name], default=None)


def _places(of: SearchedCondition, field: str | None) -> Sequence[float]:
    if field is None:
        return [float(number) for number in range(len(of.tried))]
    return [float(one.setting[field]) for one in of.tried]


def _says(one: TriedSetting, unit: str) -> str:
    error = "" if one.standard_error is None else f" ± {one.standard_error:.2f}"
    return f"{worded(one.setting)}: {one.mean:.2f}{error} {unit}"


def worded(setting: Mapping[str, Any]) -> str:
    """Return a setting in words: strength 100, xi 0.1."""
    return ", ".join(
        f"{name} {f'{value:g}' if _is_number(value) else value}" for name, value in setting.items()
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
