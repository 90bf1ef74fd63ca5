"""A report is written whole or not at all, and verify knows which files there must be."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from reported import RECORDS, STUDY, write

from reports.figures import theme
from reports.findings.analysis import analyse
from reports.output import page
from reports.output.page import report_files
from reports.output.replacing import replaced
from reports.output.tables import summary_text
from reports.output.verify import differences
from reports.sections.report import sections

FILES = report_files(sections(analyse(RECORDS, STUDY), STUDY))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "report"
    write(RECORDS, STUDY, folder)
    return folder


@pytest.fixture
def report(written: Path, tmp_path: Path) -> Path:
    """A report of its own to spoil."""
    return Path(shutil.copytree(written, tmp_path / "report"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def differ(folder: Path) -> list[str]:
    return differences(analyse(RECORDS, STUDY), folder, FILES)


FULL = OSError(errno.ENOSPC, "full")


@pytest.mark.parametrize(
    ("at", "fault"),
    [
        ("verdict_text", FULL),
        ("save", FULL),
        ("save", ValueError()),
        ("save", KeyboardInterrupt()),
        ("markdown", FULL),
        ("_report_page", FULL),
    ],
)
def test_a_report_that_fails_half_way_leaves_the_old_one_as_it_was(
    report: Path, monkeypatch: pytest.MonkeyPatch, at: str, fault: BaseException
) -> None:
    def fail(*_: Any) -> None:
        raise fault

    def save(figure: Figure, path: Path) -> None:
        """Write in no time; fail, if it is to, after others are written."""
        if at == "save" and path.name == "tasks":
            raise fault
        for suffix in (".svg", ".png"):
            path.with_suffix(suffix).write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")

    before = contents(report)
    monkeypatch.setattr(theme, "save", save)
    if at != "save":
        monkeypatch.setattr(page, at, fail)
    for folder in (report, report.parent / "first"):
        with pytest.raises(type(fault)):
            write(RECORDS, STUDY, folder)
        assert contents(report) == before
        left = [path.name for path in report.parent.iterdir()]
        assert left == ["report"], "nothing of the new one is left, nor of a first one"


def test_a_new_report_has_nothing_of_the_old_one_but_what_is_somebody_elses(report: Path) -> None:
    (report / "notes.txt").write_text("mine")
    (report / "more").mkdir()
    (report / "more" / "notes.txt").write_text("mine too")
    (report / "of-an-earlier-study.svg").write_text("<svg/>")
    (report / "link").symlink_to("notes.txt")
    write(RECORDS, STUDY, report)
    there = {path.name for path in report.iterdir()}
    assert there == FILES | {"notes.txt", "more", "link"}
    assert (report / "more" / "notes.txt").read_text() == "mine too"
    assert (report / "link").is_symlink()


def test_a_report_folder_that_is_a_link_stays_one(report: Path, tmp_path: Path) -> None:
    away = report.rename(tmp_path / "elsewhere")
    report.symlink_to(away)
    write(RECORDS[:4], STUDY, report)
    assert report.is_symlink()
    assert (away / "index.html").read_bytes() == (report / "index.html").read_bytes()


def test_a_file_in_the_way_is_an_error_of_the_system_and_stays(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("in the way")
    with pytest.raises(NotADirectoryError):
        write(RECORDS, STUDY, tmp_path / "report")
    assert (tmp_path / "report").read_text() == "in the way"


def test_the_old_folder_is_put_back_where_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "old").write_text("old")
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.name.endswith(".new"):
            raise OSError(errno.EBUSY, "busy")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)

    def fill() -> Iterator[None]:
        with replaced(folder, lambda path: False) as new:
            (new / "new").write_text("new")
            yield

    with pytest.raises(OSError, match="busy"):
        list(fill())
    assert [path.name for path in folder.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_verify_knows_every_file_and_names_what_is_missing_empty_or_foreign(report: Path) -> None:
    assert {path.name for path in report.iterdir()} == FILES
    assert differ(report) == []
    for name in ("forest.png", "index.html", "report.md"):
        (report / name).unlink()
    (report / "curves.svg").write_text("")
    (report / "notes.txt").write_text("mine")
    (report / ".hidden").write_text("a file browser's")
    assert differ(report) == [
        "forest.png: missing",
        "index.html: missing",
        "report.md: missing",
        "curves.svg: empty",
        "notes.txt: not a file of this report",
    ]


@pytest.mark.parametrize("name", ["verdict.json", "summary.csv", "table.parquet"])
def test_verify_names_a_missing_file_that_it_reads_once(report: Path, name: str) -> None:
    (report / name).unlink()
    assert differ(report) == [name]


def test_any_path_can_hold_a_report(tmp_path: Path) -> None:
    """A name that is no UTF-8, which pyarrow does not open."""
    folder = tmp_path / "caf\udce9 [/x] $y$" / "report"
    write(RECORDS[:2], STUDY, folder)
    analysis = analyse(RECORDS[:2], STUDY)
    assert differences(analysis, folder, report_files(sections(analysis, STUDY))) == []


def test_a_source_with_any_name_has_a_column_that_verify_reads(tmp_path: Path) -> None:
    name = 'a,"b"\r\nc\u2028d\x0c'
    source = STUDY.published[0].model_copy(update={"id": name})
    study = STUDY.model_copy(update={"published": (source,)})
    write(RECORDS, study, tmp_path / "report")
    analysis = analyse(RECORDS, study)
    assert differences(analysis, tmp_path / "report") == []
    changed = summary_text(analysis.measured).replace(",70.0\n", ",70.5\n")
    (tmp_path / "report" / "summary.csv").write_bytes(changed.encode())
    assert differences(analysis, tmp_path / "report") == [f"summary.csv: [0].published_{name}"]
