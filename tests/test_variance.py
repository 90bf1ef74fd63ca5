"""The decomposition against numbers worked out by hand, plain loops, statsmodels and simulation.

Simulations have fixed seeds. Each check allows five Monte-Carlo standard errors.
"""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM

from reports.findings.variance import (
    decompose,
    mean_squares,
    seeds_for,
    tables,
    with_differences,
)
from reports.numbers.intervals import Floats
from reports.output.encoding import as_json
from reports.sections.variance import section

TRUTH = {"initialisation": 0.6, "order": 0.2, "residual": 0.1}


def drawn(rng: np.random.Generator, rows: int = 8, columns: int = 8) -> Floats:
    first, second, rest = (math.sqrt(value) for value in TRUTH.values())
    return np.asarray(
        95
        + first * rng.normal(size=(rows, 1))
        + second * rng.normal(size=(1, columns))
        + rest * rng.normal(size=(rows, columns)),
        dtype=np.float64,
    )


def test_components_by_hand() -> None:
    # Means of rows 2, 5; of columns 2, 5; grand 3.5; residuals +-0.5, so that the mean squares are
    # 2 * 4.5 = 9, 9 and 1: components (9 - 1) / 2 = 4, 4 and 1.
    found = decompose([[1, 3], [3, 7]])
    assert found is not None
    assert [part.unclipped for part in found.parts.values()] == pytest.approx([4, 4, 1])
    assert [part.share for part in found.parts.values()] == pytest.approx([4 / 9, 4 / 9, 1 / 9])
    assert (found.mean, found.total) == pytest.approx((3.5, 9))


def test_mean_squares_agree_with_plain_loops() -> None:
    table = drawn(np.random.default_rng(1), 5, 7)
    squares = [0.0, 0.0, 0.0]
    for i in range(5):
        for j in range(7):
            row, column, grand = table[i].mean(), table[:, j].mean(), table.mean()
            squares[0] += (row - grand) ** 2 / 4
            squares[1] += (column - grand) ** 2 / 6
            squares[2] += (table[i, j] - row - column + grand) ** 2 / 24
    assert mean_squares(table)[0] == pytest.approx(squares)


def test_components_agree_with_restricted_likelihood() -> None:
    """In balanced tables REML and the method of moments are the same where none is clipped."""
    table = drawn(np.random.default_rng(3), 6, 7)
    cells = [(v, i, j) for (i, j), v in np.ndenumerate(table)]
    frame = pd.DataFrame(cells, columns=["value", "row", "column"])
    parts = {"row": "0 + C(row)", "column": "0 + C(column)"}
    model = MixedLM.from_formula("value ~ 1", frame, groups=np.ones(42), vc_formula=parts)
    fitted = model.fit(reml=True)
    theirs = dict(zip(model.exog_vc.names, fitted.vcomp, strict=True))
    found = decompose(table)
    assert found is not None
    ours = {name: part.variance for name, part in found.parts.items()}
    assert ours["initialisation"] == pytest.approx(theirs["row"], rel=0.01)
    assert ours["order"] == pytest.approx(theirs["column"], rel=0.01)
    assert ours["residual"] == pytest.approx(fitted.scale, rel=0.01)


def test_unclipped_components_are_unbiased_and_intervals_cover() -> None:
    """Generalised intervals cover about 95%; 500 tables tell it to a standard error of 0.010."""
    rng, trials = np.random.default_rng(4), 500
    found = [decompose(drawn(rng), draws=1000) for _ in range(trials)]
    whole = sum(TRUTH.values())
    for name, truth in TRUTH.items():
        parts = [one.parts[name] for one in found if one is not None]
        values = np.array([part.unclipped for part in parts])
        error = float(values.std(ddof=1)) / math.sqrt(trials)
        assert abs(float(values.mean()) - truth) <= 5 * error
        covered = np.mean([part.ci95.low <= truth <= part.ci95.high for part in parts])
        assert 0.90 <= covered <= 0.995
        shares = [part.share_ci95 for part in parts if part.share_ci95 is not None]
        assert 0.90 <= np.mean([one.low <= truth / whole <= one.high for one in shares]) <= 0.995
    totals = [one.total_ci95 for one in found if one is not None]
    assert 0.90 <= np.mean([one.low <= whole <= one.high for one in totals]) <= 0.995


def test_a_negative_estimate_is_clipped_and_told() -> None:
    found = decompose([[0, 1], [1, 0]])
    assert found is not None
    assert found.parts["order"].unclipped == pytest.approx(-0.5)
    assert found.parts["order"].variance == 0
    assert found.parts["residual"].share == 1


@pytest.mark.parametrize("table", [[[1.0, 2.0]], [[1.0], [2.0]], [[1.0, math.nan], [2.0, 3.0]]])
def test_nothing_is_told_of_one_level_or_missing_cells(table: list[list[float]]) -> None:
    assert decompose(table) is None
    shown = section({"finetune": None})
    assert "No decomposition of finetune" in shown.paragraphs[-1]
    assert not shown.drawings


def test_equal_cells_have_no_shares() -> None:
    found = decompose(np.full((3, 4), 97.3))
    assert found is not None
    assert found.total == 0
    assert all(part.share is None for part in found.parts.values())
    assert found.seeds == {0.5: 2, 0.25: 2}
    assert section({"same": found}).drawings


def test_seeds_for_a_half_width_is_the_smallest_number() -> None:
    for half, variance in ((0.5, 0.6), (0.25, 0.6), (0.25, 4.0)):
        n = seeds_for(half, variance)
        assert n is not None

        def width(count: int, variance: float = variance) -> float:
            return float(stats.t.ppf(0.975, count - 1)) * math.sqrt(variance / count)

        assert width(n) <= half < width(n - 1)
    assert seeds_for(0.001, 100.0) is None
    with pytest.raises(ValueError, match="no number of seeds"):
        seeds_for(0.0, 1.0)


def test_tables_by_method_differences_and_json() -> None:
    levels = {
        f"{method} {order}": {"method": method, "order": order}
        for method in ("finetune", "dhp")
        for order in ("0", "1", "2")
    }
    rng = np.random.default_rng(6)
    finals = {name: {s: float(rng.normal(95, 1)) for s in (3, 1)} for name in levels}
    found = with_differences(tables(finals, levels))
    assert list(found) == ["finetune", "dhp", "dhp minus finetune"]
    assert found["dhp"][1, 2] == finals["dhp 2"][3]
    assert np.allclose(found["dhp minus finetune"], found["dhp"] - found["finetune"])
    del finals["dhp 1"][3]
    told = {
        name: decompose(table) for name, table in with_differences(tables(finals, levels)).items()
    }
    assert told["finetune"] is not None
    assert told["dhp"] is None
    assert json.loads(json.dumps(as_json(told), allow_nan=False))["dhp"] is None
    shown = section(told)
    for table in shown.tables:
        assert all(len(row) == len(table.header) for row in table.rows)
    plt.close("all")
