import sys
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib import colors as mpl_colors
from matplotlib.image import imread

from helpers.errors import InputError
from helpers.evaluation.figure_parts import FigureText
from helpers.evaluation.figures import find_ceiling, plot_score_figure
from helpers.evaluation.plots import plot_locus, plot_replicates, plot_training_curves
from helpers.evaluation.score_selection import select_scores
from helpers.evaluation.style import (
    COLORS,
    MARKERS,
    PALETTE,
    SINGLE_COLUMN,
    VALUE_NAMES,
    colors_of,
    in_style,
    phrase,
    save_figure,
    variant_label,
)
from helpers.evaluation.tracks import IntervalTrack

TEXT = FigureText("auPRC (test, chr3)", note="simulated data")


def rows(model, grid, splits, replicates=5, metric="auprc"):
    values = np.random.default_rng(len(str(grid))).uniform(0.3, 0.6, replicates)
    return [
        {
            "model": model,
            **grid,
            "replicate": number,
            "split": split,
            "output": "jund",
            "metric": metric,
            "value": value,
        }
        for number, value in enumerate(values, start=1)
        for split in splits
    ]


@pytest.fixture
def scores():
    table = [rows("dna", {"order": o, "dropout": d}, ["validation", "test"]) for o in "123" for d in ("0", "0.2")]
    table += [rows("joint", {}, ["validation", "test", "test_swapped"]), rows("kmer", {}, ["test"], 1)]
    table += [rows("dna", {"order": "1", "dropout": "0"}, ["test"], metric="auroc")]
    return pd.DataFrame([row for part in table for row in part]).fillna("")


@pytest.fixture
def dna(scores):
    return select_scores(scores, metric="auprc", splits=["test"], model="dna")


@pytest.fixture
def histories():
    epochs = np.arange(1, 7)
    parts = []
    for model, variant in [("dna", f"order~{order}") for order in range(1, 6)] + [("joint", "default")]:
        for replicate in (1, 2, 3):
            loss = 0.3 + 0.5 / epochs
            val_loss = 0.4 + 0.02 * np.abs(epochs - 1 - replicate)
            run = {"model": model, "variant": variant, "fold": "all", "replicate": replicate}
            parts.append(pd.DataFrame({**run, "epoch": epochs, "loss": loss, "val_loss": val_loss}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def folds():
    """Pearson's r of two models with a grid, and of one without, in 21 folds."""
    rng = np.random.default_rng(3)
    cells = [("dna", "1"), ("dna", "2"), ("chromatin", ""), ("joint", "1"), ("joint", "2")]
    parts = [
        pd.DataFrame(
            {
                "study": "cage",
                "model": model,
                "order": order,
                "fold": [f"chr{number}" for number in range(2, 23)],
                "replicate": 1,
                "split": "test",
                "output": "cage",
                "metric": "pearson_r",
                "value": rng.uniform(0.5, 0.8, 21),
                "n": 100,
                "n_positive": pd.NA,
                "prevalence": np.nan,
            }
        )
        for model, order in cells
    ]
    return pd.concat(parts, ignore_index=True)


def curves(cells, folds=1, epochs=6):
    """Histories of some (model, variant), every fold with a validation loss of its own."""
    epoch = np.arange(1, epochs + 1)
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "model": model,
                    "variant": variant,
                    "fold": f"chr{fold}",
                    "replicate": 1,
                    "epoch": epoch,
                    "loss": 1 / epoch,
                    "val_loss": 0.5 + 0.01 * fold + 0.1 * np.abs(epoch - 4),
                }
            )
            for model, variant in cells
            for fold in range(1, folds + 1)
        ],
        ignore_index=True,
    )


def points(axis):
    """Offsets of each group of points, left to right."""
    return [collection.get_offsets() for collection in axis.collections]


def extents_of_text(figure):
    with in_style():
        figure.canvas.draw()
    axis = figure.axes[0]
    texts = [*axis.get_xticklabels(), axis.xaxis.label, axis.yaxis.label, axis._right_title, *axis.texts]
    return [text.get_window_extent() for text in texts if text.get_text()]


# --- which scores ----------------------------------------------------------------------------------------------------


def test_selection_by_metric_split_and_columns(scores):
    chosen = select_scores(scores, metric="auprc", splits=["test"], model="dna", order=3, dropout=["0", 0.2])
    assert len(chosen) == 10
    assert set(chosen["order"]) == {"3"}
    assert set(chosen["split"]) == {"test"}


def test_each_model_on_the_first_split_that_it_has(scores):
    chosen = select_scores(scores, metric="auprc", splits=["test_swapped", "test"])
    assert chosen.groupby("model")["split"].unique().map(list).to_dict() == {
        "dna": ["test"],
        "joint": ["test_swapped"],
        "kmer": ["test"],
    }


def test_selection_of_nothing_or_of_several_outputs(scores):
    with pytest.raises(InputError, match=r"No scores.*'metric': 'mae'"):
        select_scores(scores, metric="mae", splits=["test"])
    with pytest.raises(InputError, match="No scores"):
        select_scores(scores, metric="auprc", splits=["train"])
    other = scores.assign(output="other")
    with pytest.raises(InputError, match=r"several outputs \['jund', 'other'\]"):
        select_scores(pd.concat([scores, other]), metric="auprc", splits=["test"])


# --- boxes and points ------------------------------------------------------------------------------------------------


def test_every_replicate_is_a_point_over_its_box(dna):
    figure = plot_replicates(dna, x="order", hue="dropout", text=TEXT, prevalence=0.02)
    axis = figure.axes[0]
    groups = points(axis)
    assert [len(group) for group in groups] == [5] * 6
    expected = [
        dna[(dna["order"] == order) & (dna["dropout"] == dropout)]["value"].tolist()
        for order in "123"
        for dropout in ("0", "0.2")
    ]
    assert [group[:, 1].tolist() for group in groups] == expected
    assert len(axis.patches) == 6
    centers = [group[:, 0].mean() for group in groups]
    np.testing.assert_allclose(centers, [-0.2, 0.2, 0.8, 1.2, 1.8, 2.2], atol=1e-12)
    assert min(c.get_zorder() for c in axis.collections) > max(p.get_zorder() for p in axis.patches)


def test_labels_say_what_is_drawn(dna):
    figure = plot_replicates(dna, x="order", hue="dropout", text=TEXT, prevalence=0.0213)
    axis = figure.axes[0]
    assert axis.get_xlabel() == "order (k-mer length)"
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1", "2", "3"]
    assert axis.get_ylabel() == "auPRC (test, chr3)"
    assert axis.get_title(loc="right") == "simulated data, n = 5 runs each"
    assert [text.get_text() for text in axis.texts] == ["prevalence 0.021"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["dropout on the input:", "0", "0.2"]


def test_long_label_of_the_y_axis_is_broken(dna):
    text = FigureText("auPRC (test on chrII, chrVIII, chrXIV,\nexperiments swapped)")
    figure = plot_replicates(dna, x="order", text=text, prevalence=0.02)
    with in_style():
        figure.canvas.draw()
    label = figure.axes[0].yaxis.label
    assert label.get_text() == "auPRC (test on chrII,\nchrVIII, chrXIV,\nexperiments swapped)"
    assert figure.bbox.y0 <= label.get_window_extent().y0
    assert label.get_window_extent().y1 <= figure.bbox.y1


def test_one_run_is_one_run(dna):
    axis = plot_replicates(dna[dna["replicate"] == 1], x="order", hue="dropout", text=TEXT).axes[0]
    assert axis.get_title(loc="right") == "simulated data, n = 1 run each"


def test_prevalence_is_a_dashed_line_and_the_axis_starts_at_zero(dna):
    axis = plot_replicates(dna, x="order", text=TEXT, prevalence=0.02).axes[0]
    dashed = [line for line in axis.lines if line.is_dashed()]
    assert [set(line.get_ydata()) for line in dashed] == [{0.02}]
    assert axis.get_ylim()[0] == 0
    assert axis.get_ylim()[1] > dna["value"].max()
    without = plot_replicates(dna, x="order", text=TEXT).axes[0]
    assert not any(line.is_dashed() for line in without.lines)


def test_a_prevalence_above_all_scores_is_inside(dna):
    axis = plot_replicates(dna, x="order", text=TEXT, prevalence=0.9).axes[0]
    assert axis.get_ylim()[1] > 0.9


def test_unequal_numbers_stand_under_their_place(scores):
    chosen = select_scores(scores, metric="auprc", splits=["test"], model=["joint", "kmer"])
    axis = plot_replicates(chosen, x="model", text=FigureText("auPRC", x="", note="simulated data")).axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["joint\nn = 5", "k-mer counts\nn = 1"]
    assert axis.get_title(loc="right") == "simulated data"
    assert axis.get_xlabel() == ""


def test_unequal_numbers_within_places_are_a_range(dna):
    axis = plot_replicates(dna.iloc[1:], x="order", hue="dropout", text=TEXT).axes[0]
    assert axis.get_title(loc="right") == "simulated data, n = 4 to 5 runs"


def test_a_lone_box_stands_in_the_middle_of_its_place(dna):
    some = dna[(dna["order"] != "2") | (dna["dropout"] == "0")]
    axis = plot_replicates(some, x="order", hue="dropout", text=TEXT).axes[0]
    assert [len(group) for group in points(axis)] == [5] * 5
    np.testing.assert_allclose([group[:, 0].mean() for group in points(axis)], [-0.2, 0.2, 1, 1.8, 2.2], atol=1e-12)


def test_undefined_scores_are_left_out_and_none_at_all_is_said(dna):
    dna.loc[dna.index[0], "value"] = np.nan
    axis = plot_replicates(dna, x="order", text=TEXT).axes[0]
    assert sum(map(len, points(axis))) == 29
    with pytest.raises(InputError, match="no defined score"):
        plot_replicates(dna.assign(value=np.nan), x="order", text=TEXT)


def test_no_text_lies_over_another(dna, scores):
    models = select_scores(scores, metric="auprc", splits=["test"], dropout=["", "0"])
    for figure in (
        plot_replicates(dna, x="order", hue="dropout", text=TEXT, prevalence=0.02),
        plot_replicates(models, x="model", text=TEXT, prevalence=0.02),
    ):
        boxes = extents_of_text(figure)
        assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 + 1 for box in boxes)
        for i, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[i + 1 :])


def test_type_is_never_smaller_than_seven_points(dna, histories):
    for figure in (plot_replicates(dna, x="order", hue="dropout", text=TEXT), plot_training_curves(histories)):
        texts = figure.findobj(lambda artist: hasattr(artist, "get_fontsize"))
        assert min(text.get_fontsize() for text in texts) >= 7


# --- folds and the noise ceiling -------------------------------------------------------------------------------------


def test_models_side_by_side_over_a_key_that_they_share(folds):
    figure = plot_score_figure(
        folds,
        {"models": ["dna", "chromatin", "joint"], "metric": "pearson_r", "split": "test", "x": "order", "hue": "model"},
        chromosomes={"test": ["chr1"]},
        note="simulated data",
        ceiling=0.91,
    )
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1", "2", "–"]
    assert axis.get_ylabel() == "Pearson r (test on chr1)"
    assert axis.get_title(loc="right") == "simulated data, n = 21 folds each"
    shown = [
        (mpl_colors.to_hex(group.get_facecolor()[0]).upper(), sorted(group.get_offsets()[:, 1]))
        for group in axis.collections
    ]
    expected = [
        (COLORS["model"][model], sorted(folds["value"][(folds["model"] == model) & (folds["order"] == order)]))
        for model, order in [("dna", "1"), ("joint", "1"), ("dna", "2"), ("joint", "2"), ("chromatin", "")]
    ]
    assert shown == expected
    dashed = [line for line in axis.lines if line.is_dashed()]
    assert [set(line.get_ydata()) for line in dashed] == [{0.91}]
    assert [text.get_text() for text in axis.texts] == ["noise ceiling 0.91"]
    assert axis.get_ylim()[1] > 0.91
    assert axis.get_ylim()[0] > 0.4


def test_no_lines_where_nothing_is_known(folds):
    figure = {"models": ["chromatin"], "metric": "pearson_r", "split": "test"}
    axis = plot_score_figure(folds, figure, chromosomes={"test": ["chr1"]}).axes[0]
    assert not any(line.is_dashed() for line in axis.lines)
    assert axis.get_xlabel() == "model"


def test_a_ceiling_below_all_scores_is_inside(folds):
    axis = plot_replicates(folds, x="model", text=TEXT, ceiling=0.1).axes[0]
    assert axis.get_ylim()[0] <= 0.1


def test_folds_with_replicates_are_counted(folds):
    twice = pd.concat([folds, folds.assign(replicate=2)])
    axis = plot_replicates(twice, x="order", hue="model", text=TEXT).axes[0]
    assert axis.get_title(loc="right") == "simulated data, n = 42 runs each (21 folds)"


def test_prevalence_is_the_mean_over_folds():
    table = pd.DataFrame([{**row, "fold": "a"} for row in rows("dna", {}, ["validation"])]).assign(prevalence=0.1)
    table = pd.concat([table, table.assign(fold="b", prevalence=0.3)], ignore_index=True)
    figure = {"models": ["dna"], "metric": "auprc", "split": "validation", "where": {}}
    axis = plot_score_figure(table, figure, chromosomes={"validation": [f"chr{n}" for n in range(2, 12)]}).axes[0]
    assert [text.get_text() for text in axis.texts] == ["prevalence 0.2"]
    label = axis.get_ylabel().replace("\n", " ")
    assert label == "auPRC (validation on chr2, chr3, chr4, chr5, chr6, chr7 and 4 more)"


def test_where_keeps_variants_of_its_model_only(scores):
    scores = scores.assign(prevalence=0.02)
    figure = {"models": ["dna", "joint"], "metric": "auprc", "split": "test_swapped"}
    where = {"dna": {"order": 3, "dropout": 0}}
    axis = plot_score_figure(scores, {**figure, "where": where}, chromosomes={"test": ["chr3"]}).axes[0]
    dna, joint = points(axis)
    chosen = scores[(scores["order"] == "3") & (scores["dropout"] == "0") & (scores["split"] == "test")]
    assert dna[:, 1].tolist() == chosen["value"].tolist()
    swapped = scores[(scores["model"] == "joint") & (scores["split"] == "test_swapped")]
    assert joint[:, 1].tolist() == swapped["value"].tolist()
    assert axis.get_ylabel() == "auPRC (test on chr3,\nexperiments swapped)"


def test_ceiling_of_a_figure():
    table = pd.DataFrame(
        {"split": ["test", "test", "validation"], "output": ["a", "b", "a"], "ceiling": [0.9, 0.8, 0.7]}
    )
    figure = {"metric": "pearson_r", "split": "test_swapped", "output": "b"}
    assert find_ceiling(table, figure) == 0.8
    assert find_ceiling(table, {**figure, "metric": "mae"}) is None
    assert find_ceiling(table, {"metric": "pearson_r", "split": "test"}) is None
    assert find_ceiling(table, {"metric": "pearson_r", "split": "validation"}) == 0.7
    assert find_ceiling(table.assign(ceiling=np.nan), figure) is None


def test_a_column_that_scores_lack(dna):
    with pytest.raises(InputError, match="no column 'window' to draw by"):
        plot_replicates(dna, x="order", hue="window", text=TEXT)


# --- colours ---------------------------------------------------------------------------------------------------------


def test_same_thing_same_colour_everywhere(scores):
    alone = select_scores(scores, metric="auprc", splits=["test"], model="joint")
    several = select_scores(scores, metric="auprc", splits=["test"])
    shades = []
    for chosen in (alone, several):
        axis = plot_replicates(chosen, x="model", text=TEXT).axes[0]
        names = [label.get_text().split("\n")[0] for label in axis.get_xticklabels()]
        shades.append(mpl_colors.to_hex(axis.collections[names.index("joint")].get_facecolor()[0]))
    assert shades == [COLORS["model"]["joint"].lower()] * 2


def test_colours_of_unknown_values_are_free_ones():
    found = colors_of("model", ["chromatin", "dna", "second"])
    assert list(found) == ["chromatin", "dna", "second"]
    assert found["dna"] == COLORS["model"]["dna"]
    assert len(set(found.values())) == 3
    many = colors_of("any", map(str, range(20)))
    assert set(many.values()) == set(PALETTE)


@pytest.mark.parametrize("key", ["order", "dropout", "augment", "normalize"])
def test_shades_of_one_figure_differ_in_grey(key):
    shades = sorted(set(COLORS[key].values()))
    lightness = sorted(np.dot(mpl_colors.to_rgb(color), [0.299, 0.587, 0.114]) for color in shades)
    assert min(np.diff(lightness)) > 0.05


def test_classes_differ_in_grey_and_in_their_markers():
    assert COLORS["class"]["histone modifier"] == COLORS["class"]["Histone"]
    shades = sorted(set(COLORS["class"].values()))
    lightness = sorted(np.dot(mpl_colors.to_rgb(color), [0.299, 0.587, 0.114]) for color in shades)
    assert len(shades) == 3
    assert min(np.diff(lightness)) > 0.1
    assert set(MARKERS) == set(COLORS["class"])
    assert len(set(MARKERS.values())) == len(MARKERS)


def test_deepsea_and_danq_differ_in_grey():
    lightness = [
        np.dot(mpl_colors.to_rgb(COLORS["model"][name]), [0.299, 0.587, 0.114]) for name in ("deepsea", "danq")
    ]
    assert abs(lightness[0] - lightness[1]) > 0.2


def test_every_class_has_a_name():
    assert set(COLORS["class"]) <= set(VALUE_NAMES["class"])


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("model", "danq", "DanQ"),
        ("model", "mine", "mine"),
        ("order", 3, "order 3"),
        ("dropout", 0.2, "dropout 0.2"),
        ("window", "2000", "2000 bp window"),
        ("strands", "forward", "forward strand"),
        ("normalize", "zscorelog", "z-score of log(count + 1)"),
        ("normalize", "none", "not normalized"),
        ("augment", "flip", "orientation flip"),
    ],
)
def test_values_in_words(key, value, words):
    assert phrase(key, value) == words


def test_variant_in_words():
    words = variant_label("order~3_dropout~0.2_my_key~a_b").replace("\xa0", " ")
    assert words == "order 3, dropout 0.2, my_key a_b"


# --- other figures ---------------------------------------------------------------------------------------------------


def test_training_curves_have_a_panel_per_variant(histories):
    figure = plot_training_curves(histories, note="simulated data", loss="binary_crossentropy")
    shown = [axis for axis in figure.axes if axis.get_visible()]
    titles = [axis.get_title(loc="left").replace("\xa0", " ") for axis in shown]
    assert titles == [f"DNA\norder {order}" for order in range(1, 6)] + ["joint"]
    assert len(figure.axes) == 8
    assert figure.get_supylabel() == "binary cross-entropy"
    assert "simulated data" in figure.legends[0].get_title().get_text()


def test_best_epoch_is_marked_on_the_validation_line(histories):
    axis = plot_training_curves(histories.sample(frac=1, random_state=0).sort_values("model")).axes[0]
    marks = [line for line in axis.lines if line.get_marker() == "o"]
    assert sorted((line.get_xdata()[0], round(float(line.get_ydata()[0]), 3)) for line in marks) == [
        (2, 0.4),
        (3, 0.4),
        (4, 0.4),
    ]
    assert len(axis.lines) == 9
    curves = [line for line in axis.lines if line.get_marker() != "o"]
    assert all((np.diff(line.get_xdata()) > 0).all() for line in curves)


def test_folds_lie_over_each_other_with_thin_lines():
    histories = curves([("dna", "order~1"), ("chromatin", "default")], folds=21)
    figure = plot_training_curves(histories, note="simulated data", loss="mae")
    assert [axis.get_title(loc="left").replace("\xa0", " ") for axis in figure.axes] == ["DNA\norder 1", "chromatin"]
    lines = [line for line in figure.axes[0].lines if line.get_marker() != "o"]
    assert len(lines) == 42
    assert max(line.get_linewidth() for line in lines) <= 0.5
    validation = [line.get_ydata().tolist() for line in lines if not line.is_dashed()]
    expected = [
        run["val_loss"].tolist() for _, run in histories[histories["model"] == "dna"].groupby("fold", sort=False)
    ]
    assert validation == expected
    assert figure.legends[0].get_title().get_text() == "one pair of lines per fold, simulated data"


@pytest.mark.parametrize(("number", "columns"), [(1, 1), (7, 4), (24, 4), (25, 6), (48, 6)])
def test_many_panels_are_smaller_and_never_wider_than_a_page(number, columns):
    cells = [("deepsea", f"order~1_window~{500 + n}_strands~both_dropout~0.2") for n in range(number)]
    figure = plot_training_curves(curves(cells, epochs=3))
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert len(shown) == number
    assert len({round(axis.get_subplotspec().colspan.start) for axis in shown}) == columns
    assert figure.get_figwidth() == (SINGLE_COLUMN if columns == 1 else 7.2)
    with in_style():
        figure.canvas.draw()
    titles = [axis._left_title.get_window_extent() for axis in shown]
    for index, title in enumerate(titles):
        assert title.x1 <= figure.bbox.x1 + 1
        assert not any(title.overlaps(other) for other in titles[index + 1 :])
    assert min(axis.get_window_extent().height for axis in shown) > 45


def test_a_run_that_diverged_has_no_best_epoch():
    histories = curves([("dna", "order~1")], folds=2)
    histories.loc[histories["fold"] == "chr2", "val_loss"] = np.nan
    lines = plot_training_curves(histories).axes[0].lines
    assert [line.get_xdata()[0] for line in lines if line.get_marker() == "o"] == [4]


def test_no_history():
    with pytest.raises(InputError, match="no training history"):
        plot_training_curves(
            pd.DataFrame(columns=["model", "variant", "fold", "replicate", "epoch", "loss", "val_loss"])
        )


def test_locus_carries_its_note():
    peaks = pd.DataFrame({"chrom": ["chr3"], "start": [10], "end": [20]})
    figure = plot_locus([IntervalTrack(peaks)], "chr3", 0, 100, note="simulated data")
    assert figure.axes[0].get_title(loc="right") == "simulated data"
    assert plot_locus([IntervalTrack(peaks)], "chr3", 0, 100).axes[0].get_title(loc="right") == ""


# --- files -----------------------------------------------------------------------------------------------------------


def test_saved_as_vectors_and_image(tmp_path, dna):
    svg, png = save_figure(plot_replicates(dna, x="order", hue="dropout", text=TEXT), tmp_path / "figures" / "fig.2a")
    assert (svg.name, png.name) == ("fig.2a.svg", "fig.2a.png")
    assert ElementTree.parse(svg).getroot().tag.endswith("svg")
    assert imread(png).shape[:2] == (540, 700)
    assert sorted(path.name for path in svg.parent.iterdir()) == ["fig.2a.png", "fig.2a.svg"]


def test_same_scores_same_bytes(tmp_path, dna, histories):
    for name in ("one", "two"):
        save_figure(plot_replicates(dna, x="order", hue="dropout", text=TEXT), tmp_path / f"{name}-boxes")
        save_figure(plot_training_curves(histories), tmp_path / f"{name}-curves")
    for path in tmp_path.glob("one-*"):
        assert path.read_bytes() == (tmp_path / path.name.replace("one", "two")).read_bytes()


def test_drawing_leaves_the_settings_of_matplotlib_alone(tmp_path, dna):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    save_figure(plot_replicates(dna, x="order", text=TEXT), tmp_path / "figure")
    assert dict(mpl.rcParams) == before


def test_arguments_stay_as_they_were(dna, histories):
    copies = dna.copy(), histories.copy()
    plot_replicates(dna, x="order", hue="dropout", text=TEXT, prevalence=0.1)
    plot_training_curves(histories)
    pd.testing.assert_frame_equal(dna, copies[0])
    pd.testing.assert_frame_equal(histories, copies[1])


def test_no_windows_are_opened():
    assert "matplotlib.pyplot" not in sys.modules or sys.modules["matplotlib.pyplot"].get_fignums() == []
