"""How many steps an epoch has."""

import dataclasses

import pytest

from kgen.core import recipe as recipes
from kgen.training import watchers
from tests.helpers.planted_faults import CLOCKS


@pytest.mark.parametrize(
    "images, batch, batches, execution, steps",
    [
        (80, 20, 1, 1, 4),
        (48_000, 383, 1, 1, 125),
        (80, 20, 2, 1, 2),
        (10, 20, 1, 1, 1),
        (10, 20, 1, 5, 5),
        (1_100, 20, 1, 20, 60),
    ],
)
def test_an_epoch_is_about_as_many_rounds_as_visit_each_image(images, batch, batches, execution, steps):
    numbers = {"batch_size": batch, "steps_per_execution": execution}
    own = dataclasses.replace(recipes.find("autoencoder"), **numbers, **dict.fromkeys(CLOCKS, 5 * execution))
    assert watchers.epoch(own, images, batches) == steps
