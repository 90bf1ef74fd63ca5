"""Shards of a study, and the directory that they are joined in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gate_results import STUDY, results, shifted
from test_gate import call

from harness.errors import InputError
from harness.keeping.store import Store
from harness.screen.request import shard_of

FIELDS = STUDY.model_copy(update={"seeds": tuple(range(10))})


def test_shards_are_disjoint_and_whole_and_keep_pairs_together() -> None:
    for count in range(1, 11):
        parts = [shard_of(FIELDS, f"{i}/{count}").seeds for i in range(1, count + 1)]
        assert sorted(seed for part in parts for seed in part) == list(range(10))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        assert shard_of(FIELDS, f"1/{count}").conditions == FIELDS.conditions


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "1/", "/2", "-1/2", "1/2/3", "1/11"])
def test_what_is_no_shard_is_refused(shard: str) -> None:
    if shard == "1/11":
        assert shard_of(FIELDS, shard).seeds == (0,)
        shard = "11/11"
    with pytest.raises(InputError, match="--shard"):
        shard_of(FIELDS, shard)


def shards(tmp_path: Path) -> list[Path]:
    return [results(tmp_path / f"part{i}", seeds=range(i, 12, 3)) for i in range(3)]


def test_shards_joined_are_the_whole(tmp_path: Path) -> None:
    whole = results(tmp_path / "whole")
    parts = shards(tmp_path)
    code, output = call("merge", *parts, "--out", tmp_path / "joined")
    assert code == 0, output
    assert "24 records of 'by-hand' from 3 directories" in output
    joined, intact = Store(tmp_path / "joined").read_all()[0], Store(whole).read_all()[0]
    assert [r["key"] for r in joined] == [r["key"] for r in intact]
    assert [r["accuracy"] for r in joined] == [r["accuracy"] for r in intact]
    code, _ = call("merge", *parts, "--out", tmp_path / "joined")
    assert code == 0, "joining again changes nothing"


def test_gaps_conflicts_and_damage_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = shards(tmp_path)
    next((parts[0] / "records").glob("*.json")).unlink()
    broken = sorted((parts[1] / "records").glob("*.json"))[0]
    broken.write_text("{")
    other = results(tmp_path / "other", shifted(1.0), seeds=[2])
    code, output = call("merge", *parts, other, "--out", tmp_path / "joined")
    said = output + capsys.readouterr().err
    assert code == 1
    assert "2 cells are in none of them" in said
    assert f"damaged record {broken}" in said
    assert "has different accuracy in two directories" in said
    assert len(list((tmp_path / "joined" / "conflicts").iterdir())) == 1


def test_other_studies_and_other_data_are_refused(tmp_path: Path) -> None:
    parts = shards(tmp_path)
    other = results(tmp_path / "other", data="f" * 64)
    assert "2 versions of the data set" in call("merge", *parts, other, "--out", tmp_path / "j")[1]
    content = json.loads((parts[2] / "study.json").read_text())
    content["study"]["seeds"] = [0]
    (parts[2] / "study.json").write_text(json.dumps(content))
    code, output = call("merge", *parts, "--out", tmp_path / "j")
    assert code == 2
    assert "only results of one study can be joined" in output
