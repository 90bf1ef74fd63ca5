"""How often each verdict is wrong: at most at its stated rate, in simulated studies.

Seeds are fixed. Each check of a rate allows five standard errors: with other seeds it would fail a
correct program about once in 10^6 runs, all together less than once in 10^4.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from gains import GAIN, MARGIN, NEGLIGIBLE, judged, spread
from scipy import stats

from reports.numbers.intervals import Interval, Procedure
from reports.numbers.sequential import ANYTIME, critical
from reports.numbers.verdict import Verdict, decide

TRIALS = 4000


def rates(
    mean: float, sd: float, n: int, claim: tuple[float, float] = (GAIN, MARGIN)
) -> dict[Verdict, float]:
    """Return how often each verdict on a gain and margin falls for normal differences."""
    samples = np.random.default_rng(31).normal(mean, sd, (TRIALS, n))
    means, errors = samples.mean(1), samples.std(1, ddof=1) / math.sqrt(n)
    wide, narrow = (float(stats.t.ppf(q, n - 1)) for q in (0.975, 0.95))
    verdicts = [
        decide(
            Interval(m - wide * e, m + wide * e),
            Interval(m - narrow * e, m + narrow * e),
            *claim,
            NEGLIGIBLE,
        )
        for m, e in zip(means.tolist(), errors.tolist(), strict=True)
    ]
    return {label: verdicts.count(label) / TRIALS for label in Verdict}


def at_most(rate: float) -> float:
    return rate + 5 * math.sqrt(rate * (1 - rate) / TRIALS)


@pytest.mark.parametrize("n", [3, 20])
def test_a_margin_that_almost_reaches_zero_makes_noise_no_likelier_a_reproduction(n: int) -> None:
    found = rates(0, 0.5, n, claim=(2.0, 1.99))[Verdict.REPRODUCED]
    assert 0.01 < found <= at_most(0.025)


@pytest.mark.parametrize("gain", [0.0, 0.05, 0.19, 0.5])
def test_a_margin_not_smaller_than_its_claim_reproduces_nothing(gain: float) -> None:
    """0.19 +- 0.50 was REPRODUCED in a third of the studies whose true gain is 0.05."""
    found = rates(gain, 0.09, 10, claim=(0.19, 0.50))
    assert found[Verdict.REPRODUCED] == found[Verdict.PARTIAL] == 0
    surely_above = stats.nct.sf(stats.t.ppf(0.975, 9), 9, gain * math.sqrt(10) / 0.09)
    assert found[Verdict.DIRECTION_ONLY] >= surely_above - (at_most(0.5) - 0.5)


@pytest.mark.parametrize("sd", [0.1, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("n", [3, 20])
def test_noise_around_nothing_is_hardly_ever_called_a_gain(n: int, sd: float) -> None:
    """Alpha / 2 = 2.5% is the stated rate of a gain where there is none, and of a loss."""
    found = rates(0, sd, n)
    gains = found[Verdict.REPRODUCED] + found[Verdict.PARTIAL] + found[Verdict.LARGER]
    direction = rates(0, sd, n, claim=(GAIN, GAIN))[Verdict.DIRECTION_ONLY]
    assert direction <= at_most(0.025)
    assert gains <= at_most(0.025)
    assert found[Verdict.CONTRADICTED] <= at_most(0.025)
    # A margin of 1.56 cannot be met by chance: far rarer than stated.
    assert found[Verdict.REPRODUCED] <= 0.025


@pytest.mark.parametrize("sd", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("n", [3, 20])
def test_each_verdict_errs_at_most_at_its_rate_on_the_edge_of_its_band(n: int, sd: float) -> None:
    upper, lower = rates(GAIN + MARGIN, sd, n), rates(GAIN - MARGIN, sd, n)
    for found in (upper, lower):
        assert found[Verdict.REPRODUCED] <= at_most(0.05)
    assert upper[Verdict.LARGER] <= at_most(0.05)
    assert lower[Verdict.PARTIAL] <= at_most(0.05)
    for edge in (-NEGLIGIBLE, NEGLIGIBLE):
        assert rates(edge, sd, n)[Verdict.NOT_REPRODUCED] <= at_most(0.05)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0, Verdict.NOT_REPRODUCED),
        (0.5, Verdict.PARTIAL),
        (1, Verdict.REPRODUCED),
        (2, Verdict.LARGER),
        (-1, Verdict.CONTRADICTED),
    ],
)
def test_planted_gains_get_their_verdicts_at_20_seeds(share: float, expected: Verdict) -> None:
    """With a spread of 0.3 points each is right at least 98 times in 100."""
    assert rates(share * GAIN, 0.3, 20)[expected] >= 0.98
    gains = np.random.default_rng(32).normal(share * GAIN, 0.3, 20)
    assert judged(gains).verdict is expected


@pytest.mark.parametrize(
    ("mean", "sd", "claim", "expected"),
    [
        (0.9, 1.0, (1.0, 0.99), Verdict.REPRODUCED),  # above zero is the harder part
        (4.5, 2.0, (GAIN, MARGIN), Verdict.REPRODUCED),
        (1.5, 1.0, (GAIN, MARGIN), Verdict.PARTIAL),
        (8.0, 2.0, (GAIN, MARGIN), Verdict.LARGER),
        (-1.0, 1.5, (GAIN, MARGIN), Verdict.CONTRADICTED),
        (0.0, 0.5, (GAIN, MARGIN), Verdict.NOT_REPRODUCED),
    ],
)
def test_the_stated_number_of_seeds_settles_four_of_five_such_studies(
    mean: float, sd: float, claim: tuple[float, float], expected: Verdict
) -> None:
    found = judged(spread(mean, 3, sd), claim[0], margin=claim[1])
    assert found.seeds_needed is not None
    error = at_most(0.8) - 0.8
    assert rates(mean, sd, found.seeds_needed, claim)[expected] >= 0.8 - error
    assert rates(mean, sd, found.seeds_needed - 1, claim)[expected] <= 0.8 + error


@pytest.mark.parametrize(("procedure", "holds"), [(None, False), (ANYTIME, True)])
def test_adding_seeds_until_a_verdict_needs_the_sequence(
    procedure: Procedure | None, holds: bool
) -> None:
    """Noise, judged after every seed from 2 to 60 until it seems a gain or a loss."""
    trials, last = 1500, 60
    noise = np.random.default_rng(33).normal(0, 2, (trials, last))
    n = np.arange(1, last + 1)
    means = (noise.cumsum(1) / n)[:, 1:]
    squares = ((noise**2).cumsum(1) / n)[:, 1:] - means**2
    n = n[1:]
    errors = np.sqrt(squares / (n - 1))
    if procedure is None:
        wide, narrow = (np.asarray(stats.t.ppf(q, n - 1)) for q in (0.975, 0.95))
    else:
        wide, narrow = critical(n, 0.95), critical(n, 0.90)
    # A gain or loss needs the wider interval clear of zero: all other looks are skipped.
    wrong = 0
    for i in range(trials):
        for j in np.flatnonzero(np.abs(means[i]) > wide * errors[i]):
            m, e = means[i, j], errors[i, j]
            ci = Interval(m - wide[j] * e, m + wide[j] * e)
            inner = Interval(m - narrow[j] * e, m + narrow[j] * e)
            verdict = decide(ci, inner, GAIN, MARGIN, NEGLIGIBLE)
            if verdict not in (Verdict.INCONCLUSIVE, Verdict.NOT_REPRODUCED):
                wrong += 1
                break
    assert (wrong / trials <= 0.05) is holds
