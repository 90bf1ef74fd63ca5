"""How to read a report: what each verdict takes, and what its words mean."""

from __future__ import annotations

import math

from reports.findings.analysis import Analysis
from reports.findings.contrasts import JudgedClaim
from reports.findings.statements import JudgedStatement
from reports.judging.kinds import KINDS
from reports.numbers.intervals import FEWEST, FIXED, Interval
from reports.numbers.sequential import ANYTIME
from reports.numbers.verdict import gain_rules
from reports.sections.number_lines import NumberLine, number_lines
from reports.sections.section import Fact, Section

OF_TASKS = "backward transfer"
TERMS = {
    "to settle": "How many seeds a verdict would take, at the mean and spread seen so far, "
    "with the range that their own uncertainty allows; - where the claim is settled, or where no "
    "number of seeds up to 1000 would do.",
    "seeds": "Repetitions with other initial weights and another order of the data. Conditions are "
    "compared seed by seed.",
    "interval": "The 95% interval of the mean over seeds: of a hundred such intervals, about "
    "ninety-five hold the true mean.",
    FIXED.name: "The ordinary interval by Student's t, for a number of seeds fixed beforehand.",
    ANYTIME.name: "A wider interval, which holds however often somebody looked before the seeds "
    "were enough.",
    "P(better)": "The share of seeds on which the first condition is better; a tie counts half.",
    "Hedges' g_z": "The mean difference in standard deviations of the differences, corrected for "
    "few seeds.",
    "BCa": "An interval from resampled seeds, corrected for bias and skewness.",
    "Holm": "A p-value that allows for the number of comparisons that are made together.",
    OF_TASKS: "How many points the earlier tasks gained by the later ones; a loss is forgetting.",
}
"""What the words of a report mean, in the order in which a reader meets them."""


def legend_section(analysis: Analysis) -> Section | None:
    """Return the legend; None where nothing was judged."""
    lines = [line for judged in _one_of_each_kind(analysis) for line in _lines(judged)]
    if not lines:
        return None
    known = {analysis.procedure.name, *(found.procedure for found in analysis.robustness)}
    known |= {one.ruling.procedure for one in analysis.statements if one.ruling is not None}
    unused = {FIXED.name, ANYTIME.name} - known
    if analysis.values.single:
        unused.add(OF_TASKS)
    facts = [Fact(term, [text]) for term, text in TERMS.items() if term not in unused]
    names = ", ".join(judged.claim.id for judged in _one_of_each_kind(analysis))
    paragraphs = [
        f"What each verdict takes, drawn for {names}: shaded is where the true value lies if the "
        "verdict is right. The diamond is what was found, with its wide interval (thin) and its "
        "narrow one (thick). Beside each line stands which of them must lie wholly in the shade; "
        "the first verdict for which that is so is given."
    ]
    return Section(
        "legend", "How to read a verdict", paragraphs, lines=lines, about="Words", facts=facts
    )


def _one_of_each_kind(analysis: Analysis) -> list[JudgedClaim | JudgedStatement]:
    """Return the first judged claim of each kind that has rules about one number."""
    found: dict[str, JudgedClaim | JudgedStatement] = {}
    for judged in analysis.judged:
        verdict = judged.judgement if isinstance(judged, JudgedClaim) else judged.ruling
        kind = "gain" if isinstance(judged, JudgedClaim) else judged.claim.kind
        ranks = isinstance(judged, JudgedStatement) and bool(judged.ruling and judged.ruling.pairs)
        if verdict is not None and not ranks:
            found.setdefault(kind, judged)
    return list(found.values())


def _lines(judged: JudgedClaim | JudgedStatement) -> list[NumberLine]:
    if isinstance(judged, JudgedClaim):
        claim, judgement, compared = judged.claim, judged.judgement, judged.contrast.comparison
        assert judgement is not None
        assert compared is not None
        return number_lines(
            gain_rules(claim.reported, claim.margin, claim.negligible),
            str(judgement.verdict),
            compared.mean,
            _drawable(judgement.ci, compared.n),
            _drawable(judgement.ci_equivalence, compared.n),
            claim.alpha,
            [(0.0, "0"), (claim.reported, f"claimed {claim.reported:+.2f}")],
        )
    statement, ruling = judged.claim, judged.ruling
    assert ruling is not None
    marks = [(0.0, "0")]
    if statement.kind == "gain" and statement.reported is not None:
        marks.append((statement.reported, f"claimed {statement.reported:+.4g}"))
    return number_lines(
        KINDS[statement.kind].rules(statement),
        ruling.verdict,
        ruling.estimate,
        _drawable(ruling.ci, min(ruling.sizes)),
        _drawable(ruling.ci_equivalence, min(ruling.sizes)),
        statement.alpha,
        marks,
    )


def _drawable(interval: Interval, seeds: int) -> Interval:
    """Return an interval; of two seeds none, because it would dwarf all that is drawn beside it."""
    return interval if seeds >= FEWEST else Interval(-math.inf, math.inf)
