"""Metrics against matrices worked out by hand, and tables that repeat byte for byte."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.studies.study import Study
from reports.findings.analysis import measured
from reports.numbers import metrics, tables
from reports.output.tables import DATA_FILES, read_table, write_tables

NAN = float("nan")
BY_HAND = np.array([[0.9, NAN, NAN], [0.6, 0.8, NAN], [0.7, 0.5, 1.0]])


def test_metrics_of_a_matrix_worked_out_by_hand() -> None:
    assert metrics.final_accuracy(BY_HAND) == pytest.approx((0.7 + 0.5 + 1.0) / 3)
    assert metrics.learned_accuracy(BY_HAND) == pytest.approx((0.9 + 0.8 + 1.0) / 3)
    assert metrics.backward_transfer(BY_HAND) == pytest.approx(((0.7 - 0.9) + (0.5 - 0.8)) / 2)
    assert metrics.forgetting(BY_HAND) == pytest.approx(((0.9 - 0.7) + (0.8 - 0.5)) / 2)
    assert metrics.seen_accuracy(BY_HAND) == pytest.approx([0.9, 0.7, 2.2 / 3])


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.integers(1, 6).flatmap(lambda t: arrays(float, (t, t), elements=st.floats(0, 1))))
def test_metrics_equal_their_definitions_written_out(matrix: np.ndarray) -> None:
    count = len(matrix)
    matrix[np.triu_indices(count, 1)] = np.nan
    last = matrix[count - 1]
    assert metrics.final_accuracy(matrix) == pytest.approx(sum(last) / count)
    for i, value in enumerate(metrics.seen_accuracy(matrix)):
        assert value == pytest.approx(sum(matrix[i, : i + 1]) / (i + 1))
    changes = [last[j] - matrix[j, j] for j in range(count - 1)]
    drops = [max(matrix[i, j] for i in range(j, count - 1)) - last[j] for j in range(count - 1)]
    transfer, dropped = (
        sum(values) / (count - 1) if count > 1 else math.nan for values in (changes, drops)
    )
    assert metrics.backward_transfer(matrix) == pytest.approx(transfer, nan_ok=True)
    assert metrics.forgetting(matrix) == pytest.approx(dropped, nan_ok=True)


def record(condition: str, seed: int, final: float, status: str = "done") -> Any:
    accuracy = [[1.0, None], [final, final]]
    if status == "diverged":
        accuracy[1] = [None, None]
    return {
        "study": "hand",
        "condition": condition,
        "seed": seed,
        "status": status,
        "key": f"{condition}-{seed}",
        "accuracy": accuracy,
        "timings": {"total": np.random.default_rng().random()},
    }


RECORDS: list[Any] = [
    record("b", 1, 0.7),
    record("a", 0, 0.5),
    record("b", 0, 0.9),
    record("b", 2, 0.0, "diverged"),
]


@pytest.mark.parametrize("tasks", [1, 2, 5, 7, 8, 9, 16, 20, 129, 200])
def test_metrics_of_many_are_those_of_each_bit_for_bit(tasks: int) -> None:
    stack = np.random.default_rng(tasks).random((6, tasks, tasks))
    stack[:, ~np.tri(tasks, dtype=bool)] = np.nan
    many = metrics.of_many(stack)
    for name in tables.CELL_METRICS:
        alone = [getattr(metrics, name)(matrix) for matrix in stack]
        np.testing.assert_array_equal(many[name], np.array(alone), err_msg=name)
    seen = metrics.seen_of_many(stack)
    assert seen.tolist() == [metrics.seen_accuracy(matrix).tolist() for matrix in stack]


def test_the_tidy_table_has_a_row_for_each_measured_accuracy() -> None:
    table = tables.tidy(RECORDS)
    assert len(table) == 3 * 3 + 1
    assert table.columns.tolist() == [
        "study", "condition", "seed", "status", "key", "after_task", "task", "accuracy",
    ]  # fmt: skip
    row = table[(table.condition == "b") & (table.seed == 1) & (table.after_task == 2)]
    assert row.accuracy.tolist() == [70.0, 70.0], "in %"


def test_the_summary_counts_diverged_cells_and_averages_the_others() -> None:
    summary = tables.summary(RECORDS, ["b", "a", "absent"])
    assert summary["condition"].tolist() == ["b", "a", "absent"]
    assert summary["seeds"].tolist() == [2, 1, 0]
    assert summary["diverged"].tolist() == [1, 0, 0]
    assert summary["final_accuracy"].tolist() == pytest.approx([80, 50, NAN], nan_ok=True)
    low = summary["final_accuracy_low"].tolist()
    assert low == pytest.approx([80 - 127.062, NAN, NAN], abs=1e-3, nan_ok=True)
    shown = tables.possible(summary)["final_accuracy_low"].tolist()
    assert shown == pytest.approx([NAN, NAN, NAN], nan_ok=True), "too few seeds for an interval"
    assert summary["backward_transfer"].tolist() == pytest.approx([-20, -50, NAN], nan_ok=True)


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    study = Study.model_validate({"name": "hand", "seeds": 3, "conditions": {"a": {}, "b": {}}})
    once, twice = tmp_path / "once", tmp_path / "twice"
    again = [
        record(r["condition"], r["seed"], r["accuracy"][1][0] or 0, r["status"]) for r in RECORDS
    ]
    for folder, records in ((once, RECORDS), (twice, again[::-1])):
        folder.mkdir()
        write_tables(measured(records, study), folder)
    names = sorted(path.name for path in once.iterdir())
    assert names == sorted(DATA_FILES)
    for name in names:
        assert (once / name).read_bytes() == (twice / name).read_bytes(), name
    assert read_table(once / "table.parquet").equals(tables.tidy(RECORDS))
    assert measured(RECORDS, study).summary["condition"].tolist() == ["a", "b"]
