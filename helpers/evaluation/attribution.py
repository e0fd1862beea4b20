"""Why does a model say what it says: how much each base, and each value of coverage, adds to its output.

One call, three methods. What is attributed is the value before the last activation, so that effects add up: for
integrated gradients, the attributions of a window sum to the change of the target between the reference and the window.
How far they are from that, the completeness error, is always computed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from helpers.errors import InputError, list_some
from helpers.evaluation.attribution_paths import Paths
from helpers.evaluation.attribution_references import make_references
from helpers.evaluation.attribution_target import Target, check_same_models, input_specs, unit_weights
from helpers.evaluation.base_attribution import letters_of_kmers, on_letters, spread_kmers
from helpers.evaluation.mutagenesis import Mutagenesis
from helpers.evaluation.path_steps import even_steps, refine_steps
from helpers.model.bodies import InputSpec

METHODS = ("integrated_gradients", "input_x_gradient", "mutagenesis")
CHECK_COLUMNS = ("change", "sum", "error", "steps")
_READ_AT_ONCE = 256


@dataclass(frozen=True)
class AttributionSettings:
    """How to attribute; the keys of `attribution` in a config, and a few more.

    Attributes
    ----------
    method : {'integrated_gradients', 'input_x_gradient', 'mutagenesis'}
        The gradient averaged over the straight path from the reference to the window, times the way between them; the
        gradient at the window alone, times this way; or what the target loses by each single change.
    baseline : {'zeros', 'uniform', 'shuffled'}
        Reference of sequences, see `helpers.evaluation.attribution_references.make_references`.
    coverage_baseline : {'zeros', 'mean'}
        Reference of coverage.
    references : int
        Number of dinucleotide shuffles that are averaged.
    steps, max_steps : int
        Of the path: first so many of equal length; twice as many, again and again, for windows whose error is too
        large, up to so many (`helpers.evaluation.path_steps.refine_steps` says which are cut).
    tolerance, least_tolerance : float
        Largest completeness error: this share of the change of the target, plus this.
    seed : int
        Of the shuffles.

    Raises
    ------
    InputError
        For an unknown method, a number of steps below 1, or a uniform baseline of mutagenesis.
    """

    method: str = "integrated_gradients"
    baseline: str = "zeros"
    coverage_baseline: str = "zeros"
    references: int = 10
    steps: int = 32
    max_steps: int = 512
    tolerance: float = 0.01
    least_tolerance: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            msg = f"attribution: method: {self.method!r} is unknown; allowed: {', '.join(METHODS)}."
            raise InputError(msg)
        if not 1 <= self.steps <= self.max_steps:
            msg = f"attribution: 1 <= steps <= max_steps is needed. Received: {self.steps} and {self.max_steps}."
            raise InputError(msg)
        if self.method == "mutagenesis" and self.baseline == "uniform":
            msg = "attribution: no sequence is uniform, as mutagenesis needs it; use the baseline zeros or shuffled."
            raise InputError(msg)

    def allowed_error(self, changes: np.ndarray) -> np.ndarray:
        """Give the largest error of windows from their changes."""
        return self.tolerance * np.abs(changes) + self.least_tolerance


class Attribution(NamedTuple):
    """Attributions of windows, as these see themselves: minus windows in reading direction.

    Attributes
    ----------
    values : dict of str to dict of str to numpy.ndarray of float32
        By output and input. Of a sequence shape (windows, bases, 4): each base's attribution in the channel of its
        letter A, C, G or T, 0 elsewhere and at unknown bases. Of coverage the shape of the input.
    checks : dict of str to pandas.DataFrame
        By output, one row a window: change of the target from the references to the window, sum of all attributions
        over all inputs, error |sum - change|, and steps (0 for mutagenesis). Mutations and input × gradient need not
        add up to the change: of these the error says how far they are from it, and none is too large.
    """

    values: dict[str, dict[str, np.ndarray]]
    checks: dict[str, pd.DataFrame]


def attribute(
    models: Any,
    inputs: Any,
    *,
    outputs: Mapping[str, int | Sequence[int]] | None = None,
    names: Sequence[str] | None = None,
    **settings: Any,
) -> Attribution:
    """Attribute the outputs of models to the bases and the coverage of windows.

    Parameters
    ----------
    models : keras.Model or sequence of keras.Model
        Of several, replicates of one network, the mean is attributed. See `Target` for which models can be. Left
        unchanged.
    inputs : mapping of str to dataset or numpy.ndarray, sequence of datasets, or one dataset
        By the names of the model's inputs. `Bioseq` or, for inputs that the model expands by `OneHotCodes`, codes
        (windows, positions) are sequences; all else is coverage.
    outputs : mapping of str to int or sequence of int, optional
        Name to the unit of the model that is attributed, or to several whose sum is. By default each unit by itself.
    names : sequence of str, optional
        Of the windows, for messages; their numbers by default.
    **settings
        Of `AttributionSettings`: method, baseline, ...

    Returns
    -------
    Attribution

    Raises
    ------
    InputError
        When an input does not fit, a model has no gradient, or the completeness error of integrated gradients is still
        too large at `max_steps`: after all windows are done, with their names.

    Notes
    -----
    The attribution of a k-mer is spread evenly over its bases, so that the sum stays the same; that of a base is the
    sum over all k-mers that reach it, and over all channels (with references other than zeros also those of other
    letters). In mutagenesis the attribution of a base is the value of the target less the mean of the values with the
    three other bases, where all k-mers over it change; a value of coverage is replaced by the reference. Models are
    computed in single precision, sums in double.

    A layer that reads both strands passes the gradient of both.

    References
    ----------
    Sundararajan, Taly and Yan, ICML 2017, https://arxiv.org/abs/1703.01365

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,), name="x"), keras.layers.Dense(1, activation="sigmoid", name="y")])
    >>> model.set_weights([np.array([[2.0], [-1.0]]), np.array([0.5])])
    >>> attribute(model, {"x": np.array([[3.0, 4.0]])}).values["y"]["x"]
    array([[ 6., -4.]], dtype=float32)
    """
    chosen = AttributionSettings(**settings)
    targets = [Target(model) for model in (models if isinstance(models, list | tuple) else [models])]
    check_same_models(targets)
    datasets = _by_name(inputs, targets[0])
    specs = input_specs(targets[0], datasets)
    values = {name: _read(datasets[name], spec) for name, spec in specs.items()}
    _check_lengths(values if names is None else {**values, "names": names})
    weights = unit_weights(outputs, targets[0].units)
    references = make_references(
        values,
        specs,
        baseline=chosen.baseline,
        coverage_baseline=chosen.coverage_baseline,
        count=chosen.references,
        seed=chosen.seed,
    )
    if chosen.method == "mutagenesis":
        found = _mutate(Mutagenesis(targets, specs, values, references), specs, weights)
    else:
        found = _follow(Paths(targets, specs, values, references), weights, chosen)
    _check_errors(found.checks, chosen, names)
    bases = {output: _as_bases(parts, values, specs, chosen.method) for output, parts in found.values.items()}
    return Attribution(bases, found.checks)


def _follow(paths: Paths, weights: Mapping[str, np.ndarray], settings: AttributionSettings) -> Attribution:
    """Attribute along paths, for each output in turn."""
    values, checks = {}, {}
    all_ends = paths.ends(np.stack(list(weights.values())))
    for (output, unit), ends in zip(weights.items(), all_ends, strict=True):
        values[output], checks[output] = _follow_output(paths, unit, ends, settings)
    return Attribution(values, checks)


def _follow_output(
    paths: Paths, unit: np.ndarray, ends: np.ndarray, settings: AttributionSettings
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    changes, sums, steps = ends[:, 1] - ends[:, 0], np.zeros(paths.size), np.zeros(paths.size, dtype=np.int64)
    values: dict[str, np.ndarray] = {}
    pending = np.arange(paths.size)
    along = settings.method == "integrated_gradients"
    edges = even_steps(settings.steps, paths.size) if along else np.ones((paths.size, 1))
    while len(pending):
        found = [paths.integrate(*part) for part in _parts(paths, pending, unit, edges)]
        for name in found[0].values:
            own = np.concatenate([part.values[name] for part in found])
            values.setdefault(name, np.zeros((paths.size, *own.shape[1:]), dtype=np.float32))[pending] = own
        sums[pending] = np.concatenate([_sum_inputs(part.values) for part in found])
        steps[pending] = max(edges.shape[1] - 1, 1)
        if not along or 2 * steps.max() > settings.max_steps:
            break
        wrong = ~(np.abs(sums - changes) <= settings.allowed_error(changes))[pending]
        at_middles, slopes = (np.concatenate([part[number] for part in found])[wrong] for number in (1, 2))
        pending = pending[wrong]
        edges = refine_steps(edges[wrong], at_middles, slopes, ends[pending]) if len(pending) else edges
    return values, _check_table(changes, sums, steps)


def _parts(
    paths: Paths, pending: np.ndarray, unit: np.ndarray, edges: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield what is integrated at once."""
    first = 0
    for rows in paths.batches(pending):
        yield rows, unit, edges[first : first + len(rows)]
        first += len(rows)


def _sum_inputs(values: Mapping[str, np.ndarray]) -> np.ndarray:
    return sum(part.reshape(len(part), -1).sum(axis=1) for part in values.values())


def _mutate(scan: Mutagenesis, specs: Mapping[str, InputSpec], weights: Mapping[str, np.ndarray]) -> Attribution:
    """Attribute by mutagenesis, to all outputs at once."""
    losses, changes = {name: scan.losses(name) for name in specs}, scan.changes()
    values, checks = {}, {}
    for output, unit in weights.items():
        found = {name: part @ unit.astype(np.float64) for name, part in losses.items()}
        sums = _sum_inputs(found)
        values[output], checks[output] = found, _check_table(changes @ unit, sums, np.zeros(scan.size, dtype=np.int64))
    return Attribution(values, checks)


def _check_table(changes: np.ndarray, sums: np.ndarray, steps: np.ndarray) -> pd.DataFrame:
    columns = (changes, sums, np.abs(sums - changes), steps)
    return pd.DataFrame(dict(zip(CHECK_COLUMNS, columns, strict=True)))


def _check_errors(
    checks: Mapping[str, pd.DataFrame], settings: AttributionSettings, names: Sequence[str] | None
) -> None:
    """Raise InputError when integrated gradients are incomplete anywhere."""
    if settings.method != "integrated_gradients":
        return
    failed = []
    for output, table in checks.items():
        rows = np.flatnonzero(~(table["error"] <= settings.allowed_error(table["change"].to_numpy())))
        for row in rows:
            window = names[row] if names is not None else f"window {row}"
            error, change = table["error"][row], table["change"][row]
            failed.append(f"{window} of {output!r} (error {error:.3g}, change {change:.3g})")
    if failed:
        total, steps = sum(map(len, checks.values())), max(table["steps"].max() for table in checks.values())
        finite = all(np.isfinite(table["error"]).all() for table in checks.values())
        advice = "Raise max_steps, or use another baseline." if finite else "Look for missing values in the inputs."
        msg = (
            f"attribution: after {steps} steps the sum still differs too much from the change of the "
            f"target in {len(failed)} of {total} cases: {list_some(failed)}. {advice}"
        )
        raise InputError(msg)


def _as_bases(
    found: Mapping[str, np.ndarray], values: Mapping[str, np.ndarray], specs: Mapping[str, InputSpec], method: str
) -> dict[str, np.ndarray]:
    """Turn attributions of k-mers into those of bases."""
    bases = {}
    for name, spec in specs.items():
        part = found[name]
        if spec.kind == "sequence":
            spread = part if method == "mutagenesis" else spread_kmers(part, spec.order)
            part = on_letters(spread, letters_of_kmers(values[name], spec.order))
        bases[name] = part.astype(np.float32, copy=False)
    return bases


def _by_name(inputs: Any, target: Target) -> dict[str, Any]:
    """Bind datasets to the names of the model's inputs: by their keys, their own names, or their order."""
    if isinstance(inputs, Mapping):
        return dict(inputs)
    datasets = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    own = [getattr(dataset, "name", None) for dataset in datasets]
    if set(own) == set(target.inputs) or len(datasets) != len(target.inputs):
        return dict(zip(own, datasets, strict=True))
    if len(datasets) > 1 and any(name in target.inputs for name in own):
        msg = f"The model reads {', '.join(target.inputs)}. Received: {', '.join(map(str, own))}. Give them by name."
        raise InputError(msg)
    return dict(zip(target.inputs, datasets, strict=True))


def _read(dataset: Any, spec: InputSpec) -> np.ndarray:
    """Read all windows of an input: codes of a sequence, else float32."""
    read = dataset.codes if callable(getattr(dataset, "codes", None)) else dataset.__getitem__
    size = len(dataset)
    parts = [np.asarray(read(slice(first, first + _READ_AT_ONCE))) for first in range(0, size, _READ_AT_ONCE)]
    if not parts:
        msg = "There are no windows to attribute. Give datasets with at least one."
        raise InputError(msg)
    values = np.concatenate(parts)
    return values if spec.kind == "sequence" else values.astype(np.float32)


def _check_lengths(values: Mapping[str, Sequence]) -> None:
    lengths = {name: len(part) for name, part in values.items()}
    if len(set(lengths.values())) > 1:
        msg = f"All inputs have the same windows. Received: {lengths}. Give the same windows for each."
        raise InputError(msg)
