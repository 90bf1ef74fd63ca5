"""Contrasts taken apart: against tables worked out by hand, sums that must hold, and coverage."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reported import record
from scipy import stats
from statsmodels.stats.multitest import multipletests

from harness.studies.study import Study
from harness.studies.study_files import load_study
from reports.findings.analysis import analyse
from reports.findings.attribution import decompose, fieller
from reports.findings.causes import Causes
from reports.findings.effects import against_reference, effects
from reports.numbers.intervals import t_interval
from reports.output.document import verdict_document
from reports.sections.causes import cause_sentences
from reports.sections.factorial import sentence

FACTORS = ("p", "h", "b")


def crossed(values: np.ndarray) -> tuple[dict[str, dict[int, float]], dict[str, dict[str, str]]]:
    """Give values (2, ..., 2, seeds) as finals and levels: "0" or "1" of each factor."""
    finals, levels = {}, {}
    for corner in product((0, 1), repeat=values.ndim - 1):
        name = "".join(map(str, corner))
        finals[name] = dict(enumerate(values[corner].tolist()))
        levels[name] = dict(zip(FACTORS, map(str, corner), strict=False))
    return finals, levels


def test_two_factors_by_hand() -> None:
    # baseline 90, p alone +1, h alone +4, both +7: an interaction of 2
    values = np.array([[[90.0, 91.0], [94.0, 95.0]], [[91.0, 92.0], [97.0, 98.0]]])
    finals, levels = crossed(values)
    found = decompose(finals, levels, "11", "00")
    assert found is not None
    assert found.total == 7
    assert {s.factor: s.contribution for s in found.shares} == {"p": 2, "h": 5}
    assert [s.share for s in found.shares] == pytest.approx([2 / 7, 5 / 7])
    assert [(s.first.gain, s.last.gain) for s in found.shares] == [(1, 3), (4, 6)]
    told = [[(s.factor, s.treatment, s.baseline, s.gain) for s in path] for path in found.paths]
    assert told == [
        [("p", "10", "00", 1.0), ("h", "11", "10", 6.0)],
        [("h", "01", "00", 4.0), ("p", "11", "01", 3.0)],
    ]
    assert found.means == {(): 90.5, ("p",): 91.5, ("h",): 94.5, ("p", "h"): 97.5}
    measured = {one.factors: one.effect for one in effects(finals, levels)}
    # p: the mean of +1 and +3; h: of +4 and +6; interaction: half of 3 - 1
    assert measured == {("p",): 2.0, ("h",): 5.0, ("p", "h"): 1.0}


def test_effects_equal_a_regression_on_signs() -> None:
    values = np.random.default_rng(0).normal(90, 2, (2, 2, 2, 6))
    finals, levels = crossed(values)
    signs = np.array(list(product((-1, 1), repeat=3)), dtype=float)
    columns: dict[tuple[str, ...], np.ndarray] = {(): np.ones(8)}
    for one in effects(finals, levels):
        columns[one.factors] = np.prod(signs[:, [FACTORS.index(f) for f in one.factors]], axis=1)
    design = np.column_stack(list(columns.values()))
    per_seed = np.linalg.solve(design, values.reshape(8, 6))
    found = effects(finals, levels)
    for i, one in enumerate(found, start=1):
        gains = 2 * per_seed[i]  # from -1 to +1
        assert one.effect == pytest.approx(gains.mean())
        assert one.p == pytest.approx(stats.ttest_1samp(gains, 0).pvalue)
        assert one.ci95.low == pytest.approx(t_interval(gains, 0.95).low)
    holm = multipletests([one.p for one in found], method="holm")[1]
    assert [one.p_holm for one in found] == pytest.approx(holm)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    st.integers(2, 3).flatmap(
        lambda k: arrays(float, (2,) * k + (3,), elements=st.floats(0, 100, width=32))
    )
)
def test_every_path_and_the_shares_sum_to_the_gain(values: np.ndarray) -> None:
    finals, levels = crossed(values)
    k = values.ndim - 1
    found = decompose(finals, levels, "1" * k, "0" * k)
    assert found is not None
    assert len(found.paths) == math.factorial(k)
    for path in found.paths:
        assert sum(step.gain for step in path) == pytest.approx(found.total, abs=1e-6)
    assert sum(s.contribution for s in found.shares) == pytest.approx(found.total, abs=1e-6)


def test_fieller_is_the_set_of_ratios_that_a_t_test_keeps() -> None:
    rng = np.random.default_rng(3)
    whole = rng.normal(4, 1, 12)
    part = 0.6 * whole + rng.normal(0, 0.7, 12)
    found = fieller(part, whole, 0.95)
    assert found is not None
    for ratio, kept in (
        (found.low + 1e-4, True), (found.high - 1e-4, True),
        (found.low - 1e-4, False), (found.high + 1e-4, False),
    ):  # fmt: skip
        assert (stats.ttest_1samp(part - ratio * whole, 0).pvalue > 0.05) == kept
    assert fieller(part, rng.normal(0, 5, 12), 0.95) is None, "no gain: no share of it"
    assert fieller(part[:1], whole[:1], 0.95) is None


def test_fiellers_interval_covers_the_true_share() -> None:
    # 2,000 studies of 8 seeds: 95% within three standard errors (0.5 points each) of the level
    rng, hits = np.random.default_rng(11), 0
    for _ in range(2000):
        whole = rng.normal(4, 1.2, 8)
        part = 0.3 * 4 + 0.5 * (whole - 4) + rng.normal(0, 0.5, 8)
        found = fieller(part, whole, 0.95)
        hits += found is not None and found.low <= 0.3 <= found.high
    assert abs(hits / 2000 - 0.95) < 0.0147


def test_what_is_missing_gives_no_decomposition() -> None:
    values = np.random.default_rng(0).normal(90, 2, (2, 2, 3))
    finals, levels = crossed(values)
    assert decompose(finals, levels, "10", "00") is None, "one factor: nothing to take apart"
    without = {name: own for name, own in levels.items() if name != "01"}
    assert decompose(finals, without, "11", "00") is None
    assert effects(finals, without) == []
    short = {name: {0: own[0]} if name == "01" else own for name, own in finals.items()}
    found = decompose(short, levels, "11", "00")
    assert found is not None
    assert found.seeds == (0,)
    assert found.shares[0].share_ci95 is None
    assert "interval unbounded" in sentence(found)
    assert decompose(finals | {"01": {}}, levels, "11", "00") is None


def test_levels_are_compared_with_the_first_in_each_stratum() -> None:
    levels = {
        f"{m}{s}": {"mechanism": m, "start": s} for m in ("whole", "cut", "bare") for s in "ws"
    }
    rng = np.random.default_rng(1)
    finals = {name: dict(enumerate(rng.normal(95, 1, 6).tolist())) for name in levels}
    del finals["bares"][5]
    found = against_reference(finals, levels, "mechanism")
    assert [(one.level, one.stratum["start"], len(one.seeds)) for one in found] == [
        ("cut", "w", 6), ("cut", "s", 6), ("bare", "w", 6), ("bare", "s", 5),
    ]  # fmt: skip
    gains = np.array([finals["bares"][s] - finals["wholes"][s] for s in range(5)])
    assert found[-1].gain == pytest.approx(gains.mean())
    assert found[-1].p == pytest.approx(stats.ttest_1samp(gains, 0).pvalue)
    holm = multipletests([one.p for one in found], method="holm")[1]
    assert [one.p_holm for one in found] == pytest.approx(holm)


def records_of(study: Study, draw: Any) -> list[Any]:
    found = []
    for name in study.conditions:
        for seed in study.seeds:
            one = record(name, seed % 9, draw(name, seed))
            found.append(one | {"seed": seed, "key": f"{name} {seed}"})
    return found


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("dhp-attribution", {"decompositions", "effects"}),
        ("dhp-ablations", {"levels"}),
        ("dhp-streams", {"variances"}),
        ("dhp-multiverse", {"curves"}),
        ("dhp-split-mnist", set()),
    ],
)
def test_each_shipped_study_gets_the_parts_that_its_factors_ask_for(
    name: str, parts: set[str]
) -> None:
    study = load_study(name)
    rng = np.random.default_rng(0)
    analysis = analyse(records_of(study, lambda *_: rng.uniform(0.9, 0.95)), study)
    document = verdict_document(analysis)
    assert document.keys() & {part.name for part in fields(Causes)} == parts
    json.dumps(document, allow_nan=False)
    assert bool(cause_sentences(analysis.causes)) == bool(parts)


def test_a_gain_that_one_factor_makes_is_ascribed_to_it() -> None:
    study = load_study("dhp-attribution")
    rng = np.random.default_rng(0)
    body = {seed: rng.normal(0.94, 0.01) for seed in study.seeds}

    def draw(name: str, seed: int) -> float:
        return body[seed] + 0.04 * ("head_init=blog" in name) + float(rng.normal(0, 0.001))

    analysis = analyse(records_of(study, draw), study)
    found = analysis.causes
    for one in found.decompositions.values():
        assert one is not None
        shares = {share.factor: share for share in one.shares}
        assert shares["head_init"].share == pytest.approx(1, abs=0.03)
        assert shares["plasticity"].share == pytest.approx(0, abs=0.03)
    sure = [one.factors for one in found.effects if one.p_holm < 0.05]
    assert sure == [("head_init",)]
    told = {"claims", "records", "decompositions", "effects"}
    assert told <= verdict_document(analysis).keys()
