"""What a recipe asks to be measured is refused where there is no such thing, and doubted where it was trained on."""

import dataclasses

import numpy as np
import pytest

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.images.order import shared
from kgen.training import evaluators
from tests.helpers.measured_runs import MEASURED, small, train


def test_training_images_are_those_that_were_not_held_out():
    recipe = dataclasses.replace(recipes.find("vae"), split="train[:50]", folds=5, fold=1)
    whole, found = evaluators.images_of(recipe, "train[:50]"), evaluators.training_images(recipe)
    assert len(found.images) == 40 == shared(found.images, whole.images)
    held = recipe.divide(whole)[1]
    assert shared(held.images, found.images) == 0
    real = evaluators.real_images(recipe, "test[:20]", ["memorization"], lambda: found)
    assert real.training is found and len(real.labels) == 20 and len(real.classes) == 10
    np.testing.assert_array_equal(real.labels, evaluators.images_of(recipe, "test[:20]").labels)


@pytest.mark.slow
def test_training_images_to_compare_with_are_told(tmp_path):
    with pytest.warns(UserWarning, match="real images to compare with are training images"):
        train(tmp_path, **{**MEASURED, "evaluate": "mmd", "evaluate_on": small().split})


@pytest.mark.parametrize(
    "changes, words",
    [
        (
            {"evaluate": "fit"},
            "--evaluate must be among ais-log-likelihood, classes, classification-accuracy-score, fid, fid-per-class",
        ),
        ({"evaluate": "fid"}, "--classifier RUN"),
        (
            {"evaluate": "memorization", "best_by": "memorization"},
            "--best-by cannot be memorization: neither a higher nor a lower number is better.",
        ),
        ({"evaluate": "fid", "classifier": "nowhere"}, "nowhere is not a run directory"),
        ({"evaluate": "mmd", "evaluate_on": "validation"}, "There is no split 'validation'"),
        ({"evaluate": "mmd", "best_by": "fid"}, "--best-by must be one of --evaluate, mmd, not fid"),
        ({"best_by": "fid"}, "--best-by must be one of --evaluate, which is empty, not fid"),
        ({"evaluate_every": 0}, "--evaluate-every must be at least 1, not 0"),
        ({"classifier": "a", "inception": "b"}, "--classifier must be left out where there is --inception"),
    ],
)
def test_mistakes_are_told_before_there_is_a_run(changes, words, tmp_path):
    with pytest.raises(UsageError, match=words.replace("[", r"\[")):
        train(tmp_path, **changes)
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())
