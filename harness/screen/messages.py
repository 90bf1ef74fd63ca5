"""Lines for a person, in addition to the output of a command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:  # a warning needs few imports
    from harness.keeping.results import Results

MOST_NAMED = 5
SIGNS: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"},
    0x7F: "\u2421",
    **{code: f"\\x{code:02x}" for code in range(0x80, 0xA0)},
    **dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd"),
    **{code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))},
}
"""Visible signs for characters that steer a terminal or turn the direction of the text after them.

They are those of ``reports.output.legible``, which this wing does not import.
"""
ENDS_OF_LINES = {0x09: "\u2409", 0x0A: "\u240a", 0x2028: "\\u2028", 0x2029: "\\u2029"}
"""Visible signs for what a single line cannot hold; a folder or a record can be named so."""
OTHER_DATA = "NOT THE CLAIM'S DATA SET"


def visible(text: str) -> str:
    """Return a text with visible signs for all control characters but line ends and tabs."""
    return text.translate(SIGNS)


def warn(message: str) -> None:
    """Print one unwrapped line to standard error, with visible signs for control characters."""
    print(visible(message).translate(ENDS_OF_LINES), file=sys.stderr)


def say_error(error: Exception) -> None:
    """Print what ends the program; a study can be faulty in several places, one on a line."""
    print(visible(f"error: {error}"), file=sys.stderr)


def say_what_is_left_out(out: Console, results: Results) -> None:
    """Name the records of a results directory that its report does not show, and why."""
    for damaged in results.damaged:
        fault = f"damaged record {damaged.path}: {damaged.reason}"
        warn(f"{fault}; left out (run the study to replace it)")
    if results.hidden:
        named = [f"{name} ({count}: {reason})" for (name, reason), count in results.hidden.items()]
        more = [f"and {len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
        out.print(
            f"{sum(results.hidden.values())} records of conditions that the study no longer has "
            f"are kept and not shown: {', '.join(named[:MOST_NAMED] + more)}",
            style="dim",
            highlight=False,
        )
