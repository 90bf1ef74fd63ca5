"""The digits that scikit-learn carries, and their split, without loading all of scikit-learn.

Loading it takes as long as the training of a small study. Its file of digits is read as it lies
there, and split as its ``train_test_split`` does with a stratified sample: the checksum of the data
tells whether both are what they were.
"""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import InputError

FILE = Path("datasets") / "data" / "digits.csv.gz"
Numbers = NDArray[np.int64]


def read_digits() -> tuple[NDArray[np.uint8], Numbers]:
    """Return the images, (N, 64) with pixels from 0 to 16, and their labels, (N,).

    Raises
    ------
    InputError
        Where scikit-learn, or its file of digits, is not there.
    """
    found = find_spec("sklearn")  # does not load it
    for place in (found and found.submodule_search_locations) or ():
        try:
            with gzip.open(Path(place) / FILE) as file:
                table = np.loadtxt(file, delimiter=",", dtype=np.uint8)
        except (OSError, ValueError):
            continue
        return table[:, :-1], table[:, -1].astype(np.int64)
    raise InputError(f"scikit-learn's digits ({FILE}) cannot be read; install scikit-learn again")


def stratified(labels: Numbers, share: float, seed: int) -> tuple[Numbers, Numbers]:
    """Return the places of the training and of the test samples, in the order of a shuffle.

    Parameters
    ----------
    share : of the samples that are tested; of each class as nearly as whole samples allow.
    """
    rng = np.random.RandomState(seed)
    tested = int(np.ceil(share * len(labels)))
    _, counts = np.unique(labels, return_counts=True)
    places = np.split(np.argsort(labels, kind="stable"), np.cumsum(counts)[:-1])
    trained = _shares(counts, len(labels) - tested, rng)
    held = _shares(counts - trained, tested, rng)
    train: list[int] = []
    test: list[int] = []
    for own, count, first, second in zip(places, counts, trained, held, strict=True):
        shuffled = own[rng.permutation(count)]
        train.extend(shuffled[:first])
        test.extend(shuffled[first : first + second])
    return rng.permutation(train), rng.permutation(test)


def _shares(counts: Numbers, drawn: int, rng: np.random.RandomState) -> Numbers:
    """Return how many samples of each class are drawn; the largest remainders are rounded up."""
    exact = counts / counts.sum() * drawn
    shares = np.floor(exact)
    remainder, missing = exact - shares, int(drawn - shares.sum())
    for value in np.unique(remainder)[::-1]:
        if missing <= 0:
            break
        (tied,) = np.where(remainder == value)
        up = rng.choice(tied, size=min(len(tied), missing), replace=False)
        shares[up] += 1
        missing -= len(up)
    whole: Numbers = shares.astype(np.int64)
    return whole
