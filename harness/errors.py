"""The one error that a user can mend."""


class InputError(Exception):
    """Bad input: the message names the thing, the place and the remedy. Exit code 2."""
