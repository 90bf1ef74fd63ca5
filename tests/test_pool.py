"""Several sites through the program: repeated seeds first, then each site, then all together."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gate_results import results, shifted
from reported import STUDY as REPORTED
from reported import Page, record
from statsmodels.stats.meta_analysis import combine_effects
from test_gate import call

from harness.studies.condition import Cell
from harness.studies.statements import Statement
from harness.studies.study import Study
from reports.findings.analysis import analyse
from reports.findings.looks import Look
from reports.findings.pool.quantities import gain
from reports.findings.pool.sites import Site, share_out

STUDY = Study.model_validate(
    {
        "name": "by-hand",
        "seeds": 12,
        "protocol": {"benchmark": "split-digits"},
        "conditions": {"plain": {}, "ewc": {"consolidation": "ewc", "strength": 10.0}},
        "claims": [
            {
                "id": "loss", "text": "EWC loses two points", "source": "by hand",
                "treatment": "ewc", "baseline": "plain", "reported": -2.0, "unit": "points",
                "margin": 1.0,
            }
        ],
    }
)  # fmt: skip
OTHER: dict[str, Any] = {"numerics": "fedcba9876543210", "device": "cuda"}


def site(root: Path, seeds: range, gain: float = 2.0, **provenance: Any) -> Path:
    """Write a site at which plain is so many points better than EWC, with some noise."""
    return results(root, shifted(gain, noise=0.3), STUDY, seeds, **provenance)


def pooled(tmp_path: Path, *directories: Path) -> tuple[int, str, dict[str, Any]]:
    code, output = call("pool", *directories, "--out", tmp_path / "pooled")
    content: dict[str, Any] = json.loads((tmp_path / "pooled" / "pool.json").read_text())
    return code, " ".join(output.split()), content


def test_each_seed_counts_once_and_where_there_are_fewest() -> None:
    assert share_out([range(4), range(4)]) == ((0, 2), (1, 3))
    assert share_out([range(4), range(4, 8)]) == ((0, 1, 2, 3), (4, 5, 6, 7))
    assert share_out([range(3), range(1)]) == ((1, 2), (0,))
    assert share_out([range(2), range(2), range(2)]) == ((0,), (1,), ())
    assert share_out([(), (5,)]) == ((), (5,))


def test_sites_with_their_own_seeds_are_pooled_as_statsmodels_does(tmp_path: Path) -> None:
    sites = [site(tmp_path / f"s{i}", range(5 * i, 5 * i + 5), 1.0 + 2 * i) for i in range(3)]
    code, output, content = pooled(tmp_path, *sites)
    assert code == 0
    (claim,) = content["claims"]
    means = np.array([one["mean"] for one in claim["sites"]])
    halves = np.array([(one["ci95"][1] - one["ci95"][0]) / 2 for one in claim["sites"]])
    theirs = combine_effects(means, (halves / 2.776445) ** 2, atol=1e-10, maxiter=500)
    assert claim["pooled"]["mean"] == pytest.approx(theirs.mean_effect_re, abs=1e-4)
    assert claim["pooled"]["q"] == pytest.approx(theirs.q, rel=1e-5)
    assert claim["pooled"]["i2"] == pytest.approx(theirs.i2, rel=1e-5)
    assert "No seed was trained at two sites" in output
    assert "The sites differ by more than chance" in output
    assert "All seeds that count come from one numerics class" in output


def test_alike_sites_reproduce_a_claim_that_each_alone_might_not(tmp_path: Path) -> None:
    sites = [site(tmp_path / f"s{i}", range(6 * i, 6 * i + 6)) for i in range(4)]
    code, output, content = pooled(tmp_path, *sites)
    assert code == 0
    assert content["claims"][0]["verdict"] == "REPRODUCED"
    assert "✓ REPRODUCED over 4 sites" in output
    assert "No difference between the sites was found" in output
    assert "That is not proof of none" in output
    page = Page(tmp_path / "pooled" / "index.html")
    assert "REPRODUCED over 4 sites" in page.text
    (alt,) = page.images
    assert alt.startswith("Gain of the claim loss at each site: s0 -")
    assert "REPRODUCED over 4 sites" in (tmp_path / "pooled" / "pool.md").read_text()


def test_the_same_bits_at_two_sites_count_once(tmp_path: Path) -> None:
    first, second = site(tmp_path / "first", range(8)), tmp_path / "second"
    shutil.copytree(first, second)
    code, output, content = pooled(tmp_path, first, second)
    assert code == 0
    assert "16 of 16 repeated cells are the same bits at both sites" in output
    assert "16 records of these are copies" in output
    (claim,) = content["claims"]
    assert [one["counted"] for one in claim["sites"]] == [[0, 2, 4, 6], [1, 3, 5, 7]]
    assert claim["pooled"]["together"] == pytest.approx(claim["sites"][0]["mean"])


def test_other_bits_on_a_machine_of_the_same_kind_are_a_finding(tmp_path: Path) -> None:
    def change(cell: Cell, fields: dict[str, Any]) -> None:
        shifted(2.0, noise=0.3)(cell, fields)
        if cell.condition.name == "ewc" and cell.seed == 3:
            fields["telemetry"][1]["loss"] *= 1.0000001

    first = site(tmp_path / "first", range(6))
    second = results(tmp_path / "second", change, STUDY, range(6), torch="2.13.0+cu130")
    code, output, content = pooled(tmp_path, first, second)
    assert code == 1
    assert "FINDING. ewc at first and second: machines of one kind gave other bits" in output
    assert "ewc seed 3: after task 2, loss: " in output
    outcomes = {one["condition"]: one["outcome"] for one in content["repeats"]}
    assert outcomes == {"plain": "SAME BITS", "ewc": "BITS DIFFER"}


@pytest.mark.parametrize(
    ("shift", "noise", "outcome", "exit_code"),
    [(0.0, 0.02, "EQUIVALENT", 0), (1.0, 0.02, "DIFFERENT", 1), (0.3, 0.6, "UNDECIDED", 0)],
)
def test_the_same_seeds_on_machines_that_round_differently(
    tmp_path: Path, shift: float, noise: float, outcome: str, exit_code: int
) -> None:
    first = results(tmp_path / "first", study=STUDY)
    second = results(tmp_path / "second", shifted(shift, noise=noise), STUDY, **OTHER)
    code, output, content = pooled(tmp_path, first, second)
    assert code == exit_code
    plain = next(one for one in content["repeats"] if one["condition"] == "plain")
    assert plain["outcome"] == outcome
    assert plain["difference"] == pytest.approx(shift, abs=3 * noise / 12**0.5)
    assert bool(plain["named"]) == bool(exit_code)
    assert ("plain seed 0" in output) == bool(exit_code)


def test_a_cell_that_diverges_at_one_site_only_is_a_finding(tmp_path: Path) -> None:
    def diverge(cell: Cell, fields: dict[str, Any]) -> None:
        if cell.condition.name == "ewc" and cell.seed == 2:
            fields["status"] = "diverged"
            fields["accuracy"] = [[None] * 3 for _ in range(3)]

    first = results(tmp_path / "first", study=STUDY)
    code, output, _ = pooled(tmp_path, first, results(tmp_path / "b", diverge, STUDY, **OTHER))
    assert code == 1
    assert "ewc seed 2: status: 'done' -> 'diverged'" in output


@pytest.mark.parametrize(
    ("gain", "matters", "words"),
    [(2.0, "NO", "makes no difference beyond 0.5"), (6.0, "YES", "makes a difference beyond 0.5")],
)
def test_whether_the_numerics_class_matters(
    tmp_path: Path, gain: float, matters: str, words: str
) -> None:
    wider = STUDY.claims[0].model_copy(update={"negligible": 0.5})
    study = STUDY.model_copy(update={"claims": (wider,)})
    first = results(tmp_path / "first", shifted(2.0, noise=0.1), study, range(40))
    second = results(tmp_path / "second", shifted(gain, noise=0.1), study, range(40, 80), **OTHER)
    code, output, content = pooled(tmp_path, first, second)
    assert code == 0
    assert content["claims"][0]["classes"][1]["matters"] == matters
    assert words in output
    assert "class and site cannot be told apart" in output


def test_a_site_with_one_seed_is_shown_and_left_out(tmp_path: Path) -> None:
    sites = [site(tmp_path / "a", range(5)), site(tmp_path / "b", range(5, 10))]
    _, without, before = pooled(tmp_path, *sites)
    code, output, content = pooled(tmp_path, *sites, site(tmp_path / "c", range(10, 11)))
    assert code == 0
    assert content["claims"][0]["pooled"] == before["claims"][0]["pooled"]
    assert content["claims"][0]["sites"][2]["left_out"] == "one seed shows no spread"
    assert "one seed shows no spread" in output
    assert "one seed shows no spread" not in without
    few = pooled(tmp_path, sites[0], tmp_path / "c")
    assert "NOT POOLED over 2 sites" in few[1]


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    sites = [site(tmp_path / "a", range(5)), site(tmp_path / "b", range(3, 10), **OTHER)]
    assert pooled(tmp_path, *sites)[0] == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "pooled").iterdir()}
    (tmp_path / "pooled" / "mine.txt").write_text("a file of somebody else's")
    pooled(tmp_path, *sites)
    after = {path.name: path.read_bytes() for path in (tmp_path / "pooled").iterdir()}
    assert after.pop("mine.txt")
    assert after == before


def test_claims_of_other_kinds_are_named_and_left_out(tmp_path: Path) -> None:
    rank = Statement(id="order", kind="rank", text="t", source="s", order=("plain", "ewc"))
    study = STUDY.model_copy(update={"claims": (rank, *STUDY.claims)})
    sites = [results(tmp_path / name, shifted(2.0, noise=0.3), study, seeds) for name, seeds in
             (("a", range(4)), ("b", range(4, 8)))]  # fmt: skip
    code, output, content = pooled(tmp_path, *sites)
    assert code == 0
    assert "Not pooled, for they are no gains in final accuracy: order." in output
    assert [claim["name"] for claim in content["claims"]] == ["loss"]


def test_a_site_that_was_judged_before_says_what_its_own_report_says() -> None:
    """At four seeds of a small gain one look is sure of it, and a second one is not."""
    gains = [1.0, 1.2, 1.4, 2.4]
    records: list[Any] = [
        record(name, seed, 0.7 + points * (name == "b") / 100)
        for name in "ab"
        for seed, points in enumerate(gains)
    ]
    claim = REPORTED.gains[0].model_copy(update={"reported": 9.0, "margin": 3.0})
    looked = [Look("b", "a", (0, 1))]
    one, other = (gain(claim, [Site("x", records, looks=looks)]) for looks in ([], looked))
    own = analyse(records, REPORTED.model_copy(update={"claims": (claim,)}), looks=looked)
    assert own.claims[0].judgement is not None
    assert other.sites[0].verdict == own.claims[0].judgement.verdict
    assert one.sites[0].verdict != other.sites[0].verdict


def test_a_study_without_claims_pools_its_accuracies(tmp_path: Path) -> None:
    sites = [results(tmp_path / name, seeds=seeds) for name, seeds in
             (("a", range(6)), ("b", range(6, 12)))]  # fmt: skip
    code, output, content = pooled(tmp_path, *sites)
    assert code == 0
    assert "this study makes no claim" in output
    plain = content["accuracies"][0]
    low, high = plain["pooled"]["ci95"]
    assert low < plain["pooled"]["mean"] < high
    assert 88 < plain["pooled"]["mean"] < 92


def made_of_other_data(cell: Cell, fields: dict[str, Any]) -> None:
    data = "f" * 64
    fields["key"], fields["program"] = cell.key(data), cell.condition.program(data)
    fields["provenance"] = fields["provenance"] | {"data": data}


def test_what_cannot_be_pooled_is_refused_in_one_line(tmp_path: Path) -> None:
    here = site(tmp_path / "here", range(4))
    link = tmp_path / "link"
    link.symlink_to(here)
    other_study = results(tmp_path / "other", seeds=range(4))
    other_data = results(tmp_path / "data", made_of_other_data, STUDY, range(4, 8))
    empty = site(tmp_path / "empty", range(0))
    for directories, words in (
        ((here,), "two results directories or more"),
        ((here, here), "are the same directory"),
        ((here, link), "are the same directory"),
        ((here, other_study), "only results of one study can be pooled"),
        ((here, other_data), "another version of the data set"),
        ((here, empty), "has no finished cell"),
        ((here, tmp_path / "none"), "holds no results"),
    ):
        code, output = call("pool", *directories, "--out", tmp_path / "out")
        assert code == 2
        assert words in output
        assert "\n" not in output
    assert not (tmp_path / "out").exists()


def test_a_damaged_record_is_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sites = [site(tmp_path / "a", range(5)), site(tmp_path / "b", range(5, 10))]
    broken = sorted((sites[0] / "records").glob("*.json"))[0]
    broken.write_text("{")
    code, output, _ = pooled(tmp_path, *sites)
    assert code == 1
    assert f"damaged record {broken}" in output + capsys.readouterr().err
