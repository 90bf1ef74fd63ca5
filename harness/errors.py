"""The errors that a user can mend."""


class InputError(Exception):
    """Bad input: the message names the thing, the place and the remedy. Exit code 2."""


class NoDataError(InputError):
    """A benchmark's data are not here, and could not be downloaded."""
