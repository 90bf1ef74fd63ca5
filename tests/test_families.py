"""Many claims together, and the number of a record that a claim is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from reported import STUDY, record
from scipy import stats

from harness.studies.claims import Claim
from harness.studies.statements import Family, Statement
from reports.findings.analysis import Analysis, analyse
from reports.findings.families import Told, judged_families, told
from reports.judging.scalars import scalar
from reports.numbers.significance import holm
from reports.sections.kinds import together


def statement(name: str, **fields: Any) -> Statement:
    terms = {"text": "t", "source": "s", "treatment": "b", "baseline": "a"}
    return Statement(id=name, **(terms | fields))


def analysed(gain: float, *claims: Claim | Statement, families: Any = None) -> Analysis:
    """Analyse six seeds whose gains are about ``gain`` points."""
    draws = np.random.default_rng(1).normal(0, 0.004, 6)
    records = [record("a", seed, 0.7) for seed in range(6)]
    records += [record("b", seed, 0.7 + gain / 100 + float(draws[seed])) for seed in range(6)]
    study = STUDY.model_copy(update={"claims": claims, "families": families})
    return analyse(records, study)


def test_verdicts_together_are_holms_over_all_claims_but_controls() -> None:
    found = analysed(
        4.0,
        statement("better", kind="better"),
        statement("equal", kind="equal", margin=0.001),
        statement("open", kind="at-least", margin=0.1, treatment="a", baseline="b"),
        statement("control", kind="better", expected="BETTER"),
    )
    assert list(found.told) == ["better", "equal", "open"]
    raw = [found.told[name].p_value for name in found.told]
    expected = holm([1.0 if p is None else p for p in raw])
    assert [one.p_holm for one in found.told.values()] == [
        None if p is None else together for p, together in zip(raw, expected, strict=True)
    ]
    assert found.told["better"].stands


def test_verdicts_that_bonferronis_rule_would_not_give_are_named() -> None:
    terms: dict[str, Any] = {"verdict": "BETTER", "p_holm": None, "agrees": True, "alpha": 0.05}
    found = analysed(4.0, statement("sure", kind="better"), statement("close", kind="better"))
    sure, close = (Told(claim=name, p_value=p, stands=True, **terms)
                   for name, p in (("sure", 0.001), ("close", 0.03)))  # fmt: skip
    (said,) = together(replace(found, told={"sure": sure, "close": close}))
    assert said.endswith("depend on each other, close would be INCONCLUSIVE.")
    assert "Bonferroni" not in together(replace(found, told={"a": sure, "b": sure}))[0]


def family(*names: str) -> tuple[Family, ...]:
    return (Family(id="all", text="all of them", claims=names),)


def test_a_family_stands_or_falls_with_its_claims() -> None:
    better, worse = (
        statement("better", kind="better"),
        statement("reversed", kind="better", treatment="a", baseline="b"),
    )
    least = statement("least", kind="at-least", margin=0.5)
    (stands,) = analysed(4.0, better, least, families=family("better", "least")).families
    assert (stands.verdict, stands.agree) == ("STANDS", 2)
    assert stands.by_chance == pytest.approx(0.1)
    assert stands.p_chance == pytest.approx(0.05)
    (falls,) = analysed(4.0, better, worse, families=family("better", "reversed")).families
    assert (falls.verdict, falls.agree) == ("FALLS", 1)
    (open_one,) = analysed(0.05, better, least, families=family("better", "least")).families
    assert (open_one.verdict, open_one.agree) == ("UNDECIDED", 1)


def test_a_gain_whose_size_cannot_be_tested_fells_no_family() -> None:
    terms = {"text": "t", "source": "s", "treatment": "b", "baseline": "a"}
    wide = Claim(id="wide", reported=4.0, unit="points", margin=5.0, **terms)
    least = statement("least", kind="at-least", margin=0.5)
    found = analysed(4.0, wide, least, families=family("wide", "least"))
    assert (found.told["wide"].verdict, found.told["wide"].agrees) == ("DIRECTION ONLY", None)
    assert found.told["wide"].stands
    assert found.families[0].verdict == "UNDECIDED"
    assert found.families[0].agree == 1


def test_a_claim_of_another_kind_says_which_diverged_runs_it_leaves_out() -> None:
    records = [
        record(name, seed, 0.7 + 0.01 * seed * (name == "b"), "diverged" if lost else "done")
        for seed in range(6)
        for name in "ab"
        for lost in [seed > 3 and name == "b"]
    ]
    study = STUDY.model_copy(update={"claims": (statement("better", kind="better"),)})
    whole, found = (analyse(rows, study).statements[0] for rows in (records[:8], records))
    assert whole.ruling is not None
    assert found.ruling is not None
    assert "Left out" not in whole.ruling.reason
    assert found.ruling.reason == (
        f"{whole.ruling.reason} Left out: 2 seeds with a diverged run, which flatters the side "
        "that diverges."
    )


@pytest.mark.parametrize("kind", ["equal", "at-least"])
def test_differences_that_happen_to_be_zero_are_not_surely_none(kind: str) -> None:
    """The final accuracies of three seeds are equal; the matrices are only in the second case."""
    claim = statement("one", kind=kind, margin=0.1)
    records = [record(name, seed, 0.7) for name in "ab" for seed in range(3)]
    study = STUDY.model_copy(update={"claims": (claim,)})
    other: list[Any] = [
        one | {"accuracy": [[0.9 if one["condition"] == "b" else 1.0, None], [0.7, 0.7]]}
        for one in records
    ]
    chance, same = (analyse(rows, study).statements[0].ruling for rows in (other, records))
    assert chance is not None
    assert same is not None
    assert (chance.verdict, chance.p_value) == ("INCONCLUSIVE", None)
    assert same.agrees


def test_any_wrong_verdict_among_eight_is_as_rare_as_one_wrong_verdict() -> None:
    """2,000 studies of eight claims without a difference: Holm's stand in at most 5%."""
    draws, studies, claims = np.random.default_rng(8), 2000, 8
    gains = draws.normal(0, 1, (studies, claims, 5))
    t = gains.mean(2) / (gains.std(2, ddof=1) / np.sqrt(5))
    p = 2 * stats.t.sf(abs(t), 4)
    alone = (p <= 0.05).any(1).mean()
    together = np.mean([min(holm(row.tolist())) <= 0.05 for row in p])
    assert alone > 0.25
    assert together <= 0.05 + 5 * np.sqrt(0.05 * 0.95 / studies)


def test_families_know_a_claim_without_seeds() -> None:
    found = analysed(4.0, statement("better", kind="better"),
                     statement("none", kind="better", treatment="c"))  # fmt: skip
    assert found.told["none"].verdict is None
    (undecided,) = judged_families(family("better", "none"), found.told)
    assert (undecided.verdict, undecided.agree) == ("UNDECIDED", 1)
    assert told((), ()) == {}


MATRIX = [[0.9, None, None], [0.8, 0.7, None], [0.6, 0.5, 0.4]]


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({}, 50.0),
        ({"metric": "accuracy-after-tasks", "tasks": 2}, 75.0),
        ({"metric": "task-accuracy", "task": 1}, 60.0),
        ({"metric": "backward-transfer"}, -25.0),
        ({"metric": "forgetting"}, 25.0),
        ({"metric": "learned-accuracy"}, 200 / 3),
        ({"metric": "accuracy-after-tasks", "tasks": 4}, None),
        ({"metric": "record", "field": "timings.total"}, 1.5),
        ({"metric": "record", "field": "telemetry.-1.loss"}, 0.25),
        ({"metric": "record", "field": "telemetry.7.loss"}, None),
        ({"metric": "record", "field": "timings.totl"}, None),
        ({"metric": "record", "field": "status"}, None),
    ],
)
def test_the_number_of_a_record(fields: dict[str, Any], value: float | None) -> None:
    if fields.get("metric") == "record":
        fields = fields | {"unit": "s", "higher_is_better": False}
    content: Any = record("a", 0, 0.5) | {
        "accuracy": MATRIX,
        "timings": {"total": 1.5},
        "telemetry": [{"loss": 0.5}, {"loss": 0.25}],
    }
    found = scalar(content, statement("one", kind="better", **fields))
    assert found == (None if value is None else pytest.approx(value))


def test_a_single_task_has_no_backward_transfer_and_says_so() -> None:
    records: list[Any] = [
        record(name, seed, 0.7) | {"accuracy": [[0.7]]} for name in "ab" for seed in range(3)
    ]
    claim = statement("none", kind="better", metric="backward-transfer")
    study = STUDY.model_copy(update={"claims": (claim,)})
    (found,) = analyse(records, study).statements
    assert found.ruling is None
    assert found.dropped[0] == (0, "b has no backward transfer, a has no backward transfer")
