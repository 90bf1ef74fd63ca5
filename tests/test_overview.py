"""One page over a folder of results: every claim of every study, and what all of them say."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from browser import found_by, needs_chromium
from claimed import GAIN, PAIR, ran, study
from matplotlib.figure import Figure
from reported import Page
from test_gate import call

from harness.keeping.results import read_results
from reports.figures import theme
from reports.findings.overview import Overview, Row, scales, together
from reports.numbers.intervals import Interval
from reports.output.console import Terminal
from reports.output.overview.bars import WIDTH, bar
from reports.output.overview.files import overview_files
from reports.output.overview.terminal import show_overview
from reports.output.reporter import Reporter

ALL = ("plain", "ewc", "si")
HOSTILE = "x<script>alert(1)</script>\u202e"
CONTROL = GAIN | {"id": "planted", "reported": 0.4, "margin": 0.3, "expected": "REPRODUCED"}
EQUAL = PAIR | {"id": "same", "kind": "equal", "margin": 9.0, "text": HOSTILE}


def quick(figure: Figure, path: Path) -> None:
    """Write a figure in no time: what figures show has tests of its own."""
    for suffix in (".svg", ".png"):
        path.with_name(path.name + suffix).write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" width="9pt" height="9pt"/>'
        )


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files but indices, which are no content."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "index.npz"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of every sort of directory, with its page, written by the command."""
    root = tmp_path_factory.mktemp("all") / "results"
    ran(root / "whole", study(GAIN, EQUAL), ALL)
    ran(root / HOSTILE.replace("/", "-"), study(GAIN, name="begun"), ALL, seeds=range(4))
    ran(root / "late", study(GAIN | {"reported": 2.0, "margin": 0.5}, name="late"), ALL)
    ran(root / "late", study(GAIN | {"margin": 4.0}, name="late"))
    ran(root / "nothing-yet", study(GAIN, name="nothing-yet"))
    (root / "junk").mkdir()
    (root / "junk" / "notes.txt").write_text("no results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(theme, "save", quick)
        code, output = call("report", root)
        (root.parent / "said.txt").write_text(output)
        assert code == 0, output
        yield root


def rows(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    document = json.loads((folder / "overview.json").read_text())
    return {(o["study"], row["id"]): row for o in document["directories"] for row in o["rows"]}


def test_every_claim_is_there_as_its_own_report_has_it(folder: Path) -> None:
    found = rows(folder)
    assert found.keys() == {
        ("claimed", "gain"), ("claimed", "same"), ("begun", "gain"), ("late", "gain")
    }  # fmt: skip
    for place in folder.glob("*/report/verdict.json"):
        report = json.loads(place.read_text())
        for claim in report["claims"]:
            row = found[report["study"], claim["id"]]
            assert row["verdict"] == claim["verdict"]
            assert row["estimate"] == claim["estimate"]
            assert row["ci"] == claim["ci"]
            assert row["complete"]["preliminary"] == claim["completeness"]["preliminary"]
    assert found["claimed", "gain"]["band"] == [3.5, 6.5], "reported ± margin"
    assert found["claimed", "same"]["band"] == [-9.0, 9.0]


def test_what_is_partial_late_or_empty_is_said_first(folder: Path) -> None:
    document = json.loads((folder / "overview.json").read_text())
    assert document["headline"].startswith("PRELIMINARY: 4 claims of 3 studies")
    assert "(12 of 18 cells) is not yet complete" in document["says"]
    assert "Not fixed before its data: gain of late." in document["says"]
    assert "changed after the data (before: ▲ LARGER" in rows(folder)["late", "gain"]["label"]
    left = {one["directory"]: one for one in document["left_out"]}
    assert left.keys() == {"junk", "nothing-yet"}
    assert left["junk"]["reason"] == "no results directory"
    assert "no finished cell" in left["nothing-yet"]["reason"]
    assert not any(one["damaged"] for one in left.values())


def test_missing_reports_are_written_and_the_same_records_give_the_same_bytes(
    folder: Path,
) -> None:
    said = (folder.parent / "said.txt").read_text()
    assert said.count("writing its report; it had none") == 3
    before = contents(folder)
    code, output = call("report", folder)
    assert code == 0
    assert "writing its report" not in output
    assert contents(folder) == before


def test_a_report_of_other_records_is_written_again(folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "results"))
    ran(other / "whole", study(GAIN, EQUAL), ALL, seeds=[9])
    _, output = call("report", other)
    assert output.count("writing its report; its report was of other records") == 1
    document = json.loads((other / "whole" / "report" / "verdict.json").read_text())
    assert document["claims"][0]["n"] == 7


def test_the_page_loads_nothing_links_to_every_claim_and_shows_hostile_text_as_text(
    folder: Path,
) -> None:
    page = Page(folder / "index.html")
    assert page.loads == []
    assert page.tags.count("script") == 1
    assert HOSTILE.replace("\u202e", "\\u202e") in page.text, "the text of a claim"
    assert "\u202e" not in (folder / "index.html").read_text()
    targets = [link for link in page.links if "report" in link]
    assert len(targets) >= 4 + 3
    for link in targets:
        name, _, anchor = link.partition("#")
        there = folder / unquote(name)
        assert there.is_file(), link
        assert not anchor or anchor in Page(there).ids


def test_verify_compares_each_report_and_the_overview(folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "results"))
    shutil.rmtree(other / "late")
    shutil.rmtree(next(place for place in other.iterdir() if place.name.startswith("x<")))
    assert call("report", other)[0] == 0
    code, output = call("verify", other)
    assert (code, "the overview of 1 directories agrees" in output) == (0, True), output
    page = other / "index.html"
    page.write_text(page.read_text().replace("REPRODUCED", "CONTRADICTED"))
    assert call("verify", other)[0] == 1
    document = json.loads((other / "overview.json").read_text())
    document["directories"][0]["rows"][0]["estimate"] += 1
    (other / "overview.json").write_text(json.dumps(document))
    code, output = call("verify", other)
    assert code == 1
    assert "differs: overview.json: the claim gain of whole" in output
    assert "differs: index.html: not the page that the records give" in output
    document["program"] = "another"
    (other / "overview.json").write_text(json.dumps(document))
    assert call("verify", other)[0] == 1, "numbers are compared whoever wrote it"
    document["directories"][0]["rows"][0]["estimate"] -= 1
    (other / "overview.json").write_text(json.dumps(document))
    code, output = call("verify", other)
    assert (code, "its words were NOT" in output) == (3, True)


def test_a_failed_control_is_the_first_line_and_exit_1(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(tmp_path / "results" / "controlled", study(GAIN, CONTROL, name="controlled"), ALL)
    ran(tmp_path / "results" / "broken", study(GAIN), ALL)
    (tmp_path / "results" / "broken" / "study.json").write_text("{")
    code, output = call("report", tmp_path / "results")
    assert code == 1
    shown = [line for line in output.splitlines() if not line.endswith(" ...")]
    assert shown[0].startswith("CONTROL FAILED: planted of controlled")
    assert "left out: broken:" in output
    html = (tmp_path / "results" / "index.html").read_text()
    assert '<h1 class="FAILED">CONTROL FAILED' in html
    document = json.loads((tmp_path / "results" / "overview.json").read_text())
    assert "0 of 1 control got the verdict" in document["says"]
    assert "Left out, because it cannot be read: broken." in document["says"]


def test_required_verdicts_and_answers_for_programs(folder: Path) -> None:
    code, output = call("report", folder, "--require", "REPRODUCED", "--quiet")
    assert code == 1
    assert "whole: --require REPRODUCED: not met, same is EQUAL" in output
    code, output = call("report", folder, "--json")
    facts = json.loads(output.splitlines()[-1])
    assert (facts["command"], facts["exit_code"], code) == ("report", 0, 0)
    assert [one["written"] for one in facts["directories"]] == [False] * 3
    assert {one["directory"] for one in facts["left_out"]} == {"junk", "nothing-yet"}


def test_a_folder_without_results_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, output = call("report", tmp_path)
    assert code == 2
    assert output.strip().count("\n") == 0
    assert str(tmp_path) in output


def row(estimate: float | None, band: Interval | None = None, **fields: Any) -> Row:
    content: dict[str, Any] = {
        "directory": "d", "study": "s", "id": "i", "text": "t", "source": "", "verdict": None,
        "label": "", "late": False, "expected": None, "as_expected": None, "estimate": estimate,
        "ci": None, "band": band, "kind": "gain", "unit": "points", "cause": "-", "by": None,
        "differs": 2, "contrast": "c", "complete": None, "anchor": "a",
    }  # fmt: skip
    return Row(**content | fields)


def test_bars_of_one_study_share_a_scale_and_end_where_the_numbers_say() -> None:
    first, second = row(5.0, Interval(4.0, 10.0)), row(-2.5, id="j")
    axes = scales([first, second, row(90.0, kind="value"), row(None)])
    shared = axes["d", "points"]
    assert shared == Interval(-2.5 - 1.0, 10.0 + 1.0), "8% of 12.5 at each end; zero within"
    drawn = bar(first, shared)
    zero, ours = (round((value + 3.5) / 14.5 * WIDTH, 1) for value in (0.0, 5.0))
    assert f'class="inner" x1="{zero}" x2="{ours}"' in drawn
    assert f'class="band" x="{round(7.5 / 14.5 * WIDTH, 1)}"' in drawn
    assert axes["d", "points", "i"] == Interval(89.0, 91.0), "a value has an axis of its own"
    assert 'class="tick"' not in bar(row(90.0, kind="value"), axes["d", "points", "i"])
    assert bar(row(None), shared) == ""


def test_a_cause_is_taken_from_who_takes_the_same_contrast_apart() -> None:
    def told(name: str, *rows: Row) -> Any:
        from reports.findings.overview import Told

        return Told(name, name, None, "", "", "", None, (), rows)  # type: ignore[arg-type]

    asks = told("a", row(1.0, cause="not told"), row(1.0, contrast="other", cause="not told"))
    tells = told("b", row(1.0, cause="the start", by="b"))
    found = [one for each in together([tells, asks], []).directories for one in each.rows]
    assert [(one.cause, one.by) for one in found] == [
        ("the start", "b"), ("not told", None), ("the start", "b")
    ]  # fmt: skip


@pytest.mark.parametrize("width", [40, 60, 120])
def test_no_line_on_a_narrow_terminal_is_wider_than_it(folder: Path, width: int) -> None:
    console = Terminal(width=width, record=True, file=io.StringIO())
    show_overview(console, overview_of(folder))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= width
    assert sum("✓ REPRODUCED" in line for line in lines) >= 2


def overview_of(folder: Path) -> Overview:
    told = []
    for place in sorted(folder.glob("*/report")):
        results = read_results(place.parent)
        told.append(Reporter().told(place.parent, Reporter().analyse(results), results.study))
    return together(told, [])


PROBE = """<!doctype html><body style="margin:0">
<iframe src="PAGE" style="width:WIDTHpx;height:900px;border:0"></iframe><script>
addEventListener("load", () => {
  const view = document.querySelector("iframe").contentWindow, doc = view.document;
  const rows = () => [...doc.querySelectorAll("tbody tr")].filter((r) => r.offsetHeight > 0);
  const found = { scroll: doc.scrollingElement.scrollWidth, all: rows().length };
  found.right = Math.max(...[...doc.querySelectorAll("td, h1, svg")]
    .map((e) => Math.round(e.getBoundingClientRect().right)));
  const words = doc.getElementById("words"), verdict = doc.getElementById("verdict");
  words.value = "late"; words.dispatchEvent(new view.Event("input"));
  found.late = rows().length; found.status = doc.getElementById("shown").textContent;
  words.value = ""; verdict.value = "EQUAL"; verdict.dispatchEvent(new view.Event("change"));
  found.equal = rows().map((row) => row.dataset.verdict);
  verdict.value = ""; verdict.dispatchEvent(new view.Event("change"));
  const gain = [...doc.querySelectorAll("th.num button")][0];
  gain.click();
  found.gains = rows().map((row) => parseFloat(row.cells[2].dataset.value));
  document.body.replaceChildren(JSON.stringify(found));
});</script>"""


@needs_chromium
@pytest.mark.parametrize("width", [400, 1280])
def test_a_browser_filters_sorts_and_shows_all_of_it(
    folder: Path, width: int, tmp_path: Path
) -> None:
    probe = tmp_path / "probe.html"
    page = (folder / "index.html").as_uri()
    probe.write_text(PROBE.replace("PAGE", page).replace("WIDTH", str(width)))
    found = found_by(probe, max(500, width))
    assert found["scroll"] <= width
    assert found["right"] <= width
    assert (found["all"], found["late"], found["status"]) == (4, 1, "1 of 4")
    assert found["equal"] == ["EQUAL"]
    assert found["gains"] == sorted(found["gains"])


def test_all_colours_are_those_of_the_page(folder: Path) -> None:
    files = overview_files(overview_of(folder))
    assert files.keys() == {"index.html", "overview.json"}
    used = set(re.findall(r"var\((--\w+)\)", files["index.html"]))
    assert used <= set(re.findall(r"(--\w+):", files["index.html"])), "the colours of the page"
    drawn = "".join(re.findall(r"<svg.*?</svg>", files["index.html"]))
    assert drawn
    assert not re.search(r"(?:fill|stroke)=|style=", drawn), (
        "the page colours them, in both schemes"
    )
