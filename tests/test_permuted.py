"""Permuted tasks and tasks of the user's own function, against tasks cut by hand, in float64."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mnist_folder import small_files, write
from oracle import NaiveNetwork
from oracle_training import NaiveTask, train_naively
from small import cell, recipe, small_data, train, unpadded

from harness.data.benchmarks import BENCHMARKS, Dataset
from harness.data.imbalance import imbalanced_rows
from harness.data.own_tasks import OwnTasks, make_own_tasks
from harness.data.tasks import cut_into_tasks
from harness.errors import InputError
from harness.running.plan import estimate_paces, make_plan
from harness.running.training import Stack, outcomes_of, train_block
from harness.studies.condition import Cell
from harness.studies.known_data import IMBALANCES
from harness.studies.own_code import locate
from harness.studies.study_files import load_study
from methods.streams import IMBALANCE, METHOD, ORDER, TASKS, stream

SEEDS = (0, 7)
IMBALANCED = "imbalanced-permuted-mnist"
WHOLE = tuple(range(10))
PERMUTED = replace(small_data(), tasks=(WHOLE,) * 3, permuted=True)
FUNCTION = """
import numpy as np

def tasks({parameters}):
    draw = np.random.default_rng({seed})
    made = []
    for classes in ((0, 1, 2), (2, 3)):
        labels = np.repeat(classes, 12)
        inputs = draw.normal(size=(len(labels), 5)) + labels[:, None]
        made.append(dict(train_inputs=inputs[::2], train_labels=labels[::2],
                         test_inputs=inputs[1::2], test_labels=labels[1::2]))
    return made
"""


def orders(of: Cell) -> list[Any]:
    """The order of the features in each task, drawn one after the other from the seed."""
    draws, features = stream(of.task_seed, TASKS), PERMUTED.features
    return [np.arange(features), *(draws.permutation(features) for _ in range(2))]


def permuted_by_hand(of: Cell) -> list[NaiveTask]:
    parts = [
        (PERMUTED.train_images[:, order] / 16, PERMUTED.test_images[:, order] / 16)
        for order in orders(of)
    ]
    labels = PERMUTED.train_labels, PERMUTED.test_labels
    return naive(of, [(WHOLE, a, labels[0], b, labels[1]) for a, b in parts])


def drawn_by_hand(of: Cell) -> list[list[int]]:
    """The training samples of each task, class by class, from the procedure as it is described."""
    draws, labels = stream(of.task_seed, IMBALANCE), PERMUTED.train_labels.tolist()
    procedure = of.condition.stack_protocol.imbalance
    whole = min(labels.count(label) for label in range(10))
    tasks = []
    for _ in range(3):
        if procedure == "two-common":
            common = draws.choice(10, size=2, replace=False).tolist()
            wanted = [whole if label in common else whole / 10 for label in range(10)]
            total = round(2.8 * whole)
        else:
            shares = draws.uniform(size=10)
            low, high = 0.0, 1e6  # the one factor, by bisection: what it keeps rises with it
            for _ in range(200):
                factor = (low + high) / 2
                kept = sum(min(1.0, factor * share) for share in shares)
                low, high = (factor, high) if kept < 5 else (low, factor)
            wanted = [whole * min(1.0, factor * share) for share in shares]
            total = 5 * whole
        counts = [int(want + 1e-9) for want in wanted]
        by_rest = sorted(range(10), key=lambda label: round(counts[label] - wanted[label], 9))
        for label in by_rest[: total - sum(counts)]:
            counts[label] += 1
        rows: list[int] = []
        for label, count in enumerate(counts):
            of_class = [row for row, own in enumerate(labels) if own == label]
            rows += draws.choice(of_class, size=count, replace=False).tolist()
        tasks.append(sorted(rows))
    return tasks


def naive(of: Cell, parts: list[Any]) -> list[NaiveTask]:
    order, draws = stream(of.seed, ORDER), stream(of.seed, METHOD)
    protocol = of.condition.stack_protocol
    tasks = []
    for classes, inputs, labels, test_inputs, test_labels in parts:
        count, size = len(labels), protocol.batch_size
        left, epochs = protocol.iterations_per_task or 0, []
        while left > 0:
            epochs.append(list(torch.from_numpy(order.permutation(count)).split(size))[:left])
            left -= -(-count // size)
        wanted = of.condition.method.get("importance_samples")
        rows = np.arange(count)
        if wanted is not None:
            rows = draws.choice(count, size=wanted, replace=False)
        tasks.append(
            NaiveTask(
                classes,
                torch.tensor(inputs, dtype=torch.float64),
                torch.tensor(labels),
                torch.tensor(test_inputs, dtype=torch.float64),
                torch.tensor(test_labels),
                epochs,
                torch.from_numpy(rows),
                torch.from_numpy(draws.random(len(rows))),
            )
        )
    return tasks


def hold(cells: list[Cell], data: Dataset | OwnTasks, tasks: list[list[NaiveTask]]) -> None:
    """Train in one block; every lane must end where the naive trainer ends."""
    stack = Stack(cells, data, "cpu")
    network = stack.network
    starts = [unpadded(network, network.parameters, lane) for lane in range(len(cells))]
    outcomes = outcomes_of(stack.run())
    for lane, of in enumerate(cells):
        reference = NaiveNetwork(starts[lane])
        run = train_naively(reference, tasks[lane], recipe(of))
        assert outcomes[lane].accuracy == run.accuracy
        found = unpadded(network, network.parameters, lane)
        for name, value in reference.outward(reference.everything()).items():
            torch.testing.assert_close(found[name], value, rtol=0, atol=1e-9, msg=name)


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("finetune", {}),
        ("dhp", {}),
        ("online-ewc", {"importance_samples": 9}),
        ("dhp+mas", {}),
        ("ewc", {"fisher": "sampled"}),
    ],
)
def test_permuted_tasks_equal_tasks_permuted_by_hand(name: str, method: dict[str, Any]) -> None:
    cells = [cell(name, seed, method, precision="float64") for seed in SEEDS]
    hold(cells, PERMUTED, [permuted_by_hand(of) for of in cells])


@pytest.mark.parametrize("procedure", ["shares", "two-common"])
@pytest.mark.parametrize(
    ("name", "method"), [("dhp", {}), ("online-ewc", {"importance_samples": 9}), ("si", {})]
)
def test_imbalanced_tasks_equal_tasks_drawn_by_hand(
    name: str, method: dict[str, Any], procedure: str
) -> None:
    cells = [
        cell(name, seed, method, precision="float64", benchmark=IMBALANCED, imbalance=procedure)
        for seed in SEEDS
    ]
    by_hand = []
    for of in cells:
        labels, test_labels = PERMUTED.train_labels, PERMUTED.test_labels
        parts = []
        for order, rows in zip(orders(of), drawn_by_hand(of), strict=True):
            inputs = PERMUTED.train_images[rows][:, order] / 16
            tests = PERMUTED.test_images[:, order] / 16
            parts.append((WHOLE, inputs, labels[rows], tests, test_labels))
        by_hand.append(naive(of, parts))
    hold(cells, PERMUTED, by_hand)


def test_every_task_and_seed_has_a_distribution_of_its_own_and_two_are_common() -> None:
    labels = np.repeat(np.arange(10), 200)
    rows = {
        procedure: [list(task) for task in imbalanced_rows(labels, procedure, 3, SEEDS)]
        for procedure in IMBALANCES
    }
    for procedure, tasks in rows.items():
        counts = [tuple(np.bincount(labels[own], minlength=10)) for task in tasks for own in task]
        assert len(set(counts)) == 6
        assert {sum(of) for of in counts} == {round(IMBALANCES[procedure] * 2000)}
        assert all(len(set(own.tolist())) == len(own) for task in tasks for own in task)
        if procedure == "two-common":
            assert {tuple(sorted(of)) for of in counts} == {(20,) * 8 + (200,) * 2}
    again = imbalanced_rows(labels, "shares", 3, SEEDS[1:])
    assert [own.tolist() for (own,) in again] == [task[1].tolist() for task in rows["shares"]]


def test_an_imbalanced_benchmark_has_a_procedure_and_no_other_has() -> None:
    assert cell("finetune", benchmark=IMBALANCED).condition.stack_protocol.imbalance == "shares"
    plain = cell("finetune", benchmark="permuted-mnist").condition
    assert "imbalance" not in plain.settings()["protocol"]
    with pytest.raises(ValueError, match="imbalance has no effect with benchmark = 'permuted-mn"):
        cell("finetune", benchmark="permuted-mnist", imbalance="shares")


def test_imbalanced_mnist_reads_the_same_files_and_copies_no_sample(tmp_path: Path) -> None:
    folder = write(tmp_path, small_files(train=200))
    data = BENCHMARKS[IMBALANCED](folder, allow_other=True)
    assert (data.permuted, len(data.tasks), len(data.train_labels)) == (True, 10, 200)
    tasks = cut_into_tasks(
        data, scaling="unit", validation_fraction=0.1, width=16, dtype=torch.float32,
        device="cpu", seeds=range(5), imbalance="two-common",
    )  # fmt: skip
    assert {task.train_samples for task in tasks} == {round(0.28 * 10 * 18)}
    assert {len(task.train_inputs) for task in tasks} == {180}
    assert {task.test_samples for task in tasks} == {20}
    assert len({task.train_inputs.data_ptr() for task in tasks}) == 1


def test_every_seed_has_orders_of_its_own_and_a_field_fixes_them() -> None:
    def seen(**own: Any) -> list[list[list[int]]]:
        return [[o.tolist() for o in orders(cell("finetune", seed, **own))] for seed in SEEDS]

    first, second = seen()
    assert first[0] == second[0] == list(range(PERMUTED.features))
    assert first[1] != second[1] != second[2]
    fixed = seen(task_seed=3, benchmark="permuted-mnist")
    assert fixed[0] == fixed[1] != first


def test_a_lane_of_permuted_tasks_has_the_same_bits_alone_and_beside_others() -> None:
    cells = [cell("dhp+ewc", seed, {"importance_samples": 5}) for seed in (0, 7, 3)]
    stacked = train(cells, PERMUTED)
    for lane, of in enumerate(cells):
        assert train([of], PERMUTED).bits(0) == stacked.bits(lane)


def test_orders_cost_no_memory() -> None:
    tasks = cut_into_tasks(
        PERMUTED, scaling="unit", validation_fraction=0, width=16, dtype=torch.float32,
        device="cpu", seeds=range(5),
    )  # fmt: skip
    assert len({task.train_inputs.data_ptr() for task in tasks}) == 1
    assert len({task.test_inputs.data_ptr() for task in tasks}) == 1


def test_tasks_seed_has_no_effect_where_tasks_do_not_depend_on_it() -> None:
    with pytest.raises(ValueError, match="task_seed has no effect with benchmark = 'split-mnist'"):
        cell("finetune", task_seed=1)


def own(folder: Path, parameters: str = "", seed: str = "4") -> OwnTasks:
    text = FUNCTION.format(parameters=parameters, seed=seed)
    (folder / "bench.py").write_text(text, encoding="utf-8")
    return make_own_tasks(locate("bench.py:tasks", folder), folder)


@pytest.mark.parametrize(("parameters", "seed"), [("", "4"), ("seed", "seed"), ("data_dir", "4")])
def test_tasks_of_an_own_function_are_trained_as_they_were_returned(
    parameters: str, seed: str, tmp_path: Path
) -> None:
    data = own(tmp_path, parameters, seed)
    cells = [cell("ewc", s, {"importance_samples": 6}, precision="float64") for s in SEEDS]
    by_hand = []
    for of in cells:
        made = data.tasks_of(of.task_seed)
        parts = [
            (t.classes, t.train_inputs, t.train_labels, t.test_inputs, t.test_labels) for t in made
        ]
        by_hand.append(naive(of, parts))
    assert (by_hand[0][0].train_inputs[0, 0] == by_hand[1][0].train_inputs[0, 0]) == (seed == "4")
    hold(cells, data, by_hand)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("return made", "return []", "it returned no task"),
        ("return made", "return [3]", "task 0 is a int, not a mapping of arrays"),
        ("return made", "return 3", "TypeError: 'int' object is not iterable"),
        ("return made", "return 1 / 0", "ZeroDivisionError: division by zero .*bench.py, line 12"),
        ("train_labels=", "train_label=", "task 0: 'train_labels': needed are train_inputs"),
        ("labels[::2],", "labels[::3],", "train_labels are not one integer for each"),
        ("labels[1::2]", "labels[1::2] + 0.5", "test_labels are not one integer for each"),
        ("labels = np.repeat", "labels = -np.repeat", "its labels are not among its classes"),
        ("inputs[::2]", "inputs[::2] * np.nan", "train_inputs are no finite"),
        ("inputs[1::2]", "inputs[1::2, :4]", "inputs have 4 and 5 features"),
        ("tasks()", "tasks(size)", "its parameter 'size' is given nothing"),
        ("def tasks", "def task", "there is no 'tasks' in it; it has task"),
    ],
)
def test_what_is_wrong_with_a_benchmark_is_said_in_one_line(
    old: str, new: str, says: str, tmp_path: Path
) -> None:
    text = FUNCTION.format(parameters="", seed="4")
    assert old in text
    (tmp_path / "bench.py").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=says) as caught:
        make_own_tasks(locate("bench.py:tasks", tmp_path), tmp_path)
    assert str(caught.value).startswith("benchmark = 'bench.py:tasks': ")
    assert "\n" not in str(caught.value)


def test_a_study_names_its_own_benchmark_which_is_part_of_every_key(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(
        'name = "own"\nseeds = 2\n[protocol]\nbenchmark = "bench.py:tasks"\nhidden = [8]\n'
        "iterations_per_task = 3\n[conditions]\nplain = {}\n"
        "other = { protocol = { learning_rate = 0.5 } }\n",
        encoding="utf-8",
    )
    data = own(tmp_path, "seed", "seed")
    study = load_study(str(path))
    plan = make_plan(study, data.checksum(), [], workers=1, lanes=4, device="cpu")
    assert [len(block) for block in plan.blocks] == [4]
    assert min(estimate_paces(plan, data, "cpu").values()) > 0
    outcomes = outcomes_of(train_block(plan.blocks[0], data))
    assert [len(outcome.accuracy) for outcome in outcomes] == [2] * 4
    before = study.conditions["plain"].program("data")
    with (tmp_path / "bench.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert load_study(str(path)).conditions["plain"].program("data") != before
    (tmp_path / "bench.py").unlink()
    with pytest.raises(InputError, match=r"protocol\.benchmark: 'bench\.py:tasks': there is no fi"):
        load_study(str(path))


SHIFTED = """
import numpy as np
from typing import Literal

def tasks(seed, shift: float{default}, kind: Literal["a", "b"] = "a", root=object()):
    x = np.random.default_rng(seed).normal(size=(8, 3)) + shift
    y = np.arange(8) % 2
    return [dict(train_inputs=x, train_labels=y, test_inputs=x, test_labels=y)] * 2
"""


def write_shifted(folder: Path, protocol: str, conditions: str, default: str = " = 0.1") -> Path:
    (folder / "bench.py").write_text(SHIFTED.replace("{default}", default), encoding="utf-8")
    path = folder / "study.toml"
    path.write_text(
        f'name = "own"\nseeds = 1\n[protocol]\nbenchmark = "bench.py:tasks"\nhidden = [8]\n'
        f"{protocol}\n[conditions]\n{conditions}\n",
        encoding="utf-8",
    )
    return path


def test_a_study_sets_the_parameters_of_its_own_benchmark(tmp_path: Path) -> None:
    plain = load_study(str(write_shifted(tmp_path, "", "plain = {}")))
    conditions = 'plain = {}\nadam = { protocol = { optimiser = "adam" } }'
    shifted = load_study(str(write_shifted(tmp_path, "shift = 5", conditions)))
    assert plain.conditions["plain"].settings()["protocol"].get("shift") is None
    for name in ("plain", "adam"):
        protocol = shifted.ours[name].protocol
        assert protocol.of_benchmark() == {"shift": 5.0}
        assert protocol.model_dump()["shift"] == 5.0
        code = protocol.code_of("benchmark")
        assert code is not None
        data = make_own_tasks(code, tmp_path, protocol.of_benchmark())
        bare = make_own_tasks(code, tmp_path)
        for seed in (0, 3):
            inputs = [of.tasks_of(seed)[0].train_inputs for of in (data, bare)]
            np.testing.assert_allclose(inputs[0] - inputs[1], 4.9)


@pytest.mark.parametrize(
    ("protocol", "conditions", "default", "says"),
    [
        (
            "shfit = 0.2",
            "plain = {}",
            " = 0.1",
            r"protocol.shfit: unknown key \(did you mean 'shift",
        ),
        ('shift = "far"', "plain = {}", " = 0.1", "protocol.shift: "),
        ('kind = "c"', "plain = {}", " = 0.1", "protocol.kind: "),
        ("root = 3", "plain = {}", " = 0.1", "protocol.root: unknown key"),
        ("", "plain = {}", "", "benchmark = 'bench.py:tasks' needs a shift"),
        ("", "plain = {}\nother = { protocol = { shift = 0.2 } }", " = 0.1", "the same parameters"),
    ],
)
def test_parameters_of_a_benchmark_are_checked_by_name_and_type(
    protocol: str, conditions: str, default: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=says):
        load_study(str(write_shifted(tmp_path, protocol, conditions, default)))
