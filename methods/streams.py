"""Independent, named random streams: the seed is the unit of replication.

Every random draw of a cell comes from ``stream(seed, name)``. The streams of one seed are
independent of each other, so a condition that draws more from one of them (say, for sampled
labels) still sees the same initialisation and the same order of mini-batches as every other
condition. That is what makes comparisons paired.
"""

from __future__ import annotations

import numpy as np

INIT = "init"
"""Body weights and biases, unit draws of the output layer."""
PLASTICITY = "plasticity"
"""Plasticity coefficients (alpha)."""
ORDER = "order"
"""The permutation of the training samples in each epoch."""
METHOD = "method"
"""What a method draws for itself: subsets of samples, sampled labels."""


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator of one seed's stream.

    Parameters
    ----------
    seed : a non-negative integer; 0 is a seed like any other.
    name : any text; equal names give equal streams.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, *name.encode()]))
