"""A small study, its records, reports on them, and a reader of their pages."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from harness.studies.study import Study
from reports.findings.analysis import analyse
from reports.output.page import write_report

STUDY = Study.model_validate(
    {
        "name": "hand",
        "seeds": 4,
        "conditions": {"a": {}, "b": {"head_init": "blog"}},
        "published": [
            {"id": "poster", "source": "p", "after_tasks": [2], "accuracy": {"a": [70.0]}}
        ],
        "claims": [
            {
                "id": "gain", "text": "b beats a", "source": "p", "treatment": "b",
                "baseline": "a", "reported": 10.0, "unit": "points", "margin": 3.0,
            }
        ],
    }
)  # fmt: skip


def record(condition: str, seed: int, final: float, status: str = "done") -> Any:
    """Return the record of a cell with two tasks, whose accuracies after the second are equal."""
    accuracy = [[1.0, None], [final, final] if status == "done" else [None, None]]
    return {
        "study": "hand", "condition": condition, "seed": seed, "status": status,
        "key": f"{condition}{seed}", "accuracy": accuracy,
        "timings": {"total": 0.1, "finished": f"2026-01-0{seed + 1}"},
        "provenance": {"device": "cpu", "code": {"version": "1"}},
    }  # fmt: skip


RECORDS: list[Any] = [
    record("a", 0, 0.70), record("b", 0, 0.80),
    record("a", 1, 0.71), record("b", 1, 0.82),
    record("a", 2, 0.70), record("b", 2, 0.0, "diverged"),
    record("a", 3, 0.70),
]  # fmt: skip


def write(records: Sequence[Any], study: Study, folder: Path) -> Path:
    """Write a whole report; returns its page."""
    return write_report(analyse(records, study), study, folder)


class Page(HTMLParser):
    """Collects what a page loads, links and names."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.images: list[str] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "xlink:href"):
                (self.loads if tag == "link" else self.links).append(value or "")
            elif name in ("src", "srcset", "data", "poster"):
                self.loads.append(value or "")
        if dict(attrs).get("role") == "img":
            self.images.append(dict(attrs)["aria-label"] or "")

    def handle_data(self, data: str) -> None:
        self.text += data
