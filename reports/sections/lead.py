"""What stands first: the claim, the verdict, the finding, its cause, and what was run."""

from __future__ import annotations

from collections import Counter
from statistics import fmean

from reports.findings.analysis import Analysis
from reports.findings.apart import Answer
from reports.findings.contrasts import JudgedClaim
from reports.findings.requirements import verdict_of
from reports.numbers.words import counted, listed
from reports.sections.asked import facts
from reports.sections.causes import cause_sentences
from reports.sections.rich import Code, Rich, Strong
from reports.sections.section import Command, Quote, Section
from reports.sections.told import answer_link, answer_words, carrier_words, others_told
from reports.sections.verdict import completeness_words, headline, main_claim


def lead_section(analysis: Analysis) -> Section:
    """Return the first section: what a reader can take away in ten seconds."""
    answer = main_answer(analysis)
    command = cause_command(analysis)
    paragraphs = [headline(analysis), *filter(None, [completeness_words(analysis)])]
    if not analysis.order:
        paragraphs = [*cause_sentences(analysis.causes), *paragraphs]
    return Section(
        "verdict",
        "The verdict",
        paragraphs,
        quotes=[quote(analysis)] if analysis.order else [],
        findings=[*compared_words(analysis), *cause_words(analysis), *other_words(analysis)],
        links=[] if answer is None else answer_link(answer),
        commands=[] if command is None else [command],
        about="What was run",
        facts=facts(analysis),
    )


def quote(analysis: Analysis) -> Quote:
    """Return the main claim, in the words of its source where the study has them."""
    claim, asked = main_claim(analysis).claim, analysis.asked
    words = asked.quotes.get(claim.id)
    who = asked.references[0].split(". ")[0] if asked.references else ""
    places = [claim.source] if words is None else [who, claim.source]
    by = ", ".join(filter(None, places)) or "the study"
    return Quote(words or claim.text, by, asked.notes.get(claim.id, ""))


def compared_words(analysis: Analysis) -> list[Rich]:
    """Return what the two conditions of a gain in accuracy reached; empty for other main claims."""
    main = main_claim(analysis) if analysis.order else None
    if not isinstance(main, JudgedClaim) or main.contrast.comparison is None:
        return []
    pair = main.contrast
    reached, before = fmean(pair.treated), fmean(pair.untreated)
    seeds = counted(len(pair.seeds), "seed")
    return [
        (
            Code(pair.treatment),
            f" reaches {reached:.2f}%, ",
            Code(pair.baseline),
            f" {before:.2f}% (means over the same {seeds}).",
        )
    ]


def other_words(analysis: Analysis) -> list[Rich]:
    """Return how the claims beside the main one fared; empty where there are none."""
    others = [one for one in analysis.judged if one.claim.id != analysis.order[0]]
    verdicts = Counter(
        verdict_of(one) or "NOT JUDGED" for one in others if one.claim.expected is None
    )
    if not verdicts:
        return []
    each = listed([f"{count} {verdict}" for verdict, count in verdicts.items()])
    several = f"other {verdicts.total()} claims" if verdicts.total() > 1 else "other claim"
    causes: dict[str, list[str]] = {}
    for answer, claims in others_told(analysis).items():
        causes.setdefault(carrier_words(answer), []).append(claims)
    told = [f" Cause of {listed(claims)}: {cause}." for cause, claims in causes.items()]
    return [f"The {several}: {each}.{''.join(told)}"]


def main_answer(analysis: Analysis) -> Answer | None:
    """Return what carries the difference of the main claim, where somebody tells."""
    return next((one for one in analysis.answers if one.claim in analysis.order[:1]), None)


def cause_words(analysis: Analysis) -> list[Rich]:
    """Return what caused the main claim's difference, or that nobody tells.

    Empty where its two conditions differ in one setting alone, so that there is one cause only, and
    where it compares no two conditions.
    """
    if not analysis.order:
        return []
    answer, differ = main_answer(analysis), analysis.differ.get(analysis.order[0], ())
    if answer is not None:
        return [answer_words(answer)]
    if len(differ) < 2:
        return []
    names = listed([analysis.asked.named(name) for name in differ])
    return [
        (
            Strong(f"Size, not cause: the two conditions differ in {len(differ)} things."),
            f" They are {names}; this verdict does not tell which of them the difference comes "
            "from.",
        )
    ]


def cause_command(analysis: Analysis) -> Command | None:
    """Return the command that would tell the cause; None where it is told, or there is none."""
    several = len(analysis.differ.get(analysis.order[0], ())) > 1 if analysis.order else False
    line = analysis.commands.get("causes")
    if not several or main_answer(analysis) is not None or line is None:
        return None
    return Command(f"The study {analysis.taken_apart[0]} changes them one at a time", line)
