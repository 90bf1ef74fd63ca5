"""Which test samples a record's network classified correctly after the last task."""

from __future__ import annotations

from base64 import b64decode

import numpy as np
from numpy.typing import NDArray

from reports.numbers.records import Record

Answers = NDArray[np.bool_]


def right_answers(record: Record) -> list[Answers] | None:
    """Return for each task, (samples,), whether each test sample is classified correctly.

    The samples are in the order of the data set. None where the record does not say it.
    """
    kept = record.get("right")
    if kept is None:
        return None
    return [
        np.unpackbits(np.frombuffer(b64decode(bits), dtype=np.uint8), count=samples).astype(bool)
        for samples, bits in zip(kept["samples"], kept["bits"], strict=True)
    ]


def on_the_same_samples(first: Record, second: Record) -> bool:
    """Tell whether two records were tested on the same samples, as far as they say."""
    return _test_set(first) == _test_set(second)


def _test_set(record: Record) -> tuple[object, ...]:
    protocol = record.get("protocol", {})
    return (
        record.get("provenance", {}).get("data"),
        protocol.get("benchmark"),
        protocol.get("validation_fraction"),
        tuple(record.get("right", {}).get("samples", ())),
    )
