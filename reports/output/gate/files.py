"""The gate's answer as a folder: a page, Markdown, JSON, JUnit XML and its figure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reports.findings.gate.check import Check
from reports.output.encoding import as_json
from reports.output.gate.junit import junit
from reports.output.markdown import markdown
from reports.output.page import draw, figure_files, page_text
from reports.output.replacing import replaced
from reports.sections.gate import gate_sections, headline


def gate_document(check: Check) -> dict[str, Any]:
    """Return what ``gate.json`` holds: every field of ``Check``, and what follows from them.

    verdict, exit_code : the word and the exit code of the command.
    reason : the sentence of the terminal.
    """
    fields: dict[str, Any] = as_json(check)
    return {
        "verdict": check.verdict.value,
        "exit_code": check.verdict.exit_code,
        "reason": headline(check),
        **fields,
    }


def write_gate(check: Check, directory: str, folder: Path) -> Path:
    """Write all files to ``folder``, or none; returns the path of the page.

    ``directory`` is the results directory, as commands name it. Raises OSError where the folder
    cannot be written.
    """
    shown = gate_sections(check, directory)
    with replaced(folder, lambda path: False) as new:
        text = json.dumps(gate_document(check), indent=1, allow_nan=False)
        (new / "gate.json").write_text(text + "\n", encoding="utf-8")
        (new / "gate.xml").write_text(junit(check), encoding="utf-8")
        (new / "gate.md").write_text(gate_markdown(check, directory), encoding="utf-8")
        figures = draw(shown, new)
        files = {"gate.json", "gate.xml", "gate.md", *figure_files(shown)}
        page = page_text(f"{check.study}: {check.verdict}", shown, figures, files=files)
        (new / "index.html").write_text(page, encoding="utf-8")
    return folder / "index.html"


def gate_markdown(check: Check, directory: str) -> str:
    """Return the answer as Markdown for a pull request."""
    return markdown(f"{check.study}: {check.verdict}", gate_sections(check, directory))
