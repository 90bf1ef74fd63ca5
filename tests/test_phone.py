"""A page in a browser as wide as a phone: what matters lies within it, and can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browser import found_by, needs_chromium
from reported import RECORDS, STUDY, write

PROBE = """<!doctype html><body style="margin:0">
<iframe src="PAGE" style="width:WIDTHpx;height:900px;border:0"></iframe>
<script>
addEventListener("load", () => {
  const doc = document.querySelector("iframe").contentWindow.document;
  const box = (element) => element.getBoundingClientRect();
  const claims = doc.querySelector("#claims table"), cut = [], small = [], cells = {};
  for (const td of claims.tBodies[0].rows[0].cells) {
    const { left, right } = box(td);
    cells[td.dataset.head] = [Math.round(left), Math.round(right), td.textContent];
  }
  for (const text of doc.querySelectorAll(".drawing text")) {
    const svg = text.closest("svg"), outer = box(svg), inner = box(text);
    const scale = outer.width / svg.viewBox.baseVal.width;
    const size = parseFloat(doc.defaultView.getComputedStyle(text).fontSize) * scale;
    if (size < 9.95) small.push(text.textContent + " " + size);
    if (inner.left < outer.left - 1 || inner.right > outer.right + 1 ||
        inner.top < outer.top - 2 || inner.bottom > outer.bottom + 2) cut.push(text.textContent);
  }
  const drawings = [...doc.querySelectorAll(".drawing")].map((d) => [d.scrollWidth, d.clientWidth]);
  const found = { scroll: doc.scrollingElement.scrollWidth, cells, cut, small, drawings,
    drawn: [...doc.querySelectorAll("svg.panel")].map((svg) => Math.round(box(svg).width)),
    titles: doc.querySelectorAll(".drawing title").length,
    anchors: [...doc.querySelectorAll("a.to")].map((a) => a.getAttribute("href")).length,
    lost: [...doc.querySelectorAll("a.to")]
      .filter((a) => !doc.getElementById(a.getAttribute("href").slice(1))).length,
    sections: [...doc.querySelectorAll("section, figure, .tabled, tr[id]")].length };
  document.body.replaceChildren(JSON.stringify(found));
});
</script>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(RECORDS, STUDY, tmp_path_factory.mktemp("phone") / "report")


def seen(page: Path, width: int, folder: Path) -> dict[str, Any]:
    probe = folder / "probe.html"
    probe.write_text(PROBE.replace("PAGE", page.as_uri()).replace("WIDTH", str(width)))
    found: dict[str, Any] = found_by(probe, max(500, width))
    return found


@needs_chromium
@pytest.mark.parametrize("width", [400, 1280])
def test_claims_and_figures_are_whole_and_readable(page: Path, width: int, tmp_path: Path) -> None:
    found = seen(page, width, tmp_path)
    assert found["scroll"] <= width
    for head in ("claim", "verdict", "gain", "interval"):
        left, right, text = found["cells"][head]
        assert 0 <= left < right <= width, head
        assert text.strip()
    lefts = {left for left, _, _ in found["cells"].values()}
    assert (len(lefts) == 1) == (width == 400), f"{lefts}: cards on a phone, columns elsewhere"
    assert found["small"] == [], "letters of less than ten pixels"
    assert found["cut"] == [], "letters outside of their part"
    assert all(scroll <= shown for scroll, shown in found["drawings"])
    assert max(found["drawn"]) <= width
    assert found["titles"] > 0


@needs_chromium
def test_every_part_of_the_page_has_an_address(page: Path, tmp_path: Path) -> None:
    found = seen(page, 1280, tmp_path)
    assert found["lost"] == 0
    assert found["anchors"] >= found["sections"] - 1
