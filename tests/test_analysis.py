"""What the analysis keeps, drops and counts."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from reported import RECORDS, STUDY, record
from scipy import stats

from harness.studies.study import Study
from reports.findings.analysis import analyse
from reports.findings.causes import Causes
from reports.output.document import verdict_document

CLAIM_KEYS = {
    "id", "text", "source", "treatment", "baseline", "expected", "as_expected", "verdict",
    "differs_in",
    "reason", "estimate", "sd", "ci95", "ci90", "bca95", "ci", "ci_equivalence", "procedure", "n",
    "reported", "unit", "margin", "negligible", "alpha", "p_values", "hedges_gz",
    "probability_superior", "probability_superior_ci95", "seeds_needed", "dropped",
    "p_value", "p_holm", "stands", "kind", "metric", "share",
    "completeness", "fixed",
}  # fmt: skip


def test_unpaired_seeds_are_counted_with_their_reason() -> None:
    found = analyse(RECORDS, STUDY)
    pair = found.claims[0].contrast
    assert pair.seeds == (0, 1)
    assert pair.dropped == ((2, "treatment diverged"), (3, "treatment not yet run"))
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
    assert set(claim) == CLAIM_KEYS
    assert set(claim["p_values"]) == {
        "t", "wilcoxon", "sign_flip", "smallest", "tost_claim", "tost_zero"
    }  # fmt: skip
    if kept < 2:
        assert {claim[name] for name in ("reason", "estimate", "ci95", "procedure")} == {None}
        assert set(claim["p_values"].values()) == {None}
        assert document["criteria"] == document["error_rates"] == []
    assert (document["error_rates_note"] is None) == (kept < 4)


def test_a_study_without_claims_is_analysed() -> None:
    plain = Study.model_validate({"name": "hand", "seeds": 2, "conditions": {"a": {}}})
    found = analyse([record("a", 0, 0.5)], plain)
    assert (found.claims, found.family, found.agreement) == ((), (), ())
    assert math.isclose(found.compute_seconds, 0.1)


def with_published(**changes: Any) -> Study:
    source = STUDY.published[0].model_copy(update=changes)
    return STUDY.model_copy(update={"published": (source,)})


def test_each_published_value_is_compared_after_as_many_tasks() -> None:
    study = with_published(
        after_tasks=(1, 2), accuracy={"a": (99.5, 70.0)}, plus_minus={"a": (0.1, 0.5)}
    )
    found = analyse(RECORDS, study).agreement
    assert [(one.after_tasks, one.published, one.plus_minus, one.n) for one in found] == [
        (1, 99.5, 0.1, 4),
        (2, 70.0, 0.5, 4),
    ]
    assert [one.difference for one in found] == pytest.approx([0.5, 0.25])
    unknown = with_published(after_tasks=(3,), accuracy={"a": (60.0,)})
    assert analyse(RECORDS, unknown).agreement == ()


def test_a_published_value_is_held_against_the_spread_of_as_many_runs() -> None:
    """Our 70, 71, 70, 70: the mean of m more falls within t(3) sd sqrt(1/4 + 1/m) of 70.25."""
    values = np.array([70, 71, 70, 70])
    for runs, published, agrees in ((1, 68.5, True), (11, 68.5, False), (11, 70.9, True)):
        study = with_published(accuracy={"a": (published,)}, runs={"a": runs})
        (one,) = analyse(RECORDS, study).agreement
        half = stats.t.ppf(0.975, 3) * values.std(ddof=1) * math.sqrt(1 / 4 + 1 / runs)
        assert one.prediction95 is not None
        assert one.prediction95.low == pytest.approx(70.25 - half)
        assert one.prediction95.high == pytest.approx(70.25 + half)
        assert (one.runs, one.agrees) == (runs, agrees)


def test_without_runs_or_spread_agreement_cannot_be_told() -> None:
    (unknown,) = analyse(RECORDS, STUDY).agreement
    assert (unknown.runs, unknown.prediction95, unknown.agrees) == (None, None, None)
    known = with_published(runs={"a": 11})
    document = verdict_document(analyse(RECORDS[:1], known))
    entry = document["agreement"][0]
    assert (entry["prediction95"], entry["agrees"]) == ([None, None], None)


def test_a_mixed_store_says_which_device_made_what() -> None:
    numbers = {"torch": "2.13", "numerics": "abc"}
    mixed = [r | {"provenance": {"device": "cpu"} | numbers} for r in RECORDS[:4]]
    mixed += [r | {"provenance": {"device": "NVIDIA H200"} | numbers} for r in RECORDS[4:]]
    assert verdict_document(analyse(mixed, STUDY))["devices"] == [
        {"device": "NVIDIA H200", **numbers, "cells": 3, "conditions": {"a": 2, "b": 1}},
        {"device": "cpu", **numbers, "cells": 4, "conditions": {"a": 2, "b": 2}},
    ]
    unsaid = analyse([RECORDS[0] | {"provenance": {}}], STUDY).devices[0]
    assert (unsaid.device, unsaid.torch, unsaid.numerics, unsaid.cells) == (None, None, None, 1)


def test_causes_stand_beside_and_replace_nothing() -> None:
    found = analyse(RECORDS, STUDY)
    document = verdict_document(found)
    names = [part.name for part in fields(Causes)]
    assert not document.keys() & set(names)
    told = replace(found.causes, levels={"plasticity": []}, decompositions={"gain": None})
    beside = {"levels": {"plasticity": []}, "decompositions": {"gain": None}}
    assert verdict_document(replace(found, causes=told)) == document | beside


@pytest.mark.parametrize(
    ("expected", "finals", "as_expected"),
    [
        (None, (0.80, 0.81), None),
        ("REPRODUCED", (0.80, 0.81), True),
        ("NOT REPRODUCED", (0.80, 0.81), False),
        ("REPRODUCED", (), None),
    ],
)
def test_a_control_says_whether_it_got_its_verdict(
    expected: str | None, finals: tuple[float, ...], as_expected: bool | None
) -> None:
    claim = STUDY.claims[0].model_copy(update={"expected": expected})
    study = STUDY.model_copy(update={"claims": (claim,)})
    treated = [record("b", seed, final) for seed in range(4) for final in finals[seed % 2 :][:1]]
    untreated = [record("a", seed, 0.70 + 0.001 * seed) for seed in range(4)]
    entry = verdict_document(analyse(treated + untreated, study))["claims"][0]
    assert (entry["expected"], entry["as_expected"]) == (expected, as_expected)
