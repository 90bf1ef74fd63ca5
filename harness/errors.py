"""What ends the program early with one line: an error that a user can mend, an interruption."""


class InputError(Exception):
    """Bad input: the message names the thing, the place and the remedy. Exit code 2."""


class NoDataError(InputError):
    """A benchmark's data are not here, and could not be downloaded."""


class Interrupted(Exception):  # noqa: N818 (nothing went wrong)
    """The user ended a part of the work: the message says what is kept. Exit code 130."""


def in_a_line(error: BaseException) -> str:
    """Return an error's class and the last line of its text."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1].strip()}" if lines else type(error).__name__
