"""What Matplotlib's SVG lacks: where its parts lie, what each mark says, fonts found elsewhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from reports.figures.sheet import Box

SVG = "{http://www.w3.org/2000/svg}"
NAMESPACES = {
    "": "http://www.w3.org/2000/svg",
    "xlink": "http://www.w3.org/1999/xlink",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "cc": "http://creativecommons.org/ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
}
STACK = "'DejaVu Sans', 'Bitstream Vera Sans', Verdana, Geneva"
"""Fonts with letters as wide as those that the drawing was laid out for; the first one drew it."""
PART, BOX = "data-part", "data-box"

for _prefix, _name in NAMESPACES.items():
    ElementTree.register_namespace(_prefix, _name)


def finished(text: str, parts: Mapping[str, Box], told: Mapping[str, Sequence[str]]) -> str:
    """Return an SVG whose parts have their boxes and whose marks have titles.

    Parameters
    ----------
    text : as Matplotlib wrote it; its groups have the identifiers in ``parts`` and ``told``.
    parts : where each part lies, in points; a group belongs to the part that its identifier starts
        with, before "-sign" or "-text".
    told : what the marks of an artist say; where their number is another one, nothing is said.
    """
    root = ElementTree.fromstring(text)
    for group in root.iter(f"{SVG}g"):
        name = group.get("id", "")
        part = re.sub(r"-(sign|text)$", "", name)
        if part in parts:
            group.set(PART, part)
            group.set(BOX, " ".join(f"{value:g}" for value in parts[part]))
        if name in told:
            _tell(group, told[name])
    root.tail = "\n"
    drawn = ElementTree.tostring(root, encoding="unicode")
    drawn = drawn.replace("font-family: 'DejaVu Sans'", f"font-family: {STACK}")
    drawn = re.sub(r"(font-family: [^;]*);", r"\1, sans-serif;", drawn)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{drawn}\n'


def parts_of(root: Element) -> dict[str, tuple[Box, list[Element]]]:
    """Return for each part of a figure, in the order of its drawing, where it lies and its groups.

    ValueError where a box is not four numbers.
    """
    found: dict[str, tuple[Box, list[Element]]] = {}
    for group in root.iter(f"{SVG}g"):
        name = group.get(PART)
        if name is not None:
            left, top, width, height = map(float, group.get(BOX, "").split())
            found.setdefault(name, ((left, top, width, height), []))[1].append(group)
    return found


def _tell(group: Element, texts: Sequence[str]) -> None:
    drawn = list(_drawn(group))
    uses = [element for element in drawn if element.tag == f"{SVG}use"]
    marks = uses or [element for element in drawn if element.tag == f"{SVG}path"]
    if len(marks) == len(texts):
        for mark, text in zip(marks, texts, strict=True):
            title = ElementTree.SubElement(mark, f"{SVG}title")
            title.text = "".join(escaped(sign) if steers(sign) else sign for sign in text)


def steers(sign: str) -> bool:
    """Tell whether a character has no picture: a control, a format, or none at all."""
    return unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Cn")


def escaped(sign: str) -> str:
    """Return a character as Python spells it in ASCII."""
    return sign.encode("unicode_escape").decode("ascii")


def _drawn(element: Element) -> Iterator[Element]:
    """Yield what is drawn below an element: not what stands in definitions."""
    for child in element:
        if child.tag != f"{SVG}defs":
            yield child
            yield from _drawn(child)
