"""The laws on other processors: parts of the suite again, in processes that emulate them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
PLAIN = {"ATEN_CPU_CAPABILITY": "default"}
LAWS = [
    "tests/test_products.py",
    "tests/test_lanes.py",
    "tests/test_training.py",
    "tests/test_softmax.py",
    "tests/test_consolidation.py",
    "tests/test_importance.py",
]


@pytest.mark.parametrize(
    "emulation",
    [
        pytest.param(AVX2, id="avx2"),
        pytest.param(PLAIN, id="default", marks=pytest.mark.long),
    ],
)
def test_products_lanes_and_oracles_hold_on_another_processor(emulation: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *LAWS],
        env=os.environ | emulation,
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "passed" in done.stdout


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_a_run_on_another_processor_gets_there_and_says_how_it_multiplies(
    precision: str, tmp_path: Path
) -> None:
    study = tmp_path / "study.toml"
    study.write_text(
        'name = "emulated"\nseeds = 1\n[protocol]\nbenchmark = "split-digits"\n'
        f'iterations_per_task = 5\nprecision = "{precision}"\n[conditions]\nfinetune = {{}}\n'
    )
    program = Path(__file__).parent.parent / "run_all.py"
    done = subprocess.run(
        [sys.executable, program, "run", study, "--out", "out", "--executor", "in-process"],
        env=os.environ | AVX2,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (record,) = (tmp_path / "out" / "records").glob("*.json")
    assert '"bfloat16": "emulated"' in record.read_text()
    emulated = "bfloat16 products are emulated" in done.stdout
    page = (tmp_path / "out" / "report" / "report.md").read_text()
    assert emulated == ("bfloat16 products were emulated" in page) == (precision == "bf16")
