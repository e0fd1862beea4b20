from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from helpers.errors import InputError
from helpers.evaluation.logos import BASES, draw_logo, stack_letters
from helpers.evaluation.style import COLORS

HEIGHTS = arrays(float, st.tuples(st.integers(1, 5), st.just(4)), elements=st.floats(-5, 5).map(lambda x: round(x, 2)))


def an_axis():
    figure = Figure(figsize=(4, 2), dpi=100)
    FigureCanvasAgg(figure)
    return figure.add_axes((0, 0, 1, 1))


def letter_boxes(patch):
    """Left, right, bottom and top of each letter of a patch."""
    path = patch.get_path()
    first = path.vertices[: len(path.vertices)]
    starts = np.flatnonzero(path.codes == 1)
    boxes = {}
    for begin, end in zip(starts, [*starts[1:], len(first)], strict=True):
        points = first[begin:end]
        position = int(np.floor(points[:, 0].mean()))
        left, bottom, right, top = boxes.get(position, (np.inf, np.inf, -np.inf, -np.inf))
        low, high = points.min(axis=0), points.max(axis=0)
        boxes[position] = (min(left, low[0]), min(bottom, low[1]), max(right, high[0]), max(top, high[1]))
    return boxes


def slow_stack(column):
    """Bottom (nearest to zero) of each letter of one position, by sorting and adding."""
    bottoms = [0.0] * 4
    for sign in (1, -1):
        reached = 0.0
        for size, letter in sorted((abs(value), number) for number, value in enumerate(column) if value * sign > 0):
            bottoms[letter] = reached
            reached += sign * size
    return bottoms


@settings(max_examples=100, deadline=None)
@given(HEIGHTS)
def test_letters_stack_as_by_hand(heights):
    np.testing.assert_allclose(stack_letters(heights), [slow_stack(column) for column in heights], atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(HEIGHTS, st.integers(0, 1000))
def test_letters_fill_their_boxes_and_touch_none(heights, start):
    heights = np.where(np.abs(heights) < 0.05, 0, heights)
    patches = draw_logo(an_axis(), heights, start=start)
    found = {(patch.get_gid()[0], position): box for patch in patches for position, box in letter_boxes(patch).items()}
    assert set(found) == {(BASES[column], start + row) for row, column in np.argwhere(heights != 0)}
    for (base, position), (left, bottom, right, top) in found.items():
        value = heights[position - start, BASES.index(base)]
        assert position <= left < position + 0.1
        assert position + 0.9 < right <= position + 1
        assert top - bottom == pytest.approx(abs(value))
    for position in range(start, start + len(heights)):
        column = sorted(box[1:4:2] for (_, at), box in found.items() if at == position)
        assert all(lower[1] <= upper[0] + 1e-9 for lower, upper in zip(column, column[1:], strict=False))
        sums = [part[part * sign > 0].sum() for sign in (-1, 1) for part in [heights[position - start]]]
        if column:
            assert (min(0, column[0][0]), max(0, column[-1][1])) == pytest.approx(tuple(sums))


def ink(heights):
    """Pixels of a drawn letter, True where it is."""
    axis = an_axis()
    axis.set_axis_off()
    draw_logo(axis, heights)
    axis.set(xlim=(0, 1), ylim=(-1, 1))
    axis.figure.canvas.draw()
    return np.asarray(axis.figure.canvas.buffer_rgba())[..., :3].mean(axis=2) < 250


@pytest.mark.parametrize("base", "ACGT")
def test_letters_below_zero_are_the_mirror_of_those_above(base):
    column = np.eye(4)[[BASES.index(base)]]
    above, below = ink(column), ink(-column)
    assert not above[100:].any()
    assert not below[:100].any()
    assert (above[:100] != below[:99:-1]).mean() < 0.01


def test_letters_are_told_apart_by_shape():
    shapes = {base: ink(np.eye(4)[[number]]) for number, base in enumerate(BASES)}
    assert all((shapes[a] != shapes[b]).mean() > 0.04 for a, b in combinations(BASES, 2))
    middle = shapes["T"][20:100, 100:300]
    assert middle[:, 80:120].all()
    assert not middle[:, :40].any()


def test_what_is_below_zero_is_paler():
    up, down = draw_logo(an_axis(), [[1, 0, 0, 0], [-1, 0, 0, 0]])
    assert up.get_facecolor()[:3] == to_rgb(COLORS["base"]["A"])
    assert np.all(np.array(down.get_facecolor()[:3]) > up.get_facecolor()[:3])


def test_own_colours():
    (patch,) = draw_logo(an_axis(), [[0, 0, 1, 0]], colors=dict.fromkeys("ACGT", "navy"))
    assert patch.get_facecolor()[:3] == to_rgb("navy")


def test_limits_hold_the_letters():
    axis = an_axis()
    draw_logo(axis, [[1, 2, 0, 0], [0, 0, -4, 0]], start=7)
    np.testing.assert_allclose(axis.dataLim.intervaly, [-4, 3])
    np.testing.assert_array_equal(axis.dataLim.intervalx, [7, 9])


def test_blocks_fill_the_width():
    (patch,) = draw_logo(an_axis(), [[0, 0, 0, 0], [0, -2, 0, 0]], start=10, letters=False)
    np.testing.assert_array_equal(patch.get_path().get_extents().get_points(), [[11, -2], [12, 0]])


@pytest.mark.parametrize("heights", [np.zeros((3, 4)), np.full((2, 4), np.nan), np.zeros((0, 4)), [[np.inf, 0, 0, 0]]])
def test_nothing_to_draw(heights):
    assert draw_logo(an_axis(), heights) == []


def test_heights_stay_as_they_are():
    heights = np.array([[np.nan, 1, -1, 0]])
    before = heights.copy()
    draw_logo(an_axis(), heights)
    np.testing.assert_array_equal(heights, before)


@pytest.mark.parametrize(
    ("heights", "colors"),
    [(np.zeros((3, 5)), None), (np.zeros(4), None), (np.zeros((1, 4)), {"A": "red", "C": "blue"})],
)
def test_mistakes_are_said(heights, colors):
    with pytest.raises(InputError, match="A logo needs heights"):
        draw_logo(an_axis(), heights, colors=colors)


# Machado, Oliveira, Fernandes 2009 (https://doi.org/10.1109/TVCG.2009.113), severity 1, on linear RGB.
SIGHT = {
    "full": np.eye(3),
    "no long cones": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no middle cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "no short cones": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def as_seen(color, sight):
    """CIE L*a*b* of a colour, as seen by people with these cones."""
    rgb = np.array(to_rgb(color))
    linear = np.clip(sight @ np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4), 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    ratio = xyz / [0.9505, 1, 1.089]
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", list(SIGHT))
def test_anyone_tells_the_colours_of_the_bases_apart(sight):
    seen = [as_seen(color, np.array(SIGHT[sight])) for color in COLORS["base"].values()]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15  # 2.3 is just noticeable
