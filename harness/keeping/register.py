"""The register of claims: what each one said, and which cells were on record when it said so.

``claims.jsonl`` has one line for each version of each claim, family and curve of the directory's
study, the first one first, and is only added to. A run writes and syncs it before ``study.json``,
and so before its first cell starts. A line has

    entered      when it was written (ISO 8601, UTC)
    what, id     "claim", "family" or "curve", and which
    fingerprint  hash of all that decides its verdict; wording has no part in it
    said         the claim itself; null where the study has it no longer
    cells        by condition that it is about, how many cells were on record just then
    how          "entered"; "found" where it stood in a ``study.json`` with cells from a time
                 without register; "lost" where there had been a register that is gone
    origin       in a line from another directory (merge, or a run of it into a new one): which
    sha256       hash of all of this

The hash finds damage. Whoever wants to forge a line can hash it again, which no file can prevent;
``harness.keeping.standing`` compares the times with those of the records.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError

from harness.errors import InputError
from harness.keeping.durable import sync_folder
from harness.studies.claims import Claim, Curve
from harness.studies.condition import digest
from harness.studies.statements import AnyClaim, Family, Statement
from harness.studies.study import Study

REGISTER = "claims.jsonl"
ENTERED, FOUND, LOST = "entered", "found", "lost"
WORDING = frozenset({"text", "source"})
"""Fields that say a claim in words and where it stands, and decide no verdict."""
DEMANDS = frozenset({"require"})
"""Fields that say what a caller asks of a verdict; they are no part of the claim."""

Said = Claim | Statement | Family | Curve
Place = tuple[str, str]
"""What it is ("claim", "family" or "curve"), and its id."""
_READERS: dict[str, TypeAdapter[Any]] = {
    "claim": TypeAdapter(AnyClaim),
    "family": TypeAdapter(Family),
    "curve": TypeAdapter(Curve),
}


@dataclass(frozen=True)
class Entry:
    """One line of a register; see this module for its fields."""

    entered: str
    what: str
    id: str
    fingerprint: str | None
    said: Mapping[str, Any] | None
    cells: Mapping[str, int]
    how: str = ENTERED
    origin: str | None = None

    @property
    def place(self) -> Place:
        """What it is, and its id."""
        return self.what, self.id

    @property
    def version(self) -> Said | None:
        """The claim itself; None where it was taken out, or this program cannot read it."""
        if self.said is None:
            return None
        try:
            one: Said = _READERS[self.what].validate_python(self.said)
        except ValidationError:
            return None
        return one

    @property
    def fingerprint_now(self) -> str | None:
        """Its fingerprint with the fields that claims have had since, at their defaults."""
        version = self.version
        return self.fingerprint if version is None else fingerprint(said_of(version))


def said_of(one: Said) -> dict[str, Any]:
    """Return what a claim says, ready for JSON."""
    return one.model_dump(mode="json", exclude_none=True, exclude=set(DEMANDS))


def fingerprint(said: Mapping[str, Any]) -> str:
    """Return the hash of all that decides a claim's verdict."""
    return digest({name: value for name, value in said.items() if name not in WORDING})


def claims_of(study: Study) -> dict[Place, Said]:
    """Return the claims, families and curves of a study."""
    claims: dict[Place, Said] = {("claim", claim.id): claim for claim in study.claims}
    families = {("family", family.id): family for family in study.families or ()}
    return claims | families | {("curve", curve.id): curve for curve in study.curves}


def conditions_of(one: Said, study: Study) -> tuple[str, ...]:
    """Return the names of the conditions that a claim is about, as the study says them."""
    if isinstance(one, Claim):
        return one.treatment, one.baseline
    if isinstance(one, Statement):
        return one.conditions
    if isinstance(one, Family):
        members = [claim for claim in study.claims if claim.id in one.claims]
        names = [name for claim in members for name in conditions_of(claim, study)]
        return tuple(dict.fromkeys(names))
    return tuple(
        name
        for name, condition in study.conditions.items()
        for levels in (one.treatment, one.baseline)
        if levels.items() <= condition.levels.items()
    )


def read_register(directory: Path) -> list[Entry]:
    """Return the lines of a directory's register; none where it has no register.

    The end of a line that a killed process left is passed over: nothing was trained under it.

    Raises
    ------
    InputError
        Naming the file and the line where one is damaged, or the file cannot be read.
    """
    path = directory / REGISTER
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror or error}); make it readable"
        ) from None
    lines = content.split(b"\n")[:-1]
    return [_entry(line, number, path) for number, line in enumerate(lines, start=1)]


def append(root: Path, entries: Sequence[Entry]) -> None:
    """Add lines to the register, synced, after the last whole one.

    Raises
    ------
    InputError
        Where it cannot be written.
    """
    if not entries:
        return
    path = root / REGISTER
    text = "".join(f"{_line(entry)}\n" for entry in entries).encode()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            with suppress(OSError):  # not every file system locks; then lines of two may mix
                fcntl.flock(file, fcntl.LOCK_EX)
            end = _end_of_lines(file)
            if end < file.seek(0, os.SEEK_END):
                file.truncate(end)
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    os.truncate(path, end)
                raise
        sync_folder(root)
    except OSError as error:
        raise InputError(
            f"cannot write {path} ({error.strerror or error}), which says what the claims are "
            "before the first cell is trained; make room, or choose another --out"
        ) from None


def _end_of_lines(file: BinaryIO) -> int:
    file.seek(0)
    return file.read().rfind(b"\n") + 1


def _line(entry: Entry) -> str:
    fields = {name: value for name, value in asdict(entry).items() if name != "origin" or value}
    return json.dumps(fields | {"sha256": digest(fields)}, allow_nan=False)


def _entry(line: bytes, number: int, path: Path) -> Entry:
    try:
        fields = json.loads(line)
        if fields.pop("sha256") != digest(fields):
            raise ValueError("its hash does not match what it says")
        entry = Entry(**fields)
        datetime.fromisoformat(entry.entered)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = str(error) if "hash" in str(error) else "it is no entry"
        raise InputError(
            f"{path}, line {number} is damaged ({what}): bring the file back from a copy, or move "
            "it away; what it knows of the claims before their data is then gone, and reports say "
            "so"
        ) from None
    return entry
