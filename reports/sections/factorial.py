"""What carries a gain, in words and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from reports.figures.factorial import draw_effects, draw_levels, draw_paths
from reports.findings.factorial import Attribution, Effect, LevelGain, Step
from reports.numbers.statistics import Interval
from reports.numbers.words import counted, interval, listed, p_value, signed
from reports.sections.section import Drawing, Section, Table, slug


def sentence(one: Attribution) -> str:
    """Return in one sentence what share of the gain each factor carries, with intervals."""
    where = " ".join(f"{factor}={level}" for factor, level in one.stratum.items())
    shares = [
        f"{share.factor} carries {_percent(share.share, share.share_ci95)}" for share in one.shares
    ]
    return (
        f"Of the gain of {signed(one.total)} points ({interval(one.ci95)})"
        f"{f' at {where}' if where else ''}, {listed(shares)}; shares are means over all orders in "
        f"which the factors can change, with 95% intervals over {counted(len(one.seeds), 'seed')}."
    )


def _percent(share: float | None, ends: Interval | None) -> str:
    if share is None:
        return "no share that could be told"
    if ends is None:
        return f"{100 * share:.1f}% (interval unbounded)"
    return f"{100 * share:.1f}% ({100 * ends.low:.1f} to {100 * ends.high:.1f})"


def decomposition_section(found: Mapping[str, Attribution | None]) -> Section:
    """Return the section on the decomposed claims, by id; None ones are named as missing."""
    told = {name: one for name, one in found.items() if one is not None}
    said = [sentence(one) for one in told.values()]
    missing = [name for name in found if name not in told]
    if missing:
        said.append(
            f"Not taken apart: {listed(missing)}; it needs every condition between the two, on "
            "common seeds."
        )
    if not told:
        return Section("causes", "What carries the gain", said)
    said.append(
        "Each line below changes one factor and nothing else, on the same seeds and the same "
        "random draws. A factor that carries the gain rises wherever it stands in the order."
    )
    alt = "Mean accuracy with more and more factors changed, every order. " + " ".join(
        sentence(one) for one in told.values()
    )
    caption = "Means over seeds; the lines are factors."
    drawn = Drawing("causes", alt, partial(draw_paths, told), caption)
    tables = [_shares_table(told)]
    tables += [_paths_table(name, one) for name, one in told.items()]
    return Section("causes", "What carries the gain", said, [drawn], tables)


def _shares_table(told: Mapping[str, Attribution]) -> Table:
    rows = [
        [
            name,
            share.factor,
            signed(share.contribution),
            interval(share.ci95),
            "-" if share.share is None else f"{100 * share.share:.1f}",
            "-"
            if share.share_ci95 is None
            else f"{100 * share.share_ci95.low:.1f} to {100 * share.share_ci95.high:.1f}",
            *(cell for step in (share.first, share.last) for cell in _gain(step)),
        ]
        for name, one in told.items()
        for share in one.shares
    ]
    interval95 = "95% interval"
    header = ["claim", "factor", "contribution (points)", interval95, "share %", interval95]
    header += ["changed alone", interval95, "changed last", interval95]
    return Table("What each factor carries (Shapley), alone, and after all others", header, rows)


def _paths_table(name: str, one: Attribution) -> Table:
    rows = [
        [
            " → ".join(step.factor for step in path),
            *(f"{step.factor} {signed(step.gain)} ({interval(step.ci95)})" for step in path),
        ]
        for path in one.paths
    ]
    header = ["order", *(f"step {i + 1}" for i in range(len(one.shares)))]
    return Table(f"Every order of one-factor changes: {name}", header, rows, folded=True)


def _gain(step: Step) -> list[str]:
    return [signed(step.gain), interval(step.ci95)]


def effects_section(found: Sequence[Effect]) -> Section:
    """Return the section on the effects of a complete two-level factorial."""
    sure = [one for one in found if one.p_holm < 0.05]
    said = [
        "All crossings together, as a two-level factorial. A main effect is the difference between "
        "the mean accuracies at the two levels of a factor; an interaction is half of how much one "
        f"factor changes the other's effect. {len(sure)} of {len(found)} differ from zero after "
        "Holm's correction (5%)."
    ]
    rows = [
        [_name(one), signed(one.effect), interval(one.ci95), p_value(one.p), p_value(one.p_holm)]
        for one in found
    ]
    header = ["effect", "points", "95% interval", "p (paired t)", "p (Holm)"]
    alt = "Effects in points: " + "; ".join(f"{_name(o)} {signed(o.effect)}" for o in found) + "."
    drawn = Drawing(
        "effects",
        alt,
        partial(draw_effects, found),
        "95% t intervals; filled: different after Holm.",
    )
    return Section(
        "effects",
        "Main effects and interactions",
        said,
        [drawn],
        [Table("Effects of the factorial", header, rows, folded=True)],
    )


def levels_section(found: Sequence[LevelGain]) -> Section:
    """Return the section on the levels of one factor against its reference."""
    factor, reference = found[0].factor, found[0].reference
    down = [one for one in found if one.p_holm < 0.05 and one.gain < 0]
    up = [one for one in found if one.p_holm < 0.05 and one.gain > 0]
    said = [
        f"Each {factor} against {reference}, all else equal. After Holm's correction over "
        f"{len(found)} contrasts (5%), {_those(down)} worse and {_those(up)} better."
    ]
    rows = [
        [
            _level(one),
            signed(one.gain),
            interval(one.ci95),
            str(len(one.seeds)),
            p_value(one.p),
            p_value(one.p_holm),
        ]
        for one in found
    ]
    header = [
        factor,
        f"minus {reference} (points)",
        "95% interval",
        "seeds",
        "p (paired t)",
        "p (Holm)",
    ]
    alt = f"Gains over {reference}: " + "; ".join(f"{_level(o)} {signed(o.gain)}" for o in found)
    name, title = slug(f"levels-{factor}"), f"Each {factor} against {reference}"
    drawn = Drawing(name, alt + ".", partial(draw_levels, found), "95% paired t intervals.")
    table = Table(f"Levels of {factor}", header, rows)
    return Section(name, title, said, [drawn], [table])


def _those(found: Sequence[LevelGain]) -> str:
    if not found:
        return "none is"
    names = [f"{_level(one)} ({signed(one.gain)})" for one in found]
    return f"{listed(names)} {'is' if len(found) == 1 else 'are'}"


def _level(one: LevelGain) -> str:
    return " ".join([one.level, *(f"{factor}={level}" for factor, level in one.stratum.items())])


def _name(one: Effect) -> str:
    return " x ".join(f"{f}={level}" for f, level in zip(one.factors, one.levels, strict=True))
