"""Pairs and comparisons are said by the study; no name of anything has a meaning in a report."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from commands import HERE
from reported import record

from harness.errors import InputError
from harness.keeping.earlier import with_what_names_meant
from harness.studies.declared import declared
from harness.studies.study import Study
from harness.studies.study_files import load_study, shipped_studies, validate_study
from reports.figures.methods import label, present
from reports.figures.theme import styles
from reports.findings.analysis import analyse
from reports.output.document import verdict_document

NAMES = ("plain", "one", "two", "one+", "two+")
FINALS = {"plain": 0.70, "one": 0.80, "two": 0.82, "one+": 0.81, "two+": 0.90}


def study(names: dict[str, str], **more: Any) -> Study:
    conditions = {
        names[name]: {"protocol": {"learning_rate": 0.01 * place}}
        for place, name in enumerate(NAMES, start=1)
    }
    arranged: dict[str, Any] = {
        "pairs": {names["one+"]: names["one"], names["two+"]: names["two"]},
        "comparisons": [{"text": "plus helps", "treatments": [names["one+"], names["two+"]]}],
    }
    raw = {"name": "any", "seeds": 3, "conditions": conditions} | arranged | more
    return validate_study(raw, "any.toml", HERE)


def records(names: dict[str, str]) -> list[Any]:
    return [
        record(names[name], seed, final + 0.01 * seed * (1 + name.endswith("+")))
        for name, final in FINALS.items()
        for seed in range(3)
    ]


def test_renamed_conditions_give_the_same_report_but_for_the_names() -> None:
    same = {name: name for name in NAMES}
    other = dict(zip(NAMES, ("finetune", "mas", "dhp", "a", "dhp+a"), strict=True))
    text = json.dumps(verdict_document(analyse(records(same), study(same)))["family"])
    renamed = json.dumps(verdict_document(analyse(records(other), study(other)))["family"])
    for old, new in other.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    assert renamed == text
    assert len(json.loads(text)) == 2
    plain = analyse(records(other), study(other, pairs={}, comparisons=[]))
    assert plain.family == ()


def test_variants_share_a_hue_with_what_they_vary_and_nothing_else() -> None:
    style = styles(NAMES, {"one+": "one", "two+": "two"})
    assert style["one"].colour == style["one+"].colour != style["two"].colour
    assert len({style[name].colour for name in NAMES}) == 3
    assert (style["one"].line, style["one+"].line) == ("--", "-")
    assert len({(s.colour, s.line, s.marker) for s in style.values()}) == len(NAMES)
    assert len({s.colour for s in styles(("dhp", "finetune", "dhp+si", "si"), {}).values()}) == 4


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"pairs": {"three": "one"}}, "pairs.three names the condition 'three'"),
        ({"pairs": {"one": "none"}}, "pairs.one names the condition 'none'"),
        ({"pairs": {"one": "two", "two": "plain"}}, "pairs.one: 'two' is a variant of 'plain'"),
        ({"pairs": {"one": "one"}}, "pairs.one: 'one' is a variant of 'one' itself"),
        ({"comparisons": [{"text": "t", "treatments": ["plain"]}]}, "'plain' has no partner"),
        ({"comparisons": [{"text": "t", "treatments": []}]}, ".0.treatments: Tuple should"),
        (
            {"comparisons": [{"txt": "t"}]},
            "comparisons.0.txt: unknown key (did you mean 'text'?); known",
        ),
    ],
)
def test_what_is_wrong_with_them_is_said(more: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        study({name: name for name in NAMES}, **more)
    assert says in str(caught.value)


def test_they_change_no_fingerprint_and_are_kept_with_the_results() -> None:
    same = {name: name for name in NAMES}
    with_them, without = study(same), study(same, pairs={}, comparisons=[], causes="other")
    assert with_them.fingerprint() == without.fingerprint()
    stored = with_them.model_dump(mode="json", exclude_none=True)
    assert with_what_names_meant(stored) == stored
    assert validate_study(stored, "study.json") == with_them


def test_results_of_earlier_versions_are_reported_as_they_were() -> None:
    now = load_study("dhp-split-mnist")
    stored = now.model_dump(mode="json", exclude_none=True)
    for field in ("pairs", "comparisons", "causes"):
        del stored[field]
    again = validate_study(with_what_names_meant(stored), "study.json")
    for field in ("pairs", "comparisons"):
        assert getattr(again, field) == getattr(now, field)
    assert again.causes == now.causes[:1], "the one study that there was"


def test_a_quantity_that_nobody_knows_is_shown_by_its_own_name() -> None:
    rows = [("zeta", 1.0), ("eta", 0.5), ("alpha_max", 2.0), ("penalty", None)]
    spreads = pd.DataFrame(rows, columns=["quantity", "least"])
    assert present(spreads) == ["eta", "alpha_max", "zeta"]
    assert [label(name) for name in ("zeta", "penalty")] == ["zeta", "penalty"]
    assert label("eta") != "eta"


def test_no_name_of_a_condition_a_study_or_a_class_stands_in_the_reports() -> None:
    kinds = ("head", "consolidation", "optimiser")
    names = {name for kind in kinds for name in declared(kind)} - {"none"}
    for name in shipped_studies():
        names |= {name, load_study(name).benchmark, *load_study(name).conditions}
    assert len(names) > 100
    for path in sorted(Path(HERE / "reports").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant):
                assert node.value not in names, f"{path}, line {node.lineno}: {node.value}"
                assert not str(node.value).startswith("dhp+"), path
