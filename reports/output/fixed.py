"""What ``verdict.json`` says of when claims were fixed, and of how complete the data are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from reports.findings.completeness import Completeness
from reports.findings.contrasts import JudgedClaim
from reports.findings.fixing import Fixing
from reports.findings.statements import JudgedStatement

OF_STANDING = (
    "status",
    "fingerprint",
    "entered",
    "since",
    "seen",
    "first_cell",
    "changes",
    "versions",
    "why",
)
Entry = Callable[[JudgedClaim | JudgedStatement], dict[str, Any]]
"""Returns what the document says of a claim."""


def complete(found: Completeness) -> dict[str, Any]:
    """Return how many seeds or cells are done, and what became of the others."""
    return {
        "done": found.done,
        "of": found.of,
        "others": dict(found.others),
        "preliminary": found.preliminary,
    }


def fixed_claim(found: Sequence[Fixing], name: str, entry: Entry) -> dict[str, Any] | None:
    """Return when a claim was fixed; None where nobody knows anything of that."""
    for one in found:
        if (one.standing.what, one.standing.id) == ("claim", name):
            return _fixed(one, entry)
    return None


def fixed_others(found: Sequence[Fixing], entry: Entry) -> dict[str, Any]:
    """Return when families and curves were fixed, and which claims were removed after their data.

    Empty where there are none.
    """
    others = [
        {"what": one.standing.what, "id": one.standing.id} | _fixed(one, entry)
        for one in found
        if one.standing.what != "claim" or one.standing.status == "removed"
    ]
    return {"fixed": others} if others else {}


def _fixed(one: Fixing, entry: Entry) -> dict[str, Any]:
    before: Any = one.before
    if isinstance(before, JudgedClaim | JudgedStatement):
        before = entry(before)
    return {name: getattr(one.standing, name) for name in OF_STANDING} | {"verdict_before": before}
