"""Any text as it is, where it is shown: nothing of it is markup, and nothing of it is invisible.

The text of a study can be any Unicode. What is not there to be read, such as an escape that would
steer a terminal, is shown by a sign; what an output cannot encode is spelt out.
"""

from __future__ import annotations

import codecs

SPELLING = "dhp-repro.spelling"
"""Name of the error handler by which any stream can write any text; see ``spelt``."""

VISIBLE: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"},
    0x7F: "\u2421",
    **{code: f"\\x{code:02x}" for code in range(0x80, 0xA0)},
    **dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd"),  # no characters, and not allowed in an SVG
}
"""What stands for a control character: U+241B, of the letters ESC, for the escape U+001B."""

SPELT = {
    "✓": "+", "▲": "^", "◐": "~", "○": "o", "✗": "x",
    "±": "+-", "→": "->", "²": "^2", "…": ".",
}  # fmt: skip
"""What we and rich print, in ASCII; "?" stands for a verdict already."""


def visible(text: str) -> str:
    """Return a text whose control characters, all but the ends of lines and tabs, can be seen."""
    return text.translate(VISIBLE)


def spelt(text: str, encoding: str) -> str:
    """Return a text that can be written in ``encoding``: our signs in ASCII, others as escapes.

    Lone surrogates, as of a path that is no UTF-8, are spelt out too.
    """
    return text.encode(encoding, SPELLING).decode(encoding)


def _spell(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    faulty = error.object[error.start : error.end]
    plain = (
        SPELT.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in faulty
    )
    return "".join(plain), error.end


codecs.register_error(SPELLING, _spell)
