"""A figure's SVG as parts that flow on a page, in the page's colours."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markupsafe import Markup

from reports.figures import theme
from reports.figures.sheet import WHOLE, Box
from reports.figures.svg import SVG, parts_of

TOKENS = {
    theme.INK: "var(--ink)",
    theme.MUTED: "var(--muted)",
    theme.GRID: "var(--grid)",
    theme.SHADE: "var(--shade)",
    theme.PAPER: "var(--paper)",
}
"""For each colour of the figures that the page replaces, the page's own."""

SIZE = re.compile(r"([0-9.]+)pt")
PIXELS = 96 / 72


def inline(path: Path, name: str) -> Markup:
    """Return the SVG of a file for the page, each part of it as an SVG of its own.

    The style sheet of the file is left out: the page has it, and here it would be for everything.
    A part keeps its size, so that its letters do on a phone, and the page lets the parts flow. Its
    identifiers begin with ``name``. A drawing without parts is one part.

    Raises
    ------
    OSError, ValueError
        Where the file cannot be read, or is no SVG with a size.
    """
    try:
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    except ElementTree.ParseError as error:
        raise ValueError(f"{path}: {error}") from None
    if root.tag != f"{SVG}svg":
        raise ValueError(f"{path} is no SVG")
    for extra in root.findall(f"{SVG}metadata"):
        root.remove(extra)
    parts = parts_of(root)
    if not parts:
        return _coloured(_whole(root), name)
    for _, groups in parts.values():
        _without(root, groups)
    shown = [
        _svg(box, groups, _kind(part, box))
        for part, (box, groups) in sorted(parts.items(), key=lambda item: _place(item[0]))
    ]
    rest = Element(f"{SVG}svg", {"class": "shared", "width": "0", "height": "0"})
    rest.extend(one for one in root.iter(f"{SVG}defs") if one.find(f"{SVG}style") is None)
    keys = [svg for svg in shown if svg.get("class") == "key"]
    panels = [svg for svg in shown if svg not in keys]
    text = "".join(
        f'<div class="{kind}">{"".join(ElementTree.tostring(s, encoding="unicode") for s in group)}'
        "</div>"
        for kind, group in (("keys", keys), ("panels", [*panels, rest]))
        if group
    )
    return _coloured(text, name)


def _place(part: str) -> int:
    """Return where a part stands among those of its kind: they are drawn in another order."""
    number = part.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


def _kind(part: str, box: Box) -> str:
    if part.startswith("key"):
        return "key"
    return "panel whole" if box[2] >= 72 * WHOLE else "panel"


def _svg(box: Box, groups: list[Element], kind: str) -> Element:
    left, top, width, height = box
    svg = Element(
        f"{SVG}svg",
        {
            "class": kind,
            "width": f"{PIXELS * width:.1f}",
            "height": f"{PIXELS * height:.1f}",
            "viewBox": f"{left:g} {top:g} {width:g} {height:g}",
        },
    )
    svg.extend(groups)
    return svg


def _without(element: Element, groups: list[Element]) -> None:
    for child in list(element):
        if child in groups:
            element.remove(child)
        else:
            _without(child, groups)


def _whole(root: Element) -> str:
    size = SIZE.fullmatch(root.get("width", ""))
    if size is not None:
        root.set("style", f"max-width:{round(PIXELS * float(size[1]))}px")
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    return ElementTree.tostring(root, encoding="unicode")


def _coloured(text: str, name: str) -> Markup:
    for mark in ('id="', 'href="#', "url(#"):
        text = text.replace(mark, f"{mark}{name}-")
    for colour, token in TOKENS.items():
        text = text.replace(colour, token)
    return Markup(text.replace("<svg ", '<svg aria-hidden="true" '))  # the labels are escaped
