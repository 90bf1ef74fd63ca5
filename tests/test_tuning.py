"""A search of settings: what it tries, what it chooses by, and the file that a study includes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small import small_data
from typer.testing import CliRunner

from harness.data.benchmarks import Dataset
from harness.errors import InputError
from harness.keeping.records import final_accuracy
from harness.keeping.store import Store
from harness.running.training import outcomes_of, train_block
from harness.studies.condition import Cell
from harness.studies.search import Search, Setting, Space
from harness.studies.strengths import Point, Strengths, chosen_of, read_strengths, strengths_text
from harness.studies.study_files import load_study, own_files, search_study, study_path
from run_all import app

TRAIN = '''
def train(seed: int, strength: float = 1.0, lr: float = 0.1, split: str = "test") -> float:
    """Return an accuracy that is best at strength 100; 10000 diverges on the odd seeds."""
    import math
    if split != "validation":
        raise RuntimeError("the test data were read")
    if strength >= 10000 and seed % 2:
        return math.nan
    return 0.9 - 0.02 * abs(math.log10(strength) - 2) + 0.001 * (seed % 3) - 0.1 * (lr != 0.1)
'''
STUDY = """
name = "own"
train = "mine.py:train"
isolation = "none"
seeds = 3
{more}
[conditions]
plain = {{}}
other = {{ lr = 0.2 }}
[search]
seeds = "1000-1003"
held_out = {{ split = "validation" }}
{search}
[search.plain]
strength = {grid}
{published}
[search.other]
strength = {grid}
"""
STACK = """
name = "stack"
seeds = 2
[protocol]
benchmark = "split-digits"
hidden = [6]
iterations_per_task = 2
[conditions]
finetune = {}
si = { consolidation = "si" }
[search]
seeds = "1000-1001"
validation_fraction = 0.2
budget = 4
[search.si]
xi = [0.001, 0.1]
strength = [0.1, 1]
"""


def study_file(folder: Path, grid: str = "[0.1, 1, 10]", **parts: str) -> Path:
    (folder / "mine.py").write_text(TRAIN, encoding="utf-8")
    parts = {"more": "", "search": "", "published": "", **parts}
    path = folder / "own.toml"
    path.write_text(STUDY.format(grid=grid, **parts), encoding="utf-8")
    return path


def call(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=True)
    answer = 2 if isinstance(done.exception, InputError) else done.exit_code
    said = f"{done.output}{done.exception if answer == 2 else ''}"
    assert answer == code, said
    return " ".join(said.split())


def refused(path: Path, command: str = "tune") -> str:
    """Return what a command answers with: a line for each fault, which names the file."""
    with pytest.raises(InputError) as told:
        load_study(str(path), tuning=command == "tune")
    assert all(line.startswith(str(path)) for line in str(told.value).splitlines())
    return str(told.value)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of functions, its finished search, and the file that it wrote."""
    folder = tmp_path_factory.mktemp("searched")
    path = study_file(folder, published="published = { strength = 10 }")
    call("tune", path, "--out", folder / "out", "--to", folder / "own-strengths.toml",
         "--no-report")  # fmt: skip
    return folder


def point(strength: float, values: Sequence[float], diverged: int = 0) -> Point:
    return Point(
        condition="a",
        setting={"strength": strength},
        values=tuple(values),
        diverged=diverged,
        seconds=1.0,
    )


def test_the_weakest_setting_within_a_standard_error_of_the_best_is_chosen() -> None:
    # The best has values 96 to 100: deviation 2, standard error 2 / sqrt(3) = 1.1547.
    best = point(10, [96, 98, 100])
    inside, outside = point(1, [96.9, 96.85, 96.8]), point(0.1, [96.8, 96.85, 96.8])
    assert best.standard_error == pytest.approx(1.1547, abs=1e-4)
    assert inside.mean == pytest.approx(98 - 1.15)
    chosen = chosen_of([outside, inside, best], higher=True)
    assert chosen == inside
    assert chosen_of([outside, best], higher=True) == best
    # A setting in which a seed diverged is out, however good the others are.
    assert chosen_of([point(1, [99, 99], 1), best], higher=True) == best
    assert chosen_of([point(1, [99, 99], 1)], higher=True) is None
    # Of a loss the least is the best.
    assert chosen_of([outside, inside, best], higher=False) == outside


def test_a_grid_goes_on_at_an_edge_by_its_own_factor() -> None:
    space = Space.model_validate({"strength": [0.1, 1, 10], "fisher": ["exact", "true"]})
    tried = space.grid()
    assert len(tried) == 6
    assert tried[0] == {"strength": 0.1, "fisher": "exact"}
    at: Setting = {"strength": 10, "fisher": "true"}
    assert [*space.beyond(at, tried)] == [{"strength": 100.0, "fisher": "true"}]
    assert [*space.beyond({"strength": 0.1, "fisher": "exact"}, tried)] == [
        {"strength": 0.01, "fisher": "exact"}
    ]
    assert not [*space.beyond({"strength": 1, "fisher": "exact"}, tried)]
    grown = space.in_order([*tried, {"strength": 100.0, "fisher": "true"}, {"strength": 0.01,
                            "fisher": "exact"}])  # fmt: skip
    assert [one["strength"] for one in grown] == [0.01, 0.1, 0.1, 1, 1, 10, 10, 100.0]
    falling = Space.model_validate({"lr": [0.1, 0.01]})
    assert [*falling.beyond({"lr": 0.01}, falling.grid())] == [{"lr": 0.001}]
    whole = Space.model_validate({"width": [64, 128]})
    assert [*whole.beyond({"width": 128}, whole.grid())] == [{"width": 256}]


def test_a_search_goes_beyond_its_grid_and_chooses_by_what_it_measured(searched: Path) -> None:
    found = read_strengths(searched / "out" / "strengths.toml", "it")
    tried = [one.setting["strength"] for one in found.points("plain")]
    # The grid ends at 10, where it is best; 100 and 1000 follow, and then 100 is no edge.
    assert tried == [0.1, 1, 10, 100.0, 1000.0]
    assert found.chosen == {"plain": {"strength": 100.0}, "other": {"strength": 100.0}}
    assert found.published == {"plain": {"strength": 10}}
    assert found.points("plain")[3].values == pytest.approx((90.1, 90.2, 90.0, 90.1))
    assert (searched / "own-strengths.toml").read_bytes() == (
        searched / "out" / "strengths.toml"
    ).read_bytes()
    assert {record["seed"] for record in Store(searched / "out").read_all()[0]} == {
        1000,
        1001,
        1002,
        1003,
    }


def test_a_finished_search_trains_nothing_and_writes_the_same_bytes(
    searched: Path, tmp_path: Path
) -> None:
    before = {path.name for path in (searched / "out" / "records").iterdir()}
    said = call("tune", searched / "own.toml", "--out", searched / "out", "--to",
                tmp_path / "again.toml", "--no-report")  # fmt: skip
    assert "cells to run" not in said
    assert {path.name for path in (searched / "out" / "records").iterdir()} == before
    assert (tmp_path / "again.toml").read_bytes() == (searched / "own-strengths.toml").read_bytes()


def test_an_interrupted_search_goes_on_from_its_records(searched: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(searched / "out", tmp_path / "out"))
    lost = sorted((out / "records").iterdir())[::3]
    for path in lost:
        path.unlink()
    (out / "strengths.toml").unlink()
    call("tune", searched / "own.toml", "--out", out, "--no-report")
    found, before = (
        read_strengths(folder / "strengths.toml", "it") for folder in (out, searched / "out")
    )
    assert found.chosen == before.chosen
    assert [one.values for one in found.curve] == [one.values for one in before.curve]


def test_a_budget_ends_a_search_and_divergence_is_no_choice(tmp_path: Path) -> None:
    path = study_file(tmp_path, search="budget = 4")
    call("tune", path, "--out", tmp_path / "short", "--no-report")
    found = read_strengths(tmp_path / "short" / "strengths.toml", "it")
    assert [one.setting["strength"] for one in found.points("plain")] == [0.1, 1, 10, 100.0]
    path = study_file(tmp_path, "[100000, 1000000]", search="budget = 3")
    said = call("tune", path, "--out", tmp_path / "none", "--no-report", code=1)
    assert "plain: a seed diverged in every setting" in said
    found = read_strengths(tmp_path / "none" / "strengths.toml", "it")
    assert not found.chosen
    assert [one.setting["strength"] for one in found.points("plain")] == [10000.0, 100000, 1000000]


def test_a_study_takes_what_was_chosen_and_its_keys_follow_the_values_alone(
    searched: Path, tmp_path: Path
) -> None:
    shutil.copy(searched / "own-strengths.toml", tmp_path)
    path = study_file(tmp_path, more='strengths = "own-strengths.toml"')
    study = load_study(str(path))
    assert study.ours["plain"].method.get("strength") == 100.0
    by_hand = study_file(tmp_path)
    text = by_hand.read_text(encoding="utf-8")
    text = text.replace("plain = {}", "plain = { strength = 100.0 }")
    by_hand.write_text(text.replace("lr = 0.2", "lr = 0.2, strength = 100.0"), encoding="utf-8")
    other = load_study(str(by_hand))
    keys = [
        [Cell(condition=of, seed=0).key("data") for of in one.ours.values()]
        for one in (study, other)
    ]
    assert keys[0] == keys[1]
    assert study.fingerprint() == other.fingerprint()
    path = study_file(tmp_path, more='strengths = "own-strengths.toml"')
    assert "own-strengths.toml" in [file.path for file in own_files(path)]


@pytest.mark.parametrize("command", ["tune", "run"])
@pytest.mark.parametrize(
    ("grid", "parts", "says"),
    [
        ("[0, 1]", {}, "search.plain: strength: 0 is no strength to search"),
        ("[-1.0, 1]", {}, "strength: -1.0 is no strength to search"),
        ("[1, 1]", {}, "strength: a value is there twice"),
        ("[]", {}, "search.plain"),
        ("[1, 2]", {"search": "budget = 1"}, "the grid has 2"),
        ("[1, 2]", {"search": "sedes = 3"}, "search.sedes"),
        ("[1, 2]", {"published": "[search.others]\nstrength = [1, 2]"}, "did you mean 'other'?"),
        ("[1, 2]", {"published": "lr = [1.0, 2.0]"}, "every condition gets the same budget"),
        ("[1, 2]", {"published": "published = { xi = 1 }"}, "published: 'xi' is not searched"),
        ('["a", "b"]', {}, "'a' is no strength to search"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused_in_one_line(
    tmp_path: Path, command: str, grid: str, parts: dict[str, str], says: str
) -> None:
    assert says in refused(study_file(tmp_path, grid, **parts), command)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("strength = [1, 2]", "sternght = [1, 2]", "has no such parameter"),
        ('seeds = "1000-1003"', 'seeds = "2,1000"', "seed 2 of the search would be a seed of the"),
        ('seeds = "1000-1003"', "seeds = [1000]", "search.seeds"),
        ('held_out = { split = "validation" }', "", "takes no tasks, so that nothing can be held"),
        ("strength = [1, 2]", "protocol = { learning_rate = [1, 2] }", "learning_rate"),
    ],
)
def test_fields_seeds_and_data_of_a_search_are_checked(
    tmp_path: Path, before: str, after: str, says: str
) -> None:
    path = study_file(tmp_path, "[1, 2]")
    path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(InputError, match=str(path)) as told:
        load_study(str(path), tuning=True)
    assert says in str(told.value)


def test_seeds_of_the_search_are_refused_for_results(searched: Path, tmp_path: Path) -> None:
    shutil.copy(searched / "own-strengths.toml", tmp_path)
    study = load_study(str(study_file(tmp_path)))
    with pytest.raises(InputError, match="--seeds: these seeds: seed 1000 and 3 more"):
        study.choose(None, "990-1005")
    text = study_file(tmp_path, more='strengths = "own-strengths.toml"').read_text()
    (tmp_path / "own.toml").write_text(text.partition("[search]")[0].replace("3", '"1002-1009"'))
    assert "seed 1002 and 1 more of the search" in refused(tmp_path / "own.toml", "run")


def test_an_included_file_that_is_missing_damaged_or_contradicted_is_named(
    searched: Path, tmp_path: Path
) -> None:
    file = tmp_path / "own-strengths.toml"
    path = study_file(tmp_path, more='strengths = "own-strengths.toml"')
    assert "'own-strengths.toml' is not there; make it: python run_all.py tune" in refused(
        path, "run"
    )
    load_study(str(path), tuning=True)  # the search does not need what it makes
    text = (searched / "own-strengths.toml").read_text(encoding="utf-8")
    for damaged, says in (
        (text[:200], "'own-strengths.toml'"),
        (text.replace("strength = 100.0", "strength = 10.0", 1), "changed by hand or is damaged"),
        (text.replace("seconds", "secs", 1), "'own-strengths.toml': curve.0.seconds"),
        ("", "'own-strengths.toml': study"),
    ):
        file.write_text(damaged, encoding="utf-8")
        assert says in refused(path, "run")
    file.write_text(text, encoding="utf-8")
    said = path.read_text(encoding="utf-8").replace("plain = {}", "plain = { strength = 2.0 }")
    path.write_text(said, encoding="utf-8")
    assert "conditions.plain.strength: is 2.0, and 'own-strengths.toml' chose 100.0" in refused(
        path, "run"
    )


def test_a_forged_file_with_a_fingerprint_of_its_own_is_named_by_verify(
    searched: Path, tmp_path: Path
) -> None:
    found = read_strengths(searched / "own-strengths.toml", "it")
    with pytest.raises(ValueError, match="its own curve does not give"):
        Strengths.model_validate(
            found.model_dump()
            | {"chosen": {**found.chosen, "plain": {"strength": 1}}, "fingerprint": ""}
        )
    # Made so that its own curve gives the choice: only the records know better.
    curve = [
        one.model_copy(update={"values": (99.0, 99.1, 99.2, 99.3)})
        if (one.condition, one.setting) == ("plain", {"strength": 1})
        else one
        for one in found.curve
    ]
    forged = Strengths.model_validate(
        found.model_dump()
        | {"curve": curve, "chosen": {**found.chosen, "plain": {"strength": 1}}, "fingerprint": ""}
    )
    out = Path(shutil.copytree(searched / "out", tmp_path / "out"))
    from harness.keeping.results import read_results
    from harness.keeping.tuned import differing

    results = read_results(out)
    assert differing(results.study, results.records, out) == []
    (out / "strengths.toml").write_text(strengths_text(forged, "tune"), encoding="utf-8")
    named = differing(results.study, results.records, out)
    assert named == [
        f"{out / 'strengths.toml'}: 'plain' has strength 1, the records give strength 100"
    ]


class WithoutTest(Dataset):
    """Data whose test samples cannot be read."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("test_images", "test_labels"):
            raise AssertionError(f"{name} was read")
        return super().__getattribute__(name)


def test_a_search_never_reads_the_test_data(tmp_path: Path) -> None:
    path = tmp_path / "stack.toml"
    path.write_text(STACK, encoding="utf-8")
    study = load_study(str(path), tuning=True)
    assert study.search is not None
    grids = {name: space.grid() for name, space in study.search.spaces.items()}
    search = search_study(study, grids, path)
    assert list(search.conditions) == [
        "si@xi=0.001 strength=0.1",
        "si@xi=0.001 strength=1",
        "si@xi=0.1 strength=0.1",
        "si@xi=0.1 strength=1",
    ]
    assert {c.stack_protocol.validation_fraction for c in search.ours.values()} == {0.2}
    cells = [
        Cell(condition=one, seed=seed) for one in search.ours.values() for seed in (1000, 1001)
    ]
    whole = small_data()
    unreadable = WithoutTest(**vars(whole))
    with pytest.raises(AssertionError, match="test_images was read"):
        outcomes_of(train_block([Cell(condition=study.ours["finetune"], seed=0)], unreadable))
    changed = replace(
        whole, test_images=np.zeros_like(whole.test_images), test_labels=whole.test_labels[::-1]
    )
    for cell in cells:
        one, other = (outcomes_of(train_block([cell], data)) for data in (unreadable, changed))
        assert one[0].accuracy == other[0].accuracy


@pytest.mark.parametrize(
    "name",
    ["dhp-split-digits", "dhp-split-mnist", "dhp-permuted-mnist", "dhp-imbalanced-permuted-mnist"],
)
def test_the_shipped_strengths_are_those_of_the_shipped_study(name: str) -> None:
    study = load_study(name)
    assert study.search is not None
    assert study.strengths is not None
    searched = load_study(name, tuning=True)
    assert searched.search == study.search
    assert study.strengths.study == study.name
    assert study.strengths.seeds == study.search.seeds
    assert study.strengths.validation_fraction == study.search.validation_fraction
    assert study.strengths.budget == study.search.most
    for condition, space in study.search.spaces.items():
        chosen = study.strengths.chosen[condition]
        assert study.ours[condition].method.get("strength") == chosen["strength"]
        tried = [one.setting for one in study.strengths.points(condition)]
        assert all(setting in tried for setting in space.grid())
        assert len(tried) <= study.search.most
    assert isinstance(study.search, Search)
    assert (study_path(name).parent / "strengths").is_dir()


def test_what_a_search_measured_does_not_depend_on_how_a_version_of_python_sums() -> None:
    tenths: list[float | None] = [0.1] * 10
    assert final_accuracy([tenths] * 10) == 0.1, "0.09999999999999999 by plain addition"
