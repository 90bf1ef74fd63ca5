"""A specification curve, in words and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from reports.figures.curves import draw_curve
from reports.findings.curves import CurveCounts, CurveFinding, extremes
from reports.findings.joint_test import JointTest
from reports.findings.specifications import Specification
from reports.numbers.many import IN_GROUPS, MANY
from reports.numbers.verdict import SIGNS, Verdict, margin_reaches_zero
from reports.numbers.words import counted, interval, p_value
from reports.sections.section import Drawing, Section, Table, slug


def section(curve: CurveFinding, *, k: int = 5) -> Section:
    """Return the report's section on one curve, which lists the ``k`` largest gains and losses."""
    id_, title = slug(f"curve-{curve.id}"), f"Specification curve: {curve.text}"
    specs, counts, joint = curve.specifications, curve.counts, curve.joint
    paragraphs = [summary(curve), *_gaps(specs, counts)]
    if margin_reaches_zero(curve.reported, curve.margin):
        paragraphs.append(
            "No specification can be REPRODUCED: the margin is not smaller than the reported "
            f"{'gain' if curve.reported > 0 else 'loss'}, so that almost any would lie within it."
        )
    if not counts.with_gain:
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
    tables.append(_choices_table(curve))
    alt = "All gains in order with 95% intervals, and the choices behind each. " + paragraphs[0]
    drawing = Drawing(id_, alt, partial(draw_curve, specs, curve))
    return Section(id_, title, paragraphs, [drawing], tables)


def summary(curve: CurveFinding) -> str:
    """Return in a few sentences what a curve shows."""
    counts = curve.counts
    if counts.median is None:
        return f"None of {counts.specifications} specifications has a pair of seeds yet."
    with_gain = counts.with_gain
    verdicts = [f"{number} {verdict}" for verdict, number in counts.verdicts.items() if number]
    return (
        f"The gain of {_levels(curve.treatment)} over {_levels(curve.baseline)} under {with_gain} "
        f"combinations of the other choices: the median is {counts.median:+.2f} points, against "
        f"the reported {curve.reported:+.2f} (margin {curve.margin:.2f}). The 95% interval lies "
        f"above zero in {counts.surely_positive}, below zero in {counts.surely_negative} and "
        f"holds zero in {counts.undecided}. Verdicts: {', '.join(verdicts)}. These are counts of "
        "specifications, not of independent experiments: all share the same seeds, and many "
        "share a baseline."
    )


def _gaps(specs: Sequence[Specification], counts: CurveCounts) -> list[str]:
    """Return what is missing, and what its absence hides."""
    dropped = [spec.dropped for spec in specs if spec.baseline is not None and spec.dropped]
    gaps = []
    if counts.unpaired:
        gaps.append(f"{counts.unpaired} have no condition to be compared with")
    if dropped:
        gaps.append(f"{len(dropped)} lack some of the seeds, {sum(dropped)} pairs in all")
    paragraphs = [f"Of {counts.specifications} specifications, {'; '.join(gaps)}."] if gaps else []
    touched = sum(bool(spec.diverged or spec.baseline_diverged) for spec in specs)
    if touched:
        # Several treatments may share a baseline; its runs count once.
        untreated = sum({spec.baseline: spec.baseline_diverged for spec in specs}.values())
        treated = counted(sum(spec.diverged for spec in specs), "run")
        paragraphs.append(
            f"Diverged: {treated} of the treatment and {untreated} of the baseline, in "
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
    many = f" {IN_GROUPS[0].upper()}{IN_GROUPS[1:]}." if joint.seeds > MANY else ""
    return (
        "Joint test (Simonsohn, Simmons and Nelson 2020, with paired seeds): if there were no "
        "gain under any choice, the gains of a seed could all have had the other sign. To keep "
        f"their dependence, {flips} for all specifications together, so no p-value can be below "
        f"{p_value(joint.smallest_p)}.{many} Whoever had no direction in mind before the "
        "data reads the two-sided one. The test takes a seed's gains to be as likely as their "
        "negatives: where one seed in ten makes all specifications collapse together, a test at "
        "5% was wrong in 41% of simulated studies (tests/verdict_errors.py joint)."
    )


def _joint_table(joint: JointTest, reported: float) -> Table:
    what = "gain" if reported > 0 else "loss"
    rows = []
    for name, value in joint.observed.items():
        shown = f"{100 * value:.0f}%" if name.startswith("share") else f"{value:+.2f} points"
        label = name.replace("gain", what)
        p_values = (joint.p[name], joint.p_opposite[name], joint.p_two_sided[name])
        rows.append([label, shown, *map(p_value, p_values)])
    return Table(
        f"All {joint.specifications} specifications together, against no {what} anywhere",
        ["statistic", "observed", "p (as large)", "p (as small)", "p (two-sided)"],
        rows,
    )


def _extremes_table(caption: str, specs: Sequence[Specification]) -> Table:
    rows = [
        [
            _levels(spec.choices),
            f"{spec.gain:+.2f}",
            "" if spec.ci95 is None else interval(spec.ci95, seeds=len(spec.seeds)),
            f"{spec.baseline_accuracy:.2f}",
            str(len(spec.seeds)),
            "" if spec.verdict is None else f"{SIGNS[spec.verdict]} {spec.verdict}",
        ]
        for spec in specs
    ]
    header = ["choices", "gain (points)", "95% interval", "baseline (%)", "seeds", "verdict"]
    return Table(caption, header, rows)


def _choices_table(curve: CurveFinding) -> Table:
    rows = []
    for factor, levels in curve.by_choice.items():
        for level, counts in levels.items():
            row = [factor, level, str(counts.with_gain)]
            if counts.median is not None:
                reproduced = counts.verdicts[Verdict.REPRODUCED]
                row.append(f"{counts.median:+.2f}")
                row += [
                    f"{100 * number / counts.with_gain:.0f}"
                    for number in (reproduced, counts.surely_positive, counts.surely_negative)
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
