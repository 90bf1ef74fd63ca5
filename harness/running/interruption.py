"""The signals that ask a program to end: the first one interrupts it, the others change nothing.

Ctrl-C (SIGINT), kill (SIGTERM) and a terminal that closes (SIGHUP) all raise KeyboardInterrupt,
once. What follows is the way out: records are written, Ray is left, one line is printed. A second
signal on that way would break it off, so it is dropped; but not for ever, for what is waited for
may never come.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

INTERRUPTED = 130
"""The exit code: what shells give to a program that Ctrl-C ended."""
WAY_OUT_S = 30.0
"""So long after the first signal another one ends the process at once."""


@dataclass
class _State:
    """Of the process, as the handlers of signals are: when one arrived, and whether it waits."""

    arrived: float | None = None
    held: int = 0


_state = _State()


def listen() -> None:
    """Let the signals interrupt this program; to be called once, in the main thread.

    A signal that is ignored already stays ignored: nohup does that, and a shell for its
    background jobs.
    """
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _arrive)


def _arrive(number: int, frame: object) -> None:
    if _state.arrived is None:
        _state.arrived = time.monotonic()
        if not _state.held:
            raise KeyboardInterrupt
    elif time.monotonic() - _state.arrived > WAY_OUT_S:
        os._exit(INTERRUPTED)


def check() -> None:
    """Raise KeyboardInterrupt where a signal has arrived.

    A library that swallows the first one (any callback may) cannot keep a run from ending.
    """
    if _state.arrived is not None:
        raise KeyboardInterrupt


@contextmanager
def held() -> Iterator[None]:
    """Finish a block of code before a signal interrupts: what must be done whole or not at all."""
    before = _state.arrived
    _state.held += 1
    try:
        yield
    finally:
        _state.held -= 1
    if _state.arrived is not None and before is None and not _state.held:
        raise KeyboardInterrupt


def ignore() -> None:
    """Ignore the signals from here on: the program is about to exit."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
