"""Checks that the parameters of all simulations share: each message names the parameter, its bounds and its value."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from helpers.errors import InputError

Parameters = TypeVar("Parameters")


def from_known(cls: type[Parameters], parameters: Mapping[str, Any]) -> Parameters:
    """Make a dataclass of parameters from names and values, as a config or a JSON object holds them.

    Parameters
    ----------
    cls : type
        A dataclass whose fields are the parameters.
    parameters : mapping

    Raises
    ------
    InputError
        For a name that is no parameter (it lists those that are), or as the class refuses a value.
    """
    known = [parameter.name for parameter in fields(cls)]
    for name in parameters:
        if name not in known:
            message = f"unknown simulation parameter {name!r}. Known are: {', '.join(known)}"
            raise InputError(message)
    return cls(**parameters)


def require(fulfilled: bool, name: str, wanted: str, value: object) -> None:
    """Refuse a value unless a condition is fulfilled.

    Raises
    ------
    InputError

    Examples
    --------
    >>> require(False, "copies", "at least 1", 0)
    Traceback (most recent call last):
        ...
    helpers.errors.InputError: simulation parameter copies must be at least 1. Received: 0
    """
    if not fulfilled:
        message = f"simulation parameter {name} must be {wanted}. Received: {value!r}"
        raise InputError(message)


def check_number(name: str, value: object, kind: type, low: float, high: float) -> None:
    """Check that a value is a number from `low` to `high`; of kind int, a whole one.

    Raises
    ------
    InputError
    """
    accepted = int if kind is int else (int, float)
    number = isinstance(value, accepted) and not isinstance(value, bool)
    noun = "a whole number" if kind is int else "a number"
    require(number and low <= value <= high, name, f"{noun} from {low} to {high}", value)


def checked_pair(name: str, values: object, kind: type, low: float, high: float) -> tuple[Any, Any]:
    """Return two numbers from `low` to `high` as a tuple; they may come as a list (from JSON or YAML).

    Raises
    ------
    InputError
    """
    require(isinstance(values, tuple | list) and len(values) == 2, name, "a pair of numbers", values)
    for value in values:
        check_number(name, value, kind, low, high)
    return values[0], values[1]


def check_chromosomes(chromosomes: object, shortest: int) -> None:
    """Check that names of chromosomes have lengths of at least `shortest` bp.

    Raises
    ------
    InputError
    """
    named = isinstance(chromosomes, Mapping) and len(chromosomes) > 0
    require(named, "chromosomes", "names with lengths in bp", chromosomes)
    for name, length in chromosomes.items():
        written = isinstance(name, str) and name.isprintable() and name != "" and " " not in name
        require(written, "chromosomes", "named without spaces", name)
        check_number(f"chromosomes[{name}]", length, int, shortest, 500_000_000)
