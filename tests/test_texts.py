"""What a study says of itself in words: checked, kept with the results, and no part of anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commands import HERE

from harness.errors import InputError
from harness.keeping.store import Store
from harness.studies.study import ARRANGEMENT, Study
from harness.studies.study_files import load_study, shipped_studies, validate_study

RAW: dict[str, Any] = {
    "name": "said",
    "seeds": 2,
    "factors": {"method": {"levels": {"off": {}, "on": {"head_init": "blog"}}}},
    "conditions": {"again": {"protocol": {"seed_offset": 9}}},
    "claims": [{
        "id": "gain", "text": "t", "source": "s", "treatment": "method=on",
        "baseline": "method=off", "reported": 1.0, "unit": "points", "margin": 0.3,
    }],
}  # fmt: skip
WORDS: dict[str, Any] = {
    "citation": "@article{a, title = {On {T}asks}, year = {2019}}",
    "texts": {
        "data": "digits",
        "conditions": {"again": "the same with other seeds"},
        "factors": {"method": "method", "seed_offset": "seeds"},
        "levels": {"method": {"on": "as published"}},
        "quotes": {"gain": "gains a point"},
        "notes": {"gain": "a percentage point"},
    },
}


def study(**more: Any) -> Study:
    return validate_study(RAW | more, "said.toml", HERE)


def test_words_change_no_fingerprint_and_no_cell() -> None:
    said, silent = study(**WORDS), study()
    assert said.texts is not None
    assert said.fingerprint() == silent.fingerprint()
    assert said.conditions == silent.conditions
    assert {"citation", "texts"} <= ARRANGEMENT
    assert not {"citation", "texts"} & silent.model_dump(mode="json", exclude_none=True).keys()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"texts": {"conditions": {"aagain": "x"}}}, "texts.conditions: the study has no 'aagain'"),
        ({"texts": {"factors": {"bais": "x"}}}, "texts.factors: the study has no 'bais'"),
        ({"texts": {"levels": {"method": {"of": "x"}}}}, "texts.levels.method: the study has no"),
        ({"texts": {"levels": {"meth": {}}}}, "texts.levels: the study has no 'meth'; it has"),
        ({"texts": {"quotes": {"gian": "x"}}}, "texts.quotes: the study has no 'gian'; it has"),
        ({"texts": {"notes": {"g": "x"}}}, "texts.notes: the study has no 'g'; it has gain"),
        ({"texts": {"datas": "x"}}, "texts.datas: unknown key (did you mean 'data'?)"),
        ({"texts": {"data": " "}}, "texts.data: "),
        ({"citation": "Me, 2019"}, "no BibTeX entry: it starts with @"),
        ({"citation": "@a{b, title = {c}"}, "closes every brace"),
        ({"citation": "@a}{"}, "closes every brace"),
    ],
)
def test_what_is_wrong_with_them_is_said(more: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        study(**more)
    assert says in str(caught.value)


def test_words_that_are_mended_after_a_run_are_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    store.open_for(study())
    first = json.loads((store.root / "study.json").read_text())
    store.open_for(study(**WORDS))
    assert store.study() == study(**WORDS)
    again = json.loads((store.root / "study.json").read_text())
    assert {**again, "study": {**again["study"]}} | {"study": first["study"]} == first


def test_results_of_a_shipped_study_have_its_words_where_they_were_run_without(
    tmp_path: Path,
) -> None:
    now = load_study("dhp-split-mnist")
    assert now.texts is not None
    assert now.citation is not None
    silent = now.model_copy(update={"texts": None, "citation": None})
    store = Store(tmp_path / "same")
    store.open_for(silent)
    assert store.study() == now
    other = Store(tmp_path / "another")
    other.open_for(silent.model_copy(update={"seeds": (1, 2)}))
    assert other.study().texts is None, "another study of that name"


def test_every_shipped_study_says_what_it_is_made_of() -> None:
    for name in shipped_studies():
        shipped = load_study(name)
        assert shipped.texts is not None, name
        assert shipped.texts.data, name
        if any(claim.expected is None for claim in shipped.claims):
            assert shipped.texts.margin, name
        if shipped.published or any("poster" in claim.source for claim in shipped.claims):
            assert shipped.citation, name
        if shipped.texts.notice is None:
            assert set(shipped.factors) <= set(shipped.texts.factors), name
            written = {c.name for c in shipped.conditions.values() if not c.levels}
            assert written <= set(shipped.texts.conditions), name
