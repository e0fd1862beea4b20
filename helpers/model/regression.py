"""Logistic and ridge regressions of many outputs on the same features, for one penalty after another.

All outputs are fitted together, each by itself: what costs time are products of the features with the weights of all
outputs, which a processor computes many times faster than with those of one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple

import numpy as np

_TOLERANCE = 1e-9  # of the mean loss of a window, above its minimum
_MAX_ITERATIONS = 1000
_MEMORY = 10  # steps that the next direction is built on
_MOST_HALVINGS = 30
_ROUNDING = 1e-14


class Fits(NamedTuple):
    """The regressions of all outputs at one penalty.

    Attributes
    ----------
    weights : numpy.ndarray of float, shape (features, outputs)
    converged : numpy.ndarray of bool, shape (outputs,)
    """

    weights: np.ndarray
    converged: np.ndarray


def ridge_fits(
    features: np.ndarray, variances: np.ndarray, targets: np.ndarray, penalties: Sequence[float]
) -> Iterator[Fits]:
    """Yield ridge regressions, one set for each penalty.

    Parameters
    ----------
    features : numpy.ndarray of float, shape (windows, features)
        Uncorrelated, with the mean 0; only the last is 1 everywhere, for the intercept.
    variances : numpy.ndarray of float, shape (features,)
        Mean square of each feature.
    targets : numpy.ndarray of float, shape (windows, outputs)
    penalties : sequence of float
        Of half the squared length of the weights without the intercept, against half the mean squared error.

    Examples
    --------
    >>> features = np.array([[-1.0, 1], [1, 1]])
    >>> [fits.weights.ravel() for fits in ridge_fits(features, np.ones(2), np.array([[0.0], [4.0]]), [1.0])]
    [array([1., 2.])]
    """
    projected = features.T @ targets / len(features)
    for penalty in penalties:
        shrunk = projected / _curvature(variances, penalty)[:, None]
        yield Fits(shrunk, np.ones(targets.shape[1], dtype=bool))


def logistic_fits(
    features: np.ndarray, variances: np.ndarray, labels: np.ndarray, penalties: Sequence[float]
) -> Iterator[Fits]:
    """Yield logistic regressions, one set for each penalty, each started at the one before.

    Parameters
    ----------
    features, variances
        As in `ridge_fits`.
    labels : numpy.ndarray of float, shape (windows, outputs)
        0 and 1, both in each column.
    penalties : sequence of float
        Of half the squared length of the weights without the intercept, against the mean loss of a window.

    Notes
    -----
    Limited-memory BFGS on each output, its first guess of the curvature being that of uncorrelated features. An output
    has converged when its loss is expected to lie less than 1e-9 above the minimum.
    """
    frequency = labels.mean(axis=0)
    weights = np.zeros((features.shape[1], labels.shape[1]))
    weights[-1] = np.log(frequency / (1 - frequency))
    for penalty in penalties:
        weights, converged = _minimise(_Problem(features, variances, penalty), labels, weights)
        yield Fits(weights, converged)


def logistic_losses(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the cross-entropy of labels and log odds, and the probabilities, for any size of the scores."""
    small = np.exp(-np.abs(scores))
    losses = np.log1p(small) + np.maximum(scores, 0) - labels * scores
    return losses, np.where(scores >= 0, 1, small) / (1 + small)


def _curvature(variances: np.ndarray, penalty: float) -> np.ndarray:
    """Add the penalty to the variances of all features but the intercept."""
    curvature = variances + penalty
    curvature[-1] = variances[-1]
    return curvature


class _Problem(NamedTuple):
    """What is the same for all outputs."""

    features: np.ndarray
    variances: np.ndarray
    penalty: float


def _minimise(problem: _Problem, labels: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit all outputs from given weights; return weights, and which outputs converged."""
    result, converged = start.copy(), np.zeros(labels.shape[1], dtype=bool)
    outputs, search = np.arange(labels.shape[1]), _Search.begin(problem, labels, start)
    for _ in range(_MAX_ITERATIONS):
        direction = search.direction()
        slope = _dots(search.gradient, direction)
        done = -slope / 2 < _TOLERANCE
        if done.any():
            result[:, outputs[done]], converged[outputs[done]] = search.weights[:, done], True
            outputs, direction, slope = outputs[~done], direction[:, ~done], slope[~done]
            search = search.of(~done)
        if len(outputs) == 0:
            break
        search.move(problem, direction, slope)
    result[:, outputs] = search.weights
    return result, converged


def _dots(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Multiply column by column."""
    return np.einsum("ij,ij->j", first, second)


@dataclass
class _Search:
    """Where the outputs stand that have not converged; all arrays have one column for each."""

    labels: np.ndarray
    weights: np.ndarray
    scores: np.ndarray
    loss: np.ndarray
    gradient: np.ndarray
    guess: np.ndarray  # of the inverse of the curvature
    steps: list[np.ndarray] = field(default_factory=list)
    changes: list[np.ndarray] = field(default_factory=list)  # of the gradient with each step

    @classmethod
    def begin(cls, problem: _Problem, labels: np.ndarray, weights: np.ndarray) -> "_Search":
        scores = problem.features @ weights
        loss, probabilities = _penalised(problem, labels, scores, weights)
        steepness = np.maximum(np.mean(probabilities * (1 - probabilities), axis=0), 1e-10)
        guess = 1 / _curvature(problem.variances[:, None] * steepness, problem.penalty)
        return cls(labels, weights, scores, loss, _gradient(problem, probabilities - labels, weights), guess)

    def of(self, kept: np.ndarray) -> "_Search":
        """Return the same for some outputs."""
        columns = {each.name: getattr(self, each.name) for each in fields(self)}
        return _Search(
            **{
                name: [part[:, kept] for part in value] if isinstance(value, list) else value[..., kept]
                for name, value in columns.items()
            }
        )

    def direction(self) -> np.ndarray:
        """Turn the gradient into a step by what the last steps told of the curvature."""
        turned, weighed = self.gradient.copy(), []
        for step, change in zip(reversed(self.steps), reversed(self.changes), strict=True):
            rate = _inverse(_dots(step, change))
            share = rate * _dots(step, turned)
            turned -= share * change
            weighed.append((rate, share))
        turned *= self.guess
        for step, change, (rate, share) in zip(self.steps, self.changes, reversed(weighed), strict=True):
            turned += (share - rate * _dots(change, turned)) * step
        return -turned

    def move(self, problem: _Problem, direction: np.ndarray, slope: np.ndarray) -> None:
        """Go along a direction so far that the loss falls."""
        shift, length = problem.features @ direction, np.ones(len(slope))
        for _ in range(_MOST_HALVINGS):
            weights, scores = self.weights + length * direction, self.scores + length * shift
            loss, probabilities = _penalised(problem, self.labels, scores, weights)
            too_far = loss > self.loss + 1e-4 * length * slope + _ROUNDING
            if not too_far.any():
                break
            length[too_far] /= 2
        gradient = _gradient(problem, probabilities - self.labels, weights)
        self.steps = [*self.steps, weights - self.weights][-_MEMORY:]
        self.changes = [*self.changes, gradient - self.gradient][-_MEMORY:]
        self.weights, self.scores, self.loss, self.gradient = weights, scores, loss, gradient


def _penalised(
    problem: _Problem, labels: np.ndarray, scores: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    losses, probabilities = logistic_losses(labels, scores)
    return losses.mean(axis=0) + problem.penalty / 2 * _dots(weights[:-1], weights[:-1]), probabilities


def _gradient(problem: _Problem, residuals: np.ndarray, weights: np.ndarray) -> np.ndarray:
    gradient = problem.features.T @ residuals / len(residuals)
    gradient[:-1] += problem.penalty * weights[:-1]
    return gradient


def _inverse(values: np.ndarray) -> np.ndarray:
    """Return 1 / values, and 0 where they are not above 0: such a step tells nothing of the curvature."""
    return np.divide(1, values, out=np.zeros_like(values), where=values > 0)
