"""The page and the Markdown: complete, self-contained, the same twice, and right in a browser."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from browser import found_by, needs_chromium
from reported import RECORDS, STUDY, Page, record, write
from rich.console import Console

from harness.studies.statements import Statement
from harness.studies.study import Study
from reports.figures.accuracies import seeds_of_a_task
from reports.figures.theme import drawn_seeds, wrapped
from reports.findings.analysis import analyse
from reports.findings.settings import differing
from reports.output.markdown import markdown
from reports.output.page import numeric_columns
from reports.output.terminal import show
from reports.sections.accuracies import MOST
from reports.sections.contrasts import contrasts_section
from reports.sections.report import drawn_conditions, sections
from reports.sections.section import Section, Table


@pytest.mark.parametrize("kept", [0, 1, 2, 7])
def test_the_same_records_give_the_same_bytes(tmp_path: Path, kept: int) -> None:
    once = write(RECORDS[:kept], STUDY, tmp_path / "once").parent
    twice = write(RECORDS[:kept][::-1], STUDY, tmp_path / "twice").parent
    files = {p.name: p.read_bytes() for p in once.iterdir()}
    assert files == {p.name: p.read_bytes() for p in twice.iterdir()}
    assert {"index.html", "report.md", "verdict.json", "summary.csv", "table.parquet"} <= set(files)


def test_the_page_is_one_file_whose_parts_are_all_there(tmp_path: Path) -> None:
    page = Page(write(RECORDS, STUDY, tmp_path))
    assert page.loads == []
    within = [link[1:] for link in page.links if link.startswith("#")]
    assert set(within) <= set(page.ids)
    beside = {link for link in page.links if not link.startswith("#")}
    assert beside == {path.name for path in tmp_path.iterdir()} - {"index.html"}
    assert len(set(page.ids)) == len(page.ids), "figures keep their identifiers apart"
    text = (tmp_path / "index.html").read_text()
    assert "@import" not in text
    assert all(inner.startswith("#") for inner in re.findall(r"url\(([^)]*)\)", text))
    drawn = sorted(path.stem for path in tmp_path.glob("*.svg"))
    assert drawn == ["curves", "estimation", "forest", "matrices", "tasks"]
    assert page.tags.count("figure") == len(drawn)
    lines = text.count('<svg class="number-line')
    assert lines == 6, "one for each verdict that can fall"
    assert len(page.images) == len(drawn) + lines
    assert all(len(alt) > 20 for alt in page.images)
    for says in ("LARGER", "b beats a", "treatment diverged", "20,000 simulated studies"):
        assert says in page.text.replace("INCONCLUSIVE", "LARGER"), says


def test_claims_that_their_margins_swallow_are_named(tmp_path: Path) -> None:
    weak = STUDY.claims[0].model_copy(update={"id": "weak", "reported": 0.4, "margin": 0.5})
    study = STUDY.model_copy(update={"claims": (*STUDY.claims, weak)})
    text = Page(write(RECORDS, study, tmp_path / "weak")).text
    assert "REPRODUCED cannot fall for weak: the margin is not smaller than the claim" in text
    sure = [record(name, seed, 0.7 + (0.004 + 0.0002 * seed) * (name == "b")) for name in "ab"
            for seed in range(6)]  # fmt: skip
    text = Page(write(sure, study, tmp_path / "sure")).text
    assert "weak: → DIRECTION ONLY. The mean difference of +0.45 points" in text
    assert "6 new seeds of this spread could test a margin of" in text
    assert "cannot fall" not in Page(write(RECORDS, STUDY, tmp_path / "sound")).text


def test_the_terminal_promises_no_seeds_to_a_claim_that_its_margin_swallows() -> None:
    """A gain of 10.5 +- 1 against 10 +- 11: within the margin, as almost any would be."""
    records = [record("a", s, 0.7) for s in range(4)]
    records += [record("b", s, 0.8 + 0.01 * (s % 2)) for s in range(4)]
    weak = STUDY.claims[0].model_copy(update={"margin": 11.0})
    study = STUDY.model_copy(update={"claims": (weak,)})
    terminal = Console(file=io.StringIO(), width=400)
    show(terminal, analyse(records, study), study)
    said = terminal.file.getvalue()  # type: ignore[attr-defined]
    assert "→ DIRECTION ONLY (its margin is not smaller than the claim)" in said
    assert "could test a margin of 1.1 or more" in said
    assert "would settle it" not in said


def test_texts_of_a_study_are_escaped(tmp_path: Path) -> None:
    claim = STUDY.claims[0].model_copy(update={"text": "<script>alert(1)</script> | [x](y)"})
    page = Page(write(RECORDS, STUDY.model_copy(update={"claims": (claim,)}), tmp_path))
    assert page.tags.count("script") == 1, "our own"
    assert "<script>alert(1)</script>" in page.text
    assert (
        "\\<script\\>alert(1)\\</script\\> \\| \\[x\\](y)" in (tmp_path / "report.md").read_text()
    )


def many() -> tuple[list[Any], Study]:
    names = [f"c{i}" for i in range(20)]
    fields = STUDY.model_dump(mode="json", exclude={"published", "claims", "conditions"})
    conditions = {name: {"protocol": {"seed_offset": i}} for i, name in enumerate(names)}
    claim = STUDY.claims[0].model_dump() | {"treatment": "c19", "baseline": "c0"}
    claims = [claim, claim | {"id": "control", "expected": "NOT REPRODUCED"}]
    study = Study.model_validate(fields | {"conditions": conditions, "claims": claims})
    records = [record(n, s, 0.5 + 0.01 * i + 0.02 * s) for i, n in enumerate(names) for s in (0, 1)]
    return records, study


def test_a_large_study_is_drawn_in_part_and_told_whole(tmp_path: Path) -> None:
    records, study = many()
    names = drawn_conditions(analyse(records, study), study)
    assert names == [*(f"c{i}" for i in range(MOST - 1)), "c19"], "the claims' and the first"
    page = Page(write(records, study, tmp_path))
    assert "8 more conditions are in the table" in page.text
    assert all(f"c{i}" in page.text for i in range(20))
    assert "details" in page.tags
    assert "0 of 1 got the verdict that they must get" in page.text


def test_of_many_seeds_some_are_drawn_and_all_are_counted(tmp_path: Path) -> None:
    count = 1001
    records = [
        record(name, seed, 0.7 + 0.1 * (name == "b") + seed % 7 / 1000)
        for seed in range(count)
        for name in "ab"
    ]
    analysis = analyse(records, STUDY)
    shown = sections(analysis, STUDY)
    text = markdown("hand", shown, ())
    few = seeds_of_a_task(analysis.tasks)
    assert few < 50, "more lines are a tangle in a panel as small"
    assert f"thin: {few} of 1,001 seeds" in text
    assert "diamond: their mean over all seeds" in text
    assert "The first 1,000 of 1,001 pairs of seeds" in text
    drawings = {drawing.name: drawing for section in shown for drawing in section.drawings}
    lines = drawings["tasks"].draw().axes[0].collections[0]
    assert len(lines.get_paths()) == few
    left, right = drawings["estimation"].draw().axes
    assert left.get_title() == "200 of 1,001 seeds, each a line"
    assert np.size(right.lines[2].get_xdata()) == 200
    means = [line for line in right.lines if line.get_label() == "mean and intervals"]
    assert analysis.claims[0].contrast.comparison is not None
    assert np.ravel(means[0].get_ydata())[0] == analysis.claims[0].contrast.comparison.mean


@pytest.mark.parametrize("count", [1, 199, 200, 201, 1000, 123_457])
def test_drawn_seeds_are_spread_from_the_first_to_the_last(count: int) -> None:
    drawn = drawn_seeds(count)
    assert len(set(drawn)) == min(count, 200)
    assert drawn == sorted(drawn)
    assert (drawn[0], drawn[-1]) == (0, count - 1)


@pytest.mark.parametrize("best", ["a", "b"])
def test_the_figure_of_accuracies_names_the_best_condition_by_number(best: str) -> None:
    """As text, 98.92 is more than 100.00."""
    finals = {"a": 0.9892, "b": 0.9892, best: 1.0}
    records = [record(name, seed, final) for name, final in finals.items() for seed in (0, 1)]
    found = sections(analyse(records, STUDY), STUDY)
    (curves,) = (d for section in found for d in section.drawings if d.name == "curves")
    assert curves.alt.endswith(f"best: {best}, 100.00%.")


def test_what_differs_between_two_conditions_is_named() -> None:
    study = Study.model_validate(
        {
            "name": "s", "seeds": 1,
            "conditions": {
                "a": {}, "b": {"plasticity": "on", "head_init": "blog", "bias": False},
            },
        }
    )  # fmt: skip
    a, b = study.conditions["a"], study.conditions["b"]
    assert differing(b, a) == ["plasticity", "head_init", "bias"]
    assert differing(a, a) == []


def test_columns_of_numbers_are_told_from_words() -> None:
    rows = [["1a", "-", "+1.5", "3 + 1 diverged", "-"], ["b", "2", "-0.1 to 2", "4", "-"]]
    assert numeric_columns(Table("", list("abcde"), rows)) == [False, True, True, True, False]


def test_markdown_keeps_every_row_in_its_columns() -> None:
    table = Table("t|t", ["a", "b"], [["x|y", "*"], ["two\nlines", "1"]])
    text = markdown("name", [Section("i", "One", ["a_b"], tables=[table])])
    assert "| x\\|y | \\* |\n| two lines | 1 |\n" in text
    assert text.startswith("# name\n\n## One\n\na\\_b\n")


PROBE = """<!doctype html><body style="margin:0">
<iframe src="PAGE" style="width:WIDTHpx;height:900px;border:0"></iframe>
<script>
addEventListener("load", () => {
  const win = document.querySelector("iframe").contentWindow, doc = win.document;
  const table = doc.querySelector("table"), heads = [...table.querySelectorAll("th")];
  const column = heads.findIndex((head) => head.textContent.startsWith("gain"));
  const cells = () => [...table.tBodies[0].rows].map((row) => row.cells[column].textContent);
  const found = {
    width: win.innerWidth, scroll: doc.scrollingElement.scrollWidth,
    requests: win.performance.getEntriesByType("resource").length,
    links: doc.querySelectorAll("link,img,iframe,object").length,
    before: cells(),
  };
  heads[column].querySelector("button").click();
  found.rising = cells(); found.sort = heads[column].getAttribute("aria-sort");
  heads[column].querySelector("button").click();
  found.falling = cells();
  document.body.replaceChildren(JSON.stringify(found));
});
</script>"""


@needs_chromium
@pytest.mark.parametrize("width", [400, 1280])
def test_in_a_browser_nothing_overflows_or_is_fetched_and_tables_sort(
    tmp_path: Path, width: int
) -> None:
    records, study = many()
    claims = [
        study.claims[0].model_copy(update={"id": f"claim-{i}", "baseline": f"c{i}"})
        for i in (3, 0, 7)
    ]
    page = write(records, study.model_copy(update={"claims": tuple(claims)}), tmp_path / "r")
    probe = tmp_path / "probe.html"
    probe.write_text(PROBE.replace("PAGE", page.as_uri()).replace("WIDTH", str(width)))
    found = found_by(probe, width)
    assert found["width"] == width
    assert found["scroll"] <= width
    assert found["requests"] == found["links"] == 0
    assert found["before"] == ["+16.00", "+19.00", "+12.00"]
    assert found["rising"] == ["+12.00", "+16.00", "+19.00"]
    assert found["falling"] == ["+19.00", "+16.00", "+12.00"]
    assert found["sort"] == "ascending"


def test_long_names_wrap_at_the_equals_sign() -> None:
    name = "consolidation=online-ewc plasticity=off optimiser=momentum-0.01"
    assert wrapped(name, 16).split("\n") == [
        "consolidation=",
        "online-ewc",
        "plasticity=off",
        "optimiser=",
        "momentum-0.01",
    ]
    assert wrapped("dhp+online-ewc") == "dhp+online-ewc"


def test_claims_of_other_kinds_stand_in_the_forest_of_all_contrasts() -> None:
    """Below the gains, where they are one number in points; the others are named."""
    pair: dict[str, Any] = {"text": "t", "source": "s", "treatment": "b", "baseline": "a"}
    others = (
        Statement(id="ahead", kind="better", **pair),
        Statement(id="quick", kind="at-least", metric="record", field="timings.total",
                  unit="seconds", higher_is_better=False, margin=1.0, **pair),
        Statement(id="table", kind="rank", text="t", source="s", order=("b", "a")),
    )  # fmt: skip
    records = [record(name, seed, 0.7 + 0.01 * seed * (name == "b")) for name in "ab"
               for seed in range(4)]  # fmt: skip
    for gains in (STUDY.claims, ()):
        study = STUDY.model_copy(update={"claims": (*gains, *others)})
        analysis = analyse(records, study)
        found = contrasts_section(analysis)
        assert found is not None
        (drawing,) = found.drawings
        assert drawing.caption.endswith("in other units or of several numbers: quick and table.")
        (ahead, *_) = analysis.statements
        assert ahead.ruling is not None
        assert f"ahead: +1.50, {ahead.ruling.verdict}" in drawing.alt
        figure = drawing.draw()
        (axis,) = figure.axes
        named = [label.get_text() for label in axis.get_yticklabels()]
        assert named == ["gain (points)"] * len(gains) + ["ahead (better)"]
        assert axis.texts[-1].get_text() == ahead.ruling.label
        plt.close(figure)
