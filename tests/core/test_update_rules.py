"""Who may move when, against schedules written down by hand, and inside a trainer."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.core.update_rules import Balance, CriticFirst, Equilibrium
from kgen.errors import UsageError
from kgen.runs import checkpoint
from tests.helpers.recipes import fit, new_trainer, pictures, play, shrink


def rounds_of_the_generator(update_rule, count):
    """Returns the numbers of the steps, below `count`, in which the generator may move."""
    allows = tf.function(lambda step: update_rule.allows("generator", {"generator": 0.0}, step, tf.zeros(0))[0])
    return [step for step in range(count) if allows(tf.constant(step, tf.int64))]


def the_authors_code(steps, per_step):
    """`Diters = 100 if gen_iterations < 25 or gen_iterations % 500 == 0 else 5`, told in steps of `per_step`."""
    found, step, generator_steps = [], -1, 0
    while True:
        critic_steps = 100 if generator_steps < 25 or generator_steps % 500 == 0 else per_step
        step += critic_steps // per_step
        if step >= steps:
            return found
        found.append(step)
        generator_steps += 1


@pytest.mark.parametrize("per_step", [5, 10])
def test_the_critic_s_lead_is_the_authors_code(per_step):
    assert rounds_of_the_generator(CriticFirst(100, per_step), 2200) == the_authors_code(2200, per_step)


def test_a_critic_always_moves():
    update_rule = CriticFirst(100, 5)
    assert all(
        update_rule.allows("critic", {"critic": 0.0}, tf.constant(step, tf.int64), tf.zeros(0))[0] for step in range(30)
    )


def told(losses, tolerance=0.2, longest=10):
    """Plays `[(discriminator's loss, generator's loss)]`; returns who moved in each step, and the last memory."""
    update_rule = Balance(tolerance, {"discriminator": 0.5, "generator": 1.0}, longest)
    memory, moved = tf.zeros(update_rule.memory), []
    for step, (first, second) in enumerate(losses):
        names = ""
        for name, loss in (("discriminator", first), ("generator", second)):
            allowed, memory = update_rule.allows(name, {name: tf.constant(loss)}, tf.constant(step, tf.int64), memory)
            names += name[0] if allowed else "-"
        moved.append(names)
    return moved, memory.numpy()


def test_equal_losses_let_both_move():
    assert told([(1.4, 0.7)] * 5)[0] == ["dg"] * 5  # a discriminator's loss is a sum of two: half of it counts


def test_who_is_ahead_rests():
    moved, memory = told([(0.4, 1.0)] * 3)
    assert moved == ["dg", "-g", "-g"]  # in the first step the generator's loss is not known yet
    np.testing.assert_allclose(memory, [0.2, 1.0, 2.0, 0.0], rtol=1e-6)
    assert told([(4.0, 1.0)] * 3)[0] == ["d-", "d-", "d-"]


def test_nobody_rests_for_longer_than_the_greatest_ratio():
    moved, _ = told([(0.0001, 5.0)] * 12, longest=4)
    assert moved == ["dg", "-g", "-g", "-g", "dg", "-g", "-g", "-g", "dg", "-g", "-g", "-g"]


def test_means_follow_slowly():
    _, memory = told([(1.4, 0.7), (3.4, 0.7)])
    np.testing.assert_allclose(memory[:2], [0.9 * 0.7 + 0.1 * 1.7, 0.7], rtol=1e-6)


def balanced(seed=1):
    keras.utils.set_random_seed(seed)
    small = shrink(dataclasses.replace(recipes.find("dcgan"), balance=0.05))
    trainer = BaseTrainer(small.game(pictures()), 0)
    trainer.compile()
    return trainer


def test_a_player_that_rests_stays_as_it_is():
    trainer = balanced()
    trainer.game.update_rule.allows = lambda name, values, step, memory: (tf.equal(name, "generator"), memory)
    before = [np.copy(w) for w in trainer.discriminator.get_weights()]
    state = [v.numpy() for v in trainer.discriminator_optimizer.variables]
    means = play(trainer, 0, 3)
    assert (means["discriminator_moves"], means["generator_moves"]) == (0.0, 1.0)
    trained = trainer.discriminator.trainable_variables
    statistics = {v.path for v in trainer.discriminator.variables} - {v.path for v in trained}
    for variable, old in zip(trainer.discriminator.variables, before, strict=True):
        assert np.array_equal(variable.numpy(), old) == (variable.path not in statistics), variable.path
    for variable, old in zip(trainer.discriminator_optimizer.variables, state, strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)


@pytest.mark.slow
def test_a_resumed_match_rests_as_the_straight_one(tmp_path):
    straight, stopped, resumed = balanced(), balanced(), balanced(seed=1)
    fit(straight, 0, 30)
    fit(stopped, 0, 17)
    checkpoint.save(stopped, tmp_path, 17)
    checkpoint.restore(resumed, tmp_path)
    fit(resumed, 17, 30)
    one, other = straight.take_means(), resumed.take_means()
    assert one == other and 0 < min(one["discriminator_moves"], one["generator_moves"]) < 1
    np.testing.assert_array_equal(straight.memory.numpy(), resumed.memory.numpy())


def test_a_step_has_the_turns_that_the_flags_ask_for():
    discriminator, generator = "discriminator_turn", "generator_turn"
    for flags, of_dcgan, of_gan in [
        ({"discriminator_steps": 3}, [discriminator] * 3 + [generator], [discriminator] * 2 + ["turn"]),
        ({"generator_steps": 2}, [discriminator, generator, generator], [generator, "turn"]),
        (
            {"discriminator_steps": 2, "generator_steps": 3},
            [discriminator] * 2 + [generator] * 3,
            [generator, "turn", "turn"],
        ),
    ]:
        for name, expected in [("dcgan", of_dcgan), ("gan", of_gan)]:
            game = shrink(dataclasses.replace(recipes.find(name), **flags)).game(pictures())
            batches = list(range(game.batches))
            played = [(turn.__name__, batch) for turn, batch in game.play(batches)]
            assert [turn for turn, _ in played] == expected, name
            assert {batch for _, batch in played} == set(batches)


def held_back(costs, **arguments):
    """Returns whether the discriminator and the decoder may move, about 0.5 to 1 nats, asked in a graph and eagerly."""
    update_rule = Equilibrium(0.75, 0.25, **arguments)
    values = {name: tf.constant(cost) for name, cost in zip(update_rule.costs, costs, strict=True)}

    def ask(name):
        allowed, memory = update_rule.allows(name, values, tf.constant(0, tf.int64), tf.zeros(update_rule.memory))
        assert memory.shape == (0,) and allowed.shape == () and allowed.dtype == tf.bool
        return allowed

    found = [bool(ask(name)) for name in update_rule.players]
    assert [bool(tf.function(ask)(name)) for name in update_rule.players] == found
    return found


LOW, HIGH, BETWEEN = np.nextafter(np.float32(0.5), np.float32(0)), np.nextafter(np.float32(1), np.float32(2)), 0.75


@pytest.mark.parametrize(
    "costs, discriminator, decoder",
    [
        ((BETWEEN, BETWEEN), True, True),
        ((0.5, 1.0), True, True),  # on both thresholds
        ((1.0, 0.5), True, True),
        ((LOW, BETWEEN), False, True),
        ((BETWEEN, LOW), False, True),
        ((LOW, LOW), False, True),
        ((0.0, 1.0), False, True),
        ((HIGH, BETWEEN), True, False),
        ((BETWEEN, HIGH), True, False),
        ((HIGH, HIGH), True, False),
        ((0.5, 7.0), True, False),
        ((LOW, HIGH), True, True),  # both would rest
        ((HIGH, LOW), True, True),
        ((7.0, 0.0), True, True),
    ],
)
def test_an_equilibrium_holds_back_who_is_ahead(costs, discriminator, decoder):
    assert held_back(costs) == [discriminator, decoder]
    assert held_back(costs, real="a", fake="b", players=("d", "g")) == [discriminator, decoder]
    assert held_back(costs, players=("decoder", "discriminator")) == [discriminator, decoder]


@pytest.mark.parametrize("name", ["encoder", "generator"])
def test_who_is_no_part_of_an_equilibrium_always_moves(name):
    step, memory = tf.constant(0, tf.int64), tf.zeros(0)
    for costs in ((0.0, 0.0), (9.0, 9.0), (0.75, 0.75)):
        values = {"real_cost": tf.constant(costs[0]), "fake_cost": tf.constant(costs[1])}
        assert Equilibrium(0.75, 0.25).allows(name, values, step, memory)[0]
        assert tf.function(Equilibrium(0.75, 0.25).allows)(name, values, step, memory)[0]
    assert (Equilibrium().centre, Equilibrium().margin) == (0.68, 0.35)


def test_a_referee_is_told_all_that_the_turn_returned():
    trainer, told_of = balanced(), {}

    def allows(name, values, step, memory):
        told_of[name] = {name: value.dtype for name, value in values.items()}
        return tf.constant(True), memory

    trainer.game.update_rule.allows = allows
    play(trainer, 0, 1)
    reports = dict.fromkeys(trainer.game.reports, tf.float32)
    assert reports and told_of == {
        "discriminator": {"discriminator": tf.float32, **reports}, "generator": {"generator": tf.float32}
    }  # fmt: skip


@pytest.mark.parametrize(
    "flags",
    [
        {"discriminator_steps": 0},
        {"discriminator_steps": 11},
        {"generator_steps": 11},
        {"generator_steps": 0},
        {"balance": -0.1},
        {"r1": -1.0},
        {"augment": "colour"},
        {"augment": ","},
    ],
)
def test_a_wrong_rule_is_refused(flags):
    with pytest.raises(UsageError, match="--" + list(flags)[-1].replace("_", "-")):
        dataclasses.replace(recipes.find("dcgan"), **flags)


def test_a_critic_s_losses_cannot_be_balanced():
    for name in ("wgan", "wgan-gp"):
        with pytest.raises(UsageError, match="--balance"):
            dataclasses.replace(recipes.find(name), balance=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gan", "acgan"])
def test_every_rule_at_once_trains(name):
    changes = {"augment": "color,translation,cutout", "r1": 1.0, "discriminator_steps": 2}
    small = shrink(dataclasses.replace(recipes.find(name), **changes))
    trainer = BaseTrainer(small.game(pictures()), 0)
    trainer.compile()
    means = play(trainer, 0, 1)
    assert np.isfinite(list(means.values())).all() and means["r1"] > 0
    assert new_trainer(name).names != trainer.names
