"""Metrics while training: what they leave, that they disturb nothing, and whose weights are best."""

import json

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from kgen.errors import UsageError
from kgen.images.order import order_by_content, shared
from kgen.inference import loading
from kgen.metrics import evaluator
from kgen.metrics.measurement import Measurement, Metric
from kgen.runs import build, checkpoint, directory
from tests.helpers.measured_runs import MEASURED, small, train

HELD_OUT = {**MEASURED, "evaluate": "mmd", "evaluate_on": None}


def lines(path):
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    return train(tmp_path_factory.mktemp("straight"), **MEASURED)


def weights(run, step=12):
    return (run / f"checkpoints/{step:06d}/state.safetensors").read_bytes()


def test_a_line_and_a_scalar_of_every_number_at_every_step(straight):
    names = ["mmd", "mmd_block", "mmd_linear", "parzen", "parzen_fine"]
    found = lines(straight.run)
    assert [(line["step"], line["name"]) for line in found] == [(step, name) for step in (4, 8, 12) for name in names]
    assert all(line["protocol"]["generated"] == 12 and line["protocol"]["reference"] == "test" for line in found)
    events = EventAccumulator(str(straight.run / "train"), size_guidance={"tensors": 0}).Reload()
    assert [event.step for event in events.Tensors("metrics/parzen")] == [4, 8, 12]
    assert lines(straight.exported) == found


@pytest.mark.slow
def test_a_resumed_run_writes_the_same(straight, tmp_path):
    half = train(tmp_path, steps=8, **MEASURED)
    with (half.run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 10, "name": "stale"}\n')
    whole = train(tmp_path, resume=half.run, **MEASURED)
    assert lines(whole.run) == lines(straight.run)
    assert weights(whole.run) == weights(straight.run)


def test_training_is_not_disturbed(straight, tmp_path):
    assert weights(train(tmp_path).run) == weights(straight.run)


@pytest.mark.parametrize("higher", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_best_weights_are_kept_shown_and_exported(higher, tmp_path, monkeypatch):
    curve = iter([3.0, 1.0, 2.0] if not higher else [-3.0, -1.0, -2.0])

    def planted(name, evidence):
        return [Measurement(name="mmd", label="x", value=next(curve), higher=higher)]

    monkeypatch.setitem(evaluator.all_metrics(), "mmd", Metric(lambda evidence: planted("mmd", evidence)))
    result = train(tmp_path, **{**MEASURED, "evaluate": "mmd", "best_by": "mmd"})
    assert int(result.trainer.best_step.numpy()) == 8
    other = build.prepare(small(**{**MEASURED, "evaluate": "mmd", "best_by": "mmd"}), pictures())
    folder = tmp_path / "eight"
    folder.mkdir()
    (folder / "000008").symlink_to(result.run / "checkpoints/000008")
    assert checkpoint.restore(other, folder) == 8
    best = result.trainer.best_game().generator.get_weights()
    assert all(map(np.array_equal, best, other.game.generator.get_weights()))
    assert not all(map(np.array_equal, best, result.trainer.game.generator.get_weights()))


def pictures():
    return build.load(small())


@pytest.mark.slow
def test_averaged_weights_are_measured(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setitem(evaluator.all_metrics(), "mmd", Metric(lambda evidence: seen.append(evidence.fake) or []))
    result = train(tmp_path, ema=0.9, **{**MEASURED, "evaluate": "mmd"})
    drawn = loading.of_game(result.trainer.best_game()).generator.draw(0, 12)
    live = loading.of_game(result.trainer.game).generator.draw(0, 12)
    np.testing.assert_array_equal(seen[-1], drawn[order_by_content(drawn, "generated")])
    assert np.abs(seen[-1] - live[order_by_content(live, "generated")]).max() > 0


def divided(recipe):
    return recipe.divide(build.load(recipe))


def test_what_is_measured_on_is_held_out(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setitem(evaluator.all_metrics(), "mmd", Metric(lambda evidence: seen.append(evidence.real) or []))
    result = train(tmp_path, **HELD_OUT)
    trained, held = divided(directory.read_recipe(result.run))
    np.testing.assert_array_equal(seen[0].images, held.images)
    whole = pictures().images
    assert len(held.images) == len(whole) // 10 and len(trained.images) + len(held.images) == len(whole)
    assert shared(held.images, trained.images) == shared(held.images, held.images[:0]) == 0
    assert seen[0].about["reference"] == f"{len(held.images)} held out of {small().split}"


def test_a_resumed_run_cannot_begin_to_hold_images_out(tmp_path):
    plain = train(tmp_path, steps=4)
    with pytest.raises(UsageError, match="trains on the images that --evaluate would compare with by default"):
        train(tmp_path, resume=plain.run, steps=8, evaluate="mmd")
    assert directory.read_recipe(plain.run).steps == 4
