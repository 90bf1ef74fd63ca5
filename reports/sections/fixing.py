"""Whether the claims were fixed before their data, in words and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from reports.findings.fixing import WORDS, Fixing, terms_before, time_of, told_by_table
from reports.numbers.words import counted, listed
from reports.sections.section import Table


def fixing_paragraphs(
    found: Sequence[Fixing], tables: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> list[str]:
    """Return what a reader may believe of when the claims were fixed; empty where none tells.

    Parameters
    ----------
    tables : by family that is a table of published means, its claims.
    """
    within = told_by_table(found, tables)
    hidden = frozenset[str]().union(*within.values())
    names: dict[str, list[str]] = {}
    for one in found:
        what, name = one.standing.what, one.standing.id
        if what != "claim" or name not in hidden:
            claims = len(within.get(name, ())) if what == "family" else 0
            more = f" with {counted(claims, 'claim')}" if claims else ""
            names.setdefault(one.standing.status, []).append(f"{_name(one)}{more}")
    if not names:
        return []
    if names.keys() == {"before"}:
        many = {1: "The claim is", 2: "Both claims are"}
        what = many.get(len(found), f"All {len(found)} claims are")
        said = [
            f"{what} judged as this directory's register had {'it' if len(found) == 1 else 'them'} "
            f"before the first cell of {'its' if len(found) == 1 else 'their'} conditions was "
            "recorded."
        ]
    else:
        said = [
            f"Fixed before the data: {listed(names['before'])}." for _ in range("before" in names)
        ]
        said += [f"{WORDS[status].capitalize()}: {listed(names[status])}."
                 for status in ("changed", "made", "removed") if status in names]  # fmt: skip
    if "unknown" in names:
        which = listed(names["unknown"]) if len(names) > 1 else "the claims"
        said.append(
            f"Whether {which} {'were' if len(names['unknown']) > 1 or len(names) == 1 else 'was'} "
            "fixed before the data is not recorded: this directory has cells from before it had a "
            "register of claims."
        )
        said += sorted({one.standing.why for one in found if one.standing.status == "unknown"
                        and one.standing.why})  # fmt: skip
    if names.keys() != {"unknown"}:
        said.append(
            "The register (claims.jsonl) knows this directory alone, and nothing of what was "
            "trained elsewhere."
        )
    return [" ".join(said)]


def fixing_tables(
    found: Sequence[Fixing], tables: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> list[Table]:
    """Return every claim with the time when it was fixed, and what it said before its data.

    The values of a table that were fixed with it stand in a folded table of their own.
    """
    hidden = frozenset[str]().union(*told_by_table(found, tables).values())
    values = [one for one in found if one.standing.what == "claim" and one.standing.id in hidden]
    others = [one for one in found if one not in values]
    late = any(one.late or one.standing.status == "removed" for one in others)
    shown = [_table("When each claim was fixed", others, folded=not late)] if others else []
    if values:
        shown.append(_table("When each value of a table was fixed", values, folded=True))
    return shown


def _table(caption: str, found: Sequence[Fixing], *, folded: bool) -> Table:
    rows = []
    for one in found:
        standing = one.standing
        times = (standing.since, standing.entered, standing.first_cell)
        rows.append(
            [
                _name(one),
                WORDS[standing.status],
                "; ".join(standing.changes) or "-",
                f"{one.verdict_before}{terms_before(one)}" if one.before is not None else "-",
                *("-" if time is None else time_of(time).removesuffix(" UTC") for time in times),
                standing.fingerprint[:12],
            ]
        )
    header = ["claim", "fixed", "changes", "its verdict before them", "first written down (UTC)",
              "as judged here (UTC)", "first cell (UTC)", "fingerprint"]  # fmt: skip
    return Table(caption, header, rows, folded=folded)


def _name(one: Fixing) -> str:
    what, name = one.standing.what, one.standing.id
    return name if what == "claim" else f"{what} {name}"
