import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.core.trainer import Trainer
from kgen.optimizers import DecayedAdam
from kgen.rng import Rng
from tests.helpers.autoencoders import DATA, a_round, game, tiny

# Steps.


def test_l2_adds_its_share_of_the_weights_to_the_gradient():
    made, plain = game(l2=0.25), game()
    with Rng(Rng(0).fold_in(0, 0).fold_in(0).seed), tf.GradientTape() as tape:
        loss = plain.turn(tf.constant(np.float32(DATA.images / 255)))["autoencoder"]
    gradients = tape.gradient(loss, plain.autoencoder.trainable_variables)
    for player in made.players.values():
        player.optimizer = keras.optimizers.SGD(0.5)
    for weight, gradient, after in zip(made.autoencoder.get_weights(), gradients, a_round(made)[1], strict=True):
        np.testing.assert_allclose(after, weight - 0.5 * (gradient + 0.25 * weight), rtol=1e-4, atol=1e-6)


def test_the_optimizer_is_pytorchs_adam():
    optimizer = tiny(learning_rate=2e-3).game(DATA).players["autoencoder"].optimizer
    assert type(optimizer) is keras.optimizers.Adam
    assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) == (0.9, 0.999, 1e-8)
    assert float(optimizer.learning_rate) == pytest.approx(2e-3)
    falling = tiny(anneal=True, steps=77).game(DATA).players["autoencoder"].optimizer
    assert type(falling) is DecayedAdam and falling.end == 77


# Pruning.

AMOUNTS = {"encoder_dense": 0.3984, "encoder_convolution": 0.1001, "decoder_dense": 0.2135, "decoder_convolution": 0.3}
PRUNED = {"prune_every": 3, **{f"prune_{name}": amount for name, amount in AMOUNTS.items()}}


def zeros(made):
    """Returns how many zeros each kernel has, and how many there were to be, in the order of the layers."""
    groups = made.groups()
    return [int(np.sum(kernel.numpy() == 0)) for kernels in groups.values() for kernel in kernels]


def asked(made):
    return [
        round(AMOUNTS[name] * int(np.prod(kernel.shape)))
        for name, kernels in made.groups().items()
        for kernel in kernels
    ]


def test_each_layer_is_pruned_by_the_share_of_its_group():
    made = game(**PRUNED)
    before = made.autoencoder.get_weights()
    for epoch in (1, 2, 4, 5):
        assert set(made.between_epochs(epoch).values()) == {0.0}
    assert zeros(made) == [0] * 6
    reports = made.between_epochs(3)
    assert zeros(made) == asked(made) and min(asked(made)) > 0
    for name, kernels in made.groups().items():
        sizes = [int(np.prod(kernel.shape)) for kernel in kernels]
        assert reports[f"sparsity_{name}"] == sum(round(AMOUNTS[name] * size) for size in sizes) / sum(sizes)
    for was, weight in zip(before, made.autoencoder.get_weights(), strict=True):
        np.testing.assert_array_equal(weight[weight != 0], was[weight != 0])


def test_outputs_and_biases_are_exempt():
    made = game(**PRUNED)
    before = made.encoder.get_weights(), made.decoder.get_weights()
    made.between_epochs(3)
    after = made.encoder.get_weights(), made.decoder.get_weights()
    for was, found in zip(before, after, strict=True):
        changed = [not np.array_equal(*pair) for pair in zip(was, found, strict=True)]
        assert changed == [True, False] * (len(was) // 2 - 1) + [False, False]


def test_transient_weights_regrow():
    made = game(activation="silu", **PRUNED)  # no unit is dead
    made.between_epochs(3)
    a_round(made)
    assert sum(zeros(made)) == 0


@pytest.mark.parametrize("eagerly", [True, False], ids=["eager", "graph"])
def test_persistent_weights_stay_zero_and_the_others_move(eagerly):
    made = game(mask="persistent", **PRUNED)
    made.between_epochs(3)
    trainer = Trainer(made)
    trainer.compile(run_eagerly=eagerly)
    before = made.autoencoder.get_weights()
    batches = iter([tf.constant(DATA.images)[None]] * 3)
    trainer.make_train_function()
    for _ in range(3):
        trainer.train_function(batches)
    assert zeros(made) == asked(made)
    for was, weight in zip(before, made.autoencoder.get_weights(), strict=True):
        assert not np.array_equal(was, weight)
        assert ((was == 0) == (weight == 0)).all() or (was == 0).all()  # biases begin with any value


def test_a_game_that_does_not_prune_says_nothing():
    made = game()
    assert not made.acts_between_epochs() and made.between_epochs(5) == {}
    assert game(**PRUNED).acts_between_epochs()
