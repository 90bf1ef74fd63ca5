"""Rules: a verdict's p-value is the smallest alpha at which it would still be given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reports.numbers.estimates import OneSample
from reports.numbers.intervals import FIXED
from reports.numbers.rules import Rule, first, p_of
from reports.numbers.sequential import ANYTIME
from reports.numbers.verdict import gain_rules

quick = settings(derandomize=True, deadline=None, max_examples=300)
finite = st.floats(-10, 10)
claims = st.tuples(
    finite.filter(lambda gain: abs(gain) > 0.01), st.floats(0.01, 9), st.floats(0, 9)
)


def given_rule(rules: list[Rule], estimate: OneSample, alpha: float) -> Rule | None:
    return first(rules, estimate.interval(1 - alpha), estimate.interval(1 - 2 * alpha))


@quick
@given(finite, st.floats(0.01, 3), st.integers(2, 30), claims, st.booleans())
def test_a_verdict_stands_down_to_its_p_value_and_no_further(
    mean: float, sd: float, n: int, claim: tuple[float, float, float], sequential: bool
) -> None:
    estimate = OneSample(n, mean, sd, ANYTIME if sequential else FIXED)
    rules = gain_rules(*claim)
    rule = given_rule(rules, estimate, 0.2)
    assume(rule is not None)
    assert rule is not None
    p = p_of(rule.word, rules, estimate)
    assert 0 <= p <= 0.2 + 1e-9
    assume(1e-9 < p < 0.199)
    still = given_rule(rules, estimate, p * 1.001)
    assert still is not None
    if rule.word != "DIRECTION ONLY":  # of its two rules the first may give way to another
        assert still.word == rule.word
    gone = given_rule(rules, estimate, p * 0.999)
    assert gone is None or gone.word != rule.word


def test_a_value_without_an_error_has_the_p_value_0_of_what_is_so() -> None:
    zero = OneSample(3, 0.0, 0.0)
    rule = given_rule(gain_rules(4.0, 1.0, 0.0), zero, 0.05)
    assert rule is not None
    assert (rule.word, rule.p_value(zero)) == ("NOT REPRODUCED", 0.0)


def test_rules_of_a_reported_loss_are_those_of_the_gain_in_the_mirror() -> None:
    rules, mirrored = gain_rules(4.0, 1.0, 0.3), gain_rules(-4.0, 1.0, 0.3)
    for value in np.linspace(-8, 8, 161):
        for rule, other in zip(rules, mirrored, strict=True):
            assert rule.is_true(value) == other.is_true(-value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (4.5, {"REPRODUCED"}),
        (6.0, {"LARGER"}),
        (1.0, {"PARTIAL"}),
        (0.2, {"PARTIAL", "NOT REPRODUCED"}),
        (-1.0, {"CONTRADICTED"}),
    ],
)
def test_what_a_rule_says_is_so_where_its_bands_hold_the_value(
    value: float, words: set[str]
) -> None:
    rules = gain_rules(4.0, 1.0, 0.3)
    assert {rule.word for rule in rules if rule.is_true(value)} == words
