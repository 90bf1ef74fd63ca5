"""A consolidation, head or optimiser in the user's own file: trained like ours, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from harness.data.benchmarks import split_digits
from harness.errors import InputError
from harness.running.training import Stack, outcomes_of
from harness.running.trial import try_own_classes
from harness.studies.condition import Cell
from harness.studies.study import Study
from harness.studies.study_files import load_study, validate_study

STUDY = """
name = "own"
seeds = 1
[protocol]
benchmark = "split-digits"
hidden = [12]
batch_size = 8
iterations_per_task = 4
[conditions]
plain = {}
mine = { %s }
"""
L2 = """
from dataclasses import dataclass
from methods.consolidation import Recentred
from methods.fields import per_lane
from sizes import ONE

class L2(Recentred):
    @dataclass(frozen=True, kw_only=True)
    class Settings(Recentred.Settings):
        growth: "Tensor" = per_lane(1.0, at_least=0)
        kind: str = "all"

    def accumulate(self, importance, samples):
        for value in importance.values():
            value.add_(ONE).mul_(self.settings.growth)

    def telemetry(self):
        return super().telemetry() | {"growth": self.settings.growth.flatten()}
"""
OURS = """
from methods.consolidation import EWC
from methods.optimisers import Momentum
from methods.softmax import DHPSoftmax

class Copy(EWC):
    pass

class Head(DHPSoftmax):
    pass

class Slow(Momentum):
    pass
"""


def write(folder: Path, condition: str, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    path = folder / "own.toml"
    path.write_text(STUDY % condition, encoding="utf-8")
    return path


def l2_study(folder: Path, more: str = "") -> Study:
    condition = f'consolidation = "mine.py:L2", strength = 0.5{more}'
    return load_study(str(write(folder, condition, mine=L2, sizes="ONE = 1.0\n")))


def key(study: Study) -> str:
    return Cell(condition=study.conditions["mine"], seed=0).key("data")


def test_its_fields_are_checked_and_its_defaults_filled_in(tmp_path: Path) -> None:
    study = l2_study(tmp_path)
    method = study.ours["mine"].method
    assert [method.get(name) for name in ("strength", "growth", "kind")] == [0.5, 1.0, "all"]
    assert {"strength", "growth"} <= method.lane_fields()
    assert "kind" not in method.lane_fields()
    for more, says in (
        (", growth = -1.0", "mine.growth: Input should be greater than or equal to 0 (got -1.0)"),
        (", kind = 3", "mine.kind: Input should be a valid string (got 3)"),
        (", gamma = 0.5", "gamma has no effect with plasticity = 'off' and consolidation = 'mine"),
        (", grow = 0.5", "mine.grow: unknown key (did you mean 'growth'?); known here: plasticity"),
    ):
        with pytest.raises(InputError) as caught:
            l2_study(tmp_path, more)
        assert says in str(caught.value)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ('consolidation = "ewc", strength = 2.0', 'consolidation = "mine.py:Copy", strength = 2.0'),
        (
            'plasticity = "on", head_init = "blog", eta = 0.1',
            'head = "mine.py:Head", head_init = "blog", eta = 0.1',
        ),
        (
            'protocol = { optimiser = "momentum", momentum = 0.5 }',
            'protocol = { optimiser = "mine.py:Slow", momentum = 0.5 }',
        ),
    ],
)
def test_a_copy_of_ours_gives_our_bits_under_a_key_of_its_own(
    ours: str, theirs: str, tmp_path: Path
) -> None:
    data = split_digits(tmp_path)
    trained = {}
    for text in (ours, theirs):
        study = load_study(str(write(tmp_path, text, mine=OURS)))
        cells = [Cell(condition=study.conditions["mine"], seed=seed) for seed in (0, 1)]
        stack = Stack(cells, data, "cpu")
        outcomes = outcomes_of(stack.run())
        told = [(o.status, repr(o.accuracy), repr(o.telemetry)) for o in outcomes]
        trained[key(study)] = (told, stack.network.parameters)
    (told, parameters), (told_again, parameters_again) = trained.values()
    assert told == told_again
    for name, value in parameters.items():
        assert torch.equal(value, parameters_again[name])


def test_its_key_follows_its_settings_its_source_and_what_it_imports(tmp_path: Path) -> None:
    first = key(l2_study(tmp_path))
    assert key(l2_study(tmp_path)) == first
    assert key(l2_study(tmp_path, ", growth = 2.0")) != first
    path = tmp_path / "own.toml"
    l2_study(tmp_path)
    (tmp_path / "unused.py").write_text("ONE = 2\n", encoding="utf-8")
    assert key(load_study(str(path))) == first
    (tmp_path / "sizes.py").write_text("ONE = 2.0\n", encoding="utf-8")
    second = key(load_study(str(path)))
    (tmp_path / "mine.py").write_text(L2 + "# changed\n", encoding="utf-8")
    assert len({first, second, key(load_study(str(path)))}) == 3


def test_what_was_read_is_what_trains_even_where_the_files_have_changed(tmp_path: Path) -> None:
    """As on another machine: a cell carries its own code."""
    study = l2_study(tmp_path)
    (tmp_path / "sizes.py").unlink()
    (tmp_path / "mine.py").write_text("raise ValueError", encoding="utf-8")
    stack = Stack([Cell(condition=study.conditions["mine"], seed=0)], split_digits(tmp_path), "cpu")
    (outcome,) = outcomes_of(stack.run())
    assert outcome.telemetry[1]["growth"] == 1.0
    assert outcome.telemetry[1]["penalty"] > 0


FAULTS = [
    ("missing.py:L2", "", "there is no file"),
    ("mine.py:L3", "L2 = 1", "there is no 'L3' in it"),
    ("mine.py", "L2 = 1", "there is no consolidation 'mine.py'; there are none, ewc"),
    ("mine:", "L2 = 1", "is no place of a class"),
    ("no.such.module:L2", "", "there is no module 'no.such.module'"),
    ("mine.py:L2", "def L2(): pass", "is no consolidation: derive the class from methods.consol"),
    ("mine.py:L2", "from methods.softmax import Softmax as L2", "is no consolidation"),
    ("mine.py:L2", "class L2(", "mine.py, line 1: no Python"),
    ("mine.py:L2", "1 / 0", "cannot be imported: ZeroDivisionError: division by zero ("),
    ("mine.py:L2", "import sys\nsys.exit(3)", "cannot be imported: SystemExit: 3 ("),
    ("mine.py:L2", "import nothing_like_it", "ModuleNotFoundError: No module named 'nothing"),
    ("mine.py:L2", "import left", "cannot be imported: KeyError: 'x' ("),
    (
        "mine.py:L2",
        "from methods.consolidation import EWC\n"
        "class L2(EWC):\n    class Settings:\n        a: int = 1",
        "its Settings is no dataclass",
    ),
    (
        "mine.py:L2",
        "from dataclasses import dataclass\nfrom methods.consolidation import EWC\n"
        "class L2(EWC):\n    @dataclass\n    class Settings:\n        a: list = None",
        "'a' has the type <class 'list'>, which no study can give",
    ),
    (
        "mine.py:L2",
        "from dataclasses import dataclass\nfrom methods.consolidation import EWC\n"
        "class L2(EWC):\n    @dataclass\n    class Settings:\n        bias: bool = True",
        "the setting 'bias' is declared twice",
    ),
]
BASE = "from methods.consolidation import NoConsolidation\nclass L2(NoConsolidation):\n"
TRIALS = [
    ("    def before_update(self):\n        self.nothing()", "AttributeError", "mine.py, line 4"),
    (
        "    def before_update(self):\n        import torch\n"
        "        for g in self.network.gradients.values():\n            g.mul_(torch.rand(()))",
        "the same seed gave other numbers the second time",
        "",
    ),
    (
        "    def before_update(self):\n        for g in self.network.gradients.values():\n"
        "            g.sub_(g.mean())",
        "a network's numbers depend on those that train beside it",
        "",
    ),
    ("    def telemetry(self):\n        return {'a': 1.0}", "it must be one number for each", ""),
    ("    def telemetry(self):\n        return {'loss': 1.0}", "which every record has", ""),
    ("    def penalty(self):\n        return None", "fails in a trial", ""),
]


@pytest.mark.parametrize(("place", "text", "says"), FAULTS)
def test_what_is_wrong_with_a_class_is_said_in_one_line(
    place: str, text: str, says: str, tmp_path: Path
) -> None:
    path = write(tmp_path, f'consolidation = "{place}"', left="{}['x']")
    if text:
        (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_study(str(path))
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{path}: conditions.mine")
    assert says in line


@pytest.mark.parametrize(("body", "says", "where"), TRIALS)
def test_what_fails_in_training_fails_in_a_trial(
    body: str, says: str, where: str, tmp_path: Path
) -> None:
    study = load_study(str(write(tmp_path, 'consolidation = "mine.py:L2"', mine=BASE + body)))
    with pytest.raises(InputError) as caught:
        try_own_classes([*study.ours.values()], split_digits(tmp_path))
    assert says in str(caught.value)
    assert where in str(caught.value)
    assert "conditions.mine: 'mine.py:L2'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_on_record_is_read_without_the_users_code(tmp_path: Path) -> None:
    study = l2_study(tmp_path)
    stored = json.loads(study.model_dump_json(exclude_none=True))
    (tmp_path / "mine.py").write_text("raise ValueError", encoding="utf-8")
    again = validate_study(stored, "study.json")
    assert again.fingerprint() == study.fingerprint()
    assert key(again) == key(study)
    with pytest.raises(InputError, match="run the study by its file"):
        Stack([Cell(condition=again.conditions["mine"], seed=0)], split_digits(tmp_path), "cpu")


def test_a_study_file_cannot_vouch_for_a_class_itself(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="consolidation_source: unknown key"):
        l2_study(tmp_path, ', consolidation_source = "0"')
