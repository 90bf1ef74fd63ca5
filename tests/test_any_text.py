"""Any text of a study appears as it is: in the terminal, on the page, in Markdown, in figures."""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter
from reported import Page, record, write
from rich.console import Console

from harness.screen.listing import show_study
from harness.screen.progress import Display
from harness.studies.study import Study
from reports.figures import theme
from reports.findings.analysis import analyse
from reports.numbers.verdict import SIGNS
from reports.output.console import Terminal
from reports.output.legible import spelt, visible
from reports.output.markdown import markdown
from reports.output.terminal import show
from reports.sections.section import Section, Table, slug

quick = settings(derandomize=True, deadline=None, max_examples=200)

TEXTS = [
    "[/appendix] [bold]b[/] [link=x]",
    "costs $5 and $6; $\\frac{1$ x_1^2 \\alpha",
    "<script>alert(1)</script> &amp; \"'",
    "1. `a` | *b* ~~c~~ # d",
    ":smile: -- \\",
    "日本語 😀 العربية é",
    "\x1b[31mred\x07 \x00 \x7f \x85 \ufffe",
    "_under",
    "- a\nb\r\n\tc",
]
STARTS = {"on": {}, "b@:b:": {"bias": False}}
"""Names are of few letters; with ``:b:`` among them, which a terminal could take for an emoji."""


def id_of(text: str) -> str:
    """Return what an id may have of a text: one line of at most 100 letters."""
    return re.sub(r"[\r\n]+", " ", text)[:100].strip()


def study_of(text: str) -> Study:
    """Two factors, a claim, a source and a curve, all of whose free texts are ``text``."""
    off, on = "p=off h=on", "p=on h=b@:b:"
    name = id_of(text)
    claim = {
        "id": name, "text": text, "source": text, "treatment": on, "baseline": off,
        "reported": 4.0, "unit": "points", "margin": 1.0,
    }  # fmt: skip
    curve = {
        "id": "curve", "text": text, "treatment": {"p": "on"}, "baseline": {"p": "off"},
        "reported": 4.0, "margin": 1.0,
    }  # fmt: skip
    published = {"id": name, "source": text, "after_tasks": [1, 2], "accuracy": {off: [99.0, 70.0]}}
    factors = {
        "p": {"levels": {"off": {}, "on": {"plasticity": "on"}}},
        "h": {"levels": STARTS},
    }
    return Study.model_validate(
        {"name": "hand", "description": text, "seeds": 3, "factors": factors,
         "claims": [claim], "curves": [curve], "published": [published]}
    )  # fmt: skip


def records_of(study: Study) -> list[Any]:
    draws = np.random.default_rng(5)
    return [
        record(name, seed, 0.7 + float(draws.normal(0, 0.02))) | {"key": f"{name} {seed}"}
        for name in study.conditions
        for seed in study.seeds
    ]


def plain(text: str) -> str:
    """A text as it is shown, whatever the ends of its lines."""
    return " ".join(visible(text).split())


# Terminal


def printed(study: Study, terminal: Console) -> str:
    show_study(terminal, study)
    show(terminal, analyse(records_of(study), study), study)
    stream = terminal.file
    stream.flush()
    if isinstance(stream, io.TextIOWrapper):
        assert isinstance(stream.buffer, io.BytesIO)
        return stream.buffer.getvalue().decode(stream.encoding)
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


@pytest.mark.parametrize("text", TEXTS)
def test_the_terminal_prints_it_as_it_is(text: str) -> None:
    study = study_of(text)
    said = printed(study, Terminal(file=io.StringIO(), width=2000))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", said), "nothing steers the terminal"
    # description, claim, source, curve, headline; and the id, where it may be the whole text
    places = 6 if id_of(text) == text else 5
    for line in visible(text).expandtabs(8).split("\n"):
        assert said.count(line.strip()) >= places
    for name in study.conditions:
        assert name in said, "and no level is an emoji"


@pytest.mark.parametrize("text", TEXTS[:4])
def test_no_console_reads_it_as_markup(text: str) -> None:
    said = printed(study_of(text), Console(file=io.StringIO(), width=2000))
    assert said.count(text) >= 6


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
@pytest.mark.parametrize("text", [TEXTS[0], TEXTS[5], TEXTS[6]])
def test_a_terminal_of_any_encoding_prints_all_of_it(text: str, encoding: str) -> None:
    """A stream that raises for what it cannot encode."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    said = printed(study_of(text), Terminal(file=stream, width=2000))
    assert "INCONCLUSIVE" in said
    assert spelt(visible(text), encoding) in said
    assert ("4.0 ± 1.0" if encoding != "ascii" else "4.0 +- 1.0") in said


def test_no_verdict_gets_the_sign_of_another() -> None:
    signs = [spelt(sign, "ascii") for sign in SIGNS.values()]
    assert len(set(signs)) == len(SIGNS)
    assert all(len(sign) == 1 for sign in signs), "tables keep their columns"


@quick
@given(st.text(), st.sampled_from(["ascii", "latin-1", "utf-8", "cp437"]))
@example("a\ud800b", "utf-8")
def test_what_is_spelt_out_can_be_written_and_the_rest_stays(text: str, encoding: str) -> None:
    shown = spelt(text, encoding)
    shown.encode(encoding)
    assert spelt(shown, encoding) == shown
    if text.isascii():
        assert shown == text


TURNS = ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")
"""What turns the direction of writing, as Unicode calls it."""


@quick
@given(st.text())
@example("\u202agnp\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069.exe")
def test_every_control_character_is_made_visible(text: str) -> None:
    shown = visible(text)
    assert all(sign in "\n\t" or unicodedata.category(sign) != "Cc" for sign in shown)
    assert not any(unicodedata.bidirectional(sign) in TURNS for sign in shown)
    if not any(
        unicodedata.category(sign) in ("Cc", "Cn") or unicodedata.bidirectional(sign) in TURNS
        for sign in text
    ):
        assert shown == text


def test_progress_names_conditions_as_they_are() -> None:
    terminal = Terminal(file=io.StringIO(), width=200)
    display = Display(terminal, 2, {"p=:b:": [0.5, 0.6], "q": []})
    terminal.print(display._render())
    said = terminal.file.getvalue()  # type: ignore[attr-defined]
    assert "p=:b: 55.00 (2)" in said
    assert "running mean accuracy" in said


# Page and Markdown


class Words(HTMLParser):
    """The text of HTML, one string for each element that holds some."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = [""]
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.words.append("")

    def handle_endtag(self, tag: str) -> None:
        self.words.append("")

    def handle_data(self, data: str) -> None:
        self.words[-1] += data


def normal(words: list[str]) -> list[str]:
    return [" ".join(word.split()) for word in words if word.strip()]


@pytest.mark.parametrize("text", ["_under $ one", " ".join(TEXTS)], ids=["one", "all"])
def test_the_page_and_its_figures_show_it_as_it_is(tmp_path: Path, text: str) -> None:
    study = study_of(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a letter that no font has
        page = write(records_of(study), study, tmp_path / "report")
    html = page.read_text(encoding="utf-8")
    assert Page(page).tags.count("script") == 1, "our own"
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe]", html)
    words = normal(Words(html).words)
    assert words.count(plain(id_of(text))) >= 3
    assert plain(text) in words
    assert any(word.endswith(f": {plain(text)}") for word in words), "title of the curve"
    for figure in page.parent.glob("*.svg"):
        ElementTree.parse(figure)
        assert figure.with_suffix(".png").stat().st_size > 1000
    rendered = (
        MarkdownIt("commonmark")
        .enable("table")
        .render((page.parent / "report.md").read_text(encoding="utf-8"))
    )
    assert plain(text) in normal(Words(rendered).words)


@quick
@given(st.text())
@example("- a")
@example("1) a")
@example("---")
@example("a\\")
@example("&lt;")
def test_markdown_keeps_any_text_in_every_place(text: str) -> None:
    section = Section("id", f"x{text}", [text], tables=[Table("t", ["a", text], [[text, "b"]])])
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    words = normal(Words(parser.render(markdown("name", [section]))).words)
    shown = plain(text)
    title = plain(f"x{text}")
    assert words == list(filter(None, ["name", title, shown, "t", "a", shown, shown, "b"]))


def test_what_a_figure_cannot_draw_is_written_as_an_escape() -> None:
    assert theme.lettered("a $x$ é\nb") == "a $x$ é b"
    assert theme.lettered("\x1b \U00013000") == "\\x1b \\U00013000"
    assert theme.lettered("wide " * 20, 20).count("\n") == 4


def test_ticks_of_logarithmic_axes_need_no_mathematics() -> None:
    assert [theme.power_of_ten(v) for v in (0, 1, 10, 1e-3, -1e12)] == [
        "0", "10⁰", "10¹", "10⁻³", "-10¹²",
    ]  # fmt: skip
    assert theme.power_of_ten(0.02) == "0.02"
    with theme.drawing():
        figure, axis = plt.subplots()
        axis.plot([1, 2], [1e-3, 1])
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter(FuncFormatter(theme.power_of_ten))
        figure.draw_without_rendering()
    assert all("$" not in label.get_text() for label in axis.get_yticklabels())
    plt.close(figure)


# Names of files


@quick
@given(st.text(), st.text())
def test_any_name_makes_a_file_name_of_its_own(one: str, other: str) -> None:
    names = [slug(f"curve-{text}") for text in (one, other)]
    assert all(re.fullmatch(r"curve-[A-Za-z0-9._-]{0,64}", name) for name in names)
    assert (names[0] == names[1]) == (one == other)


def test_names_that_differ_after_a_dot_have_files_of_their_own(tmp_path: Path) -> None:
    before = plt.get_fignums()
    for name in ("v1.2", "v1.3"):
        theme.save(plt.figure(), tmp_path / name)
    there = sorted(path.name for path in tmp_path.iterdir())
    assert there == ["v1.2.png", "v1.2.svg", "v1.3.png", "v1.3.svg"]
    assert plt.get_fignums() == before
