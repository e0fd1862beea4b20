"""Genome tracks look as they did when a person last looked at them: see tests/images/make.py."""

import numpy as np
import pytest
from images import make
from matplotlib.image import imread

BLOCK = 4  # px: finer than this, letters depend on the machine
TILE = 6  # blocks: about two letters wide
# Another version of matplotlib's font library changes the worst tile by up to 25 (measured: 3.9.4 against 3.11.2), all
# of it in names and numbers; one letter of a logo turned upside down by 85, one that is another letter by 57.
TOLERANCE = 38


def worst_tile(image, reference):
    """Root mean square difference of the tile that differs most, after averaging in blocks; 0 to 255."""
    if image.shape != reference.shape:
        return 255.0
    rows, columns = (n // BLOCK * BLOCK for n in image.shape[:2])
    difference = (image.astype(float) - reference)[:rows, :columns]
    squares = difference.reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK, 3).mean(axis=(1, 3)) ** 2
    squares = squares.mean(axis=2)
    squares = np.pad(squares, [(0, -n % TILE) for n in squares.shape])
    tiles = squares.reshape(squares.shape[0] // TILE, TILE, -1, TILE)
    return float(np.sqrt(tiles.mean(axis=(1, 3)).max()))


def reference(name):
    return np.round(imread(make.FOLDER / f"{name}.png")[..., :3] * 255)


@pytest.mark.parametrize("name", list(make.FIGURES))
def test_figure_looks_as_it_did(name):
    assert worst_tile(make.pixels(make.FIGURES[name]()), reference(name)) < TOLERANCE


@pytest.mark.parametrize("name", list(make.FIGURES))
def test_images_are_small(name):
    assert (make.FOLDER / f"{name}.png").stat().st_size <= 30_000


@pytest.mark.parametrize("panel", range(5))
def test_an_empty_panel_is_seen(panel):
    figure = make.draw_tracks()
    for artist in figure.axes[panel].get_children():
        artist.set_visible(False)
    assert worst_tile(make.pixels(figure), reference("tracks")) > TOLERANCE


@pytest.mark.parametrize("label", ["line", "counts", "scores", "peaks", "genes"])
def test_a_missing_track_is_seen(label):
    assert worst_tile(make.pixels(make.draw_tracks(left_out=label)), reference("tracks")) > TOLERANCE


def test_a_letter_upside_down_is_seen():
    heights = make.attributions()
    heights[4] *= -1
    assert worst_tile(make.pixels(make.draw_logo_tracks(heights)), reference("logo")) > TOLERANCE


def test_another_letter_is_seen():
    letters = make.LETTERS[:-1] + "C"
    assert worst_tile(make.pixels(make.draw_logo_tracks(letters=letters)), reference("logo")) > TOLERANCE


def test_a_shift_by_one_base_is_seen():
    moved = np.roll(make.attributions(), 1, axis=0)
    assert worst_tile(make.pixels(make.draw_logo_tracks(moved)), reference("logo")) > TOLERANCE
    assert worst_tile(make.pixels(make.draw_locus((1001, 1020))), reference("locus")) > TOLERANCE
