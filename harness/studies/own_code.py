"""Classes and functions of the user's own: found, read whole, imported from what was read.

A study names one as ``file.py:Class``, beside the study's file, or as ``package.module:Class``.
What is read are its file and the user's own files that this imports, directly or not; installed
packages are left where they are. What was read is hashed into the keys of cells, travels to the
workers with the cells, and is what both import: nobody trains with a file that has changed since.
"""

from __future__ import annotations

import ast
import hashlib
import site
import sys
import sysconfig
import threading
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.errors import in_a_line
from harness.studies.loading import Module, import_read

OURS = frozenset({"harness", "methods", "reports", "run_all"})
HOW = "'file.py:NAME' beside the study's file, or 'package.module:NAME'"


@dataclass(frozen=True)
class OwnCode:
    """What a study names, with everything of the user's that it is made of.

    Attributes
    ----------
    place : as the study names it.
    module, name : the module that holds it, and its name there.
    modules : the user's own files; empty where it is part of an installed package.
    source : hash of its file and of the user's own files that this imports.
    """

    place: str
    module: str
    name: str
    modules: tuple[Module, ...]
    source: str

    def load(self) -> Any:
        """Import it, and return it.

        Raises
        ------
        ValueError
            Where its module raises, or does not have it.
        """
        with _LOCK:
            if self not in _LOADED:
                _LOADED[self] = self._import()
            return _LOADED[self]

    def _import(self) -> Any:
        try:
            imported = import_read(self.modules, self.module)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # a module can raise anything, SystemExit too
            raise ValueError(
                f"'{self.place}' cannot be imported: {in_a_line(error)}{self.line_of(error)}"
            ) from None
        try:
            return getattr(imported, self.name)
        except AttributeError:
            there = [name for name, value in vars(imported).items() if _is_of(value, self.module)]
            raise ValueError(
                f"'{self.place}': there is no '{self.name}' in it; it has "
                f"{', '.join(there) or 'no class or function of its own'}"
            ) from None

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield path and text of each file, as seen from the folder of the study's file."""
        where = self.place.partition(":")[0]
        above = Path(where).parent if where.endswith(".py") else Path()
        for module in self.modules:
            if module.name == self.module and where.endswith(".py"):
                yield where, module.text
            elif Path(module.path).suffix == ".py":  # else a folder without a file of its own
                end = "/__init__.py" if module.is_package else ".py"
                yield str(above / (module.name.replace(".", "/") + end)), module.text

    def line_of(self, error: BaseException) -> str:
        """Return the last line of the user's own files that an error came through, or nothing."""
        files = {module.path for module in self.modules}
        frames = traceback.extract_tb(error.__traceback__)
        lines = [
            f"{frame.filename}, line {frame.lineno}" for frame in frames if frame.filename in files
        ]
        return f" ({lines[-1]})" if lines else ""


def _is_of(value: Any, module: str) -> bool:
    return getattr(value, "__module__", None) == module and hasattr(value, "__qualname__")


_LOADED: dict[OwnCode, Any] = {}
_LOCK = threading.RLock()


def locate(place: str, folder: Path | None) -> OwnCode:
    """Find what a study names, and read it; nothing is imported.

    Parameters
    ----------
    folder : of the study's file; None for the current one.

    Raises
    ------
    ValueError
        Where there is no such file, or it cannot be read as Python.
    """
    where, colon, name = place.partition(":")
    if not colon or not name.isidentifier():
        raise ValueError(f"'{place}' is no place of a class or function; write {HOW}")
    folder = (folder or Path()).resolve()
    if where.endswith(".py"):
        path = folder / where
        if not path.is_file():
            raise ValueError(f"'{place}': there is no file {path}")
        module = path.stem if _is_free(path.stem) else f"own_{path.stem}"
        root = path.parent
    else:
        module = where
        found = _file_of(where, [folder, Path.cwd(), *map(Path, sys.path)])
        if found is None:
            raise ValueError(f"'{place}': there is no module '{where}' in {folder} or installed")
        path, root = found
    if _is_installed(path):
        return OwnCode(place, module, name, (), _hash([(module, _text(path, place))]))
    modules = tuple(_with_imports(module, path, root, place))
    source = _hash([(read.name, read.text) for read in modules])
    return OwnCode(place, module, name, modules, source)


def _hash(texts: list[tuple[str, str]]) -> str:
    digest = hashlib.sha256()
    for name, text in sorted(texts):
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()[:32]


def _text(path: Path, place: str) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        ast.parse(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"'{place}': {path} cannot be read: {in_a_line(error)}") from None
    except (SyntaxError, ValueError, RecursionError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        why = error.msg if isinstance(error, SyntaxError) else in_a_line(error)
        raise ValueError(f"'{place}': {path}{line}: no Python: {why}") from None
    return text


def _with_imports(name: str, path: Path, root: Path, place: str) -> Iterator[Module]:
    """Yield a module and the user's own modules that it imports, directly or not."""
    waiting = [(name, path)]
    for number, _ in enumerate(name.split(".")[:-1], start=1):
        parent = ".".join(name.split(".")[:number])
        waiting += [(parent, place_of)] if (place_of := _at(root, parent)) else []
    seen = {found for found, _ in waiting}
    while waiting:
        name, path = waiting.pop()
        is_package = path.name == "__init__.py" or path.is_dir()
        text = "" if path.is_dir() else _text(path, place)
        yield Module(name, str(path), text, is_package)
        for imported in _imported(text, name, is_package):
            parts = imported.split(".")
            if not _is_free(parts[0]) and not name.startswith(f"{parts[0]}."):
                continue
            for number in range(1, len(parts) + 1):
                prefix = ".".join(parts[:number])
                found = _at(root, prefix)
                if found is None:
                    break
                if prefix not in seen:
                    seen.add(prefix)
                    waiting.append((prefix, found))


def _imported(text: str, name: str, is_package: bool) -> Iterator[str]:
    """Yield the dotted names that a module may import."""
    package = name.split(".") if is_package else name.split(".")[:-1]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


def _at(root: Path, name: str) -> Path | None:
    """Return the file of a module below a folder; the folder of a package without one."""
    base = root.joinpath(*name.split("."))
    for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
        if path.is_file():
            return path
    return base if base.is_dir() and any(base.glob("*.py")) else None


def _file_of(name: str, roots: Sequence[Path]) -> tuple[Path, Path] | None:
    """Return the file of a module, and the folder that its dotted name starts from."""
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    for root in roots:
        path = _at(root, name)
        if path is not None and path.is_file():
            return path.resolve(), root.resolve()
    try:
        spec = find_spec(name)  # the way of packages that are installed for development
    except Exception:  # it imports the packages above, which can raise anything
        return None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return None
    path = Path(spec.origin)
    above = name.count(".") + (path.name == "__init__.py")
    return path, path.parents[above]


@cache
def _installed_places() -> tuple[Path, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    places = [sysconfig.get_path(name) for name in names]
    return tuple(Path(place).resolve() for place in (*places, *site.getsitepackages()) if place)


def _is_installed(path: Path) -> bool:
    packages = ("site-packages", "dist-packages")
    return any(path.is_relative_to(place) for place in _installed_places()) or any(
        part in packages for part in path.parts
    )


@cache
def _is_free(top: str) -> bool:
    """Tell whether neither Python nor an installed package nor this project has a module's name."""
    if top in OURS or top in sys.stdlib_module_names:
        return False
    places = [str(place) for place in _installed_places()]
    return PathFinder.find_spec(top, places) is None
