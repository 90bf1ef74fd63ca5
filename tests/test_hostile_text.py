"""Texts that want to be more than text: in studies, records, errors and names of folders.

What the page of a watched run and its metrics make of them stands in ``test_watching``.
"""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from commands import run, without_notes
from test_gate import call
from test_watching import HOSTILE, STEERS, block

from harness.errors import InputError
from harness.keeping.records import seal
from harness.running.events import (
    BlockFailed,
    BlockLost,
    BlockNotStarted,
    Event,
    ExecutorLost,
    NodeGone,
    NodeJoined,
    NotKept,
    NoWorker,
)
from harness.running.journal import Journal
from harness.running.runner import Tally
from harness.screen.progress import Display
from harness.screen.run import _warn_of
from harness.studies.study_files import load_study
from reports.output.console import Terminal

ALL = " ".join(HOSTILE)
COMMANDS = re.compile(r"\x1b[^\[]|[\x07\x9b\x9d]")
"""What a terminal takes for more than colours and ways of the cursor: titles, the clipboard."""


def toml(text: str) -> str:
    """A string of TOML, every character of which is escaped."""
    return '"' + "".join(f"\\U{ord(sign):08x}" for sign in text) + '"'


STUDY = f"""
name = "hostile"
description = {toml(ALL)}
seeds = 2
[protocol]
benchmark = "split-digits"
hidden = [16]
iterations_per_task = 2
[conditions]
plain = {{}}
started = {{ head_init = "blog" }}
[[published]]
id = {toml("<i>p</i>")}
source = {toml(ALL)}
after_tasks = [5]
accuracy = {{ plain = [90.0] }}
[[claims]]
id = {toml("<b>c</b> {{7*7}}")}
text = {toml(ALL)}
source = {toml(ALL)}
treatment = "started"
baseline = "plain"
reported = 4.0
unit = "points"
margin = 1.0
"""


class Found(HTMLParser):
    """What could act in a page: elements that no report has, and attributes that are code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts = 0
        self.foreign: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        if tag in ("img", "b", "i", "iframe", "object", "embed", "base", "form", "link"):
            self.foreign.append(tag)
        for name, value in attrs:
            if name.startswith("on") or "javascript:" in (value or "").lower():
                self.foreign.append(f"{tag} {name}")

    def handle_data(self, data: str) -> None:
        self.text += data


def spoilt(record: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A record whose free fields hold hostile text; its hash is right, as anyone can compute it."""
    provenance = {
        name: ALL if isinstance(value, str) and name != "data" else value
        for name, value in record["provenance"].items()
    }
    code = dict.fromkeys(provenance["code"], ALL)
    return dict(seal({**record, "provenance": provenance | {"code": code}, **fields}))  # type: ignore[typeddict-item]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a hostile study whose records were tampered with; one is of no condition."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile.toml").write_text(STUDY)
    root = folder / "out"
    arguments = ("--out", root, "--executor", "in-process", "--no-report")
    code, said = call("run", folder / "hostile.toml", *arguments)
    assert code == 0, said
    assert not STEERS.search(said)
    for path in (root / "records").glob("*.json"):
        path.write_text(json.dumps(spoilt(json.loads(path.read_text()))))
    stray = json.loads(path.read_text()) | {"key": "f" * 64, "program": "0" * 64}
    stray = spoilt(stray, condition=ALL, study=ALL)
    (root / "records" / f"{stray['key']}.json").write_text(json.dumps(stray))
    return root


def test_a_report_of_hostile_records_is_text(results: Path) -> None:
    code, said = call("report", results)
    assert code == 0, said
    assert "1 records of conditions that the study no longer has" in said
    assert not STEERS.search(said)
    page = results / "report" / "index.html"
    found = Found(page.read_text(encoding="utf-8"))
    assert found.scripts == 1, "its own"
    assert found.foreign == []
    assert not STEERS.search(found.text)
    assert "{{ 7 * 7 }}" in found.text, "nothing was reckoned"
    for figure in page.parent.glob("*.svg"):
        ElementTree.parse(figure)
        assert Found(figure.read_text(encoding="utf-8")).scripts == 0


def test_a_run_and_its_study_are_shown_as_text(results: Path, tmp_path: Path) -> None:
    for arguments in (
        ("studies", results.parent / "hostile.toml"),
        ("run", results.parent / "hostile.toml", "--out", results, "--executor", "in-process"),
        ("verify", results),
    ):
        code, said = call(*arguments)
        assert code == 0, said
        assert not STEERS.search(said), arguments


@pytest.mark.parametrize("text", [text for text in HOSTILE if "é" not in text])
@pytest.mark.parametrize("place", ["name", "condition"])
def test_a_hostile_name_is_refused_in_lines_of_text(tmp_path: Path, text: str, place: str) -> None:
    study = STUDY.replace('"hostile"', toml(text)) if place == "name" else STUDY
    if place == "condition":
        study = study.replace("started = {", f"{toml(text)} = {{")
    (tmp_path / "study.toml").write_text(study)
    with pytest.raises(InputError) as refused:
        load_study(str(tmp_path / "study.toml"))
    assert not STEERS.search(str(refused.value))
    assert all(
        line.startswith(f"{tmp_path / 'study.toml'}: ") for line in str(refused.value).split("\n")
    )


@pytest.mark.slow
def test_a_hostile_folder_steers_no_terminal(tmp_path: Path) -> None:
    """Through the whole program: its warnings go past the console."""
    root = tmp_path / "\x1b]0;owned\x07\u202e\x9b31m$(id)\nerror:\t\u2028x"
    part = ("--executor", "in-process", "--seeds", 1, "--conditions", "finetune", "--no-report")
    assert run("run", "smoke", "--out", root, *part).returncode == 0
    record = next((root / "records").glob("*.json"))
    other = json.loads(record.read_text()) | {"key": "x\nerror: y"}
    del other["sha256"]
    (root / "records" / "a\nerror: b.json").write_text(json.dumps(seal(other)))
    record.write_text("{")
    again = run("run", "smoke", "--out", root, *part)
    assert again.returncode == 0
    lines = without_notes(again.stderr).splitlines()
    assert len(lines) == 2
    assert all(line.startswith("damaged record ") for line in lines)
    assert all("; set aside as " in line for line in lines)
    assert r"a␊error: b.json: is the record of cell 'x\nerror: y'" in again.stderr
    refused = run("run", "smoke", "--out", record, *part)
    assert refused.returncode == 2
    for said in (again.stdout, again.stderr, refused.stderr):
        assert "owned" in said
        assert not STEERS.search(said)


def events_of(text: str) -> list[Event]:
    return [
        BlockFailed(block("a", 0), text, text),
        BlockLost(block("a", 1), text),
        BlockNotStarted(block("b", 1), text),
        NotKept(block("a", 2), text, text),
        NoWorker(30.0, text),
        NodeJoined(text, text, text, 2),
        NodeGone(text, text),
        ExecutorLost(text, text),
    ]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("terminal", [True, False])
def test_progress_steers_no_terminal(text: str, terminal: bool) -> None:
    screen = io.StringIO()
    console = Terminal(file=screen, force_terminal=terminal, width=300)
    with Display(console, 4, {"a": []}) as display:
        for event in events_of(text):
            display.observe(event)
    said = screen.getvalue()
    assert not COMMANDS.search(said)
    if not terminal:
        assert not STEERS.search(said)


@pytest.mark.parametrize("text", HOSTILE)
def test_every_event_is_one_line_of_the_journal(tmp_path: Path, text: str) -> None:
    journal = Journal(tmp_path)
    for event in events_of(text):
        journal.observe(event)
    content = (tmp_path / "events.jsonl").read_bytes()
    assert content.isascii()
    lines = content.decode().split("\n")
    assert lines.pop() == ""
    found = [json.loads(line) for line in lines]
    names = "failed lost left-out not-kept no-worker node-joined node-gone executor-lost"
    assert [line["event"] for line in found] == names.split()
    assert all(found[place]["why"] == text for place in (0, 1, 2, 4, 6, 7))
    assert not STEERS.search(content.decode())


@pytest.mark.parametrize("text", HOSTILE)
def test_warnings_and_the_log_of_failures_are_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    details = f"Traceback:\n\t\x1b[36mray::work()\x1b[39m {text}\n"
    _warn_of(Tally(failed=[BlockFailed(block("a", 0), text, details)]), tmp_path)
    log = (tmp_path / "failures.log").read_text(encoding="utf-8")
    assert log.startswith("Traceback:\n\tray::work() ")
    assert not STEERS.search(log)
    assert not STEERS.search(capsys.readouterr().err)
