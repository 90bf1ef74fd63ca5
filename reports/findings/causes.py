"""What a study's factors say about the cause of a gain, where they say anything.

A claim whose two conditions differ in several factors is taken apart; a complete two-level
crossing gives main effects and interactions; where no claim is taken apart, levels of a factor
with more than two are compared with its first; a curve shows one gain under every other choice; a
factor that sets the order of mini-batches, crossed with seeds, divides the spread. What a study has
no factors for is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from reports.findings import variance
from reports.findings.analysis import JudgedStudyLike, final_accuracies, seeds_of
from reports.findings.curves import (
    CurveLike,
    JointTest,
    Specification,
    joint_inference,
    specifications,
)
from reports.findings.factorial import (
    Decomposition,
    Effect,
    LevelGain,
    against_reference,
    decompose,
    effects,
)
from reports.numbers.tables import Record
from reports.sections import curves as specification_section
from reports.sections import factorial as factorial_section
from reports.sections.section import Section


class CrossedStudyLike(JudgedStudyLike, Protocol):
    """A study whose conditions may arise from factors."""

    @property
    def factors(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def curves(self) -> Sequence[CurveLike]: ...  # noqa: D102


@dataclass(frozen=True)
class Curve:
    """A specification curve with its gains and the test of all of them together."""

    curve: CurveLike
    specifications: list[Specification]
    joint: JointTest | None


@dataclass(frozen=True)
class Causes:
    """What was found; from ``causes``. Each part is empty where the study does not ask for it."""

    decompositions: dict[str, Decomposition | None]
    effects: list[Effect]
    levels: dict[str, list[LevelGain]]
    curves: list[Curve]
    variances: dict[str, variance.Decomposition | None]

    def findings(self) -> list[str]:
        """Return the sentences that belong beside a verdict."""
        said = [factorial_section.sentence(one) for one in self.decompositions.values() if one]
        said += [
            specification_section.summary(one.curve, one.specifications) for one in self.curves
        ]
        said += [variance.sentence(n, one) for n, one in self.variances.items() if one]
        return said + [
            factorial_section.levels_section(own).paragraphs[0] for own in self.levels.values()
        ]

    def sections(self) -> list[Section]:
        """Return the report's sections, figures drawn."""
        found = []
        if self.decompositions:
            found.append(factorial_section.decomposition_section(self.decompositions))
        if self.effects:
            found.append(factorial_section.effects_section(self.effects))
        found += [factorial_section.levels_section(own) for own in self.levels.values()]
        found += [
            specification_section.section(one.curve, one.specifications, one.joint)
            for one in self.curves
        ]
        if self.variances:
            found.append(variance.section(self.variances))
        return found

    def as_json(self) -> dict[str, Any]:
        """Return all of it as strict JSON; only the parts that the study asks for.

        ``decompositions`` by claim; ``effects``; ``levels`` by factor; ``curves``; ``variances``
        by method: see the modules that this one imports.
        """
        parts: dict[str, Any] = {
            "decompositions": {
                name: factorial_section.decomposition_json(one)
                for name, one in self.decompositions.items()
            },
            "effects": [factorial_section.effect_json(one) for one in self.effects],
            "levels": {
                name: [factorial_section.level_json(one) for one in own]
                for name, own in self.levels.items()
            },
            "curves": [
                specification_section.as_json(one.curve, one.specifications, one.joint)
                for one in self.curves
            ],
            "variances": variance.as_json(self.variances),
        }
        return {name: part for name, part in parts.items() if part}


def causes(records: Sequence[Record], study: CrossedStudyLike) -> Causes:
    """Find what the selected records say about causes; their order does not matter."""
    finals = final_accuracies(records)
    levels = {name: c.levels for name, c in study.conditions.items() if c.levels}
    orders = [name for name, factor in study.factors.items() if _sets_order(factor)]
    apart = {
        claim.id: decompose(finals, levels, claim.treatment, claim.baseline)
        for claim in study.claims
        if claim.expected is None and _several(levels, claim.treatment, claim.baseline)
    }
    several = [
        name
        for name, factor in study.factors.items()
        if len(factor.levels) > 2 and name not in orders and not (study.curves or apart)
    ]
    compared = {name: against_reference(finals, levels, name) for name in several}
    return Causes(
        decompositions=apart,
        effects=effects(finals, levels),
        levels={name: found for name, found in compared.items() if found},
        curves=[_curve(curve, finals, levels, records, study) for curve in study.curves],
        variances=_variances(finals, levels, study, orders),
    )


def _curve(
    curve: CurveLike,
    finals: Mapping[str, Mapping[int, float]],
    levels: Mapping[str, Mapping[str, str]],
    records: Sequence[Record],
    study: CrossedStudyLike,
) -> Curve:
    diverged = {
        name: sum(r["condition"] == name and r["status"] == "diverged" for r in records)
        for name in {r["condition"] for r in records if r["status"] == "diverged"}
    }
    specs = specifications(finals, levels, curve, diverged=diverged, seeds=seeds_of(records, study))
    return Curve(curve, specs, joint_inference(specs, curve.reported))


def _several(levels: Mapping[str, Mapping[str, str]], treatment: str, baseline: str) -> bool:
    ours, theirs = levels.get(treatment, {}), levels.get(baseline, {})
    return sum(theirs.get(factor) != level for factor, level in ours.items()) > 1


def _sets_order(factor: Any) -> bool:
    return all("order_seed" in fields.get("protocol", {}) for fields in factor.levels.values())


def _variances(
    finals: Mapping[str, Mapping[int, float]],
    levels: Mapping[str, Mapping[str, str]],
    study: CrossedStudyLike,
    orders: Sequence[str],
) -> dict[str, variance.Decomposition | None]:
    """Divide the spread where one factor sets the order and one other the method."""
    methods = [name for name in study.factors if name not in orders]
    if len(orders) != 1 or len(methods) != 1:
        return {}
    found = variance.tables(finals, levels, method=methods[0], order=orders[0])
    return {n: variance.decompose(t) for n, t in variance.with_differences(found).items()}
