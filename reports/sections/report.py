"""A report from its first section to its last: for a hurried reader first, then for a sceptic.

Knows neither HTML nor Markdown. Accuracies are in %, gains in the unit of their claim.
"""

from __future__ import annotations

from reports.findings.analysis import Analysis
from reports.numbers.study import Study
from reports.sections.accuracies import MOST, accuracies_section, learning_section
from reports.sections.causes import cause_sections
from reports.sections.contrasts import contrasts_section, seed_by_seed
from reports.sections.lead import lead_section
from reports.sections.legend import legend_section
from reports.sections.measured import (
    gains_section,
    measured_section,
    pairing_section,
    recorded_section,
)
from reports.sections.methods import methods_section
from reports.sections.robustness import robustness_section
from reports.sections.searched import searched_section
from reports.sections.section import Section
from reports.sections.trust import how_run, how_sure
from reports.sections.verdict import verdict_section


def sections(analysis: Analysis, study: Study) -> list[Section]:
    """Return the sections of a report; a section without contents is left out.

    What a study's factors say stands before the sceptic's sections. It is the purpose of a study
    without claims, and there it stands before the measurements.
    """
    names = drawn_conditions(analysis, study)
    single, accuracies = analysis.values.single, analysis.values.measure.is_accuracy
    measured = [
        seed_by_seed(analysis),
        measured_section(analysis, names) if single else accuracies_section(analysis, study, names),
        contrasts_section(analysis) if accuracies else gains_section(analysis),
        pairing_section(analysis),
        *([] if single else [learning_section(analysis, names), recorded_section(analysis, names)]),
        methods_section(analysis, names),
    ]
    causes = cause_sections(analysis.causes, analysis.fixed)
    in_order = [
        lead_section(analysis),
        verdict_section(analysis),
        legend_section(analysis),
        *([*measured, *causes] if analysis.order else [*causes, *measured]),
        robustness_section(analysis),
        how_sure(analysis),
        searched_section(analysis),
        how_run(analysis, study),
    ]
    return [section for section in in_order if section is not None]


def drawn_conditions(analysis: Analysis, study: Study) -> list[str]:
    """Return the conditions that the figures show, at most ``MOST``, in the study's order."""
    names = [name for name in study.conditions if name in analysis.values.by_seed]
    claimed = {
        name
        for judged in analysis.claims
        for name in (judged.claim.treatment, judged.claim.baseline)
    } | {name for one in analysis.statements for name in one.claim.conditions}
    first = [name for name in names if name in claimed] + [
        name for name in names if name not in claimed
    ]
    kept = set(first[:MOST])
    return [name for name in names if name in kept]
