"""Training functions and programs in a study: their parameters, their keys, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from processes import wait_until, working_in

from harness.errors import InputError
from harness.studies.condition import Cell
from harness.studies.study import Study
from harness.studies.study_files import load_study, validate_study

MINE = """
from typing import Literal

from sizes import ONE

PLAIN = object()

def train(
    seed: int,
    trick: bool = False,
    lr: float = ONE,
    kind: Literal["a", "b"] = "a",
    widths: list[int] = [4, 4],
    name: str | None = None,
    loose=3,
    hidden=PLAIN,
):
    return 0.5

def needs(seed, lr: float):
    return lr

def positional(seed, other, /):
    return 0.5

def seedless(lr: float = 0.1):
    return lr

def renamed(seed, command="x"):
    return 0.5

def anything(seed, **settings):
    return 0.5

def tasks_of(seed, tasks):
    return 0.5

NUMBER = 3
"""
STUDY = """
name = "own"
train = "mine.py:{function}"
seeds = 2
{more}
[conditions]
plain = {plain}
"""


def study_of(
    folder: Path, plain: str = "{}", function: str = "train", more: str = "", mine: str = MINE
) -> Study:
    (folder / "mine.py").write_text(mine, encoding="utf-8")
    if not (folder / "sizes.py").exists():
        (folder / "sizes.py").write_text("ONE = 1\n", encoding="utf-8")
    path = folder / "own.toml"
    path.write_text(STUDY.format(function=function, plain=plain, more=more), encoding="utf-8")
    return load_study(str(path))


def key(study: Study) -> str:
    return Cell(condition=study.ours["plain"], seed=0).key("any data")


def test_parameters_are_the_fields_and_defaults_count_among_them(tmp_path: Path) -> None:
    study = study_of(tmp_path, "{ lr = 2, widths = [1] }")
    settings = study.ours["plain"].settings()
    source = settings["method"].pop("train_source")
    assert len(source) == 32
    assert settings == {
        "protocol": {},
        "method": {
            "train": "mine.py:train",
            "trick": False,
            "lr": 2.0,
            "kind": "a",
            "widths": [1],
            "loose": 3,
        },
    }


@pytest.mark.parametrize(
    ("plain", "says"),
    [
        ("{ trik = true }", "plain.trik: 'mine.py:train' has no such parameter (did you mean 'tri"),
        ("{ trick = 1 }", "plain.trick: should be true or false (got 1)"),
        ('{ lr = "0.1" }', "plain.lr: should be a number (got '0.1')"),
        ("{ lr = nan }", "plain.lr: should be a number (got nan)"),
        ("{ lr = true }", "plain.lr: should be a number (got True)"),
        ('{ kind = "c" }', "plain.kind: should be 'a' or 'b' (got 'c')"),
        ("{ widths = [1, 2.5] }", "plain.widths: should be a whole number"),
        ("{ name = 3 }", "plain.name: should be a text (got 3)"),
        ("{ loose = 0.5 }", "plain.loose: should be a whole number (got 0.5)"),
        ("{ hidden = 1 }", "plain.hidden: should be of a type that no study can give (got 1)"),
        ("{ seed = 1 }", "plain: seed is given to 'mine.py:train' by the run; remove it"),
        ("{ protocol = { hidden = [3] } }", "plain.protocol.hidden: unknown key"),
        ('{ command = "x {seed}" }', "there is no program 'x' on the PATH"),
        ('{ train = "mine.py:trian" }', "'mine.py:trian': there is no 'trian' in it"),
        ('{ train = "mine.py:NUMBER" }', "'mine.py:NUMBER' is a int, no function"),
        ('{ train = "mine.py:needs" }', "plain: 'mine.py:needs' needs a value of lr"),
        ('{ train = "mine.py:positional" }', "its parameter 'seed' cannot be given by name"),
        ('{ train = "mine.py:seedless" }', "takes neither 'seed' nor 'streams'"),
        ('{ train = "mine.py:renamed" }', "has a parameter 'command', which means something"),
        ('{ train = "mine.py:tasks_of" }', "takes tasks: name their benchmark, [protocol] bench"),
        ('{ train = "none.py:train" }', "'none.py:train': there is no file"),
        ('{ train = "no.such.module:train" }', "there is no module 'no.such.module'"),
        ('{ train = "mine.py" }', "'mine.py' is no place of a function; write 'file.py:NAME'"),
        ("{ train = 3 }", "'3' is no place of a function"),
    ],
)
def test_what_no_function_takes_is_answered_in_a_line(
    plain: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        study_of(tmp_path, plain)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("mine", "says"),
    [
        ("raise ValueError('no\\nGPU')", "cannot be imported: ValueError: GPU"),
        ("import sys; sys.exit(3)", "cannot be imported: SystemExit: 3"),
        ("import os; os._exit(7)", "ended its process while it was imported (exit code 7)"),
        ("import os; os.abort()", "ended its process while it was imported (exit code -6)"),
        ("def train(seed:", "line 1: no Python"),
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("import os\nos.close(1)\nx = 1", "there is no 'train' in it"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named(mine: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        study_of(tmp_path, mine=mine)
    assert says in str(caught.value)


def test_what_a_module_starts_when_it_is_imported_neither_stays_nor_holds_the_run_up(
    tmp_path: Path,
) -> None:
    mine = (
        "import os, subprocess, threading, time\nprint('hello')\n"
        f"subprocess.Popen(['sleep', '987'], cwd={str(tmp_path)!r})\n"
        "threading.Thread(target=time.sleep, args=(987,)).start()\n"
        "def train(seed): return 0.5\n"
    )
    study_of(tmp_path, mine=mine)
    wait_until(lambda: not working_in(tmp_path))


def test_the_key_follows_settings_defaults_source_and_what_it_imports(tmp_path: Path) -> None:
    first = key(study_of(tmp_path))
    assert key(study_of(tmp_path)) == first
    assert key(study_of(tmp_path, "{ lr = 1.0 }")) == first, "the default, written out"
    assert key(study_of(tmp_path, "{ lr = 2 }")) != first
    assert Cell(condition=study_of(tmp_path).ours["plain"], seed=0).key("other data") == first
    keys = {first, key(study_of(tmp_path, mine=MINE + "# changed\n"))}
    (tmp_path / "unused.py").write_text("ONE = 2\n", encoding="utf-8")
    assert key(study_of(tmp_path)) == first
    (tmp_path / "sizes.py").write_text("ONE = 1.0\n", encoding="utf-8")
    keys.add(key(study_of(tmp_path)))
    assert len(keys) == 3


def test_results_say_what_trained_them_without_the_code(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    told = json.loads(json.dumps(study.model_dump(mode="json", exclude_none=True)))
    (tmp_path / "mine.py").write_text("raise SystemExit", encoding="utf-8")
    again = validate_study(told, "study.json")
    assert again.fingerprint() == study.fingerprint()
    assert key(again) == key(study)
    function = again.ours["plain"].function
    assert function is not None
    with pytest.raises(InputError, match="SystemExit"):
        function.ready((tmp_path,))
    (tmp_path / "mine.py").write_text(MINE + "# changed\n", encoding="utf-8")
    with pytest.raises(InputError, match="is not what these results were trained with"):
        function.ready((tmp_path,))


def test_a_function_of_any_names_takes_any_name(tmp_path: Path) -> None:
    study = study_of(tmp_path, "{ lr = 0.5, layers = [3, 4] }", "anything")
    function = study.ours["plain"].function
    assert function is not None
    assert function.parameters == {"lr": 0.5, "layers": [3, 4]}


def test_values_for_the_trial_are_checked_too(tmp_path: Path) -> None:
    study_of(tmp_path, more="preflight = { lr = 0.5 }")
    for given, says in (
        ("preflight = { rl = 0.5 }", "preflight.rl: no such parameter; there are trick, lr"),
        ('preflight = { lr = "x" }', "preflight.lr: should be a number"),
        ('isolation = "some"', "isolation: Input should be 'process' or 'none'"),
        ("[protocol]\nhidden = [3]", "protocol.hidden has no effect: functions of your own train"),
        ('command = "true {seed}"', "the study gives both train and command; give one"),
    ):
        with pytest.raises(InputError) as caught:
            study_of(tmp_path, more=given)
        assert says in str(caught.value)


def test_factors_cross_a_functions_parameters(tmp_path: Path) -> None:
    factors = "[factors.lr.levels]\nlow = { lr = 0.1 }\nhigh = { lr = 1.0 }\n"
    study = study_of(tmp_path, more=factors)
    assert [*study.conditions] == ["lr=low", "lr=high", "plain"]
    assert study.ours["lr=low"].settings()["method"]["lr"] == 0.1


COMMAND = """
name = "own"
command = "{command}"
seeds = 2
[conditions]
plain = {{ lr = 0.1, deep = true }}
"""


def command_study(folder: Path, command: str) -> Study:
    path = folder / "own.toml"
    path.write_text(COMMAND.format(command=command), encoding="utf-8")
    return load_study(str(path))


def test_a_program_takes_its_placeholders_and_no_shell(tmp_path: Path) -> None:
    script = tmp_path / "train.sh"
    script.write_text("#!/bin/sh\necho 0.5\n", encoding="utf-8")
    script.chmod(0o755)
    (tmp_path / "conf.json").write_text("{}", encoding="utf-8")
    command = "./train.sh conf.json --seed={seed} '{lr} {deep}; rm x' {{brace}}"
    study = command_study(tmp_path, command)
    function = study.ours["plain"].function
    assert function is not None
    assert function.program is not None
    assert function.program.filled({**function.parameters, "seed": 7}) == [
        *("./train.sh", "conf.json", "--seed=7", "0.1 true; rm x", "{brace}")
    ]
    assert [file.path for file in function.program.files] == ["conf.json", "train.sh"]
    first = key(study)
    (tmp_path / "conf.json").write_text("{ }", encoding="utf-8")
    assert key(command_study(tmp_path, command)) != first


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("./none.sh {seed} {lr} {deep}", "there is no file"),
        ("./plain.txt {seed} {lr} {deep}", "cannot be executed; chmod +x it"),
        ("echo {lr} {deep}", "has no {seed}"),
        ("echo {seed} {lr}", "has no such parameter; it has lr"),
        ("echo {seed} {lr} {deep} {more}", "needs a value of more"),
        ("echo {seed} {lr!r} {deep}", "braces hold the name of a parameter"),
        ("echo {seed", "a brace of its own is written twice"),
        ("echo {seed} 'x", "is no list of arguments"),
        ("", "the command is empty"),
        ("{seed}", "the program itself cannot depend on a parameter"),
    ],
)
def test_a_command_that_cannot_run_is_answered_in_a_line(
    command: str, says: str, tmp_path: Path
) -> None:
    (tmp_path / "plain.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        command_study(tmp_path, command)
    assert says in str(caught.value)
