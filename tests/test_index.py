"""The index of a results directory: quicker answers, and never other ones."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gate_results import STUDY, results

from harness.errors import InputError
from harness.keeping import index, survey
from harness.keeping.records import Record, final_accuracy, seal
from harness.keeping.results import read_results
from harness.keeping.store import Damaged, Store
from harness.keeping.survey import read_by_index

SEEDS = 6


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let records count as settled at once: the tests write and read within a second."""
    monkeypatch.setattr(index, "SETTLED_NS", 0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store of records of two conditions, one of them diverged, that was looked at."""

    def one_diverged(cell: Any, fields: dict[str, Any]) -> None:
        if (cell.condition.name, cell.seed) == ("ewc", 3):
            fields["status"], fields["accuracy"] = "diverged", [[0.5, None], [None, None]]

    found = Store(results(tmp_path / "results", one_diverged, seeds=range(SEEDS)))
    surveyed(found)
    return found


def surveyed(store: Store) -> survey.Survey:
    """Look at a directory as a run does that has made sure that it is the right one."""
    found = survey.survey(store)
    found.keep_index()
    return found


def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that the names of all records that are read and hashed will be added to."""
    names: list[str] = []
    read = Store.read

    def counted(store: Store, path: Path) -> Record | Damaged:
        names.append(path.stem)
        return read(store, path)

    monkeypatch.setattr(Store, "read", counted)
    return names


def said(store: Store) -> Any:
    """Return all that a survey says, as plain values."""
    found = surveyed(store)
    programs = {part["program"] for part in found.trained}
    finals = {program: found.finals(program) for program in programs}
    return found.keys, found.trained, [(bad.path, bad.reason) for bad in found.damaged], finals


def first(store: Store, place: int = 0) -> Path:
    return store.records / store.files()[place].name


def rewritten(path: Path, **fields: Any) -> None:
    content = json.loads(path.read_text())
    del content["sha256"]
    path.write_text(json.dumps(seal(content | fields)))


def is_removed(store: Store) -> None:
    (store.root / index.NAME).unlink()


def is_empty(store: Store) -> None:
    (store.root / index.NAME).write_bytes(b"")


def is_truncated(store: Store) -> None:
    path = store.root / index.NAME
    path.write_bytes(path.read_bytes()[:-200])


def is_a_folder(store: Store) -> None:
    is_removed(store)
    (store.root / index.NAME).mkdir()


def is_of_another_version(store: Store) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "VERSION", index.VERSION + 1)
        is_removed(store)
        surveyed(store)


def is_of_another_directory(store: Store) -> None:
    def lower(cell: Any, fields: dict[str, Any]) -> None:
        fields["accuracy"] = [[0.25]]

    other = Store(results(store.root.parent / "other", lower, seeds=range(SEEDS)))
    surveyed(other)
    shutil.copy2(other.root / index.NAME, store.root / index.NAME)


def holds_an_object(store: Store) -> None:
    """Leave an archive with a pickle in it, which nothing may load."""
    np.savez(store.root / index.NAME, header=np.array([{"version": 1}], dtype=object))


def of_a_record_that_is_deleted(store: Store) -> None:
    first(store).unlink()


def of_a_record_that_is_added(store: Store) -> None:
    results(store.root, seeds=[SEEDS])


def of_a_record_that_is_changed(store: Store) -> None:
    rewritten(first(store), accuracy=[[0.75]])


def of_a_record_with_another_digit(store: Store) -> None:
    """Change a digit, and set back size and time of the file."""
    path = first(store)
    before = path.stat()
    path.write_text(path.read_text().replace("0.9", "0.8", 1))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def of_a_record_that_is_cut_off(store: Store) -> None:
    path = first(store)
    path.write_text(path.read_text()[:100])


def of_records_that_have_changed_places(store: Store) -> None:
    one, other, between = first(store), first(store, 1), store.records / "between"
    one.rename(between)
    other.rename(one)
    between.rename(other)


def of_a_link_to_nothing(store: Store) -> None:
    path = first(store)
    path.unlink()
    path.symlink_to("nothing.json")


def of_a_record_of_no_key(store: Store) -> None:
    (store.records / "notes.json").write_text("{}")
    rewritten(first(store), key="ключ")
    first(store).rename(store.records / "ключ.json")


def of_a_record_of_a_seed_that_no_study_has(store: Store) -> None:
    rewritten(first(store), seed=2**63)


CHANGES: list[Callable[[Store], None]] = [
    is_removed,
    is_empty,
    is_truncated,
    is_a_folder,
    is_of_another_version,
    is_of_another_directory,
    holds_an_object,
    of_a_record_that_is_deleted,
    of_a_record_that_is_added,
    of_a_record_that_is_changed,
    of_a_record_with_another_digit,
    of_a_record_that_is_cut_off,
    of_records_that_have_changed_places,
    of_a_link_to_nothing,
    of_a_record_of_no_key,
    of_a_record_of_a_seed_that_no_study_has,
]


@pytest.mark.parametrize("change", CHANGES)
def test_an_index_changes_no_answer(store: Store, change: Callable[[Store], None]) -> None:
    change(store)
    records, damaged = read_by_index(store)
    with_index = said(store)
    again = said(store)
    afresh = Store(store.root.parent / "afresh")
    afresh.root.mkdir()
    afresh.records.symlink_to(store.records)
    assert (records, damaged) == store.read_all()
    assert with_index == again
    keys, trained, _, finals = said(afresh)
    assert with_index[0] == keys == tuple(record["key"] for record in records)
    assert with_index[1] == trained
    assert with_index[3] == finals
    by_seed: dict[str, Any] = {record["program"]: {} for record in records}
    for record in records:
        final = final_accuracy(record["accuracy"])
        if final is not None and record["seed"] < 2**63:
            by_seed[record["program"]][record["seed"]] = final
    assert finals == by_seed
    assert [path.name for path, _ in with_index[2]] == [bad.path.name for bad in damaged]


def test_no_byte_of_an_index_can_be_changed_unseen(store: Store) -> None:
    path = store.root / index.NAME
    whole = path.read_bytes()
    loaded = index.load(store.root)
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        found = index.load(store.root)
        if len(found.keys):  # a byte that says nothing, such as the time in the archive
            assert found.keys.tolist() == loaded.keys.tolist()
            assert found.stamps.tolist() == loaded.stamps.tolist()
            assert found.kinds.tolist() == loaded.kinds.tolist()
            assert found.seeds.tolist() == loaded.seeds.tolist()
            assert found.trained == loaded.trained
            np.testing.assert_array_equal(found.finals, loaded.finals)


def test_a_second_look_opens_no_record(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    names = opened(monkeypatch)
    found = surveyed(store)
    assert len(found.keys) == 2 * SEEDS
    assert names == []
    assert read_by_index(store)[0] == store.read_all()[0]
    assert len(names) == 2 * SEEDS, "read_all trusts nothing, read_by_index hashed nothing"


def test_only_what_is_new_is_opened(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {entry.name for entry in store.files()}
    of_a_record_that_is_added(store)
    names = opened(monkeypatch)
    surveyed(store)
    assert {f"{name}.json" for name in names} == {e.name for e in store.files()} - before
    names.clear()
    surveyed(store)
    assert names == []


def test_a_record_that_has_just_changed_is_not_indexed_yet(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "SETTLED_NS", 60_000_000_000)
    rewritten(first(store), accuracy=[[0.75]])
    surveyed(store)
    names = opened(monkeypatch)
    surveyed(store)
    assert first(store).stem in names


def test_an_index_that_cannot_be_written_is_done_without(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = said(store)
    is_removed(store)

    def read_only(path: Path, target: Path) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "replace", read_only)
    assert said(store) == answer
    assert {path.name for path in store.root.iterdir()} == {"records", "study.json"}


def test_what_a_killed_process_left_is_removed(store: Store) -> None:
    old, young = (store.root / f".{index.NAME}.{name}.tmp" for name in ("old", "young"))
    for path in (old, young):
        path.touch()
    os.utime(old, (0, 0))
    is_removed(store)
    surveyed(store)
    assert not old.exists()
    assert young.exists(), "another driver is writing it"


def test_what_is_checked_is_read_whatever_the_index_says(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_a_record_with_another_digit(store)
    monkeypatch.setattr(index, "stamp", lambda found: (1, 1, 1, 1))
    assert "hash" in read_results(store.root).damaged[0].reason


def test_no_directory_is_made_for_an_index(tmp_path: Path) -> None:
    found = surveyed(Store(tmp_path / "new"))
    assert (found.keys, found.trained, found.damaged) == ((), (), [])
    assert list(tmp_path.iterdir()) == []


def test_records_that_cannot_be_listed_are_one_clear_error(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", denied)
    with pytest.raises(InputError, match=r"records cannot be listed \(Permission denied\)"):
        surveyed(store)


def test_results_are_the_same_by_index(store: Store) -> None:
    assert read_results(store.root, by_index=True) == read_results(store.root)
    assert read_results(store.root).study == STUDY
