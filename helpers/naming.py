"""What checks of names share: a name that is unknown, a track that is missing or of another type."""

import difflib
from collections.abc import Iterable, Iterator

import pandas as pd

REGION_TYPES = ("bed", "narrowPeak", "broadPeak")


def unknown(names: Iterable[str], allowed: Iterable[str], key: str) -> Iterator[str]:
    """Yield a sentence for each name that is not allowed at a key of the config.

    Examples
    --------
    >>> list(unknown(["dna", "dnaes"], ["dna", "dnase"], "models"))
    ["models: 'dnaes' is unknown; allowed: dna, dnase."]
    """
    allowed = list(allowed)
    for name in names:
        if name not in allowed:
            yield f"{key}: {name!r} is unknown; allowed: {', '.join(allowed)}."


def track_problems(tracks: pd.DataFrame, name: str, types: tuple[str, ...], key: str) -> Iterator[str]:
    """Yield a sentence when a track is not in the sheet or of none of these types."""
    if name not in tracks.index:
        guess = difflib.get_close_matches(name, list(tracks.index), n=1)
        yield f"{key}: track {name!r} is not in the sheet." + (f" Did you mean {guess[0]!r}?" if guess else "")
    elif tracks.at[name, "type"] not in types:
        yield f"{key}: track {name!r} is of type {tracks.at[name, 'type']}; needed: {' or '.join(types)}."
