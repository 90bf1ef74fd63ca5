"""Text in YAML, in comments and in names, so that none of it can be read as anything else."""

from __future__ import annotations

import re
import shlex

from harness.errors import InputError
from harness.studies.condition import digest

LONGEST_NAME = 47
"""Letters of the name of a RayJob at most: KubeRay makes longer names from it."""
DIGEST = 8
PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:=+@-]+")


def yaml_string(text: str) -> str:
    """Return a text as a double-quoted YAML scalar of printable ASCII, which YAML reads back.

    Raises
    ------
    InputError
        Where the text is a path or an argument that is not UTF-8: YAML has no such strings.
    """
    return '"' + "".join(map(_escaped, require_utf8(text))) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if " " <= character <= "~":
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def shell_word(text: str) -> str:
    """Return a text as one word of a shell script, quoted unless it is surely plain."""
    if PLAIN_WORD.fullmatch(text):
        return text
    quoted = shlex.quote(text)
    return quoted if quoted != text else f"'{text}'"


def one_line(text: str) -> str:
    """Return a text for a comment: what could end its line, or is not visible, becomes "?"."""
    return "".join(c if c.isprintable() else "?" for c in text)


def require_utf8(text: str) -> str:
    """Return the text; raise InputError where it stands for bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(f"{text!r} is not in UTF-8, so no file can carry it; rename it") from None
    return text


def job_name(text: str) -> str:
    """Return a name for a job: at most 47 small letters, digits and "-", the first a letter.

    Texts that differ have names that differ, by a part of a hash where letters are replaced.
    """
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not name[:1].isalpha():
        name = f"study-{name}".strip("-")
    if name == text and len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - DIGEST - 1].strip('-')}-{digest(text)[:DIGEST]}"
