"""Is a figure of a report the one that its records give?

Drawn by the version of Matplotlib that draws here, a figure is the same bytes. Another version sets
letters otherwise. The version is written in the SVG; where it is another, these must agree:

- the size, and the place of every mark and line within the axes, up to ``MARKS`` points;
- the picture: its size up to ``PIXELS``, and the mean brightness of every patch of ``PATCH`` by
  ``PATCH`` pixels up to ``BRIGHTNESS`` of the whole scale.

Between Matplotlib 3.10 and 3.11 marks move by 0.6 points and patches by 0.08. What letters say is
not compared then.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from matplotlib.image import imread

MARKS = 1.0
"""Points, of 1/72 inch."""
PIXELS, PATCH, BRIGHTNESS = 2, 24, 0.12
DRAWN_BY = re.compile(r"<dc:title>Matplotlib v([^,<]+)")
NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")

Mark = tuple[str, tuple[float, ...]]
"""The kind of a mark and its coordinates in points."""


def drawn_by_another(path: Path) -> str | None:
    """Return the version of Matplotlib that drew an SVG; None if it draws here, or is unknown."""
    try:
        found = DRAWN_BY.search(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return None if found is None or found[1] == mpl.__version__ else found[1]


def fault_of_figure(written: Path, drawn: Path) -> str | None:
    """Return what is wrong with a figure, an SVG or PNG; None where it is the one that was drawn.

    Parameters
    ----------
    written, drawn : the file in the report, and the one that the records give.
    """
    if written.read_bytes() == drawn.read_bytes():
        return None
    version = drawn_by_another(written.with_suffix(".svg"))
    if version is None:
        return "not what the records give"
    try:
        fault = (
            _fault_of_svg(written, drawn)
            if written.suffix == ".svg"
            else _fault_of_png(written, drawn)
        )
    except (OSError, ValueError, SyntaxError, TypeError):
        fault = "it cannot be read"
    return None if fault is None else f"not what the records give, drawn by {version}: {fault}"


def _fault_of_svg(written: Path, drawn: Path) -> str | None:
    (size, marks), (expected_size, expected) = _svg(written), _svg(drawn)
    if not np.allclose(size, expected_size, atol=MARKS, rtol=0):
        return "another size"
    if [(kind, len(at)) for kind, at in marks] != [(kind, len(at)) for kind, at in expected]:
        return f"{len(marks)} marks and lines, not {len(expected)}, or others"
    furthest = max(
        (abs(a - b) for (_, at), (_, right) in zip(marks, expected, strict=True)
         for a, b in zip(at, right, strict=True)),
        default=0.0,
    )  # fmt: skip
    return None if furthest <= MARKS else f"a mark is {furthest:.1f} points from its place"


def _svg(path: Path) -> tuple[tuple[float, ...], list[Mark]]:
    """Return the size of a drawing in points, and all that is clipped to axes: the data."""
    root = ElementTree.parse(path).getroot()
    found: list[Mark] = []

    def collect(element: ElementTree.Element, within: bool) -> None:
        kind = element.tag.rpartition("}")[2]
        if kind == "defs":
            return
        within = within or element.get("clip-path") is not None
        if within and kind == "path":
            found.append((kind, _numbers(element.get("d", ""))))
        elif within and kind == "use":
            found.append((kind, (float(element.get("x", 0)), float(element.get("y", 0)))))
        for child in element:
            collect(child, within)

    collect(root, within=False)
    return _numbers(root.get("viewBox", "")), found


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float, NUMBER.findall(text)))


def _fault_of_png(written: Path, drawn: Path) -> str | None:
    picture, expected = (
        np.asarray(imread(path), dtype=np.float64)[..., :3].mean(axis=-1)
        for path in (written, drawn)
    )
    if np.abs(np.subtract(picture.shape, expected.shape)).max() > PIXELS:
        return "another size"
    height, width = (
        min(pair) // PATCH * PATCH for pair in zip(picture.shape, expected.shape, strict=True)
    )
    patches = [
        one[:height, :width]
        .reshape(height // PATCH, PATCH, width // PATCH, PATCH)
        .mean(axis=(1, 3))
        for one in (picture, expected)
    ]
    largest = float(np.abs(patches[0] - patches[1]).max(initial=0.0))
    if largest <= BRIGHTNESS:
        return None
    return f"a patch differs by {100 * largest:.0f}% in brightness"
