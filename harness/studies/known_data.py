"""Facts about each benchmark that are known without reading its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NO_DATA = "none"
"""Stands for the checksum of the data where nothing is read of them."""
BINARY_TASKS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))


@dataclass(frozen=True)
class KnownData:
    """The genuine data of a benchmark.

    Attributes
    ----------
    checksum : the value of ``Dataset.checksum`` for these data.
    tasks : the classes of each task, in order of training.
    train_sizes : number of training samples of each class.
    seeded : whether the tasks depend on the seed.
    imbalanced : whether each task keeps a share of its own of each class.
    source : what the data are read from; benchmarks with the same source are all here, or none is.
    """

    checksum: str
    tasks: tuple[tuple[int, ...], ...]
    train_sizes: tuple[int, ...]
    seeded: bool = False
    imbalanced: bool = False
    source: str = "MNIST"

    @property
    def chance(self) -> float:
        """The mean accuracy over all tasks, a fraction, of guesses among the classes of each."""
        return sum(1 / len(classes) for classes in self.tasks) / len(self.tasks)


IMBALANCES: Mapping[str, float] = {"shares": 0.5, "two-common": 0.28}
"""By procedure of an imbalanced benchmark, the share of its training samples that a task keeps."""

MNIST_SIZES = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)

KNOWN_DATA: Mapping[str, KnownData] = {
    "split-mnist": KnownData(
        "8e1a82b0e1c3d2068f1653bc08fc781e36f6d20563f74d1ba6b352b33a45f4d7",
        BINARY_TASKS,
        MNIST_SIZES,
    ),
    "split-digits": KnownData(
        "8ee95e5e3371abc2226bcd5c68d0e3588d6ca9493787cbc6a1b0a6b9f35b016c",
        BINARY_TASKS,
        (133, 136, 133, 137, 136, 136, 136, 134, 131, 135),
        source="scikit-learn",
    ),
    "permuted-mnist": KnownData(
        "0ff2e6d5beabbdba1157c45da5959ada8a2d73b44be8cbad4f0164765eea56e8",
        (tuple(range(10)),) * 10,
        MNIST_SIZES,
        seeded=True,
    ),
    "imbalanced-permuted-mnist": KnownData(
        "0ff2e6d5beabbdba1157c45da5959ada8a2d73b44be8cbad4f0164765eea56e8",
        (tuple(range(10)),) * 10,
        MNIST_SIZES,
        seeded=True,
        imbalanced=True,
    ),
}
"""Known data by the name of the benchmark."""


def is_genuine(benchmark: str, checksum: str) -> bool:
    """Tell whether data are genuine; all data of an unknown benchmark count as genuine."""
    known = KNOWN_DATA.get(benchmark)
    return known is None or known.checksum == checksum


def held_out(samples: int, fraction: float) -> int:
    """Return how many of the ``samples`` of a class a validation fraction above 0 holds out."""
    return max(1, round(fraction * samples))
