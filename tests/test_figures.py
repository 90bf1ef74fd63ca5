"""Figures: text is text, marks say what they are, and all of it can be read on either paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
import pytest
from every_figure import FIGURES, NAMES, STYLES, curves, estimated, matrices
from matplotlib.colors import to_rgb

from reports.figures import theme
from reports.figures.accuracies import draw_curves
from reports.figures.claims import draw_estimation, draw_forest
from reports.figures.sheet import SMALL, Sheet, text_width
from reports.figures.svg import BOX, PART, SVG
from reports.numbers.tables import mean_with_interval
from reports.output.inline import TOKENS, inline

TEXT, MARK = 4.5, 3.0  # the contrast that is asked of letters, and of marks
CSS = (Path(theme.__file__).parents[1] / "output" / "templates" / "page.css").read_text("utf-8")


@pytest.fixture(scope="module")
def sheets() -> dict[str, Sheet]:
    figures = {name: draw() for name, draw in FIGURES.items()}
    return {name: figure for name, figure in figures.items() if isinstance(figure, Sheet)}


@pytest.fixture(scope="module")
def drawn(sheets: dict[str, Sheet], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("figures")
    assert sheets.keys() == FIGURES.keys(), "all of them are made of panels"
    return {name: theme.save(sheet, folder / name)[0] for name, sheet in sheets.items()}


def root_of(path: Path) -> Element:
    return ElementTree.fromstring(path.read_text(encoding="utf-8"))


def luminance(colour: str) -> float:
    parts = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2: black on white is 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def scheme(dark: bool) -> dict[str, str]:
    """The colours of the page, by name."""
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    colours = [dict(re.findall(r"--(\w+): (#\w+)", block)) for block in blocks]
    assert len(colours) == 3, "light, dark and in print"
    return colours[0] | colours[1] if dark else colours[0]


def on_page(colour: str, colours: dict[str, str]) -> str:
    token = TOKENS.get(colour)
    return colour if token is None else colours[token.removeprefix("var(--").rstrip(")")]


def painted(
    element: Element, within: str = "", said: str = ""
) -> Iterator[tuple[Element, str, str]]:
    """Every element that is drawn, the innermost named group's identifier, and its style.

    What the groups around it say comes after what it says itself.
    """
    for child in element:
        if child.tag != f"{SVG}defs":
            name = child.get("id", "") if child.tag == f"{SVG}g" else ""
            inner = name if name.startswith(("map-", "panel-", "key-")) else within
            style = f"{child.get('style', '')}; {said}"
            if child.tag != f"{SVG}g":
                yield child, inner, style
            yield from painted(child, inner, style)


def colour_of(style: str, what: str) -> str | None:
    found = re.search(rf"(?:^|[ ;]){what}: ([^;]+)", style)
    return found[1] if found and found[1].startswith("#") else None


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", FIGURES)
def test_every_letter_and_mark_can_be_told_from_what_it_lies_on(
    drawn: dict[str, Path], name: str, dark: bool
) -> None:
    colours = scheme(dark)
    root, cells, letters, marks = root_of(drawn[name]), [], 0, 0
    decoration = {theme.GRID, theme.SHADE, theme.PAPER}
    for element, within, style in painted(root):
        assert not re.search(r"opacity: (?!1\b)", style), "what shines through has another colour"
        for what in ("fill", "stroke"):
            colour = colour_of(style, what)
            if colour is None or element.tag == f"{SVG}text":
                continue
            if within.startswith("map-") and what == "fill":
                numbers = [float(n) for n in re.findall(r"-?[\d.]+", element.get("d", ""))]
                cells.append((colour, numbers[::2], numbers[1::2]))
            elif colour not in decoration:
                marks += 1
                assert contrast(on_page(colour, colours), colours["paper"]) >= MARK, (colour, what)
    for element, _, style in painted(root):
        if element.tag == f"{SVG}text":
            letters += 1
            colour = colour_of(style, "fill") or "#000000"
            x, y = float(element.get("x", "nan")), float(element.get("y", "nan"))
            under = [c for c, xs, ys in cells if min(xs) < x < max(xs) and min(ys) < y < max(ys)]
            grounds = under or [colours["paper"], colours["shade"]]
            seen = on_page(colour, colours)
            assert min(contrast(seen, ground) for ground in grounds) >= TEXT, element.text
    assert letters
    assert marks


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_of_the_page_can_be_read(dark: bool) -> None:
    colours = scheme(dark)
    for name in ("ink", "muted", "accent", "good", "part", "bad"):
        assert contrast(colours[name], colours["paper"]) >= TEXT, name
    assert contrast(colours["ink"], colours["shade"]) >= TEXT


def test_hues_of_conditions_and_of_things_in_an_order_are_visible_on_either_paper() -> None:
    papers = [scheme(dark)["paper"] for dark in (False, True)]
    colours: list[Any] = [*theme.PALETTE, *(c for n in range(1, 21) for c in theme.ordered(n))]
    assert min(contrast(colour, paper) for colour in colours for paper in papers) >= MARK


@pytest.mark.parametrize("name", FIGURES)
def test_text_is_text_and_no_smaller_than_ten_pixels(drawn: dict[str, Path], name: str) -> None:
    root = root_of(drawn[name])
    texts = [element for element in root.iter(f"{SVG}text") if element.text]
    assert texts
    styles = [
        style for element, _, style in painted(root, said=root.get("style", "")) if element in texts
    ]
    sizes = {
        float(size) for style in styles for size in re.findall(r"font-size: ([\d.]+)px", style)
    }
    assert min(sizes) >= SMALL
    assert all("Verdana" in style for style in styles)
    assert not [e for e in root.iter(f"{SVG}use") if "DejaVu" in str(e.attrib)], "no drawn letters"


@pytest.mark.parametrize("name", FIGURES)
def test_panels_and_legend_are_parts_that_fit_a_phone_and_lie_apart(
    drawn: dict[str, Path], sheets: dict[str, Sheet], name: str
) -> None:
    figure = sheets[name]
    assert set(figure.parts) == {
        group.get(PART) for group in root_of(drawn[name]).iter(f"{SVG}g") if group.get(PART)
    }
    width, height = 72 * figure.get_size_inches()
    boxes = list(figure.parts.values())
    for left, top, wide, high in boxes:
        assert wide <= 72 * 3.8, "a phone of 400 pixels"
        assert -0.1 <= left <= left + wide <= width + 0.1
        assert -0.1 <= top <= top + high <= height + 0.1
    for place, (left, top, wide, high) in enumerate(boxes):
        for other_left, other_top, other_wide, other_high in boxes[place + 1 :]:
            across = min(left + wide, other_left + other_wide) - max(left, other_left)
            down = min(top + high, other_top + other_high) - max(top, other_top)
            assert min(across, down) < 0.1
    page = inline(drawn[name], name)
    assert page.count('class="panel') - 1 == len(figure.panels), "one class is of them all"
    assert BOX not in re.sub(r"<g [^>]*>", "", page)


def test_a_mark_says_its_seed_and_value(drawn: dict[str, Path], sheets: dict[str, Sheet]) -> None:
    pair = estimated(5).claims[0].contrast
    said = [title.text or "" for title in root_of(drawn["estimation"]).iter(f"{SVG}title")]
    for seed, low, high in zip(pair.seeds, pair.untreated, pair.treated, strict=True):
        assert f"seed {seed}: {low:.2f} to {high:.2f}" in said
        assert f"seed {seed}: {high - low:+.2f}" in said
    said = [title.text or "" for title in root_of(drawn["tasks"]).iter(f"{SVG}title")]
    assert len(said) == len(NAMES) * 4 * 5
    last = 100 * matrices()["other+"][-1][4, 4]
    assert f"seed 6, task 5: {last:.2f}" in said
    for name, sheet in sheets.items():
        told = [text for texts in sheet.told.values() for text in texts]
        root = root_of(drawn[name])
        assert len(list(root.iter(f"{SVG}title"))) == len(told), f"{name}: one title a mark"


def test_a_legend_of_one_condition_is_left_out_and_its_name_is_the_title(
    sheets: dict[str, Sheet],
) -> None:
    figure = sheets["alone"]
    assert figure.panels[0].get_title() == "plain"
    assert [text.get_text() for text in figure.texts] == ["↑ accuracy over tasks seen so far (%)"]


@pytest.mark.parametrize(("seeds", "intervals"), [(1, 0), (2, 0), (3, 2), (5, 2)])
def test_below_three_seeds_no_interval_is_drawn_and_the_axis_holds_the_seeds_alone(
    seeds: int, intervals: int
) -> None:
    analysis = estimated(seeds)
    judged = analysis.claims[0]
    figure = draw_estimation(judged, theme.styles_of(analysis))
    assert isinstance(figure, Sheet)
    left, right = figure.panels
    wide = [line for line in right.lines if np.ravel(line.get_xdata()).tolist() == [0.25, 0.25]]
    assert len(wide) == intervals
    assert left.get_title() == ("1 seed" if seeds == 1 else f"{seeds} seeds, each a line")
    low, high = right.get_ylim()
    assert -2 < low < high < 20
    assert judged.judgement is not None
    assert ("no interval" in judged.judgement.reason) == (seeds < 3)
    assert "inf" not in judged.judgement.reason


def test_an_interval_of_accuracies_is_students_and_ends_where_accuracies_do() -> None:
    values = np.array([99.0, 100.0, 98.0])
    half = 4.302653 / np.sqrt(3)  # t(0.975, 2) and the standard error of a spread of 1
    assert mean_with_interval(values) == pytest.approx((99, 99 - half, 99 + half))
    assert mean_with_interval(values, within=(0, 100)) == pytest.approx((99, 99 - half, 100))
    for few in (values[:1], values[:2]):
        mean, *ends = mean_with_interval(few)
        assert mean == few.mean()
        assert np.isnan(ends).all()


def test_an_interval_narrower_than_its_mark_is_drawn_over_it() -> None:
    figure = draw_forest(estimated(5).claims)
    assert isinstance(figure, Sheet)
    (axis,) = figure.panels
    marks = [line for line in axis.lines if line.get_marker() == "D"]
    spans = [line for line in axis.lines if line.get_zorder() > marks[0].get_zorder()]
    assert len(spans) == 2
    assert {mark.get_markerfacecolor() for mark in marks} == {theme.PAPER}


def test_where_most_conditions_lie_close_together_a_panel_shows_them_closer() -> None:
    rows = curves()
    means = {"plain": 60.0, "plain+": 97.0, "other": 98.0, "other+": 99.0}
    rows["accuracy"] = rows["condition"].map(means) + rows["seed"] / 10
    figure = draw_curves(rows, NAMES, STYLES, {}, "")
    assert isinstance(figure, Sheet)
    whole, closer = figure.panels
    assert whole.get_ylim()[0] < 60
    assert closer.get_ylim()[0] > 90
    rows["accuracy"] = 90 + rows["seed"]
    assert len(draw_curves(rows, NAMES, STYLES, {}, "").axes) == 1


def test_conditions_of_equal_accuracy_stand_apart_at_each_task() -> None:
    for count in (1, 2, 10, 12):
        shifts = theme.shifts(count)
        assert sum(shifts) == pytest.approx(0)
        assert all(a < b for a, b in pairwise(shifts))
        assert shifts[-1] - shifts[0] <= theme.WIDEST + 1e-9


def test_letters_that_steer_others_are_spelt_out() -> None:
    assert theme.lettered("abc \u202edesrever") == "abc \\u202edesrever"
    assert theme.lettered("a\u200bb") == "a\\u200bb"


def test_the_width_of_a_text_is_that_of_its_letters() -> None:
    assert text_width("mm", 10) == pytest.approx(2 * text_width("m", 10), rel=0.02)
    assert text_width("a\nwwww", 8) == text_width("wwww", 8)
    assert 0.08 < text_width("m", 8) * 1.0 < 0.12, "the m of DejaVu Sans is 0.97 of its size"
