"""Reports of one number a cell: its own unit, pairs by number only, seeds that nobody shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats

from harness.keeping.measured_cells import results_of
from harness.studies.measured import Measure
from harness.studies.study import Study
from reports.figures.measured import draw_gains, draw_recorded, draw_values
from reports.figures.theme import styles_of
from reports.findings.analysis import Analysis, analyse
from reports.findings.contrasts import did_the_same
from reports.numbers.values import form_for, tidy
from reports.output.document import verdict_text
from reports.sections.measured import value_rows
from reports.sections.report import sections
from reports.sections.section import Section

LOSS = {"name": "loss", "unit": "nats", "higher_is_better": False}
PAIR = {"treatment": "trick", "baseline": "plain", "text": "t"}
GENERATOR = np.random.default_rng(7)
SHARED = GENERATOR.normal(size=12)
PLAIN = 3 + SHARED + 0.2 * GENERATOR.normal(size=12)
TRICK = 2 + SHARED + 0.4 * GENERATOR.normal(size=12)


def study(claims: Sequence[dict[str, Any]], measure: dict[str, Any] | None = LOSS) -> Study:
    raw: dict[str, Any] = {
        "name": "mine",
        "seeds": 12,
        "conditions": {"plain": {}, "trick": {}},
        "claims": claims,
    }
    return Study.model_validate(raw | ({} if measure is None else {"measure": measure}))


def record(of: Study, condition: str, seed: int, value: float, **provenance: Any) -> Any:
    measured = results_of(of.measured, {of.measured.name: float(value)})
    return {
        "key": f"{condition}{seed}", "study": "mine", "condition": condition, "seed": seed,
        "timings": {}, "provenance": {"data": "none", "pairing": "seed number", **provenance},
        **measured,
    }  # fmt: skip


def records(of: Study, later: int = 0, **provenance: Any) -> list[Any]:
    """Twelve cells of each condition; those of the trick have seeds that begin ``later``."""
    factor = 1 if of.measure is not None else 0.1
    return [
        record(of, name, seed + start, factor * value, **provenance)
        for name, values, start in (("plain", PLAIN, 0), ("trick", TRICK, later))
        for seed, value in enumerate(values)
    ]


def gain(reported: float, margin: float, unit: str = "nats") -> dict[str, Any]:
    return PAIR | {"reported": reported, "margin": margin, "unit": unit}


def judged(of: Study, found: list[Any]) -> Analysis:
    analysis = analyse(found, of)
    verdict_text(analysis)
    return analysis


def section_of(analysis: Analysis, of: Study, name: str) -> Section | None:
    return next((one for one in sections(analysis, of) if one.id == name), None)


@pytest.mark.parametrize(
    ("reported", "margin", "verdict"),
    [
        (1.0, 0.8, "REPRODUCED"),
        (0.3, 0.1, "LARGER"),
        (3.0, 0.5, "PARTIAL"),
        (-1.0, 0.5, "CONTRADICTED"),
        (5.0, 5.5, "DIRECTION ONLY"),
    ],
)
def test_a_gain_in_a_unit_of_its_own_is_judged_in_it(
    reported: float, margin: float, verdict: str
) -> None:
    of = study([gain(reported, margin)])
    (one,) = judged(of, records(of)).statements
    assert one.ruling is not None
    expected = stats.ttest_rel(PLAIN, TRICK)  # lower is better
    ends = expected.confidence_interval(0.95)
    assert one.ruling.estimate == pytest.approx((PLAIN - TRICK).mean())
    assert (one.ruling.ci.low, one.ruling.ci.high) == pytest.approx((ends.low, ends.high))
    assert one.ruling.verdict == verdict


def test_a_gain_that_is_nothing_and_one_that_cannot_be_told() -> None:
    of = study([gain(1.0, 0.8) | {"negligible": 2.0}, gain(0.1, 0.05)])
    close = [record(of, c, s, 1 + 0.01 * s + 0.001 * (c == "trick") * (-1) ** s)
             for c in ("plain", "trick") for s in range(12)]  # fmt: skip
    verdicts = [one.ruling and one.ruling.verdict for one in judged(of, close).statements]
    assert verdicts == ["NOT REPRODUCED", "NOT REPRODUCED"]
    of = study([gain(1.0, 0.25)])
    (one,) = judged(of, [one for one in records(of) if one["seed"] < 6]).statements
    assert one.ruling is not None
    assert one.ruling.verdict == "INCONCLUSIVE"
    assert one.ruling.seeds_needed is not None
    assert "seeds would settle it" in one.ruling.reason


def test_what_pairing_by_number_buys_is_shown_beside_welch() -> None:
    of = study([gain(1.0, 0.8), PAIR | {"kind": "better"}])
    analysis = judged(of, records(of))
    one, other = analysis.pairings
    expected = stats.ttest_ind(PLAIN, TRICK, equal_var=False).confidence_interval(0.95)
    assert (one.welch95.low, one.welch95.high) == pytest.approx((expected.low, expected.high))
    paired = stats.ttest_rel(PLAIN, TRICK).confidence_interval(0.95)
    assert (one.paired95.low, one.paired95.high) == pytest.approx((paired.low, paired.high))
    assert one.correlation == pytest.approx(stats.pearsonr(PLAIN, TRICK).statistic)
    assert one.width is not None
    assert one.width < 0.6
    assert (other.claim, other.welch95) == ("better trick over plain", one.welch95)
    shown = section_of(analysis, of, "pairing")
    assert shown is not None
    assert "Paired by seed number only" in shown.paragraphs[0]
    assert [row[4] for row in shown.tables[0].rows] == [f"{one.correlation:+.2f}"] * 2

    streams = judged(of, records(of, pairing="streams"))
    assert streams.pairings == ()
    assert section_of(streams, of, "pairing") is None


@pytest.mark.parametrize("measure", [None, LOSS])
def test_conditions_without_a_shared_seed_are_compared_as_independent_samples(
    measure: dict[str, Any] | None,
) -> None:
    unit = "nats" if measure else "points"
    of = study([gain(1.0, 0.8, unit), PAIR | {"kind": "better"}], measure)
    found = records(of, later=100, imported={"file": "a.csv", "sha256": "0"})
    analysis = judged(of, found)
    assert not analysis.claims
    sign, factor = (1, 1) if measure else (-1, 10)  # a tenth of it, in %
    expected = stats.ttest_ind(PLAIN, TRICK, equal_var=False).confidence_interval(0.95)
    ends = sorted(sign * factor * end for end in (expected.low, expected.high))
    for one in analysis.statements:
        assert one.ruling is not None
        assert one.ruling.data == "independent seeds (Welch)"
        assert "independent seeds (Welch)" in one.ruling.reason
        assert [one.ruling.ci.low, one.ruling.ci.high] == pytest.approx(ends)
        assert not one.dropped
    assert analysis.pairings == ()
    assert all(not cells.missing for cells in analysis.cells)


def test_seeds_that_some_share_are_paired() -> None:
    of = study([gain(1.0, 0.8, "points")], None)
    analysis = judged(of, records(of, later=4))
    assert analysis.claims[0].contrast.seeds == tuple(range(4, 12))


def test_what_is_not_deterministic_is_said_above_all_numbers() -> None:
    of = study([gain(1.0, 0.8)])
    notices = judged(of, records(of, deterministic=False)).notices
    assert [one.partition(".")[0] for one in notices] == ["NOT DETERMINISTIC"]
    assert "plain and trick" in notices[0]
    assert judged(of, records(of, deterministic=True)).notices == ()


def test_cells_that_failed_or_diverged_enter_no_mean() -> None:
    of = study([gain(1.0, 0.8)])
    found = records(of)
    found[0] |= {"status": "failed", "accuracy": [], "values": {}, "failure": "KeyError: 'lr'"}
    found[1] |= {"status": "timed out", "accuracy": [], "values": {}, "failure": "after 3 s"}
    found[2] |= results_of(of.measured, {"loss": float("nan")})
    analysis = judged(of, found)
    assert list(analysis.values.by_seed["plain"]) == list(range(3, 12))
    row = analysis.measured.summary.iloc[0]
    assert row["loss"] == pytest.approx(PLAIN[3:].mean())
    assert (row["seeds"], row["diverged"]) == (9, 1)
    assert value_rows(analysis)[0][3] == "9 + 1 diverged, 1 failed, 1 timed out"
    assert [seed for seed, _ in analysis.statements[0].dropped] == [0, 1, 2]
    assert sections(analysis, of)


def test_accuracies_of_several_tasks_keep_their_sections_and_say_where_they_come_from() -> None:
    of = study([gain(1.0, 0.8, "points")], None)
    found = records(of, imported={"file": "a.csv", "sha256": "0123"})
    for one in found:
        last = one["accuracy"][0][0]
        one["accuracy"] = [[0.9, None], [last, last]]
        one["curves"] = {"loss": [2.0, 1.0]}
    analysis = judged(of, found)
    assert not analysis.values.single
    names = [section.id for section in sections(analysis, of)]
    assert {"accuracies", "learning", "recorded", "pairing"} <= set(names)
    run = section_of(analysis, of, "run")
    assert run is not None
    assert "a.csv (24 cells, SHA-256 0123)" in " ".join(run.paragraphs)
    assert "run_all.py import TABLE" in " ".join(run.paragraphs)


def test_figures_are_drawn_of_values_gains_and_curves() -> None:
    of = study([gain(1.0, 0.8), PAIR | {"kind": "better"}])
    found = records(of)
    for one in found:
        one["curves"] = {"loss": [3.0, 2.0, one["values"]["loss"]], "lr": [0.1, None]}
    analysis = judged(of, found)
    styles = styles_of(analysis)
    names = [section.id for section in sections(analysis, of)]
    assert names == ["verdict", "claims", "legend", "measured", "contrasts", "pairing", "run"]
    drawn = section_of(analysis, of, "measured")
    assert drawn is not None
    assert [one.name for one in drawn.drawings] == ["values", "recorded-loss", "recorded-lr"]
    figures = [
        draw_values(analysis.values.by_seed, ["plain", "trick"], styles, "loss (nats)"),
        draw_gains(analysis.statements, "difference in loss (nats)"),
        draw_recorded(analysis.values.curves["loss"], styles, "loss (nats)"),
    ]
    labels = [[axis.get_xlabel() or axis.get_ylabel() for axis in one.axes] for one in figures]
    assert labels == [["loss (nats)"], ["difference in loss (nats)"], ["step"]]
    table = tidy(found)
    assert len(table) == 24 * (1 + 3 + 2)
    assert table[table["quantity"] == "lr"]["value"].isna().sum() == 24


@pytest.mark.parametrize(
    ("values", "errors", "shown"),
    [
        ([0.0012, 0.0011], [0.00005], ["0.001200", "0.001100"]),
        ([0.0012, 0.0011], [], ["0.001200", "0.001100"]),
        ([35_000.0, 1234.5], [120.0], ["35,000", "1,234"]),
        ([35_000.12, 35_000.34], [0.05], ["35,000.120", "35,000.340"]),
        ([0.473, 0.6], [0.05], ["0.473", "0.600"]),
        ([3.2e-7, 5e-7], [1e-8], ["3.20e-07", "5.00e-07"]),
        ([4e12], [1e10], ["4.000e+12"]),
        ([0.0], [], ["0"]),
    ],
)
def test_numbers_of_every_size_can_be_read(
    values: list[float], errors: list[float], shown: list[str]
) -> None:
    form = form_for(values, errors)
    assert [form(value) for value in values] == shown


def test_results_say_what_they_cannot_be() -> None:
    accuracy, loss = Measure(), Measure.model_validate(LOSS)
    assert results_of(accuracy, {}, matrix=[[0.5, None], [0.2, 0.4]])["values"] == {
        "accuracy": pytest.approx(0.3)
    }
    assert results_of(loss, {"loss": 3.0, "lr": 0.1})["accuracy"] == []
    assert results_of(loss, {"loss": float("inf")})["status"] == "diverged"
    for measure, values, matrix, says in (
        (accuracy, {"accuracy": 97.3}, [], "divide by 100"),
        (accuracy, {"loss": 0.1}, [], "there is no accuracy"),
        (loss, {"loss": 0.1}, [[0.5]], "a matrix holds accuracies"),
    ):
        with pytest.raises(ValueError, match=says):
            results_of(measure, values, matrix=matrix)


def test_a_cell_of_a_function_can_do_the_same_as_one_of_the_stack() -> None:
    stack: Any = {"accuracy": [[0.5]], "right": None}
    function: Any = {"accuracy": [[0.5]], "values": {"accuracy": 0.5}}
    assert did_the_same(stack, function)
    worse: Any = {**stack, "accuracy": [[0.4]]}
    more: Any = {**function, "values": {"accuracy": 0.5, "loss": 1.0}}
    assert not did_the_same(worse, function)
    assert not did_the_same(function, more)
