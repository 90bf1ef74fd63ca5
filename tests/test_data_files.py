"""What other programs read of a report: every column with its meaning, unit and settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_reports import record

from harness.studies.study import Study
from reports.findings.analysis import measured
from reports.numbers.records import Record
from reports.numbers.tables import tidy
from reports.output.tables import (
    DATA_FILES,
    read_table,
    same_parquet,
    write_parquet,
    write_tables,
)

STUDY = Study.model_validate(
    {
        "name": "hand",
        "seeds": 2,
        "factors": {"plasticity": {"levels": {"off": {}, "on": {"plasticity": "on"}}}},
        "conditions": {"c": {"consolidation": "si", "strength": 2.5}},
    }
)


def recorded() -> list[Record]:
    found: list[Any] = []
    for name in STUDY.conditions:
        for seed in (0, 1):
            one: Any = record(name, seed, 0.5 + seed / 4)
            one["telemetry"] = [{"task": 0, "loss": 0.25}, {"task": 1, "loss": None}]
            found.append(one)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("data")
    write_tables(measured(recorded(), STUDY), place)
    return place


def test_the_table_has_levels_and_settings_beside_each_accuracy(folder: Path) -> None:
    table = pd.read_parquet(folder / "table.parquet")
    one = table[table["condition"] == "plasticity=on"].iloc[0]
    assert one["level.plasticity"] == "on"
    assert one["method.plasticity"] == "on"
    assert one["protocol.hidden"] == "256, 256"
    assert one["method.eta"] == 0.001
    other = table[table["condition"] == "c"].iloc[0]
    assert pd.isna(other["level.plasticity"])
    assert other["method.strength"] == 2.5
    assert table["accuracy"].max() <= 100
    last = table.query("condition == 'c' and seed == 1 and after_task == 2")
    assert last["accuracy"].tolist() == [75.0, 75.0]


def test_tasks_are_counted_from_one_everywhere(folder: Path) -> None:
    table, telemetry = (
        pd.read_parquet(folder / f"{name}.parquet") for name in ("table", "telemetry")
    )
    assert sorted(set(table["task"])) == sorted(set(telemetry["task"])) == [1, 2]
    losses = telemetry[telemetry["quantity"] == "loss"]
    assert losses["value"].tolist()[0] == 0.25
    assert losses["value"].isna().sum() == len(STUDY.conditions) * 2


def test_every_column_of_every_file_is_described_with_its_unit(folder: Path) -> None:
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    described = {one["path"]: one["schema"]["fields"] for one in package["resources"]}
    assert {*described, "datapackage.json"} == set(DATA_FILES)
    for name, fields in described.items():
        path = folder / name
        table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        assert [field["name"] for field in fields] == list(table.columns), name
        for field in fields:
            assert field["description"], field
            share = "accuracy" in field["name"]
            assert (field.get("unit") == "%") == share, field
    schema = pq.read_schema(folder / "table.parquet")
    assert schema.field("accuracy").metadata[b"unit"] == b"%"


def test_fractions_of_earlier_reports_are_read_as_percent(tmp_path: Path) -> None:
    table = tidy(recorded())
    earlier = table.assign(accuracy=table["accuracy"] / 100)
    pq.write_table(pa.Table.from_pandas(earlier, preserve_index=False), tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "table.parquet"), table)


def test_a_table_made_in_parts_is_the_table_made_at_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.numbers.tables.AT_ONCE", 3)
    found = measured(recorded()[::-1], STUDY)
    write_tables(found, tmp_path)
    assert pq.ParquetFile(tmp_path / "table.parquet").num_row_groups > 1
    for name in DATA_FILES:
        if name.endswith(".parquet"):
            once, in_parts = (pd.read_parquet(place / name) for place in (folder, tmp_path))
            pd.testing.assert_frame_equal(in_parts, once)
        else:
            assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert same_parquet(tmp_path / "telemetry.parquet", found.telemetry.parts())


def test_a_table_is_another_where_its_last_part_differs_or_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.numbers.tables.AT_ONCE", 3)
    path = tmp_path / "telemetry.parquet"
    parts = list(measured(recorded(), STUDY).telemetry.parts())
    write_parquet(parts, path)
    assert same_parquet(path, parts)
    other = parts[-1].assign(value=parts[-1]["value"] + 1)
    for wrong in ([*parts[:-1], other], parts[:-1], [*parts, parts[-1]]):
        assert not same_parquet(path, wrong)
        write_parquet(wrong, tmp_path / "wrong.parquet")
        assert not same_parquet(tmp_path / "wrong.parquet", parts)


def test_no_records_give_empty_tables_that_are_written_and_compared(tmp_path: Path) -> None:
    empty = measured([], STUDY).telemetry
    write_parquet(empty.parts(), tmp_path / "none.parquet")
    assert same_parquet(tmp_path / "none.parquet", empty.parts())
    assert list(pd.read_parquet(tmp_path / "none.parquet").columns) == empty.columns
