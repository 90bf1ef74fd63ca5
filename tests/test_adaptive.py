"""Seeds are added until nothing is undecided, up to a number, or until someone interrupts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.errors import Interrupted
from harness.running.adaptive import BLOCK, UNDECIDED, Look, add_seeds


class Study:
    """A study whose one claim is decided from so many seeds on; None: never."""

    def __init__(
        self, decided_at: int | None, codes: Sequence[int | type[BaseException]] = ()
    ) -> None:
        self.decided_at = decided_at
        self.codes = list(codes)
        self.trained: list[int] = []
        self.said: list[str] = []

    def train(self, count: int) -> int:
        self.trained.append(count)
        code = self.codes.pop(0) if self.codes else 0
        if not isinstance(code, int):
            raise code
        return code

    def look(self) -> Look:
        seeds = self.trained[-1]
        decided = self.decided_at is not None and seeds >= self.decided_at
        return Look(seeds, 1, [] if decided else ["gain"], [])

    def run(self, most: int) -> int:
        return add_seeds(self.train, self.look, self.said.append, most)


@pytest.mark.parametrize(
    ("decided_at", "looks"), [(1, 1), (BLOCK, 1), (BLOCK + 1, 2), (3 * BLOCK, 3)]
)
def test_no_seed_is_added_once_nothing_is_undecided(decided_at: int, looks: int) -> None:
    study = Study(decided_at)
    assert study.run(most=100) == 0
    assert study.trained == [BLOCK * (i + 1) for i in range(looks)]
    assert study.said[-1] == f"{BLOCK * looks} seeds: 1 of 1 claims decided"
    assert all(said.endswith("not yet gain") for said in study.said[:-1])


@pytest.mark.parametrize("most", [2, BLOCK, BLOCK + 1, 2 * BLOCK])
def test_it_stops_at_the_most_seeds_and_never_trains_more(most: int) -> None:
    study = Study(None)
    assert study.run(most) == UNDECIDED
    assert study.trained == [*range(BLOCK, most, BLOCK), most]
    assert len(study.said) == len(study.trained) + 1
    assert study.said[-1].startswith(f"UNDECIDED: gain after {most} seeds")


def test_cells_that_failed_count_more_than_a_claim_that_is_undecided() -> None:
    assert Study(None, codes=[1]).run(BLOCK) == 1


def test_claims_that_no_number_of_seeds_decides_add_none_and_are_named() -> None:
    study = Study(None)
    found = Look(BLOCK, 3, [], ["weak"])
    assert add_seeds(study.train, lambda: found, study.said.append, 100) == 0
    assert study.trained == [BLOCK]
    assert study.said == [
        f"{BLOCK} seeds: 2 of 3 claims decided; no number of seeds decides weak "
        "(margin not smaller than the claim)"
    ]


@pytest.mark.parametrize("end", [Interrupted, KeyboardInterrupt])
def test_an_interruption_ends_it_without_another_look(end: type[BaseException]) -> None:
    study = Study(None, codes=[0, end])
    with pytest.raises(end):
        study.run(most=100)
    assert study.trained == [BLOCK, 2 * BLOCK]
    assert len(study.said) == 1


def test_cells_that_failed_on_the_way_are_not_forgotten() -> None:
    assert Study(3 * BLOCK, codes=[0, 1, 0]).run(most=100) == 1
