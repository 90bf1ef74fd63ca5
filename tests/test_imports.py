"""The house as drawn: rooms, and the directions in which they may import each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent
ROOMS = {
    "methods": (),
    "harness.errors": (),
    "harness.pytest_plugin": (),  # drives the program as a process of its own
    "harness.studies": ("harness.errors", "methods.fields"),
    "harness.data": ("harness.studies", "harness.errors", "methods.streams", "methods.views"),
    "harness.keeping": ("harness.studies", "harness.errors"),
    "harness.running": (
        "methods",
        "harness.errors",
        "harness.studies",
        "harness.data",
        "harness.keeping",
    ),
    "harness.submission": ("harness.errors", "harness.studies"),
    "harness.screen": (
        "harness.errors",
        "harness.studies",
        "harness.submission",
        "harness.keeping",
        "harness.running",
    ),
    "harness.bench": (
        "methods",
        "harness.studies",
        "harness.data",
        "harness.keeping",
        "harness.running",
    ),
    "reports.numbers": (),
    "reports.judging": ("reports.numbers",),
    "reports.findings": ("reports.numbers", "reports.judging"),
    "reports.figures": ("reports.numbers", "reports.findings"),
    "reports.sections": (
        "reports.numbers",
        "reports.judging",
        "reports.findings",
        "reports.figures",
    ),
    "reports.output": (
        "reports.numbers",
        "reports.judging",
        "reports.findings",
        "reports.figures",
        "reports.sections",
    ),
    "run_all": ("harness", "reports"),
}
"""What each room may import beside itself; methods know torch and numpy and nothing of the rest."""

FORBIDDEN = {
    "methods": ("ray", "pydantic", "pandas", "scipy", "rich", "typer"),
    "harness.studies": ("torch", "ray", "numpy"),
    "harness.keeping": ("torch", "ray"),
    "harness.submission": ("torch", "numpy", "pandas"),
    "reports": ("torch", "ray", "pydantic", "torchvision"),
}
"""What rooms must not import from elsewhere."""


def modules() -> dict[str, Path]:
    """Return every module of the project by its dotted name."""
    found = {"run_all": HERE / "run_all.py"}
    for top in ("harness", "methods", "reports"):
        for path in sorted((HERE / top).rglob("*.py")):
            parts = path.relative_to(HERE).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {part if part in MODULES else node.module for part in parts}
    return names


def room_of(module: str) -> str | None:
    return next((room for room in ROOMS if f"{module}.".startswith(f"{room}.")), None)


def within(module: str, places: tuple[str, ...]) -> bool:
    return any(f"{module}.".startswith(f"{place}.") for place in places)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_rooms_below_its_own(module: str) -> None:
    room = room_of(module)
    if room is None:
        assert module in ("harness", "reports"), f"{module} stands in no room"
        return
    tops = ("harness", "methods", "reports", "run_all")
    ours = {name for name in imported(MODULES[module]) if within(name, tops)}
    ours -= {"harness"}  # the package alone: what Ray sends to its workers
    wrong = sorted(name for name in ours if not within(name, (room, *ROOMS[room])))
    assert not wrong, f"{module} imports {', '.join(wrong)}"


@pytest.mark.parametrize("place", sorted(FORBIDDEN))
def test_a_room_does_not_import_what_it_must_not_know(place: str) -> None:
    for module, path in MODULES.items():
        if within(module, (place,)):
            wrong = sorted(n for n in imported(path) if within(n, FORBIDDEN[place]))
            assert not wrong, f"{module} imports {', '.join(wrong)}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    imports = {module: imported(path) & MODULES.keys() for module, path in MODULES.items()}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module not in done:
            for other in sorted(imports[module] - {module}):
                visit(other, (*trail, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())
