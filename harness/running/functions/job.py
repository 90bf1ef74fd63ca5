"""What a cell's process has to do: the code, the parameters, and what the run gives to it."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.data.own_tasks import Data
from harness.running.functions.process import AnonymousFile
from harness.running.functions.returned import Expected
from harness.running.functions.terms import Terms
from harness.studies.condition import Cell
from harness.studies.functions import code_to_json
from harness.studies.programs import Program
from harness.studies.trained import Function, Given


@dataclass(frozen=True)
class Job:
    """One cell, ready to be given to a process.

    Attributes
    ----------
    setup, more : files that the process needs; cells with the same ones can share a process.
    request : of this cell.
    expected : what it has to return.
    """

    setup: AnonymousFile
    more: tuple[AnonymousFile, ...]
    request: dict[str, Any]
    expected: Expected


class Preparation:
    """Prepares cells for their processes, and keeps what they share.

    Parameters
    ----------
    device : "cpu" or "cuda", for functions that ask.
    """

    def __init__(self, device: str, terms: Terms) -> None:
        self.device = device
        self.terms = terms
        self._setups: dict[tuple[str, str], AnonymousFile] = {}
        self._tasks: tuple[Any, AnonymousFile, list[dict[str, Any]]] | None = None
        self._seen: tuple[Data, str] | None = None
        self._folders = contextlib.ExitStack()
        self._placed: dict[Program, str] = {}

    def close(self) -> None:
        """Let go of everything."""
        for setup in self._setups.values():
            setup.close()
        self._setups.clear()
        if self._tasks is not None:
            self._tasks[1].close()
            self._tasks = None
        self._folders.close()
        self._placed.clear()

    def job(self, cell: Cell, data: Data) -> Job:
        """Return what a cell's process has to do."""
        function, given = cell.condition.function, cell.condition.protocol
        if function is None or not isinstance(given, Given) or function.signature is None:
            raise ValueError(f"'{cell.condition.name}' is trained by no function that is at hand")
        known: dict[str, object] = {"seed": cell.stream_seed, "device": self.device}
        setup = self._setup(function)
        if function.program is not None:
            words = function.program.filled({**function.parameters, **known})
            asked: dict[str, Any] = {"words": words, "folder": self._folder(function.program)}
            return Job(setup, (), asked, Expected(self.terms.measure))
        takes = function.signature.takes
        request: dict[str, Any] = {**known, "parameters": function.parameters, "takes": takes}
        if "tasks" not in takes:
            return Job(setup, (), request, Expected(self.terms.measure))
        file, tasks = self._arrays(given, data, cell.task_seed)
        request |= {"tasks": tasks, "arrays": file.descriptor}
        return Job(setup, (file,), request, Expected(self.terms.measure, len(tasks)))

    def _setup(self, function: Function) -> AnonymousFile:
        key = (function.place, str(function.get("train_source")))
        if key not in self._setups:
            content: dict[str, Any] = {"path": sys.path}
            if function.program is None:
                content["code"] = code_to_json(function.own["train"])
            self._setups[key] = AnonymousFile(iter([json.dumps(content).encode()]))
        return self._setups[key]

    def _arrays(
        self, given: Given, data: Data, seed: int
    ) -> tuple[AnonymousFile, list[dict[str, Any]]]:
        """Return a file with the arrays of all tasks, and where in it each of them is."""
        from harness.data.arrays import depends_on_seed, task_arrays

        scaling, share = given.input_scaling or "unit", given.validation_fraction or 0.0
        if self._seen is None or self._seen[0] is not data:
            self._seen = (data, data.checksum())
        key = (self._seen[1], scaling, share, seed if depends_on_seed(data) else None)
        if self._tasks is None or self._tasks[0] != key:
            if self._tasks is not None:
                self._tasks[1].close()
            tasks = task_arrays(data, scaling=scaling, validation_fraction=share, seed=seed)
            places: list[dict[str, Any]] = []

            def parts() -> Iterator[memoryview]:
                offset = 0
                for task in tasks:
                    place: dict[str, Any] = {"classes": task["classes"]}
                    for name, array in task.items():
                        if name == "classes":
                            continue
                        dtype, shape = array.dtype.str, array.shape
                        place[name] = {"offset": offset, "shape": shape, "dtype": dtype}
                        offset += array.nbytes
                        yield memoryview(array.tobytes())
                    places.append(place)

            self._tasks = (key, AnonymousFile(parts()), places)
        return self._tasks[1], self._tasks[2]

    def _folder(self, program: Program) -> str:
        """Return where a command runs: beside the study's file, if all is as it was read there."""
        if program in self._placed:
            return self._placed[program]
        here = Path(program.folder)
        if here.is_dir() and all(_is_as_read(here / f.path, f.content) for f in program.files):
            return program.folder
        folder = self._folders.enter_context(tempfile.TemporaryDirectory(prefix="dhp-repro-"))
        for file in program.files:
            path = Path(folder) / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
            if file.executable:
                path.chmod(0o755)
        self._placed[program] = folder
        return folder


def _is_as_read(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False
