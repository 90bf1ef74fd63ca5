"""Simulated studies: judged as single ones are, and wrong no more often than stated.

Seeds are fixed; each check of a rate allows five standard errors.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from gains import SmallClaim, paired, spread
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reports.findings.contrasts import Contrast
from reports.findings.error_rates import (
    error_rates,
    is_true,
    judge_many,
    standard_error,
    true_gains,
    wrong_share,
)
from reports.numbers.intervals import FIXED, Procedure, mean_interval
from reports.numbers.paired import compare_paired
from reports.numbers.sequential import ANYTIME
from reports.numbers.verdict import VERDICTS, Verdict, decide, judge

STUDIES = 4000


def at_most(rate: float, studies: int = STUDIES) -> float:
    return rate + 5 * math.sqrt(rate * (1 - rate) / studies)


CLAIMS = [
    SmallClaim(),
    SmallClaim(reported=-4.69),
    SmallClaim(reported=0.37, margin=0.5),  # swallowed by its margin
    SmallClaim(reported=0.19, margin=0.5),  # and itself negligible
    SmallClaim(reported=0.19, margin=0.1),
    SmallClaim(reported=-0.1, margin=0.05, alpha=0.2),
    SmallClaim(negligible=0.0),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("procedure", [FIXED, ANYTIME], ids=["fixed", "anytime"])
@pytest.mark.parametrize("n", [2, 3, 10])
def test_many_studies_are_judged_as_each_alone(
    claim: SmallClaim, procedure: Procedure, n: int
) -> None:
    draws = np.random.default_rng(41)
    means = draws.normal(0, 4, 600) * draws.choice([0.02, 0.2, 1, 2], 600)
    sds = draws.choice([0.0, 0.01, 0.1, 1.0, 4.0], 600)
    means[:50] = 0
    for mean, sd, code in zip(
        means.tolist(), sds.tolist(), judge_many(means, sds, n, claim, procedure), strict=True
    ):
        known = sd or None  # studies are drawn, so equal differences are chance, at zero too
        ci = mean_interval(n, mean, known, 1 - claim.alpha, procedure)
        inner = mean_interval(n, mean, known, 1 - 2 * claim.alpha, procedure)
        alone = decide(ci, inner, claim.reported, claim.margin, claim.negligible)
        assert VERDICTS[code] is alone


def test_simulated_studies_are_drawn_judged_and_counted_as_by_hand() -> None:
    """Each study drawn alone, through ``compare_paired`` and ``judge``: the same shares."""
    claim, gains, studies = SmallClaim(), np.array([3.1, 5.2, 4.4, 6.0, 3.9, 7.5, 2.0, 5.1]), 80
    rates = {one.label: one for one in error_rates(paired(gains), claim, studies=studies, seed=7)}
    centred = (gains - gains.mean()) * math.sqrt(8 / 7)
    found = [
        judge(
            compare_paired(90 + sample + 4.69, np.full(8, 90.0)), 4.69, 1.56, 0.3, unit="points"
        ).verdict
        for sample in centred[np.random.default_rng(7).integers(8, size=(studies, 8))]
    ]
    assert len(set(found)) > 1
    counted = {verdict: found.count(verdict) / studies for verdict in VERDICTS}
    assert rates["the claim"].rates == counted


def test_rates_are_shares_and_repeat() -> None:
    claim, contrast = SmallClaim(), paired(spread(4.0, 10, 1.2))
    rates = error_rates(contrast, claim, studies=STUDIES)
    assert rates == error_rates(contrast, claim, studies=STUDIES)
    assert rates != error_rates(contrast, claim, studies=STUDIES, seed=1)
    assert [rate.label for rate in rates] == [label for label, _ in true_gains(claim, 4.0)]
    assert [rate.true_gain for rate in rates] == pytest.approx(
        [0, 0.3, 2.345, 3.13, 4.69, 9.38, 4.0]
    )
    for rate in rates:
        assert sum(rate.rates.values()) == pytest.approx(1)
        assert 0 <= rate.wrong <= 1
        assert min(rate.rates_se.values()) > 0


@pytest.mark.parametrize("sd", [0.3, 1.2, 4.0])
@pytest.mark.parametrize("n", [3, 10, 40])
def test_normal_studies_err_at_most_at_the_stated_rate(n: int, sd: float) -> None:
    """At no gain each of "a gain" and "a loss" errs at alpha / 2; elsewhere one verdict at alpha.

    The normal check draws from the laws of mean and spread. Resampling many normal scores comes
    close to it.
    """
    for rate in error_rates(paired(spread(0, n, sd)), SmallClaim(), studies=20_000):
        assert rate.wrong_normal <= at_most(0.05, 20_000)
        if n == 40:
            assert rate.wrong <= at_most(0.055, 20_000)


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("sd", [0.1, 0.5, 2.0, 5.0])
def test_noise_over_three_seeds_is_hardly_ever_called_the_claim(
    claim: SmallClaim, sd: float
) -> None:
    """Noise around no effect: REPRODUCED in at most alpha / 2 of the studies."""
    noise = np.random.default_rng(42).normal(0, sd, (100_000, 3))
    codes = judge_many(noise.mean(1), noise.std(1, ddof=1), 3, claim)
    share = float((codes == VERDICTS.index(Verdict.REPRODUCED)).mean())
    assert share <= at_most(claim.alpha / 2, 100_000)


def test_a_mirrored_claim_errs_as_often() -> None:
    gains = spread(4.0, 9, 1.5)
    skewed = gains + 0.1 * (gains - 4) ** 2
    rates = error_rates(paired(skewed), SmallClaim(), studies=STUDIES)
    mirrored = error_rates(paired(-skewed), SmallClaim(reported=-4.69), studies=STUDIES)
    for one, other in zip(rates, mirrored, strict=True):
        assert other.true_gain == pytest.approx(-one.true_gain)
        assert other.rates == pytest.approx(one.rates, abs=2 / STUDIES)
        assert other.wrong_normal == pytest.approx(one.wrong_normal, abs=0.01)


def test_relative_gains_are_simulated_in_their_unit() -> None:
    gains = spread(4.0, 10, 0.9)
    in_points = error_rates(paired(gains), SmallClaim(), studies=STUDIES)
    relative = error_rates(
        paired(gains * 0.9, "relative %"), SmallClaim(unit="relative %"), studies=STUDIES
    )
    for one, other in zip(in_points, relative, strict=True):
        assert other.true_gain == pytest.approx(one.true_gain)
        assert other.rates == pytest.approx(one.rates, abs=3 / STUDIES)


@pytest.mark.parametrize(("n", "few"), [(3, True), (7, True), (8, False)])
def test_below_eight_seeds_only_normal_differences_are_simulated(n: int, few: bool) -> None:
    """Drawn from three differences the error at no gain is anything from none to a fifth."""
    gains = spread(4.0, n, 1.2) + 0.3 * np.arange(n) ** 2
    for rate in error_rates(paired(gains), SmallClaim(), studies=STUDIES):
        assert (rate.wrong == rate.wrong_normal) == few or rate.wrong == 0
        assert rate.wrong_normal <= at_most(0.05)


def test_nothing_is_simulated_without_spread() -> None:
    for gains in ([4.0], [4.0, 4.0, 4.0]):
        assert error_rates(paired(gains), SmallClaim()) == []
    none = Contrast("b", "a", (), (), (), ((0, "treatment not yet run"),), None)
    assert error_rates(none, SmallClaim()) == []


def test_many_seeds_are_drawn_in_parts() -> None:
    """More draws than are held at once; the mean's spread is sd / sqrt(n)."""
    contrast = paired(spread(0, 600, 2.0))
    rates = error_rates(contrast, SmallClaim(reported=0.3, margin=0.1, negligible=0.1))
    edge = next(rate for rate in rates if rate.label == "no gain")
    assert edge.rates[Verdict.NOT_REPRODUCED] == pytest.approx(0, abs=0.01)
    claims = next(rate for rate in rates if rate.label == "double the claim")
    # At 0.6 LARGER needs the lower end above 0.4: power of a t test at 0.2 sqrt(600) / 2 = 2.45.
    expected = stats.norm.sf(stats.t.ppf(0.95, 599) - 0.2 * math.sqrt(600) / 2)
    assert claims.rates[Verdict.LARGER] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("gain", "so"),
    [
        (-0.5, {Verdict.CONTRADICTED}),
        (-0.2, {Verdict.CONTRADICTED, Verdict.NOT_REPRODUCED}),
        (0.0, {Verdict.NOT_REPRODUCED}),
        (0.2, {Verdict.NOT_REPRODUCED, Verdict.PARTIAL}),
        (2.0, {Verdict.PARTIAL}),
        (3.2, {Verdict.REPRODUCED}),
        (6.2, {Verdict.REPRODUCED}),
        (6.3, {Verdict.LARGER}),
    ],
)
def test_which_verdicts_are_so(gain: float, so: set[Verdict]) -> None:
    so = so | {Verdict.INCONCLUSIVE} | ({Verdict.DIRECTION_ONLY} if gain > 0 else set())
    assert {v for v in VERDICTS if is_true(v, gain, SmallClaim())} == so
    assert {v for v in VERDICTS if is_true(v, -gain, SmallClaim(reported=-4.69))} == so


def test_on_an_edge_the_side_counts_on_which_more_are_wrong() -> None:
    claim = SmallClaim(reported=4.0, margin=1.0)
    shares = np.zeros(len(VERDICTS))
    shares[VERDICTS.index(Verdict.REPRODUCED)] = 0.08
    shares[VERDICTS.index(Verdict.PARTIAL)] = 0.03
    assert wrong_share(shares, 3.0, claim) == 0.08  # just below, where PARTIAL is so
    assert wrong_share(shares, 3.1, claim) == 0.03
    assert wrong_share(shares, 0.0, claim) == pytest.approx(0.11)  # no gain at all


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.integers(0, 1000))
def test_no_simulation_shows_a_rate_of_zero_without_error(hits: int) -> None:
    plain = math.sqrt(hits * (1000 - hits) / 1000**3)
    assert standard_error(hits / 1000, 1000) >= max(plain, 0.5 / 1000)
    assert standard_error(hits / 1000, 1000) <= plain + 1.1 / 1000
