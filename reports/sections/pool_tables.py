"""What several sites say together, as tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from reports.findings.pool.pool import Pool
from reports.findings.pool.quantities import ClassValue, Matters, Quantity, SiteValue
from reports.findings.pool.repeats import Repeat, Repeated
from reports.numbers.verdict import SIGNS
from reports.numbers.words import interval, number, p_value, signed
from reports.sections.section import Table

OUTCOMES = {
    Repeated.SAME: "✓ the same bits",
    Repeated.EQUIVALENT: "✓ equivalent",
    Repeated.UNDECIDED: "? undecided",
    Repeated.BITS: "✗ FINDING: other bits on equal machines",
    Repeated.DIFFERENT: "✗ FINDING: surely different",
}
MATTERS = {Matters.NO: "no", Matters.YES: "yes", Matters.UNDECIDED: "cannot tell", None: "-"}


def form_of(quantity: Quantity) -> Callable[[float], str]:
    """Return how a value is printed: a gain with its sign, an accuracy without."""
    return number if quantity.claim is None else signed


def claims_table(claims: Sequence[Quantity]) -> Table:
    """Return one row for each claim: its pooled gain, verdict and heterogeneity."""
    rows = []
    for quantity in claims:
        claim, pooled = quantity.claim, quantity.pooled
        assert claim is not None
        unit = "" if quantity.unit == "points" else " rel. %"
        reported = f"{claim.reported:+.2f} ± {claim.margin:.2f}{unit}"
        if pooled is None or quantity.verdict is None:
            rows.append([claim.id, "not pooled", reported, *["-"] * 6])
            continue
        rows.append(
            [
                claim.id,
                f"{SIGNS[quantity.verdict]} {quantity.verdict}",
                reported,
                signed(pooled.mean),
                interval(pooled.ci95),
                str(pooled.sites),
                f"{100 * pooled.i2:.0f}%",
                f"{math.sqrt(pooled.tau2):.2f}",
                p_value(pooled.p),
            ]
        )
    header = ["claim", "verdict", "reported", "over sites", "95% interval", "sites", "I²", "tau",
              "p of equal sites"]  # fmt: skip
    return Table("The claims over all sites (random effects, Hartung-Knapp)", header, rows)


def sites_table(quantity: Quantity, caption: str, *, folded: bool = False) -> Table:
    """Return a quantity at each site and pooled."""
    form = form_of(quantity)

    def row(site: SiteValue) -> list[str]:
        verdict = "-" if site.verdict is None else f"{SIGNS[site.verdict]} {site.verdict}"
        return [
            site.site,
            str(site.n),
            "-" if site.mean is None else form(site.mean),
            "-" if site.ci95 is None else interval(site.ci95, form),
            verdict,
            str(len(site.counted)),
            "-" if site.counted_mean is None else form(site.counted_mean),
            "-" if site.counted_ci95 is None else interval(site.counted_ci95, form),
            site.left_out or "-",
        ]

    rows = [row(site) for site in quantity.sites]
    pooled = quantity.pooled
    if pooled is not None:
        word = "-" if quantity.verdict is None else f"{SIGNS[quantity.verdict]} {quantity.verdict}"
        count = str(sum(len(s.counted) for s in quantity.sites if s.left_out is None))
        over = [form(pooled.mean), interval(pooled.ci95, form), word, count]
        rows.append(["over sites", count, *over, *over[:2], "-"])
        one = [form(pooled.together), interval(pooled.together_ci95, form)]
        rows.append(["all seeds together", count, *one, "-", count, *one, "-"])
    header = ["site", "seeds", "mean", "95% interval", "verdict alone", "counted", "their mean",
              "their 95% interval", "left out"]  # fmt: skip
    return Table(caption, header, rows, folded=folded)


def classes_table(classes: Sequence[ClassValue]) -> Table:
    """Return a quantity by numerics class."""
    rows = [
        [
            one.numerics,
            ", ".join(one.sites),
            str(one.n),
            number(one.mean),
            "-" if one.difference is None else signed(one.difference),
            "-" if one.ci95 is None else interval(one.ci95),
            "-" if one.p is None else p_value(one.p),
            MATTERS[one.matters],
        ]
        for one in classes
    ]
    header = ["numerics class", "sites", "seeds", "mean", "minus the first", "95% interval", "p",
              "matters"]  # fmt: skip
    return Table("By numerics class", header, rows)


def repeats_tables(repeats: Sequence[Repeat]) -> list[Table]:
    """Return the conditions that two sites both trained, and the cells of every finding."""
    rows = [
        [
            repeat.condition,
            repeat.first,
            repeat.second,
            str(repeat.seeds),
            str(repeat.same),
            "-" if repeat.difference is None else signed(repeat.difference),
            "-" if repeat.ci90 is None else interval(repeat.ci90),
            OUTCOMES[repeat.outcome],
        ]
        for repeat in repeats
    ]
    header = ["condition", "site", "other site", "seeds of both", "same bits",
              "other minus site, points", "90% interval", "outcome"]  # fmt: skip
    caption = f"The same seeds at two sites; negligible is {repeats[0].negligible:g} points"
    tables = [Table(caption, header, rows)]
    named = [[r.condition, r.first, r.second, text] for r in repeats for text in r.named]
    if named:
        header = ["condition", "site", "other site", "first value that differs"]
        tables.append(Table("Cells of the findings", header, named))
    return tables


def accuracies_table(accuracies: Sequence[Quantity]) -> Table:
    """Return the final accuracy of each condition at each site and pooled."""
    rows = []
    for quantity in accuracies:
        pooled = quantity.pooled
        each = ["-" if site.mean is None else number(site.mean) for site in quantity.sites]
        if pooled is None:
            rows.append([quantity.name, *each, *["-"] * 5])
            continue
        rows.append(
            [
                quantity.name,
                *each,
                number(pooled.mean),
                interval(pooled.ci95, number),
                f"{100 * pooled.i2:.0f}%",
                f"{math.sqrt(pooled.tau2):.2f}",
                p_value(pooled.p),
            ]
        )
    names = [site.site for site in accuracies[0].sites]
    header = ["condition", *names, "over sites", "95% interval", "I²", "tau", "p of equal sites"]
    caption = (
        "Accuracy after the last task in %: each site's mean over all of its seeds, and pooled"
    )
    return Table(caption, header, rows)


def summary_table(pool: Pool) -> Table:
    """Return what each site brought."""
    rows = [
        [
            site.name,
            str(site.seeds),
            str(site.done),
            str(site.diverged),
            ", ".join(site.devices),
            ", ".join(site.numerics),
        ]
        for site in pool.sites
    ]
    header = ["site", "seeds", "cells done", "diverged", "device", "numerics class"]
    return Table("Sites", header, rows)
