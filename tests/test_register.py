"""A directory knows what each claim said before the first cell of its conditions was recorded."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from claimed import AHEAD, GAIN, PAIR, ran, standing, study
from gate_results import DATA
from rich.console import Console
from test_gate import call

from harness.errors import InputError
from harness.keeping.entering import enter
from harness.keeping.register import (
    DEMANDS,
    REGISTER,
    WORDING,
    Entry,
    fingerprint,
    read_register,
    said_of,
)
from harness.keeping.store import Store
from harness.screen.merging import merge_results
from harness.studies.claims import Claim, Curve
from harness.studies.statements import Family, Statement

BOTH = ("plain", "ewc")
EVERY = (*BOTH, "si")
SCREEN = Console(quiet=True)
WIDER = GAIN | {"reported": 19.0, "margin": 16.0}


def test_a_claim_that_stood_before_its_data_was_fixed(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN), BOTH)
    found = standing(root)
    assert (found.status, found.was, found.changes) == ("before", None, ())
    (entry,) = read_register(root)
    assert entry.cells == {"plain": 0, "ewc": 0}
    before = (root / REGISTER).read_bytes()
    ran(root, study(GAIN), BOTH, seeds=range(12))
    assert (root / REGISTER).read_bytes() == before, "nothing new is said"


def test_a_claim_that_changed_after_its_data_keeps_what_it_was(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN), BOTH, seeds=[0])
    ran(root, study(WIDER), BOTH)
    found = standing(root)
    assert found.status == "changed"
    assert found.seen == {"plain": 1, "ewc": 1}
    assert found.changes == ("margin was 1.5, is 16.0", "reported was 5.0, is 19.0")
    assert isinstance(found.was, Claim)
    assert (found.was.reported, found.was.margin) == (5.0, 1.5)
    ran(root, study(GAIN | {"margin": 2.0}), BOTH)
    assert standing(root).versions == 2
    ran(root, study(GAIN), BOTH)
    assert standing(root).status == "before", "it is again what it was"


def test_what_was_changed_before_any_data_was_not_changed_after_them(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN))
    ran(root, study(WIDER), BOTH)
    assert standing(root).status == "before"
    ran(root, study(GAIN), BOTH)
    assert standing(root).status == "changed", "the last before the data is the one that counts"


def test_only_cells_of_its_own_conditions_are_a_claims_data(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN, AHEAD), BOTH)
    ran(root, study(GAIN, AHEAD | {"treatment": "ewc", "baseline": "si"}), BOTH)
    assert standing(root, "ahead").seen == {"ewc": 6, "si": 0}
    assert standing(root, "ahead").status == "changed"
    new = PAIR | {"id": "new", "kind": "better", "treatment": "si"}
    later = ran(tmp_path / "later", study(GAIN), ("plain",))
    ran(later, study(GAIN | {"baseline": "si"}, new), ("plain", "si"))
    assert standing(later, "gain").status == "changed"
    assert standing(later, "new").status == "before", "neither si nor ewc was on record"


def test_a_claim_that_is_new_or_gone_after_the_data(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN, AHEAD), ("plain", "ewc", "si"))
    ran(root, study(WIDER | {"id": "other"}))
    assert standing(root, "other").status == "made"
    gone = standing(root, "gain")
    assert (gone.status, gone.seen) == ("removed", {"plain": 6, "ewc": 6})
    assert isinstance(gone.was, Claim)
    ran(root, study(GAIN, AHEAD))
    assert standing(root).status == "before", "it stood before the data, and stands again"


def test_a_claim_that_was_taken_out_before_the_data_is_new_after_them(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN, AHEAD))
    ran(root, study(AHEAD), BOTH)
    ran(root, study(GAIN, AHEAD))
    assert standing(root).status == "made"


def test_families_and_curves_are_claims_too(tmp_path: Path) -> None:
    factors = {"plasticity": {"levels": {"off": {}, "on": {"plasticity": "on"}}}}
    curve = {"id": "c", "text": "t", "treatment": {"plasticity": "on"},
             "baseline": {"plasticity": "off"}, "reported": 1.0, "margin": 0.5}  # fmt: skip
    family = {"id": "f", "text": "t", "claims": ["gain", "ahead"]}
    first = study(GAIN, AHEAD, factors=factors, curves=[curve], families=[family])
    root = ran(tmp_path, first, list(first.conditions))
    assert {one: standing(root, one).status for one in ("c", "f")} == {"c": "before", "f": "before"}
    assert read_register(root)[-1].cells == {"plasticity=off": 0, "plasticity=on": 0}
    third = PAIR | {"id": "third", "kind": "equal", "margin": 1.0}
    ran(root, study(GAIN, AHEAD, third, factors=factors, curves=[curve | {"margin": 0.9}],
                    families=[family | {"claims": ["gain", "third"]}]))  # fmt: skip
    assert isinstance(standing(root, "c").was, Curve)
    assert standing(root, "c").changes == ("margin was 0.5, is 0.9",)
    assert isinstance(standing(root, "f").was, Family)
    assert standing(root, "f").changes == ("claims was gain, ahead, is gain, third",)


def test_every_field_of_a_claim_is_known_to_decide_or_not() -> None:
    fields = {name for one in (Claim, Statement, Family, Curve) for name in one.model_fields}
    decide = {
        "alpha", "baseline", "claims", "condition", "expected", "field", "higher_is_better", "id",
        "kind", "margin", "metric", "negligible", "order", "others", "pairing", "plus_minus",
        "plus_minus_is", "reported", "runs", "task", "tasks", "treatment", "unit",
    }  # fmt: skip
    assert fields == decide | WORDING | DEMANDS, "say of a new field whether it is part of a claim"


def test_words_and_demands_are_no_part_of_a_claim(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN), BOTH)
    ran(root, study(GAIN | {"text": "another", "require": ["REPRODUCED"]}))
    assert standing(root).status == "before"
    assert [entry.said and entry.said["text"] for entry in read_register(root)] == ["t", "another"]
    plain, asking = (study(GAIN | more) for more in ({}, {"require": ["LARGER"]}))
    assert plain.fingerprint() == asking.fingerprint()
    marks = [fingerprint(said_of(one.claims[0])) for one in (plain, asking)]
    assert marks[0] == marks[1]


def test_a_directory_from_before_registers_says_that_it_does_not_know(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN), BOTH)
    forget(root)
    assert (standing(root).status, standing(root).why) == ("unknown", "")
    ran(root, study(GAIN), BOTH, seeds=range(8))
    assert standing(root).status == "unknown"
    assert [entry.how for entry in read_register(root)] == ["found"]
    ran(root, study(WIDER, AHEAD))
    assert standing(root).status == "changed"
    assert "not recorded" in standing(root).why
    assert standing(root, "ahead").status == "made"


def forget(root: Path) -> None:
    """Make a directory look as an earlier version left it."""
    (root / REGISTER).unlink()
    content = json.loads((root / "study.json").read_text())
    del content["register"]
    (root / "study.json").write_text(json.dumps(content))


def test_a_register_that_is_removed_is_missed(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN), BOTH)
    (root / REGISTER).unlink()
    for _ in range(2):
        assert standing(root).status == "unknown"
        assert "which is gone" in standing(root).why
        ran(root, study(GAIN))
    ran(root, study(WIDER))
    assert standing(root).status == "changed"


def test_a_study_that_no_run_wrote_is_seen_through(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN, AHEAD), BOTH)
    content = json.loads((root / "study.json").read_text())
    first = content["study"]["claims"]
    content["study"]["claims"] = [first[0] | {"margin": 16.0}, first[0] | {"id": "third"}]
    (root / "study.json").write_text(json.dumps(content))
    for name, status in (("gain", "changed"), ("third", "made"), ("ahead", "removed")):
        found = standing(root, name)
        assert (found.status, found.entered) == (status, None)
        assert "study.json was changed by hand" in found.why


def test_records_from_before_the_claim_are_told_by_their_time(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN), BOTH, finished="2026-01-01T00:00:00+00:00")
    found = standing(root)
    assert found.status == "made"
    assert "finished earlier, 2026-01-01T00:00:00+00:00" in found.why


@pytest.mark.parametrize("place", range(0, 300, 23))
def test_a_line_that_is_damaged_is_named_and_stops(tmp_path: Path, place: int) -> None:
    root = ran(tmp_path, study(GAIN, AHEAD), BOTH)
    path = root / REGISTER
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"{REGISTER}, line 1 is damaged .*copy, or move it away"):
        enter(Store(root), study(WIDER), DATA)
    assert call("report", root)[0] == 2
    assert path.read_bytes() == content


def test_the_end_of_a_line_that_was_cut_off_is_no_entry(tmp_path: Path) -> None:
    root = ran(tmp_path, study(GAIN))
    whole = (root / REGISTER).read_bytes()
    ran(root, study(WIDER))
    both = (root / REGISTER).read_bytes()
    for end in range(len(whole), len(both), 50):
        (root / REGISTER).write_bytes(both[:end])
        assert len(read_register(root)) == 1
    enter(Store(root), study(WIDER), DATA)
    assert [entry.said and entry.said["margin"] for entry in read_register(root)] == [1.5, 16.0]


def test_nothing_is_trained_where_the_register_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / REGISTER).mkdir()
    code, output = call("run", "smoke", "--out", tmp_path, "--executor", "in-process")
    assert code == 2
    assert f"{tmp_path / REGISTER} cannot be read" in output
    assert {path.name for path in tmp_path.iterdir()} == {REGISTER}


def test_a_full_disk_leaves_the_register_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = ran(tmp_path, study(GAIN))
    before = (root / REGISTER).read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"No space left.*make room"):
        enter(Store(root), study(WIDER), DATA)
    assert (root / REGISTER).read_bytes() == before


def test_drivers_that_start_together_lose_no_line(tmp_path: Path) -> None:
    of = [study(GAIN | {"margin": 1.0 + number}) for number in range(16)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda one: enter(Store(tmp_path), one, DATA), of))
    margins = {entry.said and entry.said["margin"] for entry in read_register(tmp_path)}
    assert margins == {1.0 + number for number in range(16)}


def test_joined_shards_know_what_each_knew(tmp_path: Path) -> None:
    parts = [ran(tmp_path / f"{i}", study(GAIN), EVERY, seeds=range(i, 6, 3)) for i in range(3)]
    assert merge_results(SCREEN, parts, tmp_path / "all") == 0
    assert standing(tmp_path / "all").status == "before"
    lines = (tmp_path / "all" / REGISTER).read_bytes()
    assert merge_results(SCREEN, parts, tmp_path / "all") == 0
    assert (tmp_path / "all" / REGISTER).read_bytes() == lines
    ran(tmp_path / "all", study(WIDER))
    assert standing(tmp_path / "all").status == "changed"


@pytest.mark.parametrize("of", [GAIN, WIDER])
def test_a_change_in_one_shard_is_a_change_of_all(tmp_path: Path, of: dict[str, Any]) -> None:
    first = ran(tmp_path / "first", study(GAIN), EVERY, seeds=range(3))
    ran(first, study(WIDER))
    ran(first, study(of))
    second = ran(tmp_path / "second", study(of), EVERY, seeds=range(3, 6))
    assert merge_results(SCREEN, [first, second], tmp_path / "all") == 0
    status = "before" if of is GAIN else "changed"
    assert standing(tmp_path / "all").status == status


def test_a_shard_without_register_leaves_all_of_them_unknown(tmp_path: Path) -> None:
    parts = [ran(tmp_path / f"{i}", study(GAIN), EVERY, seeds=range(i, 6, 2)) for i in range(2)]
    forget(parts[0])
    for _ in range(2):
        assert merge_results(SCREEN, parts, tmp_path / "all") == 0
        assert standing(tmp_path / "all").status == "unknown"
        assert len(read_register(tmp_path / "all")) == 2


def test_a_directory_that_is_run_into_another_takes_its_past_along(tmp_path: Path) -> None:
    first = ran(tmp_path / "first", study(GAIN), BOTH)
    ran(first, study(WIDER))
    again = ran(tmp_path / "again", study(WIDER), BOTH, came_from=first)
    assert standing(again).status == "changed"
    third = ran(tmp_path / "third", study(WIDER), BOTH, came_from=again)
    assert standing(third).status == "changed"
    ran(third, study(WIDER), came_from=again)
    assert len(read_register(third)) == 2
    honest = ran(tmp_path / "honest", study(GAIN), BOTH)
    assert standing(ran(tmp_path / "x", study(GAIN), BOTH, came_from=honest)).status == "before"


def test_fields_that_claims_have_later_change_no_claim_of_before() -> None:
    said = said_of(study(GAIN).claims[0])
    old = {name: value for name, value in said.items() if name != "negligible"}
    entry = Entry("2026-01-01T00:00:00+00:00", "claim", "gain", fingerprint(old), old, {})
    assert entry.fingerprint != fingerprint(said)
    assert entry.fingerprint_now == fingerprint(said)
    gone = Entry(**asdict(entry) | {"said": {"id": "gain", "was": "otherwise"}})
    assert (gone.version, gone.fingerprint_now) == (None, entry.fingerprint)
