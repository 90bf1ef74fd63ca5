"""A table of published means, written out as claims that count among themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reported import STUDY, record

from harness.errors import InputError
from harness.studies.study import Study
from harness.studies.study_files import load_study
from reports.findings.analysis import Analysis, analyse
from reports.findings.fixing import Fixing, late_notices
from reports.numbers.significance import holm
from reports.sections.contrasts import contrasts_section
from reports.sections.fixing import fixing_paragraphs, fixing_tables
from reports.sections.kinds import family_paragraphs, together
from reports.sections.verdict import verdict_section

WRITTEN = """
name = "judged"
seeds = 2
[protocol]
benchmark = "split-mnist"
[conditions]
a = {}
b = { plasticity = "on" }
[[published]]
id = "table"
source = "table 2"
after_tasks = [1, 5]
[published.accuracy]
a = [99.9, 90.0]
b = [99.0, 97.0]
[published.plus_minus]
a = [0.1, 1.0]
b = [0.2, 0.5]
[published.runs]
a = 4
b = 5
[published.judge]
text = "the table is found again"
share = 0.25
at_least = 0.1
[[claims]]
id = "main"
text = "b gains"
treatment = "b"
baseline = "a"
reported = 7.0
unit = "points"
margin = 2.3
"""


def read(folder: Path, text: str = WRITTEN) -> Study:
    path = folder / "judged.toml"
    path.write_text(text, encoding="utf-8")
    return load_study(str(path))


def test_every_mean_is_a_claim_after_those_that_are_written_out(tmp_path: Path) -> None:
    study = read(tmp_path)
    assert [claim.id for claim in study.claims][:2] == ["main", "table: a, 1 tasks"]
    found = {(c.condition, c.tasks): (c.reported, c.margin) for c in study.statements}
    # A quarter of what is missing to 100, at least a tenth of a point.
    assert found == {
        ("a", 1): (99.9, 0.1),
        ("a", 5): (90.0, 2.5),
        ("b", 1): (99.0, 0.25),
        ("b", 5): (97.0, 0.75),
    }
    (family,) = study.families or ()
    assert (family.id, family.claims) == ("table", tuple(c.id for c in study.statements))
    assert {c.plus_minus for c in study.statements} == {None}


def test_what_a_directory_keeps_is_read_as_the_same_study(tmp_path: Path) -> None:
    study = read(tmp_path)
    kept = study.model_dump(mode="json", exclude_none=True)
    assert "judge" not in kept["published"][0]
    assert Study.model_validate(kept).fingerprint() == study.fingerprint()


def test_the_printed_spread_is_compared_where_the_source_tells_its_runs(tmp_path: Path) -> None:
    study = read(tmp_path, WRITTEN.replace("at_least = 0.1", "at_least = 0.1\nspread = true"))
    assert {(c.condition, c.plus_minus, c.runs) for c in study.statements} == {
        ("a", 0.1, 4),
        ("a", 1.0, 4),
        ("b", 0.2, 5),
        ("b", 0.5, 5),
    }


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("share = 0.25", "share = 2.0", r"published 'table': judge\.share: .* less than 1"),
        ("share = 0.25", "shares = 0.25", r"judge\.share: Field required; judge takes text, share"),
        ("at_least = 0.1", "at_least = 0", r"judge\.at_least: .*greater than 0"),
        ("at_least = 0.1\n", "at_least = 0.1\nspread = true\n", r"judge\.spread: 'b' has no"),
        ("a = [99.9, 90.0]", "a = [99.9]", "a has 1 values, after_tasks has 2"),
        ("b = [99.0, 97.0]", "c = [99.0, 97.0]", "names the condition 'c'"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_in_one_line(
    old: str, new: str, says: str, tmp_path: Path
) -> None:
    text = WRITTEN.replace("b = 5\n", "") if "spread" in new else WRITTEN
    if new.startswith("c ="):
        text = text.replace("b = [0.2, 0.5]\n", "").replace("b = 5\n", "")
    assert old in text
    with pytest.raises(InputError, match=says) as caught:
        read(tmp_path, text.replace(old, new))
    assert "\n" not in str(caught.value)


@dataclass(frozen=True)
class Late:
    """What a directory knows of a claim that was made after its data."""

    what: str
    id: str
    entered: str = "2026-01-02T03:04:05+00:00"
    status: str = "made"
    fingerprint: str = "f" * 64
    since: None = None
    seen: dict[str, int] = field(default_factory=lambda: {"a": 6})
    first_cell: None = None
    was: None = None
    changes: tuple[str, ...] = ()
    versions: int = 1
    why: str = ""


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    """Six seeds of two conditions: of a table's four values two are met, and a gain beside them."""
    draws = np.random.default_rng(1).normal(0, 0.002, (2, 6))
    records = [record("a", seed, 0.7 + float(draws[0, seed])) for seed in range(6)]
    records += [record("b", seed, 0.8 + float(draws[1, seed])) for seed in range(6)]
    raw: dict[str, Any] = STUDY.model_dump(mode="json", exclude_none=True)
    source = {"id": "table", "source": "t", "after_tasks": [2]}
    values: list[dict[str, Any]] = [
        source | {"id": f"{name}", "accuracy": {"a": [mean], "b": [mean + 10]}}
        for name, mean in (("met", 70.0), ("missed", 60.0))
    ]
    judge = {"text": "it is found again", "share": 0.1, "at_least": 0.1}
    raw["published"] = [one | {"judge": judge} for one in values]
    return analyse(records, Study.model_validate(raw))


def test_values_count_among_their_table_and_claims_among_claims(analysis: Analysis) -> None:
    assert {name: len(of) for name, of in analysis.tables.items()} == {"met": 2, "missed": 2}
    groups = [[one.claim.id for one in analysis.claims], *analysis.tables.values()]
    for names in groups:
        told = [analysis.told[name] for name in names]
        raw = [1.0 if one.p_value is None else one.p_value for one in told]
        assert [one.p_holm for one in told] == [
            None if one.p_value is None else p for one, p in zip(told, holm(raw), strict=True)
        ]
    assert list(analysis.told) == [name for names in groups for name in names]
    assert not any("met" in said for said in together(analysis))


def test_a_table_is_told_in_a_sentence_and_looked_up_in_a_folded_table(analysis: Analysis) -> None:
    met, missed = family_paragraphs(analysis)
    assert met.startswith("STANDS: it is found again. 2 of 2 claims (2 AGREES; 2 of the 2 verdicts")
    assert missed.startswith("FALLS: it is found again. 0 of 2 claims (2 HIGHER;")
    section = verdict_section(analysis)
    assert section is not None
    folded = {t.caption: t for t in section.tables if "each value" in t.caption}
    (table,) = folded.values()
    assert table.folded
    values = {row[0] for t in section.tables if "each value" in t.caption for row in t.rows}
    assert values <= {name for names in analysis.tables.values() for name in names}
    assert not any("tasks: " in said for said in section.paragraphs)
    contrasts = contrasts_section(analysis)
    assert contrasts is not None
    assert not any("missed" in drawn.alt for drawn in contrasts.drawings)


def test_one_notice_tells_of_a_table_that_was_made_after_the_data(analysis: Analysis) -> None:
    names = analysis.tables["met"]
    late = [Late("family", "met"), *(Late("claim", name) for name in names)]
    found = [Fixing(one, None) for one in late]
    (said,) = late_notices(found, analysis.tables)
    assert said.startswith("MADE AFTER THE DATA: the family met with 2 claims, 2026-01-02 03:04:05")
    assert (
        "Made after the data: family met with 2 claims."
        in fixing_paragraphs(found, analysis.tables)[0]
    )
    first, second = fixing_tables(found, analysis.tables)
    assert (first.folded, len(first.rows)) == (False, 1)
    assert (second.folded, len(second.rows)) == (True, 2)
    # A claim that was written down at another time than its table is named itself.
    found[1] = Fixing(Late("claim", names[0], entered="2026-02-02T03:04:05+00:00"), None)
    assert [names[0] in said for said in late_notices(found, analysis.tables)] == [False, True]
    assert len(late_notices(found)) == 3
