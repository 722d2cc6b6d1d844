"""Measurements of a model are kept where it lies, and a mistake names what was being measured."""

import dataclasses
import json
import types

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.metrics.measurement import Measurement
from kgen.studies import evaluation

RECIPE = recipes.find("gan")
FOUND = [Measurement(name="fid", label="FID", value=2.5), Measurement(name="kid", label="KID", value=0.25)]


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_measurements_of_a_run_are_lines_and_scalars_of_its_step(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 5, "name": "fid"}\n')
    evaluation.keep(types.SimpleNamespace(path=tmp_path, step=30), FOUND)
    assert [(line["step"], line["name"]) for line in lines(tmp_path)] == [(5, "fid"), (30, "fid"), (30, "kid")]
    events = EventAccumulator(str(tmp_path / "evaluation"), size_guidance={"tensors": 0}).Reload()
    assert [event.step for event in events.Tensors("metrics/kid")] == [30]


def test_measurements_of_an_export_have_no_step_and_no_scalars(tmp_path):
    evaluation.keep(types.SimpleNamespace(path=tmp_path, step=None), FOUND)
    assert [("step" in line, line["value"]) for line in lines(tmp_path)] == [(False, 2.5), (False, 0.25)]
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


class Evaluating:
    """Measures what it was told to."""

    metrics = ("fid", "kid")

    def __call__(self, generator, autoencoder):
        if generator is None:
            raise UsageError("This model draws no images.")
        return {"fid": FOUND[:1], "kid": FOUND[1:]}


def test_measurements_are_one_list_and_what_is_measured_is_said():
    said = []
    assert evaluation.measured("runs/x", ("generator", None), Evaluating(), said.append) == FOUND
    assert said == ["runs/x: fid, kid"]


def test_a_mistake_names_what_was_measured():
    with pytest.raises(UsageError, match="^runs/x: This model draws no images.$"):
        evaluation.measured("runs/x", (None, None), Evaluating(), lambda words: None)


@pytest.mark.parametrize(
    "trained, reference, told", [("train+test", "test", 1), ("train", "test", 0), ("test", "test", 1)]
)
def test_a_model_that_has_seen_the_reference_is_told_in_every_measurement(trained, reference, told, tmp_path):
    found = evaluation.warned(FOUND, dataclasses.replace(RECIPE, split=trained), reference)
    assert [len(each.warnings) for each in found] == [told, told]
    evaluation.keep(types.SimpleNamespace(path=tmp_path, step=None), found)
    assert all(("trained on the split" in str(line["warnings"])) == bool(told) for line in lines(tmp_path))


def test_weights_that_were_chosen_by_the_reference_are_told():
    chosen = dataclasses.replace(RECIPE, evaluate="parzen-report003", best_by="parzen-report003", evaluate_on="test")
    for reference, words in (
        ("test[:100]", ("the weights were chosen as the best on 'test' (--best-by)",)),
        ("train", ()),
    ):
        found = evaluation.warned(FOUND, chosen, reference)
        assert all(len(each.warnings) == len(words) for each in found)
        assert all(text in each.warnings[0] for each in found for text in words)
    held_out = dataclasses.replace(chosen, evaluate_on=None)
    assert evaluation.warned(FOUND, held_out, "test") == FOUND


def test_of_an_export_without_a_recipe_nothing_is_known():
    assert evaluation.warned(FOUND, None, "test") == FOUND
