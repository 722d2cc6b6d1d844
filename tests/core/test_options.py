"""Marks of fields: what a resumed run may change, what a search may vary, what is a path."""

import dataclasses

import pytest

from kgen.core import recipe as recipes
from kgen.core.options import MAY_CHANGE, NOT_SEARCHED, PATH, marked
from kgen.core.recipe import Recipe

MAY = """
    data_dir skip_bad devices log_every sample_every checkpoint_every keep on_nan histograms profile evaluate
    evaluate_every evaluate_count
    evaluate_on classifier inception steps
""".split()


def test_what_a_resumed_run_may_change():
    assert marked(Recipe(), MAY_CHANGE) == MAY


def test_what_is_a_path():
    assert marked(recipes.find("classifier"), PATH) == ["data_dir", "classifier", "inception", "start_from"]


@pytest.mark.parametrize("name", recipes.names())
def test_every_path_is_marked(name):
    recipe = recipes.find(name)
    annotated = [f.name for f in dataclasses.fields(recipe) if "Path" in str(f.type) or f.name.endswith("_dir")]
    assert set(annotated) <= {*marked(recipe, PATH), "data_dir"}


def test_numbers_of_the_paper_are_searched_and_clocks_are_not():
    closed = set(marked(recipes.find("autoencoder"), NOT_SEARCHED))
    assert {"folds", "fold", "start_from", "dataset", "keep", "evaluate", "best_by"} <= closed
    assert not {"learning_rate", "batch_size", "latent_dim", "steps", "seed", "precision"} & closed
