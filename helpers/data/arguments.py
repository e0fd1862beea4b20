"""Names of arguments: what to write for one that Janggu knows and this package does not, or for a misspelt one."""

import difflib
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from helpers.errors import InputError

_Function = TypeVar("_Function", bound=Callable[..., Any])
_KNOWN_TO_JANGGU = {
    "cache": "Nothing is read that would be worth keeping; `save` writes the dataset to a file. Leave it out",
    "datatags": "The cache finds values by what they are made of. Leave it out",
    "dtype": "Values are float32, a sequence is int8. Leave it out",
    "minoverlap": "It is called overlap here: overlap=0.5",
    "normalizer": "Use normalize(cover, normalizer)",
    "overwrite": "The cache sees when a file or a parameter changed. Leave it out",
    "pairedend": "Use count='midpoint' for the middle of each pair, count='five_prime' (the default) for both 5' ends",
    "storage": "Sequences are kept in memory. Leave it out",
    "store_whole_genome": "Values belong to their windows. Leave it out",
    "template_extension": "Use count='fragment' for all bases of each pair, or shift=(4, -4) to move 5' ends",
    "verbose": "Nothing is printed; `explain()` says where values come from. Leave it out",
}


def explain_arguments(*further: str) -> Callable[[_Function], _Function]:
    """Make a function answer an unknown keyword with what to write instead.

    Parameters
    ----------
    *further : str
        Keywords that it takes by ``**``; another is as unknown as any.

    Examples
    --------
    >>> @explain_arguments()
    ... def count(path, stranded=True):
    ...     return path
    >>> count("a.bam", strandet=False)
    Traceback (most recent call last):
    helpers.errors.InputError: count has no argument strandet. Did you mean stranded?
    """

    def decorate(function: _Function) -> _Function:
        parameters = inspect.signature(function).parameters.values()
        known = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD and each.name != "cls"]
        known += further

        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            for name in kwargs:
                if name not in known:
                    msg = f"{function.__name__} has no argument {name}. {_advice(name, known)}"
                    raise InputError(msg)
            return function(*args, **kwargs)

        return checked

    return decorate


def _advice(name: str, known: list[str]) -> str:
    if name in _KNOWN_TO_JANGGU:
        return f"{_KNOWN_TO_JANGGU[name]}."
    alike = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {alike[0]}?" if alike else f"It has {', '.join(known)}."
