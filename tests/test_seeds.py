"""Everything that a report says is said of one set of seeds: the study's, and all on record."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reported import record, write
from rich.console import Console

from harness.studies.study import Study
from reports.findings.analysis import Analysis, analyse
from reports.findings.contrasts import seeds_of
from reports.output.document import verdict_document
from reports.output.terminal import show
from reports.output.verify import differences

ON, OFF = "p=on h=blog", "p=off h=linear"


def study(**fields: Any) -> Study:
    """Two seeds; a claim, a curve and two factors of two levels."""
    plain: dict[str, Any] = {
        "name": "hand",
        "seeds": 2,
        "factors": {
            "p": {"levels": {"off": {}, "on": {"plasticity": "on"}}},
            "h": {"levels": {"linear": {}, "blog": {"head_init": "blog"}}},
        },
        "claims": [
            {"id": "gain", "text": "t", "source": "s", "treatment": ON, "baseline": OFF,
             "reported": 4.0, "unit": "points", "margin": 1.0},
        ],
        "curves": [
            {"id": "curve", "text": "t", "treatment": {"p": "on"}, "baseline": {"p": "off"},
             "reported": 4.0, "margin": 1.0},
        ],
    }  # fmt: skip
    return Study.model_validate(plain | fields)


def records(own: Study, seeds: list[int]) -> list[Any]:
    draws = np.random.default_rng(3)
    return [
        record(name, seed % 9, 0.9 + float(draws.normal(0, 0.01)))
        | {"seed": seed, "key": f"{name} {seed}"}
        for name in own.conditions
        for seed in seeds
    ]


def seeds_said(analysis: Analysis) -> dict[str, set[int]]:
    """Return by part of the report which seeds it speaks of, used or missing."""
    found = analysis.causes
    parts = {
        f"claim {one.claim.id}": {*one.contrast.seeds, *(s for s, _ in one.contrast.dropped)}
        for one in analysis.claims
    }
    parts |= {
        f"curve {spec.treatment}": set(spec.seeds) for one in found.curves
        for spec in one.specifications
    }  # fmt: skip
    parts |= {f"apart {n}": set(one.seeds) for n, one in found.decompositions.items() if one}
    parts |= {f"levels {n}": set(one.seeds) for n, own in found.levels.items() for one in own}
    return parts


@pytest.mark.parametrize("ran", [[0, 1], [0, 1, 2, 3], [5, 0, 1, 9], [7, 8]])
def test_every_part_of_a_report_speaks_of_the_same_seeds(ran: list[int]) -> None:
    own = study()
    analysis = analyse(records(own, ran), own)
    whole = {0, 1, *ran}
    assert set(analysis.seeds) == whole
    parts = seeds_said(analysis)
    assert len(parts) == 1 + 2 + 1
    assert parts.pop("claim gain") == whole
    assert set(map(frozenset, parts.values())) == {frozenset(ran)}
    assert all(set(cells.missing) == whole - set(ran) for cells in analysis.cells)
    document = verdict_document(analysis)
    assert document["claims"][0]["n"] == len(ran)
    (curve,) = document["curves"]
    assert [spec["seeds"] for spec in curve["specifications"]] == [sorted(ran)] * 2
    assert {spec["dropped"] for spec in curve["specifications"]} == {len(whole - set(ran))}
    assert curve["joint"]["seeds"] == len(ran)
    found = {effect["effect"] for effect in document["effects"]}
    fewer = verdict_document(analyse(records(own, ran)[1:], own))
    assert found != {effect["effect"] for effect in fewer["effects"]}


def test_seeds_of_some_conditions_only_are_missing_of_the_others() -> None:
    own = study()
    kept = records(own, [0, 1]) + [r for r in records(own, [4]) if r["condition"] == ON]
    analysis = analyse(kept, own)
    assert analysis.seeds == (0, 1, 4)
    assert analysis.claims[0].contrast.dropped == ((4, "baseline not yet run"),)
    assert {c.condition: c.missing for c in analysis.cells if c.missing} == {
        name: (4,) for name in own.conditions if name != ON
    }
    assert {spec.dropped for spec in analysis.causes.curves[0].specifications} == {1}
    terminal = Console(file=io.StringIO(), width=300)
    show(terminal, analysis, own)
    said = terminal.file.getvalue()  # type: ignore[attr-defined]
    assert f"fewer than the 3 seeds of this report: {OFF} 2" in said


def test_levels_and_variances_take_in_every_seed_on_record() -> None:
    three = {"one": {}, "two": {"head_init": "blog"}, "three": {"bias": False}}
    own = study(factors={"m": {"levels": three}}, claims=[], curves=[])
    found = analyse(records(own, [0, 1, 2, 3]), own).causes
    assert {one.seeds for one in found.levels["m"]} == {(0, 1, 2, 3)}
    orders = {str(i): {"protocol": {"order_seed": i}} for i in range(3)}
    methods = {"a": {}, "b": {"head_init": "blog"}}
    own = study(
        factors={"m": {"levels": methods}, "order": {"levels": orders}}, claims=[], curves=[]
    )
    found = analyse(records(own, [0, 1, 2, 3]), own).causes
    parts = [one.initialisations for one in found.variances.values() if one]
    assert parts == [4, 4, 4]


def test_the_order_of_the_studys_seeds_is_kept_and_verify_speaks_of_the_same(
    tmp_path: Path,
) -> None:
    own = study(seeds=[5, 0])
    kept = records(own, [3, 0, 9])
    assert seeds_of(kept, own) == (5, 0, 3, 9)
    analysis = analyse(kept, own)
    folder = write(kept, own, tmp_path).parent
    assert differences(analysis, folder) == []
    assert analysis.cells[0].missing == (5,)
