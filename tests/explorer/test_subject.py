"""What the page explores: directions of a code, uploads, codes in addresses, and what cannot be explored."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kgen.core import recipe as recipes
from kgen.explorer import subject
from kgen.export.saved_model import export
from tests.helpers.recipes import new_trainer, shrink


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("exports")
    export(new_trainer("autoencoder").best_game(), shrink(recipes.find("autoencoder")), 2, root, "autoencoder")
    return root


def test_directions_of_a_short_code_are_its_numbers_and_of_a_long_one_the_principal_ones():
    class TrainedAutoencoder:
        size, shape = 3, (2, 2, 1)

        def __init__(self, codes):
            self.codes = codes

        def encode(self, pictures):
            return self.codes

    random = np.random.default_rng(0)
    codes = np.float32(random.normal(size=(500, 3)) * [1, 2, 3] + 5)
    found = subject.Subject("x", None, TrainedAutoencoder(codes), np.zeros((1, 2, 2, 1), np.uint8))
    np.testing.assert_allclose(found.directions, np.diag(codes.std(axis=0)), rtol=1e-5)
    np.testing.assert_allclose(found.centre, codes.mean(axis=0), rtol=1e-5)
    turn = np.linalg.qr(random.normal(size=(40, 40)))[0]
    scales = np.r_[9, 5, np.full(38, 0.1)]
    codes = np.float32((random.normal(size=(2_000, 40)) * scales) @ turn.T)
    found = subject.Subject("x", None, TrainedAutoencoder(codes), np.zeros((1, 2, 2, 1), np.uint8))
    assert found.directions.shape == (subject.SLIDERS, 40)
    np.testing.assert_allclose(np.linalg.norm(found.directions[:2], axis=1), [9, 5], rtol=0.1)
    assert abs(found.directions[0] @ turn[:, 0]) / 9 > 0.99 * np.linalg.norm(found.directions[0]) / 9


def test_an_upload_is_cut_scaled_and_encoded(root):
    found = subject.of(root / "autoencoder" / "1")
    side = found.autoencoder.shape[0]
    pixels = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    code, seen = found.encode(file.getvalue())
    np.testing.assert_array_equal(seen[..., 0], pixels)
    np.testing.assert_array_equal(code, found.autoencoder.encode(pixels[None, ..., None])[0])
    with pytest.raises(subject.UsageError, match="This picture cannot be used"):
        found.encode(b"no picture")


def test_codes_in_addresses_are_exact():
    code = np.random.default_rng(0).normal(size=7).astype(np.float32)
    np.testing.assert_array_equal(subject.from_text(subject.to_text(code), 7), code)
    assert re.fullmatch(r"[\w-]+", subject.to_text(code))
    for wrong in ("", "A", "?", subject.to_text(code[:6]), subject.to_text(code * np.nan)):
        with pytest.raises(subject.UsageError, match="not one of 7 numbers"):
            subject.from_text(wrong, 7)


def test_scripts_refuse_what_cannot_be_explored(root, tmp_path):
    export(new_trainer("classifier").best_game(), shrink(recipes.find("classifier")), 2, tmp_path, "c")
    with pytest.raises(subject.UsageError, match="neither a generator nor an encoder"):
        subject.of(Path(tmp_path) / "c/1")


class Sums:
    """A generator whose pictures are one pixel, the sum of a latent."""

    classes = ()

    def latents(self, seed, count, label=None):
        return np.random.default_rng(seed).standard_normal((count, 3), np.float32)

    def decode(self, codes, label=None):
        return np.clip(codes.sum(axis=1), 0, 1)[:, None, None, None]


def test_sliders_move_a_code_by_deviations_and_a_walk_goes_there_and_back():
    found = subject.Subject("x", Sums(), None, ())
    np.testing.assert_array_equal(found.centre, np.zeros(3))
    code = found.moved(found.centre, [0.0, 2.0, 0.0])
    np.testing.assert_allclose(code, [0, 2 * Sums().latents(0, subject.LOOKED_AT)[:, 1].std(), 0], rtol=1e-5)
    np.testing.assert_array_equal(found.random(5), Sums().latents(5, 1)[0])
    assert found.picture(np.float32([0.25, 0.25, 0])).tolist() == [[[128]]]
    film = Image.open(io.BytesIO(found.walk(np.zeros(3, np.float32), np.float32([1, 0, 0]))))
    levels = []
    for frame in range(film.n_frames):
        film.seek(frame)
        levels.append(int(np.asarray(film.convert("L"))[0, 0]))
    assert levels == levels[::-1] and levels[0] == 0 and max(levels) == 255


def test_without_a_generator_and_an_encoder_there_is_nothing_to_explore():
    with pytest.raises(subject.UsageError, match="x cannot be explored"):
        subject.Subject("x", None, None, ())
