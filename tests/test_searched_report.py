"""What a report says of the search behind a study's settings, against numbers computed anew."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reported import STUDY, record
from test_tuning import STUDY as OWN
from test_tuning import TRAIN, call

from harness.studies.strengths import read_strengths, strengths_text
from harness.studies.study_files import load_study, study_path
from reports.figures.searched import draw_search
from reports.figures.sheet import Sheet
from reports.findings.analysis import analyse
from reports.findings.searched import Search, SearchedCondition, TriedSetting, search_of
from reports.sections.searched import searched_section

FILE = study_path("dhp-split-digits").parent / "strengths" / "dhp-split-digits.toml"


def found() -> Search:
    search = search_of(load_study("dhp-split-digits"))
    assert search is not None
    return search


def test_means_errors_and_compute_are_those_of_the_file() -> None:
    raw = tomllib.loads(FILE.read_text(encoding="utf-8"))
    search = found()
    assert search.fingerprint == raw["fingerprint"]
    told = [(of.condition, one) for of in search.conditions for one in of.tried]
    assert len(told) == len(raw["curve"]) == 48
    for (condition, one), point in zip(told, raw["curve"], strict=True):
        assert (condition, dict(one.setting)) == (point["condition"], point["setting"])
        assert one.done + one.diverged == 10
        if len(point["values"]) > 1:
            values = np.array(point["values"])
            assert one.mean == pytest.approx(values.mean(), abs=1e-12)
            error = values.std(ddof=1) / np.sqrt(len(values))
            assert one.standard_error == pytest.approx(error, abs=1e-12)
    for of in search.conditions:
        own = [point["seconds"] for point in raw["curve"] if point["condition"] == of.condition]
        assert of.seconds == pytest.approx(sum(own))
        chosen = of.chosen
        assert chosen is not None
        assert dict(chosen.setting) == raw["chosen"][of.condition]


def test_the_section_names_fingerprint_choice_and_cost() -> None:
    analysis = analyse([record("a", 0, 0.9), record("b", 0, 0.8)], STUDY)
    assert analysis.search is None
    assert searched_section(analysis) is None
    section = searched_section(replace(analysis, search=found()))
    assert section is not None
    said = " ".join(section.paragraphs)
    assert found().fingerprint in said
    assert "10 seeds (1000 to 1009) that no result uses" in said
    assert "20% of the training data" in said
    chosen, tried = section.tables
    assert "published" not in chosen.header
    row = next(row for row in chosen.rows if row[0] == "si")
    assert row[1:6] == ["strength 1", "98.21", "0.16", "6", "2"]
    assert len(tried.rows) == 48
    assert [row[1] for row in tried.rows if row[0] == "si" and row[6] == "chosen"] == ["strength 1"]


def test_the_figure_shows_every_setting_the_choice_and_what_is_published() -> None:
    def one(strength: float, fisher: str, mean: float | None, lost: int = 0) -> TriedSetting:
        setting = {"strength": strength, "fisher": fisher}
        chosen = (strength, fisher) == (1.0, "true")
        return TriedSetting(setting, mean, 0.5, 3 - lost, lost, 60.0, chosen, False)

    tried = (one(0.1, "true", 80.0), one(1.0, "true", 90.0), one(0.1, "exact", 70.0),
             one(1.0, "exact", None, 3))  # fmt: skip
    of = SearchedCondition("a", tried, {"strength": 10.0})
    of_words = TriedSetting({"kind": "x"}, 5.0, 0.1, 3, 0, 1.0, True, False)
    named = SearchedCondition("b", (of_words,), None)
    search = Search("s", "f", (1, 2), 0.1, 4, "accuracy", "%", (of, named))
    sheet = draw_search(search)
    assert isinstance(sheet, Sheet)
    assert [text for told in sheet.told.values() for text in told] == [
        "strength 0.1, fisher true: 80.00 ± 0.50 %",
        "strength 1, fisher true: 90.00 ± 0.50 %",
        "strength 0.1, fisher exact: 70.00 ± 0.50 %",
        "kind x: 5.00 ± 0.10 %",
    ]
    words = {text.get_text() for text in sheet.texts}
    assert {"chosen", "published", "a seed diverged", "fisher true", "fisher exact"} <= words
    lines = {line.get_linestyle(): line for line in sheet.panels[0].lines}
    assert np.asarray(lines["--"].get_xdata()).tolist() == [10.0, 10.0]
    diamond = next(line for line in sheet.panels[0].lines if line.get_marker() == "D")
    assert np.asarray(diamond.get_data()).tolist() == [[1.0], [90.0]]


@pytest.mark.slow
def test_verify_makes_the_choice_again_and_names_a_forged_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(TRAIN, encoding="utf-8")
    study = tmp_path / "own.toml"
    parts = {"more": "", "search": "budget = 2", "published": "", "grid": "[10, 100]"}
    study.write_text(OWN.format(**parts), encoding="utf-8")
    out = tmp_path / "out"
    call("tune", study, "--out", out)
    assert "How the settings were chosen" in (out / "report" / "index.html").read_text("utf-8")
    assert f"tune {study} --out {out}" in (out / "report" / "report.md").read_text("utf-8")
    assert "agree" in call("verify", out)
    file = out / "strengths.toml"
    right = shutil.copy(file, tmp_path / "right.toml")
    whole = read_strengths(file, "it")
    better = whole.curve[0].model_copy(update={"values": (99.0, 99.2, 99.1, 99.0)})
    forged = type(whole).model_validate(
        whole.model_dump()
        | {
            "curve": (better, *whole.curve[1:]),
            "chosen": {**whole.chosen, "plain": {"strength": 10}},
            "fingerprint": "",
        }
    )
    file.write_text(strengths_text(forged, "tune"), encoding="utf-8")
    said = call("verify", out, code=1)
    assert "'plain' has strength 10, the records give strength 100" in said
    # The same forgery in the file that the study includes.
    shutil.move(file, tmp_path / "forged.toml")
    shutil.copy(right, file)
    text = study.read_text(encoding="utf-8")
    study.write_text(text.replace("seeds = 3", 'seeds = 3\nstrengths = "forged.toml"'), "utf-8")
    assert "forged.toml: 'plain' has strength 10" in call("verify", out, code=1)
