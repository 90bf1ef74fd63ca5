"""Whatever a person reads in a report is checked: to the byte, or a figure by its marks."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread, imsave
from reported import RECORDS, STUDY, write

from reports.findings.analysis import analyse
from reports.output.rendered import unlike_rendered


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "report"
    write(RECORDS, STUDY, folder)
    return folder


@pytest.fixture
def report(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "report"))


def unlike(folder: Path, *named: str) -> tuple[list[str], list[str]]:
    return unlike_rendered(analyse(RECORDS, STUDY), STUDY, folder, named)


def edit(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_text(encoding="utf-8")
    path.write_text(change(before), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != before


def test_an_untouched_report_is_the_one_that_is_rendered_again(report: Path) -> None:
    assert unlike(report) == ([], [])


def test_a_forged_verdict_and_number_are_named_with_their_line(report: Path) -> None:
    edit(report / "index.html", lambda text: text.replace("INCONCLUSIVE", "REPRODUCED"))
    edit(report / "report.md", lambda text: text.replace("+10.50", "+9.50", 1))
    faults, _ = unlike(report)
    assert [fault.partition(":")[0] for fault in faults] == ["index.html", "report.md"]
    assert "REPRODUCED" in faults[0]
    assert "INCONCLUSIVE" in faults[0]
    assert re.search(r"line \d+ has '.*\+9\.50.*', the records give '.*\+10\.50", faults[1])
    assert unlike(report, "index.html", "report.md") == ([], [])


def test_spaces_in_a_table_that_change_no_value_are_named(report: Path) -> None:
    edit(report / "verdict.json", lambda text: text.replace(": ", ":  ", 1))
    assert [fault.partition(":")[0] for fault in unlike(report)[0]] == ["verdict.json"]


def test_a_text_that_is_cut_or_longer_is_named(report: Path) -> None:
    edit(report / "report.md", lambda text: text + "and it is all true\n")
    edit(report / "summary.csv", lambda text: text[:40])
    names = [fault.partition(":")[0] for fault in unlike(report)[0]]
    assert names == ["report.md", "summary.csv"]


def test_a_figure_that_was_drawn_over_is_named(report: Path) -> None:
    picture = imread(report / "forest.png").copy()
    picture[10:14, 10:14, :3] = 0
    imsave(report / "forest.png", picture)
    edit(report / "estimation.svg", lambda text: text.replace("#222222", "#222223", 1))
    faults, _ = unlike(report)
    assert "forest.png: not what the records give" in faults
    assert "estimation.svg: not what the records give" in faults
    assert any(fault.startswith("index.html: line") for fault in faults), "the page has another one"


def by_another(path: Path) -> None:
    """Let an SVG say that another version drew it."""
    edit(path, lambda text: text.replace(f"v{mpl.__version__}", "v3.0.0", 1))


def inline_as_it_lies(report: Path) -> None:
    from reports.output.page import page_around

    page = page_around(analyse(RECORDS, STUDY), STUDY, report, report)
    (report / "index.html").write_text(page, encoding="utf-8")


def test_a_figure_of_another_version_is_compared_by_its_marks(report: Path) -> None:
    for path in report.glob("*.svg"):
        by_another(path)
    picture = imread(report / "forest.png")
    noise = np.random.default_rng(1).normal(0, 0.02, picture.shape[:2])[..., None]
    picture = np.dstack([np.clip(picture[..., :3] + noise, 0, 1), picture[..., 3:]])
    imsave(report / "forest.png", picture)
    inline_as_it_lies(report)
    faults, notes = unlike(report)
    assert faults == []
    assert len(notes) == 1
    assert "drawn by Matplotlib 3.0.0" in notes[0]
    assert "their letters were not" in notes[0]


def test_a_mark_that_another_version_would_not_move_so_far_is_named(report: Path) -> None:
    clipped = next(
        path for path in sorted(report.glob("*.svg")) if 'clip-path="url' in path.read_text()
    )
    by_another(clipped)
    edit(
        clipped,
        lambda text: re.sub(
            r'(<g clip-path="[^"]*"[^>]*>\s*<use [^>]*x=")([0-9.]+)',
            lambda found: f"{found[1]}{float(found[2]) + 3}",
            text,
            count=1,
        ),
    )
    inline_as_it_lies(report)
    (fault,) = unlike(report)[0]
    assert fault.startswith(f"{clipped.name}: not what the records give, drawn by 3.0.0: a mark is")


def test_a_picture_of_another_version_with_a_patch_painted_over_is_named(report: Path) -> None:
    by_another(report / "forest.svg")
    picture = imread(report / "forest.png").copy()
    picture[100:140, 100:140, :3] = 1 - picture[100:140, 100:140, :3]
    imsave(report / "forest.png", picture)
    inline_as_it_lies(report)
    (fault,) = unlike(report)[0]
    assert re.fullmatch(r"forest\.png: .*: a patch differs by \d+% in brightness", fault)


@pytest.mark.parametrize("content", ["", "<svg", "<svg>Matplotlib v3.0.0, <dc:title>"])
def test_what_is_no_figure_is_named(report: Path, content: str) -> None:
    (report / "forest.svg").write_text(content)
    faults, _ = unlike(report)
    assert faults[0].startswith("forest.svg: not what the records give")
