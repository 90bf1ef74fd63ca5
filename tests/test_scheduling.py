"""The rules by which blocks are given to nodes; machines and time are told to the scheduler."""

from __future__ import annotations

import random

import pytest

from harness.running.events import Block
from harness.running.scheduling import WORKER_TRIES, Job, Node, Scheduler, seeds_in_words
from harness.studies.condition import Cell, Condition

CONDITIONS = [
    Condition.model_validate(
        {"name": name, "protocol": {"benchmark": "split-digits"}, "method": {"eta": None}}
    )
    for name in ("finetune", "other")
]


def block(*seeds: int, condition: int = 0) -> Block:
    return tuple(Cell(condition=CONDITIONS[condition], seed=seed) for seed in seeds)


def scheduler(**rooms_and_classes: tuple[int, str]) -> Scheduler:
    made = Scheduler()
    for name, (room, numerics) in rooms_and_classes.items():
        made.nodes[name] = Node(name, numerics, room)
    return made


def given(made: Scheduler) -> list[tuple[Job, Node]]:
    """Hand out everything that can run now."""
    pairs = []
    while (pair := made.assign()) is not None:
        pairs.append(pair)
    return pairs


def test_no_node_has_more_blocks_than_room_and_all_no_more_than_the_limit() -> None:
    made = scheduler(a=(2, "x"), b=(3, "x"))
    made.limit = 4
    for seed in range(9):
        made.offer(block(seed))
    assert made.capacity == 4
    assert sorted(node.name for _, node in given(made)) == ["a", "a", "b", "b"]
    assert (made.running, len(made.waiting), made.hungry) == (4, 5, False)


def test_work_is_drawn_only_while_there_is_room() -> None:
    made = scheduler(a=(1, "x"))
    assert made.hungry
    made.offer(block(0))
    assert not made.hungry
    given(made)
    assert not made.hungry
    assert not Scheduler().hungry, "no node, no work"


def test_all_conditions_of_a_seed_are_trained_in_one_class() -> None:
    made = scheduler(a=(1, "x"), b=(1, "y"))
    for condition in (0, 1):
        for seed in range(20):
            made.offer(block(seed, condition=condition))
    classes: dict[int, set[str]] = {}
    randomly, running = random.Random(0), given(made)
    while running:
        job, node = running.pop(randomly.randrange(len(running)))
        classes.setdefault(job.block[0].seed, set()).add(node.numerics)
        made.succeeded(job, node)
        running += given(made)
    assert len(classes) == 20
    assert all(len(of) == 1 for of in classes.values())
    assert {name for of in classes.values() for name in of} == {"x", "y"}, "both are used"


def test_a_block_whose_seeds_belong_to_two_classes_is_cut() -> None:
    made = scheduler(a=(1, "x"), b=(1, "y"))
    made.bound = {0: "x", 1: "y"}
    made.offer(block(0, 1, 2))
    placed = {node.name: [cell.seed for cell in job.block] for job, node in given(made)}
    assert placed == {"a": [0, 2], "b": [1]}


def test_a_waiting_block_is_cut_too_when_others_have_given_its_seeds_to_two_classes() -> None:
    made = scheduler(a=(1, "x"), b=(1, "y"))
    for part in (block(0), block(1), block(0, 1, condition=1)):
        made.offer(part)
    for job, node in given(made):
        made.succeeded(job, node)
    assert sorted(len(job.block) for job, _ in given(made)) == [1, 1]


def test_what_no_class_here_may_train_is_stranded_and_does_not_hold_up_the_rest() -> None:
    made = scheduler(a=(1, "x"))
    made.bound = {7: "gone"}
    made.offer(block(7))
    assert made.hungry, "another block could run"
    made.offer(block(8))
    ((job, node),) = given(made)
    assert job.block[0].seed == 8
    made.succeeded(job, node)
    assert [job.block[0].seed for job in made.stranded()] == [7]
    made.nodes["b"] = Node("b", "gone", 1)
    assert not made.stranded()
    assert [node.name for _, node in given(made)] == ["b"]


def test_an_error_in_the_code_is_tried_once_more_elsewhere_and_then_final() -> None:
    made = scheduler(a=(1, "x"), b=(1, "x"))
    made.offer(block(0))
    ((job, first),) = given(made)
    assert not made.failed(job, first)
    assert not first.free, "it gets no block while it is in doubt"
    ((again, second),) = given(made)
    assert again is job
    assert second is not first
    assert made.failed(job, second)
    assert (first.free, first.strikes, second.free) == (True, 0, True)


def test_an_error_on_the_only_node_is_final_at_once() -> None:
    made = scheduler(a=(1, "x"), b=(1, "y"))
    made.bound = {0: "x"}
    made.offer(block(0))
    ((job, node),) = given(made)
    assert made.failed(job, node), "the other node is of another class"


def test_a_node_is_left_out_after_two_blocks_in_a_row_that_others_can_run() -> None:
    made = scheduler(bad=(1, "x"), good=(1, "x"))
    for seed in range(10):
        made.offer(block(seed))
    ate, finished, excluded = 0, 0, None
    while pairs := given(made):
        for job, node in sorted(pairs, key=lambda pair: pair[1].name):
            if node.name == "bad":
                ate += 1
                assert not made.failed(job, node)
            else:
                finished += 1
                excluded = made.succeeded(job, node) or excluded
    assert excluded is made.nodes["bad"]
    assert excluded.excluded is not None
    assert (ate, finished, made.waiting) == (2, 10, [])


def test_a_node_in_doubt_is_used_again_where_nobody_is_left_to_judge_it() -> None:
    made = scheduler(a=(1, "x"), b=(1, "x"))
    made.offer(block(0))
    ((job, node),) = given(made)
    assert not made.failed(job, node)
    made.leave({"a": "b", "b": "a"}[node.name])
    ((again, alone),) = given(made)
    assert (again, alone) == (job, node)
    assert made.failed(job, node)


def test_lost_nodes_cost_no_tries_and_lost_workers_do() -> None:
    made = scheduler(a=(1, "x"))
    made.offer(block(0))
    for _ in range(50):
        ((job, node),) = given(made)
        assert not made.lost(job, node, with_node=True)
    for tried in range(1, WORKER_TRIES + 1):
        ((job, node),) = given(made)
        assert made.lost(job, node, with_node=False) == (tried == WORKER_TRIES)
    assert not made.waiting


def test_a_block_that_is_too_large_runs_in_halves_down_to_single_cells() -> None:
    made = scheduler(a=(1, "x"))
    made.offer(block(0, 1, 2))
    sizes = []
    while pairs := given(made):
        ((job, node),) = pairs
        sizes.append(len(job.block))
        assert made.too_large(job, node) == (len(job.block) == 1)
    assert sizes == [3, 1, 2, 1, 1]


def test_blocks_of_a_node_that_left_wait_again_in_order() -> None:
    made = scheduler(a=(2, "x"))
    for seed in range(3):
        made.offer(block(seed))
    given(made)
    assert [job.block[0].seed for job in made.leave("a")] == [0, 1]
    assert [job.block[0].seed for job in made.waiting] == [0, 1, 2]


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        ([3], "seed 3"),
        ([7, 3], "seeds 3, 7"),
        ([*range(7)], "seeds 0, 1, 2, 3, 4 and 2 more"),
    ],
)
def test_seeds_are_named_and_long_lists_shortened(seeds: list[int], words: str) -> None:
    assert seeds_in_words([block(seed) for seed in seeds]) == words
