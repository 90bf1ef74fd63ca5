"""The table of criteria: what each says where the answer is known, and when it can say nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gains import SmallClaim, paired, spread
from reported import RECORDS, STUDY

from reports.findings.agreement import Agreement
from reports.findings.analysis import analyse
from reports.findings.contrasts import JudgedClaim
from reports.findings.criteria import Criterion, criteria
from reports.numbers.intervals import FIXED, Floats, Interval, Procedure
from reports.numbers.sequential import ANYTIME
from reports.numbers.verdict import judge
from reports.output.document import verdict_document

DIRECTION, ABOVE, INSIDE = "same direction", "mean difference", "reported value"
CLAIM, ZERO = "equivalent to the claim", "equivalent to zero"
RANKS, FLIPS, BCA, BETTER = "differences", "sign flips", "BCa", "P(A > B)"


def judged(
    gains: Floats | list[float], claim: SmallClaim | None = None, procedure: Procedure = FIXED
) -> JudgedClaim:
    claim, contrast = claim or SmallClaim(), paired(gains)
    assert contrast.comparison is not None
    found = judge(
        contrast.comparison,
        claim.reported,
        claim.margin,
        claim.negligible,
        unit=claim.unit,
        procedure=procedure,
    )
    return JudgedClaim(claim, contrast, found)


def row(rows: list[Criterion], name: str) -> Criterion:
    """Return the row of this name, or with it in brackets where two begin alike."""
    exact = [one for one in rows if one.criterion.startswith(name)]
    (found,) = exact[:1] or [one for one in rows if f"({name})" in one.criterion]
    return found


def holding(rows: list[Criterion]) -> dict[str, bool | None]:
    names = (DIRECTION, ABOVE, INSIDE, CLAIM, ZERO, RANKS, FLIPS, BCA, BETTER)
    return {name: row(rows, name).holds for name in names}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("mean", "sd", "held"),
    [
        (4.5, 1.0, {DIRECTION, ABOVE, INSIDE, CLAIM, RANKS, FLIPS, BCA, BETTER}),
        (1.5, 0.5, {DIRECTION, ABOVE, RANKS, FLIPS, BCA, BETTER}),  # a smaller gain
        (0.1, 0.05, {DIRECTION, ABOVE, ZERO, RANKS, FLIPS, BCA, BETTER}),  # sure and negligible
        (-2.0, 0.5, set()),  # the opposite
        (3.5, 8.0, {DIRECTION, INSIDE}),  # noise, in which the reported value lies
    ],
)
def test_each_criterion_says_what_is_known(
    mean: float, sd: float, held: set[str], sign: int
) -> None:
    rows = criteria(judged(sign * spread(mean, 10, sd), SmallClaim(reported=sign * 4.69)))
    assert {name for name, holds in holding(rows).items() if holds} == held
    assert None not in holding(rows).values()
    side = "above" if sign > 0 else "below"
    assert row(rows, ABOVE).criterion == f"mean difference {side} zero (paired t)"


def test_the_numbers_are_in_the_sentences() -> None:
    rows = criteria(judged(spread(4.5, 10, 1.2)))
    assert row(rows, DIRECTION).result == "ours +4.50, reported +4.69 points"
    assert row(rows, ABOVE).result == "+4.50 points, 95% interval +3.64 to +5.36, p < 0.0001"
    assert row(rows, CLAIM).result == (
        "p = 0.0028, 90% interval +3.80 to +5.20, margin +3.13 to +6.25"
    )
    assert row(rows, RANKS).result == "p = 0.002; the smallest at 10 seeds: 0.002"
    assert row(rows, BETTER).result == (
        "b ahead on 10 of 10 seeds, P = 1.00 (95% interval 0.69 to 1.00)"
    )
    assert row(rows, "effect size").result == "g_z = +3.43"
    assert row(rows, "effect size").holds is None
    assert "Never decides" in row(rows, INSIDE).cannot_see
    assert all(one.cannot_see.endswith(".") for one in rows)


def test_what_few_seeds_cannot_pass_is_not_called_failed() -> None:
    """Five seeds reach 1/16 in a two-sided exact test, and an interval of P(A > B) from 0.48."""
    five = criteria(judged(spread(4.5, 5, 0.5)))
    assert {n for n, holds in holding(five).items() if holds is None} == {RANKS, FLIPS, BETTER}
    assert row(five, RANKS).cannot_see.startswith("Anything at 5 seeds: no data reach 0.05.")
    six = criteria(judged(spread(4.5, 6, 0.5)))
    assert None not in holding(six).values()
    one = holding(criteria(judged([4.5])))
    assert one.pop(DIRECTION) is True
    assert set(one.values()) == {None}


def test_a_margin_that_reaches_zero_is_told() -> None:
    rows = criteria(judged(spread(0.3, 10, 0.1), SmallClaim(reported=0.37, margin=0.5)))
    assert "no gain at all passes as well" in row(rows, CLAIM).cannot_see
    assert "no gain at all" not in row(criteria(judged([4.0, 5.0])), CLAIM).cannot_see


def test_fixed_criteria_say_that_seeds_were_added_by_looking() -> None:
    rows = criteria(judged(spread(4.5, 10, 1.2), procedure=ANYTIME))
    assert row(rows, ABOVE).criterion == "mean difference above zero (anytime-valid t)"
    assert "p " not in row(rows, ABOVE).result
    for name in (RANKS, FLIPS, BCA):
        assert row(rows, name).cannot_see.endswith("That seeds were added by looking, as here.")


def test_a_claim_without_a_pair_has_no_criteria() -> None:
    (claim,) = analyse(RECORDS[:1], STUDY).claims
    assert criteria(claim) == []


# Published accuracies: ours are 94 for the baseline a and 98 for the treatment b


def agreement(condition: str, published: float, source: str = "poster", **own: object) -> Agreement:
    ours = {"a": 94.0, "b": 98.0}[condition]
    one = Agreement(
        condition=condition,
        source=source,
        after_tasks=5,
        published=published,
        plus_minus=0.5,
        n=10,
        difference=ours - published,
        ci95=Interval(ours - published - 0.4, ours - published + 0.4),
        runs=11,
        prediction95=Interval(ours - 0.7, ours + 0.7),
        readings=(),
        agrees=abs(ours - published) <= 0.7,
    )
    return replace(one, **own)  # type: ignore[arg-type]


CASE = judged(spread(4.0, 10, 1.0))


@pytest.mark.parametrize(
    ("baseline", "treatment", "overlap", "inside"),
    [(94.8, 98.0, True, False), (93.5, 97.4, True, True), (94.0, 96.9, False, False)],
)
def test_published_accuracies_are_held_against_ours(
    baseline: float, treatment: float, overlap: bool, inside: bool
) -> None:
    both = [agreement("b", treatment), agreement("a", baseline)]
    bars, predicted = criteria(CASE, both, 5)[-2:]
    assert bars.criterion == "published error bars overlap ours (poster)"
    assert bars.holds is overlap
    assert f"a {baseline:.2f} ± 0.50, ours 94.00 (93.60 to 94.40); b " in bars.result
    assert predicted.criterion == "published accuracies inside our prediction intervals (poster)"
    assert predicted.holds is inside
    assert "where the mean of 11 runs like ours falls: 93.30 to 94.70" in predicted.result


def test_only_the_last_values_of_whole_sources_are_criteria() -> None:
    early = agreement("a", 10.0, after_tasks=2)
    values = [agreement("a", 94.0), agreement("b", 98.0), early, agreement("b", 98.0, "figure")]
    rows = criteria(CASE, values, 5)[10:]
    assert [one.criterion[-8:] for one in rows] == ["(poster)"] * 2
    assert [one.holds for one in rows] == [True, True]
    unknown = [replace(one, runs=None, prediction95=None, agrees=None) for one in values]
    assert len(criteria(CASE, unknown, 5)) == 11
    bare = [replace(one, plus_minus=None) for one in unknown]
    assert len(criteria(CASE, bare, 5)) == 10
    everything = Interval(-np.inf, np.inf)
    one_seed = [replace(one, ci95=everything, prediction95=everything) for one in values]
    assert [one.holds for one in criteria(CASE, one_seed, 5)[10:]] == [None, None]


def test_bars_that_two_sources_share_are_told() -> None:
    """b's means agree to the last printed digit, a's do not."""
    values = [agreement("a", 94.0), agreement("b", 98.0)]
    other = [agreement("a", 92.0, "figure"), agreement("b", 98.004, "figure")]
    rows = criteria(CASE, values + other, 5)
    odd = "poster and figure print the same bars for 2 values and different means for 1 of them."
    assert [odd in one.cannot_see for one in rows[10:]] == [True, False, True, False]
    apart = [replace(one, plus_minus=0.6) for one in other]
    assert not any("Odd" in one.cannot_see for one in criteria(CASE, values + apart, 5))


def test_the_document_has_the_table_of_the_main_claim() -> None:
    found = analyse(RECORDS, STUDY)
    document = verdict_document(found)
    assert [set(one) for one in document["criteria"]] == [
        {"criterion", "result", "holds", "cannot_see"}
    ] * 10
    assert document["criteria"][0]["result"] == "ours +10.50, reported +10.00 points"
    assert len(document["error_rates"]) == 7
    assert "20,000 simulated studies of 2 seeds" in document["error_rates_note"]
