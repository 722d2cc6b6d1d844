"""The memory of a training step, estimated without taking it, against networks whose weights are counted."""

import dataclasses
import math

import keras
import numpy as np
import pytest

from kgen.core import recipe as recipes
from kgen.core.game import Player
from kgen.errors import UsageError
from kgen.runs import build, memory
from tests.helpers.recipes import pictures, shrink, slow_but


def test_a_player_by_hand():
    x = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(5, 3, padding="same")(x)  # 3 3 3 5 + 5 weights, 8 8 5 outputs
    maps = keras.layers.BatchNormalization()(keras.layers.ReLU()(maps))  # 10 weights and 10 statistics, 8 8 5 outputs
    network = keras.Model(x, keras.layers.Dense(2)(keras.layers.Flatten()(maps)))  # 640 + 2 weights, 2 outputs
    trained, statistics, outputs = 3 * 3 * 3 * 5 + 5 + 10 + 642, 10, 2 * 8 * 8 * 5 + 2
    for optimizer, moments in ((keras.optimizers.SGD(), 0), (keras.optimizers.Adam(), 2)):
        found = memory.of_player(Player(network, optimizer), batch=7)
        scalars = 2  # the optimizer's clock and rate
        assert found == 4 * ((2 + moments) * trained + statistics + scalars + 7 * outputs)


@pytest.mark.parametrize("name", slow_but("dcgan", "acai", "vq-vae"))
def test_an_estimate_takes_no_memory_and_counts_every_weight(name):
    recipe = shrink(recipes.find(name))
    data = pictures(8)
    found = memory.estimate(recipe, data)
    built = build.prepare(recipe, data)
    weights = sum(player.network.count_params() for player in built.game.players.values())
    assert found > 8 * weights


@pytest.mark.parametrize(
    "name, changes",
    [
        ("dcgan", {"width": 10**6}),
        ("dcgan", {"width": 10**12}),
        ("dcgan", {"width": 10**23}),
        ("autoencoder", {"units": (10**23,)}),
        ("dcgan", {"latent_dim": 10**9}),
        ("dcgan", {"batch_size": 10**12}),
        ("autoencoder", {"units": (10**6, 10**6)}),
        ("vae", {"latent_dim": 10**8}),
        ("improved-gan", {"width": 10**6}),
        ("improved-gan", {"reference": 10**12}),
    ],
)
def test_what_cannot_fit_is_refused_in_a_sentence(name, changes):
    recipe = dataclasses.replace(recipes.find(name), **changes)
    with pytest.raises(UsageError, match=r"A training step needs .*GB\. Choose smaller numbers; the largest are --"):
        memory.demand_fits(recipe, pictures(4))


def test_the_largest_numbers_are_named_also_those_of_several_layers():
    recipe = dataclasses.replace(recipes.find("autoencoder"), units=(7, 10**10))
    with pytest.raises(UsageError, match=r"the largest are --units 7 10000000000, --"):
        memory.demand_fits(recipe, pictures(4))


def test_what_fits_is_built_as_before():
    """Nothing that the estimate does shows in the weights that are drawn, or in the names of layers."""
    recipe, data = shrink(recipes.find("dcgan")), pictures(8)
    plain = [w for p in build.prepare(recipe, data).game.players.values() for w in p.network.get_weights()]
    before = keras.layers.Dense(1).name
    memory.demand_fits(recipe, data)
    number = int(before.partition("_")[2] or 0)
    assert keras.layers.Dense(1).name == f"dense_{number + 1}"
    after = [w for p in build.prepare(recipe, data).game.players.values() for w in p.network.get_weights()]
    assert all(np.array_equal(one, other) for one, other in zip(plain, after, strict=True))


def test_a_container_may_have_less_than_the_machine(tmp_path, monkeypatch):
    machine = memory.available()
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "LIMITS", (str(limit), "/nowhere"))
    for text, expected in (("max\n", None), ("1000000\n", 1e6)):
        limit.write_text(text)
        assert memory.available() == expected or expected is None and memory.available() >= machine
    assert math.isfinite(memory.available())
