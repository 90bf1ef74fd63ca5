"""Everything a report says, as sections: for a reader in a hurry first, for a sceptic after.

Knows neither HTML nor Markdown. Accuracies are in %, gains in the unit of their claim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reports.figures.accuracies import Published, draw_curves, draw_matrices, draw_pairs, draw_tasks
from reports.figures.claims import draw_estimation, draw_forest
from reports.figures.methods import QUANTITIES, draw_telemetry, present
from reports.findings.analysis import Analysis, Contrast, JudgedClaim, JudgedStudyLike
from reports.numbers import metrics, tables
from reports.numbers.metrics import Floats
from reports.numbers.records import Record
from reports.numbers.summary import published_by_tasks, published_finals, summarise
from reports.numbers.verdict import SIGNS, margin_reaches_zero
from reports.sections.section import Drawing, Section, Table
from reports.sections.trust import how_run, how_sure
from reports.sections.words import counted, interval, listed, number, p_value, signed

MOST = 12
"""So many conditions a figure can show; of a larger study, those of the claims and the first."""

CAUSE_STUDY = "dhp-attribution"
"""The study that tells plasticity from what else differs."""


def sections(
    analysis: Analysis,
    records: Sequence[Record],
    study: JudgedStudyLike,
    findings: Sequence[str] = (),
    extra: Sequence[Section] = (),
) -> list[Section]:
    """Return the sections of a report; those that a study has nothing for are left out.

    Parameters
    ----------
    analysis : of ``records``.
    findings : sentences that belong beside the verdict, such as what causes the gain.
    extra : sections of the studies that have them, shown before the sceptic's; of a study
        without claims they are what it is for, and come first.
    """
    done = [record for record in records if record["status"] == "done"]
    names = drawn_conditions(analysis, study, {record["condition"] for record in done})
    measured = [
        _seed_by_seed(analysis),
        _accuracies(records, done, study, names),
        _contrasts(analysis),
        _learning(done, names),
        _mechanism(records, names),
    ]
    found = [
        _verdict(analysis, study, findings),
        *([*measured, *extra] if analysis.claims else [*extra, *measured]),
        how_sure(analysis),
        how_run(analysis, study),
    ]
    return [section for section in found if section is not None]


def drawn_conditions(analysis: Analysis, study: JudgedStudyLike, present: set[str]) -> list[str]:
    """Return which conditions the figures show, in the study's order: at most ``MOST``."""
    names = [name for name in study.conditions if name in present]
    claimed = {n for one in analysis.claims for n in (one.claim.treatment, one.claim.baseline)}
    first = [name for name in names if name in claimed] + [n for n in names if n not in claimed]
    kept = set(first[:MOST])
    return [name for name in names if name in kept]


def headline(analysis: Analysis) -> str:
    """Return the verdict on the main claim in one line; of a study without claims, what it is."""
    if not analysis.claims:
        done = sum(one.done for one in analysis.cells)
        return (
            f"This study makes no claim of its own: {counted(len(analysis.cells), 'condition')}, "
            f"{counted(done, 'cell')} done."
        )
    main = analysis.claims[0]
    if main.judgement is None:
        return f"NO PAIRS. {main.claim.text}: no seed has both conditions done."
    verdict = main.judgement.verdict
    return f"{SIGNS[verdict]} {verdict}. {main.claim.text}. {main.judgement.reason}"


def _verdict(analysis: Analysis, study: JudgedStudyLike, findings: Sequence[str]) -> Section:
    # A study without claims leads with what it found.
    said = [*([headline(analysis)] if analysis.claims else []), *findings]
    if not analysis.claims:
        said.append(headline(analysis))
    if analysis.claims and not findings:
        warning = caveat(analysis.claims[0], study.conditions)
        if warning:
            said.append(warning)
    real = [one for one in analysis.claims if one.claim.expected is None]
    controls = [one for one in analysis.claims if one.claim.expected is not None]
    said += _without_size(real)
    shown = [_claims_table("The claims", real)] if real else []
    if controls:
        passed = sum(one.as_expected is True for one in controls)
        said.append(
            f"Controls of the procedure itself: {passed} of {len(controls)} got the verdict that "
            "they must get."
        )
        shown.append(_controls_table(controls))
    return Section("verdict", "The verdict", said, tables=shown)


def _without_size(claims: Sequence[JudgedClaim]) -> list[str]:
    """Name the claims whose margin is not smaller than they are, and what that means for them."""
    names = [
        one.claim.id for one in claims if margin_reaches_zero(one.claim.reported, one.claim.margin)
    ]
    if not names:
        return []
    return [
        f"REPRODUCED cannot fall for {listed(names)}: the margin is not smaller than the claim, so "
        "that almost any gain would lie within it."
    ]


def caveat(main: JudgedClaim, conditions: Mapping[str, Any]) -> str | None:
    """Return a warning where the two conditions of a claim differ in more than one choice."""
    differ = differing(conditions[main.claim.treatment], conditions[main.claim.baseline])
    if len(differ) < 2:
        return None
    return (
        f"The two conditions differ in {listed(differ)}. This is a verdict on the size of the "
        f"gain, not on its cause; the study {CAUSE_STUDY} takes the differences apart."
    )


def differing(a: Any, b: Any) -> list[str]:
    """Return the choices that arise in two conditions and differ; eta's start is none without."""
    ours, theirs = ({**vars(one.method), **vars(one.protocol)} for one in (a, b))
    return [
        name
        for name, value in ours.items()
        if value != theirs[name] and value is not None and theirs[name] is not None
    ]


def _claims_table(caption: str, claims: Sequence[JudgedClaim]) -> Table:
    header = ["claim", "verdict", "reported", "gain", "interval", "seeds", "to settle", "says"]
    kinds = listed(sorted({c.judgement.procedure for c in claims if c.judgement}))
    caption += f" (gains with their {kinds} intervals)" if kinds else ""
    return Table(caption, header, [_claim_row(one) for one in claims])


def _claim_row(one: JudgedClaim) -> list[str]:
    claim, found, compared = one.claim, one.judgement, one.contrast.comparison
    unit = "" if claim.unit == "points" else " rel. %"
    reported = f"{claim.reported:+.2f} ± {claim.margin:.2f}{unit}"
    if found is None or compared is None:
        return [claim.id, "no pair of seeds", reported, "-", "-", "0", "-", claim.text]
    dropped = len(one.contrast.dropped)
    seeds = f"{compared.n} ({dropped} dropped)" if dropped else str(compared.n)
    needed = "-" if found.seeds_needed is None else str(found.seeds_needed)
    verdict = f"{SIGNS[found.verdict]} {found.verdict}"
    gain = signed(compared.mean)
    return [claim.id, verdict, reported, gain, interval(found.ci), seeds, needed, claim.text]


def _controls_table(controls: Sequence[JudgedClaim]) -> Table:
    rows = []
    for one in controls:
        passed = {True: "✓ as it must", False: "✗ not as it must", None: "-"}[one.as_expected]
        row = _claim_row(one)
        rows.append([*row[:2], one.claim.expected or "", passed, *row[2:6], row[7]])
    header = ["control", "verdict", "must be", "", "planted", "gain", "interval", "seeds", "says"]
    return Table("Controls: the truth is known here", header, rows)


def _seed_by_seed(analysis: Analysis) -> Section | None:
    judged = next((one for one in analysis.claims if one.judgement is not None), None)
    if judged is None or judged.judgement is None:
        return None
    pair, claim = judged.contrast, judged.claim
    alt = (
        f"{len(pair.seeds)} seeds: accuracy of {pair.baseline} joined with that of "
        f"{pair.treatment}, and the differences. {judged.judgement.reason}"
    )
    caption = (
        "Left: one line a seed, from baseline to treatment. Right: the differences; diamond: their "
        f"mean, with the {100 * (1 - claim.alpha):g}% interval (thin) and the "
        f"{100 * (1 - 2 * claim.alpha):g}% one of the equivalence test (thick)."
    )
    rows = [
        [str(seed), number(low), number(high), signed(high - low)]
        for seed, low, high in zip(pair.seeds, pair.untreated, pair.treated, strict=True)
    ]
    header = ["seed", f"{pair.baseline} (%)", f"{pair.treatment} (%)", "difference (points)"]
    shown = [Table("Every pair of seeds", header, rows, folded=True)]
    if pair.dropped:
        rows = [[str(seed), why] for seed, why in pair.dropped]
        shown.append(Table("Seeds in no pair", ["seed", "why"], rows))
    drawn = Drawing("estimation", alt, draw_estimation(judged), caption)
    return Section("seeds", "Seed by seed", [claim.text + "."], [drawn], shown)


def _accuracies(
    records: Sequence[Record],
    done: Sequence[Record],
    study: JudgedStudyLike,
    names: Sequence[str],
) -> Section:
    summary = summarise(records, study)
    finals = published_finals(records, study)
    published, source = _published(study, tables.task_count(records))
    header = ["condition", "accuracy (%)", "95% interval", "seeds", *finals]
    rows = [
        [
            row["condition"],
            number(row["final_accuracy"]),
            _between(row["final_accuracy_low"], row["final_accuracy_high"], number),
            _cells(row["seeds"], row["diverged"]),
            *(number(values.get(row["condition"])) for values in finals.values()),
        ]
        for _, row in summary.iterrows()
    ]
    caption = "Mean accuracy over all tasks after the last" + ("; published beside" * bool(finals))
    table = Table(caption, header, rows, folded=len(rows) > MOST)
    title = "Published and ours" if finals or published else "Accuracies"
    if not done:
        return Section("accuracies", title, ["No cell is done."], tables=[table])
    curves = tables.curves(done)
    best = max(rows, key=lambda row: row[1])
    alt = f"Accuracy after each task, mean over seeds. After the last, best: {best[0]}, {best[1]}%."
    drawings = [
        Drawing(
            "curves",
            alt,
            draw_curves(curves, names, published, source),
            "Mean over seeds with 95% t intervals.",
        )
    ]
    if published:
        drawings.append(
            Drawing(
                "pairs",
                "The same for each method without and with DHP, with the published values.",
                draw_pairs(curves, names, published, source),
                f"Solid: with DHP; thin: single seeds; crosses and stars: published ({source}).",
            )
        )
    left = len({record["condition"] for record in done}) - len(names)
    said = [f"{left} more conditions are in the table and not in the figures."] if left > 0 else []
    return Section("accuracies", title, said, drawings, [table])


def _published(study: JudgedStudyLike, tasks: int) -> tuple[Published, str]:
    """Return the first source that tells the accuracy after several of the tasks, and its name."""
    for source in study.published:
        if sum(after <= tasks for after in set(source.after_tasks)) > 1:
            return published_by_tasks(source, tasks), source.id
    return {}, ""


def _contrasts(analysis: Analysis) -> Section | None:
    claims = [one for one in analysis.claims if one.judgement is not None]
    claimed = {(one.claim.treatment, one.claim.baseline) for one in claims}
    others = [
        m.contrast
        for m in analysis.family
        if m.contrast.comparison and (m.contrast.treatment, m.contrast.baseline) not in claimed
    ]
    if not claims and not others:
        return None
    said = [
        f"{one.claim.id}: gain {signed(one.contrast.comparison.mean)}, reported "
        f"{signed(one.claim.reported)}, {one.judgement.verdict}"
        for one in claims
        if one.contrast.comparison and one.judgement
    ]
    shown = [_statistics_table([(one.claim.id, one.contrast) for one in claims])] if claims else []
    if analysis.family:
        shown.append(_family_table(analysis))
    drawn = Drawing("forest", "; ".join(said) + ".", draw_forest(claims, others))
    return Section("contrasts", "All contrasts", [], [drawn], shown)


def _statistics_table(named: Sequence[tuple[str, Contrast]]) -> Table:
    rows = []
    for name, pair in named:
        c = pair.comparison
        if c is None:
            continue
        chance = f"{c.probability_superior:.2f} ({interval(c.probability_superior_ci95, number)})"
        rows.append(
            [name, str(c.n), signed(c.mean), number(c.sd), interval(c.ci95), interval(c.ci90),
             interval(c.bca95), p_value(c.p_t), p_value(c.p_wilcoxon), p_value(c.p_sign_flip),
             p_value(c.smallest_p),
             number(c.hedges_gz), chance]
        )  # fmt: skip
    header = [
        "claim", "n", "mean", "sd", "95% t", "90% t", "95% BCa", "p: t", "Wilcoxon", "sign flip",
        "smallest p", "Hedges' g_z", "P(better), 95% interval",
    ]  # fmt: skip
    return Table("Statistics of every claim, paired by seed", header, rows, folded=True)


def _family_table(analysis: Analysis) -> Table:
    rows = [
        [
            f"{m.contrast.treatment} minus {m.contrast.baseline}",
            "-" if m.contrast.comparison is None else signed(m.contrast.comparison.mean),
            p_value(m.p),
            p_value(m.p_holm),
        ]
        for m in analysis.family
    ]
    header = ["contrast", "gain (points)", "p (paired t)", "p (Holm)"]
    return Table("The family: DHP improves every consolidation", header, rows)


def _learning(done: Sequence[Record], names: Sequence[str]) -> Section | None:
    matrices = _matrices(done, names)
    if not matrices:
        return None
    summary = tables.summary(done, list(dict.fromkeys(record["condition"] for record in done)))
    rows = []
    for name in [n for n in names if n in matrices]:
        row = summary[summary["condition"] == name].iloc[0]
        cells = [name]
        for metric in ("learned_accuracy", "backward_transfer", "forgetting"):
            low, high = row[f"{metric}_low"], row[f"{metric}_high"]
            cells += [f"{row[metric]:.2f}", _between(low, high, number)]
        rows.append(cells)
    header = ["condition", "learned (%)", "95% interval", "BWT (points)",
              "95% interval", "forgetting (points)", "95% interval"]  # fmt: skip
    said = [
        "Learned: accuracy on each task right after it was trained. Backward transfer: how much "
        "it changed since, over the earlier tasks (negative: forgotten). Forgetting: the drop from "
        "the best it ever was."
    ]
    worst = min(rows, key=lambda row: float(row[3]))
    alt = f"Accuracy on each task as training goes on. Most is forgotten by {worst[0]}: {worst[3]}."
    drawings = [
        Drawing("tasks", alt, draw_tasks(matrices), "Thick: mean over seeds; thin: each seed."),
        Drawing(
            "matrices",
            "Mean accuracy on each task (columns) after training each task (rows), in %.",
            draw_matrices(matrices),
            "Mean over seeds, %. All maps share one scale; dark is low.",
        ),
    ]
    table = Table("Learning and forgetting", header, rows, folded=len(rows) > MOST)
    return Section("learning", "Learning and forgetting", said, drawings, [table])


def _matrices(done: Sequence[Record], names: Sequence[str]) -> dict[str, Floats]:
    by: dict[str, dict[int, Floats]] = {name: {} for name in names}
    for record in done:
        if record["condition"] in by:
            matrix = metrics.as_matrix(record["accuracy"])
            by[record["condition"]][record["seed"]] = matrix
    return {n: np.stack([own[s] for s in sorted(own)]) for n, own in by.items() if own}


def _mechanism(records: Sequence[Record], names: Sequence[str]) -> Section | None:
    telemetry = tables.telemetry(records)
    telemetry = telemetry[telemetry["condition"].isin(list(names))]
    alive = present(telemetry)
    if not alive - {"loss"}:
        return None
    said = [
        "A method that does nothing shows here: an eta that never moves, a trace at zero, a "
        "penalty without weight. Conditions for which a quantity is zero throughout are not drawn."
    ]
    last = telemetry[telemetry["task"] == telemetry["task"].max()]
    means = last.groupby(["condition", "quantity"])["value"].mean()
    shown = [quantity for quantity in QUANTITIES if quantity in alive]
    rows = [[name, *(_small(means.get((name, quantity))) for quantity in shown)] for name in names]
    table = Table(
        "After the last task, mean over seeds",
        ["condition", *(QUANTITIES[quantity] for quantity in shown)],
        rows,
        folded=True,
    )
    alt = f"Over the tasks: {listed([QUANTITIES[quantity] for quantity in shown])}."
    drawn = Drawing(
        "methods", alt, draw_telemetry(telemetry, names), "Mean over seeds; band: all seeds."
    )
    return Section("methods", "What the methods did", said, [drawn], [table])


def _between(low: float, high: float, form: Any) -> str:
    return "-" if np.isnan(low) else f"{form(low)} to {form(high)}"


def _cells(done: int, diverged: int) -> str:
    return f"{done} + {diverged} diverged" if diverged else str(done)


def _small(value: float | None) -> str:
    return "-" if value is None or np.isnan(value) else f"{value:.3g}"
