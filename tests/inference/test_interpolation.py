"""Ways between latents and between images: points by hand, SciPy's great circles, films of a known generator."""

import math

import numpy as np
import pytest
from PIL import Image
from scipy.spatial import geometric_slerp

from kgen.errors import UsageError
from kgen.inference import interpolation
from tests.helpers import generators

HALF = math.sqrt(0.5)


def pixels(film):
    """Returns a film's frames as rows of 4 pixels."""
    assert film.dtype == np.float32 and film.shape[1:] == (2, 2, 1)
    return film.reshape(-1, 4)


# Points.


def test_linear_by_hand():
    points = interpolation.linear([2, 0], [0, 4], [0, 0.25, 0.5, 1, 10])
    assert points.dtype == np.float32
    np.testing.assert_array_equal(points, [[0, 4], [0.5, 3], [1, 2], [2, 0], [20, -36]])


def test_linear_mixes_images():
    points = interpolation.linear(np.ones((2, 3, 1)), np.zeros((2, 3, 1)), [0, 0.75])
    np.testing.assert_array_equal(points, [np.zeros((2, 3, 1)), np.full((2, 3, 1), 0.75)])


@pytest.mark.parametrize(
    "z0, z1, alpha, expected",
    [
        ([1, 0, 0], [0, 1, 0], 1 / 3, [0.5, math.sqrt(0.75), 0]),  # 30 degrees from z1
        ([1, 0, 0], [0, 1, 0], 0.5, [HALF, HALF, 0]),
        ([2, 0], [0, 6], 0.5, [2 * HALF, 6 * HALF]),  # on the ellipse
        ([4, 0], [3, math.sqrt(27)], 0.5, [7 / math.sqrt(3), 3]),
        ([1, 0], [0.5, math.sqrt(0.75)], 0.5, [math.sqrt(0.75), 0.5]),
        ([1, 0], [0, 1], 2, [0, -1]),
        ([1, 0], [0, 1], 3, [-1, 0]),
        ([1, 0], [0, 1], 4, [0, 1]),  # once round
        ([1, 0], [0, 1], 10, [0, -1]),
        ([3, 4], [0, 7], 0, [0, 7]),
        ([3, 4], [0, 7], 1, [3, 4]),
        ([1, 2], [3, 6], 0.5, [2, 4]),  # parallel
        ([1, 2], [3, 6], 10, [-17, -34]),
        ([1, 2], [1, 2], 0.3, [1, 2]),
        ([1, 0], [1, 1e-9], 0.5, [1, 5e-10]),  # their cosine steps to 1
    ],
)
def test_spherical_by_hand(z0, z1, alpha, expected):
    points = interpolation.spherical(z0, z1, [alpha])
    assert points.dtype == np.float32
    np.testing.assert_allclose(points, [expected], rtol=1e-6, atol=1e-12 if alpha < 1 else 1e-6)


@pytest.fixture
def unit_vectors():
    """Two directions in 100 dimensions, nearly at a right angle."""
    vectors = np.random.default_rng(0).normal(size=(2, 100))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_spherical_is_scipys_great_circle(unit_vectors):
    z0, z1 = unit_vectors
    alphas = np.linspace(0, 1, 64)
    np.testing.assert_allclose(
        interpolation.spherical(z0, z1, alphas), geometric_slerp(start=z1, end=z0, t=alphas), atol=1e-7
    )


def test_spherical_where_the_cosine_rounds_to_more_than_one():
    vectors = np.random.default_rng(0).normal(size=(100, 8))
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert any(unit @ unit > 1 for unit in units)
    for vector in vectors:
        np.testing.assert_allclose(interpolation.spherical(vector, vector, [0.3]), [vector], rtol=1e-6)


@pytest.mark.parametrize("until", [1.0, 10.0])
def test_spherical_keeps_length_and_step(until, unit_vectors):
    points = np.float64(interpolation.spherical(*unit_vectors, np.linspace(0, until, 64)))
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=1e-6)
    steps = 2 * np.arcsin(np.linalg.norm(np.diff(points, axis=0), axis=1) / 2)
    np.testing.assert_allclose(steps, np.arccos(unit_vectors[0] @ unit_vectors[1]) * until / 63, rtol=1e-4)


def test_linear_cuts_through_the_sphere(unit_vectors):
    (middle,) = interpolation.linear(*unit_vectors, [0.5])
    assert np.linalg.norm(middle) == pytest.approx(math.sqrt((1 + unit_vectors[0] @ unit_vectors[1]) / 2))


@pytest.mark.parametrize("z1", [[-1, -2, 0.5], [-3, -6, 1.5], np.float32([-0.1, -0.2, 0.05])])
def test_opposite_ends_have_no_shortest_way(z1):
    with pytest.raises(ValueError, match="`z0` and `z1` must not be opposite.* Received: an angle of 180 degrees"):
        interpolation.spherical([1, 2, -0.5], z1, [0.5])


def test_nearly_opposite_ends_have_one():
    (middle,) = interpolation.spherical([1, 0], [-1, 1e-4], [0.5])
    np.testing.assert_allclose(middle, [0, 1], atol=1e-4)


@pytest.mark.parametrize("z1", [[0, 0], [math.nan, 1], [math.inf, 1]])
def test_ends_without_direction(z1):
    with pytest.raises(ValueError, match="must be finite and not zero. Received: lengths 1.0 and (0.0|nan|inf)"):
        interpolation.spherical([1, 0], z1, [0.5])


@pytest.mark.parametrize("way", [interpolation.linear, interpolation.spherical])
def test_ends_of_two_shapes(way):
    with pytest.raises(ValueError, match=r"must have one shape. Received: \(2,\) and \(1,\)"):
        way([1, 0], [1], [0.5])


def test_positions():
    alphas = interpolation.positions(64, 10)
    assert len(alphas) == 64 and alphas[0] == 0 and alphas[-1] == 10
    np.testing.assert_allclose(np.diff(alphas), 10 / 63)


# Films.


def test_films_by_hand():
    films = interpolation.films(generators.Pixels(), 7, "all", [0, 0.5, 1])
    assert list(films) == ["linear", "spherical", "pixels"]
    second, first = [0, 1, 0.5, 0.75], [1, 0, 0.5, 0.25]
    cosine = (0.5 * 0.5 + 0.25 * 0.75) / math.sqrt(4.3125 * 1.8125)
    share = 0.5 / math.cos(math.acos(cosine) / 2)  # sin(w / 2) / sin(w)
    np.testing.assert_allclose(pixels(films["linear"]), [second, [1, 0.5, 0.5, 0.5], first])
    np.testing.assert_allclose(pixels(films["spherical"]), [second, [1, share, share, share], first], atol=1e-6)
    np.testing.assert_allclose(pixels(films["pixels"]), [second, [0.5, 0.5, 0.5, 0.5], first])


def test_a_cross_fade_is_clipped():
    film = interpolation.films(generators.Pixels(), 7, "pixels", [2, 10])["pixels"]
    np.testing.assert_allclose(pixels(film), [[1, 0, 0.5, 0], [1, 0, 0.5, 0]])
    film = interpolation.films(generators.Pixels([0.6, 0.5, 0.5, 0.5], [0.5] * 4), 7, "pixels", [2, 5, 6])["pixels"]
    np.testing.assert_allclose(pixels(film)[:, 0], [0.7, 1, 1], rtol=1e-6)  # 0.5 + 0.1 alpha


@pytest.mark.parametrize("kind", interpolation.KINDS)
def test_one_kind_alone_and_its_label(kind):
    source = generators.Pixels(classes=("cat", "dog"))
    films = interpolation.films(source, 7, kind, [0, 0.5, 1], 1)
    assert list(films) == [kind]
    assert source.asked == [("latents", 7, 1), ("decode", 2 if kind == "pixels" else 3, 1)]


def test_an_unknown_kind():
    with pytest.raises(ValueError, match="`kind` must be all or one of linear, spherical, pixels. Received: 'cubic'"):
        interpolation.films(generators.Pixels(), 7, "cubic", [0, 1])


def test_a_seed_with_opposite_latents():
    source = generators.Pixels([1, 2, 0, 0], [-2, -4, 0, 0])
    with pytest.raises(UsageError, match="Seed 7 has no spherical way: .* must not be opposite.* Take another seed"):
        interpolation.films(source, 7, "all", [0, 1])
    assert len(interpolation.films(source, 7, "linear", [0, 1])["linear"]) == 2


# Pictures.


@pytest.fixture
def films():
    """Two films of four frames, 2x3 pixels of one grey level each: 10 to 13, and 20 to 23."""
    levels = np.float32([[10, 11, 12, 13], [20, 21, 22, 23]]) / 255
    return {kind: np.tile(row[:, None, None, None], (1, 2, 3, 1)) for kind, row in zip("ab", levels, strict=True)}


def test_a_strip_has_a_row_for_each_kind(films):
    strip = interpolation.strip(films)
    assert strip.dtype == np.uint8 and strip.shape == (4, 12, 1)
    rows = [np.repeat([10, 11, 12, 13], 3), np.repeat([20, 21, 22, 23], 3)]
    np.testing.assert_array_equal(strip[..., 0], np.repeat(rows, 2, axis=0))


def test_saved_files(films, tmp_path):
    assert interpolation.save(tmp_path / "a.way", films) == (tmp_path / "a.way.png", tmp_path / "a.way.gif")
    np.testing.assert_array_equal(Image.open(tmp_path / "a.way.png"), interpolation.strip(films)[..., 0])
    gif = Image.open(tmp_path / "a.way.gif")
    assert gif.n_frames == 4
    for time in range(4):
        gif.seek(time)
        np.testing.assert_array_equal(gif.convert("L"), [[10 + time] * 3 + [20 + time] * 3] * 2)
