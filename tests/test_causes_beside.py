"""What caused a gain: told by results of another study beside these, checked as far as can be."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gate_results import results
from test_gate import call

from harness.keeping.asking import Asked
from harness.keeping.beside import results_beside
from harness.keeping.results import read_results
from harness.keeping.store import Store
from harness.screen.reporting import judged
from harness.studies.condition import Cell
from harness.studies.study import Study
from reports.findings.analysis import Analysis, analyse
from reports.findings.apart import Answer, answer_from, told_elsewhere
from reports.numbers.records import as_records
from reports.output.document import verdict_document
from reports.output.encoding import as_json
from reports.output.reporter import Reporter
from reports.sections.lead import cause_command, cause_words, lead_section
from reports.sections.report import sections
from reports.sections.rich import plain

PROTOCOL = {"benchmark": "split-digits"}
CLAIM = {"id": "gain", "text": "it helps", "source": "s", "reported": 4.0, "unit": "points",
         "margin": 1.3}  # fmt: skip
MAIN = Study.model_validate({
    "name": "main", "seeds": 4, "protocol": PROTOCOL, "causes": "apart",
    "conditions": {"plain": {}, "both": {"head_init": "blog", "bias": False}},
    "claims": [CLAIM | {"treatment": "both", "baseline": "plain"}],
})  # fmt: skip
APART = Study.model_validate({
    "name": "apart", "seeds": 5, "protocol": PROTOCOL,
    "factors": {
        "start": {"levels": {"linear": {}, "blog": {"head_init": "blog"}}},
        "bias": {"levels": {"yes": {}, "no": {"bias": False}}},
    },
    "claims": [CLAIM | {"treatment": "start=blog bias=no", "baseline": "start=linear bias=yes"}],
    "texts": {"factors": {"start": "start of the output layer", "bias": "bias"}},
})  # fmt: skip


def by_start(cell: Cell, fields: dict[str, Any]) -> None:
    """Accuracy that the start of the output layer raises by about 4 points, and nothing else."""
    raised = cell.condition.method.get("head_init") == "blog"
    final = 0.8 + 0.002 * cell.seed + raised * (0.04 + 0.001 * cell.seed)
    fields["accuracy"] = [[1.0, None], [final, final]]


def beside(folder: Path) -> tuple[Path, Path]:
    """Write results of both studies below a folder; returns their directories."""
    return (
        results(folder / "gpu-main", by_start, MAIN),
        results(folder / "gpu-apart", by_start, APART),
    )


def told(main: Path) -> list[Answer]:
    """Return what the results beside a directory tell of its claims."""
    ours = read_results(main)
    found = results_beside(main, "apart", ours.study.name)
    if found is None:
        return []
    place, theirs = found
    records, their_records = as_records(ours.records), as_records(theirs.records)
    claims, study = ours.study.gains, ours.study
    return told_elsewhere(claims, records, study, their_records, theirs.study, place.name, None)


def analysed(main: Path, *answers: Answer) -> Analysis:
    ours = read_results(main)
    commands = ours.commands
    return analyse(as_records(ours.records), ours.study, commands=commands, answers=answers)


def test_the_answer_of_the_other_study_stands_beside_the_verdict(tmp_path: Path) -> None:
    main, _ = beside(tmp_path)
    (answer,) = told(main)
    assert (answer.study, answer.directory, answer.seeds) == ("apart", "gpu-apart", 5)
    assert answer.total == pytest.approx(4.2)
    assert {one.factor: one.share for one in answer.shares} == pytest.approx(
        {"start": 1.0, "bias": 0.0}
    )
    found = lead_section(analysed(main, answer))
    assert found.paragraphs[0].split(". ")[0].endswith(" in size")
    compared, cause = map(plain, found.findings)
    assert re.fullmatch(
        r"\S+ reaches \d\d\.\d\d%, \S+ \d\d\.\d\d% \(means over the same \d seeds\)\.", compared
    )
    assert cause.startswith(
        "Cause: start of the output layer, not bias. Shares, with 95% intervals, of the +4.20 "
        "points that the study apart finds over its own 5 seeds: "
    )
    assert cause.endswith("bias 0% (0 to 0).")
    assert not found.commands


def test_without_it_the_headline_says_so_and_the_command_is_there(tmp_path: Path) -> None:
    main = results(tmp_path / "main", by_start, MAIN)
    assert told(main) == []
    analysis = analysed(main)
    (cause,) = cause_words(analysis)
    assert plain(cause).startswith("Size, not cause: the two conditions differ in 2 things.")
    assert "head init and bias" in plain(cause)
    command = cause_command(analysis)
    assert command is not None
    assert command.line == "python run_all.py run apart"


def test_the_command_for_the_cause_is_the_one_for_this_run(tmp_path: Path) -> None:
    def line(study: str, out: str, causes: str) -> str:
        main = MAIN.model_copy(update={"causes": (causes,)})
        folder = tmp_path / causes / out
        results(folder, by_start, main)
        asked = Asked(study=study, seeds=None, conditions=None, out=out)
        Store(folder).open_for(main, asked=asked)
        return read_results(folder).commands["causes"]

    run = "python run_all.py run"
    assert line("main", "results/main", "dhp-attribution") == f"{run} dhp-attribution"
    elsewhere = f"{run} dhp-attribution --out there/dhp-attribution"
    assert line("main", "there/main", "dhp-attribution") == elsewhere
    own = f"{run} my/apart.toml --out results/apart"
    assert line("my/main.toml", "results/main", "apart") == own


def test_one_setting_needs_no_cause(tmp_path: Path) -> None:
    one = MAIN.model_dump(mode="json", exclude_none=True)
    one["conditions"]["both"]["method"]["bias"] = True
    main = results(tmp_path / "main", by_start, Study.model_validate(one))
    analysis = analysed(main)
    assert cause_words(analysis) == []
    assert cause_command(analysis) is None
    assert " in size" not in lead_section(analysis).paragraphs[0]


@pytest.mark.parametrize("other", ["data", "program", "gap", "nothing"])
def test_another_contrast_is_no_answer(tmp_path: Path, other: str) -> None:
    """Other data, other programs, or a study without all that lies between."""
    main = results(tmp_path / "main", by_start, MAIN)
    study = APART
    if other == "program":
        raw = APART.model_dump(mode="json", exclude={"conditions"}, exclude_none=True)
        raw["protocol"]["batch_size"] = 32
        study = Study.model_validate(raw)
    seeds = () if other == "nothing" else None
    data = {"data": "f" * 64} if other == "data" else {}
    apart = results(tmp_path / "apart", by_start, study, seeds, **data)
    if other == "gap":
        for path in (apart / "records").glob("*.json"):
            if "start=blog bias=yes" in path.read_text():
                path.unlink()
    assert told(main) == []


def test_directories_of_the_suggested_name_go_first(tmp_path: Path) -> None:
    for name in ("a-apart", "apart", "gpu-apart"):
        results(tmp_path / name, by_start, APART)
    (tmp_path / "0-broken").mkdir()
    (tmp_path / "0-broken" / "study.json").write_text("{")

    def place(directory: str) -> str:
        found = results_beside(tmp_path / directory, "apart", "main")
        assert found is not None
        return found[0].name

    assert place("gpu-main") == "gpu-apart"
    assert place("main") == "apart"
    assert place("anything") == "apart"
    shutil.rmtree(tmp_path / "apart")
    assert place("anything") == "a-apart"
    assert results_beside(tmp_path / "main", "missing", "main") is None


def test_an_answer_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    main, _ = beside(tmp_path)
    (answer,) = told(main)
    written = json.loads(json.dumps(as_json(answer)))
    assert answer_from(written) == answer
    broken: Any
    for broken in ({}, None, written | {"more": 1}, written | {"seeds": "5"}, [],
                   written | {"shares": [1]}, written | {"low": None}):  # fmt: skip
        assert answer_from(broken) is None


def test_a_study_that_takes_itself_apart_needs_no_other(tmp_path: Path) -> None:
    apart = results(tmp_path / "apart", by_start, APART)
    analysis = analysed(apart)
    (own,) = analysis.answers
    assert own.study is None
    (cause,) = cause_words(analysis)
    assert plain(cause).startswith("Cause: start of the output layer, not bias.")
    other = replace(own, study="another", total=9.0)
    assert analysed(apart, other).answers == (own,)


def test_pairs_that_no_claim_is_about_are_among_all_contrasts(tmp_path: Path) -> None:
    silent = MAIN.model_copy(update={"claims": (), "pairs": {"both": "plain"}})
    analysis = analysed(results(tmp_path / "main", by_start, silent))
    (contrasts,) = (s for s in sections(analysis, silent) if s.id == "contrasts")
    assert "both minus plain, no claim: +4.15" in contrasts.drawings[0].alt
    (table,) = contrasts.tables
    assert table.caption.startswith("Exploratory: pairs")
    assert table.rows[0][:2] == ["both minus plain", "+4.15"]
    claimed = MAIN.model_copy(update={"pairs": {"both": "plain"}})
    assert analysed(results(tmp_path / "claimed", by_start, claimed)).paired == ()


SI = {"consolidation": "si", "strength": 1.0}
WIDE = Study.model_validate({
    "name": "main", "seeds": 4, "protocol": PROTOCOL, "causes": ["apart", "apart-si"],
    "conditions": {"plain": {}, "both": {"head_init": "blog", "bias": False}, "si": SI,
                   "both+si": SI | {"head_init": "blog", "bias": False}},
    "claims": [CLAIM | {"treatment": "both", "baseline": "plain"},
               CLAIM | {"id": "si", "treatment": "both+si", "baseline": "si"},
               CLAIM | {"id": "si-again", "treatment": "both+si", "baseline": "si"}],
})  # fmt: skip
APART_SI = Study.model_validate({
    "name": "apart-si", "seeds": 6, "protocol": PROTOCOL,
    "factors": {
        "start": {"levels": {"linear": SI, "blog": SI | {"head_init": "blog"}}},
        "bias": {"levels": {"yes": {}, "no": {"bias": False}}},
    },
    "texts": {"factors": {"start": "start of the output layer", "bias": "bias"}},
})  # fmt: skip


def test_several_studies_tell_the_causes_of_several_claims(tmp_path: Path) -> None:
    main = results(tmp_path / "main", by_start, WIDE)
    results(tmp_path / "apart", by_start, APART)
    silent = judged(Reporter(), read_results(main), main)
    assert [answer.claim for answer in silent.answers] == ["gain"]
    (claims,) = (section for section in sections(silent, WIDE) if section.id == "claims")
    assert claims.findings == []
    assert [command.line for command in claims.commands] == ["python run_all.py run apart-si"]
    results(tmp_path / "apart-si", by_start, APART_SI)
    analysis = judged(Reporter(), read_results(main), main)
    assert [(one.claim, one.study, one.seeds) for one in analysis.answers] == [
        ("gain", "apart", 5),
        ("si", "apart-si", 6),
    ]
    assert plain(lead_section(analysis).findings[-1]).endswith(
        "Cause of si and si-again: start of the output layer, not bias."
    )
    (claims,) = (section for section in sections(analysis, WIDE) if section.id == "claims")
    (said,) = map(plain, claims.findings)
    assert said.startswith("Cause of si and si-again: start of the output layer, not bias. Shares")
    assert claims.commands == []
    document = json.loads(json.dumps(verdict_document(analysis)))
    assert document["cause"]["claim"] == "gain"
    assert [one["claim"] for one in document["other_causes"]] == ["si"]
    assert document["taken_apart"] == ["apart", "apart-si"]
    rows = Reporter().told(main, analysis, WIDE).rows
    assert {row.cause for row in rows} == {"start of the output layer, not bias"}


@pytest.mark.slow
def test_verify_says_where_only_the_other_study_changed(tmp_path: Path) -> None:
    main, apart = beside(tmp_path)
    assert call("report", main)[0] == 0
    document = json.loads((main / "report" / "verdict.json").read_text())
    assert document["cause"]["directory"] == "gpu-apart"
    assert document["cause"]["page"] is None, "it has no page to lead to"
    assert call("verify", main)[0] == 0
    shutil.move(apart, tmp_path.parent / f"{tmp_path.name}-away")
    code, output = call("verify", main)
    assert code == 3, output
    said = " ".join(output.split())
    assert "by results of apart in gpu-apart, was NOT compared: they are gone" in said
    assert "agree" in said, "all else was compared"
    page = main / "report" / "index.html"
    page.write_text(page.read_text().replace("start of the output layer, not", "bias, not"))
    code, output = call("verify", main)
    assert code == 1
    assert "differs: index.html" in output
