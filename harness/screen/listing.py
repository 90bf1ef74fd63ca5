"""Studies as tables for the terminal."""

from __future__ import annotations

from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from harness.studies.claims import Claim
from harness.studies.condition import HEADS
from harness.studies.declared import MISSING, Declared, declared
from harness.studies.known_data import IMBALANCES, KNOWN_DATA
from harness.studies.statements import Statement
from harness.studies.study import Study
from harness.studies.study_files import load_study, shipped_studies

ORDER = (
    "dhp-split-mnist", "dhp-attribution", "dhp-attribution-combined", "dhp-baselines",
    "dhp-ablations", "dhp-multiverse", "dhp-streams",
    "dhp-permuted-mnist", "dhp-permuted-mnist-attribution",
    "dhp-permuted-mnist-attribution-combined",
    "dhp-imbalanced-permuted-mnist", "dhp-imbalanced-permuted-mnist-attribution",
    "dhp-imbalanced-permuted-mnist-attribution-combined",
    "hsu-split-mnist", "hsu-conventions", "hsu-rerun-split-mnist", "baselines-split-mnist",
    "dhp-split-digits", "protocol-split-digits", "precision-split-mnist", "smoke",
)  # fmt: skip
"""The studies in the order to read them: the claim, its causes, the poster's other benchmarks,
tables of other authors, checks; others follow by name."""

SECONDS_A_STEP = 2.5e-3
"""Of one core, for one step of one cell: what the records of the shipped studies took."""

MOST_CONDITIONS = 40
"""Number of conditions that are listed; a larger study is described by its factors."""


def shipped_table() -> Table:
    """Return a table of the studies that ship: the default first, then in the order to read them.

    The time is a rough one of one core, from the steps of the optimiser.
    """
    table = Table("study", "conditions", "seeds", "cells", "core time", "what it is")
    table.columns[0].overflow = "fold"  # a name is there to be typed
    table.caption = "* runs where no command is given; run STUDY --dry-run measures the time here"
    for name in sorted(shipped_studies(), key=place_of):
        study = load_study(name)
        count, seeds = len(study.conditions), len(study.seeds)
        table.add_row(
            f"{name}{' *' if name == ORDER[0] else ''}",
            str(count),
            str(seeds),
            str(count * seeds),
            _rough_time(study),
            study.description,
        )
    return table


def shipped_facts() -> list[dict[str, Any]]:
    """Return name, description, conditions, seeds and cells of the studies that ship."""
    studies = map(load_study, sorted(shipped_studies(), key=place_of))
    return [
        {
            "name": study.name,
            "description": study.description,
            "conditions": list(study.conditions),
            "seeds": list(study.seeds),
            "cells": len(study.conditions) * len(study.seeds),
        }
        for study in studies
    ]


def place_of(name: str) -> tuple[int, str]:
    """Return by what studies are sorted to the order in which to read them."""
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def _rough_time(study: Study) -> str:
    """Return the time that all cells take one core, in words: "about 30 minutes"."""
    seconds = 0.0
    for condition in study.ours.values():
        protocol = condition.stack_protocol
        known = KNOWN_DATA[protocol.benchmark]
        sizes = known.train_sizes
        samples = sum(sizes) * (1 - protocol.validation_fraction)
        samples *= len(known.tasks) if known.seeded else 1
        samples *= IMBALANCES.get(protocol.imbalance or "", 1.0)
        steps = float(protocol.iterations_per_task or 0) * len(known.tasks)
        steps = steps or (protocol.epochs or 0) * samples / protocol.batch_size
        seconds += len(study.seeds) * steps * SECONDS_A_STEP
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = round(seconds / size)
            return f"about {count} {unit}{'s' * (count != 1)}"
    return "seconds"


def settings_table() -> Table:
    """Return a table of what a condition may choose and set, as the classes declare it."""
    table = Table("key", "value", "further keys, with their defaults", title_justify="left")
    table.title = "what a condition may choose"
    for kind, key in (("head", "plasticity"), ("head", "ablation"), ("consolidation", None)):
        for name, of in declared(kind).items():
            by_plasticity = {head: level for level, head in HEADS.items()}
            if key == "plasticity" and name in by_plasticity:
                table.add_row("plasticity", by_plasticity[name], _fields(of))
            elif key == "ablation" and name not in by_plasticity:
                table.add_row("ablation", name, "those of plasticity = on")
            elif key is None:
                table.add_row(kind, name, _fields(of))
    for name, of in declared("optimiser").items():
        table.add_row("protocol.optimiser", name, _fields(of))
    table.add_row("head, consolidation, protocol.optimiser", "file.py:Class", "those of your class")
    return table


def _fields(of: Declared) -> str:
    return ", ".join(
        f"{field.name} (needed)" if field.default is MISSING else f"{field.name} = {field.default}"
        for field in of.fields
    )


def show_study(out: Console, study: Study) -> None:
    """Print a study's protocol, factors, conditions and claims; its texts are no markup."""
    say = partial(out.print, markup=False, emoji=False)
    say(study.name, style="bold")
    if study.description:
        say(study.description)
    say(f"{len(study.seeds)} seeds, fingerprint {study.fingerprint()[:16]}\n")
    shared = {} if study.protocol is None else study.protocol.model_dump(exclude_none=True)
    if shared:
        table = _table("protocol", "field", "value")
        for name, value in shared.items():
            table.add_row(name, str(value))
        say(table)
    if study.factors:
        table = _table("factors", "factor", "levels", "only with")
        for name, factor in study.factors.items():
            table.add_row(name, ", ".join(factor.levels), _listed(factor.when))
        say(table)
    if len(study.conditions) <= MOST_CONDITIONS:
        table = _table("conditions", "condition", "settings")
        for condition in study.conditions.values():
            told = condition.settings()
            protocol = {
                field: value
                for field, value in told["protocol"].items()
                if shared.get(field) != value
            }
            table.add_row(condition.name, _listed(told["method"] | protocol))
        say(table)
    else:
        say(f"{len(study.conditions)} conditions, the crossings of the factors\n")
    if study.claims:
        table = _table("claims", "claim", "text", "reported", "source")
        for claim in study.claims:
            value = _asked(claim)
            table.add_row(claim.id, claim.text, value, claim.source)
        say(table)
    if study.curves:
        table = _table("specification curves", "curve", "gain of", "over", "text")
        for curve in study.curves:
            table.add_row(curve.id, _listed(curve.treatment), _listed(curve.baseline), curve.text)
        say(table)


def _asked(claim: Claim | Statement) -> str:
    if isinstance(claim, Claim):
        return f"{claim.reported:+} ± {claim.margin} {claim.unit}"
    fields = claim.model_dump(exclude_none=True, exclude={"id", "text", "source", "kind", "alpha"})
    return f"{claim.kind}: {_listed(fields)}"


def _table(title: str, *columns: str) -> Table:
    return Table(*columns, title=title, title_justify="left")


def _listed(fields: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in fields.items())
