"""Figures of many features, and of regression: what is drawn is what the tables hold."""

import itertools
from pathlib import Path
from types import SimpleNamespace

import jinja2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import colors as mpl_colors
from matplotlib.patches import PathPatch
from scipy import stats

from helpers.errors import InputError
from helpers.evaluation.feature_boxes import plot_boxes, plot_differences
from helpers.evaluation.feature_plots import plot_gains, plot_scatter
from helpers.evaluation.feature_scores import (
    describe_features,
    difference_features,
    pair_features,
    variant_features,
)
from helpers.evaluation.figure_parts import FigureText
from helpers.evaluation.figures import plot_feature_figure, plot_regression_figure
from helpers.evaluation.label_placement import place_labels
from helpers.evaluation.predictions import Predictions
from helpers.evaluation.regression_plot import fit_line, mean_by_window, p_text, plot_regression
from helpers.evaluation.score_selection import select_variant
from helpers.evaluation.style import COLORS, MARKERS, in_style, save_figure

ROOT = Path(__file__).resolve().parents[1]
TEXT = FigureText(y="auPRC, order 3", x="auPRC, order 1", title="DanQ; test on chr8", note="simulated data")
DANQ = {"model": "danq", "order": 1, "window": 500, "strands": "both"}
DEEPSEA = {"model": "deepsea", "order": 1, "window": 500, "strands": "both"}
CHROMOSOMES = {"validation": ["chr7:30508750-35296850"], "test": ["chr8", "chr9"]}
GRID = [
    (model, order, window, strands)
    for model in ("deepsea", "danq")
    for window, strands in (("500", "both"), ("1000", "both"), ("1000", "forward"))
    for order in ("1", "3")
]


def feature_sheet(histones=6, accessible=5, factors=9, modifiers=2):
    """Features of three classes; the last of the factors are histone modifiers; some have no condition."""
    classes = ["Histone"] * histones + ["DNase"] * accessible + ["TF"] * factors
    names = [f"f{number}" for number in range(len(classes))]
    groups = [""] * (len(classes) - modifiers) + ["histone modifier"] * modifiers
    conditions = ["" if number % 3 == 0 else f"{kind} {number}" for number, kind in enumerate(classes)]
    return pd.DataFrame({"class": classes, "group": groups, "condition": conditions}, index=names)


def score_table(features, grid=GRID, runs=((("all", 1)),), metrics=("auprc",), splits=("validation", "test"), seed=0):
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame(
            {
                "study": "deepsea",
                "model": model,
                "order": order,
                "window": window,
                "strands": strands,
                "fold": fold,
                "replicate": replicate,
                "split": split,
                "output": features.index,
                "metric": metric,
                "value": rng.uniform(0.05, 0.9, len(features)),
                "n": 1000,
                "n_positive": 50,
                "prevalence": 0.05,
            }
        )
        for (model, order, window, strands), (fold, replicate), split, metric in itertools.product(
            grid, runs, splits, metrics
        )
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def features():
    return feature_sheet()


@pytest.fixture
def scores(features):
    table = score_table(features, runs=[("all", 1), ("all", 2)], metrics=("auprc", "auroc"))
    table.loc[table["output"] == "f7", "value"] = np.nan  # one class only among the labels
    return table


def slow_mean(scores, output, metric="auprc", split="test", **variant):
    """The mean over folds and replicates, row by row."""
    found = [
        row.value
        for row in scores.itertuples()
        if (row.output, row.metric, row.split) == (output, metric, split)
        and all(str(getattr(row, key)) == str(value) for key, value in variant.items())
    ]
    assert found
    return sum(found) / len(found)


def pairs_of(scores, features, a=DANQ, b=None):
    b = b or {**DANQ, "order": 3}
    return pair_features(scores, a, b, metric="auprc", split="test", features=features)


def header(figure):
    return figure.get_suptitle().split("\n")


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def drawn(figure):
    with in_style():
        figure.canvas.draw()
    return figure


# --- one variant -----------------------------------------------------------------------------------------------------


def test_a_selector_picks_the_rows_of_one_variant(scores):
    found = select_variant(scores, {"model": "danq", "order": 3.0, "window": 1000, "strands": "forward"})
    slow = [
        index
        for index, row in scores.iterrows()
        if (row["model"], row["order"], row["window"], row["strands"]) == ("danq", "3", "1000", "forward")
    ]
    assert found.index.tolist() == slow


def test_as_few_keys_as_tell_variants_apart(scores):
    pd.testing.assert_frame_equal(
        select_variant(scores, {"model": "danq", "order": 3, "strands": "forward"}),
        select_variant(scores, {"model": "danq", "order": 3, "window": 1000, "strands": "forward"}),
    )


def test_several_variants_are_an_error_that_names_the_keys(scores):
    with pytest.raises(
        InputError, match=r"3 variants have \{model: danq, order: 1\}.*Tell them apart by window, strands"
    ):
        select_variant(scores, {"model": "danq", "order": 1})


def test_no_variant_is_an_error_that_lists_those_of_the_model(scores):
    with pytest.raises(
        InputError, match=r"No variant has \{model: danq, order: 2\}. There are model danq, order 1, win"
    ):
        select_variant(scores, {"model": "danq", "order": 2})
    with pytest.raises(InputError, match="No variant has {model: dank}. There are model deepsea, order 1"):
        select_variant(scores, {"model": "dank"})


def test_a_key_of_no_grid_is_an_error(scores):
    with pytest.raises(InputError, match=r"'dropout' is no key .* Choose from: model, order, window, strands"):
        select_variant(scores, {"model": "danq", "dropout": 0})


def test_a_selector_works_on_a_summary_too():
    summary = pd.DataFrame(
        {"study": "s", "model": ["dna", "chromatin"], "order": ["1", ""], "mean": [0.5, 0.7], "n": 3}
    )
    assert select_variant(summary, {"model": "chromatin"})["mean"].tolist() == [0.7]


# --- tables of features ----------------------------------------------------------------------------------------------


def test_pairs_are_means_over_folds_and_replicates(scores, features):
    pairs = pairs_of(scores, features)
    assert pairs.index.tolist() == features.index.tolist()
    for output, row in pairs.iterrows():
        if output == "f7":
            assert np.isnan(row["a"])
            assert np.isnan(row["b"])
            continue
        assert row["a"] == pytest.approx(slow_mean(scores, output, **DANQ), abs=1e-12)
        assert row["b"] == pytest.approx(slow_mean(scores, output, **{**DANQ, "order": 3}), abs=1e-12)


def test_a_feature_undefined_in_some_folds_has_the_mean_of_the_others(features):
    scores = score_table(features, runs=[("chr1", 1), ("chr2", 1)], splits=["test"])
    scores.loc[(scores["output"] == "f0") & (scores["fold"] == "chr2"), "value"] = np.nan
    one = scores[(scores["fold"] == "chr1") & (scores["model"] == "danq") & (scores["output"] == "f0")]
    value = one[(one["order"] == "1") & (one["window"] == "500")]["value"].iloc[0]
    assert pairs_of(scores, features).loc["f0", "a"] == value


def test_models_without_swapped_inputs_stand_there_with_test(scores, features):
    with_swap = pd.concat([scores, scores[scores["model"] == "danq"].assign(split="test_swapped", value=0.25)])
    pairs = pair_features(with_swap, DANQ, DEEPSEA, metric="auprc", split="test_swapped", features=features)
    assert set(pairs["a"]) == {0.25}
    assert pairs["b"].iloc[0] == pytest.approx(slow_mean(scores, "f0", **DEEPSEA))


def test_metric_or_split_without_scores(scores, features):
    with pytest.raises(InputError, match="no scores by mae on test"):
        pair_features(scores, DANQ, DEEPSEA, metric="mae", split="test", features=features)


def test_features_have_class_kind_and_label(features):
    described = describe_features(features, ["f0", "f1", "f19", "f18"])
    assert described["class"].tolist() == ["Histone", "Histone", "TF", "TF"]
    assert described["kind"].tolist() == ["Histone", "Histone", "histone modifier", "histone modifier"]
    assert described["label"].tolist() == ["f0", "Histone 1", "TF 19", "f18"]
    assert describe_features(features.replace("", np.nan), ["f0"])["label"].tolist() == ["f0"]


def test_an_output_that_the_sheet_lacks(scores, features):
    with pytest.raises(InputError, match="no class of the outputs f0, f1"):
        pairs_of(scores, features.iloc[2:])


def test_variants_of_models_under_conditions(scores):
    where = {"danq": {"strands": "both", "window": 500}, "deepsea": {"order": 3, "strands": "forward"}}
    table = variant_features(scores, models=["danq", "deepsea"], metric="auprc", split="test", where=where)
    variants = table.drop_duplicates(["model", "order", "window", "strands"])[["model", "order", "window", "strands"]]
    assert variants.to_numpy().tolist() == [
        ["danq", "1", "500", "both"],
        ["danq", "3", "500", "both"],
        ["deepsea", "3", "1000", "forward"],
    ]
    for row in table.dropna().itertuples():
        slow = slow_mean(scores, row.output, model=row.model, order=row.order, window=row.window, strands=row.strands)
        assert row.value == pytest.approx(slow, abs=1e-12)
    assert table["value"].isna().sum() == 3


def test_no_variant_under_conditions(scores):
    with pytest.raises(InputError, match=r"No variant .* has {'model': 'danq', 'order': 2}"):
        variant_features(scores, models=["danq"], metric="auprc", split="test", where={"danq": {"order": 2}})
    with pytest.raises(InputError, match=r"No variant .* has {'model': 'cnn'}"):
        variant_features(scores, models=["cnn"], metric="auprc", split="test")


def test_differences_are_between_variants_that_are_equal_else(scores):
    table = variant_features(scores, models=["deepsea", "danq"], metric="auprc", split="test")
    found = difference_features(table, key="strands", value="both", reference="forward")
    assert set(found["window"]) == {"1000"}
    assert len(found) == 2 * 2 * 20
    for row in found.dropna().itertuples():
        sides = [
            slow_mean(scores, row.output, model=row.model, order=row.order, window=1000, strands=strands)
            for strands in ("both", "forward")
        ]
        assert row.value == pytest.approx(sides[0] - sides[1], abs=1e-12)
    back = difference_features(table, key="strands", value="forward", reference="both")
    np.testing.assert_array_equal(back["value"], -found["value"])


def test_differences_that_do_not_exist(scores):
    table = variant_features(scores, models=["danq"], metric="auprc", split="test")
    with pytest.raises(InputError, match="No variant has both order: 2 and order: 1"):
        difference_features(table, key="order", value=2, reference=1)
    with pytest.raises(InputError, match="'dropout' is no key"):
        difference_features(table, key="dropout", value=0.2, reference=0)


# --- scatter ---------------------------------------------------------------------------------------------------------


def test_every_feature_is_a_dot_in_the_colour_of_its_class(scores, features):
    pairs = pairs_of(scores, features)
    figure = plot_scatter(pairs, text=TEXT)
    axis = figure.axes[0]
    shown = {group.get_label(): group for group in axis.collections}
    assert set(shown) == {"Histone", "histone modifier", "DNase", "TF"}
    for kind, group in shown.items():
        expected = pairs[(pairs["kind"] == kind) & pairs["a"].notna()]
        np.testing.assert_array_equal(group.get_offsets(), expected[["a", "b"]])
        assert mpl_colors.to_hex(group.get_facecolor()[0]).upper() == COLORS["class"][kind]
    assert not np.array_equal(shown["Histone"].get_edgecolor(), shown["histone modifier"].get_edgecolor())
    assert len({tuple(map(tuple, group.get_paths()[0].vertices)) for group in shown.values()}) == len(MARKERS)


def test_both_axes_are_the_same_with_the_diagonal(scores, features):
    figure = drawn(plot_scatter(pairs_of(scores, features), text=TEXT))
    axis = figure.axes[0]
    assert axis.get_xlim() == axis.get_ylim()
    assert axis.get_xlim()[0] == 0
    box = axis.get_window_extent()
    assert box.width == pytest.approx(box.height, abs=0.5)
    diagonal = axis.lines[0]
    assert diagonal.is_dashed()
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert (axis.get_xlabel(), axis.get_ylabel()) == (TEXT.x, TEXT.y)


def test_the_header_counts_features_and_the_legend_those_above(scores, features):
    pairs = pairs_of(scores, features)
    figure = plot_scatter(pairs, text=TEXT)
    assert header(figure) == ["DanQ; test on chr8", "simulated data, n = 19 features (1 undefined, left out)"]
    names = {
        "Histone": "histone marks",
        "histone modifier": "histone modifiers",
        "DNase": "accessible sites (DNase)",
        "TF": "transcription factors",
    }
    expected = []
    for kind, name in names.items():
        of_kind = [row for row in pairs.dropna().itertuples() if row.kind == kind]
        above = [row for row in of_kind if row.b > row.a]
        expected.append(f"{name}\n{len(above)} of {len(of_kind)} above")
    assert legend(figure) == expected


def test_the_largest_gains_are_named(scores, features):
    pairs = pairs_of(scores, features)
    axis = plot_scatter(pairs, text=TEXT, name=4).axes[0]
    largest = (pairs["b"] - pairs["a"]).sort_values(ascending=False).index[:4]
    assert [text.get_text() for text in axis.texts] == pairs.loc[largest, "label"].tolist()
    assert not plot_scatter(pairs, text=TEXT).axes[0].texts


def test_a_loss_is_never_named(scores, features):
    pairs = pairs_of(scores, features)
    pairs["b"] = pairs["a"] - 0.01
    pairs.loc["f1", "b"] = pairs.loc["f1", "a"] + 0.1
    axis = plot_scatter(pairs, text=TEXT, name=10).axes[0]
    assert [text.get_text() for text in axis.texts] == ["Histone 1"]


def test_names_of_a_dense_cloud_lie_apart_and_inside():
    features = feature_sheet(104, 125, 690, 16)
    rng = np.random.default_rng(4)
    a = rng.beta(2, 4, len(features))
    pairs = describe_features(features, features.index).assign(a=a, b=a + rng.normal(0.01, 0.02, len(a)))
    pairs["label"] = [f"Factor{number:05d} Gm12878" for number in range(len(pairs))]
    figure = drawn(plot_scatter(pairs, text=TEXT, name=12))
    axis = figure.axes[0]
    boxes = [text.get_window_extent() for text in axis.texts]
    assert len(boxes) == 12
    area = axis.get_window_extent()
    for index, box in enumerate(boxes):
        assert area.x0 <= box.x0
        assert box.x1 <= area.x1
        assert area.y0 <= box.y0
        assert box.y1 <= area.y1
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])


def test_scores_may_be_negative(features):
    rng = np.random.default_rng(5)
    pairs = describe_features(features, features.index).assign(
        a=rng.uniform(-0.4, 0.9, 20), b=rng.uniform(-0.4, 0.9, 20)
    )
    axis = plot_scatter(pairs, text=TEXT, from_zero=False).axes[0]
    low, high = axis.get_xlim()
    assert low < pairs[["a", "b"]].min().min()
    assert high > pairs[["a", "b"]].max().max()


def test_equal_scores_can_be_drawn(features):
    pairs = describe_features(features, features.index).assign(a=0.5, b=0.5)
    axis = plot_scatter(pairs, text=TEXT, name=3, from_zero=False).axes[0]
    assert axis.get_xlim()[0] < 0.5 < axis.get_xlim()[1]


def test_features_without_a_class_are_features(scores, features):
    figure = plot_scatter(pairs_of(scores, features.assign(**{"class": "", "group": ""})), text=TEXT)
    assert [text.split("\n")[0] for text in legend(figure)] == ["features"]


def test_no_defined_feature(scores, features):
    pairs = pairs_of(scores.assign(value=np.nan), features)
    for draw in (plot_scatter, plot_gains):
        with pytest.raises(InputError, match="None of 20 features has a defined score"):
            draw(pairs, text=TEXT)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 400), st.floats(0, 300)), min_size=1, max_size=8),
    st.floats(10, 90),
    st.integers(0, 2**31),
)
def test_placed_labels_are_inside_and_apart(anchors, width, seed):
    anchors = np.array(anchors)
    sizes = np.column_stack([np.full(len(anchors), width), np.full(len(anchors), 12.0)])
    points = np.vstack([anchors, np.random.default_rng(seed).uniform(0, 300, (30, 2))])
    centers = place_labels(anchors, sizes, points=points, bounds=(0, 0, 400, 300))
    np.testing.assert_array_equal(centers, place_labels(anchors, sizes, points=points, bounds=(0, 0, 400, 300)))
    for (center, size), anchor in zip(zip(centers, sizes, strict=True), anchors, strict=True):
        if np.isnan(center).any():
            continue
        assert (center - size / 2 >= 0).all()
        assert (center + size / 2 <= (400, 300)).all()
        assert (np.abs(anchor - center) >= size / 2).any(), "a label covers its own point"
    for one, other in itertools.combinations(range(len(anchors)), 2):
        if np.isfinite(centers[[one, other]]).all():
            assert (np.abs(centers[one] - centers[other]) >= (sizes[one] + sizes[other]) / 2).any()


def test_a_label_without_room_has_no_place():
    centers = place_labels([[5, 5], [6, 6]], [[8, 8], [30, 4]], points=[[5, 5]], bounds=(0, 0, 20, 20))
    assert np.isfinite(centers[0]).all()
    assert np.isnan(centers[1]).all()


def test_a_label_keeps_off_points():
    points = np.array([[100.0, 100.0], *[[120.0 + step, 100.0] for step in range(40)]])
    (center,) = place_labels(points[:1], [[40, 10]], points=points, bounds=(0, 0, 200, 200))
    assert not (np.abs(points - center) < (20, 5)).all(axis=1).any()


# --- gains -----------------------------------------------------------------------------------------------------------


def test_bars_are_the_sorted_differences(scores, features):
    pairs = pairs_of(scores, features)
    axis = plot_gains(pairs, text=TEXT).axes[0]
    bars = axis.containers[0]
    expected = sorted((pairs["a"] - pairs["b"]).dropna(), reverse=True)
    assert [bar.get_height() for bar in bars] == expected
    labels = (pairs["a"] - pairs["b"]).sort_values(ascending=False).dropna().index
    assert [label.get_text() for label in axis.get_xticklabels()] == pairs.loc[labels, "label"].tolist()
    shades = [mpl_colors.to_hex(bar.get_facecolor()).upper() for bar in bars]
    assert shades == [COLORS["class"][kind] for kind in pairs.loc[labels, "kind"]]


def test_shares_are_counted(scores, features):
    pairs = pairs_of(scores, features)
    gains = [row.a - row.b for row in pairs.dropna().itertuples()]
    positive, large = sum(gain > 0 for gain in gains), sum(gain > 0.05 for gain in gains)
    text = plot_gains(pairs, text=TEXT).axes[0].texts[0].get_text().split("\n")
    assert text[0] == f"above 0: {positive} of 19 ({100 * positive / 19:.0f} %)"
    assert text[1] == f"above +0.05: {large} of 19 ({100 * large / 19:.0f} %)"
    assert text[2] == f"median {sorted(gains)[9]:+.3f}".replace("-", "−")


def test_a_gain_of_nothing_is_not_above_zero(features):
    pairs = describe_features(features, features.index).assign(a=0.5, b=0.5)
    pairs.loc["f0", "a"] = 0.56
    pairs.loc["f1", "a"] = 0.44
    text = plot_gains(pairs, text=TEXT).axes[0].texts[0].get_text()
    assert text == "above 0: 1 of 20 (5 %)\nabove +0.05: 1 of 20 (5 %)\nmedian 0.000"


@pytest.mark.parametrize(("largest", "reached"), [(0.04, False), (0.2, True)])
def test_a_line_at_large_gains_where_they_are_reached(features, largest, reached):
    pairs = describe_features(features, features.index).assign(a=np.linspace(0.3, 0.3 + largest, 20), b=0.3)
    lines = plot_gains(pairs, text=TEXT).axes[0].lines
    assert [line.get_ydata()[0] for line in lines if line.is_dashed()] == ([0.05] if reached else [])
    assert [line.get_ydata()[0] for line in lines if not line.is_dashed()] == [0]


def test_many_bars_have_no_names_and_modifiers_a_marker():
    features = feature_sheet(0, 0, 690, 16)
    rng = np.random.default_rng(6)
    pairs = describe_features(features, features.index).assign(a=rng.normal(0.3, 0.05, 690), b=0.3)
    figure = plot_gains(pairs, text=TEXT)
    axis = figure.axes[0]
    assert len(axis.containers[0]) == 690
    assert not axis.get_xticklabels()
    ordered = pairs.assign(gain=pairs["a"] - pairs["b"]).sort_values("gain", ascending=False)
    places = [(place, row.gain) for place, row in enumerate(ordered.itertuples()) if row.kind == "histone modifier"]
    np.testing.assert_allclose(axis.collections[0].get_offsets(), places)
    assert legend(figure) == ["histone modifiers", "transcription factors"]


@pytest.mark.parametrize(
    "gains",
    [np.full(20, 0.1), np.linspace(0.3, -0.1, 20), np.linspace(-0.1, -0.7, 20)],
    ids=["flat", "steep", "losses"],
)
def test_the_summary_lies_over_no_bar(features, gains):
    pairs = describe_features(features, features.index).assign(a=0.8 + gains, b=0.8)
    axis = drawn(plot_gains(pairs, text=TEXT)).axes[0]
    summary = axis.texts[0].get_window_extent()
    assert not any(summary.overlaps(bar.get_window_extent()) for bar in axis.containers[0])


# --- boxes -----------------------------------------------------------------------------------------------------------


def box_table(scores, features, **where):
    table = variant_features(
        scores,
        models=["deepsea", "danq"],
        metric="auprc",
        split="test",
        where=dict.fromkeys(("deepsea", "danq"), where),
    )
    return table.assign(**{"class": table["output"].map(features["class"])})


def boxes_of(axis):
    """Centre, quartiles and median of every box of a panel, left to right."""
    found = []
    for patch in axis.patches:
        assert isinstance(patch, PathPatch)
        x, y = patch.get_path().vertices.T
        middle = (x.min() + x.max()) / 2
        medians = [
            line.get_ydata()[0]
            for line in axis.lines
            if len(line.get_xdata()) == 2
            and np.isclose(line.get_linewidth(), 1.4)
            and np.isclose(np.mean(line.get_xdata()), middle)
        ]
        found.append((middle, y.min(), y.max(), *medians))
    return found


def test_panels_are_classes_by_windows(scores, features):
    table = box_table(scores, features, strands="both")
    figure = plot_boxes(table, x="order", columns="window", text=FigureText(y="auPRC", title="both strands"))
    assert [axis.get_title() for axis in figure.axes] == ["500 bp window", "1000 bp window", *[""] * 4]
    assert [axis.get_ylabel() for axis in figure.axes[::2]] == [
        "histone marks\n(n = 6)\nauPRC",
        "accessible sites (DNase)\n(n = 4)\nauPRC",
        "transcription factors\n(n = 9)\nauPRC",
    ]
    assert [axis.get_xlabel() for axis in figure.axes] == [*[""] * 4, *["order (k-mer length)"] * 2]
    assert header(figure) == ["both strands", "n = 19 features (1 undefined, left out)"]
    assert legend(figure) == ["model:", "DeepSEA", "DanQ"]
    assert [figure.axes[0].get_ylim()[0], *(axis.get_ylim()[0] for axis in figure.axes[2::2])] == [0, 0, 0]


def test_boxes_are_quartiles_over_features(scores, features):
    table = box_table(scores, features, strands="both")
    figure = plot_boxes(table, x="order", columns="window", text=TEXT)
    cells = itertools.product(["Histone", "DNase", "TF"], ["500", "1000"])
    for axis, (kind, window) in zip(figure.axes, cells, strict=True):
        outputs = [name for name in features.index if features.at[name, "class"] == kind and name != "f7"]
        expected = []
        for place, order in enumerate(["1", "3"]):
            for model, offset in (("deepsea", -0.2), ("danq", 0.2)):
                variant = {"model": model, "order": order, "window": window, "strands": "both"}
                values = [slow_mean(scores, name, **variant) for name in outputs]
                expected.append((place + offset, *np.percentile(values, [25, 75, 50])))
        np.testing.assert_allclose(sorted(boxes_of(axis)), expected, atol=1e-9)
        assert sum(len(group.get_offsets()) for group in axis.collections) == 4 * len(outputs), "all points are drawn"
        shades = {mpl_colors.to_hex(patch.get_facecolor()).upper() for patch in axis.patches}
        assert shades == {COLORS["model"][model].upper() for model in ("deepsea", "danq")}


def test_many_features_have_whiskers_and_dots_beyond():
    features = feature_sheet(100, 0, 0, 0)
    grid = [("danq", "1", "500", "both")]
    table = box_table_of_one(score_table(features, grid=grid, splits=["test"]), features)
    axis = plot_boxes(table, x="order", text=TEXT).axes[0]
    assert not axis.collections
    values = table["value"].to_numpy()
    low, high = np.percentile(values, [5, 95])
    fliers = next(line for line in axis.lines if line.get_marker() == ".")
    assert sorted(fliers.get_ydata()) == sorted(values[(values < low) | (values > high)])
    ends = [line.get_ydata() for line in axis.lines if np.isclose(line.get_linewidth(), 0.7) and line is not fliers]
    assert min(map(np.min, ends)) == values[values >= low].min()
    assert max(map(np.max, ends)) == values[values <= high].max()


def box_table_of_one(scores, features):
    table = variant_features(scores, models=["danq"], metric="auprc", split="test")
    return table.assign(**{"class": table["output"].map(features["class"])})


def test_variants_that_would_share_a_box(scores, features):
    table = box_table(scores, features)
    with pytest.raises(InputError, match="Variants that differ in window, strands would share one box"):
        plot_boxes(table, x="order", text=TEXT)
    with pytest.raises(InputError, match="Variants that differ in strands would share"):
        plot_boxes(table, x="order", columns="window", text=TEXT)
    with pytest.raises(InputError, match="'dropout' is no key"):
        plot_boxes(table, x="order", columns="dropout", text=TEXT)


def test_boxes_of_nothing(scores, features):
    table = box_table(scores.assign(value=np.nan), features, strands="both", window=500)
    for draw in (plot_boxes, plot_differences):
        with pytest.raises(InputError, match="None of 20 features"):
            draw(table, x="order", text=TEXT)


# --- differences -----------------------------------------------------------------------------------------------------


@pytest.fixture
def differences(scores, features):
    return difference_features(box_table(scores, features), key="strands", value="both", reference="forward")


def test_means_are_drawn_and_written(scores, features, differences):
    figure = plot_differences(differences, x="order", text=TEXT)
    titles = ["all features (n = 19)", "histone marks (n = 6)", "accessible sites (DNase) (n = 4)"]
    assert [axis.get_title() for axis in figure.axes] == [*titles, "transcription factors (n = 9)"]
    for axis, kind in zip(figure.axes, [None, "Histone", "DNase", "TF"], strict=True):
        outputs = [name for name in features.index if kind in (None, features.at[name, "class"]) and name != "f7"]
        means = []
        for place, order in enumerate(["1", "3"]):
            for model, offset in (("deepsea", -0.2), ("danq", 0.2)):
                variant = {"model": model, "order": order, "window": 1000}
                values = [
                    slow_mean(scores, name, **variant, strands="both")
                    - slow_mean(scores, name, **variant, strands="forward")
                    for name in outputs
                ]
                means.append((place + offset, sum(values) / len(values)))
        diamonds = axis.collections[-1]
        np.testing.assert_allclose(diamonds.get_offsets(), means, atol=1e-12)
        assert [text.get_text() for text in axis.texts] == [f"{mean:+.3f}".replace("-", "−") for _, mean in means]
        assert [line.get_ydata()[0] for line in axis.lines if len(set(line.get_xdata())) == 2][0] == 0
    assert len({axis.get_ylim() for axis in figure.axes}) == 1


def test_one_class_has_one_panel(differences):
    figure = plot_differences(differences.assign(**{"class": "TF"}), x="order", text=TEXT)
    assert [axis.get_title() for axis in figure.axes] == ["transcription factors (n = 19)"]


def test_differences_that_would_share_a_box(scores, features):
    table = box_table(scores, features, strands="both")
    gains = difference_features(table, key="order", value=3, reference=1)
    with pytest.raises(InputError, match="differ in window would share"):
        plot_differences(gains, x="strands", text=TEXT)
    assert len(plot_differences(gains, x="window", text=TEXT).axes) == 4


# --- from the config's words -----------------------------------------------------------------------------------------

FIGURES = {
    "scatter": {"x": DANQ, "y": {**DANQ, "window": 1000}, "name": 5},
    "gains": {"a": {**DANQ, "order": 3}, "b": DANQ, "class": "TF"},
    "boxes": {
        "models": ["deepsea", "danq"],
        "where": {"deepsea": {"strands": "both"}, "danq": {"strands": "both"}},
        "x": "order",
        "columns": "window",
    },
    "differences": {
        "models": ["deepsea", "danq"],
        "where": {"deepsea": {"window": 1000}, "danq": {"window": 1000}},
        "key": "strands",
        "value": "both",
        "reference": "forward",
        "x": "order",
    },
}


def figure_of(scores, features, kind, **changes):
    figure = {"kind": kind, "metric": "auprc", "split": "test", **FIGURES[kind], **changes}
    return plot_feature_figure(scores, figure, features=features, chromosomes=CHROMOSOMES, note="simulated data")


def test_words_of_the_scatter(scores, features):
    figure = figure_of(scores, features, "scatter")
    axis = figure.axes[0]
    assert axis.get_xlabel() == "auPRC, 500 bp window"
    assert axis.get_ylabel() == "auPRC, 1000 bp window"
    assert header(figure)[0] == "DanQ, order 1, both strands; test on chr8, chr9"
    text = " ".join(header(figure)[1:])
    assert text == "simulated data, means over 2 runs, n = 19 features (1 undefined, left out)"
    pairs = pairs_of(scores, features, DANQ, {**DANQ, "window": 1000})
    offsets = np.vstack([group.get_offsets() for group in axis.collections])
    assert sorted(map(tuple, offsets)) == sorted(map(tuple, pairs[["a", "b"]].dropna().to_numpy()))


def test_the_axes_of_other_metrics_start_where_the_values_do(scores, features):
    axis = figure_of(scores, features, "scatter", metric="auroc").axes[0]
    assert axis.get_xlim()[0] != 0
    assert axis.get_xlabel() == "auROC, 500 bp window"


def test_words_of_the_gains(scores, features):
    figure = figure_of(scores, features, "gains")
    axis = figure.axes[0]
    assert axis.get_ylabel() == "Δ auPRC\norder 3 minus order 1"
    assert axis.get_xlabel() == "transcription factors, sorted"
    assert header(figure)[0] == "DanQ, 500 bp window, both strands; test on chr8, chr9"
    pairs = pairs_of(scores, features, {**DANQ, "order": 3}, DANQ)
    of_class = pairs[pairs["class"] == "TF"]
    assert [bar.get_height() for bar in axis.containers[0]] == sorted(of_class["a"] - of_class["b"], reverse=True)


def test_gains_of_a_model_over_another(scores, features):
    figure = figure_of(scores, features, "gains", a={**DANQ, "order": 3}, b={**DEEPSEA, "order": 3})
    assert figure.axes[0].get_ylabel() == "Δ auPRC\nDanQ minus DeepSEA"


def test_a_class_that_no_output_has(scores, features):
    with pytest.raises(InputError, match=r"No output has the class 'tf'. Classes are: Histone, DNase, TF"):
        figure_of(scores, features, "gains", **{"class": "tf"})


def test_words_of_boxes_and_differences(scores, features):
    boxes = figure_of(scores, features, "boxes")
    assert header(boxes)[0] == "both strands; test on chr8, chr9"
    assert boxes.axes[0].get_ylabel() == "histone marks\n(n = 6)\nauPRC"
    differences = figure_of(scores, features, "differences")
    assert header(differences)[0] == "1000 bp window; test on chr8, chr9"
    assert differences.axes[0].get_ylabel() == "Δ auPRC\nboth strands minus\nforward strand"
    assert "numbers: mean differences" in header(differences)[1]


def test_unequal_numbers_of_runs_are_a_range(features):
    scores = score_table(features, runs=[("all", 1), ("all", 2), ("all", 3)], splits=["test"])
    fewer = scores[(scores["window"] != "1000") | (scores["replicate"] == 1)]
    assert "means over 1 to 3 runs" in " ".join(header(figure_of(fewer, features, "scatter")))
    once = scores[scores["replicate"] == 1]
    assert "means" not in " ".join(header(figure_of(once, features, "scatter")))


def test_a_selector_of_several_variants_is_an_error(scores, features):
    with pytest.raises(InputError, match="Tell them apart by"):
        figure_of(scores, features, "scatter", x={"model": "danq"})


@pytest.mark.parametrize("kind", list(FIGURES))
def test_no_text_lies_over_another_or_outside(scores, features, kind):
    figure = drawn(figure_of(scores, features, kind))
    texts = [figure._suptitle, *figure.legends[0].get_texts()] if figure.legends else [figure._suptitle]
    for axis in figure.axes:
        labels = [axis.xaxis.label, axis.yaxis.label, axis.title, *axis.texts]
        low, high = axis.get_xlim()
        ticks = [label for label in axis.get_xticklabels() if low <= label.get_position()[0] <= high]
        ticks = ticks if axis.xaxis.get_tick_params()["labelbottom"] else []
        texts += [*labels, *ticks]
    texts = [text for text in texts if text.get_text()]
    assert min(text.get_fontsize() for text in texts) >= 7
    boxes = [text.get_window_extent() for text in texts]
    for index, box in enumerate(boxes):
        assert figure.bbox.x0 - 1 <= box.x0
        assert box.x1 <= figure.bbox.x1 + 1
        assert figure.bbox.y0 - 1 <= box.y0
        assert box.y1 <= figure.bbox.y1 + 1
        overlapping = [
            texts[index + 1 + n].get_text() for n, other in enumerate(boxes[index + 1 :]) if box.overlaps(other)
        ]
        assert not overlapping, (texts[index].get_text(), overlapping)


@pytest.mark.parametrize("kind", list(FIGURES))
def test_same_scores_same_bytes_and_arguments_as_they_were(tmp_path, scores, features, kind):
    before = scores.copy(), features.copy()
    first, second = (
        save_figure(figure_of(scores, features, kind), tmp_path / name / "figure") for name in ("one", "two")
    )
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    pd.testing.assert_frame_equal(scores, before[0])
    pd.testing.assert_frame_equal(features, before[1])


# --- regression ------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 60), st.floats(-3, 3), st.floats(0.01, 5), st.integers(0, 2**31))
def test_the_line_is_that_of_scipy(n, slope, noise, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(2, 3, n)
    y = slope * x + rng.normal(0, noise, n)
    fit, known = fit_line(x, y), stats.linregress(x, y)
    assert (fit.slope, fit.intercept) == pytest.approx((known.slope, known.intercept), rel=1e-8, abs=1e-10)
    assert fit.r == pytest.approx(known.rvalue, rel=1e-8, abs=1e-10)
    assert fit.p == pytest.approx(known.pvalue, rel=1e-6, abs=1e-300)
    assert fit.f == pytest.approx((known.slope / known.stderr) ** 2, rel=1e-6)


def test_f_compares_with_the_mean_alone():
    rng = np.random.default_rng(7)
    x = rng.normal(size=50)
    y = 0.4 * x + rng.normal(size=50)
    design = np.column_stack([np.ones(50), x])
    coefficients, full, *_ = np.linalg.lstsq(design, y)
    null = ((y - y.mean()) ** 2).sum()
    f = (null - full[0]) / (full[0] / 48)
    fit = fit_line(x, y)
    assert fit.f == pytest.approx(f)
    assert fit.p == pytest.approx(1 - stats.f.cdf(f, 1, 48))
    assert [fit.intercept, fit.slope] == pytest.approx(coefficients.tolist())


def test_the_band_is_that_of_the_covariance_of_the_coefficients():
    rng = np.random.default_rng(8)
    x, at = rng.normal(3, 2, 30), np.array([-2.0, 3.0, 10.0])
    y = x + rng.normal(size=30)
    design = np.column_stack([np.ones(30), x])
    coefficients, residuals, *_ = np.linalg.lstsq(design, y)
    covariance = np.linalg.inv(design.T @ design) * residuals[0] / 28
    rows = np.column_stack([np.ones(3), at])
    expected = stats.t.ppf(0.975, 28) * np.sqrt(np.einsum("ij,jk,ik->i", rows, covariance, rows))
    fit = fit_line(x, y)
    np.testing.assert_allclose(fit.half_width(at), expected)
    np.testing.assert_allclose(fit.at(at), rows @ coefficients)


@pytest.mark.parametrize(
    ("x", "y"), [([], []), ([1, 2], [1, 2]), ([1, 2, 3], [5, 5, 5]), ([4, 4, 4], [1, 2, 3]), ([1, 1, 1], [1, 1, 1])]
)
def test_lines_that_are_undefined(x, y):
    assert fit_line(x, y) is None


def test_a_perfect_line():
    fit = fit_line([0, 1, 2, 3], [1, 3, 5, 7])
    assert (fit.slope, fit.intercept, fit.r, fit.f, fit.p) == (2, 1, 1, np.inf, 0)


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.5, "p = 0.5"), (0.00123, "p = 0.0012"), (1e-299, "p = 1e-299"), (1e-301, "p < 1e-300"), (0, "p < 1e-300")],
)
def test_p_in_words(p, text):
    assert p_text(p) == text


def windows(starts, chrom="chr1"):
    starts = np.asarray(starts)
    return pd.DataFrame({"chrom": chrom, "start": starts, "end": starts + 200, "strand": "+"})


def regression_runs(n=50, folds=3, noise=0.5, seed=9):
    rng = np.random.default_rng(seed)
    observed = rng.normal(size=n)
    regions = windows(np.arange(n) * 200)
    return [Predictions(regions, observed, 0.6 * observed + rng.normal(0, noise, n), ["cage"]) for _ in range(folds)]


def test_predictions_are_averaged_window_by_window():
    runs = regression_runs()
    table = mean_by_window(runs)
    for row in range(50):
        mean = sum(float(run.prediction[row, 0]) for run in runs) / 3
        assert table["predicted"].iloc[row] == pytest.approx(mean, abs=1e-12)
    np.testing.assert_array_equal(table["observed"], runs[0].target[:, 0].astype(np.float64))
    assert table["start"].tolist() == (np.arange(50) * 200).tolist()


def test_observed_values_that_folds_normalize_by_themselves_are_averaged():
    regions = windows([0, 200, 400])
    runs = [Predictions(regions, [1, 2, 3], [0, 0, 1], ["cage"]), Predictions(regions, [3, 4, 5], [1, 0, 0], ["cage"])]
    table = mean_by_window(runs)
    assert table["observed"].tolist() == [2, 3, 4]
    assert table["predicted"].tolist() == [0.5, 0, 0.5]


def test_windows_of_different_folds_are_joined():
    runs = [
        Predictions(windows([0, 200], "chr2"), [1, 2], [1, 2], ["cage"]),
        Predictions(windows([0, 200], "chr3"), [3, 4], [3, 4], ["cage"]),
        Predictions(windows([200, 0], "chr2"), [2, 1], [4, 3], ["cage"]),
    ]
    table = mean_by_window(runs)
    assert list(zip(table["chrom"], table["start"], table["predicted"], strict=True)) == [
        ("chr2", 0, 2),
        ("chr2", 200, 3),
        ("chr3", 0, 3),
        ("chr3", 200, 4),
    ]


def test_two_genes_of_one_promoter_stay_two_windows():
    runs = [Predictions(windows([0, 0, 200]), [1, 1, 2], [run, run + 2, 5], ["cage"]) for run in (1, 3)]
    assert mean_by_window(runs)["predicted"].tolist() == [2, 4, 5]


def test_which_output_is_drawn():
    run = Predictions(windows([0, 200]), [[1, 5], [2, 6]], [[3, 7], [4, 8]], ["a", "b"])
    assert mean_by_window([run], "b")["predicted"].tolist() == [7, 8]
    with pytest.raises(InputError, match="hold the outputs a, b; the figure asks for none"):
        mean_by_window([run])
    with pytest.raises(InputError, match="the figure asks for c"):
        mean_by_window([run], "c")
    with pytest.raises(InputError, match="no predictions to draw"):
        mean_by_window([])


def regression_figure(runs, **changes):
    figure = {"kind": "regression", "split": "test", "of": {"model": "joint", "order": 3}, **changes}
    sheet = pd.DataFrame({"class": "", "group": "", "condition": "CAGE HepG2"}, index=["cage"])
    words = {"features": sheet, "chromosomes": {"test": ["chr1"]}, "note": "simulated data"}
    return plot_regression_figure(runs, figure, normalize="zscorelog", **words)


def test_points_line_and_band_are_drawn():
    runs = regression_runs()
    table = mean_by_window(runs)
    figure = regression_figure(runs)
    axis = figure.axes[0]
    points, band = axis.collections
    np.testing.assert_array_equal(points.get_offsets(), table[["observed", "predicted"]])
    assert mpl_colors.to_hex(points.get_facecolor()[0]).upper() == COLORS["model"]["joint"]
    known = stats.linregress(table["observed"], table["predicted"])
    (line,) = axis.lines
    np.testing.assert_allclose(line.get_ydata(), known.intercept + known.slope * line.get_xdata())
    assert (line.get_xdata()[0], line.get_xdata()[-1]) == (table["observed"].min(), table["observed"].max())
    assert band.get_paths()[0].contains_points([(line.get_xdata()[100], line.get_ydata()[100])]).all()


def test_words_of_the_regression():
    runs = regression_runs()
    table = mean_by_window(runs)
    known = stats.linregress(table["observed"], table["predicted"])
    figure = regression_figure(runs)
    axis = figure.axes[0]
    f = (known.slope / known.stderr) ** 2
    assert axis.texts[0].get_text() == (
        f"Pearson r = {known.rvalue:.3f}\nF(1, 48) = {f:.0f}, p = {known.pvalue:.2g}\nn = 50 windows"
    )
    assert axis.get_xlabel() == "observed CAGE HepG2\n(z-score of log(count + 1))"
    assert axis.get_ylabel() == "predicted CAGE HepG2\n(z-score of log(count + 1))"
    assert header(figure) == ["joint, order 3; test on chr1", "simulated data, means over 3 runs"]


def test_the_words_lie_over_no_point():
    axis = drawn(regression_figure(regression_runs(n=400))).axes[0]
    words = axis.texts[0].get_window_extent()
    pixels = axis.transData.transform(axis.collections[0].get_offsets())
    assert not any(words.contains(*pixel) for pixel in pixels)


def test_a_negative_correlation_and_a_small_p():
    x = np.linspace(0, 1, 2000)
    table = pd.DataFrame({"observed": x, "predicted": -x + 1e-3 * np.sin(1000 * x)})
    words = plot_regression(table, text=TEXT).axes[0].texts[0].get_text()
    assert words.startswith("Pearson r = −1.000")
    assert "p < 1e-300" in words


@pytest.mark.parametrize(
    ("observed", "predicted", "reason"),
    [
        ([1, 2, 3, 4], [2, 2, 2, 2], "predictions are constant"),
        ([2, 2, 2, 2], [1, 2, 3, 4], "observed values are constant"),
        ([1, 2], [1, 2], "fewer than 3 windows"),
        ([], [], "fewer than 3 windows"),
    ],
)
def test_a_regression_that_is_undefined_says_why(tmp_path, observed, predicted, reason):
    figure = plot_regression(pd.DataFrame({"observed": observed, "predicted": predicted}, dtype=float), text=TEXT)
    axis = figure.axes[0]
    assert axis.texts[0].get_text() == f"regression undefined: {reason}\nn = {len(observed)} windows"
    assert not axis.lines
    assert len(axis.collections[0].get_offsets()) == len(observed)
    save_figure(figure, tmp_path / "figure")


@pytest.mark.parametrize(("number", "pixels"), [(3000, False), (3001, True)])
def test_many_points_are_pixels_within_the_vectors(tmp_path, number, pixels):
    rng = np.random.default_rng(10)
    table = pd.DataFrame(rng.normal(size=(number, 2)), columns=["observed", "predicted"])
    svg, _ = save_figure(plot_regression(table, text=TEXT), tmp_path / "figure")
    assert ("<image" in svg.read_text()) == pixels


# --- captions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*FIGURES, "regression"])
@pytest.mark.parametrize("note", ["", "simulated data"])
def test_captions_say_how_to_read_the_figure(kind, note):
    figure = {"kind": kind, "metric": "auprc", "split": "test", "of": DANQ, **FIGURES.get(kind, {})}
    template = jinja2.Template((ROOT / f"workflow/report/{kind}.rst").read_text())
    snakemake = SimpleNamespace(params=SimpleNamespace(figure=figure, note=note))
    caption = template.render(snakemake=snakemake)
    assert "test split" in caption
    assert ("Made from simulated data." in caption) == bool(note)
    assert "{" not in caption
    assert len(caption) > 300
