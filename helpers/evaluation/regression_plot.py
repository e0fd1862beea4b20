"""Predicted against observed signal, with the line of least squares and its test."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from helpers.errors import InputError, list_some
from helpers.evaluation.figure_parts import INK, FigureText, label_y, write_header
from helpers.evaluation.predictions import WINDOW_COLUMNS, Predictions
from helpers.evaluation.style import PALETTE, SINGLE_COLUMN, SMALL, in_style, styled_figure

SMALLEST_P = 1e-300  # smaller ones are not told apart
_CONFIDENCE = 0.95  # of the band around the line
_MANY_POINTS = 3000  # more are drawn as pixels, within vectors too


@dataclass(frozen=True)
class LineFit:
    """A line fitted by least squares.

    Parameters
    ----------
    n : int
        Number of points.
    slope, intercept : float
        Of the line.
    r : float
        Pearson's correlation.
    f : float
        F statistic of the slope, with 1 and n - 2 degrees of freedom; infinite for a perfect line.
    p : float
        Probability of such an F, or a larger one, if the slope were 0.
    error : float
        Standard deviation of the residuals, in the unit of y.
    x_mean, x_squares : float
        Mean of x, and its sum of squared deviations.
    """

    n: int
    slope: float
    intercept: float
    r: float
    f: float
    p: float
    error: float
    x_mean: float
    x_squares: float

    def at(self, x: np.ndarray) -> np.ndarray:
        """Give the line at some x."""
        return self.intercept + self.slope * np.asarray(x)

    def half_width(self, x: np.ndarray) -> np.ndarray:
        """Give half the width of the 95 % confidence band of the line at some x, in the unit of y."""
        spread = np.sqrt(1 / self.n + (np.asarray(x) - self.x_mean) ** 2 / self.x_squares)
        return stats.t.ppf((1 + _CONFIDENCE) / 2, self.n - 2) * self.error * spread


def fit_line(x: np.ndarray, y: np.ndarray) -> LineFit | None:
    """Fit a line by least squares, in double precision.

    Parameters
    ----------
    x, y : numpy.ndarray of float, shape (points,)
        All finite.

    Returns
    -------
    LineFit or None
        None where it is undefined: fewer than three points, or a side that is constant.

    Examples
    --------
    >>> fit = fit_line([0, 1, 2, 3], [0, 1, 2, 4])
    >>> round(fit.slope, 2), round(fit.r, 3), round(fit.f, 1), round(fit.p, 3)
    (1.3, 0.983, 56.3, 0.017)
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in (x, y))
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    x_mean, y_mean = x.mean(), y.mean()
    x_squares, y_squares = np.sum((x - x_mean) ** 2), np.sum((y - y_mean) ** 2)
    products = np.sum((x - x_mean) * (y - y_mean))
    slope = products / x_squares
    unexplained = np.sum((y - y_mean - slope * (x - x_mean)) ** 2)
    freedom = len(x) - 2
    f = slope * products * freedom / unexplained if unexplained > 0 else np.inf
    return LineFit(
        n=len(x),
        slope=float(slope),
        intercept=float(y_mean - slope * x_mean),
        r=float(np.clip(products / np.sqrt(x_squares * y_squares), -1, 1)),
        f=float(f),
        p=float(stats.f.sf(f, 1, freedom)),
        error=float(np.sqrt(unexplained / freedom)),
        x_mean=float(x_mean),
        x_squares=float(x_squares),
    )


def mean_by_window(runs: Iterable[Predictions], output: str | None = None) -> pd.DataFrame:
    """Average what was observed and predicted over folds and replicates, window by window.

    Parameters
    ----------
    runs : iterable of Predictions
        One split of each run. Runs may hold different windows (validation windows of folds): each window is averaged
        over the runs that hold it. Windows that a run holds twice (two genes with one promoter) stay two.
    output : str, optional
        Name of the output; needed when there are several.

    Returns
    -------
    pandas.DataFrame
        chrom, start, end, strand, observed and predicted, one row a window, in the order of their first occurrence.
        Observed values are averaged too: normalized by the training windows of each fold, they differ a little.

    Raises
    ------
    InputError
        When there is no run, the output is unknown, or several are and none is named.
    """
    tables = [_window_values(run, output) for run in runs]
    if not tables:
        message = "There are no predictions to draw. Train a model first."
        raise InputError(message)
    keys = [*WINDOW_COLUMNS, "copy"]
    means = pd.concat(tables).groupby(keys, sort=False)[["observed", "predicted"]].mean()
    return means.reset_index().drop(columns="copy")


def plot_regression(table: pd.DataFrame, *, text: FigureText, color: str = PALETTE[0]) -> Figure:
    """Draw predicted against observed values, with the line of least squares, its 95 % band and its F test.

    Parameters
    ----------
    table : pandas.DataFrame
        observed and predicted: of `mean_by_window`.
    text : FigureText
        Labels, title and note.
    color : str
        Of the points.

    Returns
    -------
    matplotlib.figure.Figure
        Where the line is undefined, the points and the reason.
    """
    observed, predicted = (table[column].to_numpy(np.float64) for column in ("observed", "predicted"))
    fit = fit_line(observed, predicted)
    many = len(table) > _MANY_POINTS
    with in_style():
        figure = styled_figure(SINGLE_COLUMN, 3.4)
        axis = figure.subplots()
        look = {"s": 4 if many else 7, "alpha": 0.25 if many else 0.45, "linewidth": 0, "color": color}
        axis.scatter(observed, predicted, rasterized=many, zorder=2, **look)
        if fit:
            _draw_line(axis, fit, observed)
        axis.set_xlabel(text.x)
        label_y(axis, text.y)
        words = _fit_words(fit) if fit else _why_undefined(observed, predicted)
        axis.text(0.03, 0.98, words, transform=axis.transAxes, va="top", fontsize=SMALL, zorder=5)
        low, high = axis.get_ylim()
        axis.set_ylim(low, high + 0.22 * (high - low))  # room for the words above the points
        write_header(figure, [text.title, text.note])
    return figure


def p_text(p: float) -> str:
    """Write a p-value.

    Examples
    --------
    >>> p_text(0.0312), p_text(2.34e-17), p_text(0.0)
    ('p = 0.031', 'p = 2.3e-17', 'p < 1e-300')
    """
    return f"p < {SMALLEST_P:.0e}" if p < SMALLEST_P else f"p = {p:.2g}"


def _window_values(run: Predictions, output: str | None) -> pd.DataFrame:
    if output is None and len(run.outputs) > 1 or output is not None and output not in run.outputs:
        message = (
            f"The predictions hold the outputs {list_some(run.outputs)}; the figure asks for {output or 'none'}. "
            "Name one of them under 'output' of the figure."
        )
        raise InputError(message)
    column = run.outputs.index(output) if output else 0
    table = run.regions.assign(
        observed=run.target[:, column].astype(np.float64), predicted=run.prediction[:, column].astype(np.float64)
    )
    return table.assign(copy=table.groupby(list(WINDOW_COLUMNS)).cumcount())


def _draw_line(axis: Axes, fit: LineFit, observed: np.ndarray) -> None:
    x = np.linspace(observed.min(), observed.max(), 200)
    line, half = fit.at(x), fit.half_width(x)
    axis.fill_between(x, line - half, line + half, color=INK, alpha=0.35, linewidth=0, zorder=3)
    axis.plot(x, line, color=INK, linewidth=1, zorder=4)


def _fit_words(fit: LineFit) -> str:
    f = f"{fit.f:.2f}" if fit.f < 100 else f"{fit.f:,.0f}" if fit.f < 1e9 else f"{fit.f:.1e}"
    r = f"{fit.r:.3f}".replace("-", "\N{MINUS SIGN}")
    return f"Pearson r = {r}\nF(1, {fit.n - 2}) = {f}, {p_text(fit.p)}\nn = {fit.n} windows"


def _why_undefined(observed: np.ndarray, predicted: np.ndarray) -> str:
    reason = "fewer than 3 windows"
    if len(observed) >= 3:
        reason = "predictions are constant" if np.ptp(predicted) == 0 else "observed values are constant"
    return f"regression undefined: {reason}\nn = {len(observed)} windows"
