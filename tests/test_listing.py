"""The table of studies, and what is said to somebody who misspells a name."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from harness.errors import InputError
from harness.screen.listing import ORDER, shipped_facts, shipped_table
from harness.studies.study_files import load_study, shipped_studies


def shown() -> list[list[str]]:
    """Return the rows of the table, as a wide screen shows them."""
    out = io.StringIO()
    Console(file=out, width=220).print(shipped_table())
    lines = [line for line in out.getvalue().splitlines() if line.startswith("\u2502")]
    return [[cell.strip() for cell in line.strip("\u2502").split("\u2502")] for line in lines]


def test_the_default_study_is_first_and_all_are_there() -> None:
    rows = shown()
    assert rows[0][:4] == ["dhp-split-mnist *", "10", "10", "100"]
    names = [row[0].removesuffix(" *") for row in rows]
    assert names[: len(ORDER)] == list(ORDER)
    assert set(names) == shipped_studies().keys()
    assert [study["name"] for study in shipped_facts()] == names


def test_the_rough_time_is_of_the_size_that_was_measured() -> None:
    """100 cells of the published protocol took 19 to 38 seconds each, those of the digits 1."""
    times = {row[0]: row[4] for row in shown()}
    assert times["dhp-split-mnist *"] == "about 39 minutes"
    assert times["dhp-split-digits"] == "about 2 minutes"
    assert times["smoke"] == "seconds"


@pytest.mark.parametrize(
    ("typed", "meant"), [("smok", "smoke"), ("dhp-split-minst", "dhp-split-mnist"), ("xyz", None)]
)
def test_a_misspelt_study_is_answered_with_the_nearest(typed: str, meant: str | None) -> None:
    with pytest.raises(InputError) as caught:
        load_study(typed)
    said = f"no study '{typed}' (did you mean '{meant}'?)" if meant else f"no study '{typed}':"
    assert said in str(caught.value)


def test_a_misspelt_condition_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no condition 'finetun' \(did you mean 'finetune'\?\)"):
        load_study("smoke").choose(["finetun"], None)
