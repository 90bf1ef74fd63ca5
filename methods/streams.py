"""Independent, named random streams: the seed is the unit of replication.

Every random draw of a cell comes from ``stream(seed, name)``. The streams of one seed are
independent of each other, so a condition that draws more from one of them (for example,
sampled labels) still sees the same initialisation and the same order of mini-batches as every other
condition. That is what makes comparisons paired.
"""

from __future__ import annotations

import numpy as np

INIT = "init"
"""Draws body weights and biases, and the slow weights of the output layer."""
PLASTICITY = "plasticity"
"""Draws plasticity coefficients (alpha)."""
ORDER = "order"
"""Draws the permutation of the training samples in each epoch."""
TASKS = "tasks"
"""Draws what of the tasks themselves depends on the seed."""
IMBALANCE = "imbalance"
"""Draws which samples of each class an imbalanced task has."""
METHOD = "method"
"""Draws what a method samples: subsets of samples and labels."""


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator of one seed's stream.

    Parameters
    ----------
    seed : a non-negative integer; 0 is a seed like any other.
    name : any text; equal names give equal streams.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, *name.encode()]))
