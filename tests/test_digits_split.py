"""The digits are those of scikit-learn, split as scikit-learn splits them, without loading it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from commands import HERE
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from harness.data.benchmarks import DIGITS_SPLIT_SEED
from harness.data.digits import read_digits, stratified


def test_the_digits_are_those_of_scikit_learn() -> None:
    images, labels = read_digits()
    theirs = load_digits()
    assert np.array_equal(images, theirs.data)
    assert np.array_equal(labels, theirs.target)


@pytest.mark.parametrize("seed", [DIGITS_SPLIT_SEED, 0, 1])
@pytest.mark.parametrize("counts", [(178, 182, 177, 183), (5, 7, 9), (4, 4, 4, 4, 5)])
def test_the_split_is_that_of_scikit_learn(seed: int, counts: tuple[int, ...]) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    ours = stratified(labels, 0.25, seed)
    theirs = train_test_split(
        np.arange(len(labels)), test_size=0.25, stratify=labels, random_state=seed
    )
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_reading_them_does_not_load_scikit_learn() -> None:
    program = (
        "import sys; from pathlib import Path; from harness.data.benchmarks import split_digits; "
        "print(split_digits(Path()).genuine, 'sklearn' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=HERE, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "False"]
