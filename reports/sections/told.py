"""What carries a difference, in words: as a study's own factors tell it, or another study."""

from __future__ import annotations

from reports.findings.analysis import Analysis
from reports.findings.apart import Answer, Carried, answer_for
from reports.numbers.words import counted, listed, signed
from reports.sections.rich import Link, Rich, Strong
from reports.sections.section import Command

NOTHING = 0.1
"""A factor carries something where its share is surely above, nothing where surely within it."""


def answer_words(answer: Answer, claims: str = "") -> Rich:
    """Return what carries a difference, and what does not; of which claims, where that is said."""
    each = ", ".join(f"{one.words} {_share(one)}" for one in answer.shares)
    seeds = counted(answer.seeds, "seed")
    where = f"over its {seeds}"
    if answer.study:
        where = f"that the study {answer.study} finds over its own {seeds}"
    of = f" of {claims}" if claims else ""
    return (
        Strong(f"Cause{of}: {carrier_words(answer)}."),
        f" Shares, with 95% intervals, of the {signed(answer.total)} points {where}: {each}.",
    )


def carrier_words(answer: Answer) -> str:
    """Return which factors carry a difference, and which carry nothing of it."""
    shares = answer.shares
    carriers = [one.words for one in shares if one.low is not None and one.low > NOTHING]
    idle = [one.words for one in shares if _is_nothing(one)]
    said = listed(carriers) if carriers else "these seeds cannot tell"
    return f"{said}, not {' or '.join(idle)}" if carriers and idle else said


def answer_link(answer: Answer) -> list[Link]:
    """Return the link to the page of the study that tells, where it is another one with a page."""
    if answer.study is None or answer.page is None:
        return []
    where = f"{answer.study} ({counted(answer.seeds, 'seed')})"
    return [Link(f"How the study {where} took it apart", answer.page)]


def others_told(analysis: Analysis) -> dict[Answer, str]:
    """Return the answers for claims beside the main one, each with the ids of its claims."""
    claims = [judged.claim for judged in analysis.claims]
    named: dict[str, list[str]] = {}
    for claim in claims:
        answer = answer_for(claim, claims, analysis.answers)
        if answer is not None:
            named.setdefault(answer.claim, []).append(claim.id)
    main = set(analysis.order[:1])
    return {
        answer: listed(named[answer.claim])
        for answer in analysis.answers
        if answer.claim in named and not main & set(named[answer.claim])
    }


def other_commands(analysis: Analysis) -> list[Command]:
    """Return the commands of further studies that take claims apart, where these have not told."""
    told = {answer.study for answer in analysis.answers}
    return [
        Command(
            f"The study {name} changes one at a time what lies between further claims' conditions",
            analysis.commands[f"causes {name}"],
        )
        for name in analysis.taken_apart[1:]
        if name not in told and f"causes {name}" in analysis.commands
    ]


def _is_nothing(one: Carried) -> bool:
    if one.low is None or one.high is None:
        return False
    return one.low >= -NOTHING and one.high <= NOTHING


def _share(one: Carried) -> str:
    if one.share is None:
        return "cannot be told"
    if one.low is None or one.high is None:
        return f"{100 * one.share:.0f}% (interval unbounded)"
    return f"{_percent(one.share)}% ({_percent(one.low)} to {_percent(one.high)})"


def _percent(share: float) -> str:
    return f"{round(100 * share) + 0:d}"
