"""What each usual criterion of a reproduction says about a claim, and what it cannot see.

The criteria stand side by side, so that nobody can pick the one that suits them. Only two of them
decide a verdict (``reports.numbers.verdict``): a mean difference surely on the claimed side of
zero, and equivalence.

This file is long because each criterion stands with its words, and they are read side by side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from reports.findings.agreement import Agreement
from reports.findings.contrasts import JudgedClaim
from reports.numbers.intervals import FEWEST, FIXED, Interval
from reports.numbers.many import EXPANDED, IN_GROUPS, MANY
from reports.numbers.paired import PairedComparison
from reports.numbers.study import Claim
from reports.numbers.verdict import Judgement, margin_reaches_zero
from reports.numbers.words import counted

PRINTED_DIGIT = 0.01  # of accuracies in %; published means that differ by no more are the same


@dataclass(frozen=True)
class Criterion:
    """One criterion.

    Attributes
    ----------
    criterion : a statement.
    result : what the data say, in numbers.
    holds : whether the statement is true by its own rule (not whether that favours the claim);
        None where there is no rule, or where data like these can never meet it.
    cannot_see : what the criterion is blind to.
    """

    criterion: str
    result: str
    holds: bool | None
    cannot_see: str


def criteria(
    judged: JudgedClaim, agreement: Sequence[Agreement] = (), tasks: int = 0
) -> list[Criterion]:
    """Return what each criterion says; empty where the claim has no pair of seeds.

    Parameters
    ----------
    agreement : how the published values compare with ours. It gives the criteria about published
        accuracies: one row for each source that has both of the claim's conditions after the last
        task.
    tasks : number of tasks.
    """
    compared, judgement = judged.contrast.comparison, judged.judgement
    if compared is None or judgement is None:
        return []
    case = _Case(judged.claim, compared, judgement)
    return [
        case.direction(),
        case.superiority(),
        case.reported_inside(),
        case.equivalence(),
        case.negligibility(),
        case.ranks(),
        case.sign_flips(),
        case.bootstrap(),
        case.chance_of_better(),
        case.effect_size(),
        *_published(judged.claim, agreement, tasks),
    ]


@dataclass(frozen=True)
class _Case:
    """A claim and its data, on an axis whose upward direction is that of the reported gain."""

    claim: Claim
    compared: PairedComparison
    judgement: Judgement

    @property
    def side(self) -> str:
        return "above" if self.claim.reported > 0 else "below"

    @property
    def unit(self) -> str:
        return "points" if self.claim.unit == "points" else "%"

    @property
    def seeds(self) -> str:
        return f"{self.compared.n} seed{'s' * (self.compared.n != 1)}"

    @property
    def fixed(self) -> bool:
        return self.judgement.procedure == FIXED.name

    @property
    def peeked(self) -> str:
        return "" if self.fixed else " That seeds were added by looking, as here."

    def upward(self, interval: Interval) -> Interval:
        return interval if self.claim.reported > 0 else -interval

    def direction(self) -> Criterion:
        mean, reported = self.compared.mean, self.claim.reported
        return Criterion(
            "same direction as reported",
            f"ours {mean:+.2f}, reported {reported:+.2f} {self.unit}",
            mean * reported > 0,
            "Size and chance: without any effect every other study has the right direction.",
        )

    def superiority(self) -> Criterion:
        level, procedure = f"{100 * (1 - self.claim.alpha):.3g}%", self.judgement.procedure
        ends = self._ends(self.judgement.ci)
        result = f"{self.compared.mean:+.2f} {self.unit}, {level} interval {ends}"
        if self.fixed:  # the p-value is valid for no other procedure
            result += f", {_p(self.compared.p_t)}"
        return Criterion(
            f"mean difference {self.side} zero ({'paired t' if self.fixed else procedure})",
            result,
            _where_ended(self.judgement.ci, self.upward(self.judgement.ci).low > 0),
            "Size: with enough seeds a hundredth of the claim passes as well. Cause: the two "
            "conditions may differ in more than the claim names.",
        )

    def reported_inside(self) -> Criterion:
        ci, reported = self.judgement.ci, self.claim.reported
        holds = ci.low <= reported <= ci.high
        return Criterion(
            "reported value inside our interval",
            f"{self._ends(ci)} {'holds' if holds else 'does not hold'} {reported:+.2f}",
            _where_ended(ci, holds),
            "Never decides. Any claim in this interval passes, and the fewer the seeds and the "
            "larger their spread, the wider it is; with many seeds it fails over a difference "
            "that nobody cares about.",
        )

    def equivalence(self) -> Criterion:
        claim = self.claim
        band = Interval(claim.reported - claim.margin, claim.reported + claim.margin)
        ci = self.judgement.ci_equivalence
        blind = "Whether the margin is the right one, and was fixed before the data were seen."
        if margin_reaches_zero(claim.reported, claim.margin):
            blind += " Here it reaches zero: no gain at all passes as well."
        return Criterion(
            "equivalent to the claim within its margin (TOST)",
            f"{_p(self.judgement.p_claim)}, {self._equivalence_ci()}, margin {_span(band)}",
            _where_ended(ci, ci.inside(band)),
            blind,
        )

    def negligibility(self) -> Criterion:
        band = Interval(-self.claim.negligible, self.claim.negligible)
        ci = self.judgement.ci_equivalence
        return Criterion(
            "equivalent to zero (TOST)",
            f"{_p(self.judgement.p_zero)}, {self._equivalence_ci()}, negligible {_span(band)}",
            _where_ended(ci, ci.inside(band)),
            "A gain that is there: one can be surely above zero and negligible. That it fails is "
            "no evidence of a gain, only too little evidence of none.",
        )

    def ranks(self) -> Criterion:
        return self._counted(
            f"differences {self.side} zero by their ranks (Wilcoxon)",
            self.compared.p_wilcoxon,
            "Size: it sees ranks only; one large loss counts no more than its rank.",
        )

    def sign_flips(self) -> Criterion:
        return self._counted(
            f"mean difference {self.side} zero (sign flips)",
            self.compared.p_sign_flip,
            "Size; and it takes differences without an effect to be symmetric.",
        )

    def bootstrap(self) -> Criterion:
        ci = self.compared.bca95
        return Criterion(
            f"BCa bootstrap interval {self.side} zero",
            f"95% interval {self._ends(ci)} over {self.seeds}",
            _where_ended(ci, self.upward(ci).low > 0),
            "Its own error: with few seeds it is too narrow (at five it covers about 84%, not "
            f"95%), and it knows no value beyond those seen."
            f"{f' {_sentence(EXPANDED)}' * (self.compared.n > MANY)}{self.peeked}",
        )

    def chance_of_better(self) -> Criterion:
        share, ci = self.compared.probability_superior, self.compared.probability_superior_ci95
        holds = ci.low > 0.5 if self.claim.reported > 0 else ci.high < 0.5
        possible = 0.025 ** (1 / self.compared.n) > 0.5  # the interval's low end if all seeds win
        return Criterion(
            f"P(A > B) {self.side} one half",
            f"{self.claim.treatment} ahead on {share * self.compared.n:g} of "
            f"{counted(self.compared.n, 'seed')}, P = {share:.2f} "
            f"(95% interval {ci.low:.2f} to {ci.high:.2f})",
            holds if possible else None,
            "Size: a thousandth of a point on every seed gives 1 as well.",
        )

    def effect_size(self) -> Criterion:
        size = self.compared.hedges_gz
        return Criterion(
            "effect size (Hedges' g_z)",
            f"g_z = {size:+.2f}" if size is not None else "none: too few seeds, or no spread",
            None,
            "Points: it is the mean in units of the spread between seeds, so a tiny gain with a "
            "tiny spread is huge. It has no threshold of its own.",
        )

    def _ends(self, interval: Interval) -> str:
        """Return an interval of the gain, where there are seeds enough to show one."""
        return _span(interval) if self.compared.n >= FEWEST else "not shown for so few seeds"

    def _equivalence_ci(self) -> str:
        level = 100 * (1 - 2 * self.claim.alpha)
        return f"{level:.3g}% interval {self._ends(self.judgement.ci_equivalence)}"

    def _counted(self, criterion: str, p: float, blind: str) -> Criterion:
        """Return the row of an exact test; with too few seeds no result can pass it."""
        smallest, alpha = self.compared.smallest_p, self.claim.alpha
        holds = None
        if smallest <= alpha:
            holds = p <= alpha and self.compared.mean * self.claim.reported > 0
            if self.compared.n > MANY:
                blind = f"{blind} {_sentence(IN_GROUPS)}"
        else:
            blind = f"Anything at {self.seeds}: no data reach {alpha:g}. {blind}"
        result = f"{_p(p)}; the smallest at {self.seeds}: {smallest:.2g}"
        return Criterion(criterion, result, holds, blind + self.peeked)


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _published(claim: Claim, agreement: Sequence[Agreement], tasks: int) -> Iterator[Criterion]:
    """Yield the criteria about a source's accuracies of both conditions after the last task."""
    last: dict[str, dict[str, Agreement]] = {}
    for row in agreement:
        if row.after_tasks == tasks:  # the claim is about the accuracy after the last task
            last.setdefault(row.source, {})[row.condition] = row
    for source, by_condition in last.items():
        both = [
            by_condition[name] for name in (claim.baseline, claim.treatment) if name in by_condition
        ]
        if len(both) == 2 and all(row.plus_minus is not None for row in both):
            yield _error_bars(source, both, agreement)
        if len(both) == 2 and all(row.prediction95 is not None for row in both):
            yield _predictions(source, both)


def _error_bars(
    source: str, both: Sequence[Agreement], agreement: Sequence[Agreement]
) -> Criterion:
    shown = []
    for row in both:
        ours = Interval(row.ci95.low + row.published, row.ci95.high + row.published)
        shown.append(
            f"{row.condition} {row.published:.2f} ± {row.plus_minus:.2f}, ours "
            f"{row.published + row.difference:.2f} ({_span(ours, '')})"
        )
    odd = "".join(_shared_bars(agreement))
    return Criterion(
        f"published error bars overlap ours ({source})",
        "; ".join(shown),
        all(map(_overlap, both)) if all(_ended(row.ci95) for row in both) else None,
        "Which test it is: that depends on what the bars are (spread, standard error, interval) "
        "and over how many runs. Two accuracies can each overlap while their difference does "
        f"not, and the other way round.{odd}",
    )


def _overlap(row: Agreement) -> bool:
    bar = row.plus_minus or 0.0
    return row.ci95.low <= bar and row.ci95.high >= -bar


def _predictions(source: str, both: Sequence[Agreement]) -> Criterion:
    shown = [
        f"{row.condition} {row.published:.2f}, where the mean of {row.runs} runs like ours falls: "
        f"{_span(row.prediction95, '')}"
        for row in both
        if row.prediction95 is not None
    ]
    agreeing = [_predicted(row) for row in both]
    return Criterion(
        f"published accuracies inside our prediction intervals ({source})",
        "; ".join(shown),
        None if None in agreeing else all(agreeing),
        "The gain: both accuracies can be off by as much and their difference agree, or each be "
        "inside and the difference not. It takes the published runs to be like ours.",
    )


def _predicted(row: Agreement) -> bool | None:
    """Tell whether a published value lies in its prediction interval; None where it has no ends."""
    band = row.prediction95
    return _where_ended(band, band.low <= row.published <= band.high) if band else None


def _shared_bars(agreement: Sequence[Agreement]) -> Iterator[str]:
    """Yield a remark for each two sources that print the same bars for different means."""
    bars: dict[str, dict[tuple[str, int], Agreement]] = {}
    for row in agreement:
        if row.plus_minus is not None:
            bars.setdefault(row.source, {})[row.condition, row.after_tasks] = row
    for (first, first_bars), (second, second_bars) in combinations(bars.items(), 2):
        same = [
            key
            for key in first_bars.keys() & second_bars.keys()
            if first_bars[key].plus_minus == second_bars[key].plus_minus
        ]
        apart = [
            key
            for key in same
            if abs(first_bars[key].published - second_bars[key].published) > PRINTED_DIGIT
        ]
        if apart:
            yield (
                f" Odd: {first} and {second} print the same bars for {len(same)} values and "
                f"different means for {len(apart)} of them."
            )


def _span(interval: Interval, sign: str = "+") -> str:
    if not _ended(interval):
        return "without ends"
    return f"{interval.low:{sign}.2f} to {interval.high:{sign}.2f}"


def _ended(interval: Interval) -> bool:
    return math.isfinite(interval.low) and math.isfinite(interval.high)


def _where_ended(interval: Interval, holds: bool) -> bool | None:
    """Return ``holds``; None where the interval is infinite, for example for one seed."""
    return holds if _ended(interval) else None


def _p(value: float) -> str:
    return "p < 0.0001" if value < 0.0001 else f"p = {value:.2g}"
