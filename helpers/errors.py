"""The one kind of error that a user can cause and mend, and how its messages list names."""

from collections.abc import Iterable


class InputError(ValueError):
    """A mistake in a file, a sheet or a config that the user can mend.

    The message says what was wrong (with the value), where (file, line, region or key) and what to do.
    Jobs print the message alone, without a traceback.
    """


def list_some(names: Iterable[str], most: int = 5, separator: str = ", ") -> str:
    """Join names, the first few of many.

    Parameters
    ----------
    names : iterable
        What is listed, in this order.
    most : int
        How many are named; the rest is counted.
    separator : str
        What stands between two names.

    Returns
    -------
    str
        Empty when there are no names.

    Examples
    --------
    >>> list_some("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    names = list(map(str, names))
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + rest
