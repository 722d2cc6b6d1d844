"""Whose turn it is, and how often; which loss the generator is given."""

import dataclasses

import numpy as np
import pytest

from kgen import data
from kgen.backend import keras
from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.losses.adversarial import LOSSES, AdversarialLoss
from kgen.rng import Rng
from tests.helpers.recipes import pictures, shrink


def game_of(name="dcgan", **changes):
    return shrink(recipes.find(name), **changes).game(pictures(size=28))


@pytest.mark.parametrize("name", ["dcgan", "wgan-gp", "acgan", "improved-gan"])
@pytest.mark.parametrize(
    "discriminator_steps, generator_steps, order",
    [(1, 1, "d0 g0"), (3, 1, "d0 d1 d2 g2"), (1, 2, "d0 g0 g1"), (3, 2, "d0 d1 d2 g1 g2")],
)
def test_the_discriminator_moves_first_and_the_generator_on_the_last_batches(
    name, discriminator_steps, generator_steps, order
):
    game = game_of(name, discriminator_steps=discriminator_steps, generator_steps=generator_steps)
    turns = [f"{turn.__name__[0]}{batch}" for turn, batch in game.play(list(range(game.batches)))]
    assert " ".join(turns) == order


@pytest.mark.parametrize("steps", [(1, 1, "t0"), (3, 1, "d0 d1 t2"), (1, 2, "g0 t1"), (2, 2, "t0 t1")])
def test_a_simultaneous_step_has_lone_turns_first(steps):
    game = game_of("gan", discriminator_steps=steps[0], generator_steps=steps[1])
    turns = [f"{turn.__name__[0]}{batch}" for turn, batch in game.play(list(range(game.batches)))]
    assert " ".join(turns) == steps[2]


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_each_loss_can_be_chosen_and_reaches_the_game(name):
    assert game_of(loss=name).loss is LOSSES[name]


@pytest.mark.parametrize("name", ["wasserstein", "hinge"])
def test_losses_without_a_common_scale_cannot_be_balanced(name):
    with pytest.raises(UsageError, match="--balance must be 0"):
        dataclasses.replace(recipes.find("dcgan"), loss=name, balance=0.1)


def test_a_loss_of_an_unknown_name_is_refused():
    with pytest.raises(UsageError, match="--loss must be one of minimax, non_saturating"):
        dataclasses.replace(recipes.find("dcgan"), loss="least-squares")


@pytest.mark.parametrize("paired", [False, True])
def test_only_a_paired_loss_looks_at_real_images_in_the_generators_turn(paired, monkeypatch):
    game, seen = game_of(), []
    ask = game.discriminate
    monkeypatch.setattr(game, "discriminate", lambda batch: seen.append(float(np.mean(batch))) or ask(batch))

    def generator(*logits):
        assert len(logits) == (2 if paired else 1)
        return keras.ops.mean(logits[-1])

    game.loss = AdversarialLoss(LOSSES["minimax"].discriminator, generator, paired=paired)
    with Rng(0):
        game.generator_turn(np.full((4, 28, 28, 1), 0.75, np.float32))
    assert (0.75 in seen) == paired and len(seen) == 1 + paired


@pytest.mark.parametrize("name", ["dcgan", "sngan-resnet"])  # a rate that is a number, a schedule
def test_the_discriminators_rate_is_a_multiple_of_the_generators(name):
    players = game_of(name, discriminator_rate=4.0, steps=8).players
    rates = [float(players[player].optimizer.learning_rate.numpy()) for player in ("generator", "discriminator")]
    assert rates[1] == pytest.approx(4 * rates[0]) and rates[0] > 0


@pytest.mark.parametrize("count", [0, 1, 257])
def test_too_few_or_too_many_classes_are_refused(count):
    some = data.Images(pictures().images, pictures().labels, tuple(map(str, range(count))))
    with pytest.raises(UsageError, match="2 to 256 classes"):
        shrink(recipes.find("acgan")).game(some)


@pytest.fixture(scope="module")
def game(class_conditional):
    return class_conditional[0]


def test_generated_labels_are_uniform(game):
    with Rng(0):
        labels = game.some_labels(20_000).numpy()
    assert labels.min() == 0 and labels.max() == 9
    assert np.abs(np.bincount(labels) - 2000).max() < 5 * np.sqrt(2000)
