"""What ends the program early with one line: an error that a user can mend, an interruption."""


class InputError(Exception):
    """Bad input: the message names the thing, the place and the remedy. Exit code 2."""


class NoDataError(InputError):
    """A benchmark's data are not here, and could not be downloaded."""


class Interrupted(Exception):  # noqa: N818 (nothing went wrong)
    """The user ended a part of the work: the message says what is kept. Exit code 130."""
