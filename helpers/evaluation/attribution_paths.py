"""Gradients along the straight path from references to windows, of several models at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from helpers.evaluation.attribution_references import ReferenceInputs
from helpers.evaluation.attribution_target import Target
from helpers.evaluation.gradients import compile_function, value_and_gradient
from helpers.model.bodies import InputSpec
from helpers.model.layers import OneHotCodes

_STEPS_AT_ONCE = 32
_BYTES_AT_ONCE = 1 << 25
_MOST_WINDOWS = 8

Arrays = Mapping[str, np.ndarray]


class PathIntegral(NamedTuple):
    """What was found along the paths of some windows.

    Attributes
    ----------
    values : dict of str to numpy.ndarray of float64
        Attributions of each input: of a sequence (rows, positions), summed over the channels; of coverage in its shape.
    at_middles, slopes : numpy.ndarray of float64, shape (rows, steps)
        The target at the middle of each step, and its derivative along the path.
    """

    values: dict[str, np.ndarray]
    at_middles: np.ndarray
    slopes: np.ndarray


class Paths:
    """Paths from references to windows, and the mean of models along them.

    Parameters
    ----------
    targets : sequence of Target
        Replicates; all results are their mean.
    specs : mapping of str to InputSpec
    values : mapping of str to numpy.ndarray
        Codes or coverage of all windows.
    references : ReferenceInputs
        Of all windows; all results are the mean over them.
    """

    def __init__(
        self, targets: Sequence[Target], specs: Mapping[str, InputSpec], values: Arrays, references: ReferenceInputs
    ):
        self.values, self.references = values, references
        self.size = len(next(iter(values.values())))
        self._functions = [_compile(target, specs) for target in targets]
        point = 4 * sum(int(np.prod(_point_shape(spec))) for spec in specs.values())
        self._at_once = int(np.clip(_BYTES_AT_ONCE // (_STEPS_AT_ONCE * point), 1, min(_MOST_WINDOWS, self.size)))

    def ends(self, weights: np.ndarray) -> np.ndarray:
        """Compute targets at both ends of the path.

        Parameters
        ----------
        weights : numpy.ndarray of float32, shape (targets, units)
            A target is the sum of the units' values times its row.

        Returns
        -------
        numpy.ndarray of float64, shape (targets, windows, 2)
            At the references and at the windows.
        """
        found = np.zeros((len(weights), self.size, 2))
        for rows in self.batches(np.arange(self.size)):
            for values, references in self._pairs(rows):
                for ends, _ in self._functions:
                    found[:, rows] += np.stack(ends(values, references, weights), axis=2)[:, : len(rows)]
        return found / self._number

    def integrate(self, rows: np.ndarray, weights: np.ndarray, edges: np.ndarray) -> PathIntegral:
        """Multiply the way from the references by the gradient, averaged over steps of the path.

        Parameters
        ----------
        rows : numpy.ndarray of int
            Windows, as `batches` gives them.
        weights : numpy.ndarray of float32, shape (units,)
            The target is the sum of the units' values times these.
        edges : numpy.ndarray of float, shape (rows, steps + 1)
            Of the steps, 0 at the reference and 1 at the window. The gradient is taken at their middles. A single edge
            stands for the gradient at that point alone.

        Returns
        -------
        PathIntegral
            Up to 32 steps are summed in single precision, all else in double.
        """
        filled = edges[np.minimum(np.arange(self._at_once), len(rows) - 1)].T
        alphas, shares = (
            ((filled[1:] + filled[:-1]) / 2, np.diff(filled, axis=0)) if len(filled) > 1 else (filled, filled)
        )
        totals: dict[str, Any] = dict.fromkeys(self.values, 0.0)
        along = np.zeros((2, *alphas.shape))
        for values, references in self._pairs(rows):
            for _, integrand in self._functions:
                for part in _chunks(len(alphas)):
                    inputs = _padded(alphas[part]), _padded(shares[part])
                    parts, *found = integrand(values, references, weights, *inputs)
                    totals = {name: totals[name] + parts[name].astype(np.float64) for name in totals}
                    along[:, part] += np.stack(found)[:, : len(alphas[part])]
        mean = {name: total[: len(rows)] / self._number for name, total in totals.items()}
        at_middles, changes = along[:, :, : len(rows)] / self._number
        return PathIntegral(mean, at_middles.T, (changes / shares[:, : len(rows)]).T)

    def batches(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Cut rows into as many as are treated at once."""
        return (rows[first : first + self._at_once] for first in range(0, len(rows), self._at_once))

    @property
    def _number(self) -> int:
        return len(self._functions) * len(self.references)

    def _pairs(self, rows: np.ndarray) -> Iterator[tuple[Arrays, Arrays]]:
        """Yield windows beside each of their references, the last one repeated so that all batches are equally long."""
        filled = np.append(rows, np.repeat(rows[-1:], self._at_once - len(rows)))
        windows = {name: _as_input(values[filled]) for name, values in self.values.items()}
        for number in range(len(self.references)):
            yield windows, self.references.points(number, filled)


def _as_input(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32 if values.dtype.kind == "f" else np.int32)


def _point_shape(spec: InputSpec) -> tuple[int, ...]:
    return (spec.shape[0], 4**spec.order) if spec.kind == "sequence" else spec.shape


def _chunks(steps: int) -> Iterator[slice]:
    return (slice(first, first + _STEPS_AT_ONCE) for first in range(0, steps, _STEPS_AT_ONCE))


def _padded(values: np.ndarray) -> np.ndarray:
    """Fill steps up to the number that is treated at once, unless there is one alone; the shares of these are 0."""
    missing = _STEPS_AT_ONCE - len(values) if len(values) > 1 else 0
    return np.pad(values, ((0, missing), (0, 0))).astype(np.float32)


def _compile(target: Target, specs: Mapping[str, InputSpec]) -> tuple[Any, Any]:
    """Compile several targets at both ends of the path, and the sum of the gradient of one along it."""
    network = target.differentiable()
    layers = {name: OneHotCodes(spec.order) for name, spec in specs.items() if spec.kind == "sequence"}

    def expand(values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: layers[name](part) if name in layers else part for name, part in values.items()}

    def value(points: Mapping[str, Any], weights: Any) -> Any:
        return ops.sum(network(points) * weights, axis=1)

    def ends(values: Any, references: Any, weights: Any) -> Any:
        return [ops.sum(network(points) * weights[:, None], axis=2) for points in (references, expand(values))]

    def integrand(values: Any, references: Any, weights: Any, alphas: Any, shares: Any) -> Any:
        windows = expand(values)
        ways = {name: windows[name] - references[name] for name in windows}

        def total(path: Mapping[str, Any]) -> Any:
            shifts, places = path["shifts"], path["alphas"]
            points = {name: _along(references[name] + shifts[name], ways[name], places) for name in ways}
            return ops.sum(ops.reshape(value(points, weights), alphas.shape) * path["shares"])

        # A shift of the whole path: its gradient is the sum of the gradients along the path, made in one go. That of
        # the shares is the value at each place, that of the places the slope there times the share.
        shifts = {name: ops.zeros_like(way) for name, way in ways.items()}
        _, gradients = value_and_gradient(total, {"shifts": shifts, "alphas": alphas, "shares": shares})
        products = {name: ways[name] * gradients["shifts"][name] for name in ways}
        summed = {name: ops.sum(part, axis=(2, 3)) if name in layers else part for name, part in products.items()}
        return summed, gradients["shares"], gradients["alphas"]

    return compile_function(ends), compile_function(integrand)


def _along(reference: Any, way: Any, alphas: Any) -> Any:
    """Give all places (steps, windows) of the paths as one batch, (steps * windows, ...)."""
    places = reference[None] + ops.reshape(alphas, (*alphas.shape, *[1] * (len(way.shape) - 1))) * way[None]
    return ops.reshape(places, (-1, *way.shape[1:]))
