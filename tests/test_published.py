"""Published values stand where they were taken: after the last task only what was taken there."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from reported import RECORDS, STUDY, Page, write
from rich.console import Console

from harness.studies.study import Study
from reports.findings.analysis import analyse
from reports.numbers.tables import published_by_tasks, published_finals
from reports.output.document import verdict_document
from reports.output.tables import summary_text
from reports.output.terminal import show
from reports.sections.report import sections


def study(after_tasks: tuple[int, ...], values: tuple[float, ...]) -> Study:
    """The study of two tasks, with one source that prints values of both conditions."""
    fields: dict[str, Any] = {
        "after_tasks": after_tasks,
        "accuracy": {"a": values, "b": tuple(v + 0.25 for v in values)},
        "plus_minus": {name: (0.5,) * len(values) for name in "ab"},
        "runs": {"a": 3, "b": 3},
    }
    return STUDY.model_copy(update={"published": (STUDY.published[0].model_copy(update=fields),)})


ENDS = [
    ((1, 2), (99.0, 70.5)),
    ((2, 1), (70.5, 99.0)),
    ((2,), (70.5,)),
    ((3, 2, 1), (60.0, 70.5, 99.0)),
]
EARLIER = [((1,), (99.0,)), ((3, 1), (60.0, 99.0)), ((3,), (60.0,))]


@pytest.mark.parametrize(("after_tasks", "values"), ENDS)
def test_the_value_after_the_last_task_is_found_in_any_order(
    after_tasks: tuple[int, ...], values: tuple[float, ...]
) -> None:
    own = study(after_tasks, values)
    measured = analyse(RECORDS, own).measured
    assert published_finals(2, own.published) == {"poster": {"a": 70.5, "b": 70.75}}
    assert measured.published == {"poster": {"a": 70.5, "b": 70.75}}
    header, first, _ = summary_text(measured).splitlines()
    assert header.endswith(",published_poster")
    assert first.endswith(",70.5")


@pytest.mark.parametrize(("after_tasks", "values"), EARLIER)
def test_a_source_that_does_not_tell_it_has_no_column_anywhere(
    tmp_path: Path, after_tasks: tuple[int, ...], values: tuple[float, ...]
) -> None:
    own = study(after_tasks, values)
    analysis = analyse(RECORDS, own)
    assert published_finals(2, own.published) == analysis.measured.published == {}
    assert "published" not in summary_text(analysis.measured)
    terminal = Console(file=io.StringIO(), width=200)
    show(terminal, analysis, own)
    assert "poster" not in terminal.file.getvalue()  # type: ignore[attr-defined]
    accuracies = next(s for s in sections(analysis, own) if s.id == "accuracies")
    assert all("poster" not in table.header for table in accuracies.tables)
    text = Page(write(RECORDS, own, tmp_path)).text
    assert "99.00" in text or values == (60.0,), "told of, with the number of tasks it is after"


@pytest.mark.parametrize(
    ("after_tasks", "values", "shown"),
    [
        ((2, 1), (70.5, 99.0), {1: 99.0, 2: 70.5}),
        ((3, 2, 1), (60.0, 70.5, 99.0), {1: 99.0, 2: 70.5}),
        ((3, 1), (60.0, 99.0), {1: 99.0}),
    ],
)
def test_a_published_curve_is_drawn_from_left_to_right_over_the_tasks_that_there_are(
    after_tasks: tuple[int, ...], values: tuple[float, ...], shown: dict[int, float]
) -> None:
    own = study(after_tasks, values)
    curve = published_by_tasks(own.published[0], 2)["a"]
    assert list(curve.items()) == list(shown.items())
    found = sections(analyse(RECORDS, own), own)
    accuracies = next(s for s in found if s.id == "accuracies")
    panels = accuracies.drawings[0].draw().axes
    assert len(panels) == (2 if len(shown) > 1 else 1)
    if len(shown) > 1:
        for line in panels[0].lines[:2]:
            assert [round(float(x)) for x in line.get_xdata()] == [1, 2]  # type: ignore[arg-type, union-attr]


@pytest.mark.parametrize(("after_tasks", "values"), [*ENDS, *EARLIER])
def test_criteria_hold_a_claim_against_values_after_the_last_task_only(
    after_tasks: tuple[int, ...], values: tuple[float, ...]
) -> None:
    document = verdict_document(analyse(RECORDS, study(after_tasks, values)))
    about = [row["result"] for row in document["criteria"] if "(poster)" in row["criterion"]]
    assert len(about) == 2 * (2 in after_tasks)
    assert all("a 70.50" in result and "99.00" not in result for result in about)
    told = {(one["after_tasks"], one["published"]) for one in document["agreement"]}
    assert told >= {(n, v) for n, v in zip(after_tasks, values, strict=True) if n <= 2}
