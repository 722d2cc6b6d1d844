"""Samples are a sheet of what the best game makes, always of the same noise; pictures that are no numbers end a run."""

import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kgen import rng
from kgen.callbacks import Samples
from kgen.core.game import Game
from kgen.errors import Diverged


class Noise(Game):
    """Its pictures are noise, brightened."""

    def __init__(self, classes=()):
        super().__init__()
        self.classes, self.brightness = classes, 0.0

    def pictures(self, count):
        return rng.current().uniform((count, 2, 3, 1), 0.0, 0.5) + self.brightness


def samples_of(game, folder, **arguments):
    """Returns the callback, which looks at the best game only."""
    made = Samples(folder, tf.summary.create_noop_writer(), 10, **arguments)
    made.set_model(types.SimpleNamespace(best_game=lambda: game))
    return made


def pixels(path):
    return np.int64(Image.open(path))


def test_every_sheet_is_of_the_same_noise(tmp_path):
    game = Noise()
    samples = samples_of(game, tmp_path, seed=3)
    samples.on_train_begin()
    game.brightness = 0.5
    for batch in range(20):
        samples.on_train_batch_end(batch)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000000.png", "000010.png", "000020.png"]
    noise = rng.Rng(3).uniform((64, 2, 3, 1), 0.0, 0.5).numpy().reshape(8, 8, 2, 3).swapaxes(1, 2).reshape(16, 24)
    assert np.abs(pixels(tmp_path / "000000.png") - 255 * noise).max() <= 0.51
    assert np.abs(pixels(tmp_path / "000020.png") - 255 * (noise + 0.5)).max() <= 0.51


def test_a_resumed_run_does_not_begin_with_a_sheet(tmp_path):
    samples = samples_of(Noise(), tmp_path / "samples", start=10)
    samples.on_train_begin()
    assert not (tmp_path / "samples").exists()


@pytest.mark.parametrize("start", [0, 20])
def test_a_first_sheet_comes_early_and_is_named_once(start, tmp_path, capsys):
    samples, wrote = samples_of(Noise(), tmp_path, start=start), []
    samples.every, samples.written = 100, lambda: wrote.append(sorted(path.stem for path in tmp_path.iterdir())[-1])
    for batch in range(200 - start):
        samples.on_train_batch_end(batch)
    assert wrote == ["000050", "000100", "000200"]
    assert capsys.readouterr().err.split("\n").count(f"first picture: {tmp_path}/000050.png") == 1


def test_the_first_sheet_is_named_where_it_is_not_early(tmp_path, capsys):
    samples = samples_of(Noise(), tmp_path)
    for batch in range(60):
        samples.on_train_batch_end(batch)
    assert sorted(path.stem for path in tmp_path.iterdir()) == [f"{step:06d}" for step in range(10, 70, 10)]
    assert capsys.readouterr().err.count("first picture: ") == 1


def test_a_row_of_the_sheet_is_a_class(tmp_path):
    samples_of(Noise(("a", "b", "c")), tmp_path).at(10)
    assert pixels(tmp_path / "000010.png").shape == (3 * 2, 10 * 3)


@pytest.mark.parametrize("brightness", [np.nan, np.inf])
def test_pictures_that_are_no_numbers_end_the_run(brightness, tmp_path):
    game = Noise()
    game.brightness = brightness
    with pytest.raises(Diverged, match=r"^The pictures of step 10 are not finite numbers\."):
        samples_of(game, tmp_path).at(10)
    assert list(tmp_path.iterdir()) == []
