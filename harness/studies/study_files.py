"""Find study files, read them, and explain what is wrong with them."""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.errors import InputError
from harness.studies.claims import Claim, Comparisons, Curve, Published
from harness.studies.classes import is_own
from harness.studies.factors import Factor
from harness.studies.measured import Measure
from harness.studies.nearest import nearest
from harness.studies.own_code import locate
from harness.studies.programs import OwnFile, locate_program
from harness.studies.search import Search, Setting
from harness.studies.searching import raw_search
from harness.studies.statements import Family, Statement
from harness.studies.study import Study
from harness.studies.texts import Texts
from harness.studies.trained import TRAINED_BY

OWN_KEYS = ("head", "consolidation", "optimiser", "benchmark", "train")
"""Keys that can name a class or function of the user's own."""
MOST_LINES = 5
"""Number of faults of a study file that one message lists."""


def shipped_studies() -> dict[str, Path]:
    """Return the studies that ship with the package, by name."""
    folder = Path(str(resources.files("harness") / "studies"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def shipped_study(name: str) -> Study | None:
    """Return the study that ships under a name; None where none does."""
    return load_study(name) if name in shipped_studies() else None


def load_study(
    name_or_path: str, *, imported: Sequence[int] | None = None, tuning: bool = False
) -> Study:
    """Read a shipped study by its name, or any study file by its path.

    Parameters
    ----------
    imported : the seeds of results that exist already, where these are to be imported: the names
        of conditions are then all that is needed, and these seeds count where the study has none.
    tuning : whether its settings are to be searched: a file of strengths is then not read, and
        what is searched has the first value of its grid.

    Raises
    ------
    InputError
        Naming the file, the key and what is allowed.
    """
    path = study_path(name_or_path)
    study = validate_study(parsed(path), str(path), path.parent, imported=imported, tuning=tuning)
    if study.search is not None:  # a grid is checked by trying it on
        search_study(study, {name: one.grid() for name, one in study.search.spaces.items()}, path)
    return study


def search_study(study: Study, settings: Mapping[str, Sequence[Setting]], path: Path) -> Study:
    """Return the study that tries some settings of each condition of a study.

    Parameters
    ----------
    path : the file of the study.

    Raises
    ------
    InputError
        Where a setting is impossible, or a training function has no data to hold out.
    """
    try:
        raw = raw_search(study, settings)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return validate_study(raw, f"{path}: search", path.parent)


def study_path(name_or_path: str) -> Path:
    """Return the file of a study (InputError where there is none)."""
    shipped = shipped_studies()
    path = shipped.get(name_or_path, Path(name_or_path))
    try:
        is_file = path.is_file()
    except OSError:  # the name is too long
        is_file = False
    if not is_file:
        near = nearest(name_or_path, shipped)
        raise InputError(
            f"no study '{name_or_path}'{near}: neither a file nor one of the studies that ship "
            f"({', '.join(shipped)})"
        )
    return path


def parsed(path: Path) -> dict[str, Any]:
    """Return a study's file as it stands (InputError where it is no TOML)."""
    try:
        return tomllib.loads(read_text(path))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as TOML: {error}") from None
    except RecursionError:
        raise InputError(f"{path}: cannot be read as TOML: too deeply nested") from None


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, with or without a byte-order mark.

    Raises
    ------
    OSError
        Where the file cannot be read.
    ValueError
        Where it has another encoding; names the encoding, if known, or else the line.
    """
    content = path.read_bytes()
    for mark, encoding in (
        (codecs.BOM_UTF32_LE, "UTF-32"),  # before UTF-16, whose mark it begins with
        (codecs.BOM_UTF32_BE, "UTF-32"),
        (codecs.BOM_UTF16_LE, "UTF-16"),
        (codecs.BOM_UTF16_BE, "UTF-16"),
    ):
        if content.startswith(mark):
            raise ValueError(f"it is saved as {encoding}; save it as UTF-8")
    if b"\x00" in content:
        raise ValueError("it holds zero bytes, as UTF-16 does; save it as UTF-8")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"line {line} is not in UTF-8; save it as UTF-8") from None


def validate_study(
    raw: object,
    place: str,
    folder: Path | None = None,
    *,
    imported: Sequence[int] | None = None,
    tuning: bool = False,
) -> Study:
    """Turn parsed TOML or JSON into a Study.

    Parameters
    ----------
    place : names it in errors.
    folder : of the study's file. Without it, what was checked when the file was read is believed:
        the user's own classes are neither looked for nor imported.
    imported, tuning : as of ``load_study``.

    Raises
    ------
    InputError
        With a line for each fault.
    """
    try:
        context = None
        if folder is not None:
            context = {"folder": folder, "imported": imported, "tuning": tuning}
        return Study.model_validate(raw, context=context)
    except ValidationError as error:
        lines: list[str] = []
        problems = error.errors()
        faulty_tables = {str(key) for problem in problems for key in problem["loc"][:1]}
        shared_parts_fail = bool({"protocol", "factors"} & faulty_tables)
        unread = {key for problem in problems if (key := _unread(problem["loc"])) is not None}
        said: set[str] = set()
        for problem in problems:
            if _unread(problem["loc"]) is not None:
                if problem["msg"] in said:
                    continue  # the same function in another condition
                said.add(problem["msg"])
            elif problem["loc"][:1] == ("conditions",) and set(problem["loc"][1:2]) & unread:
                continue  # nothing else can be said of what its function takes
            if shared_parts_fail and problem["loc"][:1] == ("conditions",):
                continue  # a fault of the shared parts shows up again in every condition
            keys = problem["loc"]
            if keys[:1] == ("claims",) and keys[2:3] in (("claim",), ("statement",)):
                keys = (*keys[:2], *keys[3:])  # which of the two classes of claims it is
            if keys[:1] == ("conditions",) and keys[2:3] in (("trained",), ("imported",)):
                keys = (*keys[:2], *keys[3:])
            location = ".".join(_place(raw, keys))
            message = problem["msg"].removeprefix("Value error, ")
            if problem["type"] == "extra_forbidden":
                message = "unknown key" + _known_keys(problem["loc"])
            elif not isinstance(problem["input"], (dict, list)):
                message += f" (got {problem['input']!r})"
            line = f"{place}: {location}: {message}" if location else f"{place}: {message}"
            lines.append(_printable(line))
        if len(lines) > MOST_LINES:  # a fault of a level appears in each of its crossings
            lines[MOST_LINES:] = [f"{place}: and {len(lines) - MOST_LINES} more"]
        raise InputError("\n".join(lines)) from None


def _unread(keys: Sequence[int | str]) -> str | None:
    """Return the condition whose function cannot be read, where that is the fault there."""
    if keys[:1] == ("conditions",) and keys[-1] in TRAINED_BY and len(keys) > 2:
        return str(keys[1])
    return None


def own_files(study: Path) -> Iterator[OwnFile]:
    """Yield the user's own files that a study's classes, functions and programs are made of.

    Paths are as seen from the folder of the study's file. Nothing is imported.

    Raises
    ------
    InputError
        Where one is not there, or the study cannot be read.
    """
    try:
        raw = tomllib.loads(read_text(study))
        for place in dict.fromkeys(_named(raw, OWN_KEYS)):
            if is_own(place):
                for path, text in locate(place, study.parent).files():
                    yield OwnFile(path, text.encode(), False)
        for command in dict.fromkeys(_named(raw, ("command",))):
            yield from locate_program(command, study.parent).files
        if isinstance(included := raw.get("strengths"), str):
            yield OwnFile(included, (study.parent / included).read_bytes(), False)
    except (OSError, ValueError) as error:
        raise InputError(f"{study}: {error}") from None


def _named(value: Any, keys: Sequence[str]) -> Iterator[str]:
    """Yield the texts that stand under some keys of a study, anywhere."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key in keys and isinstance(part, str):
                yield part
            yield from _named(part, keys)


def _place(raw: object, location: tuple[int | str, ...]) -> Iterator[str]:
    """Yield the parts of a place in a study; an entry of a list goes by its id, where it has one.

    ``claims.1.margin`` becomes ``claims.'gain'.margin``: nobody counts claims from 0.
    """
    here: object = raw
    for key in location:
        if isinstance(here, dict):
            here = here.get(key)
        elif isinstance(here, (list, tuple)) and isinstance(key, int) and key < len(here):
            here = here[key]
            name = here.get("id") if isinstance(here, dict) else None
            yield f"'{name}'" if isinstance(name, str) and name else str(key)
            continue
        else:
            here = None
        if key not in ("method", "spaces"):
            yield str(key)


def _printable(text: str) -> str:
    """Escape characters that would break a line or a terminal; a name can contain any."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _known_keys(location: tuple[int | str, ...]) -> str:
    """List the keys that are known at the place of an unknown key."""
    model_of: dict[object, type[BaseModel]] = {
        "published": Published,
        "factors": Factor,
        "measure": Measure,
        "claims": Claim,
        "statement": Statement,
        "families": Family,
        "curves": Curve,
        "comparisons": Comparisons,
        "texts": Texts,
        "search": Search,
    }
    parents = [model_of[key] for key in location[:-1] if key in model_of]
    fields = (parents[-1] if parents else Study).model_fields
    known = list(fields)
    return f"{nearest(str(location[-1]), known)}; known here: {', '.join(known)}"
