"""Imports the user's modules from what was read of them.

This module is all that the process of a cell needs to find a function, so it imports next to
nothing: every cell waits for it.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Module(NamedTuple):
    """A file of the user's: its dotted name, its path where it was read, its text."""

    name: str
    path: str
    text: str
    is_package: bool


class Finder:
    """Finds the user's modules as they were read."""

    def __init__(self) -> None:
        self.modules: dict[str, Module] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module comes from; None where it is none of the user's."""
        module = self.modules.get(fullname)
        if module is None:
            return None
        loader: Any = _Loader(module)
        return ModuleSpec(fullname, loader, origin=module.path, is_package=module.is_package)


class _Loader:
    def __init__(self, module: Module) -> None:
        self.read = module

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = self.read.path
        exec(compile(self.read.text, self.read.path, "exec"), module.__dict__)


_FINDER = Finder()


def import_read(modules: Iterable[Module], name: str) -> Any:
    """Import a module, with those modules that were read in place of all others of their names."""
    for module in modules:
        sys.modules.pop(module.name, None)
        _FINDER.modules[module.name] = module
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    return importlib.import_module(name)
