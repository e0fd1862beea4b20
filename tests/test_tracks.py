import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import helpers.evaluation
from helpers.data.coverage import Cover
from helpers.data.export import predictions_to_bigwig
from helpers.data.indexer import GenomicIndexer
from helpers.data.sequence import Bioseq, encode_letters
from helpers.data.storage import GenomeArray
from helpers.errors import InputError
from helpers.evaluation.style import COLORS, in_style
from helpers.evaluation.track_signal import read_signal
from helpers.evaluation.tracks import (
    GeneTrack,
    HeatTrack,
    IntervalTrack,
    LineTrack,
    SeqTrack,
    Stretch,
    Track,
    as_track,
    plotGenomeTrack,
)


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


# --- strands, limits, colours ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("strand", "index"), [("+", 0), ("-", 1)])
def test_one_strand_stands_upright_in_its_colour(stranded, strand, index):
    axis = plotGenomeTrack(LineTrack(stranded, strand=strand), "chr1", 0, 1000).axes[0]
    (drawn,) = axis.lines
    assert drawn.get_color() == COLORS["strand"][strand]
    np.testing.assert_array_equal(drawn.get_ydata(), np.repeat(_runs(stranded.values[:, index, 0]), 2))


def _runs(values):
    return values[np.concatenate([[True], values[1:] != values[:-1]])]


def test_a_colour_for_each_strand(stranded):
    axis = plotGenomeTrack(LineTrack(stranded, color={"-": "red"}), "chr1", 0, 1000).axes[0]
    assert [drawn.get_color() for drawn in axis.lines[:2]] == [COLORS["strand"]["+"], "red"]


def test_strand_of_what_has_none(bigwig):
    with pytest.raises(InputError, match="Track 'joint' has no strands"):
        plotGenomeTrack(LineTrack(bigwig, strand="+"), "chr1", 0, 10)
    with pytest.raises(InputError, match=r"strand of a track is .* Received: strand='forward'"):
        HeatTrack(bigwig, strand="forward")


# --- heat maps -------------------------------------------------------------------------------------------------------


def shades(axis):
    """Values of a heat map, shape (rows, runs), and the edges of the runs."""
    mesh = axis.collections[0]
    values = mesh.get_array()
    return np.ma.filled(values.reshape(mesh.get_coordinates().shape[0] - 1, -1), np.nan), mesh.get_coordinates()[
        0, :, 0
    ]


def test_heat_map_has_a_row_for_each_condition_and_strand(stranded):
    axis = plotGenomeTrack(HeatTrack(stranded), "chr1", 100, 900).axes[0]
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == ["Roadmap +", "Roadmap −", "ENCODE +", "ENCODE −"]
    values, edges = shades(axis)
    assert edges[0] == 100
    assert edges[-1] == 900
    for base in range(100, 900, 7):
        run = np.searchsorted(edges, base, side="right") - 1
        np.testing.assert_array_equal(values[:, run], stranded.values[base].T.ravel())
    assert axis.get_ylim() == (4, 0)  # the first row is the highest
    assert axis.get_ylabel() == "dnase"


def test_heat_map_of_one_strand(stranded):
    axis = plotGenomeTrack(HeatTrack(stranded, strand="-"), "chr1", 0, 1000).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["Roadmap −", "ENCODE −"]
    assert shades(axis)[0].shape[0] == 2
    assert shades(axis)[0][0, 0] == stranded.values[0, 1, 0]


@pytest.mark.parametrize(
    ("values", "limits", "ends"),
    [
        ([1, 3], None, (0, 3)),
        ([-1, 3], None, (-3, 3)),
        ([-1, -4], None, (-4, 4)),
        ([0, 0], None, (0, 1)),
        ([np.nan, np.nan], None, (0, 1)),
        ([1, 3], (0, 10), (0, 10)),
        ([1, 3], (2, 10), (2, 10)),
        ([-1, 3], (-2, 8), (-2, 8)),
        ([-5, -1], (-5, -1), (-5, 5)),
    ],
)
def test_ends_of_the_colours(values, limits, ends):
    axis = plotGenomeTrack(HeatTrack(Stretch(values, "c:0-2"), ylim=limits), "c", 0, 2).axes[0]
    mesh = axis.collections[0]
    assert (mesh.norm.vmin, mesh.norm.vmax) == ends
    middle = mesh.cmap(mesh.norm(0.0))
    if ends[0] < 0:
        assert min(middle[:3]) > 0.95  # zero is white


def test_heat_map_leaves_out_what_is_not_finite():
    axis = plotGenomeTrack(HeatTrack(Stretch([1, np.inf, np.nan, 2], "c:0-4")), "c", 0, 4).axes[0]
    np.testing.assert_array_equal(shades(axis)[0], [[1, np.nan, 2]])


def test_a_damaged_bigwig_is_named(bigwig, tmp_path):
    whole = bigwig.read_bytes()
    for number, content in enumerate((b"", b"<html>404 Not Found</html>", whole[:64], whole[:200])):
        path = tmp_path / f"{number}.bw"
        path.write_bytes(content)
        with pytest.raises(InputError, match=rf"{number}\.bw is no bigWig file, or it is cut short.*download it again"):
            plotGenomeTrack(LineTrack(path), "chr1", 0, 100)


def test_values_of_a_bigwig_are_those_of_another_reader(bigwig):
    import pyBigWig

    with pyBigWig.open(str(bigwig)) as track:
        size = track.chroms("chr1")
        expected = np.array(track.values("chr1", size - 90, size))
    found = read_signal(bigwig, "chr1", size - 90, size + 10)
    assert found.shape == (100, 1, 1)
    np.testing.assert_array_equal(found[:90, 0, 0], expected)
    assert np.isnan(found[90:]).all()
    assert np.isnan(read_signal(bigwig, "chr1", size, size + 5)).all()
    assert np.isnan(read_signal(bigwig, "chr1", -5, 0)).all()
    with pytest.raises(InputError, match="has no chromosome 'chrM'"):
        read_signal(bigwig, "chrM", 0, 5)


@pytest.mark.parametrize("limits", [(3, 1), (5,), (1, 2, 3), (0, np.nan)])
def test_wrong_limits_of_a_heat_map(stranded, limits):
    with pytest.raises(InputError, match=re.escape(f"Received: ylim={limits}")):
        plotGenomeTrack(HeatTrack(stranded, ylim=limits), "chr1", 0, 10)


# --- what is no Track ------------------------------------------------------------------------------------------------


@pytest.fixture
def dna():
    return Bioseq("dna", GenomeArray.from_contigs({"chr1": encode_letters(b"ACGTNACGTT" * 100)}))


def test_a_track_for_each_kind_of_data(dna, stranded, bigwig, tmp_path):
    kmers = Coverage(np.zeros((9, 1, 16)), conditions=Bioseq("d", dna.genome, order=2).conditions)
    kinds = {
        LineTrack: [bigwig, str(bigwig), "a.bigWig", stranded, Stretch([1.0], "chr1:0-1")],
        SeqTrack: [dna, kmers],
        GeneTrack: ["genes.gtf", "genes.gff3.gz", PEAKS.assign(feature="gene", attributes="")],
        IntervalTrack: ["peaks.bed.gz", "peaks.narrowPeak", "snvs.vcf.gz", PEAKS],
    }
    for kind, sources in kinds.items():
        assert [type(as_track(source)) for source in sources] == [kind] * len(sources)
    own = HeatTrack(stranded)
    assert as_track(own, "line") is own


def test_plot_types(dna, stranded):
    assert type(as_track(stranded, "heatmap")) is HeatTrack
    figure = plotGenomeTrack(
        [stranded, dna, LineTrack(stranded)], "chr1", 0, 50, plottypes=["heatmap", "seqplot", "line"]
    )
    assert [axis.get_ylabel() for axis in figure.axes] == ["dnase", "dna", "Roadmap", "ENCODE"]
    with pytest.raises(InputError, match="2 plot types for 1 tracks"):
        plotGenomeTrack([stranded], "chr1", 0, 50, plottypes=["line", "line"])
    with pytest.raises(InputError, match="one of line, heatmap, seqplot. Received: 'bars'"):
        plotGenomeTrack(stranded, "chr1", 0, 50, plottypes="bars")


def test_arrays_say_where_they_lie():
    with pytest.raises(InputError, match=r"A ndarray does not say where .*Stretch\(values, region\)"):
        plotGenomeTrack(LineTrack(np.zeros(10)), "chr1", 0, 10)
    x, y = line(plotGenomeTrack(Stretch([1.0, 2.0], ("chr1", 5, 7)), "chr1", 4, 8).axes[0])
    np.testing.assert_array_equal(x, [4, 5, 5, 6, 6, 7, 7, 8])
    np.testing.assert_array_equal(y, [np.nan, np.nan, 1, 1, 2, 2, np.nan, np.nan])
    assert np.isnan(Stretch([1.0, 2.0], ("chr1", 5, 7))["chr2", 5, 7]).all()
    with pytest.raises(InputError, match=r"shape \(3, 1, 1\) does not fit 'chr1:5-7'"):
        Stretch([1, 2, 3], "chr1:5-7")
    panels = plotGenomeTrack(Stretch(np.zeros((2, 2)), "chr1:5-7", name="two"), "chr1", 4, 8).axes
    assert [axis.get_ylabel() for axis in panels] == ["Cond_0", "Cond_1"]
    with pytest.raises(InputError, match="1 names of conditions, but 2 conditions"):
        Stretch(np.zeros((2, 2)), "chr1:5-7", conditions=["a"])


def test_cover_as_it_is_read_by_base():
    windows = GenomicIndexer.create_from_region("chr1", 100, 200, "+", binsize=50, stepsize=50)
    cover = Cover.create_from_array("signal", np.arange(10.0).reshape(2, 5, 1, 1), windows, padding_value=np.nan)
    x, y = line(plotGenomeTrack(cover, "chr1", 95, 125).axes[0])
    np.testing.assert_array_equal(x, [95, 100, 100, 110, 110, 120, 120, 125])
    np.testing.assert_array_equal(y, [np.nan, np.nan, 0, 0, 1, 1, 2, 2])


# --- on a given axis -------------------------------------------------------------------------------------------------


def test_panels_within_a_given_axis(bigwig, stranded):
    figure, (left, right) = plt.subplots(1, 2, layout="constrained")
    tracks = [LineTrack(bigwig, label="predicted"), IntervalTrack(PEAKS, label="peaks"), LineTrack(stranded)]
    assert plotGenomeTrack(tracks, "chr1", 200, 600, ax=right) is figure
    figure.canvas.draw()
    panels = right.child_axes
    assert [axis.get_ylabel() for axis in panels] == ["predicted", "peaks", "Roadmap", "ENCODE"]
    assert not left.child_axes
    boxes = [axis.get_window_extent() for axis in panels]
    area = right.get_window_extent()
    assert all(upper.y0 > lower.y1 for upper, lower in zip(boxes, boxes[1:], strict=False))
    assert all(abs(box.x0 - area.x0) < 1 and abs(box.x1 - area.x1) < 1 for box in boxes)
    assert (boxes[0].y1, boxes[-1].y0) == pytest.approx((area.y1, area.y0), abs=0.5)
    heights = np.array([box.height for box in boxes])
    np.testing.assert_allclose(heights / heights[1], [3, 1, 3, 3], rtol=1e-6)
    assert all(axis.get_xlim() == (200, 600) for axis in panels)
    assert [axis.get_xlabel() != "" for axis in panels] == [False, False, False, True]
    plt.close(figure)


def test_labels_within_an_axis_stand_below_each_other_and_beside_the_numbers(bigwig, stranded):
    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    plotGenomeTrack([LineTrack(bigwig, label="predicted"), HeatTrack(stranded, label="heat")], "chr1", 0, 600, ax=axis)
    figure.canvas.draw()
    labels = [panel.yaxis.label.get_window_extent() for panel in axis.child_axes]
    numbers = [label.get_window_extent() for panel in axis.child_axes for label in panel.get_yticklabels()]
    assert abs(labels[0].x1 - labels[1].x1) < 1
    assert max(box.x1 for box in labels) < min(box.x0 for box in numbers if box.width)
    assert min(box.x0 for box in labels) >= 0
    plt.close(figure)


def test_size_and_axis_together(bigwig):
    with pytest.raises(InputError, match="Give one of them"):
        plotGenomeTrack(bigwig, "chr1", 0, 10, figsize=(3, 3), ax=Figure().subplots())


def test_public_names():
    for name in sorted({*helpers.evaluation.__all__} - {"input_attribution"}):  # which loads Keras
        assert getattr(helpers.evaluation, name).__name__ == name
    assert helpers.evaluation.SeqTrack is SeqTrack
