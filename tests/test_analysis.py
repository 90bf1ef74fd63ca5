"""What the analysis keeps, drops and counts."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from harness.study import Study
from reports.analysis import analyse, verdict_document

STUDY = Study.model_validate(
    {
        "name": "hand",
        "seeds": 4,
        "conditions": {"a": {}, "b": {"head_init": "blog"}},
        "published": [
            {"id": "poster", "source": "p", "after_tasks": [2], "accuracy": {"a": [70.0]}}
        ],
        "claims": [
            {
                "id": "gain", "text": "b beats a", "source": "p", "treatment": "b",
                "baseline": "a", "reported": 10.0, "unit": "points", "margin": 3.0,
            }
        ],
    }
)  # fmt: skip


def record(condition: str, seed: int, final: float, status: str = "done") -> dict[str, Any]:
    accuracy = [[1.0, None], [final, final] if status == "done" else [None, None]]
    return {
        "study": "hand", "condition": condition, "seed": seed, "status": status,
        "key": f"{condition}{seed}", "accuracy": accuracy,
        "timings": {"total": 0.1, "finished": f"2026-01-0{seed + 1}"},
        "provenance": {"device": "cpu", "code": {"version": "1"}},
    }  # fmt: skip


RECORDS = [
    record("a", 0, 0.70), record("b", 0, 0.80),
    record("a", 1, 0.71), record("b", 1, 0.82),
    record("a", 2, 0.70), record("b", 2, 0.0, "diverged"),
    record("a", 3, 0.70),
]  # fmt: skip


def test_unpaired_seeds_are_counted_with_their_reason() -> None:
    found = analyse(RECORDS, STUDY)
    pair = found.claims[0].contrast
    assert pair.seeds == (0, 1)
    assert pair.dropped == ((2, "treatment diverged"), (3, "treatment missing"))
    assert pair.comparison is not None
    assert pair.comparison.mean == pytest.approx(10.5)
    assert [(c.done, c.diverged, c.missing) for c in found.cells] == [(4, 0, ()), (2, 1, (3,))]
    assert found.agreement[0].difference == pytest.approx(0.25)
    assert found.first_run == "2026-01-01"
    assert dict(found.provenance)["code version"] == (("1", 7),)


def test_the_order_of_records_changes_nothing() -> None:
    assert analyse(RECORDS[::-1], STUDY) == analyse(RECORDS, STUDY)


@pytest.mark.parametrize("kept", [0, 1, 2, 4])
def test_few_records_give_a_strict_json_document(kept: int) -> None:
    document = verdict_document(analyse(RECORDS[:kept], STUDY))
    json.dumps(document, allow_nan=False)
    claim = document["claims"][0]
    assert claim["n"] == kept // 2
    assert claim["verdict"] == {0: None, 1: None, 2: "INCONCLUSIVE", 4: claim["verdict"]}[kept]
    if kept == 2:
        assert claim["ci95"] == [None, None]


def test_a_study_without_claims_is_analysed() -> None:
    plain = Study.model_validate({"name": "hand", "seeds": 2, "conditions": {"a": {}}})
    found = analyse([record("a", 0, 0.5)], plain)
    assert (found.claims, found.family, found.agreement) == ((), (), ())
    assert math.isclose(found.compute_seconds, 0.1)
