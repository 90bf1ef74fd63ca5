"""What carries a gain, in words and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from reports.figures.factorial import draw_effects, draw_levels, draw_paths
from reports.findings.attribution import Attribution, Step
from reports.findings.effects import Effect, LevelGain
from reports.numbers.intervals import FEWEST, Interval
from reports.numbers.words import counted, interval, listed, p_value, signed
from reports.sections.section import Drawing, Section, Table, slug


def sentence(attribution: Attribution) -> str:
    """Return in one sentence what share of the gain each factor carries, with intervals."""
    where = " ".join(f"{factor}={level}" for factor, level in attribution.stratum.items())
    shares = [
        f"{share.factor} carries {_percent(share.share, share.share_ci95)}"
        for share in attribution.shares
    ]
    seeds = counted(len(attribution.seeds), "seed")
    ends = interval(attribution.ci95, seeds=len(attribution.seeds))
    return (
        f"Of the gain of {signed(attribution.total)} points ({ends})"
        f"{f' at {where}' if where else ''}, {listed(shares)}; shares are means over all orders in "
        f"which the factors can change, with 95% intervals over {seeds}."
    )


def _percent(share: float | None, ends: Interval | None) -> str:
    if share is None:
        return "no share that could be told"
    if ends is None:
        return f"{100 * share:.1f}% (interval unbounded)"
    return f"{100 * share:.1f}% ({100 * ends.low:.1f} to {100 * ends.high:.1f})"


def decomposition_section(decompositions: Mapping[str, Attribution | None]) -> Section:
    """Return the section on the decomposed claims, by id; a claim that is None is named missing."""
    attributions = {
        name: attribution for name, attribution in decompositions.items() if attribution is not None
    }
    paragraphs = [sentence(attribution) for attribution in attributions.values()]
    missing = [name for name in decompositions if name not in attributions]
    if missing:
        paragraphs.append(
            f"Not taken apart: {listed(missing)}; it needs every condition between the two, on "
            "common seeds."
        )
    if not attributions:
        return Section("causes", "What carries the gain", paragraphs)
    paragraphs.append(
        "Each line below changes one factor and nothing else, on the same seeds and the same "
        "random draws. A factor that carries the gain rises wherever it stands in the order."
    )
    alt = "Mean accuracy with more and more factors changed, every order. " + " ".join(
        sentence(attribution) for attribution in attributions.values()
    )
    caption = "Means over seeds; the lines are factors."
    drawn = Drawing("causes", alt, partial(draw_paths, attributions), caption)
    tables = [_shares_table(attributions)]
    tables += [_paths_table(name, attribution) for name, attribution in attributions.items()]
    return Section("causes", "What carries the gain", paragraphs, [drawn], tables)


def _shares_table(attributions: Mapping[str, Attribution]) -> Table:
    rows = [
        [
            name,
            share.factor,
            signed(share.contribution),
            interval(share.ci95, seeds=len(attribution.seeds)),
            "-" if share.share is None else f"{100 * share.share:.1f}",
            "-"
            if share.share_ci95 is None or len(attribution.seeds) < FEWEST
            else f"{100 * share.share_ci95.low:.1f} to {100 * share.share_ci95.high:.1f}",
            *(
                cell
                for step in (share.first, share.last)
                for cell in _gain(step, len(attribution.seeds))
            ),
        ]
        for name, attribution in attributions.items()
        for share in attribution.shares
    ]
    interval95 = "95% interval"
    header = ["claim", "factor", "contribution (points)", interval95, "share %", interval95]
    header += ["changed alone", interval95, "changed last", interval95]
    return Table("What each factor carries (Shapley), alone, and after all others", header, rows)


def _paths_table(name: str, attribution: Attribution) -> Table:
    rows = [
        [
            " → ".join(step.factor for step in path),
            *(f"{step.factor} {' '.join(_bracketed(step, attribution))}" for step in path),
        ]
        for path in attribution.paths
    ]
    header = ["order", *(f"step {i + 1}" for i in range(len(attribution.shares)))]
    return Table(f"Every order of one-factor changes: {name}", header, rows, folded=True)


def _bracketed(step: Step, attribution: Attribution) -> list[str]:
    gain, ends = _gain(step, len(attribution.seeds))
    return [gain, f"({ends})"]


def _gain(step: Step, seeds: int) -> list[str]:
    return [signed(step.gain), interval(step.ci95, seeds=seeds)]


def effects_section(effects: Sequence[Effect]) -> Section:
    """Return the section on the effects of a complete two-level factorial."""
    sure = [effect for effect in effects if effect.p_holm < 0.05]
    paragraphs = [
        "Exploratory, no claim: all crossings together, as a two-level factorial. A main effect is "
        "the difference between the mean accuracies at the two levels of a factor; an interaction "
        "is half of how much one "
        f"factor changes the other's effect. {len(sure)} of {len(effects)} differ from zero after "
        "Holm's correction (5%)."
    ]
    rows = [
        [
            _name(effect),
            signed(effect.effect),
            interval(effect.ci95),
            p_value(effect.p),
            p_value(effect.p_holm),
        ]
        for effect in effects
    ]
    header = ["effect", "points", "95% interval", "p (paired t)", "p (Holm)"]
    alt = (
        "Effects in points: "
        + "; ".join(f"{_name(effect)} {signed(effect.effect)}" for effect in effects)
        + "."
    )
    drawn = Drawing(
        "effects",
        alt,
        partial(draw_effects, effects),
        "95% t intervals; diamonds: different from zero after Holm.",
    )
    return Section(
        "effects",
        "Main effects and interactions",
        paragraphs,
        [drawn],
        [Table("Effects of the factorial", header, rows, folded=True)],
    )


def levels_section(gains: Sequence[LevelGain]) -> Section:
    """Return the section on the levels of one factor against its reference."""
    factor, reference = gains[0].factor, gains[0].reference
    down = [level for level in gains if level.p_holm < 0.05 and level.gain < 0]
    up = [level for level in gains if level.p_holm < 0.05 and level.gain > 0]
    paragraphs = [
        f"Exploratory, no claim: each {factor} against {reference}, all else equal. After Holm's "
        f"correction over {len(gains)} contrasts (5%), {_those(down)} worse and {_those(up)} "
        "better."
    ]
    rows = [
        [
            _level(level),
            signed(level.gain),
            interval(level.ci95, seeds=len(level.seeds)),
            str(len(level.seeds)),
            p_value(level.p),
            p_value(level.p_holm),
        ]
        for level in gains
    ]
    header = [
        factor,
        f"minus {reference} (points)",
        "95% interval",
        "seeds",
        "p (paired t)",
        "p (Holm)",
    ]
    alt = f"Gains over {reference}: " + "; ".join(
        f"{_level(level)} {signed(level.gain)}" for level in gains
    )
    name, title = slug(f"levels-{factor}"), f"Each {factor} against {reference}"
    drawn = Drawing(name, alt + ".", partial(draw_levels, gains), "95% paired t intervals.")
    table = Table(f"Levels of {factor}", header, rows)
    return Section(name, title, paragraphs, [drawn], [table])


def _those(gains: Sequence[LevelGain]) -> str:
    if not gains:
        return "none is"
    names = [f"{_level(level)} ({signed(level.gain)})" for level in gains]
    return f"{listed(names)} {'is' if len(gains) == 1 else 'are'}"


def _level(gain: LevelGain) -> str:
    return " ".join([gain.level, *(f"{factor}={level}" for factor, level in gain.stratum.items())])


def _name(effect: Effect) -> str:
    return " x ".join(
        f"{factor}={level}" for factor, level in zip(effect.factors, effect.levels, strict=True)
    )
