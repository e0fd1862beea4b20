"""Logos of filters: what is drawn is as high as it informs, in order, and says what it is."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.data.motifs import Motif
from helpers.evaluation.filters import Filter
from helpers.evaluation.motif_matching import match_motifs
from helpers.evaluation.motif_plots import plot_filters
from helpers.evaluation.style import save_figure


def filter_of(number, probabilities, strength=1.0):
    name = f"dna_rep0_filter{number}"
    motif = None if probabilities is None else Motif(name, "", np.array(probabilities, float), 1500, np.full(4, 0.25))
    return Filter(name, "dna", 0, number, strength, "bound", 1.0, motif)


SHARP = np.eye(4)[[3, 2, 0, 1, 1]]
MIXED = [[0.5, 0, 0.5, 0], [0, 0, 0, 1], [0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1], [0, 1, 0, 0]]


def drawn_panels(figure):
    return [panel for panel in figure.axes if panel.axison]


def column_height(panel, column):
    """Top of what is drawn from column to column + 1, counted from 1."""
    corners = np.concatenate([patch.get_path().vertices for patch in panel.patches])
    inside = (corners[:, 0] > column - 0.5) & (corners[:, 0] < column + 0.5)
    return corners[inside, 1].max(initial=0)


def test_letters_are_as_high_as_their_position_informs_and_titles_say_what_is_drawn():
    filters = [filter_of(3, MIXED, -2.25), filter_of(1, None), filter_of(2, SHARP, 0.5)]
    matches = match_motifs([filters[2].motif], [Motif("core", "", SHARP, 20, np.full(4, 0.25))])
    figure = plot_filters(filters, matches)
    mixed, sharp = drawn_panels(figure)
    for panel, one in ((mixed, filters[0]), (sharp, filters[2])):
        heights = [column_height(panel, column) for column in range(1, 6)]
        assert heights == pytest.approx(one.motif.information(), abs=1e-6)
        assert panel.get_xlim() == (0.5, 5.5)
        assert panel.get_ylim() == (0, 2)
    assert {patch.get_gid() for patch in sharp.patches} == {"A+", "C+", "G+", "T+"}
    title = "1. dna, replicate 0, filter 3\nadds \N{MINUS SIGN}2.25, n = 1,500\nno match"
    assert mixed.get_title(loc="left") == title
    q = f"{matches['q'][0]:.0e}"
    assert sharp.get_title(loc="left") == f"2. dna, replicate 0, filter 2\nadds +0.50, n = 1,500\ncore (q = {q})"


def test_only_clear_matches_are_named_and_only_so_many_filters_drawn():
    filters = [filter_of(number, SHARP) for number in range(9)]
    matches = match_motifs([one.motif for one in filters], [Motif("core", "", SHARP, 20, np.full(4, 0.25))])
    panels = drawn_panels(plot_filters(filters, matches.assign(q=0.06), most=6))
    assert len(panels) == 6
    assert all(panel.get_title(loc="left").endswith("no match") for panel in panels)
    assert panels[5].get_title(loc="left").startswith("6. dna, replicate 0, filter 5")


def test_outputs_are_named_where_there_are_several_and_long_names_are_cut():
    first, second = filter_of(0, SHARP), replace(filter_of(1, SHARP), output="a_very_long_output")
    matches = match_motifs([first.motif], [Motif("a_motif_of_a_long_name", "", SHARP, 20, np.full(4, 0.25))])
    titles = [panel.get_title(loc="left") for panel in drawn_panels(plot_filters([first, second], matches))]
    assert "adds +1.00 to bound, n = 1,500" in titles[0]
    assert "adds +1.00 to a_very_lo…, n = 1,500" in titles[1]
    assert "a_motif_of_a_long… (q =" in titles[0]


def test_the_header_counts_filters():
    matches = match_motifs([], [Motif("core", "", SHARP, 20, np.full(4, 0.25))])
    filters = [filter_of(0, SHARP), filter_of(1, MIXED), filter_of(2, None)]
    assert (
        plot_filters(filters, matches, note="simulated").get_suptitle()
        == "2 of 3 filters, each from n sites, 1 never fire, simulated"
    )
    assert plot_filters(filters[:2], matches, most=1).get_suptitle() == "1 of 2 filters, each from n sites"


def test_a_figure_of_no_filter_says_so_and_is_saved(tmp_path):
    matches = match_motifs([], [Motif("core", "", SHARP, 20, np.full(4, 0.25))])
    figure = plot_filters([filter_of(0, None)], matches)
    assert drawn_panels(figure) == []
    assert figure.get_suptitle() == "0 of 1 filters, each from n sites, 1 never fire"
    for path in save_figure(figure, tmp_path / "filters"):
        assert path.stat().st_size > 1000
