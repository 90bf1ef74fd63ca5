"""What the verdicts lean on: what could be otherwise, and what would become of them then."""

from __future__ import annotations

from collections.abc import Sequence

from reports.findings.analysis import Analysis
from reports.findings.robustness import Robustness
from reports.findings.samples import OverSamples
from reports.numbers.intervals import Interval
from reports.numbers.many import EXPANDED, MANY
from reports.numbers.verdict import SIGNS, Verdict
from reports.numbers.words import counted, interval, listed, number, p_value, signed
from reports.sections.section import Section, Table

SMALL_P = 0.05
UNDECIDED = "not surely different"

OTHER_INTERVALS = (
    "Only the intervals of the claims hold however often somebody looks. All others of this report "
    "(accuracies, contrasts, effects, curves) are for one number of seeds chosen beforehand; after "
    "several looks they are too narrow."
)


def robustness_section(analysis: Analysis) -> Section | None:
    """Return the section on what each verdict leans on; None without a judged claim."""
    found = analysis.robustness
    if not found:
        return None
    paragraphs = [
        "Every interval over seeds holds for one fixed test set: it says how far the gain would "
        "move with other seeds, not with other test samples."
    ]
    if analysis.values.elsewhere:
        paragraphs = [
            "Every interval over seeds says how far the gain would move with other seeds. Whether "
            "they share a test set, and how much that would add, is not on record."
        ]
    samples = [(one.claim, one.samples) for one in found if one.samples is not None]
    if samples:
        paragraphs.append(
            "How far it would move with other test samples of the same kind, for these networks, "
            "stands below: drawn anew from the samples of each task. Neither interval contains the "
            "other's chance."
        )
    elif not analysis.values.elsewhere:
        paragraphs.append(
            "These records do not keep which test samples were right, so the chance of the test "
            "set is not known here; records of cells that are trained now keep it."
        )
    skewed = [one for one in found if one.influence is not None]
    if any(len(judged.contrast.seeds) > MANY for judged in analysis.claims):
        paragraphs.append(f"The bootstrap-t interval: {EXPANDED}.")
    if skewed:
        paragraphs.append(
            "The intervals of verdicts take differences for normal. Where they are skewed as "
            "exponential ones are (skewness 2), five seeds err three times as often as stated at "
            "an edge of a margin (15% for 5%) and four times at zero (10.5% for 2.5%), twenty "
            "seeds two and three times; seeds added by looking err in 9% for 5%. "
            "The bootstrap-t interval errs less there. So few seeds tell their skewness only "
            "roughly."
        )
    tables = [
        _again_table(found),
        _diverged_table(found),
        _published_table(found),
        _influence_table(analysis, skewed),
        _samples_table(samples),
    ]
    shown = [table for table in tables if table.rows]
    return Section("robustness", "What the verdicts lean on", paragraphs, tables=shown)


def published_words(found: Sequence[Robustness]) -> list[str]:
    """Return in a sentence which gains differ surely from the published ones, with both errors.

    Empty where no claim has a published side whose error is known.
    """
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for one in found:
        if one.published is not None:
            key = tuple((reading.plus_minus, _side(reading.ci95))
                        for reading in one.published.readings)  # fmt: skip
            groups.setdefault(key, []).append(one.claim)
    if not groups:
        return []
    said = [f"{_sides_in_words(key)} ({listed(claims)})" for key, claims in groups.items()]
    return [
        "The verdicts, and their percentages of the claim, take the reported gains as exact. With "
        "the errors of the published side counted too, and its ± read either way, ours is "
        f"{', '.join(said)}."
    ]


def _side(difference: Interval) -> str:
    if difference.low > 0:
        return "surely larger"
    return "surely smaller" if difference.high < 0 else UNDECIDED


def _sides_in_words(readings: Sequence[tuple[str, str]]) -> str:
    sides = [side for _, side in readings]
    if len(set(sides)) == 1:
        return f"{sides[0]} either way" if sides[0] != UNDECIDED else UNDECIDED
    sure = [f"{side} only if the ± is a {name}" for name, side in readings if side != UNDECIDED]
    return " and ".join(sure)


def _said(verdict: Verdict) -> str:
    return f"{SIGNS[verdict]} {verdict}"


def _again_table(found: Sequence[Robustness]) -> Table:
    rows = [
        [
            one.claim,
            ", ".join(map(str, one.looked_again.looks)),
            one.procedure,
            _said(one.looked_again.fixed_verdict),
            interval(one.looked_again.fixed_ci),
        ]
        for one in found
        if one.looked_again is not None
    ]
    header = ["claim", "seeds of earlier looks", "decides", "one look alone would say",
              "its interval"]  # fmt: skip
    return Table("Claims that were judged before", header, rows)


def _diverged_table(found: Sequence[Robustness]) -> Table:
    rows = [
        [
            one.claim,
            f"{counted.counted_as} ({counted.accuracy:.2f}%)",
            f"{counted.treatment} + {counted.baseline}",
            str(counted.n),
            signed(counted.mean),
            _said(counted.verdict),
            "no" if counted in one.differing else "yes",
        ]
        for one in found
        for counted in one.diverged
    ]
    header = ["claim", "diverged runs count as", "of treatment + baseline", "pairs", "gain",
              "verdict", "as without them"]  # fmt: skip
    return Table("The verdicts with diverged runs counted", header, rows)


def _published_table(found: Sequence[Robustness]) -> Table:
    rows = []
    for one in found:
        if one.published is None:
            continue
        side = one.published
        runs = f"{side.runs[0]} and {side.runs[1]}"
        if side.runs_from is not None:
            runs += f" (as {side.runs_from} says)"
        for reading in side.readings:
            rows.append(
                [
                    one.claim,
                    side.source,
                    signed(side.published),
                    runs,
                    reading.plus_minus,
                    number(reading.published_error),
                    signed(side.difference),
                    interval(reading.ci95),
                    p_value(reading.p),
                ]
            )
    header = ["claim", "source", "published gain", "runs", "if its ± is a", "its error",
              "ours minus it", "95% interval", "p"]  # fmt: skip
    caption = "The gains with the errors of both sides: ours and the published ones (Welch)"
    return Table(caption, header, rows)


def _influence_table(analysis: Analysis, found: Sequence[Robustness]) -> Table:
    intervals = {
        judged.claim.id: judged.contrast.comparison.ci95
        for judged in analysis.claims
        if judged.contrast.comparison is not None
    }
    rows = []
    for one in found:
        part = one.influence
        assert part is not None
        turning = ", ".join(map(str, part.turning[:5])) + ", ..." * (len(part.turning) > 5)
        rows.append(
            [
                one.claim,
                number(part.skewness),
                interval(intervals[one.claim]),
                "-" if part.bootstrap_t95 is None else interval(part.bootstrap_t95),
                f"{part.seed} ({signed(part.gain)})",
                signed(part.mean_without),
                _said(part.verdict_without),
                turning or "none",
            ]
        )
    header = ["claim", "skewness", "95% t interval", "95% bootstrap-t", "seed that moves it most",
              "gain without", "verdict without", "seeds that turn it"]  # fmt: skip
    return Table("Skew, and single seeds", header, rows)


def _samples_table(samples: Sequence[tuple[str, OverSamples]]) -> Table:
    rows = []
    for claim, part in samples:
        better = sum(one.p < SMALL_P and one.won > one.lost for one in part.seeds)
        worse = sum(one.p < SMALL_P and one.won < one.lost for one in part.seeds)
        won = sum(one.won for one in part.seeds)
        lost = sum(one.lost for one in part.seeds)
        rows.append(
            [
                claim,
                signed(part.gain),
                number(part.error),
                interval(part.ci95),
                f"{won} against {lost} in {counted(len(part.seeds), 'seed')}",
                str(better),
                str(worse),
            ]
        )
    header = ["claim", "gain, points", "standard error", "95% bootstrap interval",
              "samples that only the treatment, only the baseline gets right",
              "seeds better by McNemar's test at 5%", "worse"]  # fmt: skip
    return Table("The same gains over other test samples, for these networks", header, rows)
