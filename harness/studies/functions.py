"""Training functions of the user's own: read, asked for their parameters, never imported here.

A function's module can do anything when it is imported: take a GPU, start threads, call
``sys.exit``. So it is imported in a process of its own, which tells what the function takes and
ends. Whoever reads a study, plans a run or writes a report never has it in memory.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from functools import cache
from tempfile import TemporaryFile
from typing import Any

from harness.errors import in_a_line
from harness.studies.loading import Module
from harness.studies.own_code import OwnCode
from harness.studies.parameters import Signature, signature_of

IMPORT_S = 300.0
"""So long the import of a module may take; a framework takes half a minute on a busy machine."""
START = """
import json, os, sys
told = os.dup(1)
os.dup2(2, 1)
content = json.load(sys.stdin)
sys.path[:] = content["path"]
from harness.studies.functions import describe
os.write(told, json.dumps(describe(content["code"])).encode())
os._exit(0)
"""


def code_to_json(code: OwnCode) -> dict[str, Any]:
    """Return what was read of the user's files, as JSON can hold it."""
    fields = {name: getattr(code, name) for name in ("place", "module", "name", "source")}
    return {**fields, "modules": code.modules}


def code_from_json(content: dict[str, Any]) -> OwnCode:
    """Return what ``code_to_json`` wrote."""
    modules = tuple(Module(*fields) for fields in content["modules"])
    return OwnCode(**{**content, "modules": modules})


@cache
def function_signature(code: OwnCode) -> Signature:
    """Return what a function takes; its module is imported in a process of its own.

    Raises
    ------
    ValueError
        Where the module raises or ends its process, or has no such function.
    """
    content = {"path": sys.path, "code": code_to_json(code)}
    # Files, not pipes: what the module starts may hold them open for ever.
    with TemporaryFile() as asked, TemporaryFile() as said, TemporaryFile() as printed:
        asked.write(json.dumps(content).encode())
        asked.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-c", START],
            stdin=asked,
            stdout=said,
            stderr=printed,
            start_new_session=True,
        )
        try:
            process.wait(IMPORT_S)
        except subprocess.TimeoutExpired:
            raise ValueError(f"'{code.place}' was not imported in {IMPORT_S:.0f} s") from None
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # it, and what the module has started
            process.wait()
        said.seek(0)
        printed.seek(0)
        told, last = said.read(), _last_line(printed.read())
    try:
        answer = json.loads(told)
    except ValueError:
        raise ValueError(
            f"'{code.place}' ended its process while it was imported (exit code "
            f"{process.returncode}){last}"
        ) from None
    if "error" in answer:
        raise ValueError(answer["error"])
    return Signature.from_json(answer)


def _last_line(printed: bytes) -> str:
    lines = printed.decode(errors="replace").strip().splitlines()
    return f": {lines[-1].strip()}" if lines else ""


def describe(content: dict[str, Any]) -> dict[str, Any]:
    """Import a function and return what it takes, or why that cannot be told."""
    code = code_from_json(content)
    try:
        function = code.load()
    except ValueError as error:
        return {"error": str(error)}
    try:
        return signature_of(function).to_json()
    except ValueError as error:
        return {"error": f"'{code.place}' {error}"}
    except Exception as error:  # an object of the user's own can raise when it is looked at
        return {"error": f"'{code.place}' does not tell its parameters: {in_a_line(error)}"}
