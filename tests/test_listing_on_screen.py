"""Rows on screens of any width: nothing is cut, names and verdicts stay whole."""

from __future__ import annotations

import io

import pytest

from reports.judging.kinds import KINDS
from reports.output.console import Terminal
from reports.output.listing import BAD, GOOD, OPEN, Listing, on_screen, verdict_style

LISTING = Listing(
    "claims",
    ("claim", "reported", "gain", "interval", "seeds", "verdict"),
    [
        ["online-ewc-poster", "1.14 ± 0.50", "+0.54", "0.49 to 0.60", "10", "◐ PARTIAL, 43 to 53%"],
        ["si", "1.93 ± 0.64", "-", "-", "0", "no pair of seeds yet"],
    ],
    "gain: of seeds",
    frozenset(("reported", "gain", "interval", "seeds")),
    "verdict",
)


def printed(width: int, colour: bool = False, listing: Listing = LISTING) -> str:
    terminal = Terminal(file=io.StringIO(), width=width, force_terminal=colour)
    terminal.print(on_screen(terminal, listing))
    said: str = terminal.file.getvalue()  # type: ignore[attr-defined]
    return said


@pytest.mark.parametrize("width", [40, 60, 79])
def test_below_its_width_a_table_becomes_cards_in_which_all_is_whole(width: int) -> None:
    said = printed(width)
    lines = [line.rstrip() for line in said.splitlines()]
    assert max(map(len, lines)) <= width
    assert "online-ewc-poster  ◐ PARTIAL, 43 to 53%" in lines
    for fact in ("reported 1.14 ± 0.50", "gain +0.54", "interval 0.49 to 0.60", "seeds 10"):
        assert fact in said
    assert "interval -" not in said, "what is not known takes no room"


def test_a_table_stays_one_where_it_has_room() -> None:
    assert "┃ claim" in printed(LISTING.width)
    assert "┃" not in printed(LISTING.width - 1)
    wide = Listing("t", ("name", "text"), [["a", "word " * 40]])
    assert "┃" in printed(100, listing=wide), "from 100 columns on a long text is folded"
    assert "┃" not in printed(99, listing=wide)


def test_a_line_too_long_for_name_and_verdict_is_two() -> None:
    said = printed(30).splitlines()
    assert said[1].rstrip() == "online-ewc-poster"
    assert said[2].rstrip() == "  ◐ PARTIAL, 43 to 53%"


def test_every_verdict_has_its_colour_where_there_is_colour() -> None:
    words = [word for kind in KINDS.values() for word in kind.signs] + ["INCONCLUSIVE"]
    assert set(words) <= GOOD | OPEN | BAD
    assert not GOOD & OPEN
    assert not GOOD & BAD
    assert not OPEN & BAD
    for kind in KINDS.values():
        for word, sign in kind.signs.items():
            assert verdict_style(f"{sign} {word}") == verdict_style(word) != "bold"
    assert verdict_style("NOT REPRODUCED (LARGER with the diverged runs counted)") == "bold red"
    assert verdict_style("no pair of seeds yet") == "bold"
    for width in (60, 120):
        assert "\x1b[1;33m◐ PARTIAL" in printed(width, colour=True)
        assert "\x1b" not in printed(width)
