"""What each architecture takes, told without Keras: the kind of its input, its parameters, the shortest window.

A config is checked against this before anything is loaded; `helpers.model.architectures` builds by it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from helpers.errors import InputError


class Number(NamedTuple):
    """A parameter that is a number: its default and its bounds."""

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


class File(NamedTuple):
    """A parameter that is the path of a file, which has no default."""

    holds: str
    default: None = None

    @property
    def allowed(self) -> str:
        """Say what is allowed."""
        return f"the path of a file of {self.holds}"

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is allowed; the file itself is looked at by its reader."""
        return isinstance(value, str) and value != ""


Parameter = Number | Choice | File


class Network(NamedTuple):
    """An architecture of one input.

    Attributes
    ----------
    kind : {'sequence', 'coverage'}
        Of its input.
    parameters : dict of str to Number, Choice or File
        With the paper's numbers as defaults.
    stages : tuple of (str, str or None)
        The names of width and pooling of each convolution without padding, in their order.
    fixed_order : int, optional
        The only order that its sequence may have; any by default.
    """

    kind: str
    parameters: Mapping[str, Parameter]
    stages: tuple[tuple[str, str | None], ...] = ()
    fixed_order: int | None = None


def _sizes(**defaults: int) -> dict[str, Number]:
    """Make parameters that are numbers of filters, positions or units."""
    return {name: Number(default, 1, 100_000) for name, default in defaults.items()}


def _rates(**defaults: float) -> dict[str, Number]:
    """Make parameters that are probabilities of dropout."""
    return {name: Number(default, 0, 0.99, whole=False) for name, default in defaults.items()}


ORDER = Number(None, 1, 7)  # read off the input
_SCAN = {"order": ORDER, "strands": Choice(("both", "forward"))}
_TWO_STAGES = (("width", "pool"), ("top_width", None))
_THREE_STAGES = (("width", "pool"), ("middle_width", "middle_pool"), ("top_width", None))

NETWORKS: dict[str, Network] = {
    "jund_dna": Network(
        "sequence",
        {**_SCAN, **_rates(dropout=0.2), **_sizes(filters=10, width=11, pool=30, top_filters=8, top_width=3)},
        _TWO_STAGES,
    ),
    "jund_dnase": Network("coverage", _sizes(filters=10, width=5, pool=2, top_filters=5, top_width=3), _TWO_STAGES),
    "deepsea": Network(
        "sequence",
        {
            **_SCAN,
            **_sizes(filters=320, width=8, pool=4, middle_filters=480, middle_width=8, middle_pool=4),
            **_sizes(top_filters=960, top_width=8, units=925),
            **_rates(hidden_dropout=0.2, top_dropout=0.5),
        },
        _THREE_STAGES,
    ),
    "danq": Network(
        "sequence",
        {
            **_SCAN,
            **_sizes(filters=320, width=26, pool=13, lstm_units=320, units=925),
            **_rates(hidden_dropout=0.2, top_dropout=0.5),
        },
        (("width", "pool"),),
    ),
    "cage_dna": Network(
        "sequence",
        {**_SCAN, **_rates(dropout=0.2), **_sizes(filters=10, width=15, pool=5, top_filters=8, top_width=5)},
        _TWO_STAGES,
    ),
    "cage_chromatin": Network("coverage", {}),
    "kmer_linear": Network("sequence", {"k": ORDER}),
    "pwm_scan": Network("sequence", {"motifs": File("motifs (MEME minimal)")}, fixed_order=1),
}
BASELINES = ("kmer_linear", "pwm_scan")  # not trained by epochs; every study shows what a net adds over them


def complete_params(architecture: str, params: Mapping[str, Any], order: int = 1) -> dict[str, Any]:
    """Check the parameters of an architecture and add its defaults.

    Parameters
    ----------
    architecture : str
        A name in `NETWORKS`.
    params : mapping
    order : int
        Of the input: the length of its k-mers, which ``order`` and ``k`` must equal.

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
    for name, parameter in known.items():
        problems += _parameter_problems(name, parameter, params, order)
    fixed_order = NETWORKS[architecture].fixed_order
    if fixed_order not in (None, order):
        problems.append(f"the order of the input is {order}; only {fixed_order} is allowed")
    if problems:
        msg = f"{architecture}: {'; '.join(sorted(problems))}. Parameters: {', '.join(known) or 'none'}."
        raise InputError(msg)
    defaults = {name: order if parameter is ORDER else parameter.default for name, parameter in known.items()}
    return {**defaults, **params}


def _parameter_problems(name: str, parameter: Parameter, params: Mapping[str, Any], order: int) -> Iterator[str]:
    if name not in params:
        if isinstance(parameter, File):
            yield f"{name} is missing; needed: {parameter.allowed}"
    elif not parameter.accepts(params[name]):
        yield f"{name}: {params[name]!r} is not {parameter.allowed}"
    elif parameter is ORDER and params[name] != order:
        yield f"{name}: {params[name]} differs from the order of the input, {order}"


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
