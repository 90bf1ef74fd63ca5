"""How complete a study is stands in its first words; what became of each seed has its own word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from claimed import AHEAD, GAIN, ran, study
from reported import RECORDS, STUDY, record
from rich.console import Console

from harness.keeping.results import read_results
from harness.studies.statements import Statement
from reports.findings.analysis import Analysis, analyse
from reports.findings.completeness import of_cells, of_seeds
from reports.numbers.study import Study
from reports.output.document import verdict_document
from reports.output.reporter import Reporter
from reports.output.terminal import show
from reports.sections.report import sections
from reports.sections.verdict import completeness_words, headline, tone


def of(*cells: tuple[str, int, str]) -> dict[tuple[str, int], Any]:
    return {(name, seed): record(name, seed, 0.5, status) for name, seed, status in cells}


def test_each_seed_has_one_word_and_a_failure_comes_before_what_is_missing() -> None:
    cells = of(
        ("a", 0, "done"), ("b", 0, "done"),
        ("a", 1, "done"), ("b", 1, "diverged"),
        ("a", 2, "failed"), ("b", 2, "diverged"),
        ("a", 3, "timed out"),
        ("a", 4, "done"),
        ("a", 5, "done"), ("b", 5, "done"),
        ("a", 6, "eaten by a dog"), ("b", 6, "done"),
        ("a", 9, "done"),
    )  # fmt: skip
    found = of_seeds(cells, ["a", "b"], range(10), range(8), dropped=[1, 2, 3, 4, 5, 6, 7, 9])
    assert (found.done, found.of, found.preliminary) == (1, 9, True)
    assert found.others == (
        ("diverged", 1), ("eaten by a dog", 1), ("failed", 1), ("timed out", 1), ("dropped", 1),
        ("not yet run", 3),
    )  # fmt: skip
    assert found.words() == "1 of 9 seeds"
    assert found.short.startswith("1 (1 diverged, 1 eaten by a dog, 1 failed, 1 timed out, ")
    whole = of_cells(cells, ["a", "b"], range(8))
    assert (whole.done, whole.of, dict(whole.others)["not yet run"]) == (8, 17, 4)


def test_seeds_beyond_what_the_study_asks_for_do_not_make_it_preliminary() -> None:
    cells = of(("a", 0, "done"), ("b", 0, "done"), ("a", 1, "done"))
    found = of_seeds(cells, ["a", "b"], [0, 1], [0])
    assert (found.words(), found.rest, found.preliminary) == (
        "1 of 2 seeds",
        "1 not yet run",
        False,
    )


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> tuple[Analysis, Study]:
    root = tmp_path_factory.mktemp("partial")
    ran(root, study(GAIN, AHEAD, seeds=10), ("plain", "ewc"), seeds=range(4))
    results = read_results(root)
    return Reporter().analyse(results), results.study


def test_a_partial_run_is_preliminary_in_its_first_words(
    partial: tuple[Analysis, Study], tmp_path: Path
) -> None:
    analysis, own = partial
    lead = "PRELIMINARY, 4 of 10 seeds: ✓ REPRODUCED. "
    assert headline(analysis).startswith(lead)
    assert tone(analysis) == "OPEN"
    first = sections(analysis, own)[0]
    assert first.paragraphs[0].startswith(lead)
    whole = "8 of 30 cells are done; 22 not yet run. All verdicts are preliminary"
    assert any(text.startswith(whole) for text in first.paragraphs)
    tables = [table for section in sections(analysis, own) for table in section.tables]
    claims = next(table for table in tables if table.header[0] == "claim")
    assert claims.rows[0][5] == "4 (6 not yet run)"
    screen = Console(record=True, width=200, file=(tmp_path / "screen").open("w"))
    show(screen, analysis, own)
    lines = [line for line in screen.export_text().splitlines() if line.strip()]
    assert lines[0].startswith(f"PRELIMINARY, 4 of 10 seeds. {whole}")
    assert any(line.startswith("PRELIMINARY, 4 of 10 seeds: ✓ REPRODUCED.") for line in lines)
    assert any("│ 4 (6 not yet run) │" in line for line in lines)
    document = verdict_document(analysis)
    assert document["headline"].startswith(lead)
    assert document["completeness"] == {
        "done": 8, "of": 30, "others": {"not yet run": 22}, "preliminary": True,
    }  # fmt: skip
    assert document["claims"][0]["completeness"] == {
        "done": 4, "of": 10, "others": {"not yet run": 6}, "preliminary": True,
    }  # fmt: skip
    assert document["claims"][1]["completeness"]["others"] == {"not yet run": 10}


def test_a_complete_main_claim_says_which_others_are_not(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN, AHEAD), ("plain", "ewc"))
    analysis = Reporter().analyse(read_results(root))
    assert headline(analysis).startswith("✓ REPRODUCED. ")
    assert completeness_words(analysis) == (
        "12 of 18 cells are done; 6 not yet run. Verdicts on ahead are preliminary."
    )
    assert tone(analysis) is None
    whole = Reporter().analyse(read_results(ran(root, study(GAIN, AHEAD), ("si",))))
    assert completeness_words(whole) is None


def test_diverged_and_failed_runs_are_not_yet_to_come_and_not_one_word() -> None:
    ended = [*RECORDS, record("b", 3, 0.0, "timed out")]
    analysis = analyse(ended, STUDY)
    assert headline(analysis).split(":")[0] != "PRELIMINARY", "nothing is left to run"
    assert analysis.complete["gain"].short == "2 (1 diverged, 1 timed out)"
    assert completeness_words(analysis) == "6 of 8 cells are done; 1 diverged and 1 timed out."
    assert analysis.claims[0].contrast.dropped == (
        (2, "treatment diverged"), (3, "treatment timed out"),
    )  # fmt: skip
    cells = {one.condition: one for one in analysis.cells}
    assert (cells["b"].diverged, cells["b"].others) == (1, (("timed out", 1),))
    assert analysis.measured.summary["diverged"].tolist() == [0, 1]
    counted = analysis.robustness[0].diverged
    assert [(one.treatment, one.n) for one in counted] == [(1, 3)] * len(counted)
    run = next(section for section in sections(analysis, STUDY) if section.id == "run")
    assert "6 cells done, 1 diverged, 1 timed out, 0 not yet run;" in run.paragraphs[1]
    assert run.tables[0].header == [
        "condition", "done", "diverged", "timed out", "seeds not yet run",
    ]  # fmt: skip
    assert run.tables[0].rows[1] == ["b", "2", "1", "1", "-"]


def test_a_seed_without_the_number_that_a_claim_asks_for_is_dropped() -> None:
    asks: dict[str, Any] = {"metric": "record", "field": "timings.peak", "unit": "MiB",
                            "higher_is_better": False}  # fmt: skip
    claim = Statement(id="m", kind="better", text="t", source="s", treatment="b", baseline="a",
                      **asks)  # fmt: skip
    records = [record(name, seed, 0.7) for name in "ab" for seed in range(4)]
    for one in records[1:]:
        one["timings"]["peak"] = 1.0 + one["seed"]
    analysis = analyse(records, STUDY.model_copy(update={"claims": (claim,)}))
    assert analysis.complete["m"].short == "3 (1 dropped)"


def test_a_study_without_claims_counts_its_cells() -> None:
    plain = STUDY.model_copy(update={"claims": ()})
    assert headline(analyse(RECORDS, plain)).startswith("PRELIMINARY, 6 of 8 cells: This study")
