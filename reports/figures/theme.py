"""How every figure looks: one set of colours, legible in print, on a phone and in the dark."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib import font_manager
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from reports.figures.sheet import FONT, USUAL, Sheet
from reports.figures.short import shortened
from reports.figures.svg import escaped, finished, steers
from reports.findings.analysis import Analysis
from reports.numbers.words import counted

INK, MUTED, GRID, SHADE, PAPER = "#222222", "#6b6b6b", "#d8d8d8", "#e6e6e6", "#ffffff"
"""Colours that stand for no data. The page replaces them by its own light or dark colours."""

PALETTE = (
    "#0173b2", "#c27a06", "#028563", "#d55e00", "#a45cc0",
    "#8c5a2b", "#d64f98", "#7d7d7d", "#7f7f00", "#2b93d1",
)  # fmt: skip
"""Hues for colour-blind readers, each with a contrast of 3 or more to white and to black paper."""

ORDERED = ("#8a56c9", "#0173b2", "#00866b", "#6f7f00", "#b86a00", "#cf4a2e")
"""Hues from which those of things in an order are blended; as visible as ``PALETTE``."""

MARKERS = "osD^vPX<>*"

WIDEST = 0.3

MOST_SEEDS = 200
"""Number of seeds that a figure draws one by one at most; means and intervals are of all."""

FURTHER_FONTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Source Han Sans",
    "WenQuanYi Zen Hei", "Hiragino Sans", "PingFang SC", "Yu Gothic", "Microsoft YaHei",
    "Malgun Gothic", "Arial Unicode MS",
)  # fmt: skip
"""Fonts with the letters that ``FONT`` lacks; used where they are installed."""

TEXT_AS_IT_IS = {"text.parse_math": False, "text.usetex": False}
"""A name with dollars in it is not read as a formula."""

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Style:
    """How a condition is drawn in every figure of a study; it never differs by colour alone."""

    colour: tuple[float, float, float]
    line: str
    marker: str
    filled: bool


@contextmanager
def drawing() -> Iterator[None]:
    """Draw the figures of this context in the house style."""
    colours = {
        "text.color": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.edgecolor": MUTED,
        "grid.color": GRID,
        "axes.facecolor": PAPER,
        "figure.facecolor": PAPER,
        "legend.facecolor": PAPER,
        "legend.edgecolor": GRID,
        "legend.labelcolor": INK,
    }
    sizes = {
        "font.size": USUAL,
        "axes.titlesize": USUAL,
        "axes.titley": 1.0,  # else each drawing looks for the place above all ticks
        "axes.titlepad": 4,
        "axes.formatter.useoffset": False,
    }
    with sns.axes_style("whitegrid"), mpl.rc_context():
        settings: dict[str, Any] = {**colours, **sizes, **TEXT_AS_IT_IS}
        settings["font.family"] = _fonts()
        mpl.rcParams.update(settings)  # type: ignore[arg-type]
        yield


def styles(conditions: Sequence[str], pairs: Mapping[str, str]) -> dict[str, Style]:
    """Return the style of each condition of a study.

    A condition and its variants share one hue of a palette made for colour-blind readers; they
    differ in line and marker. Other conditions differ in hue and marker, and from the eleventh on
    in line.

    Parameters
    ----------
    conditions : all of the study, so that a condition looks the same wherever it is drawn.
    pairs : by variant, the condition that it is a variant of.
    """
    place_of: dict[str, int] = {}
    for condition in conditions:
        place_of.setdefault(pairs.get(condition, condition), len(place_of))
    palette = [to_rgb(colour) for colour in PALETTE]
    paired = {*pairs, *pairs.values()}
    style_of = {}
    for condition in conditions:
        place = place_of[pairs.get(condition, condition)]
        colour = palette[place % len(palette)]
        if condition in paired:
            variant = condition in pairs
            style = Style(colour, "-" if variant else "--", "o" if variant else "s", variant)
        else:
            line = ("-", "--", ":", "-.")[place // len(palette) % 4]
            style = Style(colour, line, MARKERS[place % len(MARKERS)], filled=True)
        style_of[condition] = style
    return style_of


def ordered(count: int) -> list[tuple[float, float, float]]:
    """Return colours for things in an order, such as tasks."""
    return list(sns.blend_palette(ORDERED, count)) if count > 1 else [to_rgb(ORDERED[0])]


def shifts(count: int) -> list[float]:
    """Return how far each of ``count`` conditions is moved along the tasks, so that none hides.

    The unit is the distance of two tasks; all of them together take at most ``WIDEST``.
    """
    if count < 2:
        return [0.0] * count
    step = min(0.06, WIDEST / (count - 1))
    return [step * (place - (count - 1) / 2) for place in range(count)]


def drawn_seeds(count: int, most: int = MOST_SEEDS) -> list[int]:
    """Return the places, of ``count`` seeds in order, that are drawn one by one: spread evenly."""
    if count <= most:
        return list(range(count))
    return [place * (count - 1) // (most - 1) for place in range(most)]


def which_seeds(count: int, most: int = MOST_SEEDS) -> str:
    """Return in words which of ``count`` seeds are drawn one by one: "12 seeds"."""
    return counted(count, "seed") if count <= most else f"{most} of {count:,} seeds"


def styles_of(analysis: Analysis) -> dict[str, Style]:
    """Return the style of each condition of the study that was analysed."""
    return styles([cells.condition for cells in analysis.cells], analysis.pairs)


def wrapped(name: str, width: int = 22) -> str:
    """Return a condition's name in lines of at most ``width`` letters, for an axis or a title.

    A factor and its level that do not fit on one line are split at the equals sign.
    """
    words = [word if len(word) <= width else word.replace("=", "= ", 1) for word in name.split()]
    return "\n".join(textwrap.wrap(" ".join(words), width, break_on_hyphens=False)) or name


def lettered(text: str, width: int = 40) -> str:
    """Return any text for a figure, in lines of at most ``width`` letters.

    A letter that no available font has is written as an escape, not as an empty box; so is one
    that has no picture and steers how others are written, such as from right to left.
    """
    shown = (
        sign if sign in " \n\t" or (_has_glyph(sign) and not steers(sign)) else escaped(sign)
        for sign in text
    )
    return wrapped("".join(shown), width)


@cache
def _fonts() -> list[str]:
    there = {font.name for font in font_manager.fontManager.ttflist}
    return [FONT, *(name for name in FURTHER_FONTS if name in there)]


@cache
def _has_glyph(sign: str) -> bool:
    paths = (font_manager.findfont(name) for name in _fonts())
    return any(font_manager.get_font(path).get_char_index(ord(sign)) for path in paths)


def power_of_ten(value: float, _: object = None) -> str:
    """Label a tick of a logarithmic axis as 10⁻³, without the markup of formulas."""
    if value == 0:
        return "0"
    exponent = round(math.log10(abs(value)))
    if not math.isclose(abs(value), 10.0**exponent):
        return f"{value:g}"
    return f"{'-' if value < 0 else ''}10{str(exponent).translate(SUPERSCRIPTS)}"


def save(figure: Figure, path: Path) -> list[Path]:
    """Write a figure as SVG and PNG (150 dpi), and return the files. Same data, same bytes.

    ``path`` is the path of both files without the suffix. The figure is closed even if writing
    fails.
    """
    files = [path.with_name(f"{path.name}{suffix}") for suffix in (".svg", ".png")]
    # The salt keeps identifiers the same; some ticks are made only now, and need the text settings.
    fixed: Any = {"svg.hashsalt": path.name, "svg.fonttype": "none", **TEXT_AS_IT_IS}
    parts, told = (figure.parts, figure.told) if isinstance(figure, Sheet) else ({}, {})
    try:
        with mpl.rc_context(fixed):
            engine = figure.get_layout_engine()
            if engine is not None:
                engine.execute(figure)
                figure.set_layout_engine("none")  # it is found; twice more would take long
            drawn = io.StringIO()
            figure.savefig(drawn, format="svg", metadata={"Date": None})
            text = shortened(finished(drawn.getvalue(), parts, told))
            files[0].write_text(text, encoding="utf-8")
            figure.savefig(files[1], dpi=150, metadata={"Software": None})
    finally:
        plt.close(figure)
    return files
