"""What a variant changes in the predictions of a model: the alternative allele against the reference.

Both alleles are predicted on both strands, the window and its reverse complement, by each replicate; the means over
strands and replicates are compared. Coverage that a model reads beside the sequence is that of the place, the same for
both alleles.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit

from helpers.data.coverage import Cover
from helpers.data.indexer import GenomicIndexer
from helpers.data.kmers import kmer_codes, one_hot, reverse_complement_codes
from helpers.data.normalization import load_normalizer
from helpers.data.variant_windows import VariantWindows, middle_of
from helpers.data.variants import Variants
from helpers.errors import InputError, list_some

_MOST = 700.0  # log odds whose probability float64 still tells from 0


class Effects(NamedTuple):
    """Effects of variants on the outputs of a model, all float32 of shape (variants, outputs).

    Attributes
    ----------
    ref, alt
        Predictions of the two alleles, mean over strands and replicates.
    difference
        alt - ref.
    logit_difference
        logit(alt) - logit(ref), of these means, from the values before the sigmoid, so that it is exact also where
        probabilities are rounded to 0 or 1; NaN where the output is no probability.
    sd
        Standard deviation of the difference over replicates (n - 1); NaN where there is one.
    """

    ref: np.ndarray
    alt: np.ndarray
    difference: np.ndarray
    logit_difference: np.ndarray
    sd: np.ndarray


class Scored(NamedTuple):
    """A batch of variants with the effects of those that were scored.

    Attributes
    ----------
    variants : Variants
        All of the batch.
    rows : numpy.ndarray of int64, shape (scored,)
        Rows of the variants to which `effects` belong.
    effects : Effects
        Arrays of shape (scored, outputs).
    """

    variants: Variants
    rows: np.ndarray
    effects: Effects


class SequenceInput(NamedTuple):
    """How a model reads the sequence.

    Attributes
    ----------
    order : int
        Length of the k-mers.
    length : int
        bp of its window.
    hot : bool
        Whether it takes k-mers one-hot, shape (positions, 1, 4**order), and not as codes.
    """

    order: int
    length: int
    hot: bool = False


class EffectModel:
    """Replicates of one variant of a model, and how their inputs are made of windows around genetic variants.

    Parameters
    ----------
    models : sequence of keras.Model
        Replicates; at least one.
    sequences : mapping of str to SequenceInput
        Name of the input → how it is read; at least one.
    outputs : sequence of str
        Names of the outputs.
    covers : mapping of str to (Cover, int), optional
        Name of the input → signal of whole contigs, and bp of its window.
    kept : sequence of str, optional
        Names of the outputs whose effects are wanted, all by default.

    Attributes
    ----------
    length, shortest : int
        bp of the longest and of the shortest window of the sequence.
    outputs : list of str
        Those that are kept.
    n_predicted : int
        Number of outputs that the models have.
    covered : set of str or None
        Contigs that have coverage of all inputs; None where the models read none.

    Raises
    ------
    InputError
        When there is no model, no input is a sequence, the models have another number of outputs, or names come twice
        or are unknown.

    Notes
    -----
    Windows of coverage begin at a bin: the one nearest to where the variant would stand in the middle. On the other
    strand positions and strands are reversed.
    """

    def __init__(
        self,
        models: Sequence[Any],
        sequences: Mapping[str, SequenceInput],
        outputs: Sequence[str],
        covers: Mapping[str, tuple[Cover, int]] | None = None,
        *,
        kept: Sequence[str] | None = None,
    ):
        self._covers = dict(covers or {})
        if not sequences:
            msg = (
                f"The model reads no sequence, only {list_some(self._covers)}: a variant changes nothing that it sees. "
                "Name models with a sequence input for variants."
            )
            raise InputError(msg)
        self._models, self._sequences = list(models), dict(sequences)
        _check_names(outputs, kept)
        self._columns = [number for number, name in enumerate(outputs) if kept is None or name in kept]
        self.outputs, self.n_predicted = [outputs[number] for number in self._columns], len(outputs)
        contigs = [set(cover.contigs) for cover, _ in self._covers.values()]
        self.covered = set.intersection(*contigs) if contigs else None
        self.length = max(item.length for item in self._sequences.values())
        self.shortest = min(item.length for item in self._sequences.values())
        if not self._models:
            msg = "There is no model to score variants with. Give at least one."
            raise InputError(msg)
        n_outputs = {sum(tensor.shape[-1] for tensor in model.outputs) for model in self._models}
        if n_outputs != {len(outputs)}:
            msg = (
                f"The models have {list_some(sorted(n_outputs))} outputs, and {len(outputs)} names are given: "
                f"{list_some(outputs)}. Give each output its name."
            )
            raise InputError(msg)
        from helpers.evaluation.attribution_target import before_sigmoids  # loads Keras

        self._models, kinds = zip(*map(before_sigmoids, self._models), strict=True)
        self._probable = np.array(kinds[0])[self._columns]

    @classmethod
    def of_plan(
        cls, models: Sequence[Any], readings: Mapping[str, Mapping[str, Any]], *, binsize: int, outputs: Sequence[str]
    ) -> "EffectModel":
        """Make one of the models of a study.

        Parameters
        ----------
        models : sequence of keras.Model
        readings : mapping
            How to read each input, see `helpers.data.inputs.open_split`; tracks are not swapped.
        binsize : int
            bp of the study's windows without flank.
        outputs : sequence of str

        Raises
        ------
        InputError
            See the class; also for an input that holds one value for each window of the study.
        """
        sequences, covers = {}, {}
        for name, reading in readings.items():
            length = binsize + 2 * reading["flank"]
            if reading["kind"] == "sequence":
                sequences[name] = SequenceInput(reading["order"], length)
                continue
            if reading.get("whole"):
                msg = (
                    f"Input {name} has one value for each window of the study, and none for the windows around "
                    "variants. Name models without it for variants, or give the input a resolution in bp."
                )
                raise InputError(msg)
            normalizers = [load_normalizer(path) for path in reading["normalizers"]]
            cover = Cover.create_from_store(
                name, reading["stores"], conditions=reading["tracks"], normalizers=normalizers
            )
            covers[name] = (cover, length)
        return cls(models, sequences, outputs, covers)

    def effects(self, windows: VariantWindows, reverse: np.ndarray | None = None) -> Effects:
        """Compare the alleles of a batch.

        Parameters
        ----------
        windows : VariantWindows
            With windows of `length` bp.
        reverse : numpy.ndarray of bool, shape (scored,), optional
            Read each window on one strand alone, the reverse where True. By default both are read and averaged.

        Returns
        -------
        Effects
            Of the scored variants.

        Raises
        ------
        InputError
            When a prediction is not finite.
        """
        if not len(windows.rows):
            return Effects(*np.zeros((len(Effects._fields), 0, len(self.outputs)), dtype=np.float32))
        inputs = {name: self._read_sequence(item, windows, reverse) for name, item in self._sequences.items()}
        for name, (cover, length) in self._covers.items():
            inputs[name] = _read_cover(cover, length, windows, reverse)
        predicted = [self._predict(model, inputs, len(windows.rows)) for model in self._models]
        replicates, complements = (np.stack(parts) for parts in zip(*predicted, strict=True))
        ref, alt = replicates.mean(axis=0)
        differences = replicates[:, 1] - replicates[:, 0]
        sd = np.full(ref.shape, np.nan) if len(differences) == 1 else differences.std(axis=0, ddof=1)
        logit_difference = _logit(alt, complements[:, 1]) - _logit(ref, complements[:, 0])
        return Effects(*(values.astype(np.float32) for values in (ref, alt, alt - ref, logit_difference, sd)))

    def _read_sequence(self, item: SequenceInput, windows: VariantWindows, reverse: np.ndarray | None) -> Any:
        """Give the k-mers of both alleles, on one strand or on both: (strands * 2 * scored, positions)."""
        first = middle_of(self.length) - middle_of(item.length)
        own = slice(first, first + item.length)
        letters = np.concatenate([windows.reference[:, own], windows.alternative[:, own]])
        kmers = kmer_codes(letters, item.order)
        kmers = _on_strands(kmers, reverse_complement_codes(kmers, item.order), reverse)
        return _OneHot(kmers, item.order) if item.hot else kmers

    def _predict(self, model: Any, inputs: Mapping[str, Any], n_variants: int) -> tuple[np.ndarray, np.ndarray]:
        """Predict (alleles, variants, outputs), and of probabilities 1 less them; means over strands, float64."""
        from helpers.model.training import predict

        named = inputs if len(inputs) > 1 else dict(zip(model.input, inputs.values(), strict=True))
        predicted = predict(model, named)
        if not np.isfinite(predicted).all():
            msg = "A prediction of a variant's window is not finite. Train the model again with a lower learning rate."
            raise InputError(msg)
        values = predicted[:, self._columns].reshape(-1, 2, n_variants, len(self._columns)).astype(np.float64)
        odds = np.clip(values, -_MOST, _MOST)
        probabilities = np.where(self._probable, expit(odds), values)
        complements = np.where(self._probable, expit(-odds), np.nan)  # apart, for 1 - p would be rounded
        return probabilities.mean(axis=0), complements.mean(axis=0)


class _OneHot:
    """k-mer codes that are expanded to one-hot when a batch asks for them."""

    def __init__(self, codes: np.ndarray, order: int):
        self._codes, self._order = codes, order

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, rows: Any) -> np.ndarray:
        return one_hot(self._codes[rows], self._order)


def sequence_input_of(model: Any, order: int) -> SequenceInput:
    """Tell how a Keras model with one input reads sequence, from its shape.

    Parameters
    ----------
    model : keras.Model
        With an input of codes, shape (positions,), or one-hot, shape (positions, 1, 4**order).
    order : int
        Length of the k-mers.

    Raises
    ------
    InputError
        For more inputs, or an input of another shape.
    """
    if len(model.inputs) != 1:
        names = list_some(tensor.name for tensor in model.inputs)
        msg = f"A model with one input, the sequence, is needed. Received inputs: {names}. Score it by the workflow."
        raise InputError(msg)
    shape = tuple(model.inputs[0].shape[1:])
    hot = len(shape) == 3
    if len(shape) not in (1, 3) or shape[0] is None or (hot and shape[1:] != (1, 4**order)):
        msg = (
            f"The model's input of shape {shape} is no sequence of order {order}: codes have the shape (positions,), "
            f"one-hot k-mers (positions, 1, {4**order}). Variants change the sequence alone: give such a model, or "
            "another order."
        )
        raise InputError(msg)
    return SequenceInput(order, shape[0] + order - 1, hot)


def _check_names(outputs: Sequence[str], kept: Sequence[str] | None) -> None:
    """Refuse names of outputs that are no text or come twice, and names to keep that are none or no output has."""
    odd = [name for name in outputs if not isinstance(name, str)]
    if odd or (kept is not None and not len(kept)):
        msg = (
            f"Outputs have texts as names, and one at least is kept. Received: {list_some(odd) or 'none'}. Correct it."
        )
        raise InputError(msg)
    twice = sorted({name for name in outputs if list(outputs).count(name) > 1})
    if twice:
        msg = f"Outputs share a name: {list_some(twice)}. Give each output a name of its own."
        raise InputError(msg)
    unknown = [name for name in kept or () if name not in outputs]
    if unknown:
        msg = f"No output is named {list_some(unknown)}. The outputs are {list_some(outputs)}."
        raise InputError(msg)


def _on_strands(forward: np.ndarray, turned: np.ndarray, reverse: np.ndarray | None) -> np.ndarray:
    """Give rows of both alleles on both strands, one behind the other, or each on the strand that `reverse` says."""
    if reverse is None:
        return np.concatenate([forward, turned])
    rows = np.flatnonzero(np.tile(reverse, 2))
    forward[rows] = turned[rows]
    return forward


def _read_cover(cover: Cover, length: int, windows: VariantWindows, reverse: np.ndarray | None) -> np.ndarray:
    """Read coverage around variants, the same for both alleles: (strands * 2 * scored, positions, strands, tracks)."""
    variants, resolution = windows.variants, cover.resolution
    wanted = variants.starts[windows.rows] - middle_of(length)
    places = GenomicIndexer(length)
    names, codes = np.unique(variants.texts(windows.rows)[0], return_inverse=True)
    places.chrom_names, places.chrom_codes = names.tolist(), codes.astype(np.int32)
    places.starts = (wanted + resolution // 2) // resolution * resolution
    places.ends = places.starts + length
    places.strand = np.full(len(wanted), "+")
    values = np.tile(cover.with_windows(places)[:], (2, 1, 1, 1))
    return _on_strands(values, values[:, ::-1, ::-1], reverse)


def _logit(probability: np.ndarray, complements: np.ndarray) -> np.ndarray:
    """Give log(p / (1 - p)) from mean p and from 1 - p of each replicate; NaN where the latter is."""
    other = complements.mean(axis=0)
    return np.log(np.where(np.isnan(other), np.nan, probability)) - np.log(other)
