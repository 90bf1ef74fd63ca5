"""What a study's verdicts must be: those of its controls, and those that a caller requires."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from reports.findings.completeness import Completeness
from reports.findings.contrasts import JudgedClaim
from reports.findings.fixing import Fixing
from reports.findings.statements import JudgedStatement
from reports.judging.kinds import KINDS
from reports.numbers.verdict import Verdict

Judged = JudgedClaim | JudgedStatement
VERDICTS = tuple(
    dict.fromkeys([*Verdict, *(word for kind in KINDS.values() for word in kind.signs)])
)
"""Every word that a verdict of some kind can be."""


def verdicts_in(text: str) -> tuple[str, ...]:
    """Return the verdicts that a text names between commas; ValueError where one is none."""
    words = tuple(word.strip().upper() for word in text.split(","))
    for word in words:
        if word not in VERDICTS:
            raise ValueError(f"'{word}' is no verdict; there are {', '.join(VERDICTS)}")
    return words


def verdict_of(judged: Judged) -> str | None:
    """Return the verdict on a claim of any kind; None where no seed can tell."""
    if isinstance(judged, JudgedStatement):
        return None if judged.ruling is None else judged.ruling.verdict
    return None if judged.judgement is None else str(judged.judgement.verdict)


def failed_controls(claims: Sequence[Judged]) -> tuple[str, ...]:
    """Return a sentence for each control that did not get the verdict that it must get."""
    return tuple(
        f"CONTROL FAILED. {judged.claim.id} must be {judged.claim.expected} and is "
        f"{verdict_of(judged)}: either the procedure or what was run is not what this report "
        "takes it for, so trust no verdict of it."
        for judged in claims
        if judged.as_expected is False
    )


def reservations(complete: Mapping[str, Completeness], fixed: Sequence[Fixing]) -> dict[str, str]:
    """Return by claim why its verdict meets no requirement yet, whatever it is.

    A verdict on a part of the seeds may still turn, and one on a claim that was changed or made
    after its data is no verdict on what was claimed.
    """
    late = {one.standing.id: one.mark for one in fixed if one.late and one.standing.what == "claim"}
    begun = {name: "PRELIMINARY" for name, found in complete.items() if found.preliminary}
    return begun | {name: mark for name, mark in late.items() if mark}


def unmet_demands(claims: Sequence[Judged], reserved: Mapping[str, str] | None = None) -> list[str]:
    """Return the claims of which the study itself requires another verdict than they have.

    ``reserved`` is from ``reservations``.
    """
    return [
        f"{judged.claim.id} must be {' or '.join(judged.claim.require)} and is "
        f"{_said(judged, reserved)}"
        for judged in claims
        if judged.claim.require is not None and not _meets(judged, judged.claim.require, reserved)
    ]


def unmet(
    claims: Sequence[Judged],
    required: Collection[str],
    reserved: Mapping[str, str] | None = None,
) -> list[str]:
    """Return the claims whose verdict is none of those that are required, each with its verdict.

    Controls are left out; a claim that no seed can judge has no verdict and meets nothing.
    ``reserved`` is from ``reservations``.
    """
    return [
        f"{judged.claim.id} is {_said(judged, reserved)}"
        for judged in claims
        if judged.claim.expected is None and not _meets(judged, required, reserved)
    ]


def _meets(judged: Judged, required: Collection[str], reserved: Mapping[str, str] | None) -> bool:
    return verdict_of(judged) in required and judged.claim.id not in (reserved or {})


def _said(judged: Judged, reserved: Mapping[str, str] | None) -> str:
    verdict = verdict_of(judged)
    if verdict is None:
        return "not judged"
    return ", ".join(filter(None, [verdict, (reserved or {}).get(judged.claim.id)]))
