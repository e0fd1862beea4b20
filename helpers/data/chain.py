"""Normalizers by name, and one after the other."""

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from helpers.data.normalizers import (
    TPM,
    Identity,
    LogTransform,
    Normalizer,
    RegionLengthNormalization,
    ZScore,
    ZScoreLog,
)
from helpers.data.percentiles import PercentileTrimming
from helpers.errors import InputError


class Chain(Normalizer):
    """Several normalizers, each applied to, and fitted on, what those before it give.

    Parameters
    ----------
    members : sequence of Normalizer, name or callable
        A callable is a function of an array that gives an array of the same shape, such as `numpy.sqrt`. It has
        nothing to fit and cannot be stored. A member that is fitted already is kept as it is.

    Attributes
    ----------
    members : list of Normalizer or callable

    Raises
    ------
    InputError
        Without members, or for a member that is none of these.

    Examples
    --------
    >>> chain = Chain(["log", ZScore()]).fit([np.array([0, 0, 1])])
    >>> chain(np.array([0, 1]))
    array([-0.57735026,  1.1547005 ], dtype=float32)
    """

    kind = "chain"

    def __init__(self, members: Sequence[Any]):
        flat = []
        for member in members:
            made = as_normalizer(member) if isinstance(member, str | list | tuple | Normalizer) else member
            flat += made.members if isinstance(made, Chain) else [_checked_function(made)]
        if not flat:
            msg = "A chain of normalizers is empty. Give at least one, or no normalizer."
            raise InputError(msg)
        self.members: list[Any] = flat

    @property
    def fitted(self) -> bool:
        """Whether all members are."""
        return all(getattr(member, "fitted", True) for member in self.members)

    def fit(self, counts: Iterable[np.ndarray], *, source: str = "the track", length: float | None = None) -> "Chain":
        """Fit the members in turn; see `Normalizer.fit`. What can be read once only is held in memory."""
        counts = list(counts) if iter(counts) is counts else counts
        return self.fit_in_turn(lambda member: counts, source=source, length=length)

    def fit_in_turn(
        self, blocks_for: Callable[[Any], Iterable[np.ndarray]], *, source: str, length: float | None
    ) -> "Chain":
        """Fit each member on blocks of its own, such as those of regions, as the members before it give them."""
        members: list[Any] = []
        for member in self.members:
            if not getattr(member, "fitted", True):
                before = Chain(members) if members else Identity()
                blocks = (before(block) for block in blocks_for(member))
                member = copy.copy(member).fit(blocks, source=source, length=length)
            members.append(member)
        self.members = members
        return self

    def __call__(self, counts: np.ndarray) -> np.ndarray:
        """Normalize counts of any shape; returns a new float32 array of that shape."""
        self._check_fitted()
        values = np.asarray(counts)
        for member in self.members:
            values = np.asarray(member(values), dtype=np.float32)
            if values.shape != np.shape(counts):
                msg = f"{_name_of(member)} must keep the shape {np.shape(counts)} of values. It gave {values.shape}."
                raise InputError(msg)
        return values.copy() if np.may_share_memory(values, counts) else values

    def to_dict(self) -> dict[str, Any]:
        """Give the states of the members, fit for JSON; InputError for a function, which has none."""
        functions = [_name_of(member) for member in self.members if not isinstance(member, Normalizer)]
        if functions:
            msg = (
                f"The function {functions[0]} cannot be stored. Store a chain of {', '.join(NORMALIZERS)}, or make the "
                "chain again with the function where it is needed."
            )
            raise InputError(msg)
        return {"kind": self.kind, "members": [member.to_dict() for member in self.members]}

    def __repr__(self) -> str:
        named = (repr(member) if isinstance(member, Normalizer) else _name_of(member) for member in self.members)
        return f"Chain([{', '.join(named)}])"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Chain) and self.members == other.members

    __hash__ = None


NORMALIZERS: dict[str, type[Normalizer]] = {
    normalizer.kind: normalizer
    for normalizer in (Identity, TPM, ZScoreLog, ZScore, LogTransform, PercentileTrimming, RegionLengthNormalization)
}


def make_normalizer(name: str) -> Normalizer:
    """Make an unfitted normalizer by its name in `NORMALIZERS`; InputError for another name."""
    if name not in NORMALIZERS:
        msg = f"There is no normalization {name!r}. Choose one of {', '.join(NORMALIZERS)}."
        raise InputError(msg)
    return NORMALIZERS[name]()


def as_normalizer(given: Any) -> Normalizer:
    """Make a normalizer of any form in which a user may give one.

    Parameters
    ----------
    given : None, str, Normalizer, callable, or sequence of these
        Nothing, a name, itself, or a `Chain`.

    Raises
    ------
    InputError
        For anything else.

    Examples
    --------
    >>> as_normalizer(["log", np.sqrt])
    Chain([LogTransform(), sqrt])
    """
    if given is None:
        return Identity()
    if isinstance(given, str):
        return make_normalizer(given)
    if isinstance(given, Normalizer):
        return given
    return Chain(given if isinstance(given, list | tuple) else [given])


def _checked_function(member: Any) -> Any:
    if not callable(member) or isinstance(member, type):
        msg = f"A normalizer is a name, a Normalizer such as ZScoreLog(), or a function. Received: {member!r}."
        raise InputError(msg)
    return member


def _name_of(member: Any) -> str:
    return getattr(member, "__name__", repr(member))
