"""What stands first on a page: the claim, the box of what was run, number lines, commands."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import found_by, needs_chromium
from reported import RECORDS, STUDY, record

from harness.studies.study import Study
from harness.studies.study_files import load_study
from reports.findings.analysis import Analysis, analyse
from reports.findings.asked import asked
from reports.findings.reference import references
from reports.judging.kinds import KINDS
from reports.numbers.intervals import Interval
from reports.numbers.verdict import decide, gain_rules
from reports.output.markdown import markdown
from reports.output.number_line import WIDTH, drawn
from reports.output.page import draw, page_text
from reports.sections.asked import facts
from reports.sections.lead import lead_section, quote
from reports.sections.legend import legend_section
from reports.sections.number_lines import number_lines
from reports.sections.rich import Strong, parts, plain
from reports.sections.section import Command, Section
from reports.sections.trust import how_run

CITATION = """@inproceedings{two2019,
  title = {On {T}asks, and "more"},
  author = {Doe, Jane and Richard van Roe and {Small}, Ann},
  booktitle = "A {W}orkshop",
  year = 2019,
}
@misc{other, author = {Someone Else}, url = {https://example.org/a}}"""


def said(analysis: Analysis) -> dict[str, str]:
    """Return the box by its terms."""
    return {fact.term: " ".join(map(plain, fact.lines)) for fact in facts(analysis)}


def test_a_reference_is_read_from_its_bibtex() -> None:
    assert references(CITATION) == [
        'Doe, Roe and Small 2019. On Tasks, and "more". A Workshop',
        "Else. https://example.org/a",
    ]
    assert references("@misc{nothing,}") == []
    assert references("") == []


def test_the_box_says_what_was_run_in_words() -> None:
    study = load_study("dhp-split-mnist")
    assert study.texts is not None
    box = said(analyse([], study))
    assert box["Data"].startswith("MNIST: 60,000 training and 10,000 test images")
    assert "2 hidden layers of 256 and 256 units." in box["Network"]
    assert "Mini-batches of 64, 10 epochs a task" in box["Training"]
    assert box["Source"].startswith("Thangarasa, Miconi and Taylor 2019. Differentiable Hebbian")
    assert "gain-poster (poster: 97.44 - 92.75)" in box["Source"]
    assert box["Margin"].startswith("A third of the reported gain")
    assert box["Complete"].startswith("0 of 100 cells are done")
    assert "Cost" not in box, "nothing was run"
    lines = {str(parts(line)[0]): line for fact in facts(analyse([], study))
             if fact.term == "Conditions" for line in fact.lines}  # fmt: skip
    assert list(lines) == list(study.conditions)
    bold = [part for part in parts(lines["dhp"]) if isinstance(part, Strong)]
    assert bold == [
        "plasticity: on; initialisation of the output layer: blog; bias of the output layer: no; "
        "eta: 0.001; alpha scale: 0.01"
    ]
    assert "The baseline" in plain(lines["finetune"])
    (source,) = (fact for fact in facts(analyse([], study)) if fact.term == "Source")
    assert source.copied == study.citation


def test_factors_stand_for_their_crossings() -> None:
    box = said(analyse([], load_study("dhp-attribution")))["Conditions"]
    assert box.startswith("16 crossings of these choices: plasticity: off (an ordinary output lay")
    assert "baseline-again" in box
    assert "plasticity=on head_init=blog" not in box


def test_a_study_that_says_nothing_has_a_box_of_what_is_there() -> None:
    box = said(analyse(RECORDS, STUDY))
    assert "Study" not in box
    assert "Margin" not in box
    assert box["Source"] == "Poster: p. Claims: gain (p)."
    assert box["Complete"].startswith("6 of 8 cells are done")
    assert "b: head init: blog" in box["Conditions"]


def test_conditions_without_a_network_have_none() -> None:
    """As those have that a user's own function trains."""
    study = STUDY.model_copy(update={"conditions": {"a": Own("a", 0.1), "b": Own("b", 0.2)}})
    found = asked(study)
    assert found.settings == {"train": "mine.py:fit", "rows": [1, 2]}
    box = said(analyse([], STUDY))
    assert "Network" in box
    own = said(replace(analyse(RECORDS, STUDY), asked=found, tasks=0))
    assert "Network" not in own
    assert own["Training"] == "Trained by fit of mine.py, rows: 1 and 2."
    assert "b: rate: 0.2" in own["Conditions"]


class Own:
    """A condition that no stack of ours trains."""

    def __init__(self, name: str, rate: float) -> None:
        self.name, self.levels, self.rate = name, dict[str, str](), rate

    def settings(self) -> dict[str, Any]:
        told = {"train": "mine.py:fit", "rate": self.rate, "rows": [1, 2], "train_source": "abc"}
        return {"protocol": {}, "method": told, "imported": self.name}


def test_the_claim_is_a_quotation_and_the_finding_a_sentence_of_ours() -> None:
    claim = STUDY.claims[0]
    study = Study.model_validate(
        STUDY.model_dump(mode="json", exclude_none=True)
        | {
            "citation": CITATION,
            "texts": {"quotes": {claim.id: "ten more"}, "notes": {claim.id: "points are meant"}},
        }
    )
    silent, spoken = analyse(RECORDS, STUDY), analyse(RECORDS, study)
    assert (quote(silent).words, quote(silent).by) == ("b beats a", "p")
    assert (quote(spoken).words, quote(spoken).note) == ("ten more", "points are meant")
    assert quote(spoken).by == "Doe, Roe and Small 2019, p"
    found = lead_section(spoken)
    assert all("b beats a" not in text and "ten more" not in text for text in found.paragraphs)
    text = markdown("t", [found])
    assert "> Claim: “ten more” (Doe, Roe and Small 2019, p)\n>\n> points are meant.\n" in text
    page = page_text("t", [found], {}, verdict="LARGER", lead=found.paragraphs[0])
    assert page.index("<q>ten more</q>") < page.index("<h1")


def test_the_notice_of_a_study_is_everywhere() -> None:
    fields = STUDY.model_dump(mode="json", exclude_none=True)
    study = Study.model_validate(fields | {"texts": {"notice": "NOT THE CLAIM'S DATA SET"}})
    assert analyse(RECORDS, study).notices[0] == "NOT THE CLAIM'S DATA SET"
    for name in ("dhp-split-digits", "smoke"):
        texts = load_study(name).texts
        assert texts is not None
        assert texts.notice is not None


@pytest.mark.parametrize("reported", [4.69, 0.2, -2.0])
def test_a_number_line_shades_where_its_verdict_is_true(reported: float) -> None:
    """Against the rules themselves, applied to a value that is known without an error."""
    margin, negligible = 0.5, 0.3
    rules = gain_rules(reported, margin, negligible)
    ours, inner = Interval(-1.0, 3.0), Interval(-0.5, 2.5)
    lines = number_lines(rules, "PARTIAL", 1.0, ours, inner, 0.05, [(0.0, "0")])
    assert [line.word for line in lines] == [*dict.fromkeys(r.word for r in rules), "INCONCLUSIVE"]
    for value in np.linspace(-6, 6, 481) + 1e-4:
        point = Interval(float(value), float(value))
        verdict = decide(point, point, reported, margin, negligible)
        shaded = [
            line.word for line in lines
            if any(band.low <= value <= band.high for band in line.bands)
        ]  # fmt: skip
        if verdict == "INCONCLUSIVE":
            assert shaded == []
        else:
            assert verdict in shaded, (value, shaded)
    for line in lines:
        assert line.alt.startswith(line.word)
        assert ("This verdict fell." in line.alt) == line.fell == (line.word == "PARTIAL")
        assert "ours is +1.00, 95% interval -1 to +3, 90% interval -0.5 to +2.5" in line.alt


def test_a_number_line_is_drawn_to_scale_and_within_its_frame() -> None:
    rules = KINDS["equal"].rules(type("C", (), {"margin": 1.0})())
    without_end = Interval(-math.inf, math.inf)
    lines = number_lines(rules, "EQUAL", 0.0, Interval(-1, 1), Interval(-0.5, 0.5), 0.05, [])
    svg = drawn(lines[0])
    band = re.search(r'class="band" x="([\d.]+)" y="\d+" width="([\d.]+)"', svg)
    outer = re.search(r'class="outer" x1="([\d.]+)" x2="([\d.]+)"', svg)
    assert band is not None
    assert outer is not None
    assert float(band[1]) == float(outer[1])
    assert float(band[1]) + float(band[2]) == pytest.approx(float(outer[2]), abs=0.2)
    assert 'role="img"' in svg
    assert "EQUAL: -1 to +1" in svg
    for line in number_lines(
        rules, "INCONCLUSIVE", 0.3, without_end, without_end, 0.05, [(0, "<")]
    ):
        svg = drawn(line)
        assert 'class="outer"' not in svg, "an interval without ends is none"
        assert "&lt;" in svg
        assert all(0 <= float(x) <= WIDTH for x in re.findall(r'\bx[12]?="([-\d.]+)"', svg))


def test_the_legend_explains_only_what_there_is() -> None:
    found = legend_section(analyse(RECORDS, STUDY))
    assert found is not None
    terms = {fact.term for fact in found.facts}
    assert {"to settle", "fixed-n t", "P(better)"} <= terms
    assert "anytime-valid t" not in terms
    assert sum(line.fell for line in found.lines) == 1
    assert legend_section(analyse([], STUDY)) is None
    text = markdown("t", [found])
    assert "| REPRODUCED | the whole 95% interval above 0 and the whole 90% interval within" in text


@pytest.mark.parametrize(("seeds", "drawn_there"), [(2, False), (3, True)])
def test_no_interval_of_two_seeds_is_drawn(seeds: int, drawn_there: bool) -> None:
    records = [record(name, seed, 0.7 + 0.02 * (seed + 1) * (name == "b")) for name in "ab"
               for seed in range(seeds)]  # fmt: skip
    found = legend_section(analyse(records, STUDY))
    assert found is not None
    for line in found.lines:
        assert ('class="outer"' in drawn(line)) == drawn_there
        assert ("interval without ends" in line.alt) != drawn_there


def test_commands_are_code_that_stays_as_it_is() -> None:
    commands = {"again": "python run_all.py run 'my study.toml' --seeds 3", "report": "r `` <x>"}
    found = how_run(analyse(RECORDS, STUDY, commands=commands), STUDY)
    assert [one.line for one in found.commands] == [*commands.values()]
    text = markdown("t", [found])
    assert "Run it again:\n\n```\npython run_all.py run 'my study.toml' --seeds 3\n```\n" in text
    assert "\n```\nr `` <x>\n```\n" in text
    page = page_text("t", [Section("a", "A"), found], draw([], Path()))
    assert '<pre><code>r `` &lt;x&gt;</code></pre><button type="button" hidden>Copy' in page


PROBE = """<script>
addEventListener("load", async () => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  Object.defineProperty(navigator, "clipboard", { value: CLIPBOARD });
  const button = document.querySelector(".copied button");
  button.click();
  await wait(200);
  const found = { shown: !button.hidden, says: button.textContent,
                  copied: window.got || getSelection().toString(),
                  wide: document.scrollingElement.scrollWidth, width: innerWidth };
  document.body.replaceChildren(JSON.stringify(found));
});
</script></body>"""


@needs_chromium
@pytest.mark.parametrize(
    "clipboard", ["{ writeText: async (text) => { window.got = text; } }", "undefined"]
)
def test_in_a_browser_a_button_copies_a_command(tmp_path: Path, clipboard: str) -> None:
    """Without a clipboard, as a page from a file may be, it is selected at least."""
    line = "python run_all.py run 'a b.toml' --out " + "results/" * 20
    section = Section("a", "A", ["said"], commands=[Command("Run it", line)])
    page = tmp_path / "page.html"
    text = page_text("t", [section], {})
    page.write_text(text.replace("</body>", PROBE.replace("CLIPBOARD", clipboard)))
    found = found_by(page, 400)
    assert found["shown"]
    assert found["copied"] == line
    assert found["says"] in (("Copied",) if "got" in clipboard else ("Copied", "Selected"))
    assert found["wide"] <= found["width"]


def test_an_ordinary_record_is_enough() -> None:
    records = [record(name, seed, 0.7 + 0.01 * seed * (name == "b")) for name in "ab"
               for seed in range(3)]  # fmt: skip
    assert (
        said(analyse(records, STUDY))["Cost"]
        == "0.0 minutes of compute, summed over cells, on cpu."
    )
