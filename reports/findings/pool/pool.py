"""Results of one study from several sites -> everything that the page on them says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.findings.bridges import NEGLIGIBLE
from reports.findings.fixing import WORDS, fixings, late_notices
from reports.findings.notices import notices
from reports.findings.pool.quantities import Quantity, accuracy, gain
from reports.findings.pool.repeats import Repeat, repeats
from reports.findings.pool.sites import Site
from reports.numbers.study import Study
from reports.numbers.words import listed


@dataclass(frozen=True)
class SiteSummary:
    """What one site brought.

    Attributes
    ----------
    done, diverged : cells.
    seeds : how many different ones.
    devices, numerics : of its cells, sorted.
    adaptive : whether it added seeds until the claims were decided.
    """

    name: str
    done: int
    diverged: int
    seeds: int
    devices: tuple[str, ...]
    numerics: tuple[str, ...]
    adaptive: bool


@dataclass(frozen=True)
class Pool:
    """All that is said of several sites; from ``pool_sites``.

    Attributes
    ----------
    fingerprint : of the study without its seeds, which may differ between sites.
    repeats : cells that two sites both trained; empty where no seed is at two sites.
    claims : the gains in final accuracy, in the study's order.
    accuracies : final accuracy of each condition.
    notices : what a reader must know before any number.
    late : by claim that was not fixed before the data of some site, the words that say so.
    """

    study: str
    fingerprint: str
    sites: tuple[SiteSummary, ...]
    repeats: tuple[Repeat, ...]
    claims: tuple[Quantity, ...]
    accuracies: tuple[Quantity, ...]
    notices: tuple[str, ...]
    late: Mapping[str, str]

    @property
    def findings(self) -> tuple[Repeat, ...]:
        """The repeated cells that are neither the same nor equivalent."""
        return tuple(repeat for repeat in self.repeats if repeat.outcome.finding)


def pool_sites(sites: Sequence[Site], study: Study, fingerprint: str) -> Pool:
    """Compare and pool the results of two sites or more.

    Parameters
    ----------
    study : that of the first site; the others may have other seeds.
    fingerprint : of the study without its seeds.
    """
    negligible = study.gains[0].negligible if study.gains else NEGLIGIBLE
    conditions = list(study.conditions)
    return Pool(
        study=study.name,
        fingerprint=fingerprint,
        sites=tuple(map(_summary, sites)),
        repeats=repeats(sites, conditions, negligible),
        claims=tuple(gain(claim, sites) for claim in study.gains),
        accuracies=tuple(accuracy(name, sites, negligible) for name in conditions),
        notices=(
            *(
                f"{site.name}: {said}"
                for site in sites
                for said in late_notices(fixings(site.standings, {}), judged=False)
            ),
            *(f"{site.name}: {notice}" for site in sites for notice in notices(site.records)),
            *_left_out(study),
        ),
        late=_late(sites),
    )


def _late(sites: Sequence[Site]) -> dict[str, str]:
    """Say of each claim whether some site changed or made it after its data."""
    late: dict[str, list[str]] = {}
    for site in sites:
        for one in fixings(site.standings, {}):
            if one.late and one.standing.what == "claim":
                said = f"{WORDS[one.standing.status]} of {site.name}"
                late.setdefault(one.standing.id, []).append(said)
    return {name: ", ".join(said) for name, said in late.items()}


def _left_out(study: Study) -> list[str]:
    """Name the claims that are not pooled."""
    others = listed([claim.id for claim in study.statements])
    return [f"Not pooled, for they are no gains in final accuracy: {others}."] if others else []


def _summary(site: Site) -> SiteSummary:
    done = sum(record["status"] == "done" for record in site.records)
    origins = [record.get("provenance", {}) for record in site.records]
    devices, numerics = (
        tuple(sorted({str(origin.get(field, "unknown")) for origin in origins}))
        for field in ("device", "numerics")
    )
    seeds = len({record["seed"] for record in site.records})
    diverged = len(site.records) - done
    return SiteSummary(site.name, done, diverged, seeds, devices, numerics, site.adaptive)
