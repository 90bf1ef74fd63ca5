"""What several sites say together, in words and tables."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

from reports.figures.pool import draw_sites
from reports.findings.pool.pool import Pool
from reports.findings.pool.quantities import Matters, Quantity
from reports.findings.pool.repeats import Repeated
from reports.numbers.pooling import Pooled
from reports.numbers.verdict import SIGNS
from reports.numbers.words import counted, interval, listed, p_value, signed
from reports.sections.pool_tables import (
    OUTCOMES,
    accuracies_table,
    claims_table,
    classes_table,
    form_of,
    repeats_tables,
    sites_table,
    summary_table,
)
from reports.sections.section import Drawing, Section, slug

MOST_DRAWN, MOST_NAMED = 12, 5
ALIKE = 0.05
"""The p-value from which on no difference between sites is said to have been found."""


def headline(pool: Pool) -> str:
    """Return the answer on the main claim in one line; what is pooled, where there is none."""
    over = f"over {counted(len(pool.sites), 'site')}"
    if not pool.claims:
        return f"{pool.study} {over}: this study makes no claim; see its accuracies."
    main = pool.claims[0]
    assert main.claim is not None
    if main.pooled is None or main.verdict is None:
        return f"NOT POOLED {over}. {main.claim.text}. {_too_few(main)}"
    verdict = f"{SIGNS[main.verdict]} {main.verdict} {over}"
    if main.name in pool.late:
        verdict += f", {pool.late[main.name]}"
    return f"{verdict}. {main.claim.text}. {_mean_sentence(main, main.pooled)}"


def _too_few(quantity: Quantity) -> str:
    reasons = [f"{site.site}: {site.left_out}" for site in quantity.sites if site.left_out]
    return f"Fewer than two sites can be pooled ({'; '.join(reasons)})."


def _mean_sentence(quantity: Quantity, pooled: Pooled) -> str:
    unit, form = "points" if quantity.unit == "points" else "%", form_of(quantity)
    return (
        f"The mean over {pooled.sites} sites is {form(pooled.mean)} {unit} (95% interval "
        f"{interval(pooled.ci95, form)}); all seeds together, as if the sites were one, give "
        f"{form(pooled.together)} ({interval(pooled.together_ci95, form)})."
    )


def repeats_sentences(pool: Pool) -> list[str]:
    """Return what the cells say that two sites both trained; a finding is named first."""
    if not pool.repeats:
        return ["No seed was trained at two sites: there is nothing to compare bit for bit."]
    said = []
    for repeat in pool.findings:
        names = "; ".join(repeat.named[:MOST_NAMED])
        more = len(repeat.named) - MOST_NAMED
        names += f"; and {more} more" if more > 0 else ""
        what = (
            "machines of one kind gave other bits for the same cells"
            if repeat.outcome is Repeated.BITS
            else "the same seeds surely differ by more than is negligible, or in their status"
        )
        place = f"{repeat.condition} at {repeat.first} and {repeat.second}"
        said.append(f"FINDING. {place}: {what} ({names}).")
    cells = sum(repeat.seeds for repeat in pool.repeats)
    same = sum(repeat.same for repeat in pool.repeats)
    sentence = f"{same} of {counted(cells, 'repeated cell')} are the same bits at both sites"
    rest = [repeat.outcome for repeat in pool.repeats if repeat.outcome is not Repeated.SAME]
    if rest:
        counts = [
            f"{rest.count(kind)} {OUTCOMES[kind].partition(' ')[2]}"
            for kind in Repeated
            if kind in rest
        ]
        sentence += f"; of the conditions that differ in bits, {listed(counts)}"
    said.append(f"{sentence}. A seed that several sites have counts once.")
    copies = sum(repeat.copies for repeat in pool.repeats)
    if copies:
        said.append(
            f"{counted(copies, 'record')} of these {'is a copy' if copies == 1 else 'are copies'}, "
            "with the same times too: no second measurement."
        )
    return said


def heterogeneity(quantity: Quantity) -> str:
    """Return in words how much the sites differ beyond chance."""
    pooled = quantity.pooled
    if pooled is None:
        return _too_few(quantity)
    unit = "points" if quantity.unit in ("points", "%") else "%"
    found = (
        f"Q = {pooled.q:.2f} with {pooled.sites - 1} degree{'s' * (pooled.sites > 2)} of freedom, "
        f"p = {p_value(pooled.p)} (Welch), I² = {100 * pooled.i2:.0f}%, tau² = {pooled.tau2:.3g}"
    )
    low, high = math.sqrt(pooled.tau2_ci95.low), math.sqrt(pooled.tau2_ci95.high)
    if pooled.p < ALIKE:
        return (
            f"The sites differ by more than chance: their true values have a standard deviation of "
            f"about {math.sqrt(pooled.tau2):.2f} {unit} (95% interval {low:.2f} to {high:.2f}; "
            f"{found})."
        )
    return (
        f"No difference between the sites was found ({found}). That is not proof of none: a "
        f"standard deviation between sites of up to {high:.2f} {unit} would fit as well (95%)."
    )


def numerics(quantity: Quantity) -> str:
    """Return in words whether the numerics class matters for a quantity."""
    if len(quantity.classes) < 2:
        return "All seeds that count come from one numerics class: whether it matters is not shown."
    others = [one for one in quantity.classes if one.against is not None]
    said = []
    for one in others:
        if one.difference is None or one.ci95 is None or one.p is None:
            said.append(f"{one.numerics}: too few seeds to tell")
            continue
        answer = {
            Matters.NO: f"makes no difference beyond {quantity.negligible:g}",
            Matters.YES: f"makes a difference beyond {quantity.negligible:g}",
            Matters.UNDECIDED: f"may or may not make a difference beyond {quantity.negligible:g}",
        }[one.matters or Matters.UNDECIDED]
        said.append(
            f"{one.numerics} against {one.against} {answer} ({signed(one.difference)}, 95% "
            f"interval {interval(one.ci95)}, p = {p_value(one.p)})"
        )
    sites = [set(one.sites) for one in quantity.classes]
    apart = all(not a & b for i, a in enumerate(sites) for b in sites[i + 1 :])
    along = " No site has two of the classes, so class and site cannot be told apart." * apart
    return f"Numerics class, over different seeds: {'; '.join(said)}.{along}"


def pool_sections(pool: Pool) -> list[Section]:
    """Return everything that is said of several sites, the answer first."""
    paragraphs = [headline(pool)]
    if pool.claims and pool.claims[0].pooled is not None:
        paragraphs += [heterogeneity(pool.claims[0]), numerics(pool.claims[0])]
    paragraphs += repeats_sentences(pool)
    adaptive = [site.name for site in pool.sites if site.adaptive]
    if adaptive:
        paragraphs.append(
            f"{listed(adaptive)} added seeds until the claims were decided. The verdict of such a "
            "site allows for that; pooled intervals do not, and are too narrow."
        )
    tables = [claims_table(pool.claims)] if pool.claims else []
    repeated = repeats_tables(pool.repeats) if pool.repeats else []
    sections = [
        Section("verdict", "Together", paragraphs, tables=tables),
        *([Section("repeats", "The same seeds at two sites", tables=repeated)] * bool(repeated)),
        *[_quantity_section(quantity) for quantity in pool.claims],
        Section("accuracies", "Accuracies", tables=[accuracies_table(pool.accuracies)]),
        _sites_section(pool),
    ]
    drawn = 0
    kept = []
    for section in sections:
        drawn += len(section.drawings)
        kept.append(section if drawn <= MOST_DRAWN else replace(section, drawings=()))
    return kept


def _quantity_section(quantity: Quantity) -> Section:
    assert quantity.claim is not None
    paragraphs = [f"{quantity.claim.text}."]
    if quantity.pooled is not None:
        paragraphs.append(_mean_sentence(quantity, quantity.pooled))
    paragraphs += [heterogeneity(quantity), numerics(quantity)]
    drawings = []
    means = [site for site in quantity.sites if site.counted_mean is not None]
    if means:
        said = ", ".join(f"{site.site} {signed(site.counted_mean or 0.0)}" for site in means)
        drawings.append(
            Drawing(
                slug(f"sites-{quantity.name}"),
                f"Gain of the claim {quantity.name} at each site: {said}.",
                partial(draw_sites, quantity),
                "Each site's mean over the seeds that count for it (their number in brackets), and "
                "the pooled means, with 95% intervals.",
            )
        )
    tables = [sites_table(quantity, f"The gain of {quantity.name} at each site")]
    if len(quantity.classes) > 1:
        tables.append(classes_table(quantity.classes))
    return Section(slug(f"claim-{quantity.name}"), quantity.name, paragraphs, drawings, tables)


def _sites_section(pool: Pool) -> Section:
    paragraphs = [
        f"Study {pool.study}; its fingerprint without the seeds is {pool.fingerprint}, the same at "
        "every site. Each seed counts at one site: one that several have counts at the site with "
        "the fewest. The mean over sites and its interval (random effects; tau² of Paule and "
        "Mandel, interval of Hartung and Knapp, never narrower than the spread within sites "
        "allows) hold for further sites like these; with two sites such an interval is wide, "
        "because two say little of others."
    ]
    return Section("sites", "The sites", paragraphs, tables=[summary_table(pool)])
