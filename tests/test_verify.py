"""An edited verdict is found and named; the page repeats byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_analysis import RECORDS, STUDY, record

from reports.analysis import analyse
from reports.page import write_page
from reports.summary import summary_text
from reports.verify import differences

SUMMARY = summary_text(RECORDS, STUDY)


def test_an_edited_verdict_is_named(tmp_path: Path) -> None:
    found = analyse(RECORDS, STUDY)
    write_page(found, tmp_path)
    (tmp_path / "summary.csv").write_text(SUMMARY)
    assert differences(found, SUMMARY, tmp_path) == []
    path = tmp_path / "verdict.json"
    document = json.loads(path.read_text())
    document["claims"][0]["estimate"] += 0.1
    path.write_text(json.dumps(document))
    assert differences(found, SUMMARY, tmp_path) == ["verdict.json: claims[0].estimate"]
    path.unlink()
    assert differences(found, SUMMARY, tmp_path) == ["verdict.json"]


def test_a_changed_record_is_named(tmp_path: Path) -> None:
    write_page(analyse(RECORDS, STUDY), tmp_path)
    changed = analyse([record("a", 0, 0.71), *RECORDS[1:]], STUDY)
    (tmp_path / "summary.csv").write_text(SUMMARY.replace("70.", "71.", 1))
    named = differences(changed, SUMMARY, tmp_path)
    assert "verdict.json: claims[0].estimate" in named
    assert "summary.csv: [0].final_accuracy" in named


@pytest.mark.parametrize("kept", [1, 2, 7])
def test_the_same_records_give_the_same_bytes(tmp_path: Path, kept: int) -> None:
    once = write_page(analyse(RECORDS[:kept], STUDY), tmp_path / "once").parent
    twice = write_page(analyse(RECORDS[:kept][::-1], STUDY), tmp_path / "twice").parent
    assert {p.name: p.read_bytes() for p in once.iterdir()} == {
        p.name: p.read_bytes() for p in twice.iterdir()
    }
    assert "http-equiv" not in (once / "index.html").read_text()
