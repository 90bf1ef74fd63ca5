"""Every kind of damaged baseline gets one clear error."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from gate_results import results
from test_gate import Gate, gate_of


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return gate_of(tmp_path)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def reseal(gate: Gate, change: Any) -> None:
    """Change a baseline as somebody would who knows of its hash and of the history."""
    from harness.keeping.records import content_hash

    path = gate.file()
    content = json.loads(path.read_text())
    before = content["sha256"]
    change(content)
    content["sha256"] = content_hash(content)
    path.write_text(json.dumps(content))
    edit(gate.study / "history.jsonl", before, content["sha256"])


def twice(content: dict[str, Any]) -> None:
    content["cells"].append(content["cells"][0])


def wider(content: dict[str, Any]) -> None:
    content["margins"]["plain"]["final_accuracy"] *= 2


def of_another_study(content: dict[str, Any]) -> None:
    content["study"] = "another"


def of_another_machine(content: dict[str, Any]) -> None:
    content["environment"]["numerics"] = "0"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda g: g.file().write_text(g.file().read_text()[:3000]), "cannot be read as JSON"),
        (lambda g: edit(g.file(), "0.9", "0.8"), "was changed by hand"),
        (lambda g: edit(g.file(), '"schema": 1', '"schema": 9'), "has schema 9, this version"),
        (lambda g: edit(g.file(), ' "cells"', "<<<<<<< HEAD\n"), "merge-conflict markers"),
        (lambda g: g.file().write_text("[]"), "is no baseline"),
        (lambda g: g.file().write_bytes(b"\xff\xfe\x00"), "cannot be read"),
        (lambda g: g.file().unlink(), "is missing, and history.jsonl lists it"),
        (lambda g: shutil.copy(g.file(), g.file().with_name("0000.json")), "not of 0000"),
        (lambda g: reseal(g, twice), "has the cell plain, seed 0 twice"),
        (lambda g: reseal(g, wider), "has other margins: the margin of plain, final_accuracy"),
        (lambda g: reseal(g, of_another_study), "is of the study 'another', not of 'by-hand'"),
        (lambda g: reseal(g, of_another_machine), "is of the environment"),
        (lambda g: reseal(g, lambda c: c.pop("cells")), "has no valid cells"),
        (lambda g: edit(g.study / "history.jsonl", '"reason"', '"raison"'), "line 1 is damaged"),
        (lambda g: edit(g.study / "history.jsonl", '{"schema"', '{{"schema"'), "line 1 cannot"),
        (lambda g: (g.study / "history.jsonl").write_text(">>>>>>> b\n"), "merge-conflict"),
        (lambda g: (g.study / "confirmations.jsonl").write_text("3\n"), "line 1 is no attempt"),
    ],
)
def test_every_kind_of_damage_gets_one_clear_error(
    gate: Gate, tmp_path: Path, damage: Any, said: str
) -> None:
    damage(gate)
    code, output = gate.check(results(tmp_path / "new"))
    assert code == 2
    assert said in output
    assert str(gate.study) in output or gate.study.name in output
    assert "\n" not in output.strip()
