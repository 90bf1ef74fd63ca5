"""A directory remembers at which seeds its claims were judged, and judges the next look for it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from gains import SmallClaim, paired, spread
from reported import STUDY, record
from verdict_errors import looks

from harness.keeping.looks import LEDGER, add_looks, read_looks
from harness.studies.statements import Statement
from reports.findings.analysis import analyse
from reports.findings.looks import Look, earlier_looks, present_looks
from reports.numbers.verdict import Verdict
from reports.output.document import verdict_text
from reports.sections.report import sections

FIVE, TEN = tuple(range(5)), tuple(range(10))


def records(seeds: int) -> list[Any]:
    """Gains of about ten points with a spread of 2.4, as their claim has it."""
    gains = spread(10.0, 10, 2.4)
    return [
        made
        for seed in range(seeds)
        for made in (
            record("a", 0, 0.70) | {"seed": seed, "key": f"a{seed}"},
            record("b", 0, 0.70 + gains[seed] / 100) | {"seed": seed, "key": f"b{seed}"},
        )
    ]


def test_the_first_look_is_judged_as_one_and_the_second_for_both() -> None:
    first = analyse(records(10), STUDY)
    again = analyse(records(10), STUDY, looks=[Look("b", "a", FIVE), Look("b", "a", TEN)])
    one, other = (analysis.claims[0].judgement for analysis in (first, again))
    assert one is not None
    assert other is not None
    assert (one.procedure, other.procedure) == ("fixed-n t", "anytime-valid t")
    assert one.ci.inside(other.ci)
    assert first.robustness[0].looked_again is None
    found = again.robustness[0].looked_again
    assert found is not None
    assert (found.looks, found.fixed_verdict, found.fixed_ci) == ((5,), one.verdict, one.ci)
    assert "It was judged before, at 5 seeds" in other.reason
    page = "".join(p for section in sections(again, STUDY) for p in section.paragraphs)
    assert "Only the intervals of the claims hold however often" in page
    tables = [t for s in sections(again, STUDY) for t in s.tables if "judged before" in t.caption]
    assert tables[0].rows[0][1:4] == ["5", "anytime-valid t", "✓ REPRODUCED"]
    assert one.verdict is Verdict.REPRODUCED


def test_the_same_seeds_are_one_look_and_another_pair_is_none() -> None:
    pair = paired(spread(4.0, 10, 1.0))
    seen = [Look("b", "a", TEN), Look("b", "a", TEN[::-1]), Look("c", "a", FIVE)]
    assert earlier_looks(seen, pair) == ()
    assert earlier_looks([*seen, Look("b", "a", FIVE), Look("b", "a", FIVE)], pair) == (5,)
    assert SmallClaim().treatment == pair.treatment
    assert present_looks(analyse(records(5), STUDY).claims) == [Look("b", "a", FIVE)]
    assert present_looks(analyse(records(5)[:1], STUDY).claims) == []


TERMS: dict[str, Any] = {"text": "t", "source": "s", "treatment": "b", "baseline": "a"}
OF_EVERY_KIND = (
    Statement(id="better", kind="better", **TERMS),
    Statement(id="equal", kind="equal", margin=1.0, pairing="none", **TERMS),
    Statement(id="learned", kind="better", metric="learned-accuracy", **TERMS),
    Statement(id="value", kind="value", text="t", source="s", condition="a", reported=70.0,
              margin=1.0),
    Statement(id="rank", kind="rank", text="t", source="s", order=("b", "a")),
)  # fmt: skip


def test_claims_of_every_kind_remember_their_looks() -> None:
    study = STUDY.model_copy(update={"claims": OF_EVERY_KIND})
    early = analyse(records(5), study)
    seen = present_looks(early.claims, [one.look for one in early.statements])
    assert {(look.treatment, look.baseline) for look in seen} == {
        ("b", "a"), ("b", "a (unpaired)"), ("b", "a (learned accuracy)"), ("a", ""),
    }  # fmt: skip
    assert all(len(look.seeds) == 5 for look in seen)
    fresh, later = (analyse(records(10), study, looks=looks) for looks in ([], seen))
    for one, again in zip(fresh.statements, later.statements, strict=True):
        assert one.ruling is not None
        assert again.ruling is not None
        assert one.ruling.procedure == "fixed-n t"
        assert (again.looks, again.ruling.procedure) == ((5,), "anytime-valid t")
        assert one.ruling.ci.inside(again.ruling.ci)
        assert "It was judged before, at 5 seeds, so" in again.ruling.reason
        assert f"would say {one.ruling.verdict} (" in again.ruling.reason
    own = [*seen, *present_looks((), [one.look for one in later.statements])]
    assert verdict_text(analyse(records(10), study, looks=own)) == verdict_text(later)
    assert early.statements == analyse(records(5), study, looks=seen).statements


def test_the_same_records_and_ledger_give_the_same_bytes() -> None:
    ledgers = [[Look("b", "a", FIVE)], [Look("b", "a", FIVE), Look("b", "a", TEN)]]
    before, after = (verdict_text(analyse(records(10), STUDY, looks=one)) for one in ledgers)
    assert before == after, "its own look is no earlier one, so that verify agrees"


def test_the_ledger_is_only_added_to_and_survives_a_line_that_was_cut_off(tmp_path: Path) -> None:
    assert read_looks(tmp_path) == []
    add_looks(tmp_path, [("b", "a", FIVE)])
    first = (tmp_path / LEDGER).read_bytes()
    add_looks(tmp_path, [("b", "a", FIVE[::-1])])
    assert (tmp_path / LEDGER).read_bytes() == first, "the same look"
    add_looks(tmp_path, [("b", "a", TEN)])
    whole = (tmp_path / LEDGER).read_bytes()
    assert whole.startswith(first)
    assert read_looks(tmp_path) == [("b", "a", FIVE), ("b", "a", TEN)]
    for cut in range(len(first), len(whole)):
        (tmp_path / LEDGER).write_bytes(whole[:cut])
        known = [("b", "a", FIVE)] + [("b", "a", TEN)] * (cut == len(whole) - 1)
        assert read_looks(tmp_path) == known
        if cut % 20 == 0:
            add_looks(tmp_path, [("b", "a", TEN), ("c", "a", FIVE)])
            assert read_looks(tmp_path) == [("b", "a", FIVE), ("b", "a", TEN), ("c", "a", FIVE)]


@pytest.mark.parametrize(
    "line", ["", "[]", "null", '{"treatment": "b"}', "\xff", '{"seeds": 3}', "[" * 10_000]
)
def test_a_line_that_is_no_look_is_passed_over(tmp_path: Path, line: str) -> None:
    good = json.dumps({"treatment": "b", "baseline": "a", "seeds": [0, 1]})
    (tmp_path / LEDGER).write_text(f"{line}\n{good}\n", encoding="latin-1")
    assert read_looks(tmp_path) == [("b", "a", (0, 1))]


def test_looking_again_is_wrong_about_as_often_as_one_look() -> None:
    """At no gain, nominally 5%; standard error 0.34 points. Fixed-n at every look: a quarter."""
    rates = looks(4000, asked=0)
    before, now = rates["every 5 to 100"]
    assert before > 0.20
    assert now < 0.05 + 0.025  # the first look errs at 5%, all later ones at 3% together
    assert rates["5, then 10"][0] > 0.07
    assert rates["5, then 10"][1] < 0.065


@pytest.mark.slow
def test_the_report_of_a_directory_remembers(tmp_path: Path) -> None:
    """Five seeds are reported on, then ten, then verified; a copy reports the same."""
    from typer.testing import CliRunner

    from run_all import app

    def run(*words: str) -> Any:
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == 0, done.output
        return done

    study = tmp_path / "twice.toml"
    study.write_text(
        'name = "twice"\nseeds = 4\n[protocol]\nbenchmark = "split-digits"\nhidden = [12, 8]\n'
        "batch_size = 32\niterations_per_task = 12\nlearning_rate = 0.1\n"
        '[conditions]\nplain = {}\nblog = { head_init = "blog" }\n'
        '[[claims]]\nid = "gain"\ntext = "t"\nsource = "s"\ntreatment = "blog"\n'
        'baseline = "plain"\nreported = 4.0\nunit = "points"\nmargin = 1.3\n'
    )
    root = tmp_path / "out"
    for seeds, kind in (("4", "fixed-n t"), ("4", "fixed-n t"), ("6", "anytime-valid t")):
        run("run", str(study), "--seeds", seeds, "--out", str(root), "--executor", "in-process")
        verdict = json.loads((root / "report" / "verdict.json").read_text())
        assert verdict["claims"][0]["procedure"] == kind
        assert verdict["robustness"][0]["samples"]["seeds"][0]["seed"] == 0
    assert [len(seeds) for *_, seeds in read_looks(root)] == [4, 6]
    run("verify", str(root))
    written = (root / "report" / "index.html").read_bytes()
    copied = Path(shutil.copytree(root, tmp_path / "copy"))
    ledger = (copied / LEDGER).read_text()
    run("report", str(copied))
    assert (copied / LEDGER).read_text() == ledger
    assert (copied / "report" / "index.html").read_bytes() == written
    (copied / LEDGER).unlink()
    (copied / LEDGER).mkdir()  # it cannot be written
    assert "cannot be written" in run("report", str(copied)).output
