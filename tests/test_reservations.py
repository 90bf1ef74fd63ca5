"""Drivers that share a directory: one driver a cell; the cells of the dead are taken over."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from commands import HERE

from harness.keeping import reservations
from harness.keeping.reservations import Reservations


def driver(root: Path, dead_after: float = 60.0) -> Reservations:
    made = Reservations(root, dead_after)
    made.begin()
    return made


def test_a_cell_is_reserved_by_one_driver_until_it_is_given_back(tmp_path: Path) -> None:
    one, other = driver(tmp_path), driver(tmp_path)
    assert one.take("cell")
    assert one.take("cell"), "its own"
    assert not other.take("cell")
    assert not other.free("cell")
    one.release(["cell"])
    assert other.free("cell")
    assert other.take("cell")
    assert not one.take("cell")
    one.end()
    other.end()
    assert list(tmp_path.iterdir()) == [], "nothing is left"


def test_of_many_drivers_at_once_exactly_one_gets_each_cell(tmp_path: Path) -> None:
    drivers = [driver(tmp_path) for _ in range(8)]
    taken: list[list[str]] = [[] for _ in drivers]
    start = threading.Barrier(len(drivers))

    def take(number: int) -> None:
        start.wait()
        taken[number] = [str(cell) for cell in range(50) if drivers[number].take(str(cell))]

    threads = [threading.Thread(target=take, args=[number]) for number in range(len(drivers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = [cell for cells in taken for cell in cells]
    assert sorted(every) == sorted(str(cell) for cell in range(50))
    for one in drivers:
        one.end()


DYING = """
import os, sys
from pathlib import Path
from harness.keeping.reservations import Reservations
dying = Reservations(Path(sys.argv[1]))
dying.begin()
assert dying.take("cell") and dying.take("recorded")
os._exit(1)
"""


def killed(root: Path) -> None:
    """A driver that had reserved two cells and was killed."""
    subprocess.run([sys.executable, "-c", DYING, str(root)], cwd=HERE, check=False)


def test_cells_of_a_process_that_is_gone_from_this_machine_are_free_at_once(tmp_path: Path) -> None:
    killed(tmp_path)
    first, second = driver(tmp_path), driver(tmp_path)
    assert first.free("cell")
    assert first.take("cell")
    assert not second.free("cell")
    assert not second.take("cell")
    first.end()
    assert [path.name for path in tmp_path.glob("reserved/*")] == ["recorded.1"]
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "recorded.json").touch()
    driver(tmp_path).end()
    second.end()
    driver(tmp_path).end()
    assert [path.name for path in tmp_path.iterdir()] == ["records"], "swept"


def test_a_driver_elsewhere_is_gone_when_its_beat_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the watch of whoever looks: the clocks of machines are not compared."""
    killed(tmp_path)
    (path,) = tmp_path.glob("drivers/*.json")
    elsewhere = json.loads(path.read_text())
    elsewhere["identity"]["machine"] = "another one"

    def beat(number: int) -> None:
        path.write_text(json.dumps(elsewhere | {"beat": number}))

    now = 1000.0
    monkeypatch.setattr(reservations, "monotonic", lambda: now)
    beat(1)
    here = driver(tmp_path)
    assert not here.free("cell"), "seen for the first time"
    now += 59
    assert not here.free("cell")
    beat(2)
    now += 59
    assert not here.free("cell"), "it has beaten since"
    now += 61
    assert here.free("cell")
    assert here.take("cell")
    here.end()


def test_where_nothing_can_be_written_cells_are_trained_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    here = driver(tmp_path / "file")
    assert here.take("cell")
    here.end()
