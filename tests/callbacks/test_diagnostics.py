"""What is said of a trainer that goes wrong, and when; distances against SciPy; what a real training leaves."""

import dataclasses
import json
import math
import types

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file
from scipy.spatial.distance import pdist
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tqdm import tqdm

from kgen import rng
from kgen.callbacks import Diagnostics
from kgen.callbacks.diagnostics import COLLAPSED, SATURATED, comparable, distances, pairwise, scores_are_probabilities
from kgen.core import recipe as recipes
from kgen.core.game import Game
from kgen.data import Images, pipeline
from kgen.losses.adversarial import LOSSES
from kgen.runs import build
from kgen.training import train as training
from tests.helpers.processes import log

RANDOM = np.random.default_rng(0)
CLASSES = ("a", "b", "c")
REAL = Images(RANDOM.integers(0, 256, (90, 6, 6, 1), np.uint8), np.repeat(np.arange(3), 30), CLASSES)
FINE, SURE = (0.7, 0.3), (0.995, 0.005)  # D(x), D(G(z))
VARIED, EQUAL = (1.0, 1.0), (0.1, 0.1)  # how far pictures are spread, across and within classes


class Planted(Game):
    """A game whose pictures are noise around grey, spread as `spread` says."""

    def __init__(self, classes=(), loss="non_saturating"):
        super().__init__()
        self.classes, self.loss, self.spread, self.seen = classes, LOSSES.get(loss), VARIED, []

    def pictures(self, count):
        noise = rng.current().uniform((count, 6, 6, 1), -0.5, 0.5).numpy()
        self.seen.append(noise)
        across, within = self.spread
        group = np.arange(count) * 3 // count  # those of the classes, where there are
        middles = noise[np.searchsorted(group, group)]
        return 0.5 + across * middles / 2 + within * (noise - middles) / 2


def match_of(game, names=("real_score", "fake_score")):
    trainer = types.SimpleNamespace(game=game, names=names, steps_summed=np.float32(0), values=FINE)
    trainer.steps_summed = types.SimpleNamespace(numpy=lambda: trainer.steps)
    trainer.steps, trainer.best_game = 0, lambda: game
    trainer.means = lambda: dict(zip(trainer.names, trainer.values, strict=True))
    return trainer


def watch(path, story, trainer, stop, start=0, every=10, real=REAL):
    """Plays `(scores, spread)` of `story`, one for each look from step 0 on, to step `stop`, and finishes."""
    watcher = Diagnostics(path, tf.summary.create_noop_writer(), real, every, start, seed=3)
    watcher.set_model(trainer)
    trainer.game.spread = story[0][1]
    watcher.on_train_begin()
    for step in range(start + 1, stop + 1):
        trainer.steps = 1
        trainer.values, trainer.game.spread = story[-(-step // every)]
        watcher.on_train_batch_end(step - start - 1)
    watcher.finish(stop)
    return lines_of(path)


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def said(capsys):
    """Returns `[(step, name)]` of the sentences on stderr."""
    sentences = [line.split(": ") for line in capsys.readouterr().err.splitlines()]
    return [(int(step.removeprefix("step ")), name) for step, name, *_ in sentences]


def listed(lines):
    return {line["step"]: line["warnings"] for line in lines if line["warnings"]}


def test_saturated_is_said_once_and_again_after_it_had_ceased(tmp_path, capsys):
    scores = [FINE, SURE, SURE, (0.995, 0.02), SURE, (0.98, 0.005), SURE]
    lines = watch(tmp_path / "d.jsonl", [(score, VARIED) for score in scores], match_of(Planted()), 60)
    assert listed(lines) == {step: [SATURATED] for step in (10, 20, 40, 60)}
    assert said(capsys) == [(10, SATURATED), (40, SATURATED), (60, SATURATED)]


def test_the_sentence_has_the_numbers_and_what_to_try(tmp_path, capsys):
    story = [(FINE, EQUAL), (SURE, EQUAL), (SURE, EQUAL)]
    line = watch(tmp_path / "d.jsonl", story, match_of(Planted(CLASSES)), 20)[-1]
    first, second = capsys.readouterr().err.splitlines()
    assert "D(x) is 0.9950 and D(G(z)) 0.0050" in first and "--r1 1" in first
    for name in ("sample_distance", "real_distance", "within_class_distance", "real_within_class_distance"):
        assert f"{line[name]:.4f}" in second
    assert first.count(".\n") == second.count(".\n") == 0 and first[-1] == second[-1] == "."
    flags = {word.rstrip(",.;)") for word in f"{first} {second}".split() if word.startswith("--")}
    fields = {"--" + field.name.replace("_", "-") for field in dataclasses.fields(recipes.find("dcgan"))}
    assert flags - {"--model"} <= fields and recipes.find("wgan-gp")


@pytest.mark.parametrize(
    "objective, probability",
    [("minimax", True), ("non_saturating", True), ("of its own", True)]
    + [(name, False) for name in ("wasserstein", "hinge", "least_squares")],
)
def test_a_critic_is_never_saturated(objective, probability, tmp_path, capsys):
    game = Planted(loss=objective)
    assert scores_are_probabilities(game) == probability
    lines = watch(tmp_path / "d.jsonl", [(SURE, VARIED)] * 3, match_of(game), 20)
    assert listed(lines) == ({10: [SATURATED], 20: [SATURATED]} if probability else {})
    assert said(capsys) == [(10, SATURATED)] * probability


def test_collapsed_is_said_at_the_second_look_and_again_after_it_had_ceased(tmp_path, capsys):
    spreads = [EQUAL, EQUAL, VARIED, EQUAL, EQUAL, EQUAL, VARIED, EQUAL, EQUAL]
    lines = watch(tmp_path / "d.jsonl", [(FINE, spread) for spread in spreads], match_of(Planted()), 80)
    assert listed(lines) == {step: [COLLAPSED] for step in (40, 50, 80)}
    assert said(capsys) == [(40, COLLAPSED), (80, COLLAPSED)]


@pytest.mark.parametrize("share, collapsed", [(0.29, True), (0.31, False)])
def test_where_the_line_is_drawn(share, collapsed, tmp_path):
    game = Planted()
    story = [(FINE, VARIED)] * 3
    watch(tmp_path / "a.jsonl", story, match_of(game), 20)
    (line,) = lines_of(tmp_path / "a.jsonl")[-1:]
    factor = share * line["real_distance"] / line["sample_distance"]
    lines = watch(tmp_path / "b.jsonl", [(FINE, (factor, factor))] * 3, match_of(game), 20)
    assert lines[-1]["sample_distance"] == pytest.approx(share * line["real_distance"], rel=1e-3)
    assert listed(lines) == ({20: [COLLAPSED]} if collapsed else {})


def test_one_picture_a_class_is_a_collapse_that_only_classes_show(tmp_path, capsys):
    story = [(FINE, (2.0, 0.0))] * 3
    plain = watch(tmp_path / "plain.jsonl", story, match_of(Planted()), 20)
    assert listed(plain) == {} and "within_class_distance" not in plain[-1]
    lines = watch(tmp_path / "classes.jsonl", story, match_of(Planted(CLASSES)), 20)
    assert listed(lines) == {20: [COLLAPSED]} and said(capsys) == [(20, COLLAPSED)]
    assert lines[-1]["within_class_distance"] == 0 < lines[-1]["real_within_class_distance"]
    assert lines[-1]["sample_distance"] > 0.3 * lines[-1]["real_distance"]


def test_every_look_is_at_the_same_noise(tmp_path):
    game = Planted()
    watch(tmp_path / "d.jsonl", [(FINE, VARIED)] * 3, match_of(game), 20)
    truth = rng.Rng(3).uniform((64, 6, 6, 1), -0.5, 0.5).numpy()
    assert len(game.seen) == 3 and all((noise == truth).all() for noise in game.seen)


# Resuming, ends, and games of other kinds.

STORY = [(FINE, EQUAL), (SURE, EQUAL), (SURE, EQUAL), (SURE, EQUAL), (FINE, VARIED), (SURE, EQUAL), (SURE, EQUAL)]


@pytest.mark.parametrize("start", [0, 5, 10, 14, 20, 29, 30, 45, 50])
def test_a_resumed_run_says_what_an_uninterrupted_one_says(start, tmp_path, capsys):
    straight = watch(tmp_path / "straight.jsonl", STORY, match_of(Planted(CLASSES)), 60)
    whole = said(capsys)
    assert whole == [(10, SATURATED), (20, COLLAPSED), (50, SATURATED), (60, COLLAPSED)]
    watch(tmp_path / "resumed.jsonl", STORY, match_of(Planted(CLASSES)), min(start + 9, 59) // 10 * 10)
    with (tmp_path / "resumed.jsonl").open("a") as file:
        file.write('{"step": ')  # a kill
    capsys.readouterr()
    assert watch(tmp_path / "resumed.jsonl", STORY, match_of(Planted(CLASSES)), 60, start) == straight
    assert said(capsys) == [(step, name) for step, name in whole if step > start]


def test_a_look_without_means_leaves_the_warning_as_it_was(tmp_path, capsys):
    """At the end of a run the log may have taken the means already; with more steps the run goes on."""
    trainer, path = match_of(Planted()), tmp_path / "d.jsonl"
    watch(path, [(FINE, VARIED), (SURE, VARIED)], trainer, 10)
    watcher = Diagnostics(path, tf.summary.create_noop_writer(), REAL, 10, start=10, seed=3)
    watcher.set_model(trainer)
    watcher.on_train_begin()
    trainer.steps = 0
    watcher.finish(15)
    lines = watch(path, [(SURE, VARIED)] * 3, trainer, 20, start=15)
    assert [line["step"] for line in lines] == [0, 10, 15, 20]
    assert set(lines[0]) == set(lines[2]) == {"step", "sample_distance", "real_distance", "warnings"}
    assert listed(lines) == {step: [SATURATED] for step in (10, 15, 20)} and said(capsys) == [(10, SATURATED)]


def test_the_end_of_a_run_is_looked_at(tmp_path):
    lines = watch(tmp_path / "d.jsonl", STORY[:3], match_of(Planted()), 17)
    assert [line["step"] for line in lines] == [0, 10, 17]


def test_games_without_scores_and_games_without_pictures(tmp_path, capsys):
    trainer = match_of(Planted(), names=("encoder_loss", "decoder_loss"))
    lines = watch(tmp_path / "a.jsonl", [(FINE, EQUAL)] * 3, trainer, 20)
    assert set(lines[-1]) == {"step", "encoder_loss", "decoder_loss", "sample_distance", "real_distance", "warnings"}
    assert listed(lines) == {20: [COLLAPSED]}
    trainer = match_of(Game())
    lines = watch(tmp_path / "b.jsonl", [(SURE, EQUAL)] * 2, trainer, 10)
    assert lines == [
        {"step": 0, "warnings": []},
        {"step": 10, "real_score": 0.995, "fake_score": 0.005, "warnings": [SATURATED]},
    ]


def test_pictures_that_are_no_numbers_leave_a_line_of_json(tmp_path):
    lines = watch(tmp_path / "d.jsonl", [(FINE, (math.nan, math.nan))] * 2, match_of(Planted()), 10)
    assert set(lines[-1]) == {"step", "real_score", "fake_score", "real_distance", "warnings"}
    assert "NaN" not in (tmp_path / "d.jsonl").read_text()


def test_the_progress_bar_is_not_torn(tmp_path, capsys):
    with tqdm(total=100, mininterval=0) as bar:
        bar.update(3)
        watch(tmp_path / "d.jsonl", [(SURE, VARIED)] * 2, match_of(Planted()), 10)
    (line,) = [line for line in capsys.readouterr().err.split("\n") if SATURATED in line]
    assert line.split("\r")[-1].startswith("step 10: ") and line.split("\r")[-2].strip() == ""


# Distances.


def test_distances_against_scipy():
    pictures = RANDOM.uniform(0, 1, (7, 5, 4, 3))
    truth = pdist(pictures.reshape(7, -1)) / math.sqrt(60)
    np.testing.assert_allclose(pairwise(pictures)[np.triu_indices(7, 1)], truth, rtol=1e-12)
    assert distances(pictures) == {"sample_distance": pytest.approx(truth.mean(), abs=1e-6)}
    labels = np.array([0, 2, 0, 2, 2, 5, 0])  # 5 has no pair
    within = [pdist(pictures[labels == label].reshape(3, -1)).mean() / math.sqrt(60) for label in (0, 2)]
    assert distances(pictures, labels) == {
        "sample_distance": pytest.approx(truth.mean(), abs=1e-6),
        "within_class_distance": pytest.approx(np.mean(within), abs=1e-6),
    }


def test_the_scale_of_distances():
    black, white = np.zeros((1, 8, 8, 3), np.float32), np.ones((1, 8, 8, 3), np.float32)
    assert distances(np.concatenate([black, white])) == {"sample_distance": 1.0}
    assert distances(np.repeat(RANDOM.uniform(0, 1, (1, 8, 8, 3)), 5, axis=0)) == {"sample_distance": 0.0}
    assert distances(black) == distances(black, np.zeros(1)) == {}


def test_near_copies_are_told_apart():
    """A Gram matrix in float32, or of pictures far from the origin, loses such differences."""
    pictures = 0.9 + 1e-5 * RANDOM.uniform(0, 1, (6, 32, 32, 3))
    truth = pdist(pictures.reshape(6, -1)) / math.sqrt(3072)
    np.testing.assert_allclose(pairwise(pictures)[np.triu_indices(6, 1)], truth, rtol=1e-6)


def test_real_images_are_those_of_real_png():
    pictures, labels = comparable(REAL, 12, 0, seed=3)
    np.testing.assert_array_equal(pictures * 255, REAL.images[pipeline.indices(3, 0, 12, 90)])
    assert labels is None
    assert len(comparable(REAL, 100, 0, seed=3)[0]) == 90, "no image twice, which would be a distance of 0"


def test_real_images_have_the_classes_of_the_sheet():
    pictures, labels = comparable(REAL, 12, 3, seed=3)
    np.testing.assert_array_equal(labels, np.repeat([0, 1, 2], 4))
    rows = [np.flatnonzero((REAL.images == picture * 255).all(axis=(1, 2, 3))) for picture in pictures]
    assert len({int(row) for (row,) in rows}) == 12
    np.testing.assert_array_equal(REAL.labels[np.concatenate(rows)], labels)
    assert len(comparable(Images(REAL.images[28:32], REAL.labels[28:32], CLASSES), 12, 3, seed=3)[0]) == 4
    assert comparable(REAL._replace(labels=None), 12, 3, seed=3)[1] is None


# A real training.

SMALL = {"generator_width": 16, "discriminator_units": 4, "pieces": 2, "latent_dim": 8, "batch_size": 8, "ema": 0.9}
CLOCKS = {"steps": 22, "log_every": 5, "sample_every": 10, "checkpoint_every": 5}
MEANS = {
    "generator_loss", "discriminator_loss", "generator_gradient_norm", "discriminator_gradient_norm", "real_score",
    "fake_score",
}  # fmt: skip


def train(folder, resume=None, **changes):
    small = dataclasses.replace(recipes.find("gan"), **{**SMALL, **CLOCKS, **changes})
    return training.train(small, folder / "runs", folder / "exports", resume).run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("straight"))


def test_a_training_leaves_a_diagnosis(run):
    lines = lines_of(run / "diagnosis.jsonl")
    assert [line["step"] for line in lines] == [0, 10, 20, 22]
    pictured = {"step", "sample_distance", "real_distance", "warnings"}
    assert [set(line) for line in lines] == [pictured] + 3 * [pictured | MEANS]
    logged = {line["step"]: line for line in log(run)}
    for line in lines[1:]:
        assert {name: line[name] for name in MEANS} == {name: logged[line["step"]][name] for name in MEANS}
    images = build.load(recipes.find("gan")).images
    real = images[pipeline.indices(0, 0, 64, len(images))].reshape(64, -1) / 255
    assert lines[-1]["real_distance"] == pytest.approx(pdist(real).mean() / 28, abs=1e-6)


def test_tensorboard_has_the_diagnosis(run):
    events = EventAccumulator(str(run / "train"), size_guidance={"tensors": 0}).Reload()
    lines = lines_of(run / "diagnosis.jsonl")
    for name in ("sample", "real"):
        points = events.Tensors(f"picture_distance/{name}")
        found = [(event.step, float(tf.make_ndarray(event.tensor_proto))) for event in points]
        assert found == [(line["step"], pytest.approx(line[f"{name}_distance"], rel=1e-6)) for line in lines]


@pytest.mark.slow
def test_a_resumed_training_leaves_the_same_file(run, tmp_path):
    first = train(tmp_path, steps=10)
    train(tmp_path, first)
    assert (first / "diagnosis.jsonl").read_bytes() == (run / "diagnosis.jsonl").read_bytes()


@pytest.mark.slow
def test_looking_changes_nothing(run, tmp_path, monkeypatch):
    monkeypatch.setattr(Diagnostics, "on_train_begin", lambda self, logs=None: None)
    monkeypatch.setattr(Diagnostics, "at", lambda self, step: None)
    blind = train(tmp_path)
    assert not (blind / "diagnosis.jsonl").exists() and log(blind) == log(run)
    state, other = (load_file(path / "checkpoints/000022/state.safetensors") for path in (run, blind))
    for name in state:
        np.testing.assert_array_equal(state[name], other[name], name)
