"""The report as files: one self-contained page, the same text as Markdown, tables and figures.

``reports.output.document.verdict_document`` documents ``verdict.json``. The same records give the
same bytes. Either all files are written or none: an old report stays if writing a new one fails.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import jinja2
from markupsafe import Markup

from reports.figures import theme
from reports.findings.analysis import Analysis
from reports.numbers.study import Study
from reports.output.document import verdict_text
from reports.output.inline import inline
from reports.output.legible import visible
from reports.output.markdown import markdown
from reports.output.number_line import drawn
from reports.output.replacing import replaced
from reports.output.shown_tables import shown_tables, write_shown_tables
from reports.output.tables import DATA_FILES, write_tables
from reports.sections.report import sections
from reports.sections.rich import Code, Link, Rich, Strong, parts
from reports.sections.section import Section, Table, named_tables
from reports.sections.verdict import headline, main_verdict, tone

ALWAYS = ("index.html", "report.md", "verdict.json", *DATA_FILES)
FIGURES = (".svg", ".png")
DATA = {
    "verdict.json": "every verdict, interval and number of this page, as JSON",
    "table.parquet": "every measurement with its settings, as a Parquet table",
    "telemetry.parquet": "what was recorded beside accuracies, as a Parquet table",
    "summary.csv": "each condition in a row, as CSV",
    "datapackage.json": "what each column of these tables holds, and its unit",
    "report.md": "this page as Markdown",
    "gate.json": "this answer, as JSON",
    "gate.xml": "this answer for a test runner, as JUnit XML",
    "gate.md": "this page as Markdown",
    "pool.json": "every number of this page, as JSON",
    "pool.md": "this page as Markdown",
}
"""What the files beside a page hold, for those who follow its links."""
MOST_CARDS, LONG = 24, 24
"""Rows of a table that a phone shows as cards at most, and letters of a cell that needs a card."""

TABLE = re.compile(r"table-.+-\d+\.csv")
NUMERIC = re.compile(r"[-+±]?\d.*|-|")


def write_report(analysis: Analysis, study: Study, folder: Path, *, lean: bool = False) -> Path:
    """Write all files of a report to ``folder``, or none, and return the path of the page.

    Other files in the folder stay, except figures, which may belong to an earlier report.

    Parameters
    ----------
    lean : leave out the files of figures; the page has them, and they are two thirds of a report.

    Raises
    ------
    OSError
        Where the folder cannot be written; it then stays unchanged.
    """
    shown = sections(analysis, study)
    ours = report_files(shown, lean=lean)
    with replaced(folder, lambda path: not is_of_reports(path.name)) as new:
        (new / "verdict.json").write_text(verdict_text(analysis), encoding="utf-8")
        measure = analysis.values.measure
        write_tables(analysis.measured, new, None if measure.is_accuracy else measure.unit)
        write_shown_tables(shown, new)
        with tempfile.TemporaryDirectory() as scratch:
            figures = draw(shown, Path(scratch) if lean else new)
        there = [replace(one, drawings=()) for one in shown] if lean else shown
        text = markdown(analysis.study, there, analysis.notices)
        (new / "report.md").write_text(text, encoding="utf-8")
        page = _report_page(analysis, shown, figures, ours)
        (new / "index.html").write_text(page, encoding="utf-8")
        assert {path.name for path in new.iterdir()} == ours, "verify names what is foreign"
    return folder / "index.html"


def is_current(analysis: Analysis, folder: Path) -> bool:
    """Tell whether a report is there that this program wrote of these very records."""
    try:
        written = (folder / "verdict.json").read_bytes()
    except OSError:
        return False
    return written == verdict_text(analysis).encode() and (folder / "index.html").is_file()


def report_files(shown: Sequence[Section], *, lean: bool = False) -> set[str]:
    """Return the names of all files of a report with these sections."""
    return {*ALWAYS, *shown_tables(shown), *(() if lean else figure_files(shown))}


def figure_files(shown: Sequence[Section]) -> set[str]:
    """Return the names of the files of all figures of these sections."""
    drawn = [drawing.name for section in shown for drawing in section.drawings]
    return {f"{name}{suffix}" for name in drawn for suffix in FIGURES}


def is_of_reports(name: str) -> bool:
    """Tell whether this or an earlier report may have written a file of this name."""
    return name in ALWAYS or name.endswith(FIGURES) or TABLE.fullmatch(name) is not None


def draw(shown: Sequence[Section], folder: Path) -> dict[str, Markup]:
    """Write every figure of the sections to a folder; returns them by name, for the page."""
    figures = {}
    for drawing in (drawing for section in shown for drawing in section.drawings):
        figure = drawing.draw()
        theme.save(figure, folder / drawing.name)
        figures[drawing.name] = inline(folder / f"{drawing.name}.svg", drawing.name)
    return figures


def page_around(analysis: Analysis, study: Study, folder: Path, instead: Path) -> str:
    """Return the page of a report around the figures as they lie in a folder.

    A figure that is not there, or is none, is taken from ``instead``.
    """
    shown = sections(analysis, study)
    names = [drawing.name for section in shown for drawing in section.drawings]
    figures = {name: _lying(name, folder) or _lying(name, instead) or Markup() for name in names}
    return _report_page(analysis, shown, figures, report_files(shown))


def _lying(name: str, folder: Path) -> Markup | None:
    try:
        return inline(folder / f"{name}.svg", name)
    except (OSError, ValueError):
        return None


def _report_page(
    analysis: Analysis,
    shown: Sequence[Section],
    figures: Mapping[str, Markup],
    files: Collection[str],
) -> str:
    verdict = main_verdict(analysis)
    lead = headline(analysis)
    return page_text(
        analysis.study,
        shown,
        figures,
        verdict=verdict,
        lead=lead,
        notices=analysis.notices,
        tone=tone(analysis),
        files=files,
    )


def page_text(
    title: str,
    shown: Sequence[Section],
    figures: Mapping[str, Markup],
    *,
    verdict: str | None = None,
    lead: str = "",
    notices: Sequence[str] = (),
    tone: str | None = None,
    files: Collection[str] = (),
) -> str:
    """Return sections as one HTML page.

    Parameters
    ----------
    figures : by name; from ``draw``.
    verdict : the word that colours the heading; the title is the heading where there is none.
    lead : the sentences whose first one is the heading, where there is a verdict.
    tone : "FAILED" or "OPEN" where the heading must not have the colour of the verdict.
    files : names of files beside the page, to which it links.
    """
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            title=title,
            verdict=verdict,
            lead=lead,
            notices=notices,
            tone=tone,
            sections=shown,
            figures=figures,
            numeric=numeric_columns,
            rich=rich,
            number_line=drawn,
            named_tables=named_tables,
            files=set(files),
            data=DATA,
            as_cards=as_cards,
        )
    )


def environment() -> jinja2.Environment:
    """Return what fills the templates of pages: no text is markup, and none is invisible."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def numeric_columns(table: Table) -> list[bool]:
    """Tell for each column whether all of its entries are numbers."""
    return [
        any(row[i] not in ("", "-") for row in table.rows)
        and all(NUMERIC.fullmatch(row[i]) for row in table.rows)
        for i in range(len(table.header))
    ]


def rich(text: Rich) -> Markup:
    """Return a text with its emphasis, code and links as HTML."""
    forms = {Strong: "<strong>{}</strong>", Code: "<code>{}</code>"}
    return Markup("").join(
        Markup('<a href="{}">{}</a>').format(part.to, visible(part.text))
        if isinstance(part, Link)
        else Markup(forms.get(type(part), "{}")).format(visible(str(part)))
        for part in parts(text)
    )


def as_cards(table: Table) -> bool:
    """Tell whether a phone shows each row as a card; else the first column stays in sight."""
    if table.anchors:
        return True
    wordy = any(len(cell) > LONG for row in table.rows for cell in row)
    return wordy and len(table.header) > 4 and len(table.rows) <= MOST_CARDS


def _shown(value: object) -> object:
    return visible(value) if type(value) is str else value
