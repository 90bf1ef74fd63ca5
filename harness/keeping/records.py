"""The record of one cell: the fields that a run writes, and the checks when it is read."""

from __future__ import annotations

import gc
import hashlib
import json
import marshal
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NotRequired, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

SCHEMA = 1
"""Version of the record format."""

RESULTS = ("status", "accuracy", "values", "curves", "telemetry")
"""The fields that must agree bit for bit when a cell is computed twice."""
UNFINISHED = ("failed", "timed out")
"""What becomes of a cell that has no result: the next run trains it again."""


@with_config(ConfigDict(strict=True, extra="allow"))
class Record(TypedDict):
    """One cell, as ``records/KEY.json`` holds it.

    Attributes
    ----------
    key, program : hash of everything that can change the numbers, with the seed and without.
    study, condition, seed : the study, condition and seed that it was run for; another study may
        use the record under another name.
    status : "done"; "diverged" where a training loss or a measured value was not finite; "failed"
        and "timed out" where a program of the user's own ended without a result: the next run
        tries these two again.
    accuracy : T x T; row i, column j: after training task i, the fraction of task j's test samples
        that its head classifies correctly. None for tasks not yet seen and after divergence.
        [[v]] where one accuracy was measured; empty where none was.
    values : the numbers that a program of the user's own or an imported table measured, by name,
        the study's measure among them; None where one was not finite.
    curves : sequences of such numbers, by name.
    failure : what ended a cell that failed or was timed out, the traceback's text for instance.
    telemetry : one entry for each task; empty where the program was not ours.
    timings : seconds of each phase, their ``total``, and the time when the cell was ``finished``
        (ISO 8601).
    protocol, method : the condition's settings. Where the program was not ours: what the study says
        of the benchmark, or nothing; and ``train``, ``command`` or ``imported``, the hash of the
        source, and every parameter with its value.
    provenance : code, data, packages, hardware, and a fingerprint of the arithmetic. Where the
        program was not ours also ``pairing``, "streams" or "seed number"; ``deterministic``, false
        where the same seed gave two values; ``imported``, the ``file`` that a cell came from and
        its ``sha256``.
    right : which test samples are classified correctly after the last task: ``samples``, their
        number in each task, and ``bits``, one for each sample in the order of the data set, eight a
        byte, the first in the highest place, as base64. Absent after divergence, and in records of
        earlier versions.
    sha256 : hash of all other fields; see ``seal``.
    """

    schema: int
    key: str
    program: str
    study: str
    condition: str
    seed: int
    status: str
    accuracy: list[list[float | None]]
    telemetry: list[dict[str, Any]]
    timings: dict[str, Any]
    protocol: dict[str, Any]
    method: dict[str, Any]
    provenance: dict[str, Any]
    values: NotRequired[dict[str, float | None]]
    curves: NotRequired[dict[str, list[float | None]]]
    failure: NotRequired[str]
    right: NotRequired[dict[str, Any]]
    sha256: NotRequired[str]


class Trained(TypedDict):
    """The fields of a record that all records of one condition share; see ``Record``.

    Of ``provenance`` only ``data`` and ``numerics`` are needed.
    """

    program: str
    condition: str
    protocol: dict[str, Any]
    method: dict[str, Any]
    provenance: dict[str, Any]


def trained_of(record: Record) -> Trained:
    """Return what a record says of what was trained, and where; nothing of the cell itself."""
    origin = record["provenance"]
    return {
        "program": record["program"],
        "condition": record["condition"],
        "protocol": record["protocol"],
        "method": record["method"],
        "provenance": {"data": origin["data"], "numerics": origin.get("numerics")},
    }


MOST_PARTS = 300_000
"""Different parts that are looked for at most; each takes about 0.3 kB."""


class Sharing:
    """Lets equal parts of many records be one object; they then take a third of the memory.

    Parts that are shared must not be changed in place. Rows of accuracies repeat, because a test
    set has few of them; where they do not, the first ``MOST_PARTS`` are enough to have tried.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._parts: dict[bytes, Any] = {}
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def __call__(self, record: Record) -> Record:
        """Return the record with the parts of earlier ones where they are equal in every type."""
        fields = self._named_once(record)
        for name in ("program", "study", "condition", "status"):
            fields[name] = self._texts.setdefault(fields[name], fields[name])
        for name in ("protocol", "method", "provenance"):
            fields[name] = self._once(fields[name])
        # A copy of its length; JSON's own lists have room for more.
        fields["accuracy"] = [self._once(row) for row in fields["accuracy"]][:]
        if "samples" in (right := fields.get("right", {})):
            fields["right"] = self._named_once(right | {"samples": self._once(right["samples"])})
        fields["telemetry"] = [self._named_once(entry) for entry in fields["telemetry"]]
        fields["timings"] = self._named_once(fields["timings"])
        return cast(Record, fields)

    def _once(self, part: Any) -> Any:
        """Return the first part that was equal to this one in every type."""
        # 1, 1.0 and True are equal, but not so written; version 2 writes no references.
        written = marshal.dumps(part, 2)
        if len(self._parts) < MOST_PARTS:
            return self._parts.setdefault(written, part)
        return self._parts.get(written, part)

    def _named_once(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        names = tuple(fields)
        return dict(zip(self._names.setdefault(names, names), fields.values(), strict=True))


@contextmanager
def no_collection() -> Iterator[None]:
    """Read many records without a search for cycles, which parsed JSON does not have.

    The search is done again and again while objects are made, over all that are there: with 100,000
    records it would take longer than their reading.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def final_accuracy(accuracy: list[list[float | None]]) -> float | None:
    """Return the mean over all tasks after the last task, a fraction.

    None after divergence, and where no accuracy was measured. Summed exactly: Python's own ``sum``
    of floats rounds otherwise since 3.12, and a search recorded there would not be accepted before.
    """
    if not accuracy:
        return None
    last_row = [value for value in accuracy[-1] if value is not None]
    return math.fsum(last_row) / len(last_row) if len(last_row) == len(accuracy[-1]) else None


_VALIDATOR = TypeAdapter(Record)


def seal(record: Record) -> Record:
    """Return the record with the SHA-256 of its content."""
    return cast(Record, {**record, "sha256": content_hash(record)})


def content_hash(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all fields but ``sha256`` (ValueError where one is no strict JSON)."""
    content = {name: value for name, value in record.items() if name != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def checked(content: Any) -> Record:
    """Return parsed JSON as a record, after all checks.

    Raises
    ------
    ValueError
        Explaining the fault: no record, content that does not match its hash, another schema, or
        a field that is missing or of another type.
    """
    if not isinstance(content, dict) or "sha256" not in content:
        raise ValueError("is no record")
    try:
        intact = content["sha256"] == content_hash(content)
    except ValueError:
        intact = False
    if not intact:
        raise ValueError("its content does not match its own hash")
    if content.get("schema") != SCHEMA:
        raise ValueError(f"has schema {content.get('schema')!r}, this version reads {SCHEMA}")
    try:
        _VALIDATOR.validate_python(content)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        raise ValueError(f"has no valid {place}: {fault['msg']}") from None
    return cast(Record, content)
