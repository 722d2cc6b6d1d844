"""Charts: points lie where their values belong, axes have round numbers, and nothing that cannot be drawn is drawn."""

import math
import re

import pytest

from kgen.training import curves
from kgen.training.curves import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH


def lines(svg):
    """Returns the points of each polyline, in SVG units."""
    found = re.findall(r'<polyline class="c\d" points="([^"]*)"', svg)
    return [[tuple(map(float, point.split(","))) for point in each.split()] for each in found]


def labels(svg):
    """Returns what is written at the vertical axis, from the lowest, and each label's y."""
    return re.findall(r'y="([\d.]+)" dy="4" text-anchor="end">([^<]*)<', svg)


def test_points_lie_where_their_values_belong():
    svg = curves.chart("loss", {"a": [(0, 1.0), (50, 3.0), (100, 2.0)], "b": [(100, 1.5)]}, 100)
    (first, middle, last), (other,) = lines(svg)
    assert [first[0], middle[0], last[0], other[0]] == pytest.approx(
        [LEFT, (LEFT + WIDTH - RIGHT) / 2, *2 * [WIDTH - RIGHT]]
    )
    assert TOP < middle[1] < last[1] < other[1] < first[1] < HEIGHT - BOTTOM
    assert last[1] == pytest.approx((first[1] + middle[1]) / 2, abs=0.11)
    for y, label in labels(svg):  # an axis that says 2 at the height of the point of value 2
        assert float(y) == pytest.approx(first[1] + (float(label) - 1) / 2 * (middle[1] - first[1]), abs=0.2)
    assert [label for _, label in labels(svg)] == ["1", "1.5", "2", "2.5", "3"]


def test_a_wide_range_has_a_logarithmic_axis():
    svg = curves.chart("loss", {"a": [(0, 0.1), (1, 10.0), (2, 1000.0)]}, 2)
    ((low, middle, high),) = lines(svg)
    assert middle[1] == pytest.approx((low[1] + high[1]) / 2, abs=0.11) and "logarithmic" in svg
    assert [label for _, label in labels(svg)] == ["0.1", "1", "10", "100", "1000"]
    assert "logarithmic" not in curves.chart("loss", {"a": [(0, -0.1), (1, 1000.0)]}, 1)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_left_out(bad):
    svg = curves.chart("loss", {"a": [(0, 1.0), (1, bad), (2, 2.0)], "b": [(0, bad)]}, 2)
    ((first, second),) = lines(svg)
    assert (first[0], second[0]) == (LEFT, WIDTH - RIGHT) and "nan" not in svg and "inf" not in svg
    assert curves.chart("loss", {"b": [(0, bad)]}, 2) == ""


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-30, 1e30])
def test_a_curve_that_is_level_is_drawn_inside(value):
    ((first, second),) = lines(curves.chart("loss", {"a": [(0, value), (1, value)]}, 1))
    assert first[1] == second[1] and TOP < first[1] < HEIGHT - BOTTOM


def test_the_legend_has_the_last_values_and_escapes_names():
    svg = curves.chart("a<b", {"<i>": [(0, 1.0), (1, 2.5)]}, 1)
    assert "<h3>a&lt;b</h3>" in svg and "&lt;i&gt; <b>2.5</b>" in svg and "<i>" not in svg


def test_few_points_are_marked():
    assert curves.chart("fid", {"a": [(step, 1.0) for step in range(curves.FEW)]}, 20).count("<circle") == curves.FEW
    assert curves.chart("fid", {"a": [(step, 1.0) for step in range(curves.FEW + 1)]}, 20).count("<circle") == 0


@pytest.mark.parametrize("count", [0, 1, 2, 499, 500, 501, 1001, 12345])
def test_long_curves_are_thinned_and_keep_both_ends(count):
    points = [(step, 0.0) for step in range(count)]
    kept = curves.thinned(points)
    assert len(kept) <= curves.MOST + 1 and (kept == points or count > curves.MOST)
    assert kept[:1] == points[:1] and kept[-1:] == points[-1:] and sorted(set(kept)) == kept


@pytest.mark.parametrize("low, high", [(0, 1), (0.12, 0.9), (-3, 7), (1e-9, 3e-9), (0, 4000), (-1e6, 1e6)])
def test_ticks_are_round_and_inside(low, high):
    found = curves.ticks(low, high)
    assert 3 <= len(found) <= 6 and all(low <= tick <= high * (1 + 1e-9) for tick in found)
    apart = found[1] - found[0]
    assert f"{apart:.0e}"[0] in "125" and all(math.isclose(tick / apart, round(tick / apart)) for tick in found)


def test_ticks_of_exponents_are_whole():
    assert curves.ticks(-1.2, 1.1, whole=True) == [-1, 0, 1]
    assert curves.ticks(-10, 10, whole=True) == [-10, -5, 0, 5, 10]
