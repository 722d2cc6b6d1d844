"""VQ-VAE: equation 3 by hand, gradients of its terms, and what moves the codebook."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import images
from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.errors import UsageError
from kgen.rng import Rng
from kgen.training import train as training
from tests.helpers.recipes import pictures

COUNT, SIZE = 5, 3
TINY = {
    "image_size": None,
    "depth": 2,
    "latent_width": 2,
    "latent_channels": SIZE,
    "codebook": COUNT,
    "codebook_decay": 0.0,
}
DATA = pictures(6, size=8)
REAL = np.float32(DATA.images / 127.5 - 1)


def game(seed=0, **changes):
    """Returns a small game whose codebook has vectors among those of the images, and one that is near to none."""
    keras.utils.set_random_seed(seed)
    made = dataclasses.replace(recipes.find("vq-vae"), **{**TINY, **changes}).game(DATA)
    random = np.random.default_rng(seed)
    for weight in made.autoencoder.trainable_variables:
        weight.assign(2 * weight + 0.1 * random.normal(size=weight.shape))
    vectors = made.encoder(REAL).numpy().reshape(-1, SIZE)
    chosen = vectors[:: len(vectors) // COUNT][:COUNT] + 0.3 * random.normal(size=(COUNT, SIZE))
    chosen[-1] = 100
    quantizer(made).codebook.assign(chosen)
    return made


def quantizer(made):
    return made.decoder.get_layer("quantizer")


def own(made):
    """Returns the decoder behind the quantiser: codes that are not replaced -> images."""
    return made.decoder.layers[-1]


def nearest(made, vectors):
    codebook = np.float64(quantizer(made).codebook)
    return np.array([np.argmin([np.linalg.norm(v - e) for e in codebook]) for v in np.float64(vectors)])


class ByHand:
    """The terms of a turn and their gradients, from the networks' outputs and a search of the codebook."""

    def __init__(self, made, x=REAL, beta=0.25):
        maps = made.encoder.layers[-2].output  # before they are flattened: a vector lies at each place
        shown = keras.Model(made.encoder.input, maps)
        with tf.GradientTape(persistent=True) as tape:
            vectors = tf.reshape(shown(x), (-1, SIZE))
            self.index = nearest(made, vectors)
            replaced = tf.constant(quantizer(made).codebook.numpy()[self.index])
            code = tf.reshape(replaced, (len(x), -1))
            tape.watch(code)
            reconstruction = tf.reduce_mean(tf.square(x - own(made)(code)))
        distances = vectors - replaced
        self.reconstruction, self.distance = float(reconstruction), float(np.square(np.float64(distances)).mean())
        self.loss = self.reconstruction + self.distance + beta * self.distance
        share = 2 / tf.size(distances, tf.float32)
        passed = tf.reshape(tape.gradient(reconstruction, code), vectors.shape)
        pull = passed + beta * share * distances
        self.encoder = tape.gradient(vectors, made.encoder.trainable_variables, pull)
        self.decoder = tape.gradient(reconstruction, own(made).trainable_variables)
        self.codebook = np.zeros((COUNT, SIZE), np.float32)
        np.add.at(self.codebook, self.index, -share * distances)

    def gradients(self, made):
        """Returns the gradients in the order of the autoencoder's weights."""
        found = {id(quantizer(made).codebook): self.codebook}
        for half, gradients in ((made.encoder, self.encoder), (own(made), self.decoder)):
            found |= {id(w): np.array(g) for w, g in zip(half.trainable_variables, gradients, strict=True)}
        return [found[id(weight)] for weight in made.autoencoder.trainable_variables]


def a_round(made, seed=0):
    """Plays a step in eager mode and returns what was logged."""
    trainer = BaseTrainer(made, seed)
    trainer.compile(run_eagerly=True)
    return {name: float(value) for name, value in trainer.train_step(tf.constant(DATA.images)[None]).items()}


# Losses.


@pytest.mark.parametrize("beta", [0.25, 10.0])
def test_the_loss_is_equation_3(beta):
    made = game(beta=beta)
    expected = ByHand(made, beta=beta)
    with Rng(0):
        found = made.turn(tf.constant(REAL))
    assert set(found) == {"autoencoder", *made.reports} and made.range == images.SYMMETRIC
    assert float(found["reconstruction"]) == pytest.approx(expected.reconstruction, rel=1e-4)
    assert float(found["codebook_error"]) == pytest.approx(expected.distance, rel=1e-4)
    assert float(found["autoencoder"]) == pytest.approx(expected.loss, rel=1e-4)
    assert expected.distance > 0.05 and set(expected.index) == set(range(COUNT - 1))


def test_vectors_are_the_maps_at_each_place_and_the_decoder_replaces_them():
    made = game()
    expected = ByHand(made)
    code = tf.reshape(quantizer(made).codebook.numpy()[expected.index], (6, -1))
    np.testing.assert_allclose(made.autoencoder(REAL), own(made)(code), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(made.decoder(code), own(made)(code), rtol=1e-4, atol=1e-5)
    assert np.abs(made.encoder(REAL) - code).max() > 0.1


# Moves.


def test_the_gradient_of_each_part_is_that_of_its_terms():
    """The encoder's passes through the quantiser, the codebook's is of its own term alone, the decoder's of the first.

    By descent at rate 1, since the three must also be what a step applies.
    """
    made = game()
    made.players["autoencoder"].optimizer = keras.optimizers.SGD(1.0)
    expected, before = ByHand(made).gradients(made), made.autoencoder.get_weights()
    a_round(made)
    assert len(before) == len(expected) == 8 * 2 + 1 + 6 * 2 - 2
    for was, found, gradient in zip(before, made.autoencoder.get_weights(), expected, strict=True):
        np.testing.assert_allclose(was - found, gradient, rtol=2e-3, atol=1e-5)
        assert np.abs(gradient).max() > 1e-3


def test_the_codebook_goes_to_the_mean_of_its_vectors_and_the_unused_stay():
    made = game()
    made.players["autoencoder"].optimizer = keras.optimizers.SGD(0.1)
    vectors = made.encoder(REAL).numpy().reshape(-1, SIZE)
    index, before = nearest(made, vectors), quantizer(made).codebook.numpy()
    a_round(made)
    after = quantizer(made).codebook.numpy()
    for number in range(COUNT - 1):
        mine = vectors[index == number]
        step = 0.1 * 2 * len(mine) / vectors.size * (mine.mean(axis=0) - before[number])
        np.testing.assert_allclose(after[number] - before[number], step, rtol=1e-2, atol=1e-6)
        assert np.abs(step).max() > 1e-4
    np.testing.assert_array_equal(after[-1], before[-1])


def test_adam_moves_the_codebook_by_the_sum_over_all_its_vectors():
    """In numpy: a gradient that lists a vector once for each of its uses must be summed before it is squared."""
    made = game(learning_rate=0.01)
    trainer = BaseTrainer(made)
    trainer.compile(run_eagerly=True)
    mean = square = 0.0
    for t in (1, 2):
        gradient, before = ByHand(made).codebook, quantizer(made).codebook.numpy()
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        expected = 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * mean / (np.sqrt(square) + 1e-8)
        trainer.train_step(tf.constant(DATA.images)[None])
        found = before - quantizer(made).codebook.numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-2, atol=1e-6)
    assert np.abs(expected[:-1]).min() > 1e-4


def test_the_logged_norm_is_that_of_the_gradient():
    made = game()
    expected = np.sqrt(sum(np.square(np.float64(gradient)).sum() for gradient in ByHand(made).gradients(made)))
    assert a_round(made)["autoencoder_gradient_norm"] == pytest.approx(expected, rel=1e-3)


def test_nothing_is_drawn():
    made = game()
    losses = set()
    for seed in (0, 1):
        with Rng(seed):
            losses.add(float(made.turn(tf.constant(REAL))["autoencoder"]))
    assert len(losses) == 1 and made.prior is None and made.draws == 0
    assert list(made.play(["batch"])) == [(made.turn, "batch")]


# The codebook that follows averages.


def test_a_turn_moves_the_codebook_to_the_averages_of_what_chose_it():
    made = game(codebook_decay=0.5)
    layer, vectors = quantizer(made), tf.reshape(made.encoder(REAL), (-1, SIZE)).numpy()
    index = nearest(made, vectors)
    counts = np.bincount(index, minlength=COUNT) / 2
    with Rng(3):
        values = made.turn(tf.constant(REAL))
    dead = counts < 0.1 * counts.mean()
    assert dead.sum() >= 1 and not dead.all()  # the vector that is far from all
    averages = [vectors[index == k].mean(axis=0) for k in np.flatnonzero(~dead)]
    np.testing.assert_allclose(layer.codebook.numpy()[~dead], averages, rtol=1e-4)
    np.testing.assert_allclose(layer.counts.numpy(), np.where(dead, counts.mean(), counts), rtol=1e-5)
    for restarted in layer.codebook.numpy()[dead]:
        assert np.abs(vectors - restarted).max(axis=1).min() < 1e-5  # one of the batch's
    shares = np.bincount(index, minlength=COUNT) / len(index)
    expected = np.exp(-sum(p * np.log(p) for p in shares if p))
    assert float(values["perplexity"]) == pytest.approx(expected, rel=1e-4)
    loss = values["reconstruction"] + 0.25 * values["codebook_error"]
    assert float(values["autoencoder"]) == pytest.approx(float(loss), rel=1e-5)


@pytest.mark.slow
def test_the_codebook_lives_with_restarts_and_dies_without(tmp_path):
    small = {"dataset": "mnist5k", "steps": 300, "log_every": 50, "depth": 4, "sample_every": 300}
    found = {}
    for decay in (0.99, 0.0):
        run = training.train("vq-vae", tmp_path / str(decay), None, codebook_decay=decay, **small).run
        found[decay] = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    assert found[0.0]["perplexity"] < 2 < 20 < found[0.99]["perplexity"]
    assert found[0.99]["reconstruction"] < 0.8 * found[0.0]["reconstruction"]


# The recipe.


def test_the_recipes_networks():
    found = recipes.find("vq-vae")
    made = found.game(pictures(2))
    assert quantizer(made).codebook.shape == (512, 16) and made.beta == 0.25
    assert np.abs(quantizer(made).codebook.numpy()).max() <= 1 / 512
    trainable = [sum(int(np.prod(w.shape)) for w in net.trainable_variables) for net in (made.encoder, made.decoder)]
    assert trainable == [166_288, 83_329]
    assert (quantizer(made).decay, quantizer(made).codebook.trainable) == (0.99, False)
    by_gradients = dataclasses.replace(found, codebook_decay=0.0).game(pictures(2))
    assert sum(int(np.prod(w.shape)) for w in by_gradients.decoder.trainable_variables) == 83_329 + 512 * 16
    assert made.encoder.output_shape == made.decoder.input_shape == (None, 256)


@pytest.mark.parametrize("name, value", [("codebook", 1), ("beta", -0.1), ("depth", 0), ("codebook_decay", 1.0)])
def test_numbers_that_cannot_be_are_refused(name, value):
    with pytest.raises(UsageError, match="^--" + name.replace("_", "-") + " must be"):
        dataclasses.replace(recipes.find("vq-vae"), **{name: value})


def test_a_size_that_does_not_halve_is_refused():
    with pytest.raises(UsageError, match="--latent-width 2 cannot be halved from 12x12 pixels: give --image-size 16"):
        dataclasses.replace(recipes.find("vq-vae"), **TINY).game(pictures(2, size=12))
