"""The promises that every paper's file keeps. Nothing here names a model: a new file in kgen/models is held to all.

The default run holds every paper to what is quick, and few recipes to what is not; `-m slow` holds all to all.
"""

import ast
import dataclasses
import importlib
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.config import disable_op_determinism

from kgen import images
from kgen.core import recipe as recipes
from kgen.data import pipeline
from kgen.errors import UsageError
from kgen.rng import Rng
from kgen.runs import checkpoint
from tests.helpers.recipes import (
    each_round,
    fit,
    new_trainer,
    one_of_each_paper,
    pictures,
    play,
    shrink,
    slow_but,
)

NAMES = recipes.names()
PAPERS = sorted((Path(__file__).parents[2] / "kgen/models").rglob("[!_]*.py"))
every_recipe = pytest.mark.parametrize("name", one_of_each_paper())
in_part = pytest.mark.parametrize("name", slow_but("dcgan", "acai"))
takes_long = pytest.mark.parametrize("name", slow_but("dcgan"))
slow = pytest.mark.parametrize("name", slow_but())
every_paper = pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.stem)


def state(trainer):
    return {key: np.asarray(variable.numpy()) for key, variable in checkpoint.variables(trainer).items()}


def state_of(network):
    return {id(variable): variable.numpy() for variable in network.variables}


def moved(old, new, variable):
    return not np.array_equal(old[id(variable)], new[id(variable)])


def equal(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


@every_recipe
def test_every_variable_is_in_the_checkpoint(name):
    trainer = new_trainer(name, ema=0.9)
    kept = {id(variable) for variable in checkpoint.variables(trainer).values()}
    optimizers = [v for player in trainer.game.players.values() for v in player.optimizer.variables]
    assert [v.path for v in [*trainer.variables, *optimizers] if id(v) not in kept] == []


@in_part
def test_rounds_play_and_move_all_players_from_one_trace(name):
    trainer = new_trainer(name, seed=1)
    before = {player: state_of(getattr(trainer, player)) for player in trainer.game.players}
    losses = play(trainer, 0, 3)
    assert trainer.traces == 1
    assert int(trainer.step) == 3
    assert list(losses) == trainer.names and np.isfinite(list(losses.values())).all()
    assert trainer.optimizer is None  # or learning-rate callbacks would change one that moves nothing
    for player, old in before.items():
        new = state_of(getattr(trainer, player))
        assert any(moved(old, new, v) for v in getattr(trainer, player).trainable_variables), f"{player} learns nothing"
        statistics = [v for v in getattr(trainer, player).variables if v.name.startswith("moving_")]
        assert [v.path for v in statistics if not moved(old, new, v)] == [], "not called with training=True"


@takes_long
def test_eager_equals_compiled(name):
    compiled, eager = new_trainer(name), new_trainer(name, run_eagerly=True)
    same(play(compiled, 0, 3), play(eager, 0, 3), atol=1e-5)


@slow
def test_xla_equals_the_graph_for_20_rounds(name):
    """Each step from the same weights; then 20 steps on their own, at a hundredth of the rates.

    At the full rates runs on their own drift apart: XLA steps otherwise (gradients agree to about 2e-6), and a young
    game amplifies any difference.
    """
    disable_op_determinism()  # Keras drops jit_compile while it is on
    plain, jit = new_trainer(name), new_trainer(name, jit_compile=True)
    assert jit.jit_compile and not plain.jit_compile
    pairs = list(zip(checkpoint.variables(plain).values(), checkpoint.variables(jit).values(), strict=True))
    steps = [each_round(trainer, 20) for trainer in (plain, jit)]
    for _ in range(20):
        same(*map(next, steps))
        for one, other in pairs:
            other.assign(one)
    for trainer in (plain, jit):
        for player in trainer.game.players.values():
            divide_rate(player.optimizer, 100)
        trainer.compile(jit_compile=trainer.jit_compile)  # a schedule is part of the trace
    steps = [each_round(trainer, 20) for trainer in (plain, jit)]
    for _ in range(20):
        same(*map(next, steps))


def divide_rate(optimizer, number):
    schedule = optimizer._learning_rate
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        optimizer._get_current_learning_rate = lambda: schedule(optimizer.iterations) / number
    else:
        optimizer.learning_rate = optimizer.learning_rate / number


def same(one, other, atol=1e-4):
    """Compares all but the norms of gradients, which jump where rounding moves an activation across a kink."""
    names = [name for name in one if not name.endswith("_gradient_norm")]
    np.testing.assert_allclose([one[n] for n in names], [other[n] for n in names], rtol=1e-4, atol=atol)


@in_part
def test_each_turn_moves_exactly_its_players(name):
    trainer = new_trainer(name)
    game = trainer.game
    batches = game.receive(next(iter(pipeline.training_steps(
        pictures(), batch_size=4, batches=game.batches, seed=0, start=0, stop=1, labelled=game.labelled
    ))))  # fmt: skip
    moved = set()
    for number, (turn, batch) in enumerate(game.play(batches)):
        before = {p: [v.numpy() for v in getattr(trainer, p).trainable_variables] for p in game.players}
        with Rng(number):
            values = trainer._take(turn, batch)
        movers = {player for player in game.players if f"{player}_loss" in values}
        assert movers and set(values) <= set(trainer.names)
        for player, weights in before.items():
            now = [v.numpy() for v in getattr(trainer, player).trainable_variables]
            changed = [not np.array_equal(a, b) for a, b in zip(weights, now, strict=True)]
            allowed = values.get(f"{player}_moves", 1.0)  # a update rule may let a mover rest
            assert any(changed) == (player in movers and bool(allowed)), f"{turn.__name__}: {player}"
        moved |= movers
    assert moved == set(game.players)


@takes_long
def test_save_and_restore_are_exact_and_resuming_equals_going_on(name, tmp_path):
    straight, stopped, resumed = (new_trainer(name, ema=0.9) for _ in range(3))
    fit(straight, 0, 4)
    fit(stopped, 0, 2)
    checkpoint.save(stopped, tmp_path, 2)
    for variable in checkpoint.variables(resumed).values():
        variable.assign(keras.ops.ones_like(variable))  # whatever it held must not matter
    assert checkpoint.restore(resumed, tmp_path) == 2
    assert equal(state(stopped), state(resumed))
    fit(resumed, 2, 4)
    assert equal(state(straight), state(resumed))
    assert straight.take_means() == resumed.take_means()


@takes_long
def test_keras_can_save_the_match(name, tmp_path):
    trainer, other = new_trainer(name, seed=1), new_trainer(name, seed=2)
    play(trainer, 0, 1)
    trainer.save_weights(tmp_path / "trainer.weights.h5")
    other.load_weights(tmp_path / "trainer.weights.h5")
    for player in trainer.game.players:
        for one, two in zip(getattr(trainer, player).get_weights(), getattr(other, player).get_weights(), strict=True):
            np.testing.assert_array_equal(one, two)


@takes_long
def test_bfloat16_keeps_weights_losses_and_pictures_in_float32(name):
    trainer = new_trainer(name, policy="mixed_bfloat16")
    assert any(layer.compute_dtype == "bfloat16" for p in trainer.game.players.values() for layer in p.network.layers)
    assert np.isfinite(list(play(trainer, 0, 2).values())).all()
    assert {v.dtype for v in trainer.trainable_variables} == {"float32"}
    networks = [p.network for p in trainer.game.players.values()]
    parts = [layer for network in networks for layer in network.layers if layer.name == "decoder"]
    heads = [head for network in [*networks, *parts] for head in network.outputs]
    assert all(head.dtype == "float32" for head in heads)  # or a score or a pixel would have three digits
    with Rng(0):
        assert trainer.best_game().pictures(2).dtype == tf.float32


@in_part
def test_pictures_are_images_in_the_unit_range(name):
    trainer = new_trainer(name)
    with Rng(0):
        made = trainer.best_game().pictures(5)
    assert made.shape == (5, 32, 32, 1)
    assert images.to_bytes(made).dtype == np.uint8


@takes_long
def test_averages_follow_the_exhibited_networks(name):
    trainer = new_trainer(name, ema=0.5)
    first = {p: average.get_weights() for p, average in trainer.averages.items()}
    play(trainer, 0, 1)  # share of the new weights: 1 - min(0.5, 1 / 10)
    assert set(first) == set(trainer.game.exported)
    for player, old in first.items():
        live, new = getattr(trainer, player).get_weights(), trainer.averages[player].get_weights()
        for a, b, c in zip(old, live, new, strict=True):
            np.testing.assert_allclose(c, a + 0.9 * (b - a), rtol=1e-5, atol=1e-6)
        assert trainer.current_game().__dict__[player] is trainer.averages[player]
        assert trainer.best_game().__dict__[player] is (trainer.best or trainer.averages)[player]


@every_recipe
def test_a_recipe_survives_json(name):
    own = dataclasses.replace(recipes.find(name), classes="3,7", data_dir=Path("/data"), seed=5)
    assert recipes.from_json(own.to_json()) == own


@takes_long
@pytest.mark.parametrize(
    "size", [(5, 5), (28, 28), (32, 32), (48, 48), (64, 64), (32, 48), (96, 64), (20, 30)], ids=str
)
def test_a_size_is_taken_or_refused_in_a_sentence(name, size):
    small = shrink(recipes.find(name))
    try:
        game = small.game(pictures(size=size, channels=3))
    except UsageError as refusal:
        assert "x".join(map(str, size)) in str(refusal) and "--image-size" in str(refusal)
    else:
        with Rng(0):
            assert game.pictures(1).shape == (1, *size, 3)


def module_of(path):
    folder = Path(__file__).parents[2]
    return importlib.import_module(".".join(path.relative_to(folder).with_suffix("").parts))


@every_paper
def test_a_paper_names_its_source_and_its_recipes(path):
    module = module_of(path)
    found = set(getattr(module, "RECIPES", {}))
    assert "arXiv:" in module.__doc__
    assert found <= set(NAMES) and (found or "def play(" in path.read_text())


@every_paper
def test_a_paper_is_a_readable_file(path):
    tree = ast.parse(path.read_text())
    assert len(path.read_text().splitlines()) <= 250
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 50, node.name
    public = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and not n.name.startswith("_")]
    assert [n.name for n in public if not ast.get_docstring(n)] == []


def test_papers_import_without_tensorflow():
    code = "import sys\nfrom kgen.core import recipe\nrecipe.names()\nassert 'tensorflow.python' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
