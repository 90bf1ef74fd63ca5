"""Verdicts: the table row by row, its overlaps, exactly one label, judgements in words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gains import GAIN, MARGIN, NEGLIGIBLE, judged, spread
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from reports.numbers.estimates import OneSample
from reports.numbers.intervals import Interval, mean_interval
from reports.numbers.paired import compare_paired
from reports.numbers.sequential import ANYTIME
from reports.numbers.significance import tost
from reports.numbers.testable import smallest_margin
from reports.numbers.verdict import VERDICTS, Verdict, decide, judge, verdicts

quick = settings(derandomize=True, deadline=None, max_examples=300)


def around(low: float, high: float) -> tuple[Interval, Interval]:
    """Return a 90% interval and a 95% one that is a tenth wider on each side."""
    more = (high - low) / 10
    return Interval(low - more, high + more), Interval(low, high)


# The table


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (4.0, 5.0, Verdict.REPRODUCED),
        (3.2, 6.2, Verdict.REPRODUCED),
        (6.3, 9.0, Verdict.LARGER),
        (1.0, 3.0, Verdict.PARTIAL),
        (0.2, 0.29, Verdict.NOT_REPRODUCED),  # above zero as well, and below G - tau
        (-0.2, 0.2, Verdict.NOT_REPRODUCED),
        (-0.29, -0.2, Verdict.NOT_REPRODUCED),  # below zero as well
        (-2.0, -1.0, Verdict.CONTRADICTED),
        (-0.4, -0.2, Verdict.CONTRADICTED),
        (2.0, 4.0, Verdict.INCONCLUSIVE),
        (5.0, 7.0, Verdict.INCONCLUSIVE),
        (-0.5, 0.5, Verdict.INCONCLUSIVE),
        (0.01, 3.0, Verdict.INCONCLUSIVE),  # the 95% interval holds zero
        (1.0, 9.0, Verdict.INCONCLUSIVE),  # holds the reported value, and much else
    ],
)
def test_each_row_of_the_table(low: float, high: float, expected: Verdict) -> None:
    assert decide(*around(low, high), GAIN, MARGIN, NEGLIGIBLE) is expected
    ci, ci_equivalence = around(low, high)
    assert decide(-ci, -ci_equivalence, -GAIN, MARGIN, NEGLIGIBLE) is expected


def test_an_interval_that_ends_on_an_edge_counts_as_inside() -> None:
    assert decide(Interval(0.5, 3.5), Interval(1, 3), 2, 1, 0.1) is Verdict.REPRODUCED
    assert decide(Interval(0.0, 3.5), Interval(1, 3), 2, 1, 0.1) is Verdict.INCONCLUSIVE
    assert decide(Interval(-0.2, 0.2), Interval(-0.1, 0.1), 2, 1, 0.1) is Verdict.NOT_REPRODUCED


def test_a_negligible_gain_is_no_part_of_a_claim_that_is_more() -> None:
    """The bands of 0.37 +- 0.3 and 0 +- 0.3 overlap."""
    assert decide(*around(0.1, 0.2), 0.37, 0.3, 0.3) is Verdict.NOT_REPRODUCED
    assert decide(*around(0.1, 0.4), 0.37, 0.3, 0.3) is Verdict.REPRODUCED
    assert decide(*around(-0.2, 0.4), 0.37, 0.3, 0.3) is Verdict.INCONCLUSIVE


def test_finding_just_what_a_negligible_claim_says_reproduces_it() -> None:
    """The band of 0.19 +- 0.1 lies in that of 0 +- 0.3."""
    assert decide(*around(0.18, 0.2), 0.19, 0.1, 0.3) is Verdict.REPRODUCED
    assert decide(*around(-0.1, 0.1), 0.19, 0.1, 0.3) is Verdict.NOT_REPRODUCED
    assert decide(*around(0.24, 0.26), 0.1, 0.05, 0.3) is Verdict.LARGER
    assert decide(*around(-0.5, -0.4), 0.19, 0.1, 0.3) is Verdict.CONTRADICTED


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("low", "high", "claim", "expected"),
    [
        (0.1, 0.2, (0.37, 0.5, 0.3), Verdict.NOT_REPRODUCED),
        (0.4, 0.6, (0.37, 0.5, 0.3), Verdict.DIRECTION_ONLY),  # surely within the margin
        (0.36, 0.38, (0.37, 0.5, 0.3), Verdict.DIRECTION_ONLY),  # just what was reported
        (0.18, 0.2, (0.19, 0.5, 0.3), Verdict.DIRECTION_ONLY),  # the same, and negligible
        (-0.1, 0.1, (0.19, 0.5, 0.3), Verdict.NOT_REPRODUCED),
        (0.9, 1.2, (0.37, 0.5, 0.3), Verdict.LARGER),
        (-0.6, -0.4, (0.37, 0.5, 0.3), Verdict.CONTRADICTED),
        (-0.2, 0.4, (0.37, 0.5, 0.3), Verdict.INCONCLUSIVE),
        (0.4, 1.2, (0.37, 0.5, 0.3), Verdict.DIRECTION_ONLY),  # surely a gain, perhaps larger
        (0.4, 0.6, (0.5, 0.5, 0.3), Verdict.DIRECTION_ONLY),  # as large as the claim is not smaller
        (0.4, 0.6, (0.5, 0.49, 0.3), Verdict.REPRODUCED),
    ],
)
def test_a_claim_that_its_margin_swallows_is_never_reproduced(
    low: float, high: float, claim: tuple[float, float, float], expected: Verdict, sign: int
) -> None:
    ci, inner = around(low, high)
    reported, *bands = claim
    ends = (ci, inner) if sign > 0 else (-ci, -inner)
    assert decide(*ends, sign * reported, *bands) is expected


# Laws


finite = st.floats(-10, 10)
claims = st.tuples(finite.filter(bool), st.floats(0.01, 10), st.floats(0, 10))


@quick
@given(st.tuples(finite, finite, finite, finite), claims)
def test_any_intervals_have_exactly_one_verdict(
    numbers: tuple[float, ...], claim: tuple[float, float, float]
) -> None:
    """The rules of the design's table, each for itself: one holds, or NOT REPRODUCED takes it."""
    outer, low, high, other = sorted(numbers)
    ci, inner = Interval(outer, other), Interval(low, high)
    reported, margin, negligible = claim
    verdict = decide(ci, inner, reported, margin, negligible)
    if reported < 0:
        ci, inner, reported = -ci, -inner, -reported
    none = inner.inside(Interval(-negligible, negligible))
    within = ci.low > 0 and reported - margin <= inner.low and inner.high <= reported + margin
    rules = {
        Verdict.REPRODUCED: within and margin < reported,
        Verdict.DIRECTION_ONLY: margin >= reported
        and (within or (ci.low > 0 and inner.low <= reported + margin and not none)),
        Verdict.LARGER: inner.low > reported + margin,
        Verdict.PARTIAL: ci.low > 0 and inner.high < reported - margin,
        Verdict.NOT_REPRODUCED: none,
        Verdict.CONTRADICTED: ci.high < 0 and not none,
    }
    hold = {label for label, holds in rules.items() if holds} or {Verdict.INCONCLUSIVE}
    assert len(hold - {Verdict.NOT_REPRODUCED}) <= 1
    if none and reported > negligible:
        hold = {Verdict.NOT_REPRODUCED}
    elif len(hold) == 2:
        hold -= {Verdict.NOT_REPRODUCED}
    assert hold == {verdict}


ORDER = (
    Verdict.CONTRADICTED,
    Verdict.NOT_REPRODUCED,
    Verdict.PARTIAL,
    Verdict.REPRODUCED,
    Verdict.DIRECTION_ONLY,
    Verdict.LARGER,
)


@quick
@given(st.floats(0.01, 10), st.floats(0.01, 10), st.floats(0, 10), st.lists(finite, min_size=2))
def test_a_larger_mean_never_has_a_smaller_verdict(
    reported: float, margin: float, negligible: float, means: list[float]
) -> None:
    assume(reported > negligible)
    found = [
        decide(Interval(m - 0.3, m + 0.3), Interval(m - 0.2, m + 0.2), reported, margin, negligible)
        for m in sorted(means)
    ]
    ranks = [ORDER.index(verdict) for verdict in found if verdict is not Verdict.INCONCLUSIVE]
    assert ranks == sorted(ranks)


@quick
@given(finite, st.floats(0.01, 3), st.integers(2, 40), claims, st.sampled_from([0.01, 8.0]))
def test_units_and_the_order_of_conditions_do_not_matter(
    mean: float, sd: float, n: int, claim: tuple[float, float, float], scale: float
) -> None:
    reported, margin, negligible = claim
    ci, inner = mean_interval(n, mean, sd, 0.95), mean_interval(n, mean, sd, 0.90)
    edges = (reported + margin, reported - margin, negligible, -negligible, 0)
    ends = (ci.low, ci.high, inner.low, inner.high, -inner.low)
    assume(all(abs(edge - end) > 1e-6 for edge in edges for end in ends))
    assume(min(abs(abs(reported) - negligible), abs(abs(reported) - margin)) > 1e-6)
    verdict = decide(ci, inner, reported, margin, negligible)
    assert decide(-ci, -inner, -reported, margin, negligible) is verdict
    scaled = [Interval(scale * each.low, scale * each.high) for each in (ci, inner)]
    assert (
        decide(scaled[0], scaled[1], scale * reported, scale * margin, scale * negligible)
        is verdict
    )


@quick
@given(finite, st.floats(0.01, 3), st.integers(2, 30), claims, st.booleans())
def test_verdicts_agree_with_their_p_values(
    mean: float, sd: float, n: int, claim: tuple[float, float, float], sequential: bool
) -> None:
    procedure = {"procedure": ANYTIME} if sequential else {}
    reported, margin, negligible = claim
    found = judged(spread(mean, n, sd), reported, margin=margin, negligible=negligible, **procedure)
    if found.verdict is Verdict.REPRODUCED:
        assert found.p_claim <= 0.05 + 1e-9
        assert margin < abs(reported)
    if found.verdict is Verdict.NOT_REPRODUCED:
        assert found.p_zero <= 0.05 + 1e-9
    if found.seeds_needed is not None:
        assert found.verdict is Verdict.INCONCLUSIVE
        assert n < found.seeds_needed <= 1000


# Judgements


def test_reasons_are_sentences_with_the_numbers() -> None:
    found = judged(spread(4.5, 20, 0.8))
    assert found.verdict is Verdict.REPRODUCED
    assert found.reason == (
        "The mean difference of +4.50 points over 20 seeds (95% interval +4.13 to +4.87; 90% "
        "interval +4.19 to +4.81) is a gain and lies within 1.56 of the reported +4.69."
    )
    assert found.procedure == "fixed-n t"
    assert "is a loss larger than the reported -4.69" in judged(spread(-9, 20, 1), -GAIN).reason
    assert "is a gain, smaller than" in judged(spread(2, 20, 0.5)).reason
    assert "is negligible, within 0.30 of zero" in judged(spread(0, 20, 0.1)).reason
    assert "is the opposite of the reported +4.69" in judged(spread(-3, 20, 1)).reason


def test_an_inconclusive_claim_says_what_would_settle_it() -> None:
    found = judged(spread(4.5, 4, 2.0))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.seeds_needed is not None
    assert f"; about {found.seeds_needed} seeds would settle it" in found.reason
    settled = judged(spread(4.5, found.seeds_needed, 2.0))
    assert settled.verdict is Verdict.REPRODUCED
    for mean in (-1.0, 0.1, 1.5, 8.0):
        more = judged(spread(mean, 3, 2.0)).seeds_needed
        assert more is not None
        assert judged(spread(mean, more, 2.0)).verdict is not Verdict.INCONCLUSIVE
    edge = judged(spread(GAIN - MARGIN, 5, 1.0))
    assert edge.seeds_needed is None
    assert "up to 1000 seeds would not settle it" in edge.reason
    mirrored = judged(-spread(4.5, 4, 2.0), -GAIN)
    assert mirrored.seeds_needed == found.seeds_needed


@pytest.mark.filterwarnings("error")
def test_data_without_spread_settle_nothing_but_equality() -> None:
    for gains, words in (([GAIN], "one seed"), ([GAIN] * 3, "all equal")):
        found = judged(gains)
        assert (found.verdict, found.seeds_needed) == (Verdict.INCONCLUSIVE, None)
        assert (found.p_claim, found.p_zero) == (1, 1)
        assert f"{words} " in found.reason
    chance = judged([0.0] * 3)
    assert (chance.verdict, chance.p_zero) == (Verdict.INCONCLUSIVE, 1)
    assert "all equal" in chance.reason
    equal = judge(compare_paired([90.0] * 3, [90.0] * 3, same=True), GAIN, 1.56, 0.3, unit="points")
    assert (equal.verdict, equal.p_claim, equal.p_zero) == (Verdict.NOT_REPRODUCED, 1, 0)


def test_a_claim_that_its_margin_swallows_says_so_and_asks_for_no_seeds() -> None:
    """The two MAS claims at the gain that our runs show."""
    for reported in (0.37, 0.19):
        found = judged(spread(0.54, 10, 0.09), reported, margin=0.5)
        assert (found.verdict, found.seeds_needed) == (Verdict.DIRECTION_ONLY, None)
        assert found.settled, "more seeds find the same"
        assert found.reason.endswith(
            f"is a gain; its size cannot be held against the reported {reported:+.2f}, because the "
            "margin of 0.50 is not smaller than the claim; 10 new seeds of this spread could test "
            "a margin of 0.09 or more, if it is fixed before they are run."
        )
    noisy = judged(spread(0.54, 10, 0.6), 0.37, margin=0.5)
    assert noisy.verdict is Verdict.DIRECTION_ONLY
    assert (
        "a margin of a third of the claim (0.12), fixed before they are run, would take about "
        in (noisy.reason)
    )
    perhaps_larger = judged(spread(0.9, 10, 0.3), 0.37, margin=0.5)
    assert (perhaps_larger.verdict, perhaps_larger.settled) == (Verdict.DIRECTION_ONLY, False)
    wide = judged(spread(0.54, 3, 0.9), 0.37, margin=0.5)
    assert (wide.verdict, wide.settled) == (Verdict.INCONCLUSIVE, False)
    assert wide.seeds_needed is not None
    later = judged(spread(0.54, wide.seeds_needed, 0.9), 0.37, margin=0.5)
    assert (later.verdict, later.settled) == (Verdict.DIRECTION_ONLY, True)
    for mean, expected in ((0.1, Verdict.NOT_REPRODUCED), (2.0, Verdict.LARGER)):
        early = judged(spread(mean, 3, 1.0), 0.37, margin=0.5)
        assert (early.verdict, early.settled) == (Verdict.INCONCLUSIVE, False)
        assert early.seeds_needed is not None, "what remains to be told can be settled"
        later = judged(spread(mean, early.seeds_needed, 1.0), 0.37, margin=0.5)
        assert (later.verdict, later.settled) == (expected, True)
    assert "one seed shows no spread" in judged([0.5], 0.37, margin=0.5).reason


def test_the_margin_named_as_testable_is_tested_at_that_rate() -> None:
    """Ten seeds, a spread of 0.09 and a true gain of 0.37: 80% are REPRODUCED at that margin."""
    margin = smallest_margin(OneSample(10, 0.37, 0.09), 0.37, 0.05)
    assert margin is not None
    samples = np.random.default_rng(8).normal(0.37, 0.09, (4000, 10))
    means, errors = samples.mean(1), samples.std(1, ddof=1) / math.sqrt(10)
    wide, narrow = stats.t.ppf(0.975, 9) * errors, stats.t.ppf(0.95, 9) * errors
    codes = verdicts((means - wide, means + wide), (means - narrow, means + narrow),
                     0.37, margin, 0.0)  # fmt: skip
    share = float((codes == VERDICTS.index(Verdict.REPRODUCED)).mean())
    assert share == pytest.approx(0.8, abs=5 * math.sqrt(0.8 * 0.2 / 4000))
    assert smallest_margin(OneSample(10, 0.37, 2.0), 0.37, 0.05) is None


@pytest.mark.parametrize("sign", [1, -1])
def test_other_verdicts_say_how_large_the_gain_is_beside_the_claim(sign: int) -> None:
    """A difference of 0.31 that is surely there, against 4.69: 6 to 7% of the claim."""
    partial = judged(sign * spread(0.31, 20, 0.02), sign * GAIN, negligible=0.1)
    assert partial.verdict is Verdict.PARTIAL
    assert (partial.share.low, partial.share.high) == pytest.approx((6.41, 6.81), abs=0.01)
    assert partial.label == "◐ PARTIAL, 6 to 7% of the claim"
    assert ": 6 to 7% of the claim." in partial.reason
    lost = judged(sign * -spread(0.6, 20, 0.1), sign * GAIN)
    assert lost.label == "✗ CONTRADICTED, 12 to 14% of the claim the other way"
    assert "no size" not in lost.reason
    slight = judged(sign * -spread(0.31, 20, 0.1), sign * GAIN)
    assert slight.verdict is Verdict.CONTRADICTED
    assert slight.reason.endswith(
        "; it may be negligible (within 0.30 of zero), so that it contradicts the direction and no "
        "size."
    )
    assert judged(spread(4.5, 20, 0.8)).label == "✓ REPRODUCED"


def test_p_values_are_those_of_the_tests_behind_the_verdict() -> None:
    """By hand: t tests of scipy on the same differences."""
    gains = spread(4.5, 20, 0.8)
    above = stats.ttest_1samp(gains, 0).pvalue
    edges = [
        stats.ttest_1samp(gains, GAIN - MARGIN, alternative="greater").pvalue,
        stats.ttest_1samp(gains, GAIN + MARGIN, alternative="less").pvalue,
    ]
    assert judged(gains).p_value == pytest.approx(max(above, *edges), rel=1e-6)
    loss = spread(-1.0, 8, 0.9)
    assert judged(loss).p_value == pytest.approx(stats.ttest_1samp(loss, 0).pvalue, rel=1e-6)
    assert judged(spread(4.5, 4, 2.0)).p_value is None


def test_a_smaller_alpha_and_looking_at_will_ask_for_more() -> None:
    gains = spread(4.5, 8, 1.3)
    assert judged(gains).verdict is Verdict.REPRODUCED
    assert judged(gains, alpha=0.001).verdict is Verdict.INCONCLUSIVE
    sequential = judged(gains, procedure=ANYTIME)
    assert (sequential.verdict, sequential.procedure) == (Verdict.INCONCLUSIVE, "anytime-valid t")
    assert sequential.seeds_needed is not None
    expected = mean_interval(8, 4.5, 1.3, 0.90, ANYTIME)
    assert sequential.ci_equivalence.low == pytest.approx(expected.low)
    none = judged(spread(0, 8, 0.15), procedure=ANYTIME)
    assert none.p_zero == pytest.approx(tost(0, 0.15, 8, -NEGLIGIBLE, NEGLIGIBLE, ANYTIME))


def test_relative_claims_are_judged_by_relative_gains() -> None:
    baseline = np.array([80.0, 82.0, 78.0, 81.0, 79.0])
    gains = np.array([4.9, 5.1, 5.0, 4.8, 5.2])
    relative = compare_paired(baseline * (1 + gains / 100), baseline, unit="relative %")
    assert relative.mean == pytest.approx(5.0)
    found = judge(relative, 5.0, 1.0, 0.3, unit="relative %")
    assert found.verdict is Verdict.REPRODUCED
    assert "+5.00 % over 5 seeds" in found.reason
    with pytest.raises(ValueError, match="claim is in points, the comparison in relative %"):
        judge(relative, 5.0, 1.0, 0.3, unit="points")


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ({"unit": ""}, "no unit"),
        ({"unit": "%"}, "write 'points'"),
        ({"margin": 0.0}, "margin of 0.0"),
        ({"margin": math.nan}, "margin of nan"),
        ({"negligible": -0.1}, "negligible gain of -0.1"),
        ({"reported": 0.0}, "TOST around zero"),
        ({"reported": math.nan}, "reported gain of nan"),
        ({"alpha": 0.5}, "alpha is 0.5"),
    ],
)
def test_claims_that_cannot_be_judged_are_refused(
    claim: dict[str, float | str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        judged([4.0, 5.0, 4.5], **claim)  # type: ignore[arg-type]


def test_swapped_intervals_are_refused() -> None:
    ci, inner = around(1, 2)
    with pytest.raises(ValueError, match="swapped"):
        decide(inner, ci, GAIN, MARGIN, NEGLIGIBLE)
