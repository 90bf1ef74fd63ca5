"""What the classes of ``methods`` declare: their kind, their name and the fields of their settings.

It is read from their source, without running it: whoever checks a study, lists the studies or
writes a report would wait seconds for the libraries that the classes compute with. Of each class
only kind, name and ``Settings`` are looked at; ``Settings`` may use the names in ``VOCABULARY``
alone, and numbers that a module binds.
"""

from __future__ import annotations
import __future__

import ast
import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union

from methods.fields import LANE, LIMITS, per_lane, setting

VOCABULARY: Mapping[str, Any] = {
    "dataclass": dataclass,
    "per_lane": per_lane,
    "setting": setting,
    "Literal": Literal,
}
MISSING = dataclasses.MISSING


@dataclass(frozen=True)
class Field:
    """One key of a study, as a class declares it.

    Attributes
    ----------
    type : bool, int, float, str, a Literal, or one of them with None.
    default : MISSING where a study must give it.
    lane : whether lanes of one stack may differ in it.
    limits : pairs of "gt", "ge", "lt" or "le" and the bound, or None.
    """

    name: str
    type: Any
    default: Any
    lane: bool
    limits: tuple[tuple[str, float | None], ...]


@dataclass(frozen=True)
class Declared:
    """What a class of the project declares.

    Attributes
    ----------
    module, class_name : where it stands.
    """

    kind: str
    name: str
    fields: tuple[Field, ...]
    module: str
    class_name: str


@cache
def declared(kind: str) -> Mapping[str, Declared]:
    """Return the classes of a kind ("head", "consolidation", "optimiser") that ship, by name."""
    return {found.name: found for found in _all() if found.kind == kind}


@cache
def _all() -> tuple[Declared, ...]:
    nodes: dict[str, tuple[str, ast.ClassDef]] = {}
    constants: dict[str, ast.Assign] = {}
    methods = find_spec("methods")
    for folder in (methods and methods.submodule_search_locations) or ():
        for path in sorted(Path(folder).glob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    nodes[node.name] = (f"methods.{path.stem}", node)
                elif isinstance(node, ast.Assign) and _is_limit(node):
                    constants[ast.unparse(node.targets[0])] = node
    namespace: dict[str, Any] = {"__name__": __name__, **VOCABULARY}
    _run(list(constants.values()), namespace)
    skeletons = {name: _skeleton(name, nodes, namespace) for name in nodes}
    return tuple(
        Declared(of.kind, of.name, fields_of(of.Settings, VOCABULARY), nodes[name][0], name)
        for name, of in skeletons.items()
        if of is not None and "name" in vars(of)
    )


def _is_limit(node: ast.Assign) -> bool:
    """Tell whether a module binds a name to a number, which limits of fields may be."""
    return isinstance(node.targets[0], ast.Name) and all(
        isinstance(part, ast.Constant | ast.BinOp | ast.operator | ast.UnaryOp | ast.unaryop)
        for part in ast.walk(node.value)
    )


def _skeleton(
    name: str, nodes: Mapping[str, tuple[str, ast.ClassDef]], namespace: dict[str, Any]
) -> Any:
    """Return a class with only what it declares; None where it can be chosen by no study."""
    if name in namespace:
        return namespace[name]
    _, node = nodes[name]
    named = [base.id for base in node.bases if isinstance(base, ast.Name) and base.id in nodes]
    bases = [base for base in named if _skeleton(base, nodes, namespace) is not None]
    body = [part for part in node.body if _declares(part)]
    if not bases and not any(_binds(part) == "kind" for part in body):
        namespace[name] = None
        return None
    stripped = ast.ClassDef(
        name=name,
        bases=[ast.Name(base, ast.Load()) for base in bases],
        keywords=[],
        body=body or [ast.Pass()],
        decorator_list=[],
    )
    stripped.type_params = []  # type: ignore[attr-defined]  # Python 3.12 wants them
    _run([stripped], namespace)
    return namespace[name]


def _binds(node: ast.stmt) -> str | None:
    """Return the one name that a statement binds, if it binds one."""
    target: ast.expr | None = None
    if isinstance(node, ast.Assign):
        target = node.targets[0]
    elif isinstance(node, ast.AnnAssign):
        target = node.target
    return target.id if isinstance(target, ast.Name) else None


def _declares(node: ast.stmt) -> bool:
    is_settings = isinstance(node, ast.ClassDef) and node.name == "Settings"
    return is_settings or _binds(node) in ("kind", "name")


def _run(statements: list[Any], namespace: dict[str, Any]) -> None:
    tree = ast.fix_missing_locations(ast.Module(statements, []))
    flags = __future__.annotations.compiler_flag  # types that are not there are only text
    exec(compile(tree, "methods", "exec", flags=flags, dont_inherit=True), namespace)


def fields_of(settings: type, names: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the fields that a dataclass of settings declares.

    Parameters
    ----------
    names : what its annotations may name.

    Raises
    ------
    ValueError
        Where it is no dataclass, or a field has a type that no study can give.
    """
    forgotten = "__annotations__" in vars(settings) and "__dataclass_fields__" not in vars(settings)
    if forgotten or not dataclasses.is_dataclass(settings):
        raise ValueError("its Settings is no dataclass: put @dataclass above it")
    found = []
    for field in dataclasses.fields(settings):
        lane = field.metadata.get(LANE, False)
        type_of = float if lane else type_of_key(field.name, field.type, names)
        limits = tuple(field.metadata.get(LIMITS, {}).items())
        default = field.default
        if field.default_factory is not MISSING:
            default = field.default_factory()
        found.append(Field(field.name, type_of, default, lane, limits))
    return tuple(found)


def type_of_key(name: str, written: Any, names: Mapping[str, Any]) -> Any:
    """Return the type of a key of a study (ValueError where it is one that no study can give).

    Parameters
    ----------
    written : its annotation; a text may name ``names``.
    """
    annotation = written
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, {"typing": typing}, dict(names))
        except Exception:  # an annotation is any expression
            raise ValueError(_no_type(name, written)) from None
    parts = [annotation]
    if typing.get_origin(annotation) in (Union, UnionType):
        parts = [part for part in typing.get_args(annotation) if part is not NoneType]
    if len(parts) == 1 and (
        parts[0] in (bool, int, float, str) or typing.get_origin(parts[0]) is Literal
    ):
        return annotation
    raise ValueError(_no_type(name, annotation))


def _no_type(name: str, annotation: object) -> str:
    return (
        f"its setting '{name}' has the type {annotation}, which no study can give; declare it as "
        "bool, int, float, str or Literal, or as per_lane(...) if lanes may differ in it"
    )
