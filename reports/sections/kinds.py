"""Claims of other kinds than a gain in final accuracy, families, and all verdicts together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reports.findings.analysis import Analysis
from reports.findings.families import JudgedFamily, Told
from reports.findings.fixing import Fixing, marked
from reports.findings.statements import JudgedStatement
from reports.judging.scalars import measured, unit_of
from reports.numbers.many import MANY
from reports.numbers.words import interval, listed, p_value, sized, small
from reports.sections.section import Table, claim_anchor

HEADER = ("claim", "kind", "verdict", "asks", "found", "interval", "p", "seeds", "to settle", "of",
          "says")  # fmt: skip
MEANING = (
    "differences are positive where the first condition is better; a value is ours minus published"
)


def statement_tables(analysis: Analysis) -> list[Table]:
    """Return the tables of claims of other kinds, controls last, and of the ranks among them."""
    real = [one for one in analysis.apart if one.claim.expected is None]
    controls = [one for one in analysis.statements if one.claim.expected is not None]
    tables = []
    if real:
        others = analysis.values.measure.is_accuracy
        caption = f"{'Claims of other kinds' if others else 'The claims'} ({MEANING})"
        anchors = [claim_anchor(one.claim) for one in real]
        rows = [_row(one, analysis) for one in real]
        tables.append(Table(caption, HEADER, rows, anchors=anchors))
    tables += _value_tables(analysis)
    if controls:
        header = [
            "control",
            "kind",
            "verdict",
            "must be",
            "came out",
            "found",
            "interval",
            "says",
        ]
        rows = []
        for one in controls:
            row = _row(one, analysis)
            passed = {True: "✓ as it must", False: "✗ not as it must", None: "-"}[one.as_expected]
            rows.append([*row[:3], one.claim.expected or "", passed, *row[4:6], row[-1]])
        anchors = [claim_anchor(one.claim) for one in controls]
        caption = "Controls of other kinds: the truth is known here"
        tables.append(Table(caption, header, rows, anchors=anchors))
    return [*tables, *(table for one in real for table in _rank_tables(one))]


def _value_tables(analysis: Analysis) -> list[Table]:
    """Return one folded table for each table of published means."""
    apart = {one.claim.id for one in analysis.apart}
    judged = {one.claim.id: one for one in analysis.statements}
    shown = []
    for family in analysis.families:
        names = [name for name in analysis.tables.get(family.id, ()) if name not in apart]
        if names:
            caption = f"{family.text}: each value (ours minus published)"
            anchors = [claim_anchor(judged[name].claim) for name in names]
            rows = [_row(judged[name], analysis) for name in names]
            shown.append(Table(caption, HEADER, rows, folded=True, anchors=anchors))
    return shown


def _row(one: JudgedStatement, analysis: Analysis) -> list[str]:
    claim, ruling = one.claim, one.ruling
    what = f"{measured(claim)}, {unit_of(claim)}"
    if ruling is None:
        return [claim.id, claim.kind, "no seeds", one.asks, "-", "-", "-", "0", "-", what,
                claim.text]  # fmt: skip
    sizes = list(dict.fromkeys(one.sizes))
    seeds = " and ".join(map(str, one.sizes)) if len(sizes) > 1 else str(sizes[0])
    rest = analysis.complete[claim.id].rest
    if rest:
        seeds += f" ({rest})"
    return [
        claim.id,
        claim.kind,
        marked(ruling.label, analysis.fixed, claim.id),
        one.asks,
        signed(ruling.estimate),
        interval(ruling.ci, signed, min(one.sizes)),
        "-" if ruling.p_value is None else p_value(ruling.p_value),
        seeds,
        "-" if ruling.seeds_needed is None else str(ruling.seeds_needed),
        f"{what}, {ruling.data}, {ruling.procedure}",
        claim.text,
    ]


def _rank_tables(one: JudgedStatement) -> list[Table]:
    ruling = one.ruling
    if ruling is None or not ruling.standings:
        return []
    order = sorted(ruling.standings, key=lambda standing: -standing.best_on)
    order = sorted(order, key=lambda standing: -(standing.chance_best or 0))
    rows = [
        [
            standing.condition,
            sized(standing.mean, ""),
            f"{100 * standing.best_on:.0f}",
            "-" if standing.chance_best is None else f"{100 * standing.chance_best:.1f}",
            "yes" if standing.may_be_best else "no",
        ]
        for standing in order
    ]
    header = ["condition", f"mean, {unit_of(one.claim)}", "best on % of seeds",
              "% of resampled studies in which it is best", "may be best"]  # fmt: skip
    many = bool(ruling.sizes) and min(ruling.sizes) > MANY
    law = "; resampled means are drawn from their normal law" * many
    best = Table(f"{one.claim.id}: how often each is best{law}", header, rows)
    header = ["", "over", "difference", "simultaneous interval", "p (Bonferroni)"]
    rows = [
        [pair.better, pair.other, signed(pair.difference), interval(pair.ci, signed),
         p_value(pair.p)]
        for pair in ruling.pairs
    ]  # fmt: skip
    level = f"{100 * (1 - one.claim.alpha):.3g}%"
    caption = (
        f"{one.claim.id}: all pairs; with {level} all of these intervals hold at once "
        f"({ruling.procedure}, Bonferroni)"
    )
    return [best, Table(caption, header, rows, folded=True)]


def together(analysis: Analysis) -> list[str]:
    """Return what is left of the verdicts when all claims of the study count together."""
    told = _counted_together(analysis)
    given = [one for one in told if one.p_value is not None]
    if len(told) < 2 or not given:
        return []
    stand = [one.claim for one in given if one.stands]
    fall = [one.claim for one in given if not one.stands]
    largest = max(one.p_value for one in given if one.p_value is not None)
    says = (
        f"Each of the {len(told)} claims has its own chance of a wrong verdict, and "
        f"{len(given)} {'have' if len(given) > 1 else 'has'} a verdict. The largest "
        f"p-value of a verdict is {p_value(largest)} (the smallest error rate at which it would "
        "still be given). "
    )
    strict = listed([one.claim for one in given
                     if one.stands and len(told) * (one.p_value or 0.0) > one.alpha])  # fmt: skip
    proved = (
        f" By Bonferroni's rule, which is stricter and proved however the verdicts depend on each "
        f"other, {strict} would be INCONCLUSIVE{' too' * bool(fall)}."
        if strict
        else ""
    )
    if not fall:
        each = f"all {len(stand)} verdicts" if len(stand) > 1 else listed(stand)
        return [
            f"{says}If the chance of any wrong one among them is to be the error rate of one "
            f"(Holm), {each} still {'stand' if len(stand) > 1 else 'stands'}.{proved}"
        ]
    still = (
        f"{listed(stand)} still {'stand' if len(stand) > 1 else 'stands'}"
        if stand
        else ("none stands")
    )
    return [
        f"{says}If the chance of any wrong one among them is to be the error rate of one (Holm), "
        f"{still}; {listed(fall)} would be INCONCLUSIVE.{proved}"
    ]


def _counted_together(analysis: Analysis) -> list[Told]:
    """Return the claims but for the values of tables, which count among themselves."""
    tabled = {name for names in analysis.tables.values() for name in names}
    return [one for name, one in analysis.told.items() if name not in tabled]


def together_table(analysis: Analysis) -> list[Table]:
    """Return every verdict with its p-value, alone and among all; empty for a single claim."""
    told = _counted_together(analysis)
    if len(told) < 2:
        return []
    rows = [
        [
            one.claim,
            one.verdict or "no seeds",
            "-" if one.p_value is None else p_value(one.p_value),
            "-" if one.p_holm is None else p_value(one.p_holm),
            {True: "✓ yes", False: "✗ no", None: "-"}[one.stands],
        ]
        for one in told
    ]
    header = ["claim", "verdict", "p of the verdict", "p among all (Holm)", "stands among all"]
    return [Table("All verdicts together", header, rows, folded=True)]


def family_paragraphs(analysis: Analysis) -> list[str]:
    """Return a sentence for each family of claims."""
    named = {
        family.id: _counts(family)
        if family.id in analysis.tables
        else listed([f"{one.claim} {one.verdict or '-'}" for one in family.members])
        for family in analysis.families
    }
    verdicts = {
        family.id: marked(family.verdict, analysis.fixed, family.id, "family")
        for family in analysis.families
    }
    return [
        f"{verdicts[family.id]}: {family.text}. {family.agree} of {len(family.members)} claims "
        f"({named[family.id]}) "
        f"agree, where at most {family.by_chance:.2g} would by chance on average if none were so"
        + (f" (so many or more: p at most {p_value(family.p_chance)})" if family.agree else "")
        + "."
        for family in analysis.families
    ]


def _counts(family: JudgedFamily) -> str:
    """Return how many values of a table have which verdict, and how many of these stand."""
    verdicts = Counter(one.verdict or "no seeds" for one in family.members)
    given = [one for one in family.members if one.stands is not None]
    stand = sum(one.stands is True for one in given)
    each = ", ".join(f"{number} {word}" for word, number in verdicts.most_common())
    return f"{each}; {stand} of the {len(given)} verdicts stand among all of the table by Holm"


def asked_sentences(
    statements: Sequence[JudgedStatement], fixed: Sequence[Fixing] = ()
) -> list[str]:
    """Return the reasons of claims of other kinds, one sentence each."""
    return [
        f"{one.claim.id}: {marked(one.ruling.label, fixed, one.claim.id)}. {one.ruling.reason}"
        for one in statements
        if one.ruling is not None
    ]


def signed(value: float) -> str:
    """Return a number of any size with its sign, as tables of claims show it."""
    if abs(value) >= 1000:
        return f"{value:+,.0f}"
    if abs(value) >= 0.1 or value == 0:
        return f"{value:+.2f}"
    return small(value, 2) or f"{value:+.2g}"
