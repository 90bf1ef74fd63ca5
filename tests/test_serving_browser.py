"""The page of a watched run in headless Chromium: its script, its width, dark and light."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from browser import dumped, found_by, needs_chromium
from test_serving import ask
from test_watching import STUDY, done, watched

from harness.screen.serving import Serving
from harness.screen.watching import Watched
from reports.findings.running import Estimator


def browsed(port: int, profile: Path, width: int, *flags: str) -> str:
    """Return the page of a run as a browser holds it."""
    return dumped(f"http://127.0.0.1:{port}/", profile, width, *flags)


@needs_chromium
def test_in_a_browser_its_script_shows_what_has_come_since(tmp_path: Path) -> None:
    """The state is another one for each answer: what came with the page is not what is shown."""

    class Counting(Watched):
        answers = 0

        def state(self) -> dict[str, Any]:
            self.answers += 1
            self.observe(done("a", [0.9], first=self.answers))
            return super().state()

    found = Counting(STUDY, Estimator())
    found.begin(18, 0, {}, 60.0)
    with Serving(found, 0) as serving:
        port = int(serving.address.rstrip("/").rpartition(":")[2])
        with_script = browsed(port, tmp_path / "profile", 1280)
    heading = re.search(r'<h1 id="heading">hand: (\d+) of 18 cells', with_script)
    assert heading
    assert int(heading[1]) > 1, "the policy lets the page's own script run, and it has asked"
    assert f"done: a seed {heading[1]}" in with_script
    assert '<p class="muted" id="phase"' in with_script, "it says nothing of an end"


PROBE = """<!doctype html><body style="margin:0"><script>
"use strict";
const frame = document.createElement("iframe");
frame.style = "width:WIDTHpx;height:900px;border:0";
frame.srcdoc = HTML;
frame.onload = () => {
  const doc = frame.contentDocument, seen = doc.scrollingElement;
  const ink = (rule) => frame.contentWindow.getComputedStyle(rule).color;
  document.body.replaceChildren(JSON.stringify(
    { scroll: seen.scrollWidth, ink: ink(doc.body), rows: doc.querySelectorAll("td").length }));
};
document.body.append(frame);
</script>"""


@needs_chromium
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize(("scheme", "ink"), [(0, "rgb(232, 230, 227)"), (1, "rgb(34, 34, 34)")])
def test_in_a_browser_nothing_overflows_in_the_dark_or_in_the_light(
    tmp_path: Path, width: int, scheme: int, ink: str
) -> None:
    events = [done("a", [0.9, 0.91, 0.92]), done("b", [0.95, 0.96, 0.94], cpu="x" * 80)]
    with Serving(watched(*events), 0) as serving:
        port = int(serving.address.rstrip("/").rpartition(":")[2])
        html = re.sub(r"<script>.*</script>", "", ask(port)[2], flags=re.DOTALL)
    probe = tmp_path / "probe.html"
    literal = json.dumps(html).replace("</", "<\\/")
    probe.write_text(PROBE.replace("WIDTH", str(width)).replace("HTML;", f"{literal};"))
    found = found_by(probe, width, f"--blink-settings=preferredColorScheme={scheme}")
    assert found["scroll"] <= width
    assert found["ink"] == ink
    assert found["rows"] > 10
