"""The trainer against games small enough to be played by hand."""

import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import images
from kgen.core.base_trainer import BaseTrainer
from kgen.core.game import Game, Player
from kgen.rng import current
from tests.helpers import autoencoders
from tests.helpers.planted_faults import same
from tests.helpers.recipes import fit, new_trainer


class Point(keras.layers.Layer):
    """A network of one number."""

    def __init__(self, start, **kwargs):
        super().__init__(**kwargs)
        self.start = start
        self.number = self.add_weight(shape=(), initializer=keras.initializers.Constant(start))

    def get_config(self):
        return {**super().get_config(), "start": self.start}

    def call(self, x):
        return self.number * keras.ops.ones_like(x)


def player(start, rate=0.1, **arguments):
    x = keras.Input((1,))
    return Player(keras.Model(x, Point(start)(x)), keras.optimizers.SGD(rate), **arguments)


class Tug(Game):
    """Two numbers a, b. First a minimises (a - b)^2 on each batch, then b minimises -ab / 2, seeing the new a."""

    batches = 2
    range = images.UNIT
    reports = ("distance",)
    exported = ("a",)

    def play(self, batches):
        for batch in batches:
            yield self.first, batch
        yield self.second, batches[-1]

    def first(self, batch):
        distance = (self.number("a", batch) - self.number("b", batch)) ** 2
        return {"a": distance, "distance": distance}

    def second(self, batch):
        return {"b": -self.number("a", batch) * self.number("b", batch) / 2}

    def number(self, name, batch):
        return keras.ops.mean(getattr(self, name)(keras.ops.ones((1, 1)), training=True)) + 0 * keras.ops.mean(batch)


def match_of(game, **arguments):
    trainer = BaseTrainer(game, **arguments)
    trainer.compile()
    return trainer


def steps(count, batches=2):
    return tf.data.Dataset.from_tensors(np.zeros((batches, 4, 2, 2, 1), np.uint8)).repeat(count)


def number(trainer, name):
    return float(getattr(trainer, name).trainable_variables[0].numpy())


def test_a_round_by_hand():
    trainer = match_of(Tug(a=player(3.0), b=player(1.0)), ema=0.9)
    trainer.fit(steps(1), shuffle=False, verbose=0)
    a1 = 3 - 0.1 * 2 * (3 - 1)
    a2 = a1 - 0.1 * 2 * (a1 - 1)
    assert number(trainer, "a") == pytest.approx(a2)
    assert number(trainer, "b") == pytest.approx(1 + 0.1 * a2 / 2)
    means = trainer.take_means()
    assert means == pytest.approx(
        {
            "a_loss": (4 + (a1 - 1) ** 2) / 2,
            "b_loss": -a2 / 2,
            "a_gradient_norm": (4 + 2 * (a1 - 1)) / 2,
            "b_gradient_norm": a2 / 2,
            "distance": (4 + (a1 - 1) ** 2) / 2,
        }
    )
    average = float(trainer.averages["a"].variables[0].numpy())
    assert average == pytest.approx(3 + (1 - 1 / 10) * (a2 - 3))
    assert trainer.best_game().a is trainer.averages["a"] and trainer.best_game().b is trainer.b


def test_means_are_since_the_last_call():
    trainer = match_of(Tug(a=player(3.0, 0.0), b=player(1.0, 0.0)))
    trainer.fit(steps(3), shuffle=False, verbose=0)
    assert trainer.take_means()["distance"] == pytest.approx(4.0)
    assert trainer.take_means()["distance"] == 0.0


def test_players_of_one_turn_move_from_the_same_pass():
    class Together(Tug):
        def play(self, batches):
            yield self.both, batches[0]

        def both(self, batch):
            return {**self.first(batch), **self.second(batch)}

    trainer = match_of(Together(a=player(3.0), b=player(1.0)))
    trainer.fit(steps(1), shuffle=False, verbose=0)
    assert number(trainer, "a") == pytest.approx(3 - 0.1 * 4)
    assert number(trainer, "b") == pytest.approx(1 + 0.1 * 3 / 2)  # sees the old a


def test_l2_is_added_to_the_gradient():
    trainer = match_of(Tug(a=player(3.0, l2=0.5), b=player(1.0, 0.0)))
    trainer.fit(steps(1), shuffle=False, verbose=0)
    a1 = 3 - 0.1 * (2 * (3 - 1) + 0.5 * 3)
    assert number(trainer, "a") == pytest.approx(a1 - 0.1 * (2 * (a1 - 1) + 0.5 * a1))


def test_each_player_scales_its_own_loss():
    scaled = player(3.0, l2=0.5)
    scaled.optimizer = keras.optimizers.LossScaleOptimizer(scaled.optimizer, initial_scale=1024.0)
    trainer = match_of(Tug(a=scaled, b=player(1.0)))
    trainer.fit(steps(1), shuffle=False, verbose=0)
    a1 = 3 - 0.1 * (4 + 0.5 * 3)
    assert number(trainer, "a") == pytest.approx(a1 - 0.1 * (2 * (a1 - 1) + 0.5 * a1))
    means = trainer.take_means()
    assert means["a_loss"] == pytest.approx((4 + (a1 - 1) ** 2) / 2)
    assert means["a_gradient_norm"] == pytest.approx((4 + 0.5 * 3 + 2 * (a1 - 1) + 0.5 * a1) / 2)


def test_the_first_fault_is_remembered_with_its_step():
    class Breaks(Tug):
        def second(self, batch):
            bad = keras.ops.where(self.trainer.step.value >= 3, float("nan"), 1.0)
            return {"b": bad * super().second(batch)["b"]}

    game = Breaks(a=player(3.0), b=player(1.0, 0.0))
    trainer = match_of(game)
    game.trainer = trainer
    trainer.fit(steps(3), shuffle=False, verbose=0)
    assert trainer.faults() == {}
    trainer.fit(steps(3), shuffle=False, verbose=0)
    # b's weight is NaN after its move in round 4.
    assert trainer.faults() == {"b_loss": 4, "b_gradient_norm": 4, "a_loss": 5, "a_gradient_norm": 5, "distance": 5}


def test_noise_is_new_in_every_round_and_turn_and_repeats_with_the_seed():
    class Noisy(Tug):
        reports = ("first_noise", "second_noise")

        def play(self, batches):
            yield self.one, batches[0]
            yield self.two, batches[0]

        def one(self, batch):
            return {"a": self.number("a", batch), "first_noise": current().normal(())}

        def two(self, batch):
            return {"b": self.number("b", batch), "second_noise": current().normal(())}

    def noises(seed):
        trainer = match_of(Noisy(a=player(0.0), b=player(0.0)), seed=seed)
        found = []
        for _ in range(3):
            trainer.fit(steps(1), shuffle=False, verbose=0)
            means = trainer.take_means()
            found += [means["first_noise"], means["second_noise"]]
        return found

    assert noises(1) == noises(1)
    assert len(set(noises(1) + noises(2))) == 12


@pytest.mark.slow
def test_two_replicas_play_as_one_with_the_whole_batch():
    """Two logical CPUs: means, moves, decisions and noise are those of the whole batch."""
    code = """
        import numpy as np, tensorflow as tf
        from kgen.core.base_trainer import BaseTrainer
        from kgen.core.update_rules import Balance
        from kgen.rng import current
        from kgen.runs import devices
        from tests.core.test_base_trainer import Tug, number, player

        class Noisy(Tug):
            reports = ("distance", "noise", "brightness")
            update_rule = Balance(0.1, {"a": 1.0, "b": 1.0}, longest=3)
            def first(self, batch):
                noise = tf.reduce_mean(current().uniform((batch.shape[0],)))
                return {**super().first(batch), "noise": noise, "brightness": tf.reduce_mean(batch) * 255}

        pictures = np.arange(12 * 2 * 4, dtype=np.uint8).reshape(12, 2, 4, 1, 1, 1)

        def play(execution):
            trainer = BaseTrainer(Noisy(a=player(3.0, l2=0.5), b=player(1.0)), ema=0.9)
            trainer.compile(steps_per_execution=execution)
            trainer.fit(tf.data.Dataset.from_tensor_slices(pictures), shuffle=False, verbose=0)
            assert int(trainer.step.numpy()) == 12
            average = float(trainer.averages["a"].variables[0].numpy())
            return number(trainer, "a"), number(trainer, "b"), average, trainer.take_means()

        strategy = devices.strategy(2)
        one = play(1)
        assert 0 < one[3]["a_moves"] < 1 or 0 < one[3]["b_moves"] < 1, "the rule decides"
        assert one[3]["brightness"] == np.mean(pictures), "batches are all there"
        for execution in (1, 4):
            with strategy.scope():
                two = play(execution)
            np.testing.assert_allclose(one[:3], two[:3], rtol=1e-6)
            assert one[3].keys() == two[3].keys()
            np.testing.assert_allclose(list(one[3].values()), list(two[3].values()), rtol=1e-6)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


class Lookup(Game):
    """A table of two vectors of one number, of which a turn looks up the first twice and the second once."""

    exported = ("table",)

    def __init__(self):
        index = keras.Input((), dtype="int32")
        embedded = keras.layers.Embedding(2, 1, embeddings_initializer="zeros")(index)
        super().__init__(table=Player(keras.Model(index, embedded), keras.optimizers.Adam(0.01, epsilon=1e-12)))

    def play(self, batches):
        yield self.turn, batches[0]

    def turn(self, batch):
        values = self.table(tf.constant([0, 0, 1]), training=True)[:, 0]
        return {"table": keras.ops.sum(values * tf.constant([1.0, 3.0, -1.0]))}


@pytest.mark.parametrize("eager", [True, False])
def test_a_vector_that_is_looked_up_twice_moves_by_the_sum_of_its_gradients(eager):
    trainer = BaseTrainer(Lookup())
    trainer.compile(run_eagerly=eager)
    trainer.fit(tf.data.Dataset.from_tensors(np.zeros((1, 4, 2, 2, 1), np.uint8)), verbose=0)
    np.testing.assert_allclose(trainer.game.table.get_weights()[0][:, 0], [-0.01, 0.01], rtol=1e-4)  # Adam's first step
    assert trainer.take_means()["table_gradient_norm"] == pytest.approx(np.hypot(4, 1), rel=1e-5)


def test_an_equal_loss_is_not_better():
    """Losses come in float64: rounded to float32 one can be less than itself."""
    trainer = new_trainer("autoencoder")
    for loss in (123.456, 0.7, 1 / 3, 0.3, 0.25, 0.2, 0.1):
        assert trainer.keep_if_best(loss) and int(trainer.wait.numpy()) == 0
        assert not trainer.keep_if_best(loss) and int(trainer.wait.numpy()) == 1
        assert not trainer.keep_if_best(loss * (1 + 1e-6)) and int(trainer.wait.numpy()) == 2


def test_only_the_best_networks_are_exhibited():
    trainer = new_trainer("autoencoder")
    first = trainer.best_game().autoencoder.get_weights()
    trainer.keep_if_best(1.0)
    fit(trainer, 0, 2)
    assert same(trainer.best_game().autoencoder, first) and not same(trainer.game.autoencoder, first)
    assert trainer.current_game() is trainer.game
    trainer.keep_if_best(2.0)
    assert same(trainer.best_game().autoencoder, first)
    trainer.keep_if_best(0.5)
    assert same(trainer.best_game().autoencoder, trainer.game.autoencoder.get_weights())
    assert int(trainer.best_step.numpy()) == 2


def test_start_from_takes_the_other_weights_bit_for_bit():
    one, other = (
        autoencoders.game(seed=1),
        autoencoders.game(seed=2, noise="uniform:0.7", encoder_dropout=0.3, loss="mse"),
    )
    trainer = BaseTrainer(other, ema=0.9, keep_best=True)
    trainer.start_from(one)
    for network in (other.autoencoder, trainer.averages["autoencoder"], trainer.best["autoencoder"]):
        for mine, his in zip(network.get_weights(), one.autoencoder.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, his)
