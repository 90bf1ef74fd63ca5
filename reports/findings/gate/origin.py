"""What else has changed since results were accepted, and which machine the alarms come from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from reports.findings.gate.cells import CellName
from reports.numbers.records import Record

MOST_CONDITIONS = 3


def machine_of(record: Record) -> str:
    """Return the machine of a record, in words: processor, device and version of torch."""
    provenance = record["provenance"]
    parts = [str(provenance.get(name, "unknown")) for name in ("cpu", "device", "numerics")]
    return f"{parts[0]}, {parts[1]}, torch {provenance.get('torch')}, numerics {parts[2]}"


def changes(records: Sequence[Record], baseline: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what differs between the accepted results and the new ones, besides the results."""
    found = list(_settings(records, baseline["settings"]))
    uncertain = {r["condition"] for r in records if r["provenance"].get("deterministic") is False}
    uncertain -= {*baseline.get("not_deterministic", ())}
    if uncertain:
        found.append(f"{_few(sorted(uncertain))}: no longer the same for the same seed")
    for name, before in baseline["versions"].items():
        now = sorted({_version(r["provenance"], name) for r in records})
        if now != [str(before)]:
            found.append(f"{name} {before} -> {', '.join(now)}")
    for name, before in baseline["environment"].items():
        now = sorted({str(r["provenance"].get(name)) for r in records})
        if name not in ("torch", "numerics") and now != [str(before)]:
            found.append(f"{name} {before} -> {', '.join(now)}")
    commits = sorted({_commit(r["provenance"].get("code", {})) for r in records})
    if commits != [_commit(baseline["code"])]:
        found.append(f"commits {_commit(baseline['code'])}..{', '.join(commits)}")
    return tuple(found)


def _version(provenance: Mapping[str, Any], name: str) -> str:
    return str(provenance.get(name, provenance.get("packages", {}).get(name)))


def _settings(records: Sequence[Record], settings: Mapping[str, Any]) -> list[str]:
    """Return each changed field with the conditions in which it changed."""
    where: dict[str, list[str]] = {}
    seen: set[str] = set()
    for record in records:
        name = record["condition"]
        if name in seen or name not in settings:
            continue
        seen.add(name)
        new: dict[str, Any] = {"protocol": record["protocol"], "method": record["method"]}
        for part, before in settings[name].items():
            for field in sorted(before.keys() | new[part].keys()):
                old, now = before.get(field, "not set"), new[part].get(field, "not set")
                if old != now:
                    where.setdefault(f"{part}.{field} {old} -> {now}", []).append(name)
    return [f"{change} in {_few(names)}" for change, names in where.items()]


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_CONDITIONS])
    more = len(names) - MOST_CONDITIONS
    return f"{shown} and {more} more" if more > 0 else shown


def _commit(code: Mapping[str, Any]) -> str:
    commit = str(code.get("git_commit") or f"version {code.get('version')}")[:12]
    return commit if code.get("git_clean") in (True, None) else f"{commit} with changes"


def infrastructure(
    machines: Mapping[CellName, str],
    differing: Collection[CellName],
    alarmed: bool,
    alarmed_without: Callable[[str], bool],
) -> str | None:
    """Return a sentence where all alarms come from one of several machines, else None.

    Parameters
    ----------
    machines : the machine of each new cell.
    differing : cells whose bits differ.
    alarmed : whether the statistical layer raised an alarm.
    alarmed_without : whether it still does without the cells of a machine.
    """
    present = sorted(set(machines.values()))
    if len(present) < 2 or not (differing or alarmed):
        return None
    for machine in present:
        others_clean = all(machines[name] == machine for name in differing)
        if others_clean and not (alarmed and alarmed_without(machine)):
            return (
                f"all alarms come from one of {len(present)} machines ({machine}): look for a "
                "fault there first"
            )
    return None
