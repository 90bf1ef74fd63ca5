"""Records and the study as it stands now: nothing recorded is hidden without being named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from harness.errors import InputError
from harness.keeping.selection import refuse_to_hide, select
from harness.studies.condition import Cell
from harness.studies.known_data import KNOWN_DATA
from harness.studies.study import Study

DATA = KNOWN_DATA["split-digits"].checksum
DHP = {"plasticity": "on", "head_init": "blog", "bias": False}
MAS = {"consolidation": "mas", "strength": 1}


def study(**changes: Any) -> Study:
    raw: dict[str, Any] = {
        "name": "tiny",
        "seeds": 2,
        "protocol": {"benchmark": "split-digits", "epochs": 2},
        "conditions": {"finetune": {}, "dhp": DHP},
    }
    return Study.model_validate(raw | changes)


def records(of: Study, data: str = DATA) -> list[Any]:
    cells = [Cell(condition=c, seed=seed) for c in of.conditions.values() for seed in of.seeds]
    return [
        {
            "key": cell.key(data),
            "program": cell.condition.program(data),
            "condition": cell.condition.name,
            "seed": cell.seed,
            **cell.condition.settings(),
            "provenance": {"data": data},
        }
        for cell in cells
    ]


def refuse(now: Study, before: Study | None = None, data: str = DATA) -> None:
    refuse_to_hide(records(study()), before or study(), now, data, Path("results/tiny"))


def test_conditions_and_fields_that_changed_are_named_with_the_remedy() -> None:
    faster = study(protocol={"benchmark": "split-digits", "epochs": 3, "learning_rate": 0.1})
    with pytest.raises(InputError) as caught:
        refuse(faster)
    message = str(caught.value)
    assert "\n" not in message
    for expected in (
        "results/tiny holds records of conditions of 'tiny'",
        "finetune (epochs was 2, is 3, learning_rate was 0.01, is 0.1)",
        "dhp (epochs was 2",
        "another name, choose another --out, or move results/tiny away",
    ):
        assert expected in message


def test_a_field_that_came_or_went_is_named() -> None:
    with pytest.raises(InputError, match=r"alpha_scale was not set, is 0\.01, eta was not set"):
        refuse(study(conditions={"finetune": {"plasticity": "frozen"}, "dhp": DHP}))
    with pytest.raises(InputError, match=re.escape("eta was 0.001, is not set")):
        refuse(study(conditions={"finetune": {}, "dhp": {}}))


def test_more_than_a_few_conditions_are_counted() -> None:
    many = study(conditions={f"c{number}": {} for number in range(9)})
    changed = study(conditions={f"c{number}": DHP for number in range(9)})
    with pytest.raises(InputError, match=r"c4 \([^)]*\), and 4 more\. "):
        refuse_to_hide(records(many), many, changed, DATA, Path("results/tiny"))


@pytest.mark.parametrize(
    "changes",
    [
        {"seeds": 9},
        {"description": "more"},
        {"conditions": {"finetune": {}, "dhp": DHP, "mas": MAS}},
        {"conditions": {"finetune": {}}},
        {"conditions": {"plain": {}, "plastic": DHP}},
        {"conditions": {"finetune": DHP, "dhp": {}}},
        {"conditions": {"finetune": DHP, "dhp": MAS, "x": {}}},
    ],
    ids=["seeds", "text", "added", "removed", "renamed", "names swapped", "names passed on"],
)
def test_what_hides_no_changed_record_is_allowed(changes: dict[str, Any]) -> None:
    refuse(study(**changes))


def test_what_was_hidden_already_is_no_reason_to_refuse() -> None:
    changed = study(conditions={"finetune": DHP})
    with pytest.raises(InputError, match="finetune"):
        refuse(changed)
    refuse(changed, before=changed)


def test_other_data_are_refused_before_anything_is_trained() -> None:
    with pytest.raises(InputError, match=r"results/tiny holds records made from other data"):
        refuse(study(), data="f" * 64)


def test_records_answer_for_what_was_run_and_the_others_are_counted_by_reason() -> None:
    made = records(study())
    chosen = select(made, study(conditions={"plain": {}}))
    assert [(r["condition"], r["seed"]) for r in chosen.records] == [("plain", 0), ("plain", 1)]
    assert chosen.hidden == {("dhp", "removed"): 2}
    chosen = select(made, study(conditions={"finetune": {}, "dhp": DHP | {"eta": 0.1}}))
    assert chosen.hidden == {("dhp", "eta was 0.001, is 0.1"): 2}
    assert chosen.superseded == 2


def test_records_of_another_revision_of_the_arithmetic_are_not_called_removed() -> None:
    made = [record | {"program": "another", "key": "x"} for record in records(study())[:1]]
    ((name, why),) = select(made, study()).hidden
    assert (name, why) == ("finetune", "trained by an earlier revision of the arithmetic")
    refuse_to_hide(made, None, study(), DATA, Path("results/tiny"))


def test_records_know_other_data_by_their_checksum_even_where_they_do_not_say_so() -> None:
    genuine = select(records(study()), study()).records
    assert all("data_genuine" not in record["provenance"] for record in genuine)
    other = select(records(study(), "f" * 64), study()).records
    assert [record["provenance"]["data_genuine"] for record in other] == [False] * 4
