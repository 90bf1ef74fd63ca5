"""The sites that are pooled, and which of them each seed counts for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.findings.fixing import Standing
from reports.findings.looks import Look
from reports.numbers.records import Record

Origin = tuple[str | None, str | None, str | None]
"""Device, torch and numerics class: equal ones give the same bits for the same cell."""


@dataclass(frozen=True)
class Site:
    """The results of a study from one machine, team or device.

    Attributes
    ----------
    name : as a report calls it; different sites have different names.
    adaptive : whether seeds were added until the claims were decided.
    looks : at which seeds its claims were judged before.
    standings : whether each claim was fixed before the site's data.
    """

    name: str
    records: Sequence[Record]
    adaptive: bool = False
    looks: Sequence[Look] = ()
    standings: Sequence[Standing] = ()


def origin_of(record: Record) -> Origin:
    """Return what decides the bits of a record beside its cell; the build of torch does not."""
    provenance = record.get("provenance", {})
    torch = provenance.get("torch")
    version = None if torch is None else str(torch).partition("+")[0]
    return provenance.get("device"), version, provenance.get("numerics")


def numerics_of(records: Iterable[Record]) -> str:
    """Return the numerics class of records that belong together; "several" where they differ."""
    classes = {str(record.get("provenance", {}).get("numerics", "unknown")) for record in records}
    return classes.pop() if len(classes) == 1 else "several"


def share_out(seeds: Sequence[Iterable[int]]) -> tuple[tuple[int, ...], ...]:
    """Let each seed count at one of the sites that have it; returns those of each site, rising.

    The same seed at two sites is one repetition measured twice, because the initial weights and the
    order of mini-batches are the same. A seed of several sites goes to the one that has fewest so
    far, and of equals to the first, so that sites with the same seeds share them evenly.
    """
    there = [set(of_site) for of_site in seeds]
    counted: list[list[int]] = [[] for _ in there]
    everything = set().union(*there)
    homes = {seed: [i for i, of in enumerate(there) if seed in of] for seed in sorted(everything)}
    for seed, home in sorted(homes.items(), key=lambda item: (len(item[1]) > 1, item[0])):
        counted[min(home, key=lambda i: len(counted[i]))].append(seed)
    return tuple(tuple(sorted(of_site)) for of_site in counted)
