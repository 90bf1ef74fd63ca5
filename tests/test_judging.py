"""Claims of every kind: their verdicts, their error rates in simulated studies, their numbers.

Seeds are fixed, and each check of a rate allows five standard errors. What is simulated are the
estimates' own intervals, so that a wrong band, a wrong side or a wrong level fails.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from harness.studies.statements import KINDS as ASKED
from harness.studies.statements import Statement
from reports.judging import rank
from reports.judging.kinds import KINDS
from reports.judging.samples import Samples
from reports.numbers.estimates import OneSample
from reports.numbers.intervals import FIXED
from reports.numbers.rules import places
from reports.numbers.sequential import ANYTIME
from reports.numbers.two_samples import Side, TwoSamples, side

STUDIES = 4000
PAIR = {"treatment": "b", "baseline": "a"}
CLAIMS: dict[str, dict[str, Any]] = {
    "gain": {**PAIR, "reported": 4.0, "margin": 1.0, "metric": "learned-accuracy"},
    "better": PAIR,
    "at-least": {**PAIR, "margin": 0.5},
    "equal": {**PAIR, "margin": 0.5},
    "value": {"condition": "a", "reported": 90.0, "margin": 0.5},
    "rank": {"order": ("c", "b", "a")},
}


def claim(kind: str, **other: object) -> Statement:
    fields: dict[str, Any] = {"id": kind, "text": "t", "source": "s", "kind": kind}
    return Statement(**(fields | CLAIMS[kind] | other))


def samples(of: Statement, *values: object) -> Samples:
    """Return values by condition, in the order in which the claim names the conditions."""
    by_condition = {
        name: dict(enumerate(np.asarray(own, dtype=float).tolist()))
        for name, own in zip(of.conditions, values, strict=True)
    }
    return Samples(tuple(of.conditions), by_condition, ())


def spread(mean: float, n: int, sd: float) -> Any:
    values = stats.norm.ppf((np.arange(n) + 0.5) / n)
    return mean + sd * (values - values.mean()) / values.std(ddof=1)


def ruled(of: Statement, *values: object, procedure: Any = FIXED) -> Any:
    ruling = KINDS[of.kind].judge(of, samples(of, *values), procedure)
    assert ruling is not None
    return ruling


def test_the_study_file_and_the_report_know_the_same_kinds_and_words() -> None:
    assert {name: set(asked.words) for name, asked in ASKED.items()} == {
        name: set(kind.signs) - {"INCONCLUSIVE"} for name, kind in KINDS.items()
    }
    assert all(asked.words[0] == next(iter(KINDS[name].signs)) for name, asked in ASKED.items())


# Error rates


def rates(of: Statement, true: float, n: int, sd: float = 1.0) -> dict[str, float]:
    """Return how often each verdict of one condition against another falls, for normal data."""
    drawn = np.random.default_rng(5).normal(true, sd, (STUDIES, n))
    means, errors = drawn.mean(1), drawn.std(1, ddof=1) / math.sqrt(n)
    wide, narrow = (stats.t.ppf(1 - tail, n - 1) * errors for tail in (0.025, 0.05))
    rules = KINDS[of.kind].rules(of)
    found = places(rules, (means - wide, means + wide), (means - narrow, means + narrow))
    words = [*(rule.word for rule in rules), "INCONCLUSIVE"]
    shares = np.bincount(found, minlength=len(words)) / STUDIES
    return {word: float(sum(s for s, w in zip(shares, words, strict=True) if w == word))
            for word in words}  # fmt: skip


def allowed(rate: float) -> float:
    return rate + 5 * math.sqrt(rate * (1 - rate) / STUDIES)


@pytest.mark.parametrize("n", [3, 10])
@pytest.mark.parametrize(
    ("kind", "true", "wrong", "rate"),
    [
        ("better", 0.0, "BETTER", 0.025),
        ("better", 0.0, "WORSE", 0.025),
        ("at-least", -0.5, "NOT WORSE", 0.05),
        ("at-least", -0.5, "WORSE", 0.05),
        ("equal", 0.5, "EQUAL", 0.05),
        ("equal", -0.5, "DIFFERENT", 0.05),
        ("value", 0.5, "AGREES", 0.05),
        ("value", 0.5, "HIGHER", 0.025),
        ("value", -0.5, "LOWER", 0.025),
        ("gain", 3.0, "REPRODUCED", 0.05),
        ("gain", 3.0, "PARTIAL", 0.05),
        ("gain", 5.0, "LARGER", 0.05),
    ],
)
def test_no_verdict_is_wrong_more_often_than_it_may(
    kind: str, true: float, wrong: str, rate: float, n: int
) -> None:
    for sd in (0.3, 1.0, 4.0):
        assert rates(claim(kind), true, n, sd)[wrong] <= allowed(rate)


@pytest.mark.parametrize(
    ("kind", "true", "right"),
    [
        ("better", 1.0, "BETTER"),
        ("better", -1.0, "WORSE"),
        ("at-least", 0.3, "NOT WORSE"),
        ("at-least", -1.5, "WORSE"),
        ("equal", 0.0, "EQUAL"),
        ("equal", 1.5, "DIFFERENT"),
        ("value", 0.0, "AGREES"),
        ("value", 1.5, "HIGHER"),
        ("value", -1.5, "LOWER"),
    ],
)
def test_twenty_seeds_mostly_tell_what_is_so(kind: str, true: float, right: str) -> None:
    assert rates(claim(kind), true, 20, 0.6)[right] > 0.8


def test_different_errs_in_both_directions_together_at_most_at_its_rate() -> None:
    """A margin of nearly nothing: either end of the interval may miss it."""
    assert rates(claim("equal", margin=1e-6), 0.0, 8)["DIFFERENT"] <= allowed(0.05)


@pytest.mark.parametrize("kind", ["better", "at-least", "equal", "value"])
def test_what_was_simulated_is_what_the_report_says(kind: str) -> None:
    """The vectorised rules against the verdict of one study at a time."""
    of, draws = claim(kind), np.random.default_rng(3)
    for _ in range(12):
        gains = draws.normal(draws.normal(0, 1), 0.5, 6)
        values = [90 + gains] if kind == "value" else [90 + gains, np.full(6, 90.0)]
        ruling = ruled(of, *values)
        low, high = stats.t.interval(0.95, 5, gains.mean(), stats.sem(gains))
        assert (ruling.ci.low, ruling.ci.high) == pytest.approx((low, high))
        inner = stats.t.interval(0.90, 5, gains.mean(), stats.sem(gains))
        rules = KINDS[kind].rules(of)
        ends = [tuple(np.asarray(end) for end in pair) for pair in ((low, high), inner)]
        place = int(places(rules, ends[0], ends[1]))  # type: ignore[arg-type]
        assert ruling.verdict == (rules[place].word if place < len(rules) else "INCONCLUSIVE")


# Ranks


def test_a_rank_of_equals_is_hardly_ever_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four equal conditions on shared seeds: any pair that is called surely apart is an error."""
    # The chance of each being best and the seeds that would be needed decide nothing.
    monkeypatch.setattr(rank, "RESAMPLED", 10)
    monkeypatch.setattr(OneSample, "seeds_for", lambda *_: None)
    of = Statement(id="r", text="t", source="s", kind="rank", order=("a", "b", "c", "d"))
    draws, wrong, studies = np.random.default_rng(9), 0, 400
    for _ in range(studies):
        shared = draws.normal(90, 2, 6)
        ruling = ruled(of, *(shared + draws.normal(0, 1, 6) for _ in range(4)))
        wrong += any(pair.ci.low > 0 or pair.ci.high < 0 for pair in ruling.pairs)
        assert ruling.p_value is None or ruling.p_value <= 0.05
    assert wrong / studies <= 0.05 + 5 * math.sqrt(0.05 * 0.95 / studies)


def test_a_rank_that_is_so_is_told_with_the_chances_of_each() -> None:
    noise = np.random.default_rng(2).normal(0, 0.3, (3, 10))
    values = [93 + noise[0], 91.0 + noise[1], 89 + noise[2]]
    found = ruled(claim("rank"), *values)
    assert (found.verdict, found.agrees) == ("IN ORDER", True)
    assert [one.chance_best for one in found.standings] == [1, 0, 0]
    assert [one.may_be_best for one in found.standings] == [True, False, False]
    worst = max(stats.ttest_rel(*pair).pvalue for pair in (values[:2], values[1:]))
    assert found.p_value == pytest.approx(3 * worst)
    assert ruled(claim("rank"), *values[::-1]).verdict == "OTHER ORDER"
    close = ruled(claim("rank"), values[0], values[0] + noise[1], values[2])
    assert close.verdict == "INCONCLUSIVE"
    assert sum(one.chance_best for one in close.standings) == pytest.approx(1)
    assert sum(one.best_on for one in close.standings) == pytest.approx(1)
    assert 0.05 < close.standings[0].chance_best < 0.95
    lower = ruled(claim("rank", metric="forgetting"), *values[::-1])
    assert (lower.verdict, lower.standings[0].mean) == ("IN ORDER", pytest.approx(values[2].mean()))


# Unpaired data, and published values


def test_independent_seeds_are_compared_as_scipy_does() -> None:
    a, b = np.random.default_rng(4).normal([[92], [90]], [[1], [3]], (2, 9))
    found = ruled(claim("better", pairing="none"), a[:6], b)
    expected = stats.ttest_ind(a[:6], b, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert (found.ci.low, found.ci.high) == pytest.approx((interval.low, interval.high))
    estimate = TwoSamples(side(a[:6]), side(b))
    assert 2 * estimate.p_above(0) == pytest.approx(expected.pvalue)
    assert "independent seeds (Welch)" in found.reason
    assert "6 and 9 seeds" in found.reason


def test_independent_seeds_err_at_most_at_the_rate_whoever_looks() -> None:
    """Unequal spreads and sizes; with anytime-valid intervals, at every look."""
    draws, studies = np.random.default_rng(6), 1500
    a, b = draws.normal(0, 1, (studies, 20)), draws.normal(0, 3, (studies, 20))
    fixed, ever = 0, 0
    for one, other in zip(a, b, strict=True):
        fixed += TwoSamples(side(one[:5]), side(other[:12])).p_above(0) <= 0.025
        looks = [TwoSamples(side(one[:n]), side(other[:n]), ANYTIME) for n in (5, 10, 15, 20)]
        ever += any(not look.interval(0.95).low <= 0 <= look.interval(0.95).high for look in looks)
    assert fixed / studies <= 0.025 + 5 * math.sqrt(0.025 * 0.975 / studies)
    assert ever / studies <= 0.05


@pytest.mark.parametrize("procedure", [FIXED, ANYTIME])
def test_a_p_value_is_where_the_interval_ends(procedure: Any) -> None:
    draws = np.random.default_rng(7)
    pair = TwoSamples(side(draws.normal(1, 1, 12)), side(draws.normal(0, 2, 15)), procedure)
    for bound in (-2.0, -0.5, 0.0):
        p = pair.p_above(bound)
        if 1e-9 < p < 0.4:
            assert pair.interval(1 - 2 * p).low == pytest.approx(bound, abs=1e-5)
    assert pair.p_above(pair.mean + 1) >= 0.5
    assert TwoSamples(side([1.0, 1.0]), side([0.0, 2.0])).p_above(-5) == 1


def test_a_published_value_is_held_under_both_readings_of_its_error() -> None:
    """10 runs of 90 +- 1: an error of 0.32 or of 1, which the margin of 1.4 allows for or not."""
    ours = spread(90.3, 10, 0.4)
    terms = {"reported": 90.0, "plus_minus": 1.0, "runs": 10}
    found = ruled(claim("value", margin=1.4, **terms), ours)
    assert found.verdict == "INCONCLUSIVE"
    assert "a standard deviation: AGREES; a standard error: INCONCLUSIVE" in found.reason
    assert ruled(claim("value", margin=3.0, **terms), ours).verdict == "AGREES"
    assert ruled(claim("value", margin=1.4, reported=90.0), ours).verdict == "AGREES"
    as_error = TwoSamples(side(ours), Side(10, 90.0, 1.0, ours=False)).interval(0.95)
    assert (found.ci.low, found.ci.high) == pytest.approx((as_error.low, as_error.high))
    said = ruled(claim("value", margin=1.4, plus_minus_is="standard deviation", **terms), ours)
    assert said.verdict == "AGREES", "the source says which reading counts"
    as_deviation = TwoSamples(side(ours), Side(10, 90.0, 10**-0.5, ours=False)).interval(0.95)
    assert (said.ci.low, said.ci.high) == pytest.approx((as_deviation.low, as_deviation.high))
    error = ruled(claim("value", margin=1.4, plus_minus_is="standard error", **terms), ours)
    assert (error.verdict, error.ci) == ("INCONCLUSIVE", found.ci)
    theirs = spread(93.0, 8, 0.5)
    by_seed = ruled(claim("value", reported=None, others=tuple(theirs), margin=0.5), ours)
    expected = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.95)
    assert (by_seed.ci.low, by_seed.ci.high) == pytest.approx((expected.low, expected.high))
    assert by_seed.verdict == "LOWER"


# Orientation, units, seeds


def test_less_forgetting_is_better_and_less_accuracy_is_not() -> None:
    a, b = np.full(8, 5.0), spread(3.0, 8, 0.5)
    assert ruled(claim("better", metric="forgetting"), b, a).verdict == "BETTER"
    assert ruled(claim("better"), b, a).verdict == "WORSE"
    gain = ruled(claim("gain", metric="forgetting", reported=2.0, margin=0.6), b, a)
    assert (gain.verdict, gain.estimate) == ("REPRODUCED", pytest.approx(2.0))
    seconds = {"metric": "record", "field": "timings.total", "higher_is_better": False}
    relative = claim("gain", **seconds, unit="relative %", reported=40.0, margin=10.0)
    assert ruled(relative, b, a).estimate == pytest.approx(40.0)
    assert ruled(claim("gain", **seconds, unit="s", reported=2.0, margin=0.6, pairing="none"),
                 b, a + spread(0, 8, 0.1)).estimate == pytest.approx(2.0)  # fmt: skip


def test_an_open_claim_says_how_many_seeds_would_settle_it() -> None:
    of = claim("equal", margin=0.4)
    open_one = ruled(of, 90 + spread(0.05, 4, 0.6), np.full(4, 90.0))
    assert (open_one.verdict, open_one.settled, open_one.p_value) == ("INCONCLUSIVE", False, None)
    assert f"about {open_one.seeds_needed} seeds would settle it" in open_one.reason
    many = open_one.seeds_needed
    later = samples(of, 90 + spread(0.05, many, 0.6), np.full(many, 90.0))
    settled = KINDS["equal"].judge(of, later, ANYTIME)
    assert settled is not None
    assert (settled.verdict, settled.settled) == ("EQUAL", True)
    single = ruled(of, [91.0], [90.0])
    assert "no spread is seen" in single.reason
    assert KINDS["equal"].judge(of, samples(of, [], []), FIXED) is None


def test_a_claim_of_a_size_that_cannot_be_tested_says_so_for_any_metric() -> None:
    found = ruled(claim("gain", reported=0.4, margin=0.5), 90 + spread(0.5, 9, 0.1),
                  np.full(9, 90.0))  # fmt: skip
    assert found.verdict == "DIRECTION ONLY"
    assert "margin of 0.5 is not smaller than the claim" in found.reason
    assert OneSample(9, 0.5, 0.1).interval(0.95).low == pytest.approx(found.ci.low)
