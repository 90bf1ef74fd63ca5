"""Which driver trains which cell, where several share a results directory.

    drivers/TOKEN.json      one driver: who it is, and a beat that it counts up every few seconds
    reserved/KEY.N          the N-th reservation of a cell, with the token of the driver that has it

A reservation is linked to its name, which succeeds for one driver only, on NFS too. It is gone when
the cell is on record. A driver whose beat stands still, or whose process is gone from this machine,
has lost its reservations: another one makes the N+1-th, and the highest counts. What the stale
driver still brings then meets a record (``Store.write``): it agrees bit for bit, or is a conflict.

No clock is compared with another one, and no listing of a folder decides whether a cell is done.
"""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from harness.keeping.processes import machine, started

BEAT_S = 5.0
"""How often a driver counts up."""
DEAD_S = 60.0
"""So long a driver's beat stands still, by the watch of whoever looks, until it counts as gone."""
MOST_GENERATIONS = 1000


@dataclass
class _Seen:
    beat: Any
    since: float


@dataclass
class Reservations:
    """The reservations in one results directory, as one driver makes and reads them.

    Where the directory cannot be written, every cell counts as reserved by this driver: its records
    will say what is wrong.

    Parameters
    ----------
    root : the results directory.
    dead_after : seconds; see ``DEAD_S``.
    """

    root: Path
    dead_after: float = DEAD_S
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self._mine: dict[str, Path] = {}
        self._seen: dict[str, _Seen] = {}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._beat = 0

    def begin(self) -> None:
        """Begin to beat, and remove what was left by drivers that were killed."""
        self._sweep()
        self._write_beat()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Give back what is reserved, and leave."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self.release(list(self._mine))
        with suppress(OSError):
            self._driver(self.token).unlink()
        for folder in ("drivers", "reserved"):
            with suppress(OSError):  # others are there still
                (self.root / folder).rmdir()

    def take(self, key: str) -> bool:
        """Reserve a cell; returns whether this driver has it now."""
        if key in self._mine:
            return True
        generation, holder = self._newest(key)
        if holder is not None and not self._gone(holder):
            return False
        path = self.root / "reserved" / f"{key}.{generation + 1}"
        try:
            path.parent.mkdir(exist_ok=True)
            if not self._link(path):
                return False
        except OSError:
            return True
        self._mine[key] = path
        return True

    def release(self, keys: Iterable[str]) -> None:
        """Give back cells, because they are on record or this driver will not train them."""
        for key in keys:
            path = self._mine.pop(key, None)
            if path is not None:
                _remove(path)

    def free(self, key: str) -> bool:
        """Tell whether nobody has this cell: it was given back, or its driver is gone."""
        _, holder = self._newest(key)
        return holder is None or self._gone(holder)

    def _link(self, path: Path) -> bool:
        temporary = path.with_name(f".{path.name}.{self.token}.tmp")
        try:
            temporary.write_text(self.token, encoding="ascii")
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
            except OSError:  # a file system without hard links: an exclusive creation is next best
                try:
                    with path.open("x", encoding="ascii") as file:
                        file.write(self.token)
                except FileExistsError:
                    return False
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def _newest(self, key: str) -> tuple[int, str | None]:
        """Return the number and the holder of a cell's newest reservation; (0, None) for none."""
        newest: tuple[int, str | None] = (0, None)
        for number in range(1, MOST_GENERATIONS):
            try:
                path = self.root / "reserved" / f"{key}.{number}"
                newest = number, path.read_text(encoding="ascii")
            except (OSError, ValueError):
                break
        return newest

    def _gone(self, token: str) -> bool:
        """Tell whether a driver is gone."""
        if token == self.token:
            return False
        try:
            driver = json.loads(self._driver(token).read_text(encoding="utf-8"))
            beat, identity = driver["beat"], driver["identity"]
        except (OSError, ValueError, KeyError, TypeError):
            beat, identity = None, None  # it has left, or writes just now
        if identity is not None and None is not machine() == identity["machine"]:
            return bool(started(int(identity["process"])) != identity["started"])
        now = monotonic()
        seen = self._seen.setdefault(token, _Seen(beat, now))
        if seen.beat != beat:
            self._seen[token] = _Seen(beat, now)
            return False
        return now - seen.since > self.dead_after

    def _sweep(self) -> None:
        """Remove reservations of recorded cells, and drivers that are gone and hold nothing."""
        holders = set()
        for path in sorted(self.root.glob("reserved/*.*"), reverse=True):
            with suppress(OSError, ValueError):
                if _is_older(path, self.root / "records" / f"{path.stem}.json"):
                    _remove(path)
                else:
                    holders.add(path.read_text(encoding="ascii"))
        for path in self.root.glob("drivers/*.json"):
            if path.stem not in holders and self._gone(path.stem):
                path.unlink(missing_ok=True)

    def _driver(self, token: str) -> Path:
        return self.root / "drivers" / f"{token}.json"

    def _write_beat(self) -> None:
        self._beat += 1
        path = self._driver(self.token)
        temporary = path.with_suffix(".tmp")
        content = {"beat": self._beat, "identity": _identity()}
        with suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            temporary.write_text(json.dumps(content), encoding="utf-8")
            temporary.replace(path)

    def _go_on(self) -> None:
        while not self._ended.wait(BEAT_S):
            self._write_beat()


def _is_older(path: Path, record: Path) -> bool:
    """Tell whether a reservation was made before the record; after it a failed cell is retried."""
    return record.is_file() and path.stat().st_mtime_ns <= record.stat().st_mtime_ns


def _remove(path: Path) -> None:
    """Remove a reservation and the earlier ones, of drivers that were gone; the newest first."""
    for number in range(int(path.suffix[1:]), 0, -1):
        with suppress(OSError):
            path.with_suffix(f".{number}").unlink()


def _identity() -> dict[str, Any]:
    return {"machine": machine(), "process": os.getpid(), "started": started(os.getpid())}
