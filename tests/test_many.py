"""More seeds than anything is drawn from: what replaces the draws says the same as they do."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from gains import SmallClaim, paired
from numpy.testing import assert_allclose
from reported import RECORDS, STUDY, record
from scipy import stats

from reports.findings import error_rates, influence
from reports.findings.analysis import analyse
from reports.findings.contrasts import JudgedClaim, judgement_of
from reports.numbers import many
from reports.numbers.bootstrap import bca_of_mean
from reports.numbers.flips import random_flip_ps
from reports.numbers.intervals import FIXED, Floats
from reports.numbers.many import CARRIERS, EXPANDED, IN_GROUPS, MANY, in_groups, law_of
from reports.numbers.paired import BOOTSTRAP_RESAMPLES, GAIN_DECIMALS, compare_paired
from reports.numbers.significance import RANDOM_FLIPS, sign_flip_ps
from reports.numbers.skew import bootstrap_t
from reports.sections.contrasts import contrasts_section, seed_by_seed
from reports.sections.robustness import robustness_section
from reports.sections.trust import how_run

FIRST = MANY + 1


def values(n: int, *, skewed: bool, seed: int = 0) -> Floats:
    """Differences in points: normal, or exponential as few results are."""
    draw = np.random.default_rng(seed)
    plain = draw.exponential(2, n) - 1.9 if skewed else draw.normal(0.05, 2, n)
    return np.round(plain, GAIN_DECIMALS)


# Sign flips of groups


def test_up_to_the_limit_nothing_is_another_number() -> None:
    gains = values(MANY, skewed=True)
    ranks = np.sign(gains) * stats.rankdata(np.abs(gains))
    samples = np.stack([ranks, gains])
    assert in_groups(samples) is samples
    assert law_of(gains) is None
    assert sign_flip_ps(samples) == random_flip_ps(samples, RANDOM_FLIPS, seed=0)


def test_groups_hold_every_value_once_and_are_dealt_by_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(many, "MANY", 4)
    grouped = in_groups(np.array([[1.0, 2, 4, 8, 16, 32, 64, 128, 256]]))
    assert grouped.tolist() == [[1 + 16 + 256, 2 + 32, 4 + 64, 8 + 128]]


def test_flips_of_groups_are_an_exact_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all signs of the same values a p-value of at most a is as rare as a, for every a.

    Counted in full: 12 values in 4 groups, all 4,096 signs that they could have had.
    """
    monkeypatch.setattr(many, "MANY", 4)
    sizes = np.abs(values(12, skewed=True))
    signed = np.array(list(product([1.0, -1.0], repeat=12))) * sizes
    p = np.array([_exact(in_groups(row[None])[0]) for row in signed])
    for level in np.unique(p):
        assert np.mean(p <= level) <= level + 1e-12


def _exact(grouped: Floats) -> float:
    flips = np.array(list(product([1.0, -1.0], repeat=len(grouped))))
    return float(np.mean(np.abs(flips @ grouped) >= abs(grouped.sum()) - 1e-9))


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("n", [FIRST, 4 * MANY])
def test_p_values_of_groups_are_those_of_single_flips_but_for_chance(n: int, skewed: bool) -> None:
    """Without an effect, with a weak and with a sure one; single flips by the normal law."""
    plain = values(n, skewed=skewed)
    moves = plain.std() / math.sqrt(n) * np.array([0.0, 1.0, 1.96, 2.6, 8.0])
    samples = plain - plain.mean() + moves[:, None]
    for gains, of_groups in zip(samples, sign_flip_ps(samples), strict=True):
        single = 2 * stats.norm.sf(abs(gains.sum()) / math.sqrt((gains**2).sum()))
        # Both the drawn flips and the groups have a standard deviation of about this much.
        z = stats.norm.isf(single / 2)
        chance = math.hypot(
            2 * math.sqrt(single / 2 * (1 - single / 2) / RANDOM_FLIPS),
            2 * stats.norm.pdf(z) * z / math.sqrt(2 * MANY),
        )
        assert of_groups == pytest.approx(single, abs=4 * chance + 2 / (RANDOM_FLIPS + 1))


def test_flips_of_groups_err_as_often_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """600 studies without an effect, three quarters of a group's seeds with ten times the spread.

    With their own 199 flips each, which makes the test exact too; 0.05 and 0.2 are multiples of
    1/200. The counts lie within the central 99.9% of their binomial laws.
    """
    monkeypatch.setattr(many, "MANY", 500)
    n, studies, draw = 1_000, 600, np.random.default_rng(5)
    spread = np.where(np.arange(n) % 4 > 0, 10.0, 1.0)
    p = np.array(
        [
            random_flip_ps(in_groups(draw.normal(0, spread)[None]), 199, seed=study)[0]
            for study in range(studies)
        ]
    )
    for level in (0.05, 0.2):
        low, high = stats.binom.interval(0.999, studies, level)
        assert low <= np.count_nonzero(p <= level + 1e-12) <= high


# The law of resamples instead of resamples


@pytest.mark.parametrize("skewed", [False, True])
def test_intervals_are_those_of_drawn_resamples_but_for_their_chance(skewed: bool) -> None:
    """An end of a drawn interval errs by sqrt(p (1 - p) / 9,999) / f standard errors: 0.027."""
    gains = values(FIRST, skewed=skewed)
    error = gains.std() / math.sqrt(FIRST)
    law = law_of(gains)
    assert law is not None
    drawn = bca_of_mean(gains, BOOTSTRAP_RESAMPLES, 0.95, GAIN_DECIMALS, seed=0)
    assert_allclose(law.bca(0.95), drawn, rtol=0, atol=4 * 0.027 * error)
    assert compare_paired(gains + 50, np.full(FIRST, 50.0)).bca95.low == pytest.approx(
        law.bca(0.95)[0]
    )


def test_laws_leave_out_less_than_said() -> None:
    """Exponential values: resampled means follow the gamma law as n grows, whose BCa is known.

    A sample whose moments are those of the exponential law stands for it; the ends are held
    against the gamma law's own quantiles.
    """
    n = 20 * MANY
    sample = stats.expon.ppf((np.arange(n) + 0.5) / n)
    law = law_of(sample)
    assert law is not None
    means = stats.gamma(n, scale=1 / n)
    bias = float(stats.norm.ppf(means.cdf(1.0)))
    acceleration = 2 / (6 * math.sqrt(n))
    assert law.acceleration == pytest.approx(acceleration, rel=0.01)
    for end, z in zip(law.bca(0.95), (-1.959964, 1.959964), strict=True):
        shifted = bias + (bias + z) / (1 - acceleration * (bias + z))
        exact = float(means.ppf(stats.norm.cdf(shifted)))
        assert (end - exact) * math.sqrt(n) == pytest.approx(0, abs=0.005)


@pytest.mark.parametrize("skewed", [False, True])
def test_bootstrap_t_is_the_drawn_one_but_for_its_chance(
    skewed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gains = values(FIRST, skewed=skewed)
    error = gains.std() / math.sqrt(FIRST)
    known = bootstrap_t(gains)
    monkeypatch.setattr("reports.numbers.skew.law_of", lambda _: None)
    monkeypatch.setattr("reports.numbers.skew.RESAMPLES", 1_999)  # errs by 0.06
    drawn = bootstrap_t(gains)
    assert known is not None
    assert drawn is not None
    assert_allclose((known.low, known.high), (drawn.low, drawn.high), rtol=0, atol=0.24 * error)


@pytest.mark.parametrize("skewed", [False, True])
def test_simulated_studies_have_the_moments_of_drawn_ones(
    skewed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gains = values(FIRST, skewed=skewed)
    known = error_rates._resampled(gains, 20_000, np.random.default_rng(1))
    monkeypatch.setattr(error_rates, "law_of", lambda _: None)
    drawn = error_rates._resampled(gains, 1_000, np.random.default_rng(2))
    for ours, theirs in zip(known, drawn, strict=True):
        spread = theirs.std()
        assert ours.mean() == pytest.approx(theirs.mean(), abs=4 * spread / math.sqrt(1_000))
        assert ours.std() == pytest.approx(spread, rel=4 / math.sqrt(2_000))
    together, theirs_together = (np.corrcoef(*pair)[0, 1] for pair in (known, drawn))
    assert together == pytest.approx(theirs_together, abs=4 / math.sqrt(1_000))


def test_where_few_values_carry_the_spread_all_are_drawn() -> None:
    few = np.zeros(FIRST)
    few[: CARRIERS - 100] = 1.0
    assert law_of(few - few.mean()) is None
    one = values(FIRST, skewed=False)
    one[7] = 1e6
    assert law_of(one) is None


# Leaving out one seed of many


def test_verdicts_without_each_seed_are_those_judged_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A claim whose margin lies so that single seeds turn its verdict."""
    gains = np.round(np.random.default_rng(3).normal(1, 0.5, 30), GAIN_DECIMALS)
    gains[5] = 4.0
    rest, turned = np.delete(gains, 5), 0
    edge = float(rest.mean() + 2.1 * rest.std(ddof=1) / math.sqrt(29))
    for reported in (edge + 0.2, 1.0, 3.0):
        claim, pair = SmallClaim(reported=reported, margin=0.2), paired(gains)
        assert pair.comparison is not None
        judged = JudgedClaim(claim, pair, judgement_of(pair.comparison, claim, FIXED))
        monkeypatch.setattr(influence, "MANY", 5_000)
        one_by_one = influence.influence(judged, FIXED)
        monkeypatch.setattr(influence, "MANY", 10)
        assert influence.influence(judged, FIXED) == one_by_one
        turned += len(one_by_one.turning) if one_by_one else 0
    assert turned > 0


# What a report says and lists


def test_a_study_of_which_most_is_not_yet_run_lists_no_thousands_of_seeds() -> None:
    study = STUDY.model_copy(update={"seeds": tuple(range(3_000))})
    found = analyse(RECORDS, study)
    pairs = seed_by_seed(found)
    assert pairs is not None
    (dropped,) = [table for table in pairs.tables if table.caption.startswith("Seeds in no pair")]
    assert dropped.caption == "Seeds in no pair, and 1,998 more"
    assert len(dropped.rows) == 1_000
    (cells,) = [table for table in how_run(found, study).tables if table.caption == "Cells"]
    assert cells.rows[0][-1].endswith("202, 203, and 2,796 more")


def test_a_report_says_what_many_seeds_are_judged_by() -> None:
    """In each place that names the method, and not for fewer seeds."""
    draw = np.random.default_rng(0)
    for n, said in ((40, False), (FIRST, True)):
        finals = {name: 0.7 + 0.1 * (name == "b") + 0.02 * draw.normal(size=n) for name in "ab"}
        records = [one(name, seed, finals[name][seed]) for name in "ab" for seed in range(n)]
        study = STUDY.model_copy(update={"seeds": tuple(range(n))})
        found = analyse(records, study)
        contrasts, robustness = contrasts_section(found), robustness_section(found)
        assert contrasts is not None
        assert robustness is not None
        blind = {row.criterion.lower(): row.cannot_see.lower() for row in found.criteria}
        for text, method in (
            (" ".join(map(str, contrasts.paragraphs)), IN_GROUPS),
            (" ".join(map(str, contrasts.paragraphs)), EXPANDED),
            (" ".join(map(str, robustness.paragraphs)), EXPANDED),
            (blind["mean difference above zero (sign flips)"], IN_GROUPS.lower()),
            (blind["differences above zero by their ranks (wilcoxon)"], IN_GROUPS.lower()),
            (blind["bca bootstrap interval above zero"], EXPANDED.lower()),
            (error_rates.error_rates_note(found.claims[0]).lower(), EXPANDED.lower()),
        ):
            assert (method in text) == said


def one(condition: str, seed: int, final: float) -> Any:
    return record(condition, 0, final) | {"seed": seed, "key": f"{condition}{seed}"}
