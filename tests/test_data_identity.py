"""Through the command line: other data than the claim's, and other settings under old names."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import without_notes
from mnist_folder import NAMES, small_files, write

import run_all

STUDY = """
name = "mine"
seeds = 2
[protocol]
benchmark = "split-mnist"
hidden = [8, 8]
iterations_per_task = 2
[conditions]
finetune = {}
dhp = { plasticity = "on", head_init = "blog", bias = false }
[[claims]]
id = "gain"
text = "DHP gains"
source = "poster"
treatment = "dhp"
baseline = "finetune"
reported = 4.69
unit = "points"
margin = 1.56
"""
NOTICE = "NOT THE CLAIM'S DATA SET"
Answer = tuple[int, str, str]
Command = Callable[..., Answer]


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    """Run the command line in this process, in a folder of its own: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REPRO_DATA_DIR", raising=False)
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "mine.toml").write_text(STUDY)

    def run(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["run_all.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            run_all.main()
        shown, said = capsys.readouterr()
        return int(done.value.code or 0), shown, without_notes(said)

    return run


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A data folder that holds another data set than MNIST."""
    return write(tmp_path / "other", small_files())


def test_other_data_are_refused_without_a_cell_trained(command: Command, other: Path) -> None:
    for arguments in ((), ("run", "mine.toml"), ("run", "mine.toml", "--dry-run")):
        data = ("--data-dir", other)
        code, _, said = command(*(arguments or ()), *data)
        assert code == 2
        assert NAMES[0] in said
        assert "--allow-other-data" in said
        assert len(said.splitlines()) == 1
    assert not Path("results").exists(), "nor is the job done on other data instead"


def test_other_data_are_named_wherever_their_numbers_are_shown(
    command: Command, other: Path
) -> None:
    train = ("run", "mine.toml", "--data-dir", other, "--allow-other-data")
    code, shown, _ = command(*train, "--executor", "in-process")
    assert code == 0
    assert shown.startswith(NOTICE)
    assert shown.count(NOTICE) == 3, "before the training, above and below the numbers"
    folder = Path("results") / "mine"
    for path in (folder / "records").iterdir():
        assert json.loads(path.read_text())["provenance"]["data_genuine"] is False
    page = (folder / "report" / "index.html").read_text()
    assert NOTICE.replace("'", "&#39;") in page.partition("<h1")[0]
    assert NOTICE in (folder / "report" / "report.md").read_text().partition("##")[0]
    (notice,) = json.loads((folder / "report" / "verdict.json").read_text())["notices"]
    assert notice.startswith(f"{NOTICE}. 4 of 4 cells")

    code, shown, said = command("verify", folder)
    assert (code, said.startswith(NOTICE)) == (0, True)
    assert "agree" in shown


def test_too_few_other_samples_to_hold_some_out_are_refused(command: Command, other: Path) -> None:
    text = STUDY.replace("iterations_per_task", "validation_fraction = 0.95\niterations_per_task")
    Path("mine.toml").write_text(text)
    code, _, said = command("run", "mine.toml", "--data-dir", other, "--allow-other-data")
    assert code == 2
    assert "conditions.finetune.protocol.validation_fraction: 0.95 leaves none of the 4" in said


def test_a_copy_with_other_settings_changes_nothing_in_the_directory_of_the_original(
    command: Command,
) -> None:
    digits = STUDY.replace("split-mnist", "split-digits")
    Path("mine.toml").write_text(digits)
    code, shown, _ = command("run", "mine.toml", "--executor", "in-process")
    assert (code, NOTICE in shown) == (0, False), "the benchmark's own data bring no notice"
    assert "notices" not in json.loads(Path("results/mine/report/verdict.json").read_text())
    before = {path: path.read_bytes() for path in Path("results").rglob("*") if path.is_file()}

    Path("copy.toml").write_text(digits.replace("hidden", "learning_rate = 0.1\nhidden"))
    for more in ((), ("--dry-run",)):
        code, _, said = command("run", "copy.toml", "--executor", "in-process", *more)
        assert code == 2
        assert "finetune (learning_rate was 0.01, is 0.1), dhp (learning_rate was" in said
        assert "another name, choose another --out" in said
    assert all(path.read_bytes() == content for path, content in before.items())
    assert {p for p in Path("results").rglob("*") if p.is_file()} == before.keys()

    removed = digits.replace("finetune = {}", "").partition("[[claims]]")[0]
    Path("mine.toml").write_text(removed)
    code, shown, _ = command("run", "mine.toml", "--executor", "in-process", "--seeds", 1)
    assert code == 0
    assert "2 records of conditions that the study no longer has" in shown
    assert "finetune (2: removed)" in shown
