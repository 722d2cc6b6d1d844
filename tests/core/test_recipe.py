"""Recipes: their JSON, their names, their bounds. Every model's own is in test_every_model.py."""

import dataclasses
import json
import math
from pathlib import Path

import pytest

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.runs import build

DCGAN = recipes.find("dcgan")


def with_fields(**changes):
    return json.dumps({**json.loads(DCGAN.to_json()), **changes})


def test_names_are_sorted_and_found():
    assert recipes.names() == sorted(recipes.names()) and {"dcgan", "gan"} <= set(recipes.names())
    assert all(isinstance(recipes.find(name), recipes.Recipe) for name in recipes.names())


@pytest.mark.parametrize(
    "name, hint", [("dcgam", "Did you mean dcgan?"), ("gna", "Did you mean gan?"), ("", "There are")]
)
def test_an_unknown_name_brings_the_nearest_and_all(name, hint):
    with pytest.raises(UsageError) as refusal:
        recipes.find(name)
    assert repr(name) in str(refusal.value) and hint in str(refusal.value)
    assert ", ".join(recipes.names()) in str(refusal.value)


def test_a_far_name_brings_no_guess():
    with pytest.raises(UsageError) as refusal:
        recipes.find("qqqqqq")
    assert "Did you mean" not in str(refusal.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"data_dir": Path("/some where/ümläut")},
        {"classes": "horse,bird"},
        {"image_size": 64, "learning_rate": 1e-30, "first_norm": True},
        {"dataset": 'folder:/a "quoted" \\ path'},
    ],
)
def test_json_brings_back_what_it_was_given(changes):
    own = dataclasses.replace(DCGAN, **changes)
    assert recipes.from_json(own.to_json()) == own


def test_fields_that_are_missing_are_the_recipes_own():
    assert recipes.from_json('{"model": "dcgan", "steps": 7}') == dataclasses.replace(DCGAN, steps=7)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", "null", '"x"', "{}", "NaN", "\x00", '{"model": "dcgan"', "[" * 10**5]
)
def test_what_is_no_recipe_is_named(text):
    with pytest.raises(UsageError, match="^my.json is not a recipe: "):
        recipes.from_json(text, "my.json")


def test_a_field_of_another_version_is_named():
    with pytest.raises(UsageError, match="my.json has fields .* does not know: beta3, gamma"):
        recipes.from_json(with_fields(gamma=1, beta3=2), "my.json")


@pytest.mark.parametrize("model", ["nobody", 3, None, ["gan"]])
def test_a_model_that_there_is_not(model):
    with pytest.raises(UsageError, match="There is no model"):
        recipes.from_json(with_fields(model=model))


@pytest.mark.parametrize(
    "name, value",
    [
        ("steps", "many"), ("steps", None), ("steps", 2.0), ("steps", True), ("image_size", 64.5), ("seed", 1e3),
        ("learning_rate", "fast"), ("first_norm", "no"), ("first_norm", 1), ("crop", "middle"), ("jit", True),
        ("classes", 3), ("classes", ["3"]), ("data_dir", 5), ("dataset", 7), ("dataset", None),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_kind_is_named(name, value):
    with pytest.raises(UsageError, match=f"^my.json: {name} cannot be "):
        recipes.from_json(with_fields(**{name: value}), "my.json")


@pytest.mark.parametrize(
    "name, value",
    [
        ("learning_rate", 1),
        ("image_size", None),
        ("image_size", 64),
        ("image_size", "64x96"),
        ("data_dir", None),
        ("classes", None),
    ],
)
def test_a_field_of_a_fitting_kind_is_taken(name, value):
    found = recipes.from_json(with_fields(**{name: value}))
    assert getattr(found, name) == value


@pytest.mark.parametrize(
    "name, low, high, refused",
    [
        ("steps", 1, 10**9, [0, -1]), ("batch_size", 1, 10**6, [0]), ("keep", 1, 99, [0]), ("log_every", 1, 99, [0]),
        ("sample_every", 1, 99, [0]), ("checkpoint_every", 1, 99, [0]), ("steps_per_execution", 1, 1, [0, -2]),
        ("seed", 0, 2**31 - 1, [-1, 2**31]), ("ema", 0.0, 0.9999, [-0.1, 1.0, float("nan")]),
        ("image_size", 4, 1024, [3, 1025, 0]), ("image_size", "4x9", "9x1024", ["3x4", "4x1025", "64x", "big", "x64"]),
    ],
)  # fmt: skip
def test_the_bounds_are_inside_and_what_is_beyond_is_refused(name, low, high, refused):
    for value in (low, high):
        assert getattr(dataclasses.replace(DCGAN, **{name: value}), name) == value
    for value in refused:
        with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')} must be .*, not {value}"):
            dataclasses.replace(DCGAN, **{name: value})


@pytest.mark.parametrize("name", ["steps", "log_every", "sample_every", "checkpoint_every"])
def test_clocks_are_multiples_of_the_rounds_per_execution(name):
    clocks = {"steps": 20, "log_every": 10, "sample_every": 10, "checkpoint_every": 10, "steps_per_execution": 5}
    assert dataclasses.replace(DCGAN, **clocks).steps_per_execution == 5
    with pytest.raises(
        UsageError, match=f"--{name.replace('_', '-')} must be a multiple of --steps-per-execution 5, not 7"
    ):
        dataclasses.replace(DCGAN, **{**clocks, name: 7})


@pytest.mark.parametrize("given", ["3,7", "3, 7", ",3,,7,"])
def test_classes_are_separated_by_commas(given):
    loaded = build.load(dataclasses.replace(DCGAN, classes=given))
    assert loaded.classes == ("3", "7") and len(loaded.images) == 900


def test_a_recipe_cannot_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        DCGAN.steps = 1


def test_the_best_of_a_run_that_holds_images_out_is_its_validations():
    with pytest.raises(UsageError, match="--best-by must be left out where images are held out"):
        dataclasses.replace(recipes.find("autoencoder"), evaluate="mmd", best_by="mmd")


@pytest.mark.parametrize("name", recipes.names())
def test_numbers_must_be_finite(name):
    recipe = recipes.find(name)
    fields = [f.name for f in dataclasses.fields(recipe) if isinstance(getattr(recipe, f.name), float)]
    for field in fields:
        for value in (math.nan, math.inf, -math.inf):
            with pytest.raises(UsageError, match=f"^--{field.replace('_', '-')} must be"):
                dataclasses.replace(recipe, **{field: value})


def test_what_is_compared_are_the_numbers_of_the_model_and_its_data():
    compared = recipes.compared(recipes.find("autoencoder"))
    assert {"model", "dataset", "image_size", "steps", "batch_size", "seed", "learning_rate", "folds"} <= set(compared)
    others = (
        "patience histograms profile keep log_every sample_every checkpoint_every evaluate_every evaluate_count on_nan"
    )
    assert not {*others.split(), "data_dir", "start_from", "classifier", "jit", "steps_per_execution"} & set(compared)
