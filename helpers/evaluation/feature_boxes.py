"""Box plots over the features of studies with many outputs: their scores, and how they differ between two settings."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.errors import InputError
from helpers.evaluation.feature_plots import count_features, kinds_of
from helpers.evaluation.feature_scores import check_places
from helpers.evaluation.figure_parts import (
    INK,
    FigureText,
    draw_box,
    draw_points,
    hue_handles,
    join_notes,
    side_by_side,
    signed,
    write_header,
)
from helpers.evaluation.style import (
    DOUBLE_COLUMN,
    SINGLE_COLUMN,
    SMALL,
    colors_of,
    in_style,
    key_name,
    phrase,
    styled_figure,
    value_name,
)

WHISKERS = (5, 95)  # percentiles
_FEW = 30  # features whose points are all drawn
_BOX_SHARE = 0.8  # of the distance between two places on the x axis


def plot_boxes(
    table: pd.DataFrame, *, x: str, text: FigureText, columns: str | None = None, from_zero: bool = True
) -> Figure:
    """Draw box plots of scores over features: a row of panels for each class, colours for models.

    Parameters
    ----------
    table : pandas.DataFrame
        model, grid columns, output, value and class: of `helpers.evaluation.feature_scores.variant_features`, with the
        classes of `describe_features`. Features that are undefined for one variant are left out of all.
    x : str
        Column along the x axes.
    text : FigureText
        ``y`` labels the axes, below the class.
    columns : str, optional
        Column with a column of panels for each of its values.
    from_zero : bool
        The y axes start at 0.

    Returns
    -------
    matplotlib.figure.Figure
        Boxes from quartile to quartile with the median, whiskers from the 5th to the 95th percentile and dots beyond;
        all features as points where a class has 30 or fewer. Panels of a row share their y axis.

    Raises
    ------
    InputError
        When no feature is defined, or several variants of a model would share a box.
    """
    check_places(table, ["model", x, *([columns] if columns else [])])
    shown, counts = _common_features(table)
    rows = kinds_of(shown, "class")
    facets = list(dict.fromkeys(shown[columns])) if columns else [""]
    with in_style():
        width = SINGLE_COLUMN if len(facets) == 1 else DOUBLE_COLUMN
        figure = styled_figure(width, 0.9 + 1.65 * len(rows))
        axes = figure.subplots(len(rows), len(facets), sharex=True, sharey="row", squeeze=False)
        grid = _BoxGrid(shown, x)
        for row, kind in enumerate(rows):
            of_class = shown[shown["class"] == kind]
            for column, facet in enumerate(facets):
                axis = axes[row, column]
                grid.draw(axis, of_class[of_class[columns] == facet] if columns else of_class)
                if row == 0 and columns:
                    axis.set_title(phrase(columns, facet))
            axes[row, 0].set_ylabel(f"{value_name('class', kind)}\n(n = {of_class['output'].nunique()})\n{text.y}")
            if from_zero:
                axes[row, 0].set_ylim(min(0, of_class["value"].min()), None)
        grid.finish(figure, axes[-1], [text.title, join_notes(text.note, counts)])
    return figure


def plot_differences(table: pd.DataFrame, *, x: str, text: FigureText) -> Figure:
    """Draw box plots of differences over features: a panel for all features and one for each class, colours for models.

    Parameters
    ----------
    table : pandas.DataFrame
        model, grid columns, output, value and class: of `helpers.evaluation.feature_scores.difference_features`, with
        the classes of `describe_features`. Features that are undefined for one variant are left out of all.
    x : str
        Column along the x axes.
    text : FigureText
        ``y`` labels the axes.

    Returns
    -------
    matplotlib.figure.Figure
        Boxes as in `plot_boxes`, a white diamond at the mean, which is written below the box, and a line at 0.

    Raises
    ------
    InputError
        When no feature is defined, or several variants of a model would share a box.
    """
    check_places(table, ["model", x])
    shown, counts = _common_features(table)
    kinds = kinds_of(shown, "class")
    panels = [("all features", shown)] * (len(kinds) != 1) + [
        (value_name("class", kind), shown[shown["class"] == kind]) for kind in kinds
    ]
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    with in_style():
        figure = styled_figure(DOUBLE_COLUMN if columns > 1 else SINGLE_COLUMN, 0.8 + 2.0 * rows)
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        grid = _BoxGrid(shown, x)
        for axis, (title, part) in zip(axes.ravel(), panels, strict=False):
            axis.axhline(0, color="0.5", linewidth=0.7, zorder=0)
            boxes = grid.draw(axis, part)
            axis.set_title(f"{title} (n = {part['output'].nunique()})")
            _write_means(axis, boxes)
        for axis in axes.ravel()[len(panels) :]:
            axis.set_visible(False)
        low, high = axes[0, 0].get_ylim()
        axes[0, 0].set_ylim(low - 0.14 * (high - low), high)
        for axis in axes[:, 0]:
            axis.set_ylabel(text.y)
        grid.finish(figure, axes[-1], [text.title, join_notes(text.note, counts)])
    return figure


class _BoxGrid:
    """Boxes at places along x, side by side by model, the same in all panels of a figure."""

    def __init__(self, table: pd.DataFrame, x: str):
        self.x = x
        self.places = list(dict.fromkeys(table[x]))
        self.models = list(dict.fromkeys(table["model"]))
        self.colors = colors_of("model", self.models)

    def draw(self, axis: Axes, table: pd.DataFrame) -> list[tuple[float, float]]:
        """Draw the boxes of a panel; return centre and mean of each."""
        width = _BOX_SHARE / len(self.models)
        boxes = []
        for place, value in enumerate(self.places):
            here = table[table[self.x] == value]
            present = [model for model in self.models if (here["model"] == model).any()]
            for model, offset in zip(present, side_by_side(len(present), len(self.models), _BOX_SHARE), strict=True):
                values = here["value"][here["model"] == model].to_numpy()
                few = len(values) <= _FEW
                at, color = (place + offset, width), self.colors[model]
                draw_box(axis, values, at, color, whiskers=(0, 100) if few else WHISKERS, fliers=not few)
                if few:
                    draw_points(axis, values, at, color)
                boxes.append((place + offset, float(values.mean())))
        axis.set_xticks(range(len(self.places)), [value_name(self.x, place) for place in self.places])
        axis.set_xlim(-0.5, len(self.places) - 0.5)
        axis.tick_params(axis="x", length=0)
        return boxes

    def finish(self, figure: Figure, lowest: Sequence[Axes], header: list[str | None]) -> None:
        """Label the x axes of the lowest panels, and write the header and the legend."""
        for axis in lowest:
            axis.set_xlabel(key_name(self.x))
        write_header(figure, header)
        handles = hue_handles("model", self.colors)
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))


def _common_features(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Keep the features that are defined for all variants; say how many there are, and how many were left out."""
    undefined = set(table["output"][table["value"].isna()])
    shown = table[~table["output"].isin(undefined)]
    if not len(shown):
        message = f"None of {len(undefined)} features has a defined score to draw. Look at scores.tsv and its log."
        raise InputError(message)
    return shown, count_features(shown["output"].nunique(), len(undefined))


def _write_means(axis: Axes, boxes: list[tuple[float, float]]) -> None:
    for center, mean in boxes:
        axis.annotate(
            signed(mean),
            xy=(center, 0.02),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            fontsize=SMALL,
        )
    marker = {"marker": "D", "s": 14, "color": "white", "edgecolor": INK, "linewidth": 0.7, "zorder": 4}
    axis.scatter(*np.array(boxes).T, **marker)
