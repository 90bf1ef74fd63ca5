"""The gain of a claim under every crossing of the choices that were not published.

One specification is one set of choices: a treatment, its baseline, and the gain over the seeds that
are done for both. Accuracies are in %, gains in points.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from reports.findings.crossing import Same, not_known
from reports.numbers.intervals import Floats, Interval, t_interval
from reports.numbers.paired import paired_gains
from reports.numbers.study import Curve
from reports.numbers.verdict import Verdict, decide


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
    same: Same = not_known,
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
    same : tells whether two conditions did the same on some seeds.

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
        zero = gains is not None and baseline is not None and same(name, baseline, both)
        ci95 = None if gains is None else t_interval(gains, 0.95, same=zero)
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
                verdict=None if gains is None else _verdict(gains, curve, zero),
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


def _verdict(gains: Floats, curve: Curve, zero: bool) -> Verdict:
    # The same verdict as ``verdict.judge`` gives; hundreds of gains need no bootstrap and p-values.
    return decide(
        t_interval(gains, 1 - curve.alpha, same=zero),
        t_interval(gains, 1 - 2 * curve.alpha, same=zero),
        curve.reported,
        curve.margin,
        curve.negligible,
    )
