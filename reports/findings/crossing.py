"""What the analyses of crossed factors share: accuracies by condition and seed, and levels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, combinations

import numpy as np

from reports.numbers.intervals import Floats

Finals = Mapping[str, Mapping[int, float]]
"""By condition and seed, the final accuracy in % of finished cells."""

Levels = Mapping[str, Mapping[str, str]]
"""By condition, the level of each factor that the condition has."""

Same = Callable[[str, str, Sequence[int]], bool]
"""Tells whether two conditions did the same on all of some seeds, beyond equal accuracies."""

MOST_FACTORS = 6  # these have 720 orders; nobody reads more


def not_known(_first: str, _second: str, _seeds: Sequence[int]) -> bool:
    """Tell of no two conditions that they did the same."""
    return False


def subsets(factors: Sequence[str]) -> list[tuple[str, ...]]:
    """Return all subsets of the factors, the smaller first."""
    return list(chain.from_iterable(combinations(factors, k) for k in range(len(factors) + 1)))


def common_seeds(finals: Finals, names: Iterable[str]) -> list[int]:
    """Return the seeds that all of the conditions have finished, rising."""
    sets = [set(finals.get(name, {})) for name in names]
    return sorted(set.intersection(*sets)) if sets else []


def accuracies(finals: Finals, name: str, seeds: Sequence[int]) -> Floats:
    """Return (seeds,) the final accuracies of a condition, in %."""
    return np.array([finals[name][seed] for seed in seeds], dtype=np.float64)
