"""The one kind of error that a user can cause and mend."""


class InputError(ValueError):
    """A mistake in a file, a sheet or a config that the user can mend.

    The message says what was wrong (with the value), where (file, line, region or key) and what to do.
    Jobs print the message alone, without a traceback.
    """
