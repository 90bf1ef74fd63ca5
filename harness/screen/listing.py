"""Studies as tables for the terminal."""

from __future__ import annotations

from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from harness.studies.claims import Claim
from harness.studies.statements import Statement
from harness.studies.study import Study
from harness.studies.study_files import load_study, shipped_studies

MOST_CONDITIONS = 40
"""Number of conditions that are listed; a larger study is described by its factors."""


def shipped_table() -> Table:
    """Return a table of the studies that ship, with one row for each study."""
    table = Table("study", "conditions", "seeds", "what it is")
    for name in shipped_studies():
        study = load_study(name)
        table.add_row(name, str(len(study.conditions)), str(len(study.seeds)), study.description)
    return table


def show_study(out: Console, study: Study) -> None:
    """Print a study's protocol, factors, conditions and claims; its texts are no markup."""
    say = partial(out.print, markup=False, emoji=False)
    say(study.name, style="bold")
    if study.description:
        say(study.description)
    say(f"{len(study.seeds)} seeds, fingerprint {study.fingerprint()[:16]}\n")
    table = _table("protocol", "field", "value")
    for name, value in study.protocol.model_dump(exclude_none=True).items():
        table.add_row(name, str(value))
    say(table)
    if study.factors:
        table = _table("factors", "factor", "levels", "only with")
        for name, factor in study.factors.items():
            table.add_row(name, ", ".join(factor.levels), _listed(factor.when))
        say(table)
    if len(study.conditions) <= MOST_CONDITIONS:
        table = _table("conditions", "condition", "settings")
        shared = study.protocol.model_dump(exclude_none=True)
        for condition in study.conditions.values():
            settings = condition.method.model_dump(exclude_none=True)
            protocol = condition.protocol.model_dump(exclude_none=True)
            settings |= {
                field: value for field, value in protocol.items() if shared.get(field) != value
            }
            table.add_row(condition.name, _listed(settings))
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
