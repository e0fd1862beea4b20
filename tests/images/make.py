"""Figures of genome tracks whose images are kept: python tests/images/make.py draws them anew beside this file.

Look at each before it is committed: the tests say only that a figure still looks as it did.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.image import imsave

from helpers.data.sequence import Bioseq, encode_letters
from helpers.data.storage import GenomeArray
from helpers.evaluation.plots import plot_locus
from helpers.evaluation.style import in_style, styled_figure
from helpers.evaluation.tracks import (
    GeneTrack,
    HeatTrack,
    IntervalTrack,
    LineTrack,
    SeqTrack,
    Stretch,
    plotGenomeTrack,
)
from helpers.evaluation.zoomed_tracks import Zoom

FOLDER = Path(__file__).parent
DPI = 80
SIZE = 2000  # bp
REGION = ("chr1", 0, SIZE)
LETTERS = "TGACTCAGGCATTACCCGTA"
CODES = encode_letters(LETTERS.encode())

PEAKS = pd.DataFrame(
    {
        "chrom": "chr1",
        "start": [150, 800, 1500],
        "end": [240, 1200, 1501],
        "name": [".", "JunD", "site"],
        "strand": ["+", "-", "."],
    }
)
GENES = pd.DataFrame(
    [
        ("gene", 100, 700, "+", 'gene_id "G1"; gene_name "ABC1";'),
        ("exon", 100, 250, "+", 'gene_id "G1"; transcript_id "T1";'),
        ("exon", 500, 700, "+", 'gene_id "G1"; transcript_id "T1";'),
        ("gene", 600, 1900, "-", 'gene_id "G2"; gene_name "DEF2";'),
        ("exon", 600, 1000, "-", 'gene_id "G2"; transcript_id "T2";'),
        ("exon", 1700, 1900, "-", 'gene_id "G2"; transcript_id "T2";'),
    ],
    columns=["feature", "start", "end", "strand", "attributes"],
).assign(chrom="chr1", name=".", score=0.0)


def fix_places(figure, gap=0.12):
    """Put panels where they are on any machine: how wide a text is depends on the version of the font library."""
    figure.set_layout_engine(None)
    figure.subplots_adjust(left=0.18, right=0.92, bottom=0.15, top=0.94, hspace=gap)
    return figure


def wave(n_strands=2, n_conditions=1, shift=0.0):
    """Smooth counts, shape (positions, strands, conditions)."""
    at = np.arange(SIZE)[:, None, None] // 20 * 20
    peak = np.exp(-(((at - 1000) / 200) ** 2)) * [[[9.0]] * n_strands]
    return peak + 2 + np.sin(at / 70 + np.arange(n_strands)[:, None] + np.arange(n_conditions)) - shift


def attributions():
    """Heights of the letters: the first motif above zero, the second below."""
    heights = np.zeros((len(LETTERS), 4))
    heights[np.arange(len(LETTERS)), CODES] = [1, 2, 3, 2, 3, 2, 1, *[0.3] * 4, *[-1.5] * 7, 0.2, 0.2]
    heights[2] = [3.0, 0.5, -1.0, 1.0]
    return heights


def draw_tracks(left_out=None):
    """Draw a line, heat maps, intervals and genes."""
    cover = Stretch(wave(2, 2), REGION, conditions=["one", "two"])
    signed = Stretch(wave(1, 3, shift=4), REGION, conditions=["x", "y", "z"])
    tracks = [
        LineTrack(Stretch(wave(), REGION), label="line"),
        HeatTrack(cover, label="counts"),
        HeatTrack(signed, 2, label="scores"),
        IntervalTrack(PEAKS, label="peaks", by_strand=True),
        GeneTrack(GENES, label="genes"),
    ]
    return fix_places(plotGenomeTrack([track for track in tracks if track.label != left_out], *REGION))


def draw_logo_tracks(heights=None, letters=LETTERS):
    """Draw attributions and the sequence, base by base, on an axis of another figure."""
    dna = Bioseq("dna", GenomeArray.from_contigs({"chr1": encode_letters(letters.encode())}))
    region = ("chr1", 0, len(LETTERS))
    values = Stretch(attributions() if heights is None else heights, region)
    tracks = [SeqTrack(values, label="attribution"), SeqTrack(dna, 1), SeqTrack(dna, 1, label="dna −", strand="-")]
    with in_style():
        axis = styled_figure(5, 2.6).subplots()
    return fix_places(plotGenomeTrack(tracks, *region, ax=axis))


def draw_locus(zoomed=(1000, 1020)):
    """Draw a locus with the logo of a stretch of it."""
    stretch = ("chr1", *zoomed)
    tracks = [LineTrack(Stretch(wave(1), REGION), label="predicted", ylim=(0, 14)), IntervalTrack(PEAKS, label="peaks")]
    zoom = Zoom([SeqTrack(Stretch(attributions(), ("chr1", 1000, 1020)), label="attribution")], *stretch)
    return fix_places(plot_locus(tracks, *REGION, note="simulated data", zoom=zoom), gap=1.3)


FIGURES = {"tracks": draw_tracks, "logo": draw_logo_tracks, "locus": draw_locus}


def pixels(figure):
    """Render a figure: shape (rows, columns, 3), 0 to 255."""
    figure.set_dpi(DPI)
    with in_style():
        figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3]


def main():
    """Write the images of all figures."""
    for name, draw in FIGURES.items():
        imsave(FOLDER / f"{name}.png", pixels(draw()))


if __name__ == "__main__":
    sys.exit(main())
