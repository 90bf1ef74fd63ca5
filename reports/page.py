"""The report as files: one self-contained page, ``verdict.json``, figures.

``verdict.json`` is documented at ``reports.analysis.verdict_document``. The same records give
the same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path

import jinja2
from markupsafe import Markup

from reports import figures, figures_claims
from reports.analysis import Analysis
from reports.document import verdict_document
from reports.verdict import SIGNS as VERDICT_SIGNS

SIGNS = {None: "-"} | {str(verdict): sign for verdict, sign in VERDICT_SIGNS.items()}
"""A sign for each verdict, beside the word; None is a claim without a pair."""


def verdict_text(analysis: Analysis) -> str:
    """Return the contents of ``verdict.json``."""
    return json.dumps(verdict_document(analysis), indent=2, allow_nan=False) + "\n"


def write_page(analysis: Analysis, folder: Path) -> Path:
    """Write figures, ``verdict.json`` and ``index.html`` to ``folder``; returns the page.

    ``curves.svg``, where ``reports.summary.write_summary`` left one there, is shown too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "verdict.json").write_text(verdict_text(analysis), encoding="utf-8")
    drawn = []
    shown = [one for one in analysis.claims if one.judgement is not None]
    if shown:
        figures.save(figures_claims.draw_estimation(shown[0]), folder / "estimation")
        figures.save(figures_claims.draw_forest(shown), folder / "forest")
        drawn = [
            ("estimation", f"Each seed's two accuracies and differences: {shown[0].claim.text}"),
            ("forest", "All claims: our gain with its interval, and the reported gain"),
        ]
    if (folder / "curves.svg").exists():
        drawn.append(("curves", "Accuracy over the tasks seen so far, ours and published"))
    inlined = [(name, alt, _inline(folder / f"{name}.svg", name)) for name, alt in drawn]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True
    )
    page = folder / "index.html"
    text = environment.get_template("page.html.j2").render(
        d=verdict_document(analysis),
        signs=SIGNS,
        figures=inlined,
        seconds=analysis.compute_seconds,
        provenance=analysis.provenance,
    )
    page.write_text(text, encoding="utf-8")
    return page


def _inline(path: Path, name: str) -> Markup:
    """Return an SVG without its prolog, its identifiers made unique within the page."""
    text = path.read_text(encoding="utf-8")
    text = text[text.index("<svg") :]
    for mark in ('id="', 'href="#', "url(#"):
        text = text.replace(mark, f"{mark}{name}-")
    return Markup(text)  # drawn here; the labels in it are escaped by matplotlib
