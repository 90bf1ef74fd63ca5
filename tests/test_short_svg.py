"""A figure in fewer letters is the same figure."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import matplotlib.pyplot as plt
import numpy as np

from reports.figures.short import INHERITED, declarations, shortened
from reports.figures.svg import SVG


def drawing() -> str:
    figure, (left, right) = plt.subplots(1, 2)
    draws = np.random.default_rng(0)
    for _ in range(4):
        left.plot(draws.normal(size=30), color="#8a56c9", linewidth=0.7)
    left.errorbar([1, 2, 3], [0.1, 0.2, 0.3], [0.123456, 0.2, 0.3], fmt="o--")
    left.text(5, 0, "turned", rotation=33)
    right.pcolormesh(draws.random((4, 5)), edgecolors="#666666", linewidth=0.5)
    right.scatter(draws.random(9), draws.random(9), c=draws.random(9))
    right.plot(np.sin(np.linspace(0, 9, 500)), clip_on=False)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    plt.close(figure)
    return text.getvalue()


def drawn(element: Element, around: Mapping[str, str], clip: str) -> Iterator[tuple[Any, ...]]:
    """What is drawn, in order: its shape, every property that counts there, its clip, its place."""
    for child in element:
        own = declarations(child)
        style = {**around, **own}
        clips = child.get("clip-path", clip)
        if child.tag in (f"{SVG}path", f"{SVG}use", f"{SVG}text"):
            lines = " ".join((child.get("d") or "").replace(" L", " ").split())
            place = re.sub(r"rotate\(-?0( [-0-9.]+){2}\)", "", child.get("transform") or "")
            numbers = [
                float(number)
                for value in (lines, child.get("x", ""), child.get("y", ""), place)
                for number in re.findall(r"-?[0-9.]+(?:e-?\d+)?", value)
            ]
            links = [value for name, value in child.attrib.items() if name.endswith("href")]
            yield (
                child.tag,
                re.sub(r"[-0-9. e]", "", lines),
                child.text,
                style,
                clips,
                links,
                numbers,
            )
        yield from drawn(child, {k: v for k, v in style.items() if k in INHERITED}, clips)


def test_what_is_shortened_is_drawn_the_same() -> None:
    text = drawing()
    before = list(drawn(ElementTree.fromstring(text), {}, ""))
    after = list(drawn(ElementTree.fromstring(shortened(text)), {}, ""))
    assert len(before) == len(after) > 50
    for was, now in zip(before, after, strict=True):
        assert was[:-1] == now[:-1]
        assert np.allclose(was[-1], now[-1], rtol=0, atol=0.0051)


def test_it_is_shorter_and_shortening_again_changes_nothing() -> None:
    text = drawing()
    once = shortened(text)
    assert len(once) < 0.8 * len(text)
    assert shortened(once) == once
