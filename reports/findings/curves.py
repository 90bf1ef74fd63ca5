"""Specification curve: one gain under every defensible choice, judged together.

A claim was made under one set of choices. Where these choices are not published, the gain is
computed under all their crossings, and the gains are shown in order (Simonsohn, Simmons and Nelson
2020). A joint test, here adapted to paired seeds, asks whether all the gains together are more than
chance: if the treatment did nothing anywhere, every gain could as well have had the other sign. All
specifications share their seeds, so the gains of a seed are flipped together; this keeps their
dependence, whatever it is.

The test assumes that under "no gain anywhere" the vector of a seed's gains is as likely as its
negative. This is certain where the two conditions are interchangeable, and where accuracies are
normal. Where many specifications share one baseline with skewed accuracies, it holds only nearly.

Accuracies are in %, gains in points. For a reported loss the axis is mirrored, as in
``reports.numbers.verdict``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import stats

from reports.numbers.statistics import (
    GAIN_DECIMALS,
    ROUNDING,
    Floats,
    Interval,
    paired_gains,
    t_interval,
)
from reports.numbers.study import Curve
from reports.numbers.verdict import Verdict, decide

EXACT_SEEDS = 12  # with at most this many seeds, all 2^n flips are counted
FLIPS = 9_999  # with more seeds, this many random flips are drawn

MEDIAN, POSITIVE, SURE = "median gain", "share positive", "share surely positive"


@dataclass(frozen=True)
class Specification:
    """The gain under one set of choices.

    Attributes
    ----------
    treatment, baseline : names of the conditions; ``baseline`` is None where the study has none.
    place : position of the treatment in the study.
    choices : the treatment's level of every factor that is not part of the contrast.
    seeds, gains : the seeds that are done for both conditions, in rising order, and treatment minus
        baseline of each, in points.
    dropped : how many of the report's seeds have no gain here: they diverged, failed or did not yet
        run.
    diverged : how many cells of the treatment diverged.
    baseline_diverged : how many cells of the baseline diverged.
    gain, baseline_accuracy : means over ``seeds``, in points and %; None without seeds.
    ci95 : t interval of the gain; infinite for one seed; None without seeds.
    status : where ``ci95`` lies: "above zero", "below zero" or "undecided"; None without seeds.
    verdict : the one on the curve's reported gain, at the curve's alpha; None without seeds.
    """

    treatment: str
    baseline: str | None
    place: int
    choices: dict[str, str]
    seeds: tuple[int, ...]
    gains: tuple[float, ...]
    dropped: int
    diverged: int
    baseline_diverged: int
    gain: float | None
    baseline_accuracy: float | None
    ci95: Interval | None
    status: str | None
    verdict: Verdict | None


def specifications(
    finals: Mapping[str, Mapping[int, float]],
    levels: Mapping[str, Mapping[str, str]],
    curve: Curve,
    *,
    diverged: Mapping[str, int] | None = None,
    seeds: Collection[int] | None = None,
) -> list[Specification]:
    """Return the gain of every specification of a curve, sorted by gain.

    Each condition with the curve's treatment levels is a treatment. Its baseline is the condition
    with the same levels, except that the curve's baseline levels replace the treatment levels. A
    factor that the baseline does not have (eta arises only with plasticity) is not compared, so
    several specifications may share a baseline.

    Parameters
    ----------
    finals : final accuracy in % by condition and seed, of finished cells only.
    levels : by condition, the level of each factor that the condition has.
    diverged : by condition, how many cells diverged.
    seeds : those that the report is about; None stands for all that any condition finished.

    Returns
    -------
    Specifications by rising gain, then those without a gain in the study's order.

    Raises
    ------
    ValueError
        Where two conditions both fit as a baseline, or an accuracy is not finite.
    """
    report_seeds = (
        set(seeds)
        if seeds is not None
        else {seed for by_seed in finals.values() for seed in by_seed}
    )
    specs = []
    for place, (name, chosen) in enumerate(levels.items()):
        if not curve.treatment.items() <= chosen.items():
            continue
        baseline = _baseline(name, chosen, levels, curve)
        after = finals.get(name, {})
        before = finals.get(baseline, {}) if baseline is not None else {}
        both = sorted(report_seeds & after.keys() & before.keys())
        gains = (
            paired_gains([after[seed] for seed in both], [before[seed] for seed in both])
            if both
            else None
        )
        ci95 = None if gains is None else t_interval(gains, 0.95)
        diverged_cells = diverged or {}
        specs.append(
            Specification(
                treatment=name,
                baseline=baseline,
                place=place,
                choices={
                    factor: level
                    for factor, level in chosen.items()
                    if factor not in curve.treatment
                },
                seeds=tuple(both),
                gains=() if gains is None else tuple(gains.tolist()),
                dropped=len(report_seeds) - len(both),
                diverged=diverged_cells.get(name, 0),
                baseline_diverged=diverged_cells.get(baseline, 0) if baseline is not None else 0,
                gain=None if gains is None else float(gains.mean()),
                baseline_accuracy=float(np.mean([before[seed] for seed in both])) if both else None,
                ci95=ci95,
                status=None if ci95 is None else _side(ci95),
                verdict=None if gains is None else _verdict(gains, curve),
            )
        )
    return sorted(
        specs,
        key=lambda spec: (spec.gain is None, 0.0 if spec.gain is None else spec.gain, spec.place),
    )


def _side(interval: Interval) -> str:
    if interval.low > 0:
        return "above zero"
    return "below zero" if interval.high < 0 else "undecided"


def _baseline(
    name: str, chosen: Mapping[str, str], levels: Mapping[str, Mapping[str, str]], curve: Curve
) -> str | None:
    wanted = {**chosen, **curve.baseline}.items()
    fits = [
        other
        for other, other_levels in levels.items()
        if other != name
        and curve.baseline.items() <= other_levels.items()
        and other_levels.items() <= wanted
    ]
    if len(fits) > 1:
        raise ValueError(
            f"curve '{curve.id}': both '{fits[0]}' and '{fits[1]}' would do as the baseline of "
            f"'{name}'; name a level in the curve's baseline that only one of them has"
        )
    return fits[0] if fits else None


def _verdict(gains: Floats, curve: Curve) -> Verdict:
    # The same verdict as ``verdict.judge`` gives; hundreds of gains need no bootstrap and p-values.
    return decide(
        t_interval(gains, 1 - curve.alpha),
        t_interval(gains, 1 - 2 * curve.alpha),
        curve.reported,
        curve.margin,
        curve.negligible,
    )


@dataclass(frozen=True)
class JointTest:
    """All specifications against "no gain anywhere"; from ``joint_inference``.

    Attributes
    ----------
    specifications : how many have a gain; the others take no part.
    seeds : how many seeds were flipped.
    exact : whether all 2^seeds flips were counted; otherwise random flips were drawn.
    flips : how many flips the p-values count, with the observed signs.
    smallest_p : the smallest possible p-value.
    observed : by name of the statistic: median gain in points, share of specifications with a
        positive gain, share whose 95% t interval lies above 0. For a reported loss, a loss counts
        as a gain.
    p : one-sided p-value, the share of flips whose statistic is as large or larger.
    p_opposite : the share of flips whose statistic is as small or smaller.
    """

    specifications: int
    seeds: int
    exact: bool
    flips: int
    smallest_p: float
    observed: dict[str, float]
    p: dict[str, float]
    p_opposite: dict[str, float]


def joint_inference(
    specs: Sequence[Specification], reported: float, *, flips: int = FLIPS, seed: int = 0
) -> JointTest | None:
    """Test all specifications together by flipping the signs of whole seeds.

    With at most n = 12 seeds all 2^n flips are counted; the p-values are then exact and at least
    2^-n. With more seeds, ``flips`` random flips and the observed signs are counted (Phipson and
    Smyth 2010). A seed that some specifications lack is flipped in those that have it, so each
    specification keeps its own seeds, mean and spread.

    Parameters
    ----------
    reported : only its sign counts; where it is negative, a loss counts as a gain.
    seed : that of the random generator.

    Returns
    -------
    None where no specification has a gain.
    """
    with_gain = [spec for spec in specs if spec.seeds]
    if not with_gain:
        return None
    seeds = sorted({flipped for spec in with_gain for flipped in spec.seeds})
    column = {flipped: place for place, flipped in enumerate(seeds)}
    gains = np.zeros((len(with_gain), len(seeds)))
    counts = np.array([len(spec.seeds) for spec in with_gain])
    for row, spec in zip(gains, with_gain, strict=True):
        row[[column[flipped] for flipped in spec.seeds]] = spec.gains
    gains *= math.copysign(1, reported)
    exact = len(seeds) <= EXACT_SEEDS
    if exact:  # the first row flips no seed
        signs = np.array(list(product([1.0, -1.0], repeat=len(seeds))))
    else:
        drawn = np.random.default_rng(seed).choice([1.0, -1.0], (flips, len(seeds)))
        signs = np.concatenate([np.ones((1, len(seeds))), drawn])
    statistics = _statistics(gains, counts, signs)
    near = 10.0**-GAIN_DECIMALS  # equal statistics may differ by rounding errors
    return JointTest(
        specifications=len(with_gain),
        seeds=len(seeds),
        exact=exact,
        flips=len(signs),
        smallest_p=1 / len(signs),
        observed={name: float(values[0]) for name, values in statistics.items()},
        p={name: float(np.mean(values >= values[0] - near)) for name, values in statistics.items()},
        p_opposite={
            name: float(np.mean(values <= values[0] + near)) for name, values in statistics.items()
        },
    )


def _statistics(gains: Floats, counts: np.ndarray, signs: Floats) -> dict[str, Floats]:
    """Return each statistic under each flip, (flips,).

    ``gains`` is (specifications, seeds) with 0 where a specification lacks the seed, ``counts`` the
    number of seeds of each specification, ``signs`` (flips, seeds).
    """
    mean = signs @ gains.T / counts
    # Where the mean of the flipped gains is as large as the largest, they are equal: no spread.
    varied = np.abs(gains).max(axis=1) - np.abs(mean) > ROUNDING
    mean = np.round(mean, GAIN_DECIMALS)
    squares = (gains**2).sum(axis=1)  # flips do not change them
    spread = np.maximum(squares - counts * mean**2, 0) / np.maximum(counts - 1, 1)
    critical = stats.t.ppf(0.975, np.maximum(counts - 1, 1))
    sure = varied & (mean > critical * np.sqrt(spread / counts))
    return {
        MEDIAN: np.round(np.median(mean, axis=1), GAIN_DECIMALS),
        POSITIVE: np.mean(mean > 0, axis=1),
        SURE: np.mean(sure, axis=1),
    }


def extremes(
    specs: Sequence[Specification], k: int = 5
) -> tuple[list[Specification], list[Specification]]:
    """Return where the treatment helps most and where it hurts most, up to ``k`` each.

    Only gains above 0 help, and only gains below 0 hurt; the most extreme come first. A
    specification in which a run diverged takes no part: the mean over the remaining seeds says how
    good these are, not how good the choice is.
    """
    gained = [
        (spec.gain, spec)
        for spec in specs
        if spec.gain is not None and not spec.diverged and not spec.baseline_diverged
    ]
    up = sorted(
        (pair for pair in gained if pair[0] > 0), key=lambda pair: (-pair[0], pair[1].place)
    )
    down = sorted(
        (pair for pair in gained if pair[0] < 0), key=lambda pair: (pair[0], pair[1].place)
    )
    return [spec for _, spec in up[:k]], [spec for _, spec in down[:k]]


@dataclass(frozen=True)
class CurveCounts:
    """How many specifications have a gain, which sign it surely has, and which verdict.

    Attributes
    ----------
    specifications, with_gain : how many there are, and how many have at least one pair of seeds.
    unpaired : how many have no baseline condition.
    surely_positive, surely_negative, undecided : how many 95% intervals lie above, below and across
        zero.
    verdicts : by verdict, how many have it.
    median : median gain in points; None where no specification has a gain.
    """

    specifications: int
    with_gain: int
    unpaired: int
    surely_positive: int
    surely_negative: int
    undecided: int
    verdicts: dict[Verdict, int]
    median: float | None

    def share(self, verdict: Verdict) -> float | None:
        """Return the share of a verdict among the specifications with a gain; None without any."""
        return self.verdicts[verdict] / self.with_gain if self.with_gain else None


def count(specs: Sequence[Specification]) -> CurveCounts:
    """Count the gains, intervals and verdicts of the specifications."""
    gains = [spec.gain for spec in specs if spec.gain is not None]
    status = Counter(spec.status for spec in specs)
    verdicts = Counter(spec.verdict for spec in specs)
    return CurveCounts(
        specifications=len(specs),
        with_gain=len(gains),
        unpaired=sum(spec.baseline is None for spec in specs),
        surely_positive=status["above zero"],
        surely_negative=status["below zero"],
        undecided=status["undecided"],
        verdicts={verdict: verdicts[verdict] for verdict in Verdict},
        median=float(np.median(gains)) if gains else None,
    )


def factor_levels(specs: Sequence[Specification]) -> dict[str, list[str]]:
    """Return the levels of each factor that the specifications choose, in the study's order."""
    levels_of: dict[str, list[str]] = {}
    for spec in sorted(specs, key=lambda spec: spec.place):
        for factor, level in spec.choices.items():
            levels = levels_of.setdefault(factor, [])
            if level not in levels:
                levels.append(level)
    return levels_of


def by_choice(specs: Sequence[Specification]) -> dict[str, dict[str, CurveCounts]]:
    """Return by factor and level, in the study's order, the counts of its specifications."""
    return {
        factor: {
            level: count([spec for spec in specs if spec.choices.get(factor) == level])
            for level in levels
        }
        for factor, levels in factor_levels(specs).items()
    }


@dataclass(frozen=True)
class CurveFinding:
    """A curve that a study asks for, and what its specifications say; from ``curve_finding``.

    Attributes
    ----------
    id, text, treatment, baseline, reported, margin, negligible, alpha : as in the study.
    counts, by_choice : counts of all specifications, and of those with each level of a factor.
    joint : the test of all specifications together; None where none has a gain.
    specifications : by rising gain, those without a gain last.
    """

    id: str
    text: str
    treatment: Mapping[str, str]
    baseline: Mapping[str, str]
    reported: float
    margin: float
    negligible: float
    alpha: float
    counts: CurveCounts
    joint: JointTest | None
    by_choice: dict[str, dict[str, CurveCounts]]
    specifications: list[Specification]


def curve_finding(
    curve: Curve, specs: list[Specification], joint: JointTest | None
) -> CurveFinding:
    """Put together a curve, its specifications and their joint test."""
    return CurveFinding(
        id=curve.id,
        text=curve.text,
        treatment=dict(curve.treatment),
        baseline=dict(curve.baseline),
        reported=curve.reported,
        margin=curve.margin,
        negligible=curve.negligible,
        alpha=curve.alpha,
        counts=count(specs),
        joint=joint,
        by_choice=by_choice(specs),
        specifications=specs,
    )
