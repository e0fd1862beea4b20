"""Measure the cases, keep what was measured in a file, so that it can be done in pieces, and fit lines to it."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.paper_cases import Case, Cost


class Line(NamedTuple):
    """A line of least squares: cost = start + each * size.

    Attributes
    ----------
    start, each : float
    r2 : float
        Share of the variance that the line explains; NaN where all costs are the same.
    """

    start: float
    each: float
    r2: float

    def at(self, size: float) -> float:
        """Give the cost of a size; a negative start, which is noise, counts as 0."""
        return max(self.start, 0.0) + self.each * size


def fit_line(sizes: Sequence[float], costs: Sequence[float]) -> Line:
    """Fit a line of least squares.

    Parameters
    ----------
    sizes, costs : sequence of float
        At least two different sizes.

    Examples
    --------
    >>> fit_line([1, 2, 4], [5.0, 7.0, 11.0])
    Line(start=3.0, each=2.0, r2=1.0)
    """
    x, y = np.asarray(sizes, float), np.asarray(costs, float)
    each = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    start = float(y.mean() - each * x.mean())
    total = float(((y - y.mean()) ** 2).sum())
    r2 = 1 - float(((y - start - each * x) ** 2).sum()) / total if total else float("nan")
    return Line(start, each, r2)


class Fit(NamedTuple):
    """The lines of a case: CPU seconds, bytes of memory, bytes written."""

    seconds: Line
    peak: Line
    written: Line


def fit_costs(costs: Sequence[Cost]) -> Fit:
    """Fit all three lines."""
    sizes = [cost.size for cost in costs]
    return Fit(*(fit_line(sizes, [getattr(cost, name) for cost in costs]) for name in Fit._fields))


def measure_cases(cases: Iterable[Case], path: Path, *, only: str = "") -> dict[str, list[Cost]]:
    """Measure the cases that the file does not hold yet, and give all that it holds then.

    Parameters
    ----------
    cases : iterable of Case
    path : pathlib.Path
        JSON, written after each case; made where there is none.
    only : str
        Measure no other cases than those whose name holds this.

    Returns
    -------
    dict of str to list of Cost
        By the name of the case; cases that were not measured are not in it.
    """
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for case in cases:
        if case.name not in known and only in case.name:
            known[case.name] = case.measure(case.sizes)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(known), encoding="utf-8")
    return {name: [Cost(*cost) for cost in costs] for name, costs in known.items()}
