"""The report as files: one self-contained page, the same as Markdown, tables and figures.

``verdict.json`` is documented at ``reports.output.document.verdict_document``. The same records
give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from reports.figures import theme
from reports.findings.analysis import Analysis, JudgedStudyLike
from reports.numbers.records import Record
from reports.numbers.summary import write_summary
from reports.output.document import verdict_text
from reports.output.markdown import markdown
from reports.sections.content import headline, sections
from reports.sections.section import Drawing, Section, Table

TOKENS = {
    theme.INK: "var(--ink)",
    theme.MUTED: "var(--muted)",
    theme.GRID: "var(--grid)",
    theme.SHADE: "var(--shade)",
    theme.PAPER: "var(--paper)",
}
"""Colours of the figures that turn with the page."""

NUMERIC = re.compile(r"[-+±]?\d.*|-|")
PHONE_SCALE = 0.72  # below this share of its size a figure scrolls rather than shrinks


def write_report(
    analysis: Analysis,
    records: Sequence[Record],
    study: JudgedStudyLike,
    folder: Path,
    findings: Sequence[str] = (),
    extra: Sequence[Section] = (),
) -> Path:
    """Write all files of a report to ``folder``; returns the page.

    Parameters
    ----------
    analysis : of ``records``.
    findings, extra : as in ``reports.sections.content.sections``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "verdict.json").write_text(verdict_text(analysis), encoding="utf-8")
    write_summary(records, study, folder)
    shown = sections(analysis, records, study, findings, extra)
    figures = {}
    for drawing in (drawing for section in shown for drawing in section.drawings):
        theme.save(drawing.figure, folder / drawing.name)
        figures[drawing.name] = _inline(folder / f"{drawing.name}.svg", drawing)
    text = markdown(analysis.study, shown, analysis.notices)
    (folder / "report.md").write_text(text, encoding="utf-8")
    page = folder / "index.html"
    page.write_text(_page(analysis, shown, figures), encoding="utf-8")
    return page


def _page(analysis: Analysis, shown: Sequence[Section], figures: Mapping[str, Markup]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    verdict = None
    if analysis.claims and analysis.claims[0].judgement:
        verdict = str(analysis.claims[0].judgement.verdict)
    return environment.get_template("page.html.j2").render(
        title=analysis.study,
        verdict=verdict,
        lead=headline(analysis),
        notices=analysis.notices,
        sections=shown,
        figures=figures,
        numeric=numeric_columns,
    )


def numeric_columns(table: Table) -> list[bool]:
    """Return for each column whether all of its cells read as numbers."""
    return [
        any(row[i] not in ("", "-") for row in table.rows)
        and all(NUMERIC.fullmatch(row[i]) for row in table.rows)
        for i in range(len(table.header))
    ]


def _inline(path: Path, drawing: Drawing) -> Markup:
    """Return an SVG for the page: no prolog, identifiers of its own, colours of the page."""
    text = path.read_text(encoding="utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    for mark in ('id="', 'href="#', "url(#"):
        text = text.replace(mark, f"{mark}{drawing.name}-")
    for colour, token in TOKENS.items():
        text = text.replace(colour, token)
    wide = round(PHONE_SCALE * 96 * drawing.figure.get_size_inches()[0])
    full = round(96 * drawing.figure.get_size_inches()[0])
    text = re.sub(r'<svg ([^>]*?)height="[^"]*"', r"<svg \1", text, count=1)
    text = re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", text, count=1)
    style = f'style="min-width:{wide}px;max-width:{full}px" aria-hidden="true"'
    return Markup(text.replace("<svg ", f"<svg {style} ", 1))  # labels: escaped by matplotlib
