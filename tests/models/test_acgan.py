"""ACGAN on linear networks: what both players are paid for, by NumPy, with and without classes of generated images."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_expit, log_softmax

from kgen import images
from kgen.core import recipe as recipes
from kgen.core.priors import Uniform
from kgen.errors import UsageError
from kgen.losses.adversarial import LOSSES
from kgen.models.acgan import ACGAN
from kgen.rng import Rng
from tests.helpers.linear_players import REAL, generator, judge, judged, painted, player
from tests.helpers.recipes import pictures, shrink

LABELS = np.array([0, 2, 1, 1, 2])


def game(**rules):
    given = {"loss": LOSSES["non_saturating"], "prior": Uniform(2), "image_range": images.SYMMETRIC, **rules}
    return ACGAN(player(generator(3)), player(judge(1, 3)), classes=("a", "b", "c"), **given)


def made_by_hand(made, seed):
    """Returns images of random labels, and the labels, in the order in which a turn draws."""
    with Rng(seed):
        wanted = made.some_labels(len(REAL)).numpy()
        return painted(made.generator, made.prior.draw(len(REAL)), wanted), wanted


def class_loss(made, seen, labels):
    return -log_softmax(judged(made.discriminator, seen, head=1), axis=1)[np.arange(len(labels)), labels].mean()


@pytest.mark.parametrize("both", [False, True])
def test_the_discriminator_is_paid_for_kind_and_class(both):
    made = game(classify_generated=both)
    with Rng(3):
        found = made.discriminator_turn((tf.constant(REAL), tf.constant(LABELS)))
    fake, wanted = made_by_hand(made, 3)
    assert len(set(wanted)) > 1
    real = class_loss(made, REAL, LABELS)
    classes = real + class_loss(made, fake, wanted) if both else 2 * real
    logits = judged(made.discriminator, REAL), judged(made.discriminator, fake)
    assert float(found["class_loss"]) == pytest.approx(classes, rel=1e-5)
    expected = classes - log_expit(logits[0]).mean() - log_expit(-logits[1]).mean()
    assert float(found["discriminator"]) == pytest.approx(expected, rel=1e-5)


def test_the_generator_is_paid_for_images_that_pass_for_real_and_for_their_class():
    made = game(classify_generated=False)
    with Rng(4):
        found = made.generator_turn((tf.constant(REAL), tf.constant(LABELS)))
    fake, wanted = made_by_hand(made, 4)
    expected = class_loss(made, fake, wanted) - log_expit(judged(made.discriminator, fake)).mean()
    assert list(found) == ["generator"] and float(found["generator"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("size", [28, 32, 64])
def test_sizes_and_channels(size):
    made = shrink(recipes.find("acgan")).game(pictures(size=size, channels=3))
    latent = tf.zeros((2, made.prior.size))
    shown = made.generator([latent, tf.constant([1, 2])])
    assert shown.shape == (2, size, size, 3)
    assert [tuple(head.shape) for head in made.discriminator(shown)] == [(2, 1), (2, 10)]


def test_the_recipe_is_that_of_kerass_script():
    own = recipes.find("acgan")
    assert (own.latent_dim, own.width, own.discriminator_width, own.dropout, own.batch_size) == (100, 96, 32, 0.3, 100)
    assert (own.real_target, own.learning_rate, own.beta1, own.classify_generated) == (0.95, 2e-4, 0.5, False)


@pytest.mark.parametrize("name, value", [("dropout", 1.0), ("real_target", 0.5), ("width", 0), ("beta1", 1.0)])
def test_numbers_that_cannot_be_are_refused_and_their_flag_named(name, value):
    with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')} must be .*, not {value}"):
        dataclasses.replace(recipes.find("acgan"), **{name: value})
