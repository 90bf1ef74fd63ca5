"""What a study asks, in its own words and settings: what was run, on what, for which claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.findings.reference import references
from reports.findings.settings import differences, shared
from reports.numbers.study import Study, Texts


@dataclass(frozen=True)
class AskedCondition:
    """A condition that a study writes out.

    Attributes
    ----------
    words : what it is, where the study says it.
    baseline : whether the others are described by what differs from it.
    differs : its settings that the baseline has not, or has otherwise.
    """

    name: str
    words: str | None
    baseline: bool
    differs: Mapping[str, Any]


@dataclass(frozen=True)
class AskedFactor:
    """A factor, its levels, and what they are where the study says it."""

    name: str
    words: str | None
    levels: Mapping[str, str | None]


@dataclass(frozen=True)
class Asked:
    """What a study asks; from ``asked``. A part that the study does not say is None or empty.

    Attributes
    ----------
    description, data, network, training, margin : in the study's words.
    settings : those that all conditions share.
    conditions : those that are written out.
    factors, crossings : what is crossed, and the number of conditions that this gives.
    references : the sources, one line each; citation : the same in BibTeX.
    sources : by source of published values, where these are printed.
    printed : by claim, where its number is printed.
    quotes, notes : by claim, the words of the source, and ours about them.
    names : what a setting or factor changes, in words.
    """

    description: str
    data: str | None
    network: str | None
    training: str | None
    margin: str | None
    settings: Mapping[str, Any]
    conditions: tuple[AskedCondition, ...]
    factors: tuple[AskedFactor, ...]
    crossings: int
    references: tuple[str, ...]
    citation: str | None
    sources: Mapping[str, str]
    printed: Mapping[str, str]
    quotes: Mapping[str, str]
    notes: Mapping[str, str]
    names: Mapping[str, str]

    def named(self, setting: str) -> str:
        """Return a setting or factor in words."""
        return self.names.get(setting, setting.replace("_", " "))


def asked(study: Study) -> Asked:
    """Return what a study asks."""
    texts: Texts | None = study.texts
    written = {name: one for name, one in study.conditions.items() if not one.levels}
    baseline = _baseline(study, list(written))
    of_conditions = {} if texts is None else texts.conditions
    of_levels = {} if texts is None else texts.levels
    names = {} if texts is None else texts.factors
    return Asked(
        description=study.description,
        data=None if texts is None else texts.data,
        network=None if texts is None else texts.network,
        training=None if texts is None else texts.training,
        margin=None if texts is None else texts.margin,
        settings=shared(study),
        conditions=tuple(
            AskedCondition(
                name,
                of_conditions.get(name),
                name == baseline,
                {} if baseline is None else differences(one, study.conditions[baseline]),
            )
            for name, one in written.items()
        ),
        factors=tuple(
            AskedFactor(
                name,
                names.get(name),
                {level: of_levels.get(name, {}).get(level) for level in factor.levels},
            )
            for name, factor in study.factors.items()
        ),
        crossings=len(study.conditions) - len(written),
        references=() if study.citation is None else tuple(references(study.citation)),
        citation=study.citation,
        sources={source.id: source.source for source in study.published},
        printed={claim.id: claim.source for claim in study.claims},
        quotes={} if texts is None else texts.quotes,
        notes={} if texts is None else texts.notes,
        names=names,
    )


def _baseline(study: Study, written: list[str]) -> str | None:
    """Return the condition that others differ from: the main claim's, or else the first."""
    named = [getattr(claim, "baseline", None) for claim in study.claims[:1]]
    return next((name for name in (*named, *written) if name in study.conditions), None)
