"""Results that are shipped: their records are one file, and everything reads it as it is."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest
from claimed import GAIN, ran, study
from commands import HERE
from rich.console import Console
from test_gate import call

from harness.errors import InputError
from harness.keeping.packed import NAME, unpacked
from harness.keeping.packing import pack, pack_directory
from harness.keeping.results import read_results
from harness.keeping.store import Store
from harness.screen import reporting
from harness.screen.merging import merge_results
from reports.output.overview.files import DOCUMENT
from reports.output.reporter import Reporter
from reports.output.verify import differences

BOTH = ("plain", "ewc")
SHIPPED = HERE / "docs" / "results"
MAIN = ("dhp-split-mnist", "dhp-attribution", "dhp-attribution-combined")
LARGEST, LARGEST_MAIN = 8 * 2**20, 5 * 2**20


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ran(tmp_path_factory.mktemp("loose") / "claimed", study(GAIN), BOTH)


@pytest.fixture
def packed(loose: Path, tmp_path: Path) -> Path:
    pack_directory(loose, tmp_path / "claimed")
    return tmp_path / "claimed"


@pytest.mark.parametrize("by_index", [False, True])
def test_packed_records_are_those_of_the_directory(
    loose: Path, packed: Path, by_index: bool
) -> None:
    was, now = read_results(loose), read_results(packed, by_index=by_index)
    assert now.records == was.records
    assert now.standings == was.standings
    assert (was.packed, now.packed) == (False, True)
    assert not (packed / "index.npz").exists(), "what is shipped is only read"


def test_the_same_records_give_the_same_bytes_in_any_order(packed: Path, tmp_path: Path) -> None:
    records, _ = Store(packed).read_all()
    again = pack(records[::-1], tmp_path / "again")
    assert again.read_bytes() == (packed / NAME).read_bytes()


def test_a_line_that_was_changed_is_named_and_the_others_stay(packed: Path) -> None:
    lines = lzma.decompress((packed / NAME).read_bytes()).decode().splitlines()
    lines[2] = lines[2].replace('"seed":', '"seed":1', 1)
    lines[4] = lines[3]
    (packed / NAME).write_bytes(lzma.compress("\n".join(lines).encode()))
    results = read_results(packed)
    assert len(results.records) == 10
    assert [bad.path.name for bad in results.damaged] == [f"{NAME}, line 3", f"{NAME}, line 5"]
    assert "does not match its own hash" in results.damaged[0].reason
    assert "a second record" in results.damaged[1].reason


@pytest.mark.parametrize("size", [0, 40, -40])
def test_a_file_that_was_cut_is_one_line(packed: Path, size: int) -> None:
    content = (packed / NAME).read_bytes()
    (packed / NAME).write_bytes(content[:size])
    found = list(unpacked(packed))
    assert isinstance(found[-1], tuple)
    assert "cannot be unpacked" in found[-1][1]


def test_nothing_is_added_and_merge_makes_an_ordinary_directory(
    loose: Path, packed: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"nothing is added to these; unpack them: .*merge"):
        Store(packed).open_for(study(GAIN))
    merge_results(Console(quiet=True), [packed], tmp_path / "out")
    assert Store(tmp_path / "out").read_all() == Store(loose).read_all()


def test_a_report_on_them_is_lean_and_verified(packed: Path) -> None:
    assert call("report", packed)[0] == 0
    report = packed / "report"
    assert {path.suffix for path in report.iterdir()}.isdisjoint({".svg", ".png"})
    assert 'class="drawing"' in (report / "index.html").read_text(), "the page has the figures"
    assert ".png" not in (report / "report.md").read_text()
    code, output = call("verify", packed)
    assert code == 0, output
    page = report / "index.html"
    page.write_text(page.read_text().replace("REPRODUCED", "CONTRADICTED", 1))
    assert call("verify", packed)[0] == 1


def test_shipped_records_without_a_report_are_told_by_the_page_over_their_folder(
    loose: Path, packed: Path
) -> None:
    folder, bare = packed.parent, packed.parent / "bare"
    pack_directory(loose, bare)
    assert call("report", packed)[0] == 0
    code, output = call("report", folder)
    assert code == 0, output
    assert not (bare / "report").exists(), "it stays small"
    document = json.loads((folder / DOCUMENT).read_text())
    assert {one["directory"] for one in document["directories"]} == {"claimed", "bare"}
    assert call("verify", folder)[0] == 0
    whole = (bare / NAME).read_bytes()
    lines = lzma.decompress(whole).decode().splitlines()
    forged = json.dumps(json.loads(lines[0]) | {"seed": 77})
    for changed in (lines[1:], [forged, *lines[1:]]):
        (bare / NAME).write_bytes(lzma.compress("\n".join(changed).encode()))
        code, output = call("verify", folder)
        assert code == 1
        assert "bare" in output
    (bare / NAME).write_bytes(whole)
    assert call("report", bare)[0] == 0
    assert (bare / "report" / "index.html").exists(), "one asks for it by name"


@pytest.mark.parametrize("name", sorted(path.parent.name for path in SHIPPED.glob("*/study.json")))
def test_what_the_project_ships_says_what_its_records_say(name: str) -> None:
    """Verdicts and numbers; whether the words are of this very program, ``verify`` tells."""
    results = read_results(SHIPPED / name)
    assert results.damaged == []
    analysis = reporting.judged(Reporter(), results, SHIPPED / name)
    known = {(row["directory"], row["id"]): row for row in overview_rows()}
    for now in Reporter().told(SHIPPED / name, analysis, results.study).rows:
        assert known[name, now.id]["verdict"] == now.verdict
        assert known[name, now.id]["estimate"] == now.estimate
    if not (SHIPPED / name / "report").is_dir():
        return
    document = json.loads((SHIPPED / name / "report" / "verdict.json").read_text())
    (SHIPPED / name / "report" / "index.html").read_text().index("</html>")
    assert document["records"] == dict(analysis.records)
    for judged in document["claims"]:
        row = known[name, judged["id"]]
        assert (row["verdict"], row["estimate"]) == (judged["verdict"], judged["estimate"])
    # A report of another state of the program is compared by its values alone.
    unlike = differences(analysis, SHIPPED / name / "report")
    assert [one for one in unlike if not one.startswith("verdict.json: ")] == []
    again = [one for one in unlike if one.startswith("verdict.json: claims")]
    assert [one for one in again if one.endswith(("verdict", "estimate", "ci95"))] == []


def size(place: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    return sum(path.stat().st_size for path in (place, *place.rglob("*")) if path.is_file())


def overview_rows() -> list[dict[str, object]]:
    document = json.loads((SHIPPED / DOCUMENT).read_text())
    return [row for one in document["directories"] for row in one["rows"]]


def test_what_the_project_ships_is_small_and_has_the_numbers_of_the_readme() -> None:
    assert sum(map(size, SHIPPED.iterdir())) < LARGEST
    assert sum(size(SHIPPED / name) for name in MAIN) < LARGEST_MAIN
    readme = (HERE / "README.md").read_text()
    for row in overview_rows():
        if row["directory"] == "dhp-split-mnist" and row["kind"] == "gain":
            assert f"| {row['estimate']:+.2f} |" in readme, row["id"]
