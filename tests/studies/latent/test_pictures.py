"""Pictures of a code: which points a slice decodes, and what lies where."""

import numpy as np
import pytest
from PIL import Image

from kgen.studies.latent import pictures
from tests.helpers.linear_autoencoder import Linear, spots


class Recorder:
    """Remembers the codes it is asked to decode; the image of a code is one pixel, its first number, a 255th."""

    def decode(self, codes):
        assert codes.dtype == np.float32
        self.asked = codes
        return np.clip(codes[:, :1, None, None] / 255, 0, 1)


@pytest.fixture
def codes():
    """300 codes of 4 numbers; the third varies most, then the first."""
    return np.float32(np.random.default_rng(0).normal(size=(300, 4)) * [2, 0.1, 5, 1] + [10, 20, 100, 40])


def quantiles(values, steps):
    return np.percentile(values, np.linspace(2, 98, steps))


# Slices.


def test_a_slice_varies_two_numbers_and_no_other(codes):
    recorder = Recorder()
    picture = pictures.slices(recorder, codes, steps=5)
    cells = recorder.asked.reshape(5, 5, 4)
    np.testing.assert_allclose(cells[..., [1, 3]], np.broadcast_to(codes.mean(axis=0)[[1, 3]], (5, 5, 2)), rtol=1e-5)
    np.testing.assert_allclose(cells[..., 2], np.tile(quantiles(codes[:, 2], 5), (5, 1)), rtol=1e-5)  # to the right
    np.testing.assert_allclose(cells[..., 0], np.tile(quantiles(codes[:, 0], 5)[::-1, None], 5), rtol=1e-5)  # upwards
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture[..., 0], np.rint(cells[..., 0]))


def test_a_slice_through_given_numbers_and_centre(codes):
    recorder = Recorder()
    pictures.slices(recorder, codes, axes=(3, 1), steps=3, centre=[1, 2, 3, 4])
    cells = recorder.asked.reshape(3, 3, 4)
    np.testing.assert_allclose(cells[0, :, 3], quantiles(codes[:, 3], 3), rtol=1e-5)
    np.testing.assert_allclose(cells[:, 0, 1], quantiles(codes[:, 1], 3)[::-1], rtol=1e-5)
    np.testing.assert_allclose(cells[..., [0, 2]], np.broadcast_to([1, 3], (3, 3, 2)), rtol=1e-5)


def test_a_slice_along_principal_directions(codes):
    recorder = Recorder()
    turned = codes @ np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0]
    values, vectors = np.linalg.eigh(np.cov(turned.T))
    pictures.slices(recorder, turned, steps=4, principal=True)
    cells = recorder.asked.reshape(4, 4, 4)
    places = (cells - turned.mean(axis=0)) @ vectors[:, ::-1]
    spread = (turned - turned.mean(axis=0)) @ vectors[:, ::-1]
    np.testing.assert_allclose(places[..., 2:], 0, atol=1e-3)
    for axis, line in ((0, places[1, :, 0]), (1, places[:, 1, 1])):
        expected = quantiles(spread[:, axis], 4)
        np.testing.assert_allclose(np.sort(line), expected, atol=1e-3)
    np.testing.assert_allclose(places[..., 0], np.tile(places[0, :, 0], (4, 1)), atol=1e-3)


@pytest.mark.parametrize("way", [{}, {"principal": True}])
def test_a_code_of_one_number_is_one_row(way, codes):
    recorder = Recorder()
    picture = pictures.slices(recorder, codes[:, 2:3], steps=6, **way)
    assert picture.shape == (1, 6, 1)
    np.testing.assert_allclose(recorder.asked[:, 0], quantiles(codes[:, 2], 6), rtol=1e-5)


def test_one_axis_of_many_is_one_row(codes):
    assert pictures.slices(Recorder(), codes, axes=[1], steps=6).shape == (1, 6, 1)


@pytest.mark.parametrize("axes", [[0, 4], [-1], [1, 1], [0, 1, 2], []])
def test_axes_that_there_are_not(axes, codes):
    with pytest.raises(ValueError, match="`axes` must be one or two of 0 to 3. Received"):
        pictures.slices(Recorder(), codes, axes=axes)


def test_axes_beside_principal(codes):
    with pytest.raises(ValueError, match="`axes` must not be given beside `principal`"):
        pictures.slices(Recorder(), codes, axes=[0], principal=True)


# Images above what becomes of them.


def test_reconstructions_lie_below_their_images():
    pixels = spots(5).images
    autoencoder = Linear(pixels, 2)
    picture = pictures.reconstructions(autoencoder, pixels)
    made = np.uint8(np.rint(autoencoder.decode(autoencoder.encode(pixels)) * 255))
    np.testing.assert_array_equal(picture, np.concatenate([np.concatenate(row, axis=1) for row in (pixels, made)]))


def test_hallucinations_are_made_of_noise():
    seen = []
    autoencoder = Linear(spots(30).images, 2)
    encode = autoencoder.encode
    autoencoder.encode = lambda pixels: seen.append(pixels) or encode(pixels)
    picture = pictures.hallucinations(autoencoder, (8, 8, 1), 40, 7)
    (noise,) = seen
    assert picture.shape == (16, 40 * 8, 1) and noise.dtype == np.uint8
    np.testing.assert_array_equal(picture[:8], np.concatenate(noise, axis=1))
    counts = np.bincount(noise.ravel() // 16, minlength=16)  # uniform: 160 expected in each
    assert ((counts - 160) ** 2 / 160).sum() < 38  # chi-squared with 15 degrees of freedom, p = 0.001
    np.testing.assert_array_equal(pictures.hallucinations(autoencoder, (8, 8, 1), 40, 7), picture)
    assert (pictures.hallucinations(autoencoder, (8, 8, 1), 40, 8) != picture).any()


# Maps.


@pytest.mark.slow
@pytest.mark.parametrize("count, colours", [(3, 3), (10, 10), (20, 20), (50, 50)])
def test_a_map_has_a_colour_for_each_class(count, colours, tmp_path):
    labels = np.arange(600) % count
    angles = 2 * np.pi * labels / count
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)  # a place for each class
    pictures.scatter(tmp_path / "map.png", points, labels, tuple(map(str, range(count))), "Title")
    shown = np.array(Image.open(tmp_path / "map.png").convert("RGB"))
    assert min(shown.shape[:2]) > 600
    found, sizes = np.unique(shown.reshape(-1, 3), axis=0, return_counts=True)
    coloured = (np.ptp(found.astype(int), axis=1) > 20) & (sizes > 15)
    grey = 2 if 7 < count <= 10 else 0  # tab10's grey may be there too
    assert coloured.sum() >= 0.9 * colours - grey


@pytest.mark.parametrize("columns", [1, 2])
def test_a_map_without_labels(columns, tmp_path):
    points = np.random.default_rng(0).normal(size=(50, 2))[:, :columns]
    pictures.scatter(tmp_path / "map.png", points, None, (), "Title")
    hues = np.array(Image.open(tmp_path / "map.png").convert("HSV")).reshape(-1, 3)
    assert np.ptp(np.int32(hues[hues[:, 1] > 60][:, 0])) < 10  # one colour
