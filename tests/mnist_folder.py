"""Folders with small data sets in MNIST's format, and what can go wrong with their files."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def idx(array: NDArray[np.uint8]) -> bytes:
    """Return the content of an IDX file."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


def small_files(train: int = 40, test: int = 20, side: int = 4) -> dict[str, bytes]:
    """Return the content of four files by name: random pixels, every class in both parts."""
    draws = np.random.default_rng(3)
    arrays = []
    for count in (train, test):
        arrays += [
            draws.integers(0, 256, (count, side, side), dtype=np.uint8),
            np.arange(count, dtype=np.uint8) % 10,
        ]
    return {name: idx(array) for name, array in zip(NAMES, arrays, strict=True)}


def write(folder: Path, files: dict[str, bytes], *, compressed: bool = False) -> Path:
    """Write files to ``folder/MNIST/raw``; returns ``folder``."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in files.items():
        path = raw / (f"{name}.gz" if compressed else name)
        path.write_bytes(gzip.compress(content) if compressed else content)
    return folder
