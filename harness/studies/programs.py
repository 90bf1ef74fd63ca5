"""Programs that train: a command with placeholders, and the user's own files that it names.

A command is a list of arguments and never goes through a shell. The files beside the study's file
that it names are read with the study, hashed into the keys of cells, and travel to other machines.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import in_a_line
from harness.studies.own_code import locate
from harness.studies.parameters import Parameter, Signature

PROGRAM_GIVES = ("seed", "device")
LARGEST_FILE = 16 * 2**20
"""Bytes; what is larger is taken for data and not for a program."""


@dataclass(frozen=True)
class OwnFile:
    """A file beside the study's file: its path from there, what it holds, whether it is run."""

    path: str
    content: bytes = field(repr=False)
    executable: bool


@dataclass(frozen=True)
class Program:
    """A command as a study writes it, and what it is made of.

    Attributes
    ----------
    place : as the study writes it.
    words : its arguments, with placeholders such as ``{seed}``.
    folder : of the study's file, where it runs.
    files : the user's own files that it names, and those that these import.
    source : hash of those files.
    """

    place: str
    words: tuple[str, ...]
    folder: str
    files: tuple[OwnFile, ...]
    source: str

    @property
    def signature(self) -> Signature:
        """What its placeholders ask for; all of a study's are needed."""
        names = dict.fromkeys(name for word in self.words for name in placeholders(word))
        asked = tuple(Parameter(name, "any", True) for name in names if name not in PROGRAM_GIVES)
        return Signature(asked, tuple(name for name in PROGRAM_GIVES if name in names))

    def filled(self, values: dict[str, object]) -> list[str]:
        """Return the arguments with the placeholders' values in place."""
        texts = {name: _text(value) for name, value in values.items()}
        return [word.format_map(texts) for word in self.words]


def placeholders(word: str) -> Iterator[str]:
    """Yield the names in the braces of an argument.

    Raises
    ------
    ValueError
        Where braces hold anything but a name.
    """
    try:
        parts = list(string.Formatter().parse(word))
    except ValueError as error:
        raise ValueError(f"'{word}': {error}; a brace of its own is written twice: {{{{") from None
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise ValueError(
                f"'{word}': braces hold the name of a parameter, such as {{seed}}; a brace of its "
                "own is written twice: {{"
            )
        yield name


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def locate_program(command: str, folder: Path | None) -> Program:
    """Read a command, find its program and read the user's own files that it names.

    Raises
    ------
    ValueError
        Where there is no such program, or the command names no seed.
    """
    folder = (folder or Path()).resolve()
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise ValueError(f"'{command}' is no list of arguments: {error}") from None
    if not words:
        raise ValueError("the command is empty")
    names = {name for word in words for name in placeholders(word)}
    if "seed" not in names:
        raise ValueError(f"'{command}' has no {{seed}}, so that all its runs were the same")
    if any(placeholders(words[0])):
        raise ValueError(f"'{words[0]}': the program itself cannot depend on a parameter")
    found = {file.path: file for word in words for file in _files_of(word, folder)}
    if "/" in words[0]:
        program = folder / words[0]
        if not program.is_file():
            raise ValueError(f"'{command}': there is no file {program}")
        if not program.stat().st_mode & 0o111:
            raise ValueError(f"'{command}': {program} cannot be executed; chmod +x it")
    elif shutil.which(words[0]) is None:
        raise ValueError(
            f"'{command}': there is no program '{words[0]}' on the PATH; write ./{words[0]} for a "
            "file beside the study's"
        )
    files = tuple(found[path] for path in sorted(found))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.path}\0{len(file.content)}\0".encode() + file.content)
    return Program(command, words, str(folder), files, digest.hexdigest()[:32])


def _files_of(word: str, folder: Path) -> Iterator[OwnFile]:
    """Yield the file beside the study's that an argument names, and what that imports."""
    path = folder / word
    try:
        below = path.resolve().is_relative_to(folder)
        if not below or not path.is_file() or path.stat().st_size > LARGEST_FILE:
            return
        executable = bool(path.stat().st_mode & 0o111)
        yield OwnFile(str(Path(word)), path.read_bytes(), executable)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {in_a_line(error)}") from None
    if path.suffix == ".py":
        for name, text in locate(f"{word}:main", folder).files():
            if Path(name) != Path(word):
                yield OwnFile(name, text.encode(), False)
