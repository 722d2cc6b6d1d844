"""What the page explores: directions of a code, the plane of the map, uploads, and examples."""

import io

import numpy as np
import pytest
from PIL import Image

from kgen.core import recipe as recipes
from kgen.data import Images
from kgen.errors import UsageError
from kgen.explorer import subject
from kgen.export.saved_model import export
from kgen.inference import loading
from tests.helpers.generators import Sums
from tests.helpers.recipes import new_trainer, shrink

ONE = Images(np.zeros((1, 2, 2, 1), np.uint8), None, ())


class Known:
    """An autoencoder that gives codes that are known beforehand, whatever it is shown."""

    shape = (2, 2, 1)

    def __init__(self, codes):
        self.codes, self.size = codes, codes.shape[1]

    def encode(self, pictures):
        return self.codes


class Prior:
    """A generator of a long latent; its picture has two pixels, one of which changes more than the other."""

    classes = ()

    def latents(self, seed, count, label=None):
        return np.random.default_rng(seed).standard_normal((count, 40), np.float32) * 2

    def decode(self, codes):
        return np.clip(0.5 + codes[:, [7, 3]] * [0.05, 0.01], 0, 1).reshape(-1, 1, 2, 1)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    root = tmp_path_factory.mktemp("exports")
    return export(new_trainer("autoencoder").best_game(), shrink(recipes.find("autoencoder")), 2, root, "autoencoder")


def test_directions_of_a_short_code_are_its_numbers():
    codes = np.float32(np.random.default_rng(0).normal(size=(500, 3)) * [1, 2, 3] + 5)
    found = subject.Subject("x", None, Known(codes), ONE)
    np.testing.assert_allclose(found.directions, np.diag(codes.std(axis=0)), rtol=1e-5)
    np.testing.assert_allclose(found.centre, codes.mean(axis=0), rtol=1e-5)
    assert found.names == ["Number 1", "Number 2", "Number 3"]
    assert found.usual == pytest.approx(np.linalg.norm(codes - codes.mean(axis=0), axis=1).mean(), rel=1e-5)


def test_directions_of_a_long_code_are_those_of_the_examples_codes():
    random = np.random.default_rng(0)
    turn = np.linalg.qr(random.normal(size=(40, 40)))[0]
    codes = np.float32((random.normal(size=(2_000, 40)) * np.r_[9, 5, np.full(38, 0.1)]) @ turn.T)
    found = subject.Subject("x", None, Known(codes), ONE)
    assert found.directions.shape == (subject.SLIDERS, 40) and found.names[-1] == "Direction 16"
    np.testing.assert_allclose(np.linalg.norm(found.directions[:2], axis=1), [9, 5], rtol=0.1)
    assert abs(found.directions[0] @ turn[:, 0]) > 0.99 * np.linalg.norm(found.directions[0])
    # With a prior the same directions are as long as its deviation, 2.
    found = subject.Subject("x", Prior(), Known(codes), ONE)
    assert abs(found.directions[1] @ turn[:, 1]) > 0.99 * np.linalg.norm(found.directions[1])
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 2, rtol=0.15)


def test_directions_without_examples_are_those_in_which_pictures_change_most():
    found = subject.Subject("x", Prior(), None, None)
    cosines = np.abs(found.directions[:2]) / np.linalg.norm(found.directions[:2], axis=1, keepdims=True)
    assert cosines[0, 7] > 0.95 and cosines[1, 3] > 0.95
    products = found.directions @ found.directions.T
    np.testing.assert_allclose(products - np.diag(np.diag(products)), 0, atol=1e-4)


def test_coordinates_say_where_a_code_is():
    for found in (subject.Subject("x", Sums(), None, None), subject.Subject("x", Prior(), None, None)):
        count = len(found.directions)
        steps = np.random.default_rng(1).normal(size=(5, count)).astype(np.float32)
        codes = np.stack([found.moved(found.centre, each) for each in steps])
        np.testing.assert_allclose(found.coordinates(codes), steps, atol=1e-5)
        spread = found.coordinates(np.stack([found.random(seed) for seed in range(300)])).std(axis=0)
        assert spread.shape == (count,) and (abs(spread - 1) < 0.2).all()  # of 300: 1 +- 0.04


def test_the_plane_has_the_middles_of_its_squares_and_keeps_the_other_steps():
    found = subject.Subject("x", Sums(), None, None)
    base = found.random(5)
    steps = found.coordinates(found.plane(base, 2, 0)).reshape(subject.CELLS, subject.CELLS, 3)
    middles = np.linspace(-3 + 3 / 11, 3 - 3 / 11, 11)
    np.testing.assert_allclose(steps[..., 2], np.tile(middles, (11, 1)), atol=1e-5)
    np.testing.assert_allclose(steps[..., 0], np.tile(middles[::-1, None], (1, 11)), atol=1e-5)
    np.testing.assert_allclose(steps[..., 1], found.coordinates(base)[1], atol=1e-5)


def test_random_codes_are_the_priors_and_truncation_is_towards_the_centre():
    found = subject.Subject("x", Sums(), None, None)
    np.testing.assert_array_equal(found.random(5), Sums().latents(5, 1)[0])
    np.testing.assert_array_equal(found.scaled(found.random(5), 1), found.random(5))
    codes = np.float32(np.random.default_rng(0).normal(size=(500, 3)) + 5)
    without = subject.Subject("x", None, Known(codes), ONE)
    np.testing.assert_allclose(without.scaled(codes[0], 0.25), without.centre * 0.75 + codes[0] * 0.25, rtol=1e-5)


def test_a_walk_goes_there_and_back():
    found = subject.Subject("x", Sums(), None, None)
    film = Image.open(io.BytesIO(found.walk(np.zeros(3, np.float32), np.float32([1, 0, 0]))))
    levels = []
    for frame in range(film.n_frames):
        film.seek(frame)
        levels.append(int(np.asarray(film.convert("L"))[0, 0]))
    assert levels == levels[::-1] and levels[0] == 0 and max(levels) == 255


def test_an_upload_is_cut_scaled_and_encoded(exported):
    found = subject.of(exported)
    side = found.autoencoder.shape[0]
    pixels = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    expected = found.autoencoder.encode(pixels[None, ..., None])[0]
    np.testing.assert_array_equal(found.encode(file.getvalue()), expected)
    with pytest.raises(
        UsageError, match=r"^This picture cannot be used: unreadable \(none of JPEG, PNG, WEBP, BMP, TIFF\)\.$"
    ):
        found.encode(b"no picture")


def test_a_run_is_explored_with_examples_of_all_classes(autoencoder):
    found = subject.of(autoencoder)
    assert len(found.examples.images) == len(found.encoded) == 120  # its split is train[:120]
    assert set(found.examples.labels) == set(range(10)) and found.examples.classes == tuple("0123456789")
    expected = loading.load(autoencoder).autoencoder.encode(found.examples.images[[50]])
    np.testing.assert_allclose(found.encoded[[50]], expected, atol=1e-5)
