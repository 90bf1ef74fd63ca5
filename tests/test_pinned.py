"""Keys, fingerprints and hashes stay what they were: a move of code must not lose results."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pin_keys import PINNED, keys_of_shipped_studies
from typer.testing import CliRunner

from harness.keeping.records import seal
from harness.keeping.store import Damaged, Store
from run_all import app

RESULTS = Path(__file__).parent / "expected" / "results"
"""Results of tests/expected/results.toml as version 0.1.0 left them, without its pictures."""

CHANGED = {"curves", "effects", "agreement", "error_rates", "error_rates_note", "criteria"}
"""What earlier reports say otherwise: gains that happened to be zero counted as surely zero, the
published spread as ours, three differences were enough to draw error rates from, and a margin was
said to have been fixed before the data, which no file shows."""


@pytest.fixture(scope="module")
def reported_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same records with a report of today."""
    folder = tmp_path_factory.mktemp("again") / "results"
    shutil.copytree(RESULTS, folder)
    shutil.rmtree(folder / "report")
    done = CliRunner().invoke(app, ["report", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def test_keys_and_fingerprints_of_the_shipped_studies_are_the_pinned_ones() -> None:
    assert keys_of_shipped_studies() == json.loads(PINNED.read_text(encoding="utf-8"))


def test_the_criteria_on_earlier_results_hold_as_they_did(reported_again: Path) -> None:
    before, now = (
        json.loads((folder / "report" / "verdict.json").read_text(encoding="utf-8"))["criteria"]
        for folder in (RESULTS, reported_again)
    )
    assert [one | {"cannot_see": ""} for one in now] == [one | {"cannot_see": ""} for one in before]


def test_records_of_an_earlier_version_are_read_and_keep_their_hashes() -> None:
    records, damaged = Store(RESULTS).read_all()
    assert not damaged
    assert len(records) == 33
    for record in records[:5]:
        assert not isinstance(record, Damaged)
        content: Any = {name: value for name, value in record.items() if name != "sha256"}
        assert seal(content)["sha256"] == record["sha256"]
    hashes = {record["key"]: record["sha256"] for record in records}
    written = json.loads((RESULTS / "report" / "verdict.json").read_text(encoding="utf-8"))
    assert written["records"] == hashes


def test_a_report_on_earlier_results_says_the_same_numbers(reported_again: Path) -> None:
    def rows(folder: Path) -> list[dict[str, str]]:
        text = (folder / "report" / "summary.csv").read_text(encoding="utf-8")
        return list(csv.DictReader(text.splitlines()))

    assert rows(reported_again) == rows(RESULTS)
    before, now = (
        json.loads((folder / "report" / "verdict.json").read_text(encoding="utf-8"))
        for folder in (RESULTS, reported_again)
    )
    assert now.pop("fingerprint") != before.pop("fingerprint")  # as it is computed since 0.2
    assert now.keys() >= before.keys()
    for one, other in zip(now.pop("claims"), before.pop("claims"), strict=True):
        # What a later version adds to the sentence comes at its end, and has fields of its own.
        assert one.pop("reason").startswith(other.pop("reason").removesuffix("."))
        assert {name: one[name] for name in other} == other
    for one, other in zip(now.pop("family"), before.pop("family"), strict=True):
        assert {name: one[name] for name in other} == other, "what is new is added"
    for name in before.keys() - CHANGED:
        assert now[name] == before[name]


def test_verify_accepts_results_and_reports_that_were_made_before(
    reported_again: Path, tmp_path: Path
) -> None:
    earlier = Path(shutil.copytree(RESULTS, tmp_path / "earlier"))
    done = CliRunner().invoke(app, ["verify", str(reported_again)])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(app, ["verify", str(earlier)])
    assert done.exit_code == 0, done.output
    assert "another state of the program wrote this report" in " ".join(done.output.split())
    verdicts = earlier / "report" / "verdict.json"
    verdicts.write_text(verdicts.read_text().replace('"CONTRADICTED"', '"REPRODUCED"'))
    done = CliRunner().invoke(app, ["verify", str(earlier)])
    assert done.exit_code == 1
    assert "differs: verdict.json: claims[0].verdict" in done.output
