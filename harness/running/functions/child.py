"""What runs in the process of a cell: a keeper, and below it the trainer.

The keeper does nothing but wait. When the trainer has ended, or the run wants no more of it, or the
run itself is gone, the keeper ends everything that the trainer has started, in whatever group or
session that may be by then. So nothing outlives a cell.

Neither imports more of this project than it needs: the user's function does not wait for pydantic,
numpy or torch where it does not use them.

The trainer reads requests, one line of JSON each, and writes lines of JSON: {"progress": n} for
each part that a generator yields, then {"returned": value, ...}, {"wrong": text} or
{"raised": text, "trace": text}. The keeper writes {"ended": status} when all is over.
"""

from __future__ import annotations

import atexit
import ctypes
import faulthandler
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import GeneratorType
from typing import Any, NoReturn

SUBREAPER = 36
"""Linux: processes whose parents are gone become the keeper's."""
DEATH_SIGNAL = 1
"""Linux: a process gets a signal when its parent is gone."""
ENDING_S = 5.0
"""So long the keeper tries to end what was left."""
AT_START = frozenset(sys.modules)
MOST_SHOWN = 60
"""Characters of a value that a message repeats."""


def main(requests: int, reports: int, lifeline: int, keeper: int, setup: int) -> NoReturn:
    """Split into keeper and trainer.

    Parameters
    ----------
    requests, reports : the trainer's ends of its pipes to the run.
    lifeline : closes when the run is gone, or wants no more.
    keeper : where the keeper writes.
    setup : a file with what all cells of this process share.
    """
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    trainer = os.fork()  # of one thread, before anything of the user's is there
    if trainer == 0:
        with suppress(AttributeError, OSError):  # Ray kills what its workers have started
            ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()  # who signals his own group does not hit the keeper
        for descriptor in (wake, woken, lifeline, keeper):
            os.close(descriptor)
        _train(requests, reports, json.loads(os.pread(setup, os.fstat(setup).st_size, 0)))
    for descriptor in (requests, reports):
        os.close(descriptor)
    os.write(keeper, json.dumps({"ended": _keep(trainer, lifeline, wake)}).encode() + b"\n")
    os._exit(0)


def _keep(trainer: int, lifeline: int, wake: int) -> int:
    """Wait for the trainer; end it where nobody wants it, and all that it started."""
    status: int | None = None
    while status is None:
        ready, _, _ = select.select([lifeline, wake], [], [])
        if lifeline in ready:
            os.kill(trainer, signal.SIGKILL)
            _, status = os.waitpid(trainer, 0)
            break
        os.read(wake, 512)
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if found[0] == trainer:
                    status = found[1]
                    break
    deadline = time.monotonic() + ENDING_S
    while time.monotonic() < deadline:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            break  # nobody is left
        for pid in _below(os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
    return status


def _below(top: int) -> list[int]:
    """Return the processes that a process has started, and those that these have, and so on."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(folder.name))
    found, waiting = [], [top]
    while waiting:
        more = children.get(waiting.pop(), [])
        found += more
        waiting += more
    return found


def _train(requests: int, reports: int, setup: Mapping[str, Any]) -> NoReturn:
    """Answer requests until there are no more."""
    with suppress(OSError):  # where memory runs out, this process is the first to go
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    for descriptor in (requests, reports):
        os.set_inheritable(descriptor, False)
    sys.path[:] = setup["path"]
    del sys.argv[1:]
    with os.fdopen(requests, encoding="utf-8") as asked:
        if "code" in setup:
            faulthandler.enable()
            pid, say = os.getpid(), _sayer(reports)
            function = _loaded(setup["code"], say)
            for line in asked:
                if function is not None:
                    _answer(function, json.loads(line), say)
                if os.getpid() != pid:  # a process that the function forked came back from it
                    os._exit(0)
        else:
            _become(json.loads(asked.readline()))
    with suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(BaseException):
            stream.flush()
    os._exit(0)  # does not wait for threads


def _become(asked: Mapping[str, Any]) -> NoReturn:
    """Turn into the program of a command."""
    os.chdir(asked["folder"])
    try:
        os.execvp(asked["words"][0], asked["words"])
    except OSError as error:
        print(f"{asked['words'][0]} cannot be run: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127)


def _sayer(reports: int) -> Callable[[Mapping[str, Any]], None]:
    def say(content: Mapping[str, Any]) -> None:
        waiting = memoryview(json.dumps(content).encode() + b"\n")
        while waiting:
            waiting = waiting[os.write(reports, waiting) :]

    return say


def _loaded(code: dict[str, Any], say: Callable[[Mapping[str, Any]], None]) -> Any:
    """Import the function; say why where that fails, and return None."""
    from harness.studies.loading import Module, import_read

    try:
        modules = [Module(*fields) for fields in code["modules"]]
        return getattr(import_read(modules, code["module"]), code["name"])
    except BaseException as error:  # a module can raise anything, SystemExit too
        say(_raised(error, f"'{code['place']}' cannot be imported: "))
        return None


def _raised(error: BaseException, before: str = "") -> dict[str, str]:
    """Return what to say of an error: in short, and with the user's own part of the traceback."""
    import traceback

    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in (__file__, "<string>"):
        trace = trace.tb_next
    text = f"{type(error).__name__}"
    if isinstance(error, SystemExit):
        text = f"it called sys.exit({error.code!r})"
    elif lines := [line for line in str(error).splitlines() if line.strip()]:
        text += f": {lines[-1].strip()}"
    shown = traceback.format_exception(type(error), error, trace)
    return {"raised": before + text, "trace": "".join(shown)}


def _answer(
    function: Callable[..., Any],
    asked: Mapping[str, Any],
    say: Callable[[Mapping[str, Any]], None],
) -> None:
    """Call the function once, and say what comes of it."""
    streams: set[str] = set()
    try:
        given = dict(asked["parameters"])
        for name in asked["takes"]:
            given[name] = _given(name, asked, streams)
        returned = function(**given)
        if isinstance(returned, GeneratorType):
            returned = _drained(returned, say)
        answer = _told(returned)
    except BaseException as error:  # a function can raise anything
        answer = _raised(error)
    say({**answer, "streams": sorted(streams), "modules": _packages()})


def _given(name: str, asked: Mapping[str, Any], streams: set[str]) -> Any:
    """Return what the run gives as one parameter."""
    if name == "tasks":
        return _arrays(asked["tasks"], asked["arrays"])
    if name == "streams":
        from methods.streams import stream

        def named(name: str) -> Any:
            streams.add(name)
            return stream(asked["seed"], name)

        return named
    return asked[name]


def _arrays(tasks: list[dict[str, Any]], file: int) -> list[dict[str, Any]]:
    """Return the tasks; their arrays lie in a file that all cells share, and are this one's own."""
    import mmap

    import numpy as np

    content = mmap.mmap(file, 0, access=mmap.ACCESS_COPY)

    def array(at: Any) -> Any:
        if not isinstance(at, dict):
            return tuple(at)
        shape = at["shape"]
        count = int(np.prod(shape))
        return np.frombuffer(content, at["dtype"], count, at["offset"]).reshape(shape)

    return [{name: array(at) for name, at in task.items()} for task in tasks]


def _drained(rows: Iterator[Any], say: Callable[[Mapping[str, Any]], None]) -> Any:
    """Return what a generator returns, or all that it yields, and say how it goes."""
    found: list[Any] = []
    while True:
        try:
            found.append(next(rows))
        except StopIteration as end:
            return found if end.value is None else end.value
        say({"progress": len(found)})


def _told(returned: Any) -> dict[str, Any]:
    try:
        return {"returned": _plain(returned)}
    except TypeError as error:
        return {"wrong": str(error)}


def _plain(value: Any) -> Any:
    """Return numbers, lists and mappings as JSON has them, from whatever library they are."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return value if isinstance(value, bool) else float(value)
    for name in ("tolist", "numpy"):  # tensors, arrays and their numbers
        method = getattr(value, name, None)
        if callable(method):
            return _plain(method())
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, Iterable):
        return [_plain(part) for part in value]
    raise TypeError(f"a value of type {type(value).__name__} ({str(value)[:MOST_SHOWN]})")


def _packages() -> list[str]:
    """Return the modules of installed packages that the function has imported, by top name."""
    found = []
    for name in set(sys.modules) - AT_START:
        if "." in name:
            continue
        module = sys.modules[name]
        places = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", ())]
        if any("site-packages" in str(place) or "dist-packages" in str(place) for place in places):
            found.append(name)
    return sorted(found)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
