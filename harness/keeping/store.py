"""The store: one immutable record for each cell, and no computed result is lost.

A results directory holds

    study.json          the resolved study, its fingerprint and the time of its first run
    records/KEY.json    one finished cell each, named by its key, with a hash of its content
    index.npz           which records were found intact; disposable, see harness.keeping.index
    records.jsonl.xz    instead of records/, where results are shipped: all of them
    damaged/            damaged records, which a run moves here
    conflicts/          second results of a cell that differ from its record

A record is written to a temporary file in the same folder, synced and linked to its name. So a
record is never incomplete, and two drivers on one directory cannot overwrite each other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.errors import InputError
from harness.keeping.asking import Asked, asked_of
from harness.keeping.durable import replace, sync_folder, temporary_of, write_synced
from harness.keeping.earlier import with_what_names_meant, with_words
from harness.keeping.packed import is_packed, unpacked
from harness.keeping.records import (
    RESULTS,
    UNFINISHED,
    Record,
    Sharing,
    checked,
    no_collection,
)
from harness.studies.study import Study
from harness.studies.study_files import read_text, validate_study


@dataclass(frozen=True)
class Damaged:
    """A file in ``records/`` that cannot be trusted as a record, and the reason."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Conflict:
    """A cell with two different results; ``path`` holds the second result."""

    key: str
    path: Path
    differs: tuple[str, ...]


class Store:
    """The records below one results directory.

    Parameters
    ----------
    root : the directory; the first write creates it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.records = root / "records"

    def path(self, key: str) -> Path:
        """Return the path of the record of a cell, whether it exists or not."""
        return self.records / f"{key}.json"

    def __contains__(self, key: str) -> bool:
        # By opening it: on a network file system only that asks the server.
        try:
            with self.path(key).open("rb"):
                return True
        except OSError:
            return False

    def has_other_than(self, key: str, sha256: str | None) -> bool:
        """Tell whether a cell has a record, and not the one with this hash of its content."""
        if key not in self:
            return False
        if sha256 is None:
            return True
        present = self.read(self.path(key))
        return isinstance(present, Damaged) or present.get("sha256") != sha256

    def read(self, path: Path) -> Record | Damaged:
        """Read a record and check it against its hash and its file name."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            return Damaged(path, f"cannot be read as JSON ({error})")
        try:
            record = checked(content)
        except ValueError as error:
            return Damaged(path, str(error))
        if record["key"] != path.stem:
            return Damaged(path, f"is the record of cell {record['key']!r}")
        return record

    def read_all(self) -> tuple[list[Record], list[Damaged]]:
        """Return all intact records, ordered by key, and the damaged files."""
        records: list[Record] = []
        damaged: list[Damaged] = []
        share = Sharing()
        with no_collection():
            for entry in self.files():
                match self.read(self.records / entry.name):
                    case Damaged() as damaged_file:
                        damaged.append(damaged_file)
                    case record:
                        records.append(share(record))
        more, faulty = self.packed(share)
        return records + more, damaged + faulty

    def packed(self, share: Sharing) -> tuple[list[Record], list[Damaged]]:
        """Return the intact records that are packed into one file, and what is damaged in it.

        Nothing where there is no such file.
        """
        if not is_packed(self.root):
            return [], []
        found = list(unpacked(self.root))
        records = [share(one) for one in found if not isinstance(one, tuple)]
        return records, [Damaged(*one) for one in found if isinstance(one, tuple)]

    def files(self) -> list[os.DirEntry[str]]:
        """Return the files that are named as records are, in the order of their keys.

        Raises
        ------
        InputError
            Where the folder of records cannot be listed.
        """
        try:
            with os.scandir(self.records) as entries:
                named = [entry for entry in entries if entry.name.endswith(".json")]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise InputError(
                f"{self.records} cannot be listed ({error.strerror or error}); make it readable, "
                "or choose another directory"
            ) from None
        return sorted(named, key=lambda entry: entry.name)

    def set_aside(self, damaged: Damaged) -> Path:
        """Move a damaged record to ``damaged/``, so that its cell can be run again.

        Raises
        ------
        OSError
            Where the directory cannot be written.
        """
        folder = self.root / "damaged"
        folder.mkdir(exist_ok=True)
        target = next(path for path in _numbered(folder / damaged.path.name) if not path.exists())
        damaged.path.rename(target)
        return target

    def write(self, record: Record) -> Conflict | None:
        """Store a sealed record.

        If the cell has a record already, that record stays, unless it says that the cell failed.
        If its results differ, the new record goes to ``conflicts/``, and the Conflict is returned.

        Raises
        ------
        OSError
            Where the record cannot be written; the store is then unchanged.
        """
        if self._create(self.path(record["key"]), record):
            return None
        present = self.read(self.path(record["key"]))
        if isinstance(present, Damaged):
            self.set_aside(present)
            return self.write(record)
        if present["status"] in UNFINISHED:
            replace(self.path(record["key"]), record)
            return None
        if record["status"] in UNFINISHED:
            return None
        differing = tuple(name for name in RESULTS if present.get(name) != record.get(name))
        if not differing:
            return None
        path = self.root / "conflicts" / f"{record['key']}-{record['sha256'][:12]}.json"
        self._create(path, record)
        return Conflict(record["key"], path, differing)

    def _create(self, path: Path, content: Mapping[str, Any]) -> bool:
        """Write a new file completely or not at all; return False if it exists already."""
        try:
            return self._create_once(path, content)
        except FileNotFoundError:  # somebody removes the directory just now
            return self._create_once(path, content)

    def _create_once(self, path: Path, content: Mapping[str, Any]) -> bool:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_of(path)
        try:
            write_synced(temporary, content)
            try:
                os.link(temporary, path)  # a link never replaces a file; a rename does
            except FileExistsError:
                return False
            except OSError:  # a file system without hard links
                if path.exists():
                    return False
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
        return True

    def refuse_other_study(self, study: Study) -> None:
        """Raise InputError where the directory belongs to a study of another name, or is packed."""
        if not (self.root / "study.json").exists():
            return
        if is_packed(self.root):
            raise InputError(
                f"{self.root} holds packed results, and nothing is added to these; unpack them: "
                f"python run_all.py merge {self.root} --out results/{self.root.name}"
            )
        name = self._study_file()["study"]["name"]
        if name != study.name:
            raise InputError(
                f"{self.root} holds results of the study '{name}', not of '{study.name}'; choose "
                "another --out"
            )

    def open_for(
        self, study: Study, *, adaptive_seeds: int | None = None, asked: Asked | None = None
    ) -> None:
        """Record the study that the directory belongs to.

        Parameters
        ----------
        adaptive_seeds : the number n of seeds, 0 to n - 1, of a run that adds seeds until the
            claims are decided. The directory then stays adaptive: after a look at the results,
            statistics for a number of seeds chosen beforehand are no longer valid.
        asked : the run that was asked for; None leaves what the directory says.

        Raises
        ------
        InputError
            Where the directory belongs to another study, or cannot be written.
        """
        self.refuse_other_study(study)
        path = self.root / "study.json"
        first_run = datetime.now(UTC).isoformat(timespec="seconds")
        present = self._study_file() if path.exists() else {}
        if present:
            first_run = present.get("first_run", first_run)
            adaptive_seeds = max(
                (count for count in (self.adaptive_seeds(), adaptive_seeds) if count), default=None
            )
            asked = asked or self.asked()
        # The register of claims is written before this file.
        register = (self.root / "claims.jsonl").exists() or present.get("register") is True
        content = {
            "fingerprint": study.fingerprint(),
            "first_run": first_run,
            "adaptive_seeds": adaptive_seeds,
            **({} if asked is None else {"asked": asked}),
            **({"register": True} if register else {}),
            "study": study.model_dump(mode="json", exclude_none=True),
        }
        if content == present:
            return
        try:
            self.records.mkdir(parents=True, exist_ok=True)
            replace(path, content)
        except OSError as error:
            raise InputError(
                f"cannot write to {self.root}: {error.strerror or error}; choose another --out"
            ) from None

    def study(self) -> Study:
        """Return the study that the directory belongs to (InputError if there is none)."""
        path = self.root / "study.json"
        said = with_what_names_meant(self._study_file()["study"])
        return with_words(validate_study(said, str(path)))

    def study_so_far(self) -> Study | None:
        """Return the study that the directory belongs to; None if it cannot be read."""
        try:
            return self.study()
        except InputError:
            return None

    def adaptive_seeds(self) -> int | None:
        """Return the number of seeds of an adaptive run; None if the directory is not adaptive."""
        count = self._study_file().get("adaptive_seeds")
        return count if isinstance(count, int) else None

    def had_register(self) -> bool:
        """Tell whether the directory ever had a register of claims."""
        return (self.root / "study.json").exists() and bool(self._study_file().get("register"))

    def asked(self) -> Asked | None:
        """Return the run that was last asked for; None if the directory does not say."""
        return asked_of(self._study_file().get("asked"))

    def _study_file(self) -> dict[str, Any]:
        path = self.root / "study.json"
        if not path.is_file():
            raise InputError(
                f"{self.root} holds no results (no study.json); name the directory that a run "
                "wrote to, by default results/STUDY"
            )
        try:
            content = json.loads(read_text(path))
            content["study"]["name"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"{path} is damaged ({error}); delete it and run the study again: finished cells "
                "are kept"
            ) from None
        return dict(content)


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    for number in range(1, 1_000_000):
        yield path.with_name(f"{path.name}.{number}")
