"""The probability of augmentation, followed by hand."""

import numpy as np
import pytest
import tensorflow as tf

from kgen.layers import AugmentationProbability

SURE, UNSURE, WRONG = np.ones((10, 1)), np.array([[1.0]] * 6 + [[-1.0]] * 4), -np.ones((10, 1))  # r_t: 1, .2, -1


def told(layer, batches):
    update = tf.function(layer.update)
    return [float(update(tf.constant(0.01 * batch, tf.float32))) for batch in batches]


def test_it_changes_after_every_fourth_batch_by_its_share_of_the_images():
    """Four batches of 10 of 400 images are a tenth."""
    layer = AugmentationProbability(0.6, images=400)
    assert told(layer, [SURE] * 8) == pytest.approx([0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.2])
    assert told(layer, [UNSURE] * 4) == pytest.approx([0.2, 0.2, 0.2, 0.1])


@pytest.mark.parametrize(
    "batches, target, rises",
    [
        ([SURE, SURE, SURE, UNSURE], 0.79, True),  # the mean of four is .8
        ([SURE, SURE, SURE, UNSURE], 0.81, False),
        ([WRONG, SURE, SURE, SURE], 0.4, True),  # .5
        ([SURE, SURE, SURE, WRONG], 0.6, False),
    ],
)
def test_it_rises_if_the_mean_sign_of_four_batches_is_above_the_target(batches, target, rises):
    layer = AugmentationProbability(target, images=400)
    layer.probability.assign(0.5)
    assert told(layer, batches)[-1] == pytest.approx(0.6 if rises else 0.4)


def test_it_stays_a_probability():
    layer = AugmentationProbability(0.6, images=50)
    assert told(layer, [SURE] * 8)[3::4] == pytest.approx([0.8, 1.0])
    assert told(layer, [WRONG] * 8)[3::4] == pytest.approx([0.2, 0.0], abs=1e-6)


def test_the_papers_numbers_and_the_config():
    layer = AugmentationProbability()
    assert (layer.target, layer.images, layer.every) == (0.6, 500_000, 4)
    copy = AugmentationProbability.from_config(AugmentationProbability(0.3, 100, 2, name="adaptive").get_config())
    assert (copy.target, copy.images, copy.every, copy.name) == (0.3, 100, 2, "adaptive")
    assert copy.trainable_variables == [] and len(copy.variables) == 3
