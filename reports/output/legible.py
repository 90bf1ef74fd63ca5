"""Any text shown as it is: no part of it is markup, and no part of it is invisible.

The text of a study can be any Unicode. A visible sign replaces each control character, such as an
escape that would steer a terminal, or an override of the direction in which a line is written.
Characters that an output cannot encode are spelt out.
"""

from __future__ import annotations

import codecs

SPELLING = "dhp-repro.spelling"
"""Name of the error handler with which any stream can write any text; see ``spelt``."""

VISIBLE: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"},
    0x7F: "\u2421",
    **{code: f"\\x{code:02x}" for code in range(0x80, 0xA0)},
    **dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd"),  # no characters, and not allowed in an SVG
    **{code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))},
}
"""The sign that replaces a control character: U+241B, the letters ESC, for the escape U+001B.

The last of them would turn the direction of all that follows. Scripts that run from right to left
do so without them.
"""

SPELT = {
    "✓": "+", "▲": "^", "◐": "~", "○": "o", "✗": "x",
    "“": '"', "”": '"', "▼": "v", "±": "+-", "→": ">", "²": "^2", "…": ".",
}  # fmt: skip
"""The signs that we and rich print, in ASCII; "?" is the sign of a verdict and not used here."""


def visible(text: str) -> str:
    """Return a text with visible signs for all control characters but line ends and tabs."""
    return text.translate(VISIBLE)


def spelt(text: str, encoding: str) -> str:
    """Return a text that ``encoding`` can encode.

    Characters that it cannot encode become ASCII (our signs) or escapes (all others). Lone
    surrogates are spelt out too; a path that is not UTF-8 has them.
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
