"""What Matplotlib's SVG has too much of: digits that nobody can see, and what each mark repeats.

A page with a hundred panels is mostly that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from reports.figures.svg import PART, SVG

LENGTHS = ("d", "x", "y", "transform", "points")
FRACTION = re.compile(r"-?\d+\.\d{3,}(?![\d.e])")
UNTURNED = re.compile(r"rotate\(-?0( [-0-9.]+){2}\)")
CURVED = re.compile("[^MLz0-9. -]")
INHERITED = frozenset(
    (
        "fill",
        "fill-opacity",
        "font-family",
        "font-size",
        "stroke",
        "stroke-dasharray",
        "stroke-dashoffset",
        "stroke-linecap",
        "stroke-linejoin",
        "stroke-opacity",
        "stroke-width",
        "text-anchor",
    )
)
"""What a mark takes from the group around it, where it does not say it itself."""


def shortened(text: str) -> str:
    """Return an SVG that is drawn as another one, to a hundredth of a point, in fewer letters.

    Parts that a page takes out (``PART``) each say their font.
    """
    root = ElementTree.fromstring(text)
    for element in root.iter():
        _round(element)
        if element.tag != f"{SVG}style":
            _close_up(element)
    _say_font_once(root)
    _share(root)
    root.tail = "\n"
    drawn = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{drawn}\n'


def _round(element: Element) -> None:
    for name in LENGTHS:
        value = element.get(name)
        if value is None or "scale" in value or "matrix" in value:
            continue
        value = FRACTION.sub(lambda number: f"{round(float(number[0]), 2):g}", value)
        value = " ".join(UNTURNED.sub("", value).split())
        if name == "d" and not CURVED.search(value):
            value = value.replace(" L ", " ")  # pairs after a move are lines
        element.set(name, value)
        if not value:
            del element.attrib[name]


def _close_up(element: Element) -> None:
    if len(element) and not (element.text or "").strip():
        element.text = None
    for child in element:
        if not (child.tail or "").strip():
            child.tail = None


def _say_font_once(root: Element) -> None:
    texts = list(root.iter(f"{SVG}text"))
    said = [declarations(text) for text in texts]
    fonts = {one.pop("font-family", "") for one in said}
    if len(fonts) != 1 or not (font := fonts.pop()):
        return
    for text, own in zip(texts, said, strict=True):
        _declare(text, own)
    for whole in (root, *(group for group in root.iter(f"{SVG}g") if PART in group.attrib)):
        _declare(whole, {"font-family": font, **declarations(whole)})


def _share(group: Element) -> None:
    """Say of a group what everything in it says of itself, from the innermost group outwards."""
    drawn = [child for child in group if child.tag not in (f"{SVG}title", f"{SVG}metadata")]
    for child in drawn:
        if child.tag in (f"{SVG}g", f"{SVG}defs"):
            _share(child)
    if group.tag != f"{SVG}g" or len(drawn) < 2:
        return
    clips = {child.get("clip-path") if child.tag == f"{SVG}path" else None for child in drawn}
    if len(clips) == 1 and None not in clips and "clip-path" not in group.attrib:
        group.set("clip-path", str(clips.pop()))
        for child in drawn:
            del child.attrib["clip-path"]
    said = [declarations(child) for child in drawn]
    common = {
        name: value
        for name, value in said[0].items()
        if name in INHERITED and all(other.get(name) == value for other in said)
    }
    _declare(group, {**common, **declarations(group)})
    for child, own in zip(drawn, said, strict=True):
        _declare(child, {name: value for name, value in own.items() if name not in common})


def declarations(element: Element) -> dict[str, str]:
    """Return what an element says of its own style, by property."""
    pairs = (one.partition(":") for one in element.get("style", "").split(";") if one.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _declare(element: Element, said: Mapping[str, str]) -> None:
    element.attrib.pop("style", None)
    if said:
        element.set("style", "; ".join(f"{name}: {value}" for name, value in said.items()))
