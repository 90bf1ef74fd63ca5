"""The box "What was run": what a reader asks before any number."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reports.findings.analysis import Analysis
from reports.findings.asked import Asked, AskedCondition, AskedFactor
from reports.numbers.words import counted, listed
from reports.sections.rich import Code, Part, Rich, Strong
from reports.sections.section import Fact

MOST_CONDITIONS = 24
"""Number of conditions that the box defines; a study with more is described by its factors."""
OF_NETWORK = ("hidden",)
PHRASED = ("train", "command", "hidden", "epochs", "iterations_per_task", "batch_size")
"""Settings that have words of their own."""
UNSAID = frozenset({"benchmark", "validation_fraction"})
"""Settings that are said elsewhere in the box, or not at all where they are 0."""


def facts(analysis: Analysis) -> list[Fact]:
    """Return the lines of the box; what neither study nor records say is left out."""
    asked = analysis.asked
    tabled = {name for names in analysis.tables.values() for name in names}
    found = [
        Fact("Study", _sentences(asked.description)),
        Fact("Complete", [_complete(analysis)]),
        Fact("Data", _sentences(asked.data or _benchmark(asked), *_of_data(analysis))),
        *_settings(asked),
        Fact("Conditions", _conditions(asked)),
        Fact("Source", _source(asked, tabled), copied=asked.citation or ""),
        Fact("Margin", _sentences(asked.margin or "")),
        Fact("Cost", [_cost(analysis)] if analysis.compute_seconds else []),
    ]
    return [fact for fact in found if fact.lines]


def _benchmark(asked: Asked) -> str:
    return str(asked.settings.get("benchmark", ""))


def _of_data(analysis: Analysis) -> list[str]:
    held_out = analysis.asked.settings.get("validation_fraction")
    tasks = f"{counted(analysis.tasks, 'task')}, one after the other" if analysis.tasks > 1 else ""
    held = (
        f"accuracies are on {100 * held_out:g}% of the training set that were held out; the test "
        "set is not read"
        if held_out
        else ""
    )
    return [tasks, held]


def _settings(asked: Asked) -> list[Fact]:
    """Return the settings that all conditions share, in words, those last that have none."""
    names = sorted((n for n in asked.settings if n not in UNSAID), key=lambda n: n not in PHRASED)
    said = {name: words(asked, name, asked.settings[name]) for name in names}
    network = [said.pop(name) for name in OF_NETWORK if name in said]
    found = [("Network", asked.network, network), ("Training", asked.training, said.values())]
    return [
        Fact(term, lines)
        for term, text, settings in found
        if (lines := _sentences(text or "", ", ".join(settings)))
    ]


def words(asked: Asked, name: str, value: Any) -> str:
    """Return a setting and its value in words: "2 hidden layers of 256 and 256 units"."""
    if name == "train" and isinstance(value, str):
        file, _, function = value.partition(":")
        return f"trained by {function} of {file}"
    # A parameter of a user's own function may have such a name and another meaning.
    match name if "benchmark" in asked.settings else "", value:
        case "hidden", [*widths]:
            layers = "a hidden layer" if len(widths) == 1 else f"{len(widths)} hidden layers"
            return f"{layers} of {listed([str(width) for width in widths])} units"
        case "epochs", int():
            return f"{counted(value, 'epoch')} a task"
        case "iterations_per_task", int():
            return f"{counted(value, 'update')} a task"
        case "batch_size", int():
            return f"mini-batches of {value}"
        case "command", str():
            return f"trained by the command {value}"
    shown = {True: "yes", False: "no"}[value] if isinstance(value, bool) else _shown(value)
    return f"{asked.named(name)}: {shown}"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return listed([_shown(one) for one in value])
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(one)}" for name, one in value.items())
    return str(value)


def _conditions(asked: Asked) -> list[Rich]:
    lines: list[Rich] = []
    if asked.factors:
        lines.append(f"{counted(asked.crossings, 'crossing')} of these choices:")
        lines += [_factor(factor, asked) for factor in asked.factors]
    lines += [_condition(one, asked) for one in asked.conditions[:MOST_CONDITIONS]]
    more = len(asked.conditions) - MOST_CONDITIONS
    return [*lines, f"and {more} more"] if more > 0 else lines


def _factor(factor: AskedFactor, asked: Asked) -> Rich:
    parts: list[Part] = [f"{asked.named(factor.name)}: "]
    for place, (level, text) in enumerate(factor.levels.items()):
        parts += ["; " * (place > 0), Strong(level), f" ({text})" if text else ""]
    return tuple(parts)


def _condition(one: AskedCondition, asked: Asked) -> Rich:
    parts: list[Part] = [Code(one.name), ": ", f"{one.words}. " if one.words else ""]
    if one.baseline:
        return (*parts, "The baseline: of the others, what differs from it.")
    differs = "; ".join(words(asked, name, value) for name, value in one.differs.items())
    return (*parts, Strong(differs)) if differs else tuple(parts)


def _source(asked: Asked, tabled: Collection[str]) -> list[Rich]:
    lines: list[Rich] = [_stop(line) for line in asked.references]
    if asked.sources:
        printed = "; ".join(f"{name}: {place}" for name, place in asked.sources.items())
        lines.append(_stop(printed))
    by_place: dict[str, list[str]] = {}
    for name, place in asked.printed.items():
        # Said above, of the whole table; and nothing where there is no place.
        if not place or (name in tabled and place in asked.sources.values()):
            continue
        by_place.setdefault(place, []).append(name)
    if by_place:
        each = (f"{listed(names)} ({place})" for place, names in by_place.items())
        lines.append(_stop(f"claims: {'; '.join(each)}"))
    return lines


def _complete(analysis: Analysis) -> str:
    """Return how many cells are done, and what became of the others."""
    whole = analysis.whole
    each = (
        f"{counted(len(analysis.cells), 'condition')} with {counted(len(analysis.seeds), 'seed')}"
    )
    if analysis.values.unshared:
        each = f"{counted(len(analysis.cells), 'condition')}, each with seeds of its own"
    about = ", ".join(filter(None, [each, whole.rest]))
    return f"{whole.words('cell')} {'is' if whole.of == 1 else 'are'} done ({about})."


def _cost(analysis: Analysis) -> str:
    hours = analysis.compute_seconds / 3600
    spent = f"{hours:.1f} hours" if hours >= 2 else f"{analysis.compute_seconds / 60:.1f} minutes"
    devices = listed(list(dict.fromkeys(str(one.device) for one in analysis.devices)))
    return f"{spent} of compute, summed over cells{f', on {devices}' if devices else ''}."


def _sentences(*texts: str) -> list[Rich]:
    return [_stop(text) for text in texts if text]


def _stop(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
