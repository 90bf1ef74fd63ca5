"""Cells that were trained in two numerics classes: by how much the machines matter."""

from __future__ import annotations

from typing import Any

import pytest
from reported import RECORDS, STUDY

from reports.findings.analysis import analyse
from reports.findings.bridges import bridges
from reports.output.document import verdict_document
from reports.sections.trust import how_run

HERE = [r | {"provenance": r["provenance"] | {"numerics": "x"}} for r in RECORDS]


def there(shift: float, numerics: str = "y") -> list[Any]:
    """The same cells elsewhere, each accuracy of the last row shifted by so many points."""
    moved = []
    for record in HERE:
        last = [None if a is None else a + shift / 100 for a in record["accuracy"][-1]]
        rows = [*record["accuracy"][:-1], last]
        provenance = record["provenance"] | {"numerics": numerics}
        moved.append(record | {"accuracy": rows, "provenance": provenance})
    return moved


def test_the_same_bits_are_counted_and_equivalent() -> None:
    (first, *_) = bridges(HERE, there(0.0), list(STUDY.conditions))
    assert (first.numerics, first.other) == ("x", "y")
    assert first.same == first.n > 1
    assert first.difference == 0.0
    assert first.equivalent is True


@pytest.mark.parametrize(("shift", "equivalent"), [(0.1, True), (-2.0, False)])
def test_a_shift_is_found_in_points_with_its_sign(shift: float, equivalent: bool) -> None:
    for bridge in bridges(HERE, there(shift), list(STUDY.conditions), negligible=0.3):
        assert bridge.difference == pytest.approx(shift)
        if bridge.ci90 is not None and bridge.ci90.high < 100:  # equal shifts have no spread
            assert bridge.equivalent is equivalent


def test_cells_of_the_same_class_or_of_one_side_only_are_no_bridge() -> None:
    assert bridges(HERE, there(1.0, numerics="x"), list(STUDY.conditions)) == ()
    assert bridges(HERE[:1], there(1.0)[1:], list(STUDY.conditions)) == ()


def test_a_report_shows_it_only_where_there_is_something_to_show() -> None:
    plain, crossed = analyse(HERE, STUDY), analyse(HERE, STUDY, elsewhere=there(0.0))
    assert "bridges" not in verdict_document(plain)
    assert verdict_document(crossed)["bridges"][0]["equivalent"] is True
    captions = [table.caption for table in how_run(crossed, STUDY).tables]
    assert "The same cells on machines that round differently" in captions
    assert len(captions) == len(how_run(plain, STUDY).tables) + 1
