"""Cells of training functions: what they return, and every bad thing that one can do in them."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from processes import wait_until, working_in
from small import small_data

from harness.data.benchmarks import Dataset, split_digits
from harness.data.no_data import no_data
from harness.data.tasks import cut_into_tasks
from harness.running.events import BlockDone, BlockProgress
from harness.running.functions.memory import total_and_left
from harness.running.functions.pool import Pool
from harness.running.functions.process import CHILD
from harness.running.functions.returned import Expected, outcome_of
from harness.running.functions.terms import Terms
from harness.running.outcomes import Outcome
from harness.studies.condition import Cell
from harness.studies.measured import Measure
from harness.studies.study import Study
from harness.studies.study_files import load_study
from methods.streams import stream

BAD = """
import os, signal, subprocess, sys, threading, time

def train(seed, how: str = "fine"):
    good = 0.5 + seed / 100
    os.chdir({folder!r})  # so that everything it starts can be found
    match how:
        case "prints":
            print("x" * 3_000_000)
            print("y" * 3_000_000, file=sys.stderr)
        case "threads":
            threading.Thread(target=time.sleep, args=(987,)).start()
        case "forks":
            if os.fork() == 0:
                time.sleep(987)
        case "comes back twice":
            os.fork()
        case "daemon":
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                    time.sleep(987)
                os._exit(0)
        case "program":
            subprocess.Popen(["sleep", "987"], start_new_session=True)
        case "exits":
            sys.exit(3)
        case "is gone":
            os._exit(0)
        case "crashes":
            print("this was last", flush=True)
            os.kill(os.getpid(), signal.SIGSEGV)
        case "kills its group":
            os.killpg(0, signal.SIGKILL)
        case "kills its keeper":
            subprocess.Popen(["sleep", "987"], start_new_session=True)
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(987)
        case "closes all":
            os.closerange(0, 100)
        case "raises":
            raise RuntimeError("first line\\nlast line")
        case "interrupts":
            raise KeyboardInterrupt
        case "waits":
            time.sleep(987)
        case "is busy":
            while True:
                pass
        case "will not end":
            import atexit
            atexit.register(time.sleep, 987)
        case "leaks":
            good += len(LEFT)
            LEFT.append(1)
        case "returns an object":
            return object()
        case "returns nothing":
            return None
    return good

LEFT = []
"""


def study_of(folder: Path, text: str, mine: str) -> Study:
    (folder / "mine.py").write_text(mine, encoding="utf-8")
    (folder / "own.toml").write_text('name = "own"\nseeds = 2\n' + text, encoding="utf-8")
    return load_study(str(folder / "own.toml"))


def outcomes(
    pool: Pool, study: Study, cells: list[tuple[str, int]], data: Dataset | None = None
) -> Iterator[BlockDone]:
    """Run cells, one after the other as far as the pool has one worker."""
    blocks = [(Cell(condition=study.ours[name], seed=seed),) for name, seed in cells]
    for event in pool.run(blocks, data or no_data()):
        if isinstance(event, BlockDone):
            yield event


def one(study: Study, condition: str, data: Dataset | None = None, **terms: Any) -> BlockDone:
    (event,) = outcomes(Pool("cpu", 1, Terms(**terms)), study, [(condition, 1)], data)
    return event


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("bad")
    text = 'train = "mine.py:train"\n[conditions]\nfine = {}\n'
    return study_of(folder, text, BAD.replace("{folder!r}", repr(str(folder))))


def doing(bad: Study, how: str) -> Study:
    """The study with a function that does this."""
    fine = bad.ours["fine"]
    assert fine.function is not None
    method = fine.function.under({"how": how})
    return bad.model_copy(
        update={"conditions": {"fine": fine.model_copy(update={"method": method})}}
    )


def home_of(study: Study) -> Path:
    function = study.ours["fine"].function
    assert function is not None
    return Path(function.own["train"].modules[0].path).parent


@pytest.mark.parametrize(
    "how", ["prints", "threads", "forks", "comes back twice", "daemon", "program"]
)
def test_what_a_function_does_beside_is_no_matter_and_nothing_of_it_stays(
    how: str, bad: Study
) -> None:
    study = doing(bad, how)
    done = one(study, "fine")
    assert [o.status for o in done.outcomes] == ["done"]
    assert done.outcomes[0].values == {"accuracy": 0.51}
    assert done.outcomes[0].accuracy == [[0.51]]
    assert done.environment["pairing"] == "seed number"
    wait_until(lambda: not working_in(home_of(study)))


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("exits", "it called sys.exit(3)"),
        ("is gone", "ended without a result: its process ended with exit code 0"),
        ("crashes", "ended without a result: its process was ended by SIGSEGV"),
        ("kills its group", "ended without a result: its process was ended by SIGKILL"),
        ("kills its keeper", "ended without a result: its process was ended from outside"),
        ("closes all", "ended without a result"),
        ("raises", "RuntimeError: last line"),
        ("interrupts", "KeyboardInterrupt"),
        ("returns an object", "returned a value of type object"),
        ("returns nothing", "returned None as 'accuracy'; return a number"),
    ],
)
def test_a_cell_that_fails_says_why_and_nothing_of_it_stays(
    how: str, says: str, bad: Study
) -> None:
    study = doing(bad, how)
    (outcome,) = one(study, "fine").outcomes
    assert outcome.status == "failed"
    assert outcome.failure.startswith(says)
    if how == "crashes":
        assert "this was last" in outcome.failure
    if how == "raises":
        assert "child.py" not in outcome.failure
        assert 'mine.py", line' in outcome.failure
    wait_until(lambda: not working_in(home_of(study)))


@pytest.mark.parametrize("how", ["waits", "is busy"])
def test_a_cell_that_takes_too_long_is_ended(how: str, bad: Study) -> None:
    study = doing(bad, how)
    (outcome,) = one(study, "fine", cell_timeout=2.0).outcomes
    assert (outcome.status, outcome.accuracy) == ("timed out", [])
    assert outcome.failure == "took longer than --cell-timeout 2"
    wait_until(lambda: not working_in(home_of(study)))


def test_a_function_that_has_returned_need_not_end(bad: Study) -> None:
    study = doing(bad, "will not end")
    assert one(study, "fine").outcomes[0].status == "done"
    wait_until(lambda: not working_in(home_of(study)))


def test_nothing_leaks_from_cell_to_cell_unless_a_study_asks_for_it(bad: Study) -> None:
    study = doing(bad, "leaks")
    for fresh, last in ((True, 0.51), (False, 1.51)):
        pool = Pool("cpu", 1, Terms(Measure(name="score", unit="of its own"), fresh=fresh))
        events = list(outcomes(pool, study, [("fine", 1)] * 2))
        assert [event.outcomes[0].values for event in events] == [{"score": 0.51}, {"score": last}]


def test_a_pool_that_is_left_ends_what_it_runs(bad: Study) -> None:
    study = doing(bad, "waits")
    cell = Cell(condition=study.ours["fine"], seed=0)
    events = Pool("cpu", 1, Terms()).run([(cell,)], no_data())
    assert isinstance(next(events), BlockProgress)
    wait_until(lambda: working_in(home_of(study)))
    events.close()
    wait_until(lambda: not working_in(home_of(study)))


GIVEN = """
def train(seed, streams, tasks, device, scale: float = 1.0):
    import json
    draws = [float(streams(name).normal()) for name in ("init", "order", "init")]
    told = [[t["classes"], t["train_inputs"].sum(), t["train_labels"].tolist()[:5],
             t["test_inputs"].shape, str(t["train_inputs"].dtype)] for t in tasks]
    tasks[0]["train_inputs"][:] = 0  # it is this cell's own
    print(json.dumps([draws, told, device], default=str))
    for number in range(len(tasks)):
        yield [0.5 + seed / 100] * (number + 1)
    raise ValueError(json.dumps([draws, told, device], default=float))

def rows(tasks, streams):
    for number in range(len(tasks)):
        yield [float(streams("x").random()) for _ in range(number + 1)]
"""


def test_a_function_is_given_the_studys_tasks_and_streams_of_its_seed(tmp_path: Path) -> None:
    text = (
        "[protocol]\nbenchmark = 'split-digits'\ninput_scaling = 'standardised'\n[conditions]\n"
        "tells = { train = 'mine.py:train' }\n"
        "rows = { train = 'mine.py:rows', protocol = { validation_fraction = 0.1 } }\n"
    )
    study = study_of(tmp_path, text, GIVEN)
    data = split_digits(tmp_path)
    settings = study.ours["rows"].settings()["protocol"]
    assert settings == {
        "benchmark": "split-digits",
        "input_scaling": "standardised",
        "validation_fraction": 0.1,
    }
    blocks = [(Cell(condition=study.ours["tells"], seed=seed),) for seed in (1, 1)]
    events = list(Pool("cpu", 1, Terms()).run(blocks, data))
    shares = [event.fraction for event in events if isinstance(event, BlockProgress)]
    assert max(shares) == 1.0
    first, again = (e.outcomes[0].failure for e in events if isinstance(e, BlockDone))
    assert first == again, "what a cell writes into its tasks is its own"
    tasks = cut_into_tasks(
        data,
        scaling="standardised",
        validation_fraction=0.0,
        width=data.features,
        dtype=torch.float32,
        device="cpu",
    )
    assert f"[{', '.join(map(str, tasks[0].train_labels.tolist()[:5]))}]" in first
    assert repr(float(stream(1, "init").normal())) in first
    assert str(float(tasks[2].train_inputs.numpy().sum())) in first
    done = one(study, "rows", data)
    assert done.environment["pairing"] == "streams"
    assert [*done.environment["packages"]] == ["numpy"]
    (outcome,) = done.outcomes
    assert [row.count(None) for row in outcome.accuracy] == [4, 3, 2, 1, 0]


def test_tasks_that_depend_on_the_seed_are_those_of_the_cells_seed(tmp_path: Path) -> None:
    data = replace(small_data(), tasks=(tuple(range(10)),) * 3, permuted=True)
    text = (
        "[protocol]\nbenchmark = 'permuted-mnist'\n[measure]\nname = 'sum'\nunit = 'of its own'\n"
        "[conditions]\nsums = { train = 'mine.py:sums' }\n"
    )
    mine = "def sums(seed, tasks):\n    return float((tasks[2]['test_inputs'] ** 2)[:, 0].sum())\n"
    study = study_of(tmp_path, text, mine)
    pool = Pool("cpu", 2, Terms(study.measured))
    found = {
        event.block[0].seed: event.outcomes[0].values["sum"]
        for event in outcomes(pool, study, [("sums", 0), ("sums", 1)], data)
    }
    for seed, value in found.items():
        (task,) = cut_into_tasks(
            data, scaling="unit", validation_fraction=0.0, width=data.features,
            dtype=torch.float32, device="cpu", seeds=[seed],
        )[2:]  # fmt: skip
        assert task.test_views is not None
        rows = task.test_views.rows(slice(0, task.test_samples))
        inputs, _ = task.test_views.take(task.test_inputs, task.test_labels, rows)
        assert value == pytest.approx(float((inputs[0, :, 0] ** 2).sum()))
    assert found[0] != found[1]


COMMAND = '#!/bin/sh\necho working in $(pwd) >&2\necho first line\ncat words.txt\necho "$1"\n'


def test_a_program_prints_its_result_last(tmp_path: Path) -> None:
    script = tmp_path / "train.sh"
    script.write_text(COMMAND, encoding="utf-8")
    script.chmod(0o755)
    (tmp_path / "words.txt").write_text("words\n", encoding="utf-8")
    text = "command = '''./train.sh {said} {seed} words.txt'''\n[conditions]\n"
    for name, said in (
        ("fine", '{\\"accuracy\\": 0.5, \\"loss\\": [3, 2]}'), ("words", "good"), ("list", "[]"),
    ):  # fmt: skip
        text += f'{name} = {{ said = "{said}" }}\n'
    study = study_of(tmp_path, text, "")
    fine, words, empty = (one(study, name).outcomes[0] for name in ("fine", "words", "list"))
    assert (fine.status, fine.values, fine.curves) == (
        "done", {"accuracy": 0.5, "loss": 2.0}, {"loss": [3.0, 2.0]},
    )  # fmt: skip
    assert words.failure.startswith("returned no JSON value: its last line is 'good'")
    assert empty.failure.startswith("returned an empty list as 'accuracy'")
    script.write_text("#!/bin/sh\necho changed >&2\nexit 3\n", encoding="utf-8")
    assert one(study, "fine").outcomes[0].values == fine.values, "what was read is what runs"
    changed = load_study(str(tmp_path / "own.toml"))
    (outcome,) = one(changed, "fine").outcomes
    assert outcome.failure.startswith("its process ended with exit code 3")
    assert "changed" in outcome.failure


def test_a_function_that_uses_neither_waits_for_neither_torch_nor_pydantic(tmp_path: Path) -> None:
    mine = "def train(seed):\n    import sys\n    raise ValueError(sorted(sys.modules))\n"
    study = study_of(tmp_path, "[conditions]\nx = { train = 'mine.py:train' }\n", mine)
    failure = one(study, "x").outcomes[0].failure
    assert "'harness.studies.loading'" in failure
    for module in ("torch", "pydantic", "numpy", "ray", "harness.studies.own_code"):
        assert f"'{module}'" not in failure


@pytest.mark.parametrize(
    ("returned", "values", "accuracy", "curves"),
    [
        (0.25, {"accuracy": 0.25}, [[0.25]], {}),
        ([0.25, 0.5], {"accuracy": 0.5}, [[0.5]], {"accuracy": [0.25, 0.5]}),
        ({"accuracy": 1, "loss": 3.5}, {"accuracy": 1.0, "loss": 3.5}, [[1.0]], {}),
        ([[0.5], [0.25, 0.75]], {"accuracy": 0.5}, [[0.5, None], [0.25, 0.75]], {}),
        ([[0.5, 0.1], [0.25, 0.75]], {"accuracy": 0.5}, [[0.5, None], [0.25, 0.75]], {}),
    ],
)
def test_what_a_function_may_return(returned: Any, values: Any, accuracy: Any, curves: Any) -> None:
    found = outcome_of(returned, Expected())
    assert found == Outcome("done", accuracy, values=values, curves=curves)


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        ("0.9", "returned the text '0.9' as 'accuracy'; return a number"),
        (True, "returned True as 'accuracy'; return a number"),
        ({}, "there is no accuracy, which the study measures; it has nothing"),
        ({"loss": 1.0}, "there is no accuracy, which the study measures; it has loss"),
        ({"accuracy": {"a": 1}}, "returned a mapping as 'accuracy'"),
        ([0.5, None], "returned None as 'accuracy.1'"),
        (93.2, "accuracy = 93.2 is no fraction from 0 to 1; it looks like a percentage"),
        ([[0.5], [0.5, 0.5, 0.5]], "returned 3 accuracies as row 1; after task 1 there are 2"),
        ([[0.5]] * 3, "returned 3 rows; the benchmark has 2 tasks"),
        ({"accuracy": 0.5, "other": [[0.5]]}, "returned a matrix as 'other'; only accuracy can"),
        ([], "returned an empty list as 'accuracy'"),
    ],
)
def test_what_it_may_not(returned: Any, says: str) -> None:
    with pytest.raises(ValueError, match="returned") as caught:
        outcome_of(returned, Expected(tasks=2))
    assert says in str(caught.value)


def test_what_is_not_finite_has_diverged() -> None:
    for returned in (math.nan, math.inf, {"accuracy": 0.5, "loss": math.nan}, [[math.nan]]):
        assert outcome_of(returned, Expected()).status == "diverged"
    loss = Expected(Measure(name="loss", unit="nats", higher_is_better=False))
    assert outcome_of(math.nan, loss).accuracy == []
    assert outcome_of(93.2, loss).values == {"loss": 93.2}


def test_numbers_of_libraries_are_numbers() -> None:
    code = (
        "import sys, json, numpy as np, torch; sys.argv = ['x']\n"
        f"from runpy import run_path; plain = run_path({str(CHILD)!r})['_plain']\n"
        "print(json.dumps([plain(v) for v in (np.float32(0.5), np.arange(2), (1, 2), "
        "torch.tensor(0.5, requires_grad=True), {'a': np.ones((1, 2))}, range(2), 10 ** 20)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == (
        '[0.5, [0.0, 1.0], [1.0, 2.0], 0.5, {"a": [[1.0, 1.0]]}, [0.0, 1.0], 1e+20]'
    )


def test_memory_is_what_a_container_has(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 1000 kB\nMemAvailable: 400 kB\n")
    assert total_and_left(tmp_path) == (1024000, 409600)
    folder = tmp_path / "sys/fs/cgroup"
    folder.mkdir(parents=True)
    (folder / "memory.max").write_text("max\n")
    assert total_and_left(tmp_path) == (1024000, 409600)
    (folder / "memory.max").write_text("500000\n")
    (folder / "memory.current").write_text("450000\n")
    assert total_and_left(tmp_path) == (500000, 50000)


def test_the_cell_that_takes_all_memory_is_the_one_that_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine is told to be small: 64 MB, all in use as soon as the cell holds 40."""
    from harness.running.functions import pool

    mine = "import time\ndef train(seed):\n    x = bytearray(40_000_000)\n    time.sleep(987)\n"
    study = study_of(tmp_path, "[conditions]\nx = { train = 'mine.py:train' }\n", mine)
    monkeypatch.setattr(pool, "total_and_left", lambda: (64_000_000, 0))
    (outcome,) = one(study, "x").outcomes
    assert outcome.status == "failed"
    assert "the machine had no memory left" in outcome.failure
