"""The store: whole records or none, nothing trusted blindly, nothing overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small import small_data

from harness.errors import InputError
from harness.keeping.records import Record, Sharing, checked, seal
from harness.keeping.selection import select
from harness.keeping.store import Conflict, Damaged, Store
from harness.running.events import BlockDone, Event, NotKept
from harness.running.outcomes import Outcome
from harness.running.plan import Plan
from harness.running.runner import Run, Tally
from harness.studies.study import Study

KEY = "0" * 32


def record(**changes: Any) -> Record:
    content: Any = {
        "schema": 1,
        "key": KEY,
        "program": "1" * 64,
        "study": "tiny",
        "condition": "finetune",
        "seed": 0,
        "status": "done",
        "accuracy": [[0.1 + 0.2, None], [1 / 3, 1.0]],
        "telemetry": [{"task": 0, "loss": 1e-300}],
        "timings": {"total": 1.5},
        "protocol": {},
        "method": {},
        "provenance": {"data": "2" * 64},
    }
    return seal(content | changes)


def study(**changes: Any) -> Study:
    raw: dict[str, Any] = {"name": "tiny", "seeds": 2, "conditions": {"finetune": {}, "dhp": {}}}
    raw["conditions"]["dhp"] = {"plasticity": "on", "head_init": "blog", "bias": False}
    return Study.model_validate(raw | changes)


def test_a_record_comes_back_bit_for_bit(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.write(record()) is None
    assert KEY in store
    assert store.read_all() == ([record()], [])
    assert [path.name for path in store.records.iterdir()] == [f"{KEY}.json"], "no leftovers"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("[]", "no record"),
        ("{}", "no record"),
        ("\x00\xff", "JSON"),
        (json.dumps(record() | {"status": "diverged"}), "hash"),
        (json.dumps(record() | {"accuracy": [[float("nan")]]}), "hash"),
        (json.dumps(record(key="1" * 32)), "cell '1111"),
        (json.dumps(record(schema=99)), "schema 99"),
    ],
)
def test_a_damaged_record_is_named_and_set_aside(text: str, reason: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.records.mkdir()
    store.path(KEY).write_text(text, encoding="latin-1")
    records, damaged = store.read_all()
    assert records == []
    assert reason in damaged[0].reason
    aside = store.set_aside(damaged[0])
    assert aside.read_text(encoding="latin-1") == text
    assert KEY not in store
    store.path(KEY).write_text(text, encoding="latin-1")
    assert store.set_aside(Damaged(store.path(KEY), "again")) != aside, "nothing is overwritten"


@pytest.mark.parametrize("name", sorted(record().keys() - {"schema", "sha256"}))
def test_a_field_that_is_missing_or_of_another_kind_is_named(name: str) -> None:
    assert checked(record()) == record()
    rest: Any = {field: value for field, value in record().items() if field not in (name, "sha256")}
    with pytest.raises(ValueError, match=rf"^has no valid {name}: Field required$"):
        checked(seal(rest))
    with pytest.raises(ValueError, match=rf"^has no valid {name}: "):
        checked(record(**{name: None}))


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("seed", "0", "seed"),
        ("seed", 1.0, "seed"),
        ("seed", True, "seed"),
        ("accuracy", [[0.5, None], [0.5, "0.5"]], "accuracy.1.1"),
        ("accuracy", [0.5], "accuracy.0"),
        ("telemetry", [{}, 1], "telemetry.1"),
        ("provenance", [], "provenance"),
    ],
)
def test_a_value_of_another_kind_is_named_with_its_place(
    name: str, value: object, place: str
) -> None:
    with pytest.raises(ValueError, match=rf"^has no valid {place}: "):
        checked(record(**{name: value}))


def test_fields_that_a_later_version_may_add_are_kept() -> None:
    more = record(more={"of": "it"})
    assert checked(more) == more


def test_one_changed_digit_is_found(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(record())
    text = store.path(KEY).read_text()
    store.path(KEY).write_text(text.replace("0.3333333333333333", "0.3333333333333334"))
    assert "hash" in store.read_all()[1][0].reason


def test_a_record_cut_at_any_byte_or_with_any_flipped_bit_is_no_record(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(record())
    path = store.path(KEY)
    whole = path.read_bytes()
    for length in range(len(whole) - 1):  # the last byte is a line end
        path.write_bytes(whole[:length])
        assert isinstance(store.read(path), Damaged), length
    for place in range(len(whole)):
        for bit in range(0, 8, 3):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << bit
            path.write_bytes(flipped)
            read = store.read(path)
            assert isinstance(read, Damaged) or read == record(), (place, bit)


def test_the_same_result_twice_changes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(record(timings={"total": 1.0}))
    before = store.path(KEY).read_bytes()
    assert store.write(record(timings={"total": 2.0})) is None
    assert store.path(KEY).read_bytes() == before


def test_a_second_different_result_is_kept_apart_and_reported(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(record())
    other = record(accuracy=[[0.5, None], [0.5, 0.5]])
    conflict = store.write(other)
    assert isinstance(conflict, Conflict)
    assert conflict.differs == ("accuracy",)
    assert json.loads(conflict.path.read_text()) == other
    assert store.read_all()[0] == [record()]


def test_records_that_share_equal_parts_are_the_same_texts_as_before() -> None:
    """1, 1.0 and True are equal and no part of one another; a part in common is one object."""
    share, texts, shared = Sharing(), [], []
    for one in (1, 1.0, True, 1, -0.0, 0.0):
        right = {"samples": [3, one], "bits": ["x", "\ud800"]}
        written = seal(record(accuracy=[[one, None], [0.5, one]], right=right, method={"m": one}))
        texts.append(json.dumps(written))
        shared.append(share(json.loads(texts[-1])))
    assert [json.dumps(one) for one in shared] == texts
    first, fourth = shared[0], shared[3]
    assert all(a is b for a, b in zip(first["accuracy"], fourth["accuracy"], strict=True))
    assert first["right"]["samples"] is fourth["right"]["samples"]
    assert first["method"] is fourth["method"]


def test_parts_that_never_repeat_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.keeping.records.MOST_PARTS", 8)
    share = Sharing()
    for seed in range(20):
        one = share(json.loads(json.dumps(record(seed=seed, accuracy=[[seed / 7]]))))
        assert one["accuracy"] == [[seed / 7]]
    assert len(share._parts) <= 8


def test_a_directory_belongs_to_one_study(tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    with pytest.raises(InputError, match="holds no results"):
        store.study()
    store.open_for(study())
    assert store.study() == study()
    first_run = json.loads((store.root / "study.json").read_text())["first_run"]
    store.open_for(study(seeds=5))
    assert store.study().seeds == (0, 1, 2, 3, 4)
    assert json.loads((store.root / "study.json").read_text())["first_run"] == first_run
    with pytest.raises(InputError, match="study 'tiny', not of 'other'"):
        store.open_for(study(name="other"))
    (store.root / "study.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        store.study()


class Finished:
    """An executor whose blocks are done as soon as they are asked for."""

    workers = 1
    place = "in this process"

    def run(self, blocks: Any, data: Any, count: int = 0) -> Any:
        for block in blocks:
            outcomes = [Outcome("done", [[1.0]], [{"task": 0}], {}) for _ in block]
            yield BlockDone(block, outcomes, {})


def run_plan(store: Store, plan: Plan, observe: Any = lambda event: None) -> Tally:
    tally = Tally()
    Run(plan, small_data(), "tiny", store, tally).execute(Finished(), observe)
    return tally


def plan_of(tiny: Study) -> Plan:
    from harness.studies.condition import Cell

    cells = [Cell(condition=c, seed=s) for s in tiny.seeds for c in tiny.conditions.values()]
    return Plan(tuple((cell,) for cell in cells), 0)


def test_a_full_disk_is_told_at_once_and_nothing_more_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    store = Store(tmp_path)
    store.records.write_text("in the way: nothing can be written below")
    seen: list[Event] = []
    tally = run_plan(store, plan_of(study()), seen.append)
    (told,) = seen
    assert isinstance(told, NotKept), "never shown as finished"
    assert tally.stopped
    assert not tally.clean
    assert tally.rescued is not None
    assert str(tally.rescued) in told.whereabouts
    assert len(Store(tally.rescued.parent).read_all()[0]) == 1
    store.records.unlink()
    assert run_plan(store, plan_of(study())).clean, "the same command goes on"


def test_records_that_waited_are_written_where_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    store = Store(tmp_path)
    store.records.write_text("in the way")
    tally = run_plan(store, plan_of(study()), lambda event: store.records.unlink())
    assert not tally.unwritten
    assert len(store.read_all()[0]) == 1
    assert list((tmp_path / "elsewhere").iterdir()) == [], "no copy is left"


def test_records_that_nothing_takes_are_said_to_be_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "not-there"))
    store = Store(tmp_path)
    store.records.write_text("in the way")
    seen: list[Event] = []
    run_plan(store, plan_of(study()), seen.append)
    (told,) = seen
    assert isinstance(told, NotKept)
    assert "in memory only" in told.whereabouts


def test_cells_that_another_driver_recorded_are_not_started(tmp_path: Path) -> None:
    store = Store(tmp_path)
    plan = plan_of(study())
    started: list[Event] = []

    def other_driver_is_faster(event: Event) -> None:
        started.append(event)
        if len(started) == 1:
            run_plan(store, plan)

    assert run_plan(store, plan, other_driver_is_faster).done == 1


def test_records_name_the_code_that_a_run_started_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = iter(["at the start", "committed meanwhile", "and again"])
    monkeypatch.setattr("harness.running.runner.code", lambda: {"git_commit": next(commits)})
    store = Store(tmp_path)
    run_plan(store, plan_of(study()))
    records = store.read_all()[0]
    assert [r["provenance"]["code"]["git_commit"] for r in records] == 4 * ["at the start"]


def test_records_answer_for_what_was_run_whatever_its_name_is_now(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run_plan(store, plan_of(study()))
    records = store.read_all()[0]
    renamed = study(conditions={"plain": {}, "twin": {"plasticity": "off"}})
    chosen = select(records, renamed)
    assert sorted((r["condition"], r["seed"]) for r in chosen.records) == [
        ("plain", 0), ("plain", 1), ("twin", 0), ("twin", 1),
    ]  # fmt: skip
    assert chosen.superseded == 2


def test_a_study_that_cannot_be_written_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        Store(tmp_path).open_for(study())
    assert [path.name for path in tmp_path.iterdir()] == ["records"]


def test_damaged_records_that_cannot_be_moved_are_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.running.session import Session
    from harness.studies.study_files import load_study

    store, smoke = Store(tmp_path), load_study("smoke")
    store.open_for(smoke)
    (store.records / "0.json").write_text("{")
    session = Session(smoke, smoke, tmp_path, tmp_path, None)

    def read_only(path: Path, target: Path) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "rename", read_only)
    with pytest.raises(InputError, match=r"0\.json.*cannot be moved away \(Read-only file system"):
        session.open_store()
