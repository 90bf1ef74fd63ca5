"""What a verdict leans on, each part against something independent."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
import pytest
from gains import SmallClaim, paired, spread
from reported import RECORDS, STUDY, Page, record, write
from scipy import stats

from harness.studies.known_data import KNOWN_DATA
from reports.findings.analysis import analyse
from reports.findings.both_sides import BothSides
from reports.findings.contrasts import JudgedClaim, judgement_of
from reports.findings.influence import influence
from reports.findings.planning import Plan, plan, spread_interval
from reports.findings.robustness import Robustness, planned_words
from reports.numbers.intervals import FIXED, Floats
from reports.numbers.sequential import ANYTIME
from reports.numbers.skew import bootstrap_t, skewness
from reports.numbers.verdict import Verdict
from reports.numbers.welch import Error, agree, readings
from reports.output.document import verdict_document
from reports.sections.robustness import published_words
from reports.sections.verdict import headline


def judged(gains: Floats, claim: SmallClaim | None = None) -> JudgedClaim:
    own, pair = claim or SmallClaim(), paired(gains)
    assert pair.comparison is not None
    return JudgedClaim(own, pair, judgement_of(pair.comparison, own, FIXED))


# Both sides


def test_two_means_with_errors_are_compared_as_welch_does() -> None:
    """Against scipy, which takes the standard deviations and numbers of both sides."""
    own = np.array([94.1, 93.2, 95.5, 94.9, 92.8])
    error = Error(own.var(ddof=1) / 5, 4)
    found = readings(own.mean() - 92.75, error, [(0.55, 10)])
    for reading, sd in zip(found, (0.55, 0.55 * math.sqrt(10)), strict=True):
        there = stats.ttest_ind_from_stats(
            own.mean(), own.std(ddof=1), 5, 92.75, sd, 10, equal_var=False
        )
        assert reading.p == pytest.approx(there.pvalue)
        assert reading.published_error == pytest.approx(sd / math.sqrt(10))
        ends = reading.ci95
        assert (ends.low > 0 or ends.high < 0) == (reading.p < 0.05)
    assert [reading.plus_minus for reading in found] == ["standard deviation", "standard error"]
    assert readings(1.0, error, [(0.5, 1)]) == ()
    assert agree(found) is (None if (found[0].p < 0.05) != (found[1].p < 0.05) else True)


def test_the_published_gain_of_the_poster_is_known_to_0_22_or_to_0_69_points() -> None:
    """sqrt(0.42^2 / 11 + 0.55^2 / 10) and sqrt(0.42^2 + 0.55^2), by hand."""
    first, second = readings(-0.42, Error(0.1349, 9), [(0.42, 11), (0.55, 10)])
    assert first.published_error == pytest.approx(0.2151, abs=5e-5)
    assert second.published_error == pytest.approx(0.6920, abs=5e-5)
    # Satterthwaite by hand: 0.1349 on 9, 0.016036 on 10, 0.03025 on 9 degrees of freedom.
    freedom = (0.1349 + 0.016036 + 0.03025) ** 2 / (
        0.1349**2 / 9 + 0.016036**2 / 10 + 0.03025**2 / 9
    )
    half = stats.t.ppf(0.975, freedom) * math.sqrt(0.1349 + 0.016036 + 0.03025)
    assert first.ci95.low == pytest.approx(-0.42 - half, abs=1e-4)
    assert first.ci95.high == pytest.approx(-0.42 + half, abs=1e-4)


def test_a_claim_is_held_against_the_source_whose_numbers_make_it() -> None:
    def source(name: str, gain: float, runs: dict[str, int]) -> Any:
        return STUDY.published[0].model_copy(
            update={
                "id": name,
                "accuracy": {"a": (70.0,), "b": (70.0 + gain,)},
                "plus_minus": {"a": (0.5,), "b": (0.4,)},
                "runs": runs,
            }
        )

    runs = {"a": 10, "b": 11}
    other, own = source("figure", 12.0, runs), source("poster", 10.0, {})
    study = STUDY.model_copy(update={"published": (other, own)})
    (found,) = analyse(RECORDS, study).robustness
    assert found.published is not None
    assert (found.published.source, found.published.runs) == ("poster", (11, 10))
    assert found.published.runs_from == "figure"
    assert found.published.difference == pytest.approx(10.5 - 10)
    alone = STUDY.model_copy(update={"published": (own,)})
    assert analyse(RECORDS, alone).robustness[0].published is None, "no number of runs anywhere"


def test_the_verdicts_say_which_gains_differ_from_published_ones_with_both_errors() -> None:
    def differing(name: str, ours: float, error: float) -> Robustness:
        bars = [(error, 10), (error, 10)]
        side = BothSides("p", 4.0, ours, (10, 10), None, readings(ours, Error(0.01, 9), bars))
        return Robustness(name, "fixed-n t", None, side, (), (), None, None, None)

    found = [
        differing("far", -3.0, 0.5), differing("open", -0.6, 0.5), differing("same", 0.1, 0.5),
        differing("more", 0.6, 0.5), differing("like-open", -0.6, 0.5),
    ]  # fmt: skip
    assert published_words(found)[0].endswith(
        "ours is surely smaller either way (far), surely smaller only if the ± is a standard "
        "deviation (open and like-open), not surely different (same), surely larger only if the ± "
        "is a standard deviation (more)."
    )
    without = Robustness("none", "fixed-n t", None, None, (), (), None, None, None)
    assert published_words([without]) == []


# Diverged runs


def diverging(treated: list[float | None]) -> list[Any]:
    made = []
    for seed, final in enumerate(treated):
        made.append(record("a", seed, 0.70 + 0.002 * seed))
        status = "done" if final is not None else "diverged"
        made.append(record("b", seed, final or 0.0, status))
    return made


def test_a_verdict_that_diverged_runs_would_change_is_never_given_alone(tmp_path: Any) -> None:
    """Ten points on four seeds, and the fifth diverged: at chance it is a loss of twenty."""
    records = diverging([0.80, 0.803, 0.804, 0.806, None])
    analysis = analyse(records, STUDY)
    (found,), (claim,) = analysis.robustness, analysis.claims
    assert claim.judgement is not None
    assert claim.judgement.verdict is Verdict.REPRODUCED
    chance, worst = found.diverged
    assert (chance.counted_as, chance.accuracy, chance.n) == ("chance", 50.0, 5)
    assert chance.mean == pytest.approx((10 + 10.1 + 10 + 10 - 20.8) / 5)
    assert worst.counted_as == "worst seen"
    assert worst.accuracy == pytest.approx(70.0)
    assert worst.mean == pytest.approx((10 + 10.1 + 10 + 10 - 0.8) / 5)
    assert (chance.treatment, chance.baseline) == (1, 0)
    assert chance.verdict is worst.verdict is Verdict.INCONCLUSIVE
    assert found.differing == (chance, worst)
    words = "✓ REPRODUCED (INCONCLUSIVE with the diverged runs counted)"
    assert headline(analysis).startswith(words)
    assert words in Page(write(records, STUDY, tmp_path)).text
    assert "Not without this" in verdict_document(analysis)["claims"][0]["reason"]


def test_without_diverged_runs_and_where_they_change_nothing_one_verdict_is_given() -> None:
    (whole,) = analyse(diverging([0.80, 0.803, 0.804, 0.806]), STUDY).robustness
    assert whole.diverged == ()
    # One hundred seeds, one of which diverged in both conditions.
    many = diverging([0.80 + 0.002 * seed + 0.003 * (seed % 3) for seed in range(9)])
    many += [record("a", 9, 0.0, "diverged"), record("b", 9, 0.9)]
    (found,) = analyse(many, STUDY).robustness
    assert found.diverged[0].baseline == 1


def test_guesses_are_right_as_often_as_a_head_has_classes() -> None:
    assert KNOWN_DATA["split-mnist"].chance == STUDY.chance == 0.5


# Skew and single seeds


def test_skewness_is_that_of_scipy() -> None:
    values = np.random.default_rng(1).exponential(size=9)
    assert skewness(values) == pytest.approx(stats.skew(values, bias=False))
    assert skewness([1.0, 2.0]) is None
    assert skewness([1.0, 1.0, 1.0]) is None


def test_the_bootstrap_t_interval_is_that_of_a_plain_loop() -> None:
    values = np.random.default_rng(2).exponential(size=8)
    draws = np.random.default_rng(3)
    mean, error = values.mean(), values.std(ddof=1) / math.sqrt(8)
    found = []
    for _ in range(20_000):
        one = draws.choice(values, 8)
        found.append((one.mean() - mean) / (one.std(ddof=1) / math.sqrt(8)))
    low, high = np.quantile(found, [0.025, 0.975])
    interval = bootstrap_t(values)
    assert interval is not None
    # Quantiles in the tails of 20,000 and of 9,999 draws differ by a few percent.
    assert interval.low == pytest.approx(mean - high * error, abs=0.12 * error)
    assert interval.high == pytest.approx(mean - low * error, rel=0.15)
    assert bootstrap_t(values) == interval
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reports.numbers.skew.DRAWN_AT_ONCE", 707)
        assert bootstrap_t(values) == interval, "however many values are drawn at a time"
    assert bootstrap_t(values[:3]) is None
    assert bootstrap_t(np.ones(5)) is None


def test_one_seed_that_carries_a_verdict_is_named() -> None:
    """Nine seeds of no gain and one loss: without that one the gain is surely negligible."""
    gains = np.append(spread(0.0, 9, 0.05), -2.4)
    case = judged(gains)
    found = influence(case, FIXED)
    assert found is not None
    assert found.seed == 9
    assert found.gain == pytest.approx(-2.4)
    assert found.mean_without == pytest.approx(0.0, abs=1e-9)
    assert case.judgement is not None
    assert case.judgement.verdict is Verdict.INCONCLUSIVE
    assert found.verdict_without is Verdict.NOT_REPRODUCED
    assert found.turning == (9,)
    assert influence(judged(np.array([1.0, 2.0])), FIXED) is None


# Planning


def test_the_spread_of_a_few_seeds_is_known_as_roughly_as_chi_square_says() -> None:
    low, high = spread_interval(3, 1.0)
    draws = np.random.default_rng(4).normal(0, 1, (20_000, 3)).std(axis=1, ddof=1)
    # The true value 1 lies below the interval of a tenth of studies, and above that of another.
    assert np.mean(draws * low > 1) == pytest.approx(0.1, abs=0.011)
    assert np.mean(draws * high < 1) == pytest.approx(0.1, abs=0.011)


def test_a_plan_is_a_range_for_intervals_of_a_second_look() -> None:
    case = judged(spread(3.9, 4, 1.5))
    found = plan(case)
    assert found is not None
    assert found.seeds is not None
    assert found.low is not None
    assert found.low < found.seeds
    assert found.high is None or found.high > found.seeds
    assert case.judgement is not None
    assert case.judgement.seeds_needed is not None
    assert found.seeds > case.judgement.seeds_needed, "a second look costs width"
    later = paired(spread(3.9, found.seeds + 30, 1.5)).comparison
    assert later is not None
    assert judgement_of(later, SmallClaim(), ANYTIME).verdict is Verdict.REPRODUCED
    assert plan(judged(spread(4.69, 20, 0.5))) is None, "settled"


# Test samples


def with_answers(one: Any, tasks: list[list[int]]) -> Any:
    packed = [base64.b64encode(np.packbits(task).tobytes()).decode() for task in tasks]
    final = [float(np.mean(task)) for task in tasks]
    kept = {"samples": [len(task) for task in tasks], "bits": packed}
    return {**one, "accuracy": [[1.0, None], final], "right": kept}


def test_the_chance_of_the_test_set_is_that_of_its_samples() -> None:
    draws = np.random.default_rng(6)
    records: list[Any] = []
    answers: dict[str, list[list[list[int]]]] = {"a": [], "b": []}
    for seed in range(4):
        for name, share in (("a", 0.7), ("b", 0.8)):
            tasks = [(draws.random(size) < share).astype(int).tolist() for size in (60, 90)]
            answers[name].append(tasks)
            records.append(with_answers(record(name, seed, 0.5), tasks))
    (found,) = analyse(records, STUDY).robustness
    part = found.samples
    assert part is not None
    pairs = list(zip(answers["a"], answers["b"], strict=True))
    by_task = [100 * np.mean([np.subtract(b[t], a[t]) for a, b in pairs], axis=0) for t in range(2)]
    gain = np.mean([one.mean() for one in by_task])
    error = math.sqrt(sum(one.var() / len(one) for one in by_task)) / 2
    assert part.gain == pytest.approx(gain)
    assert part.error == pytest.approx(error)
    assert part.ci95.low == pytest.approx(gain - 1.96 * error, abs=0.1 * error)
    assert part.ci95.high == pytest.approx(gain + 1.96 * error, abs=0.1 * error)
    first = part.seeds[0]
    a, b = (np.concatenate(answers[name][0]) for name in "ab")
    assert (first.won, first.lost) == (int((b > a).sum()), int((b < a).sum()))
    assert first.p == pytest.approx(stats.binomtest(first.won, first.won + first.lost).pvalue)
    lacking = [records[0], {n: v for n, v in records[1].items() if n != "right"}, *records[2:]]
    assert analyse(lacking, STUDY).robustness[0].samples is None


def test_cells_with_equal_accuracies_and_other_answers_did_not_do_the_same() -> None:
    """The whole matrices agree and one pair of samples is swapped: no proof of no gain."""
    records = []
    for seed in range(3):
        first = [[1, 0, 1, 1], [1, 1, 1, 0]]
        second = [[0, 1, 1, 1], [1, 1, 1, 0]] if seed == 1 else first
        records += [
            with_answers(record("a", seed, 0.5), first),
            with_answers(record("b", seed, 0.5), second),
        ]
    swapped, same = (
        analyse(records, STUDY),
        analyse([with_answers(one, [[1, 0, 1, 1], [1, 1, 1, 0]]) for one in records], STUDY),
    )
    for analysis, verdict in ((swapped, Verdict.INCONCLUSIVE), (same, Verdict.NOT_REPRODUCED)):
        judgement = analysis.claims[0].judgement
        assert judgement is not None
        assert judgement.verdict is verdict


@pytest.mark.parametrize(
    ("planned", "said"),
    [
        (Plan(31, 14, 160), "31 (14 to 160)"),
        (Plan(459, 240, None), "459 (240 to over 1000)"),
        (Plan(None, 240, None), "over 1000 (240 to over 1000)"),
        (Plan(None, None, None), "over 1000"),
    ],
)
def test_what_more_than_a_thousand_seeds_would_settle_is_said_once(
    planned: Plan, said: str
) -> None:
    assert planned_words(planned) == said
