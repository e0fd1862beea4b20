"""What each architecture takes, told without Keras: the kind of its input, its parameters, the shortest window.

A config is checked against this before anything is loaded; `helpers.model.architectures` builds by it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from helpers.errors import InputError


class Number(NamedTuple):
    """A parameter that is a number: its default (None: read off the input) and its bounds."""

    default: float | None
    low: float
    high: float
    whole: bool = True

    @property
    def allowed(self) -> str:
        """Say what is allowed."""
        return f"a {'whole ' * self.whole}number from {self.low} to {self.high}"

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is allowed."""
        kind = int if self.whole else (int, float)
        return isinstance(value, kind) and not isinstance(value, bool) and self.low <= value <= self.high


class Choice(NamedTuple):
    """A parameter that is one of several words; the first is the default."""

    words: tuple[str, ...]

    @property
    def default(self) -> str:
        """The first word."""
        return self.words[0]

    @property
    def allowed(self) -> str:
        """Say what is allowed."""
        return f"one of {', '.join(self.words)}"

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is allowed."""
        return value in self.words


class Network(NamedTuple):
    """An architecture of one input.

    Attributes
    ----------
    kind : {'sequence', 'coverage'}
        Of its input.
    parameters : dict of str to Number or Choice
        With the paper's numbers as defaults.
    stages : tuple of (str, str or None)
        The names of width and pooling of each convolution without padding, in their order.
    """

    kind: str
    parameters: Mapping[str, Number | Choice]
    stages: tuple[tuple[str, str | None], ...] = ()


ORDER = Number(None, 1, 7)
_SIZE = {"low": 1, "high": 100_000}
_TWO_STAGES = (("width", "pool"), ("top_width", None))

NETWORKS: dict[str, Network] = {
    "jund_dna": Network(
        "sequence",
        {
            "order": ORDER,
            "dropout": Number(0.2, 0, 0.99, whole=False),
            "strands": Choice(("both", "forward")),
            "filters": Number(10, **_SIZE),
            "width": Number(11, **_SIZE),
            "pool": Number(30, **_SIZE),
            "top_filters": Number(8, **_SIZE),
            "top_width": Number(3, **_SIZE),
        },
        _TWO_STAGES,
    ),
    "jund_dnase": Network(
        "coverage",
        {
            "filters": Number(10, **_SIZE),
            "width": Number(5, **_SIZE),
            "pool": Number(2, **_SIZE),
            "top_filters": Number(5, **_SIZE),
            "top_width": Number(3, **_SIZE),
        },
        _TWO_STAGES,
    ),
    "kmer_linear": Network("sequence", {"k": ORDER}),
}
BASELINES = ("kmer_linear",)  # not trained by epochs; every study shows what a net adds over them


def complete_params(architecture: str, params: Mapping[str, Any], order: int = 1) -> dict[str, Any]:
    """Check the parameters of an architecture and add its defaults.

    Parameters
    ----------
    architecture : str
        A name in `NETWORKS`.
    params : mapping
    order : int
        Order of the input, which parameters without a default take.

    Raises
    ------
    InputError
        With every unknown name and every value out of bounds.

    Examples
    --------
    >>> complete_params("kmer_linear", {}, order=5)
    {'k': 5}
    """
    if architecture not in NETWORKS:
        msg = f"architecture: {architecture!r} is unknown; allowed: {', '.join(NETWORKS)}."
        raise InputError(msg)
    known = NETWORKS[architecture].parameters
    problems = [f"{name!r} is unknown" for name in params if name not in known]
    for name in set(params) & set(known):
        if not known[name].accepts(params[name]):
            problems.append(f"{name}: {params[name]!r} is not {known[name].allowed}")
        elif known[name].default is None and params[name] != order:
            problems.append(f"{name}: {params[name]} differs from the order of the input, {order}")
    if problems:
        msg = f"{architecture}: {'; '.join(sorted(problems))}. Parameters: {', '.join(known)}."
        raise InputError(msg)
    defaults = {name: order if parameter.default is None else parameter.default for name, parameter in known.items()}
    return {**defaults, **params}


def shortest_input(architecture: str, params: Mapping[str, Any]) -> int:
    """Give the positions that an input needs so that every filter and pooling finds something.

    Parameters
    ----------
    architecture : str
        A name in `NETWORKS`.
    params : mapping
        Of `complete_params`.

    Examples
    --------
    >>> shortest_input("jund_dnase", complete_params("jund_dnase", {}))  # 5 wide, pooled by 2, 3 wide
    10
    """
    positions = 1
    for width, pool in reversed(NETWORKS[architecture].stages):
        positions = positions * (params[pool] if pool else 1) + params[width] - 1
    return positions
