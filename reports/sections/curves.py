"""A specification curve in the report and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.figures.curves import draw_curve
from reports.findings.curves import (
    Counts,
    CurveLike,
    JointTest,
    Specification,
    by_choice,
    count,
    extremes,
)
from reports.numbers.verdict import SIGNS, Verdict, margin_reaches_zero
from reports.sections.section import Drawing, Section, Table
from reports.sections.words import counted, interval, p_value


def as_json(
    curve: CurveLike, specs: Sequence[Specification], joint: JointTest | None
) -> dict[str, Any]:
    """Return a curve's results as strict JSON.

    ``id``, ``text``, ``treatment``, ``baseline``, ``reported``, ``margin``, ``negligible``,
    ``alpha`` as in the study; ``counts``; ``joint``, null without a gain; ``by_choice`` by factor
    and level, counts each; ``specifications``, by rising gain, those without one last. Counts and
    joint test have the keys of ``Counts`` and ``JointTest``, specifications those of
    ``Specification``; gains are in points, accuracies in %, intervals [low, high] with null for
    an infinite end.
    """
    return {
        "id": curve.id,
        "text": curve.text,
        "treatment": dict(curve.treatment),
        "baseline": dict(curve.baseline),
        "reported": curve.reported,
        "margin": curve.margin,
        "negligible": curve.negligible,
        "alpha": curve.alpha,
        "counts": _counts_json(count(specs)),
        "joint": None if joint is None else _joint_json(joint),
        "by_choice": {
            factor: {level: _counts_json(one) for level, one in levels.items()}
            for factor, levels in by_choice(specs).items()
        },
        "specifications": [_spec_json(spec) for spec in specs],
    }


def _counts_json(one: Counts) -> dict[str, Any]:
    return {
        "specifications": one.specifications,
        "with_gain": one.with_gain,
        "unpaired": one.unpaired,
        "surely_positive": one.surely_positive,
        "surely_negative": one.surely_negative,
        "undecided": one.undecided,
        "verdicts": {verdict.value: number for verdict, number in one.verdicts.items()},
        "median": one.median,
    }


def _joint_json(one: JointTest) -> dict[str, Any]:
    return {
        "specifications": one.specifications,
        "seeds": one.seeds,
        "exact": one.exact,
        "flips": one.flips,
        "smallest_p": one.smallest_p,
        "observed": dict(one.observed),
        "p": dict(one.p),
        "p_opposite": dict(one.p_opposite),
    }


def _spec_json(spec: Specification) -> dict[str, Any]:
    return {
        "treatment": spec.treatment,
        "baseline": spec.baseline,
        "place": spec.place,
        "choices": dict(spec.choices),
        "seeds": list(spec.seeds),
        "gains": list(spec.gains),
        "dropped": spec.dropped,
        "diverged": spec.diverged,
        "baseline_diverged": spec.baseline_diverged,
        "gain": spec.gain,
        "baseline_accuracy": spec.baseline_accuracy,
        "ci95": None if spec.ci95 is None else spec.ci95.as_json(),
        "status": spec.status,
        "verdict": None if spec.verdict is None else spec.verdict.value,
    }


def section(
    curve: CurveLike,
    specs: Sequence[Specification],
    joint: JointTest | None,
    *,
    k: int = 5,
) -> Section:
    """Return the report's section on one curve.

    Parameters
    ----------
    specs, joint : from ``specifications`` and ``joint_inference``.
    k : how many of the largest and of the smallest gains are listed.
    """
    id_, title = f"curve-{curve.id}", f"Specification curve: {curve.text}"
    found = count(specs)
    paragraphs = [summary(curve, specs), *_gaps(specs, found)]
    if margin_reaches_zero(curve.reported, curve.margin):
        paragraphs.append(
            "No specification can be REPRODUCED: the margin is not smaller than the reported "
            f"{'gain' if curve.reported > 0 else 'loss'}, so that almost any would lie within it."
        )
    if not found.with_gain:
        return Section(id_, title, paragraphs)
    tables = []
    if joint is not None:
        paragraphs.append(_joint_words(joint))
        tables.append(_joint_table(joint, curve.reported))
    helps, hurts = extremes(specs, k)
    if helps:
        tables.append(
            _extremes_table(
                "Where the gain is largest, of specifications in which no run diverged", helps
            )
        )
    if hurts:
        tables.append(
            _extremes_table(
                "Where the loss is largest, of specifications in which no run diverged", hurts
            )
        )
    tables.append(_choices_table(specs))
    alt = "All gains in order with 95% intervals, and the choices behind each. " + paragraphs[0]
    drawing = Drawing(f"curve-{curve.id}", alt, draw_curve(specs, curve))
    return Section(id_, title, paragraphs, [drawing], tables)


def summary(curve: CurveLike, specs: Sequence[Specification]) -> str:
    """Return in a few sentences what a curve shows."""
    found = count(specs)
    if found.median is None:
        return f"None of {found.specifications} specifications has a pair of seeds yet."
    of = found.with_gain
    said = [f"{n} {verdict}" for verdict, n in found.verdicts.items() if n]
    return (
        f"The gain of {_levels(curve.treatment)} over {_levels(curve.baseline)} under {of} "
        f"combinations of the other choices: the median is {found.median:+.2f} points, against "
        f"the reported {curve.reported:+.2f} (margin {curve.margin:.2f}). The 95% interval lies "
        f"above zero in {found.surely_positive}, below zero in {found.surely_negative} and "
        f"holds zero in {found.undecided}. Verdicts: {', '.join(said)}. These are counts of "
        "specifications, not of independent experiments: all share the same seeds, and many "
        "share a baseline."
    )


def _gaps(specs: Sequence[Specification], found: Counts) -> list[str]:
    """Return what is missing, and what its absence hides."""
    dropped = [spec.dropped for spec in specs if spec.baseline is not None and spec.dropped]
    said = []
    if found.unpaired:
        said.append(f"{found.unpaired} have no condition to be compared with")
    if dropped:
        said.append(f"{len(dropped)} lack some of the seeds, {sum(dropped)} pairs in all")
    paragraphs = [f"Of {found.specifications} specifications, {'; '.join(said)}."] if said else []
    touched = sum(bool(spec.diverged or spec.baseline_diverged) for spec in specs)
    if touched:
        # Several treatments may share a baseline, whose runs are then counted once.
        before = {spec.baseline: spec.baseline_diverged for spec in specs}
        treated = counted(sum(spec.diverged for spec in specs), "run")
        paragraphs.append(
            f"Diverged: {treated} of the treatment and {sum(before.values())} of the baseline, in "
            f"{counted(touched, 'specification')}. A diverged run has no accuracy, so the gains "
            "there are over the other seeds, and flatter the side that diverges more."
        )
    return paragraphs


def _joint_words(joint: JointTest) -> str:
    flips = (
        f"all {joint.flips} ways to flip the signs of {joint.seeds} "
        f"seed{'s' * (joint.seeds != 1)} are counted"
        if joint.exact
        else f"{joint.flips} ways to flip the signs of {joint.seeds} seeds are counted"
    )
    return (
        "Joint test (Simonsohn, Simmons and Nelson 2020, with paired seeds): if there were no "
        "gain under any choice, the gains of a seed could all have had the other sign. To keep "
        f"their dependence, {flips} for all specifications together, so no p-value can be below "
        f"{p_value(joint.smallest_p)}."
    )


def _joint_table(joint: JointTest, reported: float) -> Table:
    what = "gain" if reported > 0 else "loss"
    rows = []
    for name, value in joint.observed.items():
        shown = f"{100 * value:.0f}%" if name.startswith("share") else f"{value:+.2f} points"
        label = name.replace("gain", what)
        rows.append([label, shown, p_value(joint.p[name]), p_value(joint.p_opposite[name])])
    return Table(
        f"All {joint.specifications} specifications together, against no {what} anywhere",
        ["statistic", "observed", "p (as large)", "p (as small)"],
        rows,
    )


def _extremes_table(caption: str, specs: Sequence[Specification]) -> Table:
    rows = [
        [
            _levels(spec.choices),
            f"{spec.gain:+.2f}",
            "" if spec.ci95 is None else interval(spec.ci95),
            f"{spec.baseline_accuracy:.2f}",
            str(len(spec.seeds)),
            "" if spec.verdict is None else f"{SIGNS[spec.verdict]} {spec.verdict}",
        ]
        for spec in specs
    ]
    header = ["choices", "gain (points)", "95% interval", "baseline (%)", "seeds", "verdict"]
    return Table(caption, header, rows)


def _choices_table(specs: Sequence[Specification]) -> Table:
    rows = []
    for factor, levels in by_choice(specs).items():
        for level, one in levels.items():
            row = [factor, level, str(one.with_gain)]
            if one.median is not None:
                reproduced = one.verdicts[Verdict.REPRODUCED]
                row.append(f"{one.median:+.2f}")
                row += [
                    f"{100 * number / one.with_gain:.0f}"
                    for number in (reproduced, one.surely_positive, one.surely_negative)
                ]
            rows.append(row + ["-"] * (7 - len(row)))
    header = [
        "choice",
        "level",
        "specifications",
        "median gain (points)",
        "% REPRODUCED",
        "% surely positive",
        "% surely negative",
    ]
    return Table("What each choice does to the gain", header, rows)


def _levels(levels: Mapping[str, str]) -> str:
    return " ".join(f"{factor}={level}" for factor, level in levels.items()) or "no other choice"
