"""In-silico mutagenesis: what the target loses when one base is another, or one value of coverage its reference."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from helpers.data.kmers import kmer_codes, one_hot
from helpers.evaluation.attribution_references import ReferenceInputs
from helpers.evaluation.attribution_target import Target
from helpers.evaluation.base_attribution import letters_of_kmers
from helpers.model.bodies import InputSpec
from helpers.model.training import predict

_VARIANTS_AT_ONCE = 256
Arrays = Mapping[str, np.ndarray]


class Mutagenesis:
    """The mean of models at changed windows.

    Parameters
    ----------
    targets : sequence of Target
        Replicates.
    specs : mapping of str to InputSpec
    values : mapping of str to numpy.ndarray
        Codes or coverage of all windows.
    references : ReferenceInputs
        Of all windows; a value of coverage is replaced by its own.
    """

    def __init__(
        self, targets: Sequence[Target], specs: Mapping[str, InputSpec], values: Arrays, references: ReferenceInputs
    ):
        self._targets, self._specs, self._values, self._references = list(targets), specs, values, references
        self.size = len(next(iter(values.values())))

    def units(self, values: Arrays) -> np.ndarray:
        """Compute the value of each unit before the last activation, shape (windows, units), as float64."""
        inputs = {name: self._as_input(name, part) for name, part in values.items()}
        parts = [predict(target.linear, inputs, batch_size=_VARIANTS_AT_ONCE) for target in self._targets]
        return np.mean(parts, axis=0, dtype=np.float64)

    @cached_property
    def _intact(self) -> np.ndarray:
        """Units of the windows as they are."""
        return self.units(self._values)

    def changes(self) -> np.ndarray:
        """Compute the change from the references to the windows, shape (windows, units)."""
        references = [self.units(part) for part in self._references.values]
        return self._intact - np.mean(references, axis=0)

    def losses(self, name: str) -> np.ndarray:
        """Compute what is lost by changing an input.

        Parameters
        ----------
        name : str
            Of the input.

        Returns
        -------
        numpy.ndarray of float64
            Of a sequence, shape (windows, bases, units): the value less the mean of the values with the three other
            bases; 0 at unknown bases. Of coverage, shape (windows, positions, strands, conditions, units): the value
            less the value with this one number replaced.
        """
        return np.stack([self._losses_of(row, name) for row in range(self.size)])

    def _losses_of(self, row: int, name: str) -> np.ndarray:
        window = {other: values[row : row + 1] for other, values in self._values.items()}
        before = self._intact[row]
        if self._specs[name].kind != "sequence":
            changed = _replaced(window[name][0], self._references.values[0][name][row])
            after = self._after(window, name, changed)
            return (before - after).reshape(*window[name].shape[1:], -1)
        letters = letters_of_kmers(window[name], self._specs[name].order)[0]
        known = np.flatnonzero(letters < 4)
        losses = np.zeros((len(letters), len(before)))
        if len(known):
            changed = _mutated(letters, known, lambda variants: kmer_codes(variants, self._specs[name].order))
            losses[known] = before - self._after(window, name, changed).reshape(len(known), 3, -1).mean(axis=1)
        return losses

    def _after(self, window: Arrays, name: str, changed: Iterator[np.ndarray]) -> np.ndarray:
        """Compute the units with one input changed."""
        parts = []
        for variants in changed:
            others = {other: np.repeat(values, len(variants), axis=0) for other, values in window.items()}
            parts.append(self.units({**others, name: variants}))
        return np.concatenate(parts)

    def _as_input(self, name: str, values: np.ndarray) -> np.ndarray:
        spec, takes_codes = self._specs[name], len(self._targets[0].inputs[name].shape) == 2
        return values if spec.kind != "sequence" or takes_codes else one_hot(values, spec.order).astype(np.float32)


def _mutated(
    letters: np.ndarray, known: np.ndarray, encode: Callable[[np.ndarray], np.ndarray]
) -> Iterator[np.ndarray]:
    """Yield codes of all windows with one known base changed: position by position, three for each."""
    at_once = _VARIANTS_AT_ONCE // 3
    for first in range(0, len(known), at_once):
        places = np.repeat(known[first : first + at_once], 3)
        variants = np.tile(letters, (len(places), 1))
        others = np.tile(np.arange(1, 4, dtype=np.uint8), len(places) // 3)
        variants[np.arange(len(places)), places] = (letters[places] + others) % 4
        yield encode(variants)


def _replaced(values: np.ndarray, reference: np.ndarray) -> Iterator[np.ndarray]:
    """Yield coverage with one number after the other replaced by that of the reference."""
    for first in range(0, values.size, _VARIANTS_AT_ONCE):
        places = np.arange(first, min(first + _VARIANTS_AT_ONCE, values.size))
        variants = np.tile(values.ravel(), (len(places), 1))
        variants[np.arange(len(places)), places] = reference.ravel()[places]
        yield variants.reshape(len(places), *values.shape)
