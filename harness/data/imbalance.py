"""Tasks in which some classes are rarer than others: how many samples of each, and which.

The poster names an imbalanced benchmark and not its procedure; each procedure here is one function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from harness.studies.known_data import IMBALANCES
from methods.streams import IMBALANCE, stream

RARE = 0.1
"""Share that is kept of a rare class."""
COMMON = 2
"""Number of classes that are kept whole where all others are rare."""


def imbalanced_rows(
    labels: NDArray[np.int64], procedure: str, tasks: int, seeds: Sequence[int]
) -> Iterator[NDArray[np.int64]]:
    """Yield for each task (S, n) which training samples each seed has, rising.

    A class counts as whole with as many samples as the smallest class has, and a task of a
    procedure always has the same number of samples: so every seed costs the same, and all of them
    are trained side by side. A task draws its shares, and then its samples, from the seed alone.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    whole = int(sizes.min())
    members = [np.flatnonzero(labels == label) for label in classes]
    generators = [stream(seed, IMBALANCE) for seed in seeds]
    for _ in range(tasks):
        yield np.stack([_rows(members, whole, procedure, draws) for draws in generators])


def _rows(
    members: Sequence[NDArray[np.intp]], whole: int, procedure: str, draws: Generator
) -> NDArray[np.int64]:
    kept = PROCEDURES[procedure](len(members), draws)
    total = round(IMBALANCES[procedure] * whole * len(members))
    counts = _rounded(kept * whole, total)
    chosen = [
        draws.choice(of, size=count, replace=False)
        for of, count in zip(members, counts, strict=True)
    ]
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def _rounded(counts: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Round counts to integers with the given sum, the largest remainders up."""
    floor = np.floor(counts).astype(np.int64)
    up = np.argsort(-(counts - floor), kind="stable")[: total - floor.sum()]
    floor[up] += 1
    return floor


def _shares(classes: int, draws: Generator) -> NDArray[np.float64]:
    """Draw a uniform share of each class; one factor makes their mean a half, none above whole."""
    shares = draws.uniform(size=classes)
    goal = IMBALANCES["shares"] * classes
    capped = np.zeros(classes, dtype=bool)
    while True:
        factor = (goal - capped.sum()) / shares[~capped].sum()
        above = ~capped & (factor * shares > 1)
        if not above.any():
            return np.where(capped, 1.0, np.minimum(factor * shares, 1.0))
        capped |= above


def _two_common(classes: int, draws: Generator) -> NDArray[np.float64]:
    """Keep two classes, drawn, as they are, and a tenth of each of the others."""
    shares = np.full(classes, RARE)
    shares[draws.choice(classes, size=COMMON, replace=False)] = 1.0
    return shares


PROCEDURES: Mapping[str, Callable[[int, Generator], NDArray[np.float64]]] = {
    "shares": _shares,
    "two-common": _two_common,
}
"""By name, what gives the share of each class of a task."""
