"""What stands in for a data set where no condition of a study reads one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.data.benchmarks import Dataset
from harness.studies.known_data import NO_DATA


@dataclass(frozen=True)
class NoData(Dataset):
    """A data set without samples or tasks."""

    def checksum(self) -> str:
        """Return what records have instead of a checksum."""
        return NO_DATA


def no_data() -> NoData:
    """Return it."""
    images, labels = np.empty((0, 0), np.uint8), np.empty(0, np.int64)
    return NoData("", images, labels, images, labels, 1, ())
