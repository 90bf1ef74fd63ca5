"""What causes a gain: sentences that stand beside a verdict, and sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.findings.causes import Causes
from reports.findings.fixing import Fixing, marked
from reports.sections import curves, factorial, variance
from reports.sections.section import Section


def cause_sentences(causes: Causes) -> list[str]:
    """Return the sentences that belong beside a verdict."""
    attributions = [attribution for attribution in causes.decompositions.values() if attribution]
    divided = [(name, components) for name, components in causes.variances.items() if components]
    return [
        *(factorial.sentence(attribution) for attribution in attributions),
        *(curves.summary(curve) for curve in causes.curves),
        *(variance.sentence(name, components) for name, components in divided),
        *(factorial.levels_section(gains).paragraphs[0] for gains in causes.levels.values()),
    ]


def cause_sections(causes: Causes, fixed: Sequence[Fixing] = ()) -> list[Section]:
    """Return the sections on what a study's factors say; empty where they say nothing."""
    sections = []
    if causes.decompositions:
        sections.append(factorial.decomposition_section(causes.decompositions))
    if causes.effects:
        sections.append(factorial.effects_section(causes.effects))
    sections += [factorial.levels_section(gains) for gains in causes.levels.values()]
    for curve in causes.curves:
        shown, mark = curves.section(curve), marked("", fixed, curve.id, "curve")
        said = [f"{mark[0].upper()}{mark[1:]}.", *shown.paragraphs] if mark else shown.paragraphs
        sections.append(replace(shown, paragraphs=said))
    if causes.variances:
        sections.append(variance.section(causes.variances))
    return sections
