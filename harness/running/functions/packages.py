"""The versions of the installed packages that a function has imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import metadata

OF_PYTHON = ("setuptools", "pip")
"""Packages that are there for others, and are imported at the start by some installations."""


def versions_of(modules: Iterable[str]) -> dict[str, str]:
    """Return the version of each package that holds one of these modules (top names)."""
    modules = list(modules)
    if not modules:
        return {}
    names = {name for module in modules for name in _packages().get(module, ())}
    return {name: _version(name) for name in sorted(names - {*OF_PYTHON})}


@cache
def _packages() -> Mapping[str, Sequence[str]]:
    return metadata.packages_distributions()


@cache
def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
