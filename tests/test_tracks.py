import numpy as np
import pandas as pd
import pytest

from helpers.data.export import predictions_to_bigwig
from helpers.errors import InputError
from helpers.evaluation.style import in_style
from helpers.evaluation.tracks import IntervalTrack, LineTrack, Track, plotGenomeTrack


class Coverage:
    """What tracks ask of a Cover: a name, conditions, and (1, positions, strands, conditions) at a stretch."""

    def __init__(self, values, name="dnase", conditions=None):
        self.values = values
        self.name = name
        self.conditions = conditions if conditions is not None else [name] * values.shape[-1]

    def __getitem__(self, key):
        _, start, end = key
        return self.values[None, start:end]


@pytest.fixture
def stranded():
    rng = np.random.default_rng(0)
    return Coverage(rng.poisson(3, (20, 2, 2)).repeat(50, axis=0).astype(float), conditions=["Roadmap", "ENCODE"])


@pytest.fixture
def bigwig(tmp_path):
    regions = pd.DataFrame({"chrom": "chr1", "start": [200, 400], "end": [400, 600]})
    predictions_to_bigwig(tmp_path / "joint.bw", regions, np.array([0.25, 0.75]), {"chr1": 1000, "chr2": 50})
    return tmp_path / "joint.bw"


PEAKS = pd.DataFrame(
    {"chrom": ["chr1", "chr1", "chr2", "chr1"], "start": [100, 590, 300, 900], "end": [210, 700, 400, 950]}
)


def line(axis, number=0):
    return axis.lines[number].get_xdata(), axis.lines[number].get_ydata()


def test_figure_has_one_axis_per_panel_in_order(bigwig, stranded):
    tracks = [LineTrack(bigwig, label="predicted"), IntervalTrack(PEAKS, label="peaks"), LineTrack(stranded)]
    figure = plotGenomeTrack(tracks, "chr1", 200, 600)
    assert [axis.get_ylabel() for axis in figure.axes] == ["predicted", "peaks", "Roadmap", "ENCODE"]
    assert all(axis.get_xlim() == (200, 600) for axis in figure.axes)
    assert figure.axes[-1].get_xlabel() == "position on chr1 (bp)"
    assert not any(axis.get_xlabel() for axis in figure.axes[:-1])
    heights = [axis.get_gridspec().get_height_ratios() for axis in figure.axes][0]
    assert heights == [3, 1, 3, 3]


def test_bigwig_is_drawn_as_it_is(bigwig):
    axis = plotGenomeTrack(bigwig, "chr1", 100, 700).axes[0]
    assert axis.get_ylabel() == "joint"
    x, y = line(axis)
    np.testing.assert_array_equal(x, [100, 200, 200, 400, 400, 600, 600, 700])
    np.testing.assert_array_equal(y, [np.nan, np.nan, 0.25, 0.25, 0.75, 0.75, np.nan, np.nan])


def test_stretch_past_the_end_of_the_contig(bigwig):
    x, y = line(plotGenomeTrack(bigwig, "chr1", 500, 1200).axes[0])
    assert (x.min(), x.max()) == (500, 1200)
    np.testing.assert_array_equal(y, [0.75, 0.75, np.nan, np.nan])
    x, y = line(plotGenomeTrack(bigwig, "chr1", 1100, 1200).axes[0])
    assert np.isnan(y).all()


def test_strands_stand_up_and_hang_down_in_two_colours(stranded):
    axis = plotGenomeTrack(LineTrack(stranded), "chr1", 0, 1000).axes[1]
    forward, reverse = axis.lines[:2]
    assert forward.get_color() != reverse.get_color()
    shown = np.repeat(stranded.values[::50, 0, 1], 2)
    assert set(forward.get_ydata()) == set(shown)
    assert set(-reverse.get_ydata()) == set(stranded.values[:, 1, 1])
    assert [text.get_text() for text in axis.texts] == ["+", "−"]
    figure = axis.get_figure()
    figure.canvas.draw()
    assert not any("-" in label.get_text() or "−" in label.get_text() for label in axis.get_yticklabels())


def test_line_follows_every_base():
    values = np.random.default_rng(3).integers(0, 3, 200).astype(float)
    axis = plotGenomeTrack(LineTrack(Coverage(values[:, None, None])), "chr1", 0, 200).axes[0]
    x, y = line(axis)
    drawn = [y[np.searchsorted(x, base, side="right")] for base in range(200)]
    np.testing.assert_array_equal(drawn, values)


def test_values_below_zero_are_not_mirrored():
    values = np.array([[-1.0, 2.0], [0.5, -2.0]])[:, :, None]
    axis = plotGenomeTrack(LineTrack(Coverage(values)), "chr1", 0, 2).axes[0]
    np.testing.assert_array_equal(line(axis, 1)[1], [2, 2, -2, -2])
    assert axis.lines[1].get_linestyle() == "--"


def test_positions_that_are_not_finite_are_left_out():
    values = np.array([1.0, np.inf, np.nan, 2.0])[:, None, None]
    axis = plotGenomeTrack(LineTrack(Coverage(values)), "chr1", 0, 4).axes[0]
    assert np.isfinite(axis.get_ylim()).all()
    np.testing.assert_array_equal(line(axis)[1], [1, 1, np.nan, np.nan, 2, 2])


def test_regions_that_touch_the_stretch_are_boxes():
    axis = plotGenomeTrack(IntervalTrack(PEAKS), "chr1", 200, 600).axes[0]
    extents = [path.get_extents().intervalx.tolist() for path in axis.collections[0].get_paths()]
    assert extents == [[100, 210], [590, 700]]


def test_stretch_without_regions_is_drawn_empty():
    assert plotGenomeTrack(IntervalTrack(PEAKS), "chr9", 200, 600).axes[0].collections[0].get_paths() == []


def test_style_arguments_reach_the_line(stranded):
    track = LineTrack(
        stranded, height=2, label="DNase", color="c", linestyle="None", marker=",", linewidth=2, ylim=(-9, 9)
    )
    axis = plotGenomeTrack([track], "chr1", 0, 1000).axes[0]
    drawn = axis.lines[0]
    assert (drawn.get_color(), drawn.get_marker(), drawn.get_linestyle(), drawn.get_linewidth()) == (
        "c",
        ",",
        "None",
        2,
    )
    assert axis.get_ylim() == (-9, 9)
    assert axis.get_ylabel() == "DNase Roadmap"


def test_positions_have_thousands_separators(bigwig):
    figure = plotGenomeTrack(Coverage(np.ones((4_000_000, 1, 1))), "chr3", 2_353_000, 2_357_000)
    figure.canvas.draw()
    labels = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert "2,354,000" in labels
    assert 4 <= len(labels) <= 7


def test_figsize_and_default_size(bigwig):
    assert plotGenomeTrack(bigwig, "chr1", 0, 100, figsize=(8, 4)).get_size_inches().tolist() == [8, 4]
    one, two = (plotGenomeTrack([bigwig] * n, "chr1", 0, 100).get_size_inches() for n in (1, 2))
    assert one[0] == two[0]
    assert two[1] > one[1]


def test_own_track_is_drawn():
    class Cross(Track):
        def plot(self, axes, chrom, start, end):
            axes[0].plot([start, end], [0, 1])

    figure = plotGenomeTrack([Cross(None, label="cross")], "chr1", 0, 10)
    assert line(figure.axes[0])[0].tolist() == [0, 10]
    with pytest.raises(TypeError, match="abstract method"):
        Track(None)


def test_long_labels_are_broken():
    label = "predicted probability of a JunD site"
    figure = plotGenomeTrack(IntervalTrack(PEAKS, label=label), "chr1", 0, 10)
    assert max(map(len, figure.axes[0].get_ylabel().split("\n"))) <= 18


def test_labels_lie_within_the_figure_and_apart(bigwig, stranded):
    tracks = [
        LineTrack(bigwig, label="predicted (joint model)"),
        IntervalTrack(PEAKS, label="peaks"),
        LineTrack(stranded),
    ]
    figure = plotGenomeTrack(tracks, "chr1", 200, 600)
    with in_style():
        figure.canvas.draw()
    boxes = [axis.yaxis.label.get_window_extent() for axis in figure.axes]
    assert all(figure.bbox.containsx(box.x0) and figure.bbox.containsy(box.y0) for box in boxes)
    assert all(upper.y0 > lower.y1 for upper, lower in zip(boxes, boxes[1:], strict=False))
    assert len({round(box.x1) for box in boxes}) == 1


@pytest.mark.parametrize(
    ("tracks", "stretch", "match"),
    [
        ([], (0, 10), "Cannot draw 0 tracks"),
        ([IntervalTrack(PEAKS)], (10, 10), "chr1:10-10"),
        ("gone.bw", (0, 9), "gone"),
    ],
)
def test_mistakes_are_said(tracks, stretch, match):
    with pytest.raises(InputError, match=match):
        plotGenomeTrack(tracks, "chr1", *stretch)


def test_chromosome_that_the_bigwig_lacks(bigwig):
    with pytest.raises(InputError, match=r"has no chromosome 'chr7'\. It has chr1, chr2"):
        plotGenomeTrack(bigwig, "chr7", 0, 10)


def test_height_must_be_positive():
    with pytest.raises(InputError, match="Received: 0"):
        LineTrack("any.bw", height=0)
