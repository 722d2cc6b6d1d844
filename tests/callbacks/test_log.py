"""The log: its lines, its scalars, and what is forgotten when a run goes on."""

import json
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

from kgen.callbacks.log import Log, forget_after, step_of, tag
from tests.helpers import processes
from tests.helpers.processes import DCGAN

TAGS = {
    "generator_loss": "loss/generator",
    "discriminator_loss": "loss/discriminator",
    "generator_gradient_norm": "norm_of_gradient/generator",
    "discriminator_gradient_norm": "norm_of_gradient/discriminator",
    "real_score": "score/real",
    "fake_score": "score/fake",
}


def pixels(path):
    return np.asarray(Image.open(path))


@pytest.fixture(scope="module")
def run():
    return processes.run_of(processes.uninterrupted(*DCGAN))


def test_the_log_has_every_loss_and_the_speed(run):
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(5, 61, 5))
    assert all(set(line) == {"step", *TAGS, "images_per_second"} for line in lines)
    assert all(line["images_per_second"] > 0 for line in lines)


def test_tensorboard_shows_the_log_and_the_pictures(run):
    events = EventAccumulator(str(run / "train"), size_guidance={"tensors": 0}).Reload()
    assert set(events.Tags()["tensors"]) == {
        "recipe", "samples", *TAGS.values(), "speed/images_per_second", "picture_distance/sample",
        "picture_distance/real", "_hparams_/session_start_info",
    }  # fmt: skip
    for name, tagged in TAGS.items():
        found = [(event.step, float(tf.make_ndarray(event.tensor_proto))) for event in events.Tensors(tagged)]
        assert found == [(line["step"], pytest.approx(line[name], rel=1e-6)) for line in processes.log(run)]
    pictures = {event.step: tf.make_ndarray(event.tensor_proto) for event in events.Tensors("samples")}
    assert list(pictures) == [0, 20, 40, 60]
    for step, (width, height, encoded) in pictures.items():
        shown = tf.io.decode_png(encoded).numpy()[..., 0]
        assert (int(width), int(height)) == shown.shape[::-1]
        np.testing.assert_array_equal(shown, pixels(run / f"samples/{step:06d}.png"))
    (text,) = tf.make_ndarray(events.Tensors("recipe")[0].tensor_proto).ravel()
    assert '"latent_dim": 8' in text.decode()


@pytest.mark.parametrize(
    "name, tagged",
    [
        ("validation_squared_error", "validation/squared_error"),
        ("validation_class_loss", "validation/class_loss"),
        ("best", "validation/best"),
        ("best_loss", "loss/best"),
        ("critic_moves", "moves/critic"),
        ("within_class_distance", "picture_distance/within_class"),
        ("feature_distance", "report/feature_distance"),
        ("reconstruction", "report/reconstruction"),
    ],
)
def test_names_are_grouped(name, tagged):
    assert tag(name) == tagged


class Means:
    """A trainer whose losses are 1, 2, 3..., a number for each time it is asked."""

    asked = 0

    def take_means(self):
        self.asked += 1
        return {"loss": float(self.asked)}


def test_a_line_has_the_step_the_means_and_the_images_since_the_last(tmp_path, monkeypatch):
    seconds = iter([100.0, 102.0, 106.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(seconds))
    log = Log(tmp_path / "log.jsonl", tf.summary.create_noop_writer(), images_per_step=8, every=5, start=20)
    log.set_model(Means())
    log.on_train_begin()
    for batch in range(10):
        log.on_train_batch_end(batch)
    assert [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [
        {"step": 25, "loss": 1.0, "images_per_second": 5 * 8 / 2},
        {"step": 30, "loss": 2.0, "images_per_second": 5 * 8 / 4},
    ]


@pytest.mark.parametrize("step, kept", [(0, []), (5, [5]), (9, [5]), (10, [5, 10]), (20, [5, 10, 15])])
def test_later_and_broken_lines_are_forgotten(step, kept, tmp_path):
    lines = [json.dumps({"step": number}) for number in (5, 10, 15)]
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join([lines[0], "no JSON", '{"no": "step"}', "[]", *lines[1:], '{"step": 1']))
    forget_after(path, step)
    assert path.read_text() == "".join(json.dumps({"step": number}) + "\n" for number in kept)


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    forget_after(tmp_path / "log.jsonl", 5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", ["", "[]", '{"loss": 1}', '{"step": "9"}', '{"step": null}', '{"step":' * 100_000])
def test_a_line_without_a_step_counts_as_incomplete(line):
    assert step_of(line) == float("inf") and step_of('{"step": 9}') == 9
