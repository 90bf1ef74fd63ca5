"""Help, lists and answers to bad input load nothing that is slow; reports load no training.

Times are for people to look at; what a command imports is what makes them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import HERE

RESULTS = Path(__file__).parent / "expected" / "results"
TRAINING = {"torch", "torchvision", "ray", "sklearn"}
HEAVY = TRAINING | {"numpy", "scipy", "pandas", "pyarrow", "matplotlib", "seaborn", "statsmodels"}
DRAWING = {"matplotlib", "seaborn", "statsmodels"}
WATCHED = """
import json, runpy, sys
sys.argv = sys.argv[1:]
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
code = 0
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as stop:
    code = stop.code or 0
print(json.dumps([code, sorted(sys.modules)]))
"""


def loaded_by(*arguments: object) -> tuple[int, set[str]]:
    """Return the exit code of a command and the modules that were loaded at its end."""
    command = [sys.executable, "-c", WATCHED, str(HERE / "run_all.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE)
    code, modules = json.loads(done.stdout.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (0, "--help"),
        (0, "run --help"),
        (0, "report --help"),
        (0, "studies"),
        (0, "studies dhp-multiverse"),
        (0, "template kuberay dhp-split-mnist"),
        (0, "template slurm dhp-split-mnist"),
        (2, "template slurm no-such-study"),
        (0, "submit --help"),
        (2, "submit smoke --address nowhere --out /results"),
        (2, "run no-such-study"),
        (2, "run smoke --seeds many"),
        (2, "run smoke --conditions finetune,none"),
        (2, "run smoke --address here:1 --executor in-process"),
        (2, "run smoke --adaptive"),
        (2, "run --all --seeds 3"),
        (2, "run smoke --no-such-option"),
        (2, "--data-dir x run smoke"),
        (2, "report /no/such/directory"),
        (2, "verify /no/such/directory"),
        (2, "pool /no/such/directory"),
        (0, "tune --help"),
        (2, "tune no-such-study"),
        (2, "tune smoke"),
        (0, "import --help"),
        (2, "import /no/such.csv --study smoke"),
    ],
)
def test_what_needs_no_data_loads_nothing_heavy(code: int, arguments: str) -> None:
    found, modules = loaded_by(*arguments.split())
    assert found == code
    assert not modules & HEAVY


def test_reports_load_no_training(tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(RESULTS, results)
    for command in ("report", "verify"):
        code, modules = loaded_by(command, results)
        assert code == 0
        assert not modules & TRAINING


def test_a_dry_run_loads_neither_ray_nor_what_draws(tmp_path: Path) -> None:
    code, modules = loaded_by("run", "smoke", "--dry-run", "--out", tmp_path / "out")
    assert code == 0
    assert not modules & (DRAWING | {"ray", "torchvision"})
    assert "torch" in modules, "the estimate trains a few steps"
