"""A verdict on a claim that was not fixed before its data is never given without that word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from claimed import AHEAD, GAIN, PAIR, ran, study
from commands import without_notes
from reported import Page
from rich.console import Console
from test_gate import call

from harness.keeping.register import REGISTER
from harness.keeping.results import read_results
from harness.screen.pooling import read_sites
from reports.findings.analysis import Analysis
from reports.findings.pool.pool import pool_sites
from reports.findings.pool.sites import Site
from reports.numbers.records import as_records
from reports.output.document import verdict_document
from reports.output.markdown import markdown
from reports.output.reporter import Reporter
from reports.output.terminal import show
from reports.sections.pool import headline as pool_headline
from reports.sections.report import sections
from reports.sections.verdict import headline, tone

BOTH = ("plain", "ewc")
SMALLER, WIDER = GAIN | {"reported": 2.0, "margin": 0.5}, GAIN | {"margin": 4.0}


def analysed(root: Path) -> Analysis:
    return Reporter().analyse(read_results(root))


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory whose claim was made wider when LARGER had been seen, with a report on it."""
    root = ran(tmp_path_factory.mktemp("changed"), study(SMALLER), BOTH)
    assert headline(analysed(root)).startswith("▲ LARGER")
    ran(root, study(WIDER))
    code, output = call("report", root)
    assert code == 0, output
    (root / "said.txt").write_text(without_notes(output))
    return root


def test_the_first_words_everywhere_say_so_and_what_it_was(changed: Path) -> None:
    mark = "✓ REPRODUCED, changed after the data (before: ▲ LARGER"
    notice = "CHANGED AFTER THE DATA: gain, 20"
    page = Page(changed / "report" / "index.html")
    assert page.text.index(notice) < page.text.index(mark)
    html = (changed / "report" / "index.html").read_text()
    assert '<h1 class="OPEN">' in html, "it is not as green as a verdict that was fixed"
    lines = (changed / "report" / "report.md").read_text().splitlines()
    assert notice in lines[2].replace("\\", "")
    assert any(line.replace("\\", "").startswith(mark) for line in lines)
    said = (changed / "said.txt").read_text().splitlines()
    assert next(line for line in said if line.strip()).startswith(notice)
    assert any(line.startswith(mark) for line in said)
    document = json.loads((changed / "report" / "verdict.json").read_text())
    assert document["notices"][0].startswith(notice)
    assert document["headline"].startswith(mark)


def test_the_old_verdict_stands_beside_with_the_old_numbers(changed: Path) -> None:
    document = json.loads((changed / "report" / "verdict.json").read_text())
    (claim,) = document["claims"]
    found, was = claim["fixed"], claim["fixed"]["verdict_before"]
    assert (claim["verdict"], claim["reported"], claim["margin"]) == ("REPRODUCED", 5.0, 4.0)
    assert (was["verdict"], was["reported"], was["margin"]) == ("LARGER", 2.0, 0.5)
    assert was["estimate"] == claim["estimate"]
    assert (found["status"], found["seen"]) == ("changed", {"ewc": 6, "plain": 6})
    assert found["changes"] == ["margin was 0.5, is 4.0", "reported was 2.0, is 5.0"]
    notice = document["notices"][0]
    assert "margin was 0.5, is 4.0" in notice
    assert "As it stood before: ▲ LARGER" in notice
    assert "(reported +2.00 ± 0.50; gain +" in notice


def test_verify_holds_the_register_to_the_report(changed: Path) -> None:
    before = {path: path.read_bytes() for path in (changed / "report").iterdir()}
    assert call("report", changed)[0] == 0
    assert before == {path: path.read_bytes() for path in (changed / "report").iterdir()}
    assert call("verify", changed)[0] == 0
    register = changed / REGISTER
    kept = register.read_bytes()
    register.write_bytes(b"".join(kept.splitlines(keepends=True)[:1]))
    code, _ = call("verify", changed)
    register.write_bytes(kept)
    assert code == 1, "the report says when the claim was changed, and that line is gone"


def test_a_claim_that_was_fixed_is_said_to_be_and_keeps_its_colour(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN, AHEAD), ("plain", "ewc", "si"))
    analysis = analysed(root)
    text = markdown("t", sections(analysis, read_results(root).study), analysis.notices)
    assert (
        "Both claims are judged as this directory's register had them before the first cell" in text
    )
    assert "after the data" not in text
    assert (tone(analysis), analysis.notices) == (None, ())
    assert verdict_document(analysis)["claims"][1]["fixed"]["status"] == "before"


def test_claims_of_every_sort_are_marked_and_judged_as_they_were(tmp_path: Path) -> None:
    on = {"head_init": "blog", "consolidation": "mas", "strength": 1.0}
    factors = {"plasticity": {"levels": {"off": {"head_init": "blog"}, "on": on}}}
    curve = {"id": "c", "text": "t", "treatment": {"plasticity": "on"},
             "baseline": {"plasticity": "off"}, "reported": 1.0, "margin": 0.5}  # fmt: skip
    equal = PAIR | {"id": "equal", "kind": "equal", "margin": 1.0}
    family = {"id": "f", "text": "both", "claims": ["gain", "equal"]}
    first = study(GAIN, equal, factors=factors, curves=[curve], families=[family])
    root = ran(tmp_path, first, list(first.conditions))
    later = study(
        GAIN, equal | {"margin": 9.0}, AHEAD, factors=factors,
        curves=[curve | {"reported": -1.0}], families=[family | {"claims": ["gain", "ahead"]}],
    )  # fmt: skip
    ran(root, later)
    analysis = analysed(root)
    told = {(one.standing.what, one.standing.id): one for one in analysis.fixed}
    assert told["claim", "gain"].mark == ""
    assert told["claim", "equal"].mark == "changed after the data (before: ✗ DIFFERENT)"
    assert told["claim", "ahead"].mark == "made after the data"
    assert told["family", "f"].mark.startswith("changed after the data (before: ")
    assert told["curve", "c"].mark.startswith("changed after the data (before: 1 ")
    text = markdown("t", sections(analysis, later), analysis.notices).replace("\\", "")
    assert "EQUAL, changed after the data (before: ✗ DIFFERENT)" in text
    assert "Changed after the data (before: 1 " in text
    assert "CHANGED AFTER THE DATA: the curve c" in text
    assert "CHANGED AFTER THE DATA: the family f" in text
    assert "MADE AFTER THE DATA: ahead" in text
    screen = Console(record=True, width=300, quiet=False, file=(tmp_path / "o").open("w"))
    show(screen, analysis, later)
    said = screen.export_text()
    assert "EQUAL, changed after the data (before: ✗ DIFFERENT)" in said
    others = verdict_document(analysis)["fixed"]
    assert [(one["what"], one["status"]) for one in others] == [
        ("family", "changed"), ("curve", "changed"),
    ]  # fmt: skip
    assert tone(analysis) is None, "the main claim was fixed"


def test_a_claim_that_went_with_its_verdict_is_named(tmp_path: Path) -> None:
    root = ran(tmp_path, study(AHEAD, SMALLER), ("plain", "ewc", "si"))
    ran(root, study(AHEAD))
    analysis = analysed(root)
    assert analysis.notices[0].startswith("REMOVED AFTER THE DATA: gain, ")
    assert "▲ LARGER" in analysis.notices[0]
    (gone,) = verdict_document(analysis)["fixed"]
    assert (gone["id"], gone["status"]) == ("gain", "removed")
    assert gone["verdict_before"]["verdict"] == "LARGER"


def test_a_claim_whose_conditions_are_gone_has_no_verdict_of_before(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN), ("plain", "ewc", "si"))
    renamed = study(GAIN | {"treatment": "si"}).model_dump(mode="json", exclude_none=True)
    del renamed["conditions"]["plain"]
    ran(root, study().model_validate(renamed))
    analysis = analysed(root)
    assert "changed after the data (before: no pair of seeds)" in headline(analysis)
    assert verdict_document(analysis)["claims"][0]["fixed"]["verdict_before"]["verdict"] is None


def test_a_directory_without_register_promises_nothing(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN), BOTH)
    (root / REGISTER).unlink()
    analysis = analysed(root)
    text = markdown("t", sections(analysis, read_results(root).study))
    assert "Whether the claims were fixed before the data is not recorded" in text
    assert "had a register of claims (claims.jsonl), which is gone" in text
    assert "judged as this directory's register had" not in text
    assert (tone(analysis), analysis.notices) == (None, ())


def test_what_one_site_changed_is_said_of_all_together(tmp_path: Path) -> None:
    honest = ran(tmp_path / "honest", study(WIDER), BOTH)
    other = ran(tmp_path / "other", study(SMALLER, seeds="6-11"), BOTH)
    ran(other, study(WIDER, seeds="6-11"))
    read = read_sites([honest, other])
    own = read[0].results.study
    sites = [
        Site(one.name, as_records(one.results.records), standings=one.results.standings)
        for one in read
    ]
    pool = pool_sites(sites, own, "f")
    assert pool.late == {"gain": "changed after the data of other"}
    assert pool_headline(pool).startswith("✓ REPRODUCED over 2 sites, changed after the data of ot")
    assert pool.notices[0].startswith("other: CHANGED AFTER THE DATA: gain, 20")
    assert pool_sites(sites[:1] * 2, own, "f").late == {}
