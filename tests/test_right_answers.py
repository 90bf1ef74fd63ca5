"""Which test samples were right: kept with a record, and at one with its accuracies."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from small import cell, small_data, train

from harness.keeping.records import RESULTS, checked, seal
from harness.running.events import BlockDone
from harness.running.runner import _records
from reports.numbers.records import as_records
from reports.numbers.right_answers import on_the_same_samples, right_answers

DATA = small_data()
DIVERGES: dict[str, Any] = {"learning_rate": 1e20}


def answers_of(outcome: Any) -> list[np.ndarray]:
    found = right_answers({"right": outcome.right})  # type: ignore[typeddict-item]
    assert found is not None
    return found


def test_they_are_the_samples_that_the_trained_network_classifies_correctly() -> None:
    trained = train([cell("dhp+si", seed) for seed in (3, 4)], DATA)
    network, tasks = trained.block.network, trained.block.tasks
    for lane, outcome in enumerate(trained.outcomes):
        for task, right in zip(tasks, answers_of(outcome), strict=True):
            inputs = task.test_inputs.expand(2, -1, -1)
            logits = network.test_logits(inputs, network.output_mask(task.classes))[lane]
            # The head by hand: the larger of the two outputs of the task's classes.
            own = logits[:, list(task.classes)].argmax(1)
            labels = torch.tensor(task.classes)[own]
            assert right.tolist() == (labels == task.test_labels).tolist()


def test_they_say_the_accuracies_after_the_last_task_with_planted_gains_too() -> None:
    cells = [cell("finetune", 3), cell("finetune", 3, corrected_errors=7)]
    plain, planted = train(cells, DATA).outcomes
    for outcome in (plain, planted):
        assert [right.mean() for right in answers_of(outcome)] == outcome.accuracy[-1]
    pairs = list(zip(answers_of(plain), answers_of(planted), strict=True))
    assert all((before <= after).all() for before, after in pairs)
    assert sum(int((before != after).sum()) for before, after in pairs) == 7


def test_a_record_holds_them_and_nothing_else_of_it_changes() -> None:
    block = [cell("finetune", 0), cell("finetune", 1)]
    outcomes = train(block, DATA).outcomes
    origin = {"data": DATA.checksum(), "code": {}}
    made = list(_records(BlockDone(tuple(block), outcomes, {}), "s", origin))
    for record, of in zip(made, block, strict=True):
        assert checked(record)["key"] == of.key(DATA.checksum())
        without: Any = {n: v for n, v in record.items() if n not in ("right", "sha256")}
        assert checked(seal(without))["key"] == record["key"], "an earlier record is read"
        assert "right" not in RESULTS
        (read,) = as_records([record])
        found = right_answers(read)
        assert found is not None
        assert [len(right) for right in found] == [18] * 5
        assert right_answers(as_records([without])[0]) is None
    first, second = as_records(made)
    assert on_the_same_samples(first, second)
    other: Any = {**second, "provenance": {"data": "another"}}
    assert not on_the_same_samples(first, other)


def test_a_diverged_cell_has_none() -> None:
    block = [cell("finetune", 0, **DIVERGES)]
    (outcome,) = train(block, DATA).outcomes
    assert outcome.status == "diverged"
    assert outcome.right is None
    origin = {"data": DATA.checksum(), "code": {}}
    (record,) = _records(BlockDone(tuple(block), [outcome], {}), "s", origin)
    assert "right" not in record
