"""Specification curves against numbers worked out by hand, naive loops and simulation.

Simulations have fixed seeds. Each check of a rate allows five Monte-Carlo standard errors.
"""

from __future__ import annotations

import json
import math
from itertools import product

import numpy as np
import pytest
from matplotlib import pyplot as plt

from harness.studies.claims import Curve
from harness.studies.factors import Factor, crossings
from reports.findings.curves import by_choice, count, curve_finding, extremes
from reports.findings.joint_test import MEDIAN, POSITIVE, SURE, SURE_NEGATIVE, joint_inference
from reports.findings.specifications import Specification, specifications
from reports.numbers.intervals import t_interval
from reports.numbers.paired import compare_paired
from reports.numbers.verdict import Verdict, judge
from reports.output.encoding import as_json
from reports.sections.curves import section

CURVE = Curve(
    id="plasticity",
    text="Plasticity",
    treatment={"plasticity": "on"},
    baseline={"plasticity": "off"},
    reported=4.69,
    margin=1.56,
)
FACTORS = {
    "plasticity": Factor(levels={"off": {}, "on": {"plasticity": "on"}}),
    "epochs": Factor(levels={"1": {}, "10": {"protocol": {"epochs": 10}}}),
    "eta": Factor(levels={"0.001": {}, "0.1": {"eta": 0.1}}, when={"plasticity": "on"}),
}
LEVELS = {name: levels for name, levels, _ in crossings(FACTORS)}
OFF_1, OFF_10 = "plasticity=off epochs=1", "plasticity=off epochs=10"
ON = [f"plasticity=on epochs={e} eta={a}" for e in ("1", "10") for a in ("0.001", "0.1")]
FINALS = {
    OFF_1: {0: 90.0, 1: 91.0, 2: 92.0},
    OFF_10: {0: 80.0, 1: 80.0},
    ON[0]: {0: 94.6, 1: 95.7, 2: 96.8},
    ON[1]: {0: 88.0, 1: 89.1, 2: 89.9},
    ON[2]: {0: 83.0, 2: 99.0},
}


def curve_of(gains: np.ndarray) -> list[Specification]:
    """Return the specifications of gains (specifications, seeds)."""
    finals, levels = {}, {}
    for row, own in enumerate(gains):
        for side, values in (("off", np.full(len(own), 90.0)), ("on", 90 + own)):
            levels[f"{side} {row}"] = {"plasticity": side, "choice": str(row)}
            finals[f"{side} {row}"] = dict(enumerate(values.tolist()))
    return specifications(finals, levels, CURVE)


def test_pairs_gains_and_verdicts_by_hand() -> None:
    specs = specifications(FINALS, LEVELS, CURVE, diverged={OFF_10: 1, ON[2]: 1})
    assert [spec.treatment for spec in specs] == [ON[1], ON[2], ON[0], ON[3]]
    assert [spec.baseline for spec in specs] == [OFF_1, OFF_10, OFF_1, OFF_10]
    worse, single, better, absent = specs
    assert worse.gains == pytest.approx([-2.0, -1.9, -2.1])
    assert worse.ci95 == t_interval([-2.0, -1.9, -2.1], 0.95)
    assert (worse.status, worse.verdict) == ("below zero", Verdict.CONTRADICTED)
    assert better.gain == pytest.approx(4.7)
    assert better.baseline_accuracy == pytest.approx(91)
    assert (better.status, better.verdict) == ("above zero", Verdict.REPRODUCED)
    assert better.choices == {"epochs": "1", "eta": "0.001"}
    assert (single.seeds, single.dropped) == ((0,), 2)
    assert (single.diverged, single.baseline_diverged) == (1, 1)
    assert (single.status, single.verdict) == ("undecided", Verdict.INCONCLUSIVE)
    assert (absent.gain, absent.ci95, absent.verdict, absent.status) == (None,) * 4
    assert absent.dropped == 3


def test_verdicts_are_those_of_judge() -> None:
    rng = np.random.default_rng(5)
    specs = curve_of(rng.normal(rng.uniform(-6, 9, (60, 1)), 0.6, (60, 5)))
    for spec in specs:
        judged = judge(compare_paired(spec.gains, np.zeros(5)), 4.69, 1.56, 0.3, unit="points")
        assert spec.verdict is judged.verdict
    assert len({spec.verdict for spec in specs}) >= 4


def test_a_curve_that_its_margin_swallows_reproduces_nothing_and_says_so() -> None:
    """Gains of 0.4 to 0.6, against 0.5 +- 0.6 and 0.5 +- 0.4."""
    gains = np.random.default_rng(6).normal(0.5, 0.02, (10, 5))
    finals = {f"{side} {row}": dict(enumerate((90 + (side == "on") * own).tolist()))
              for row, own in enumerate(gains) for side in ("off", "on")}  # fmt: skip
    levels = {name: dict(zip(("plasticity", "choice"), name.split(), strict=True))
              for name in finals}  # fmt: skip
    for margin, verdict in ((0.6, Verdict.DIRECTION_ONLY), (0.4, Verdict.REPRODUCED)):
        curve = CURVE.model_copy(update={"reported": 0.5, "margin": margin, "negligible": 0.1})
        specs = specifications(finals, levels, curve)
        assert {spec.verdict for spec in specs} == {verdict}
        said = " ".join(section(curve_finding(curve, specs, None)).paragraphs)
        assert ("No specification can be REPRODUCED" in said) is (margin == 0.6)


def test_both_sides_may_set_several_factors() -> None:
    curve = CURVE.model_copy(
        update={
            "treatment": {"plasticity": "on", "epochs": "10"},
            "baseline": {"plasticity": "off", "epochs": "1"},
        }
    )
    specs = specifications(FINALS, LEVELS, curve)
    assert {(s.treatment, s.baseline) for s in specs} == {(ON[2], OFF_1), (ON[3], OFF_1)}
    assert specs[0].choices == {"eta": "0.001"}


def test_a_treatment_without_partner_is_listed_last() -> None:
    levels = {name: own for name, own in LEVELS.items() if name != OFF_1}
    specs = specifications(FINALS, levels, CURVE)
    assert [spec.baseline for spec in specs[-3:]].count(None) == 2
    assert count(specs).unpaired == 2


def test_two_possible_baselines_are_refused() -> None:
    levels = {**LEVELS, "again": LEVELS[OFF_1]}
    with pytest.raises(ValueError, match="'again' would do as the baseline"):
        specifications(FINALS, levels, CURVE)


def naive(gains: list[dict[int, float]]) -> dict[str, float]:
    """Return the p-values by a plain loop over all flips."""
    seeds = sorted({s for own in gains for s in own})
    values = []
    for signs in product([1, -1], repeat=len(seeds)):
        flip = dict(zip(seeds, signs, strict=True))
        own = [[flip[s] * g for s, g in one.items()] for one in gains]
        means = [float(np.mean(one)) for one in own]
        ends = [t_interval(one, 0.95) for one in own]
        sure, lost = [one.low > 0 for one in ends], [one.high < 0 for one in ends]
        above = np.mean(np.array(means) > 1e-12)
        values.append((np.median(means), above, np.mean(sure), np.mean(lost)))
    table = np.array(values)
    p = (table >= table[0] - 1e-9).mean(axis=0)
    return dict(zip((MEDIAN, POSITIVE, SURE, SURE_NEGATIVE), p.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(6))
def test_exact_flips_agree_with_a_plain_loop_even_where_seeds_are_missing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gains = rng.normal(0.4, 1, (5, 5)).round(2)
    full = joint_inference(curve_of(gains), 4.69)
    assert full is not None
    assert full.p == pytest.approx(naive([dict(enumerate(own.tolist())) for own in gains]))
    specs = curve_of(gains)
    finals, levels = {}, {}
    for row, own in enumerate(gains):
        kept = [s for s in range(5) if (s + row) % 4]
        for side, base in (("off", 0.0), ("on", 1.0)):
            levels[f"{side} {row}"] = {"plasticity": side, "choice": str(row)}
            finals[f"{side} {row}"] = {s: 90 + base * float(own[s]) for s in kept}
    specs = specifications(finals, levels, CURVE)
    patchy = joint_inference(specs, 4.69)
    assert patchy is not None
    assert patchy.p == pytest.approx(
        naive([dict(zip(s.seeds, s.gains, strict=True)) for s in specs])
    )


def test_five_seeds_can_say_no_more_than_1_in_32_and_a_loss_is_mirrored() -> None:
    gains = np.array([[1.0, 1.1, 0.9, 1.2, 0.8], [2.0, 2.1, 1.8, 2.2, 1.9]])
    up, down = joint_inference(curve_of(gains), 4.69), joint_inference(curve_of(-gains), -4.69)
    assert up is not None
    assert up == down
    assert (up.exact, up.flips, up.smallest_p) == (True, 32, 1 / 32)
    assert up.observed == pytest.approx({MEDIAN: 1.5, POSITIVE: 1, SURE: 1, SURE_NEGATIVE: 0})
    assert up.p[MEDIAN] == up.p[SURE] == 1 / 32
    assert up.p_opposite[MEDIAN] == 1
    assert up.p_two_sided[MEDIAN] == 1 / 16


def test_losses_everywhere_are_seen_as_well_as_gains() -> None:
    """Sixty specifications, all surely below zero: no share is surely positive, in any flip but
    the opposite one."""
    gains = np.random.default_rng(5).normal(-2, 0.1, (60, 5))
    test = joint_inference(curve_of(gains), 4.69)
    assert test is not None
    assert (test.observed[SURE], test.observed[SURE_NEGATIVE]) == (0, 1)
    assert test.p[SURE] == 1  # every flip has as many
    assert (test.p[SURE_NEGATIVE], test.p_two_sided[SURE_NEGATIVE]) == (1 / 32, 1 / 16)
    assert test.p_two_sided[MEDIAN] == 1 / 16


def test_equal_gains_show_no_spread_and_one_seed_settles_nothing() -> None:
    equal = joint_inference(curve_of(np.full((3, 4), 0.7)), 4.69)
    assert equal is not None
    assert equal.observed[SURE] == 0
    one = joint_inference(curve_of(np.array([[1.0], [2.0]])), 4.69)
    assert one is not None
    assert one.p == {MEDIAN: 0.5, POSITIVE: 0.5, SURE: 1.0, SURE_NEGATIVE: 1.0}
    assert joint_inference(specifications({}, LEVELS, CURVE), 4.69) is None


def test_many_seeds_are_flipped_at_random_and_agree_with_a_normal_tail() -> None:
    gains = np.random.default_rng(2).normal(0.3, 1, (1, 40))
    test = joint_inference(curve_of(gains), 4.69, flips=4000)
    assert test is not None
    assert (test.exact, test.flips) == (False, 4001)
    z = gains.sum() / math.sqrt((gains**2).sum())
    assert test.p[MEDIAN] == pytest.approx(0.5 * math.erfc(z / math.sqrt(2)), abs=0.03)


def rejections(gain: float, trials: int) -> dict[str, float]:
    """Return how often p <= 1/16 for 8 dependent specifications of 6 seeds."""
    rng = np.random.default_rng(7)
    found = {MEDIAN: 0, POSITIVE: 0, SURE: 0}
    for _ in range(trials):
        gains = gain + rng.normal(size=(1, 6)) + 0.5 * rng.normal(size=(8, 6))
        test = joint_inference(curve_of(gains), 4.69)
        assert test is not None
        for name in found:
            found[name] += test.p[name] <= 1 / 16
    return {name: number / trials for name, number in found.items()}


def test_error_rate_under_no_gain_anywhere_and_power() -> None:
    """The rate is at most 1/16; 300 trials tell it to a standard error of 0.014."""
    null = rejections(0.0, 300)
    error = math.sqrt(1 / 16 * 15 / 16 / 300)
    assert all(rate <= 1 / 16 + 5 * error for rate in null.values())
    assert abs(null[MEDIAN] - 1 / 16) <= 5 * error  # the median has no ties: exact
    assert rejections(2.0, 60)[MEDIAN] > 0.9


def test_counts_extremes_and_choices() -> None:
    specs = specifications(FINALS, LEVELS, CURVE)
    found = count(specs)
    assert (found.specifications, found.with_gain, found.unpaired) == (4, 3, 0)
    assert (found.surely_positive, found.surely_negative, found.undecided) == (1, 1, 1)
    assert found.share(Verdict.REPRODUCED) == pytest.approx(1 / 3)
    helps, hurts = extremes(specs, 1)
    assert ([s.treatment for s in helps], [s.treatment for s in hurts]) == ([ON[0]], [ON[1]])
    choices = by_choice(specs)
    assert list(choices) == ["epochs", "eta"]
    assert choices["epochs"]["1"].median == pytest.approx((4.7 - 2) / 2)
    assert choices["eta"]["0.1"].with_gain == 1


def test_survivors_of_divergence_are_counted_and_not_ranked() -> None:
    whole = extremes(specifications(FINALS, LEVELS, CURVE), 5)
    assert [len(side) for side in whole] == [2, 1]
    by_treatment = specifications(FINALS, LEVELS, CURVE, diverged={ON[0]: 1})
    assert [len(side) for side in extremes(by_treatment, 5)] == [1, 1]
    # ON[0] and ON[1] share the baseline: both are out, its two runs are counted once.
    by_both = specifications(FINALS, LEVELS, CURVE, diverged={ON[0]: 1, OFF_1: 2})
    assert [len(side) for side in extremes(by_both, 5)] == [1, 0]
    said = " ".join(section(curve_finding(CURVE, by_both, None)).paragraphs)
    assert "1 run of the treatment and 2 of the baseline, in 2 specifications" in said


@pytest.mark.parametrize("finals", [FINALS, {}, {OFF_1: {0: 90.0}, ON[0]: {0: 50.0}}])
def test_json_is_strict_and_the_section_can_be_drawn(
    finals: dict[str, dict[int, float]],
) -> None:
    specs = specifications(finals, LEVELS, CURVE)
    finding = curve_finding(CURVE, specs, joint_inference(specs, CURVE.reported))
    assert json.loads(json.dumps(as_json(finding), allow_nan=False))
    shown = section(finding)
    assert bool(shown.drawings) == bool(finals)
    for table in shown.tables:
        assert all(len(row) == len(table.header) for row in table.rows)
    for drawing in shown.drawings:
        figure = drawing.draw()
        figure.draw_without_rendering()
        plt.close(figure)
