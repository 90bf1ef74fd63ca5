"""Which code made which cells: told where it was not one known state."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from reported import RECORDS, STUDY, Page, write
from rich.console import Console

from reports.findings.analysis import analyse
from reports.findings.notices import notices
from reports.findings.origins import code_notice, code_states, seed_ranges
from reports.output.document import verdict_document
from reports.output.terminal import show

Records = list[Any]
ONE, OTHER = "1" * 40, "2" * 40
CODE = {"version": "0.1.0", "git_commit": ONE, "git_clean": True}


def made_by(code: Callable[[dict[str, Any]], dict[str, Any]]) -> Records:
    return [r | {"provenance": r["provenance"] | {"code": code(r)}} for r in RECORDS]


def notice(records: Records) -> str | None:
    return code_notice(code_states(records, STUDY.conditions))


MIXED = made_by(lambda r: CODE | ({"git_commit": OTHER} if r["seed"] > 1 else {}))
DIRTY = made_by(lambda r: CODE | {"git_clean": False})


def test_one_clean_state_needs_no_word() -> None:
    for code in (CODE, {"version": "0.1.0", "git_commit": None, "git_clean": None}, {}):
        assert notice(made_by(lambda r, code=code: dict(code))) is None  # type: ignore[misc]
    assert notice([r | {"provenance": {}} for r in RECORDS]) is None
    assert notice([]) is None
    assert "code_states" not in verdict_document(analyse(made_by(lambda r: CODE), STUDY))


def test_states_are_named_with_the_cells_that_they_made() -> None:
    assert notice(MIXED) == (
        "The records were made by 2 states of the code, so that cells may differ by it and not by "
        "what they compare: version 0.1.0 at commit 1111111111 (4 cells: a and b, seeds 0-1); "
        "version 0.1.0 at commit 2222222222 (3 cells: a, seeds 2-3; b, seed 2)."
    )
    assert notice(MIXED[::-1]) == notice(MIXED)


def test_uncommitted_changes_are_told_even_of_a_single_state() -> None:
    assert notice(DIRTY) == (
        "All records were made by version 0.1.0 at commit 1111111111, with uncommitted changes. "
        "What was changed and not committed is on no record."
    )
    half = made_by(lambda r: CODE | {"git_clean": r["condition"] == "a"})
    said = notice(half)
    assert said is not None
    assert "1111111111 (4 cells: a, seeds 0-3); version 0.1.0 at commit 1111111111, with " in said
    assert said.endswith("is on no record.")


def test_records_that_do_not_say_are_a_state_of_their_own() -> None:
    said = notice(made_by(lambda r: CODE if r["seed"] else {}))
    assert said is not None
    assert "code that no record names (2 cells: a and b, seed 0)" in said


def test_many_cells_are_shortened() -> None:
    names = [f"c{i}" for i in range(9)]
    code = [{"code": CODE | {"version": version}} for version in ("even", "odd")]
    records = [
        RECORDS[0] | {"condition": n, "seed": s, "provenance": code[s % 2]}
        for i, n in enumerate(names)
        for s in range(2 * i + 40)
    ]  # fmt: skip
    said = code_notice(code_states(records, names))
    assert said is not None
    assert "version even at commit 1111111111 (216 cells: c0, seeds 0, 2" in said
    assert "c0, seeds 0, 2, 4, 6, and 16 more; c1, seeds 0, 2, 4, 6, and 17 more; c2" in said
    assert "; and 6 more)" in said
    same = [r | {"seed": r["seed"] % 20} for r in records if r["seed"] < 20]
    said = code_notice(code_states(same, names))
    assert said is not None
    assert "c0, c1, c2, c3, and 5 more, seeds 0, 2, 4, 6, and 6 more" in said


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ((), ""),
        ((3,), "3"),
        ((0, 1, 2), "0-2"),
        ((0, 1, 4), "0-1 and 4"),
        ((1, 3, 5), "1, 3 and 5"),
    ],
)
def test_seeds_are_ranges(seeds: tuple[int, ...], said: str) -> None:
    assert seed_ranges(seeds) == said


@pytest.mark.parametrize("records", [MIXED, DIRTY], ids=["mixed", "dirty"])
def test_terminal_page_markdown_and_json_say_it(tmp_path: Path, records: Records) -> None:
    said = notice(records)
    assert said is not None
    analysis = analyse(records, STUDY)
    terminal = Console(file=io.StringIO(), width=1000)
    show(terminal, analysis, STUDY)
    assert said in terminal.file.getvalue().splitlines()  # type: ignore[attr-defined]
    page = write(records, STUDY, tmp_path / "report")
    assert said in Page(page).text
    assert said in (page.parent / "report.md").read_text()
    document = json.loads((page.parent / "verdict.json").read_text())
    states = document["code_states"]
    assert sum(state["cells"] for state in states) == len(records)
    assert states[0]["git_commit"] == ONE
    assert states[0]["seeds"]["a"] == ([0, 1] if records is MIXED else [0, 1, 2, 3])
    assert set(states[0]) == {"version", "git_commit", "git_clean", "seeds", "cells"}


def rounding(numerics: Callable[[dict[str, Any]], str | None]) -> Records:
    return [r | {"provenance": r["provenance"] | {"numerics": numerics(r)}} for r in RECORDS]


def test_seeds_whose_cells_round_differently_are_named_before_any_number() -> None:
    apart = rounding(lambda r: "x" if r["seed"] < 2 else "y")
    assert not any("round" in said for said in notices(apart)), "no pair is mixed"
    mixed = rounding(lambda r: "y" if r["condition"] == "b" and r["seed"] in (0, 2) else "x")
    (said,) = (said for said in notices(mixed) if "round" in said)
    assert said == (
        "The cells of seeds 0 and 2 come from machines that round differently (numerics x and y): "
        "within them a difference between conditions is also one between machines."
    )
    unknown = rounding(lambda r: None if r["condition"] == "b" else "x")
    assert not any("round" in said for said in notices(unknown))
