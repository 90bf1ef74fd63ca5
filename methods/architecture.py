"""What a stack of networks looks like, and how its initial values are drawn.

Rounding inside a matrix product depends on the alignment of its operands. All widths are
therefore padded to a multiple of 16 numbers: each lane then starts on a 64-byte boundary and
has the same bits alone and in any stack. Padding is exactly zero, gets exactly zero gradient
and stays zero under every optimiser here. No reported mean includes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from numpy.random import Generator
from torch import Tensor

from methods.streams import stream

ALIGNMENT = 16


def padded(width: int) -> int:
    """Return ``width`` rounded up to the next multiple of the alignment."""
    return -(-width // ALIGNMENT) * ALIGNMENT


@dataclass(frozen=True)
class Architecture:
    """The shape that all lanes of a stack share.

    Attributes
    ----------
    inputs, outputs : number of input features, and of outputs of all heads together.
    hidden : widths of the hidden ReLU layers, at least one.
    """

    inputs: int
    hidden: tuple[int, ...]
    outputs: int

    @property
    def features(self) -> int:
        """Width of the last hidden layer, which is the input of the output layer."""
        return self.hidden[-1]


@dataclass(frozen=True)
class Draws:
    """Initial values of S lanes, each from the random streams of its own seed.

    Attributes
    ----------
    seeds : one for each lane.
    dtype, device : type and device of the tensors that are returned.
    """

    seeds: Sequence[int]
    dtype: torch.dtype
    device: torch.device | str

    def generators(self, name: str) -> list[Generator]:
        """Return a new generator of the named stream for every lane."""
        return [stream(seed, name) for seed in self.seeds]

    def uniform(
        self, generators: Sequence[Generator], rows: int, columns: int, bound: float
    ) -> Tensor:
        """Return (S, rows, columns) drawn from U(-bound, bound), padded with zeros."""
        return self._uniform(generators, rows, padded(rows), columns, bound)

    def bias(self, generators: Sequence[Generator], columns: int, bound: float) -> Tensor:
        """Return (S, 1, columns) drawn from U(-bound, bound); rows are not padded."""
        return self._uniform(generators, 1, 1, columns, bound)

    def _uniform(
        self, generators: Sequence[Generator], rows: int, height: int, columns: int, bound: float
    ) -> Tensor:
        # Values are drawn in double precision, so that they are the same for every type.
        lanes = torch.zeros(len(self.seeds), height, padded(columns), dtype=torch.float64)
        for lane, generator in zip(lanes, generators, strict=True):
            unit_draws = torch.from_numpy(generator.uniform(-1.0, 1.0, (rows, columns)))
            lane[:rows, :columns] = unit_draws * bound
        return lanes.to(device=self.device, dtype=self.dtype)

    def scalar(self, values: Tensor) -> Tensor:
        """Return a copy of the (S, 1, 1) values with this type and on this device."""
        return values.to(device=self.device, dtype=self.dtype).clone()
