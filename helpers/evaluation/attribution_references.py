"""What attributions are measured against: the inputs at the other end of the path, which should mean nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from helpers.data.kmers import kmer_codes, one_hot
from helpers.data.shuffling import shuffle_dinucleotides
from helpers.errors import InputError
from helpers.evaluation.base_attribution import letters_of_kmers
from helpers.model.bodies import InputSpec

BASELINES = ("zeros", "uniform", "shuffled")
COVERAGE_BASELINES = ("zeros", "mean")


@dataclass
class ReferenceInputs:
    """One or several references of each window.

    Attributes
    ----------
    specs : dict of str to InputSpec
    values : list of dict of str to numpy.ndarray
        For each reference and input: k-mer codes (windows, positions), all unknown for 'zeros' and 'uniform', or
        coverage (windows, positions, strands, conditions).
    known : dict of str to numpy.ndarray of bool, shape (windows, positions)
        Where a channel of a 'uniform' sequence is ``4**-order`` instead of 0; empty for other baselines.
    """

    specs: Mapping[str, InputSpec]
    values: list[dict[str, np.ndarray]]
    known: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.values)

    def points(self, number: int, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Give one reference of some windows as float32: sequences of shape (windows, positions, 1, 4**order)."""
        found = {name: values[rows] for name, values in self.values[number].items()}
        for name, spec in self.specs.items():
            if spec.kind == "sequence":
                found[name] = one_hot(found[name], spec.order).astype(np.float32)
            if name in self.known:
                found[name] += np.float32(4.0**-spec.order) * self.known[name][rows][..., None, None]
        return found


def make_references(
    values: Mapping[str, np.ndarray],
    specs: Mapping[str, InputSpec],
    *,
    baseline: str = "zeros",
    coverage_baseline: str = "zeros",
    count: int = 10,
    seed: int = 0,
) -> ReferenceInputs:
    """Make the references of windows.

    Parameters
    ----------
    values : mapping of str to numpy.ndarray
        Inputs of the windows: k-mer codes (windows, positions), or coverage.
    specs : mapping of str to InputSpec
    baseline : {'zeros', 'uniform', 'shuffled'}
        Of sequences: no base at all; each k-mer with the same share ``4**-order`` where there is one; or `count`
        dinucleotide shuffles of the window's bases (`helpers.data.shuffling`), of which k-mers are made. Inputs in
        which a window has the same bases, read as k-mers of other orders, get the same shuffle of it: they stay two
        views of one sequence. What is unknown is zero in all of them.
    coverage_baseline : {'zeros', 'mean'}
        Of coverage: 0, or the mean of the values over windows and positions, for each strand and condition.
    count : int, default 10
        Number of shuffles.
    seed : int, default 0
        Of the shuffles.

    Returns
    -------
    ReferenceInputs
        One, or `count` where sequences are shuffled.

    Raises
    ------
    InputError
        For an unknown baseline, or fewer than one shuffle.
    """
    _check(baseline, coverage_baseline, count)
    orders = {name: spec.order for name, spec in specs.items() if spec.kind == "sequence"}
    known = {name: values[name] < 4**order for name, order in orders.items()} if baseline == "uniform" else {}
    flat = {
        name: np.full_like(values[name], 4**spec.order)
        if spec.kind == "sequence"
        else _flat_coverage(values[name], coverage_baseline)
        for name, spec in specs.items()
    }
    if baseline != "shuffled" or not orders:
        return ReferenceInputs(specs, [flat], known)
    letters = {name: letters_of_kmers(values[name], order) for name, order in orders.items()}
    rng, references = np.random.default_rng(seed), []
    for _ in range(count):
        shuffled = _shuffle(letters, rng)
        references.append(flat | {name: kmer_codes(shuffled[name], order) for name, order in orders.items()})
    return ReferenceInputs(specs, references, known)


def _check(baseline: str, coverage_baseline: str, count: int) -> None:
    for key, value, allowed in (
        ("baseline", baseline, BASELINES),
        ("coverage_baseline", coverage_baseline, COVERAGE_BASELINES),
    ):
        if value not in allowed:
            msg = f"attribution: {key}: {value!r} is unknown; allowed: {', '.join(allowed)}."
            raise InputError(msg)
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        msg = f"attribution: references: {count!r} is not a number of shuffles of at least 1."
        raise InputError(msg)


def _shuffle(letters: Mapping[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Shuffle the windows of each input; where an earlier one has the same bases, its shuffle is taken."""
    shuffled: dict[str, np.ndarray] = {}
    for name, own in letters.items():
        found, left = np.empty_like(own), np.ones(len(own), dtype=bool)
        for other in [other for other in shuffled if letters[other].shape == own.shape]:
            same = left & (letters[other] == own).all(axis=1)
            found[same], left = shuffled[other][same], left & ~same
        found[left] = shuffle_dinucleotides(own[left], rng)
        shuffled[name] = found
    return shuffled


def _flat_coverage(values: np.ndarray, baseline: str) -> np.ndarray:
    flat = np.zeros_like(values)
    if baseline == "mean" and len(values):
        flat[:] = values.mean(axis=(0, 1), dtype=np.float64)
    return flat
