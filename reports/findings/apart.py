"""What caused a gain, as another study tells that has taken the same contrast apart.

It is the same contrast where both conditions are the same programs, trained on the same data. The
answer depends on results that lie elsewhere. A report therefore keeps it as it was told, and
``verify`` says where those results tell another one by now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reports.findings.attribution import Attribution, decompose
from reports.findings.contrasts import final_accuracies, same_of
from reports.numbers.intervals import Interval
from reports.numbers.records import Record
from reports.numbers.study import Claim, Study


@dataclass(frozen=True)
class Carried:
    """What one factor carries: a share of the whole difference, 1 for all of it.

    ``low`` and ``high`` are the ends of its 95% interval; None where it has none.
    """

    factor: str
    words: str
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Answer:
    """What carries the difference that a claim is about.

    Attributes
    ----------
    claim : the id of the claim.
    study, directory : the other study, and the name of its results directory beside this one; None
        where the claim's own study tells.
    page : the path of its page from the folder of this report; None where it has none.
    seeds : number of seeds behind the answer.
    total, low, high : the difference in points, and the ends of its 95% interval, None where it has
        none.
    shares : one for each factor, in the order of the study that tells.
    """

    claim: str
    study: str | None
    directory: str | None
    page: str | None = field(compare=False)
    seeds: int
    total: float
    low: float | None
    high: float | None
    shares: tuple[Carried, ...]


def told_by_itself(
    claims: Sequence[Claim], decompositions: Mapping[str, Attribution | None], study: Study
) -> Answer | None:
    """Return the answer for the main claim that the factors of its own study give."""
    found = decompositions.get(claims[0].id) if claims else None
    return None if found is None else _answer(claims[0], found, study, None, None)


def answers_of(own: Answer | None, told: Sequence[Answer]) -> tuple[Answer, ...]:
    """Return one answer for each contrast: a study's own goes before, then who tells first."""
    first: dict[str, Answer] = {} if own is None else {own.claim: own}
    for answer in told:
        first.setdefault(answer.claim, answer)
    return tuple(first.values())


def told_elsewhere(
    claims: Sequence[Claim],
    records: Sequence[Record],
    study: Study,
    their_records: Sequence[Record],
    theirs: Study,
    directory: str,
    page: str | None,
) -> list[Answer]:
    """Return what another study's records say of the contrasts that claims are about.

    Nothing of those that that study has not, on the same data, or of which it has not all that lies
    between the two conditions.
    """
    if _data(records) != _data(their_records):
        return []
    levels = {
        name: condition.levels for name, condition in theirs.conditions.items() if condition.levels
    }
    settings = {name: theirs.conditions[name].settings() for name in levels}
    finals, same, answers = final_accuracies(their_records), same_of(their_records), []
    for claim in _contrasts(claims):
        wanted = (study.conditions[name].settings() for name in (claim.treatment, claim.baseline))
        treatment, baseline = (
            next((name for name, there in settings.items() if there == ours), None)
            for ours in wanted
        )
        if treatment is None or baseline is None:
            continue
        found = decompose(finals, levels, treatment, baseline, same)
        if found is not None:
            answers.append(_answer(claim, found, theirs, directory, page))
    return answers


def answer_for(claim: Claim, claims: Sequence[Claim], answers: Sequence[Answer]) -> Answer | None:
    """Return what carries a claim's difference: an answer is for all claims of its contrast."""
    same = {one.id for one in claims if _contrast(one) == _contrast(claim)}
    return next((answer for answer in answers if answer.claim in same), None)


def _contrasts(claims: Sequence[Claim]) -> list[Claim]:
    """Return the first claim about each contrast."""
    return list({_contrast(claim): claim for claim in reversed(claims)}.values())[::-1]


def _contrast(claim: Claim) -> tuple[str, str]:
    return claim.treatment, claim.baseline


def answer_from(content: object) -> Answer | None:
    """Return the answer that a ``verdict.json`` holds; None where it holds none, or not so."""
    if not isinstance(content, Mapping) or not isinstance(content.get("shares"), list):
        return None
    try:
        shares = tuple(Carried(**share) for share in content["shares"])
        answer = Answer(**{**content, "shares": shares})
    except TypeError:
        return None
    texts = [answer.claim, *(text for one in shares for text in (one.factor, one.words))]
    optional = [answer.study, answer.directory, answer.page]
    numbers: list[Any] = [answer.total, answer.seeds]
    numbers += [answer.low, answer.high, *(n for s in shares for n in (s.share, s.low, s.high))]
    told: list[Answer | Carried] = [answer, *shares]
    fits = (
        all(isinstance(text, str) for text in texts + [o for o in optional if o is not None])
        and all(isinstance(number, int | float) for number in numbers if number is not None)
        and None not in numbers[:2]
        and all((one.low is None) == (one.high is None) for one in told)
    )
    return answer if fits else None


def _data(records: Sequence[Record]) -> set[str]:
    return {str(record.get("provenance", {}).get("data")) for record in records}


def _answer(
    claim: Claim, found: Attribution, study: Study, directory: str | None, page: str | None
) -> Answer:
    words = {} if study.texts is None else study.texts.factors
    told = told_of(claim.id, found, words)
    return replace(
        told, study=None if directory is None else study.name, directory=directory, page=page
    )


def told_of(claim: str, found: Attribution, words: Mapping[str, str]) -> Answer:
    """Return the answer that a claim's own study gives, by the factors' names in words."""
    shares = [
        Carried(
            one.factor,
            words.get(one.factor, one.factor.replace("_", " ")),
            one.share,
            *_ends(one.share_ci95),
        )
        for one in found.shares
    ]
    low, high = _ends(found.ci95)
    seeds = len(found.seeds)
    return Answer(claim, None, None, None, seeds, found.total, low, high, tuple(shares))


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    finite = interval is not None and abs(interval.low) + abs(interval.high) < float("inf")
    return (interval.low, interval.high) if finite and interval is not None else (None, None)
