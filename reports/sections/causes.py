"""What causes a gain, in sentences that stand beside a verdict and in sections of their own."""

from __future__ import annotations

from reports.findings.causes import Causes
from reports.sections import curves, factorial, variance
from reports.sections.section import Section


def cause_sentences(causes: Causes) -> list[str]:
    """Return the sentences that belong beside a verdict."""
    attributions = [one for one in causes.decompositions.values() if one]
    components = [(name, one) for name, one in causes.variances.items() if one]
    return [
        *(factorial.sentence(one) for one in attributions),
        *(curves.summary(one) for one in causes.curves),
        *(variance.sentence(name, one) for name, one in components),
        *(factorial.levels_section(gains).paragraphs[0] for gains in causes.levels.values()),
    ]


def cause_sections(causes: Causes) -> list[Section]:
    """Return the sections of what a study's factors say; none where they say nothing."""
    found = []
    if causes.decompositions:
        found.append(factorial.decomposition_section(causes.decompositions))
    if causes.effects:
        found.append(factorial.effects_section(causes.effects))
    found += [factorial.levels_section(gains) for gains in causes.levels.values()]
    found += [curves.section(one) for one in causes.curves]
    if causes.variances:
        found.append(variance.section(causes.variances))
    return found
