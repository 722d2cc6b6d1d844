"""What fit() reads: labels, targets, splits, epochs."""

import numpy as np
import pytest
import tensorflow as tf

import kgen
from kgen.errors import UsageError
from kgen.training.model import feed
from tests.helpers.keras_models import PIXELS, gan


@pytest.fixture(scope="module")
def model():
    return gan()


def test_a_split_takes_the_last_rows_of_images_and_labels():
    (x, y), (held, labels) = feed.split_off(np.arange(10), np.arange(10) * 2, 0.3)
    assert x.tolist() == [0, 1, 2, 3, 4, 5, 6] and held.tolist() == [7, 8, 9] and labels.tolist() == [14, 16, 18]
    with pytest.raises(UsageError, match="validation_split is for arrays"):
        feed.split_off(tf.data.Dataset.range(3), None, 0.5)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (PIXELS, PIXELS[::-1], "takes no other images to aim at"),
        (PIXELS, np.arange(7), "There are 40 images and 7 labels"),
        (tf.data.Dataset.from_tensor_slices(PIXELS).batch(8), np.arange(40), "leave y out"),
        (tf.data.Dataset.from_tensor_slices((PIXELS, 255 - PIXELS)).batch(8), None, "takes no other images to aim at"),
    ],
)
def test_what_would_be_ignored_is_told(model, x, y, words):
    with pytest.raises(UsageError, match=words):
        feed.feed(model, x, y, 8, 8, True, None)


def test_images_as_their_own_targets_are_what_an_autoencoder_learns(model):
    assert feed.feed(model, PIXELS, PIXELS, 8, 8, True, None).images_a_step == 8


@pytest.mark.slow
def test_pruning_is_done_between_epochs():
    sizes = {"channels": (2,), "kernels": (3,), "strides": (2,), "paddings": (0,), "units": (8,), "latent_dim": 3}
    pruned = {"prune_every": 1, "prune_encoder_dense": 0.5}
    model = kgen.create("autoencoder-basic", PIXELS, **sizes, **pruned)
    model.fit(PIXELS, batch_size=20, epochs=2, verbose=0)
    kernels = [weight.numpy() for weight in model.game.encoder.trainable_variables if weight.ndim == 2]
    assert any((kernel == 0).mean() >= 0.4 for kernel in kernels)
