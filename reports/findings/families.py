"""Many claims at once: which verdicts stand together, and families that stand or fall together.

A verdict's p-value is the smallest alpha at which it would still be given. Holm's procedure (1979)
over all claims of a study says which verdicts would still be given if the chance of any wrong one
among them were to be alpha. A claim without a verdict takes part with a p-value of 1; controls,
whose truth is known, take no part.

A family of claims of kind "value" alone is a table of published means. They are counted among those
of their table, so that forty values that are shown beside a claim do not weaken it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from reports.findings.contrasts import JudgedClaim
from reports.findings.statements import JudgedStatement
from reports.numbers.significance import holm
from reports.numbers.study import Family
from reports.numbers.verdict import Verdict


@dataclass(frozen=True)
class Told:
    """A claim's verdict among those of its study.

    Attributes
    ----------
    p_value : the smallest alpha at which the verdict would still be given; None without one.
    p_holm : the same for all claims of the study together.
    stands : whether it would be given too if the chance of any wrong verdict were to be alpha.
    agrees : whether the verdict is what the claim says; None where these seeds cannot tell, and
        for DIRECTION ONLY, which leaves open whether the gain is as large as the claim says.
    """

    claim: str
    verdict: str | None
    p_value: float | None
    p_holm: float | None
    stands: bool | None
    agrees: bool | None
    alpha: float


@dataclass(frozen=True)
class JudgedFamily:
    """Claims that stand or fall together.

    Attributes
    ----------
    verdict : "STANDS" where every claim agrees; "FALLS" where one is surely otherwise, counting
        that any of them could be (Holm within the family); "UNDECIDED".
    members : the claims, with Holm's p-values within the family.
    agree : how many agree.
    by_chance : how many would agree by chance at most, on average, if none were so.
    p_chance : the chance of as many or more that agree, if none were so, is at most this, however
        the claims depend on each other.
    """

    id: str
    text: str
    verdict: str
    members: tuple[Told, ...]
    agree: int
    by_chance: float
    p_chance: float


def tables_among(families: Sequence[Family], values: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the claims of each family that is a table of published means, by its id.

    Parameters
    ----------
    values : the claims of kind "value"; each counts to the first of its families.
    """
    left, found = set(values), {}
    for family in families:
        if set(family.claims) <= left:
            found[family.id] = tuple(family.claims)
            left -= set(family.claims)
    return found


def told(
    claims: Sequence[JudgedClaim],
    statements: Sequence[JudgedStatement],
    tables: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, Told]:
    """Return by id what became of each claim that is no control.

    Parameters
    ----------
    tables : the claims of each table of published means, which count among themselves.
    """
    found: list[tuple[str, str | None, float | None, bool | None, float]] = []
    for judged in claims:
        if judged.claim.expected is None:
            verdict = None if judged.judgement is None else judged.judgement.verdict
            p = None if judged.judgement is None else judged.judgement.p_value
            cannot_tell = p is None or verdict is Verdict.DIRECTION_ONLY
            agrees = None if cannot_tell else verdict is Verdict.REPRODUCED
            word = None if verdict is None else str(verdict)
            found.append((judged.claim.id, word, p, agrees, judged.claim.alpha))
    for one in statements:
        if one.claim.expected is None:
            ruling = one.ruling
            word = None if ruling is None else ruling.verdict
            p = None if ruling is None else ruling.p_value
            agrees = None if ruling is None else ruling.agrees
            found.append((one.claim.id, word, p, agrees, one.claim.alpha))
    table_of = {name: table for table, names in tables.items() for name in names}
    by_claim: dict[str, Told] = {}
    for group in (None, *tables):
        own = [one for one in found if table_of.get(one[0]) == group]
        by_claim |= {one.claim: one for one in _together(own)}
    return {name: by_claim[name] for name, *_ in found}


def judged_families(
    families: Sequence[Family], told_by_claim: Mapping[str, Told]
) -> tuple[JudgedFamily, ...]:
    """Return what became of each family, but for one with a claim that the study no longer has."""
    known = [family for family in families if set(family.claims) <= told_by_claim.keys()]
    return tuple(_family(family, told_by_claim) for family in known)


def _family(family: Family, told_by_claim: Mapping[str, Told]) -> JudgedFamily:
    own = [told_by_claim[name] for name in family.claims]
    members = _together([(one.claim, one.verdict, one.p_value, one.agrees, one.alpha)
                         for one in own])  # fmt: skip
    agree = sum(one.agrees is True for one in members)
    chance = math.fsum(one.alpha for one in members)
    verdict = "UNDECIDED"
    if agree == len(members):
        verdict = "STANDS"
    elif any(one.agrees is False and one.stands for one in members):
        verdict = "FALLS"
    return JudgedFamily(
        id=family.id,
        text=family.text,
        verdict=verdict,
        members=tuple(members),
        agree=agree,
        by_chance=chance,
        p_chance=min(1.0, chance / agree) if agree else 1.0,
    )


def _together(
    found: Sequence[tuple[str, str | None, float | None, bool | None, float]],
) -> list[Told]:
    adjusted = holm([1.0 if p is None else p for _, _, p, _, _ in found]) if found else []
    return [
        Told(
            claim=claim,
            verdict=verdict,
            p_value=p,
            p_holm=None if p is None else together,
            stands=None if p is None else together <= alpha,
            agrees=agrees,
            alpha=alpha,
        )
        for (claim, verdict, p, agrees, alpha), together in zip(found, adjusted, strict=True)
    ]
