"""What a program takes from a command: less to read, or its answer as one line of JSON."""

from __future__ import annotations

import functools
import inspect
import json
import sys
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import typer
from rich.console import Console

from harness.errors import InputError, Interrupted
from harness.running.interruption import INTERRUPTED
from harness.screen.messages import warn

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and warnings only.")]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one line of JSON to standard output; all else goes to standard error."
    ),
]


class Answer:
    """The answer of the command that runs: facts by name, given at its end if that is wanted.

    Parameters
    ----------
    out : where commands print; ``--quiet`` silences it, ``--json`` sends it to standard error.
    """

    def __init__(self, out: Console) -> None:
        self.out = out
        self.facts: dict[str, Any] = {}
        self.quiet = self.as_json = False

    def add(self, **facts: Any) -> None:
        """Add facts to the answer; they are what JSON can hold."""
        self.facts |= facts

    def begin(self, quiet: bool, as_json: bool) -> None:
        """Forget the answer of an earlier command, and take this one's options."""
        self.facts = {}
        self.quiet, self.as_json = quiet, as_json
        self.out.quiet, self.out.stderr = quiet, as_json

    def note(self, message: str) -> None:
        """Say to a person what takes a while, on standard error."""
        if not self.quiet:
            warn(message)
            sys.stderr.flush()

    def give(self, name: str, code: int) -> None:
        """Print the answer, if it is wanted: the command, its exit code, and the facts."""
        if self.as_json:
            print(json.dumps({"command": name, "exit_code": code, **self.facts}), flush=True)

    def of(self, function: Callable[..., None]) -> Callable[..., None]:
        """Return a command with ``--quiet`` and ``--json``, which gives its answer however it ends.

        A group that hands on to one of its commands leaves the answer to that one.
        """

        @functools.wraps(function)
        def command(*, quiet: bool, as_json: bool, **arguments: Any) -> None:
            context = arguments.get("context")
            if context is not None and context.invoked_subcommand is not None:
                function(**arguments)
                return
            self.begin(quiet, as_json)
            code = 0
            try:
                function(**arguments)
            except typer.Exit as end:
                code = end.exit_code
                raise
            except (InputError, Interrupted) as error:
                code = 2 if isinstance(error, InputError) else INTERRUPTED
                self.add(error=str(error))
                raise
            except KeyboardInterrupt:
                code = INTERRUPTED
                raise
            except BaseException:
                code = 1
                raise
            finally:
                self.give(function.__name__.rstrip("_"), code)

        # typer reads the options of a command from its signature; names are resolved where they
        # are known, which is not this module.
        hints = get_type_hints(function, include_extras=True) | {"quiet": Quiet, "as_json": Json}
        hints.pop("return", None)
        old = inspect.signature(function).parameters
        parameters = [
            old[name].replace(annotation=hint)
            if name in old
            else inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=hint
            )
            for name, hint in hints.items()
        ]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = hints
        return command
