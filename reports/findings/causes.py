"""What a study's factors say about the cause of a gain, where they say anything.

There are five parts; a part is empty where the study has no factors for it.

- A claim whose two conditions differ in several factors is taken apart.
- A complete two-level crossing gives main effects and interactions.
- Where no claim is taken apart and there is no curve, a factor with more than two levels has its
  levels compared with the first.
- A curve shows one gain under every other choice.
- A factor that sets the order of mini-batches, crossed with seeds, divides the spread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.findings import variance
from reports.findings.attribution import Attribution, decompose
from reports.findings.contrasts import final_accuracies, same_of, seeds_of
from reports.findings.curves import CurveFinding, curve_finding
from reports.findings.effects import Effect, LevelGain, against_reference, effects
from reports.findings.joint_test import joint_inference
from reports.findings.specifications import specifications
from reports.numbers.records import Record
from reports.numbers.study import Curve, Study


@dataclass(frozen=True)
class Causes:
    """All findings about causes; from ``causes``. A part without factors is empty.

    Attributes
    ----------
    decompositions : by claim, its gain taken apart; None where that is impossible.
    effects : those of the complete factorial.
    levels : by factor, the gains of its levels over the first.
    curves : gains under every other choice.
    variances : by method, where the spread over seeds comes from; None where it is unknown.
    """

    decompositions: dict[str, Attribution | None]
    effects: list[Effect]
    levels: dict[str, list[LevelGain]]
    curves: list[CurveFinding]
    variances: dict[str, variance.VarianceComponents | None]


def causes(records: Sequence[Record], study: Study) -> Causes:
    """Find what the selected records say about causes; their order does not matter."""
    finals, same = final_accuracies(records), same_of(records)
    levels = {
        name: condition.levels for name, condition in study.conditions.items() if condition.levels
    }
    orders = [name for name, factor in study.factors.items() if _sets_order(factor)]
    decompositions = {
        claim.id: decompose(finals, levels, claim.treatment, claim.baseline, same)
        for claim in study.gains
        if claim.expected is None and _differ_in_several(levels, claim.treatment, claim.baseline)
    }
    compared_factors = [
        name
        for name, factor in study.factors.items()
        if len(factor.levels) > 2 and name not in orders and not (study.curves or decompositions)
    ]
    compared = {name: against_reference(finals, levels, name, same) for name in compared_factors}
    return Causes(
        decompositions=decompositions,
        effects=effects(finals, levels, same),
        levels={name: gains for name, gains in compared.items() if gains},
        curves=[_curve(curve, finals, levels, records, study) for curve in study.curves],
        variances=_variances(finals, levels, study, orders),
    )


def judged_curve(curve: Curve, records: Sequence[Record], study: Study) -> CurveFinding:
    """Judge one curve by the selected records, whether the study asks for it or not."""
    levels = {name: one.levels for name, one in study.conditions.items() if one.levels}
    return _curve(curve, final_accuracies(records), levels, records, study)


def _curve(
    curve: Curve,
    finals: Mapping[str, Mapping[int, float]],
    levels: Mapping[str, Mapping[str, str]],
    records: Sequence[Record],
    study: Study,
) -> CurveFinding:
    diverged = {
        name: sum(
            record["condition"] == name and record["status"] == "diverged" for record in records
        )
        for name in {record["condition"] for record in records if record["status"] == "diverged"}
    }
    specs = specifications(
        finals,
        levels,
        curve,
        diverged=diverged,
        seeds=seeds_of(records, study),
        same=same_of(records),
    )
    return curve_finding(curve, specs, joint_inference(specs, curve.reported))


def _differ_in_several(
    levels: Mapping[str, Mapping[str, str]], treatment: str, baseline: str
) -> bool:
    treatment_levels, baseline_levels = levels.get(treatment, {}), levels.get(baseline, {})
    differing = [
        factor for factor, level in treatment_levels.items() if baseline_levels.get(factor) != level
    ]
    return len(differing) > 1


def _sets_order(factor: Any) -> bool:
    return all("order_seed" in fields.get("protocol", {}) for fields in factor.levels.values())


def _variances(
    finals: Mapping[str, Mapping[int, float]],
    levels: Mapping[str, Mapping[str, str]],
    study: Study,
    orders: Sequence[str],
) -> dict[str, variance.VarianceComponents | None]:
    """Divide the spread where one factor sets the order and exactly one other the method."""
    methods = [name for name in study.factors if name not in orders]
    if len(orders) != 1 or len(methods) != 1:
        return {}
    tables = variance.tables(finals, levels, method=methods[0], order=orders[0])
    return {
        name: variance.decompose(table) for name, table in variance.with_differences(tables).items()
    }
