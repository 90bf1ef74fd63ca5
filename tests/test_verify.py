"""A changed record, verdict or table is found and named; the page repeats byte for byte."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from reported import RECORDS, STUDY

from harness.keeping.records import SCHEMA, seal
from harness.keeping.store import Store
from reports.findings.analysis import analyse
from reports.output.document import verdict_text
from reports.output.tables import write_parquet, write_tables
from reports.output.verify import differences, grouped

REST: dict[str, Any] = {
    "schema": SCHEMA, "program": "p", "telemetry": [], "protocol": {}, "method": {}
}  # fmt: skip
"""What else a store keeps of a cell."""

SEALED: list[Any] = [seal(one | REST) for one in RECORDS]


def write_report(records: Sequence[Any], folder: Path) -> Path:
    """Write what ``verify`` reads."""
    folder.mkdir(exist_ok=True)
    analysis = analyse(records, STUDY)
    (folder / "verdict.json").write_text(verdict_text(analysis))
    write_tables(analysis.measured, folder)
    return folder


def differ(records: Sequence[Any], folder: Path) -> list[str]:
    return differences(analyse(records, STUDY), folder)


def changed(at: int, **fields: Any) -> list[Any]:
    """Return the records with fields of one replaced, and its hash made to fit."""
    forged: Any = {n: value for n, value in SEALED[at].items() if n != "sha256"} | fields
    return [*SEALED[:at], seal(forged), *SEALED[at + 1 :]]


def test_an_untouched_report_agrees(tmp_path: Path) -> None:
    folder = write_report(SEALED, tmp_path)
    assert differ(SEALED, folder) == []
    assert differ(SEALED[::-1], folder) == []


@pytest.mark.parametrize("file", ["verdict.json", "summary.csv", "table.parquet"])
@pytest.mark.parametrize("damage", [None, b"", b"\xff[1]", b"[1]", b"null"])
def test_a_missing_or_unreadable_file_is_named(
    tmp_path: Path, file: str, damage: bytes | None
) -> None:
    folder = write_report(SEALED, tmp_path)
    (folder / file).unlink()
    if damage is not None:
        (folder / file).write_bytes(damage)
    assert differ(SEALED, folder) == [file]


def test_an_edited_verdict_is_named(tmp_path: Path) -> None:
    path = write_report(SEALED, tmp_path) / "verdict.json"
    document = json.loads(path.read_text())
    document["claims"][0]["estimate"] += 0.1
    path.write_text(json.dumps(document))
    assert differ(SEALED, tmp_path) == ["verdict.json: claims[0].estimate"]
    del document["records"]
    path.write_text(json.dumps(document))
    assert differ(SEALED, tmp_path) == ["verdict.json: claims[0].estimate", "verdict.json: records"]


def test_a_forged_accuracy_is_named_first_and_what_follows_from_it_after(tmp_path: Path) -> None:
    """One digit of one accuracy, its record's hash computed anew."""
    write_report(SEALED, tmp_path)
    named = differ(changed(0, accuracy=[[1.0, None], [0.70, 0.71]]), tmp_path)
    assert named[0] == (
        "record a seed 0 (a0): not the content that the report was made from, "
        "accuracy[1][1] is 71.0, table.parquet has 70.0"
    )
    assert not any(name.startswith("record") for name in named[1:])
    assert "verdict.json: claims[0].estimate" in named
    assert "summary.csv: [0].final_accuracy" in named


@pytest.mark.parametrize(
    "fields", [{"timings": {"total": 0.2, "finished": "2026-01-01"}}, {"provenance": {}}]
)
def test_a_forged_record_is_named_even_where_no_number_of_the_report_changes(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    write_report(SEALED, tmp_path)
    named = differ(changed(3, **fields), tmp_path)
    assert named[0] == "record b seed 1 (b1): not the content that the report was made from"


def test_a_forged_table_is_named(tmp_path: Path) -> None:
    path = write_report(SEALED, tmp_path) / "table.parquet"
    table = pd.read_parquet(path)
    table.loc[0, "accuracy"] = 50.0
    write_parquet([table], path)
    assert differ(SEALED, tmp_path) == [
        "record a seed 0 (a0): accuracy[0][0] is 100.0, table.parquet has 50.0"
    ]
    table.loc[0, "accuracy"], table.loc[0, "status"] = 100.0, "diverged"
    write_parquet([table], path)
    assert differ(SEALED, tmp_path) == [
        "record a seed 0 (a0): status is done, table.parquet has diverged"
    ]
    for wrong in (table.drop(columns="task"), table.drop(columns="study"), pd.concat([table] * 2)):
        write_parquet([wrong], path)
        assert differ(SEALED, tmp_path) == ["table.parquet"]


@pytest.mark.parametrize("gone", [True, False])
def test_a_missing_or_added_record_is_named(tmp_path: Path, gone: bool) -> None:
    more, fewer = SEALED, SEALED[:2] + SEALED[3:]
    write_report(more if gone else fewer, tmp_path)
    named = differ(fewer if gone else more, tmp_path)
    reason = "in the report, not among the records" if gone else "not in the report"
    assert named[0].startswith(f"record a seed 1 (a1): {reason}, accuracy[0][0] is ")
    assert "verdict.json: claims[0].n" in named


def test_any_changed_digit_of_a_stored_record_is_found_and_its_record_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for one in SEALED:
        assert store.write(one) is None
    report = write_report(SEALED, tmp_path / "report")
    path = store.path("a1")
    text = path.read_text()
    for place in (i for i, letter in enumerate(text) if letter.isdigit()):
        digit = str((int(text[place]) + 1) % 10)
        path.write_text(text[:place] + digit + text[place + 1 :])
        records, damaged = store.read_all()
        assert [bad.path for bad in damaged] == [path]
    named = differ(records, report)
    assert named[0].startswith("record a seed 1 (a1): in the report, not among the records")


def test_many_names_are_cut_with_their_number() -> None:
    names = [f"n{i}" for i in range(12)]
    assert grouped(names) == [*names[:10], "and 2 more"]
    assert grouped(names[:10]) == names[:10]
    assert grouped(names, most=1) == ["n0", "and 11 more"]
    assert grouped([]) == []
    with pytest.raises(ValueError, match="show 1 or more"):
        grouped(names, most=0)
