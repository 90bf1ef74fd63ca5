"""Claims of every kind through the whole program: a study file, records, report, verify."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from commands import HERE, run

from harness.errors import InputError
from harness.studies.study_files import load_study

STUDY = HERE / "tests" / "all_kinds.toml"


@pytest.mark.slow
def test_every_kind_is_judged_and_its_controls_get_what_they_must(tmp_path: Path) -> None:
    done = run("run", STUDY, "--out", tmp_path / "out", "--executor", "in-process", timeout=600)
    assert done.returncode == 1, "a control did not get what it must"
    document = json.loads((tmp_path / "out" / "report" / "verdict.json").read_text())
    entries = {entry["id"]: entry for entry in document["claims"]}
    controls = [entry for entry in document["claims"] if entry["expected"] is not None]
    assert [entry["id"] for entry in controls if not entry["as_expected"]] == ["must-fail"]
    assert entries["must-fail"]["verdict"] == "WORSE"
    assert {entry["kind"] for entry in controls} == {
        "better", "at-least", "equal", "value", "rank"
    }  # fmt: skip
    assert (entries["learned"]["kind"], entries["learned"]["metric"]) == (
        "gain", "learned-accuracy"
    )  # fmt: skip
    assert len(entries["three"]["standings"]) == 3
    assert entries["quick"]["unit"] == "seconds"
    assert [family["id"] for family in document["families"]] == ["planted"]
    assert all(set(entry) >= set(entries["better"]) for entry in document["claims"])
    for text in (done.stdout, (tmp_path / "out" / "report" / "report.md").read_text()):
        for said in ("OTHER ORDER", "NOT WORSE", "DIFFERENT", "STANDS: the planted hits"):
            assert said in text
    assert "planted > again > finetune" in done.stdout
    page = (tmp_path / "out" / "report" / "index.html").read_text()
    assert "how often each is best" in page
    assert page.count("✗ not as it must") == 1
    assert run("verify", tmp_path / "out", timeout=600).returncode == 0


def test_adding_kinds_changes_no_fingerprint_of_a_study_without_them(tmp_path: Path) -> None:
    plain = HERE / "harness" / "studies" / "dhp-attribution.toml"
    before, said = load_study(str(plain)), tmp_path / "said.toml"
    said.write_text(plain.read_text().replace("[[claims]]\n", '[[claims]]\nkind = "gain"\n'))
    after = load_study(str(said))
    assert after.fingerprint() == before.fingerprint()
    assert "families" not in after.model_dump(exclude_none=True)
    assert len(after.gains) == len(after.claims) > 0


def fault(**changes: Any) -> str:
    """Return the study with some lines replaced, each by its whole text."""
    text = STUDY.read_text()
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'kind = "better"',
            'kind = "best"',
            "claims.'better'.kind: Input should be 'gain', 'better'",
        ),
        ('kind = "better"', 'kind = "better"\nmargin = 1.0', "'better' takes no margin; it takes"),
        ("margin = 30.0\n", "", "claim 'at-least': kind = 'at-least' needs margin"),
        (
            'kind = "better"',
            'kind = "better"\nmargn = 1.0',
            "claims.'better'.margn: unknown key (did you mean 'margin'?)",
        ),
        ("tasks = 2\n", "", "metric = 'accuracy-after-tasks' needs tasks"),
        ("tasks = 2\n", "tasks = 9\n", "claim 'equal': tasks = 9, the benchmark has 5 tasks"),
        ("tasks = 2\n", "tasks = 2\ntask = 1\n", "task belongs to metric = 'task-accuracy'"),
        ("runs = 10\n", "", "give plus_minus and runs together"),
        ("reported = 50.0\n", "", "needs either reported or others"),
        ("others = [80.0, 85.0, 82.0, 88.0]", "others = [80.0]", "claims.'value'.others: "),
        ('unit = "seconds"\n', "", "metric = 'record' needs unit and higher_is_better"),
        ('["planted", "finetune"]', '["planted", "fine"]', "names the condition 'fine', which"),
        ('["planted", "finetune"]', '["planted", "planted"]', "names the condition 'planted' twi"),
        ('expected = "EQUAL"', 'expected = "BETTER"', "expected is no verdict of 'equal': EQUAL"),
        ('pairing = "none"', 'pairing = "none"\nunit = "relative %"', "'relative %' is of the"),
        ('"learned", "quick"', '"learned", "quik"', "family 'planted' names the claim 'quik'"),
        ('"learned", "quick"', '"learned", "better"', "which is a control and no claim"),
        ('"learned", "quick"', '"learned", "learned"', "names the claim 'learned' twice"),
        ("reported = 20.0", "reported = 0.0", "write kind = 'equal'"),
    ],
)
def test_impossible_claims_are_named_in_one_line(
    old: str, new: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "faulty.toml"
    path.write_text(fault(first=(old, new)))
    with pytest.raises(InputError, match=re.escape(says)) as found:
        load_study(str(path))
    assert "\n" not in str(found.value)
    assert "statement" not in str(found.value)


@pytest.mark.slow
def test_the_program_says_so_and_ends_with_2(tmp_path: Path) -> None:
    path = tmp_path / "faulty.toml"
    path.write_text(fault(first=('kind = "better"', 'kind = "better"\nmargin = 1.0')))
    done = run("run", path, "--dry-run")
    assert done.returncode == 2
    assert "kind = 'better' takes no margin" in done.stderr
    assert "Traceback" not in done.stderr
