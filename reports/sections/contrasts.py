"""Paired differences: seed by seed, and all contrasts with their statistics."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice

from reports.figures.claims import draw_estimation, draw_forest
from reports.figures.theme import MOST_SEEDS, styles_of
from reports.findings.analysis import Analysis
from reports.findings.contrasts import Contrast
from reports.judging.scalars import unit_of
from reports.numbers.intervals import FEWEST
from reports.numbers.many import EXPANDED, IN_GROUPS, MANY
from reports.numbers.words import counted, interval, listed, number, p_value, signed, too_few
from reports.sections.kinds import MEANING
from reports.sections.section import Drawing, Section, Table

MOST_ROWS = 1000
"""Number of pairs that the table shows at most; ``table.parquet`` has all of them."""


def seed_by_seed(analysis: Analysis) -> Section | None:
    """Return the section on the pairs of the first claim that has pairs; None if no claim has."""
    judged = next((claim for claim in analysis.claims if claim.judgement is not None), None)
    if judged is None or judged.judgement is None:
        return None
    pair, claim = judged.contrast, judged.claim
    alt = (
        f"{counted(len(pair.seeds), 'seed')}: accuracy of {pair.baseline} joined with that of "
        f"{pair.treatment}, and the differences. {judged.judgement.reason}"
    )
    of_all = " over all seeds" if len(pair.seeds) > MOST_SEEDS else ""
    ends = (
        f", with the {100 * (1 - claim.alpha):g}% interval (thin) and the "
        f"{100 * (1 - 2 * claim.alpha):g}% one of the equivalence test (thick)"
    )
    caption = (
        "Left: one line a seed, from baseline to treatment. Right: the differences; diamond: their "
        f"mean{of_all}{ends if len(pair.seeds) >= FEWEST else '; ' + too_few(len(pair.seeds))}."
    )
    pairs = zip(pair.seeds, pair.untreated, pair.treated, strict=True)
    rows = [
        [str(seed), number(low), number(high), signed(high - low)]
        for seed, low, high in islice(pairs, MOST_ROWS)
    ]
    which = "Every pair of seeds"
    if len(pair.seeds) > MOST_ROWS:
        which = f"The first {MOST_ROWS:,} of {len(pair.seeds):,} pairs of seeds"
    header = ["seed", f"{pair.baseline} (%)", f"{pair.treatment} (%)", "difference (points)"]
    shown = [Table(which, header, rows, folded=True)]
    if pair.dropped:
        rows = [[str(seed), why] for seed, why in pair.dropped[:MOST_ROWS]]
        more = len(pair.dropped) - len(rows)
        shown.append(Table(f"Seeds in no pair{f', and {more:,} more' * (more > 0)}",
                           ["seed", "why"], rows))  # fmt: skip
    values, styles = analysis.values, styles_of(analysis)
    draw = partial(draw_estimation, judged, styles)
    if values.single:
        draw = partial(draw_estimation, judged, styles, f"{values.measure.name} (%)")
    drawn = Drawing("estimation", alt, draw, caption)
    title = f"{claim.id}: {pair.treatment} against {pair.baseline}, seed by seed."
    return Section("seeds", "Seed by seed", [title], [drawn], shown)


def contrasts_section(analysis: Analysis) -> Section | None:
    """Return the section on all contrasts, claimed or not; None where there is no contrast."""
    claims = [judged for judged in analysis.claims if judged.judgement is not None]
    claimed = {(judged.claim.treatment, judged.claim.baseline) for judged in claims}
    others = [
        member.contrast
        for member in analysis.family
        if member.contrast.comparison
        and (member.contrast.treatment, member.contrast.baseline) not in claimed
    ]
    others += [pair for pair in analysis.paired if pair.comparison]
    ruled = [one for one in analysis.apart if one.ruling is not None]
    drawable = [one for one in ruled if unit_of(one.claim) == "points" and one.claim.kind != "rank"]
    if not claims and not others and not drawable:
        return None
    sentences = [
        f"{judged.claim.id}: gain {signed(judged.contrast.comparison.mean)}, reported "
        f"{signed(judged.claim.reported)}, {judged.judgement.verdict}"
        for judged in claims
        if judged.contrast.comparison and judged.judgement
    ]
    sentences += [
        f"{pair.treatment} minus {pair.baseline}, no claim: {signed(pair.comparison.mean)}"
        for pair in others
        if pair.comparison
    ]
    sentences += [
        f"{one.claim.id}: {signed(one.ruling.estimate)}, {one.ruling.verdict}"
        for one in drawable
        if one.ruling is not None
    ]
    sentences += [
        f"{contrast.treatment} minus {contrast.baseline}: {signed(contrast.comparison.mean)}"
        for contrast in others
        if contrast.comparison is not None
    ]
    shown = (
        [_statistics_table([(judged.claim.id, judged.contrast) for judged in claims])]
        if claims
        else []
    )
    for text in dict.fromkeys(member.family for member in analysis.family):
        shown.append(_family_table(analysis, text))
    if analysis.paired:
        shown.append(_pairs_table(analysis.paired))
    left_out = [one.claim.id for one in ruled if one not in drawable]
    caption = ""
    if others:
        caption = (
            "Claims are labelled by their ids; other contrasts are exploratory: no claim is about "
            "them. "
        )
    if drawable:
        caption += f"Claims of other kinds: {MEANING}."
    if left_out:
        caption += f" Not drawn, because in other units or of several numbers: {listed(left_out)}."
    draw = partial(draw_forest, claims, drawable, others)
    drawn = Drawing("forest", "; ".join(sentences) + ".", draw, caption.strip())
    many = any(len(judged.contrast.seeds) > MANY for judged in claims)
    said = [f"Sign flips and Wilcoxon's test: {IN_GROUPS}. BCa: {EXPANDED}."] if many else []
    return Section("contrasts", "All contrasts", said, [drawn], shown)


def _statistics_table(named: Sequence[tuple[str, Contrast]]) -> Table:
    rows = []
    for name, pair in named:
        comparison = pair.comparison
        if comparison is None:
            continue
        chance_ci95 = interval(comparison.probability_superior_ci95, number)
        rows.append(
            [
                name,
                str(comparison.n),
                signed(comparison.mean),
                number(comparison.sd),
                interval(comparison.ci95, seeds=comparison.n),
                interval(comparison.ci90, seeds=comparison.n),
                interval(comparison.bca95, seeds=comparison.n),
                p_value(comparison.p_t),
                p_value(comparison.p_wilcoxon),
                p_value(comparison.p_sign_flip),
                p_value(comparison.smallest_p),
                number(comparison.hedges_gz),
                f"{comparison.probability_superior:.2f} ({chance_ci95})",
            ]
        )
    header = [
        "claim", "n", "mean", "sd", "95% t", "90% t", "95% BCa", "p: t", "Wilcoxon", "sign flip",
        "smallest p", "Hedges' g_z", "P(better), 95% interval",
    ]  # fmt: skip
    return Table("Statistics of every claim, paired by seed", header, rows, folded=True)


def _family_table(analysis: Analysis, text: str) -> Table:
    rows = [
        [
            f"{member.contrast.treatment} minus {member.contrast.baseline}",
            *_gain(member.contrast),
            p_value(member.p),
            p_value(member.p_holm),
        ]
        for member in analysis.family
        if member.family == text
    ]
    header = ["contrast", "gain (points)", "95% interval", "seeds", "p (paired t)", "p (Holm)"]
    return Table(f"Exploratory, the family: {text} (no claim states a size)", header, rows)


def _gain(pair: Contrast) -> list[str]:
    """Return the mean difference of a pair of conditions, its interval, and its seeds."""
    found = pair.comparison
    if found is None:
        return ["-", "-", "0"]
    return [signed(found.mean), interval(found.ci95, seeds=found.n), str(found.n)]


def _pairs_table(pairs: Sequence[Contrast]) -> Table:
    rows = [
        [
            f"{pair.treatment} minus {pair.baseline}",
            *_gain(pair),
        ]
        for pair in pairs
    ]
    header = ["contrast", "gain (points)", "95% interval", "seeds"]
    return Table("Exploratory: pairs of conditions that no claim is about", header, rows)
