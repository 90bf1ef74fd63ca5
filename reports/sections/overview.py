"""Many studies on one page: what each claim's report says, and what all of them say together."""

from __future__ import annotations

from collections.abc import Sequence

from reports.findings.analysis import Analysis
from reports.findings.apart import Answer, answer_for, told_of
from reports.findings.contrasts import JudgedClaim
from reports.findings.fixing import marked
from reports.findings.overview import Overview, Row, Told, band_of, contrast_of, shown_interval
from reports.findings.statements import JudgedStatement
from reports.judging.scalars import unit_of
from reports.numbers.study import Study
from reports.numbers.words import counted, listed, signed, sized
from reports.sections.section import claim_anchor
from reports.sections.told import carrier_words
from reports.sections.verdict import headline, verdict_words

MOST = 6
"""Number of directories that a sentence names; it counts the others."""
FEW = 3
"""Number of claims that a sentence names one by one at most."""
NO_CAUSE = "-"


def told(analysis: Analysis, study: Study, directory: str, page: str | None) -> Told:
    """Return what the report on a results directory says, for a page about several."""
    judged = {one.claim.id: one for one in analysis.judged}
    return Told(
        directory,
        analysis.study,
        page,
        analysis.asked.description,
        headline(analysis),
        analysis.fingerprint,
        analysis.whole,
        analysis.notices,
        tuple(_row(judged[name], analysis, study, directory) for name in analysis.order),
    )


def title(overview: Overview) -> str:
    """Return the heading: a control that failed, or how many claims got which verdict."""
    if overview.failed:
        names = listed([f"{row.id} of {row.directory}" for row in overview.failed])
        return f"CONTROL FAILED: {names}. Trust no verdict of these studies"
    begun = "PRELIMINARY: " * bool(overview.preliminary)
    said = [f"{number} {word}" for word, number in overview.verdicts()]
    over = f"{counted(len(overview.claims), 'claim')} of {_studies(overview)}"
    return f"{begun}{over}: {listed(said)}" if said else f"{begun}{_studies(overview)}, no claim"


def tone(overview: Overview) -> str:
    """Return the class of the heading: red for a failed control, open for what is not complete."""
    if overview.failed:
        return "FAILED"
    return "OPEN" if overview.preliminary or any(row.late for row in overview.claims) else ""


def paragraph(overview: Overview) -> str:
    """Return what it all says."""
    sentences = [*_complete(overview), *_controls(overview), *_causes(overview)]
    late = [f"{row.id} of {row.directory}" for row in overview.claims if row.late]
    if late:
        sentences.append(f"Not fixed before its data: {_some(late)}.")
    noted = [one.directory for one in overview.directories if one.notices]
    if noted:
        sentences.append(f"What must be known before any number of {_some(noted)} stands below.")
    damaged = [one.directory for one in overview.left_out if one.damaged]
    if damaged:
        sentences.append(f"Left out, because it cannot be read: {_some(damaged)}.")
    sentences.append(
        "Each verdict is one study's, at that study's error rate; over several studies the chance "
        "that some verdict is wrong is larger."
    )
    return " ".join(sentences)


def gain_words(row: Row) -> str:
    """Return the number and its unit; "-" where there is none."""
    if row.estimate is None:
        return "-"
    form = signed if row.unit in ("points", "relative %") else sized
    return f"{form(row.estimate)} {row.unit}".strip()


def interval_words(row: Row) -> str:
    """Return "low to high"; "-" where there is no interval to show."""
    if row.ci is None:
        return "-"
    form = signed if row.unit in ("points", "relative %") else sized
    return f"{form(row.ci.low)} to {form(row.ci.high)}"


def control_words(row: Row) -> str:
    """Return whether a control came out as it must."""
    passed = {True: "✓ as it must", False: "✗ NOT as it must", None: "no seeds yet"}
    return f"{passed[row.as_expected]}: {row.expected}"


def cause_words(row: Row) -> str:
    """Return what carries a claim's difference, and which other study tells it."""
    return row.cause if row.by in (None, row.study) else f"{row.cause} ({row.by})"


def name_of(row: Row) -> str:
    """Return the study of a claim, and its directory where that has another name."""
    return row.study if row.study == row.directory else f"{row.study} ({row.directory})"


def drawing_words(row: Row) -> str:
    """Return what the drawing of a claim says to who cannot see it."""
    said = f"{row.id}: {gain_words(row)}"
    if row.ci is not None:
        said += f", interval {interval_words(row)}"
    if row.band is not None:
        ends = " to ".join(f"{end:+.4g}" for end in (row.band.low, row.band.high))
        said += f"; the claim is right from {ends}".replace("-inf", "any").replace("+inf", "any")
    return said


def _row(
    judged: JudgedClaim | JudgedStatement, analysis: Analysis, study: Study, directory: str
) -> Row:
    claim, complete = judged.claim, analysis.complete[judged.claim.id]
    verdict, label, estimate, ci = None, "no pair of seeds yet", None, None
    if isinstance(judged, JudgedClaim):
        kind, unit = "gain", str(judged.claim.unit)
        compared = judged.contrast.comparison
        if compared is not None and judged.judgement is not None:
            verdict = str(judged.judgement.verdict)
            label = verdict_words(judged, analysis.robustness, analysis.fixed)
            estimate, ci = compared.mean, shown_interval(judged.judgement.ci, compared.n)
    else:
        kind, unit, label = judged.claim.kind, unit_of(judged.claim), "no seeds yet"
        if judged.ruling is not None:
            verdict = judged.ruling.verdict
            label = marked(judged.ruling.label, analysis.fixed, claim.id)
            estimate, fewest = judged.ruling.estimate, min(judged.sizes)
            ci = shown_interval(judged.ruling.ci, fewest)
    differs, answer = analysis.differ.get(claim.id), _answer(judged, analysis)
    late = {one.standing.id for one in analysis.fixed if one.late and one.standing.what == "claim"}
    data = ",".join(name for name, _ in dict(analysis.provenance).get("data", ()))
    return Row(
        directory=directory,
        study=analysis.study,
        id=claim.id,
        text=claim.text,
        source=claim.source,
        verdict=verdict,
        label=label,
        late=claim.id in late,
        expected=claim.expected,
        as_expected=judged.as_expected,
        estimate=estimate,
        ci=ci,
        band=band_of(judged),
        kind=kind,
        unit=unit,
        cause=_cause(differs, answer, analysis),
        by=None if answer is None else answer.study or analysis.study,
        differs=None if differs is None else len(differs),
        contrast=contrast_of(judged, study, data),
        complete=complete,
        anchor=claim_anchor(claim),
    )


def _answer(judged: JudgedClaim | JudgedStatement, analysis: Analysis) -> Answer | None:
    """Return what carries a claim's difference, as its study or another one tells."""
    if not isinstance(judged, JudgedClaim):
        return None
    found = analysis.causes.decompositions.get(judged.claim.id)
    if found is not None:
        return told_of(judged.claim.id, found, analysis.asked.names)
    return answer_for(judged.claim, [one.claim for one in analysis.claims], analysis.answers)


def _cause(differs: Sequence[str] | None, answer: Answer | None, analysis: Analysis) -> str:
    if answer is not None:
        return carrier_words(answer)
    if differs is None or not differs:
        return NO_CAUSE
    if len(differs) == 1:
        return f"the one thing that differs: {analysis.asked.named(differs[0])}"
    return f"not told: {len(differs)} things differ"


def _studies(overview: Overview) -> str:
    directories = len(overview.directories)
    studies = len({one.study for one in overview.directories})
    said = "1 study" if studies == 1 else f"{studies} studies"
    return said if studies == directories else f"{said} in {directories} directories"


def _complete(overview: Overview) -> list[str]:
    begun = overview.preliminary
    if not begun:
        return ["Every cell that the studies ask for has been run."]
    named = [f"{one.directory} ({one.cells.words('cell')})" for one in begun]
    return [f"PRELIMINARY: {_some(named)} {'is' if len(begun) == 1 else 'are'} not yet complete."]


def _controls(overview: Overview) -> list[str]:
    judged = [row for row in overview.controls if row.as_expected is not None]
    if not judged:
        return []
    passed = len(judged) - len(overview.failed)
    return [f"{passed} of {counted(len(judged), 'control')} got the verdict that they must get."]


def _causes(overview: Overview) -> list[str]:
    """Return what carries the gains that are told, and which are not."""
    several = [row for row in overview.claims if row.by or (row.differs or 0) > 1]
    causes: dict[str, list[Row]] = {}
    for row in several:
        if row.by is not None:
            causes.setdefault(row.cause, []).append(row)
    sentences = [f"Cause of {_claims(rows)}: {cause}." for cause, rows in causes.items()]
    untold = list(dict.fromkeys(row.directory for row in several if row.by is None))
    if untold:
        sentences.append(
            f"Claims of {_some(untold)} compare conditions that differ in several things, which no "
            "study here takes apart: their verdicts are about size and not about cause."
        )
    return sentences


def _claims(rows: Sequence[Row]) -> str:
    """Name claims one by one where they are few, else by their directories."""
    if len(rows) <= FEW:
        return listed([f"{row.id} of {row.directory}" for row in rows])
    return f"{len(rows)} claims of {_some(list(dict.fromkeys(row.directory for row in rows)))}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - MOST
    return listed([*names[:MOST], *([f"{more} more"] if more > 0 else [])])
