"""Tracks of letters: where they come from, and what stands at which base."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.alphabet import DNA
from helpers.data.coverage import Cover
from helpers.data.indexer import GenomicIndexer
from helpers.data.sequence import Bioseq, encode_letters
from helpers.data.storage import GenomeArray
from helpers.errors import InputError
from helpers.evaluation.attribution_files import Attributions, InputLayout, read_attributions, write_attributions
from helpers.evaluation.attribution_logos import attribution_tracks, zoom_on_strongest
from helpers.evaluation.plots import plot_locus
from helpers.evaluation.sequence_tracks import SeqTrack, holds_kmers, spread_kmers
from helpers.evaluation.style import in_style
from helpers.evaluation.tracks import IntervalTrack, LineTrack, Stretch, plotGenomeTrack
from helpers.evaluation.zoomed_tracks import Zoom

LETTERS = "ACGTNACGTT" * 100
GENOME = GenomeArray.from_contigs({"chr1": encode_letters(LETTERS.encode())})


def slow_spread(values, n_positions, offset, order):
    """Height of each letter, k-mer by k-mer and base by base."""
    names = DNA.kmers(order)
    heights = np.full((n_positions, 4), np.nan)
    for row, channels in enumerate(values):
        for place in range(order):
            at = row + place - offset
            if 0 <= at < n_positions and np.isfinite(channels).any():
                heights[at] = np.nan_to_num(heights[at])
                for name, value in zip(names, channels, strict=True):
                    heights[at, "ACGT".index(name[place])] += np.nan_to_num(value) / order
    return heights


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(1, 6), st.integers(0, 2), st.integers(0, 999))
def test_kmers_are_spread_as_by_hand(order, length, offset, seed):
    rng = np.random.default_rng(seed)
    offset = min(offset, order - 1)
    values = rng.normal(size=(length + offset, 4**order))
    values[rng.random(length + offset) < 0.2] = np.nan
    np.testing.assert_allclose(
        spread_kmers(values, length, offset), slow_spread(values, length, offset, order), atol=1e-12
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(3, 8), st.integers(0, 99))
def test_the_sum_stays(order, n_kmers, seed):
    values = np.random.default_rng(seed).normal(size=(n_kmers, 4**order))
    assert spread_kmers(values, n_kmers + order - 1).sum() == pytest.approx(values.sum())


def attributed(order):
    """A Cover of attributions of k-mers over chr1:10-40, such as `input_attribution` could give."""
    windows = GenomicIndexer.create_from_region("chr1", 10, 40, "+", binsize=30, stepsize=30)
    values = np.random.default_rng(order).normal(size=(1, 30, 1, 4**order)).astype(np.float32)
    names = DNA.kmers(order)
    cover = Cover.create_from_array("attr_dna", values, windows, conditions=names, resolution=1, padding_value=np.nan)
    return cover, values[0, :, 0]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_kmers_that_reach_into_the_stretch_count(order):
    cover, values = attributed(order)
    assert holds_kmers(cover)
    heights = SeqTrack(cover).read("chr1", 20, 30)
    np.testing.assert_allclose(heights, slow_spread(values, 30, 0, order)[10:20], atol=1e-6)


@pytest.mark.parametrize("order", [1, 3])
def test_bases_outside_the_windows_have_no_height(order):
    cover, values = attributed(order)
    heights = SeqTrack(cover).read("chr1", 0, 45)
    assert np.isnan(heights[:10]).all()
    np.testing.assert_allclose(heights[10:40], slow_spread(values, 30, 0, order), atol=1e-6)
    assert np.isfinite(heights).all(axis=1)[:45].sum() == 30 + order - 1


@pytest.mark.parametrize("order", [1, 2, 4])
def test_a_sequence_is_letters_of_height_one(order):
    heights = SeqTrack(Bioseq("dna", GENOME, order=order)).read("chr1", 3, 9)
    expected = [[letter == base for base in "ACGT"] for letter in "TNACGT"]
    np.testing.assert_array_equal(heights, np.array(expected, dtype=float))


def drawn(axis):
    """Letters by the position where they stand."""
    found = {}
    for patch in axis.patches:
        path = patch.get_path()
        for x in np.unique(np.floor(path.vertices[path.codes == 1, 0] + 1e-9)):
            found.setdefault(int(x), set()).add(patch.get_gid())
    return found


def test_letters_stand_at_their_bases():
    axis = plotGenomeTrack(Bioseq("dna", GENOME), "chr1", 3, 9).axes[0]
    assert drawn(axis) == {3: {"T+"}, 5: {"A+"}, 6: {"C+"}, 7: {"G+"}, 8: {"T+"}}
    assert axis.get_ylim() == (0, 1)


def test_the_reverse_strand_shows_complements():
    axis = plotGenomeTrack(SeqTrack(Bioseq("dna", GENOME), strand="-"), "chr1", 3, 9).axes[0]
    assert drawn(axis) == {3: {"A+"}, 5: {"T+"}, 6: {"G+"}, 7: {"C+"}, 8: {"A+"}}


def test_letters_give_way_to_blocks_where_they_are_narrow():
    def widths(end):
        axis = plotGenomeTrack(Bioseq("dna", GENOME), "chr1", 0, end).axes[0]
        patch = next(patch for patch in axis.patches if patch.get_gid() == "A+")
        return axis.get_window_extent().width * 72 / axis.figure.dpi / end, len(patch.get_path().codes)

    for end in (150, 200, 230, 260, 400):
        per_base, corners = widths(end)
        n_letters = LETTERS[:end].count("A")
        assert (corners == 5 * n_letters) == (per_base < 2), end


def test_signs_limits_and_colours():
    values = Stretch([[1, 0, 0, 0], [0, -2, 0, 0]], "chr1:5-7", name="attr_dna")
    axis = plotGenomeTrack(SeqTrack(values, color=dict.fromkeys("ACGT", "navy")), "chr1", 5, 7).axes[0]
    assert drawn(axis) == {5: {"A+"}, 6: {"C-"}}
    low, high = axis.get_ylim()
    assert low <= -2
    assert high >= 1
    assert len(axis.lines) == 1  # zero
    assert axis.get_ylabel() == "attr_dna"
    assert plotGenomeTrack(SeqTrack(values, ylim=(-3, 3)), "chr1", 5, 7).axes[0].get_ylim() == (-3, 3)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (np.zeros((2, 2, 4)), "has 2 strands; letters have one"),
        (np.zeros((2, 1, 5)), "5 channels are not those of k-mers"),
        (np.zeros((2, 1, 1)), "1 channels are not"),
    ],
)
def test_values_that_are_no_letters(values, match):
    with pytest.raises(InputError, match=match):
        plotGenomeTrack(SeqTrack(Stretch(values, "chr1:5-7")), "chr1", 5, 7)


def test_proteins_are_refused():
    protein = Bioseq.create_from_seq("p", [("a", "MAGIC")], seqtype="protein")
    assert not holds_kmers(protein)
    with pytest.raises(InputError, match="'p' is a protein"):
        plotGenomeTrack(SeqTrack(protein), "a", 0, 5)


# --- attributions from files, and the figure of a locus ---------------------------------------------------------------


@pytest.fixture
def attributions(tmp_path):
    """Two overlapping windows with flanks of 2 bp: chr1:98-106 holds 1, chr1:102-110 holds 3, at the base A."""
    windows = pd.DataFrame({"chrom": "chr1", "start": [100, 104, 50], "end": [104, 108, 54], "strand": ["+", "-", "+"]})
    dna = np.zeros((3, 8, 4), dtype=np.float32)
    dna[:, :, 0] = np.array([1, 3, 9])[:, None]
    layouts = {
        "dna": InputLayout("sequence", 2, 1, list("ACGT")),
        "dnase": InputLayout("coverage", 0, 4, ["Roadmap"]),
    }
    values = {"jund": {"dna": dna, "dnase": np.ones((3, 1, 2, 1), dtype=np.float32)}}
    checks = {"jund": pd.DataFrame({"error": [0.0] * 3, "steps": [32] * 3})}
    path = tmp_path / "attributions.h5"
    write_attributions(path, Attributions(windows, layouts, values, checks))
    return path


def test_overlapping_windows_are_averaged_with_their_flanks(attributions):
    (track,) = attribution_tracks(attributions, ("chr1", 96, 112), name="joint")
    assert track.labels == ["attribution to dna (joint)"]
    heights = track.read("chr1", 96, 112)
    expected = [np.nan] * 2 + [1] * 4 + [2] * 4 + [3] * 4 + [np.nan] * 2
    np.testing.assert_array_equal(heights[:, 0], expected)
    np.testing.assert_array_equal(heights[:, 3], np.where(np.isnan(expected), np.nan, 0))


def test_each_output_has_a_track(attributions, tmp_path):
    found = read_attributions(attributions)
    values = dict.fromkeys(("jund", "fos"), found.values["jund"])
    checks = dict.fromkeys(values, found.checks["jund"])
    write_attributions(tmp_path / "two.h5", Attributions(found.windows, found.layouts, values, checks))
    tracks = attribution_tracks(tmp_path / "two.h5", ("chr1", 96, 112), name="joint")
    assert [track.label for track in tracks] == ["attribution to dna (joint, jund)", "attribution to dna (joint, fos)"]


def test_a_region_that_no_window_touches(attributions):
    for region in [("chr1", 110, 120), ("chr2", 100, 104)]:
        with pytest.raises(InputError, match="No window that was attributed touches"):
            attribution_tracks(attributions, region)


def test_a_model_without_sequences(attributions, tmp_path):
    found = read_attributions(attributions)
    layouts = {"dnase": found.layouts["dnase"]}
    values = {"jund": {"dnase": found.values["jund"]["dnase"]}}
    write_attributions(tmp_path / "other.h5", Attributions(found.windows, layouts, values, found.checks))
    with pytest.raises(InputError, match=r"other.h5 has no sequence to draw as letters, only dnase"):
        attribution_tracks(tmp_path / "other.h5", ("chr1", 100, 104))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=12), st.integers(1, 14))
def test_the_strongest_stretch_is_the_one_of_a_slow_search(strengths, length):
    values = np.where(np.eye(4)[np.arange(len(strengths)) % 4] > 0, np.array(strengths, dtype=float)[:, None], 0)
    values[np.array(strengths) == 3] = np.nan
    region = ("chr1", 50, 50 + len(strengths))
    zoom = zoom_on_strongest([SeqTrack(Stretch(values, region))], region, length)
    known = [0 if value == 3 else abs(value) for value in strengths]
    length = min(length, len(known))
    weights = [min(place + 1, length - place) for place in range(length)]
    sums = [np.dot(known[first : first + length], weights) for first in range(len(known) - length + 1)]
    assert (zoom.chrom, zoom.end - zoom.start) == ("chr1", length)
    assert sums[zoom.start - 50] == max(sums)


def test_the_strongest_bases_stand_in_the_middle():
    values = np.zeros((100, 4))
    values[[30, 31, 32, 80], 0] = [1, -2, 1, 1.5]
    assert zoom_on_strongest([SeqTrack(Stretch(values, "c:0-100"))], ("c", 0, 100), 21)[1:] == ("c", 21, 42)


@pytest.fixture
def locus():
    tracks = [
        LineTrack(Stretch(np.arange(1000) % 7, "chr1:0-1000"), label="predicted"),
        IntervalTrack(pd.DataFrame({"chrom": ["chr1"], "start": [90], "end": [130]}), label="peaks"),
    ]
    return tracks, SeqTrack(Stretch(np.eye(4)[np.arange(20) % 4], "chr1:100-120"), label="attribution")


def test_locus_with_the_logo_of_a_stretch(locus):
    tracks, logo = locus
    figure = plot_locus(tracks, "chr1", 0, 1000, note="simulated data", zoom=Zoom([logo], "chr1", 100, 120))
    upper, lower = figure.axes[:2], figure.axes[2]
    assert [axis.get_ylabel() for axis in figure.axes] == ["predicted", "peaks", "attribution"]
    assert [axis.get_xlim() for axis in figure.axes] == [(0, 1000), (0, 1000), (100, 120)]
    assert [axis.get_xlabel() for axis in figure.axes] == ["", *["position on chr1 (bp)"] * 2]
    assert figure.axes[0].get_title(loc="right") == "simulated data"
    marks = [axis.patches[-1].get_path().get_extents(axis.patches[-1].get_patch_transform()) for axis in upper]
    assert [(mark.x0, mark.x1) for mark in marks] == [(100, 120)] * 2
    with in_style():
        figure.canvas.draw()
    ends = [line.get_transform().transform(line.get_path().vertices[[0, -1]]) for line in figure.artists]
    for (begin, finish), position, side in zip(ends, (100, 120), (0, 1), strict=True):
        np.testing.assert_allclose(begin, upper[-1].transAxes.transform((position / 1000, 0)), atol=1)
        np.testing.assert_allclose(finish, lower.transAxes.transform((side, 1)), atol=1)
    boxes = [axis.get_tightbbox() for axis in figure.axes]
    assert all(above.y0 > below.y1 for above, below in zip(boxes, boxes[1:], strict=False))
    assert all(box.x0 >= 0 and box.y0 >= 0 for box in boxes)


@pytest.mark.parametrize("stretch", [("chr2", 100, 120), ("chr1", 990, 1010), ("chr1", 50, 50)])
def test_stretch_outside_the_locus(locus, stretch):
    tracks, logo = locus
    with pytest.raises(
        InputError, match=f"{stretch[0]}:{stretch[1]}-{stretch[2]} does not lie within the locus chr1:0-"
    ):
        plot_locus(tracks, "chr1", 0, 1000, zoom=Zoom([logo], *stretch))


def test_locus_without_tracks(locus):
    with pytest.raises(InputError, match="Received: 2 and 0 tracks"):
        plot_locus(locus[0], "chr1", 0, 1000, zoom=Zoom([], "chr1", 100, 120))
