"""Means over held-out images: of all of them, with their labels and their own noise, in float64."""

import numpy as np
import pytest
import tensorflow as tf

from kgen import images, rng
from kgen.core.game import Game
from kgen.core.validation import PART, Measure
from kgen.data import Images
from tests.helpers.recipes import pictures

COUNT = 2 * PART + 137


class Unlabelled(Game):
    """Is measured by the pixels, and by a noise."""

    range = images.UNIT

    def measures(self, batch):
        noise = rng.current().uniform(tf.shape(batch)[:1])
        mean = tf.reduce_mean(batch, axis=(1, 2, 3))
        return {"mean": mean, "noisy": mean + noise, "noise": noise}


class Labelled(Game):
    """Is measured by how far the first pixel is from the label."""

    range, labelled = images.UNIT, True

    def measures(self, batch):
        pixels, labels = batch
        return {"apart": tf.abs(pixels[:, 0, 0, 0] - tf.cast(labels, tf.float32)), "one": tf.ones_like(labels)}


@pytest.mark.parametrize("count", [1, 7, PART, COUNT])
def test_the_mean_is_over_all_images(count):
    data = pictures(count, size=4)
    found = Measure(Unlabelled(), data)()
    assert list(found) == ["mean", "noisy", "noise"] and all(type(value) is float for value in found.values())
    assert found["mean"] == pytest.approx((data.images / 255).mean(), rel=1e-6)
    assert found["noisy"] == pytest.approx(found["mean"] + found["noise"], rel=1e-6)


@pytest.mark.parametrize("count", [7, COUNT])
def test_labels_come_along(count):
    data = pictures(count, size=4, channels=3)
    found = Measure(Labelled(), data)()
    expected = np.abs(data.images[:, 0, 0, 0] / 255 - data.labels).mean()
    assert found == {"apart": pytest.approx(expected, rel=1e-6), "one": 1.0}


def test_a_game_without_labels_takes_images_without():
    data = pictures(9, size=4)
    assert Measure(Unlabelled(), Images(data.images, None, ()))() == Measure(Unlabelled(), data)()


def test_the_noise_is_the_same_at_each_call_and_another_for_another_seed():
    data = pictures(COUNT, size=4)
    measure = Measure(Unlabelled(), data, seed=3)
    first = measure()
    assert measure() == first == Measure(Unlabelled(), data, seed=3)()
    assert Measure(Unlabelled(), data, seed=4)()["noise"] != first["noise"]
    assert 0.45 < first["noise"] < 0.55


def test_each_part_of_the_images_has_its_own_noise():
    one = pictures(1, size=4)
    data = Images(np.repeat(one.images, 2 * PART, axis=0), None, ())
    whole, half = (Measure(Unlabelled(), Images(data.images[:count], None, ()))() for count in (2 * PART, PART))
    assert whole["noise"] != pytest.approx(half["noise"], rel=1e-6)


def test_a_small_loss_is_not_lost_in_a_large_sum():
    """Sums are taken in float64."""
    data = Images(np.full((COUNT, 2, 2, 1), 3, np.uint8), None, ())
    assert Measure(Unlabelled(), data)()["mean"] == pytest.approx(np.float32(3 / 255), rel=1e-7)


def test_networks_are_read_when_they_are_asked():
    class Moving(Unlabelled):
        weight = tf.Variable(1.0)

        def measures(self, batch):
            return {"weight": self.weight * tf.ones(tf.shape(batch)[:1])}

    measure = Measure(Moving(), pictures(3, size=4))
    assert measure() == {"weight": 1.0}
    Moving.weight.assign(2.5)
    assert measure() == {"weight": 2.5}
