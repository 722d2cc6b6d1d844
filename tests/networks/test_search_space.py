"""The space that report 002 searched: its ranges, the report's best in it, and that its sizes can be built."""

import dataclasses
import math

import numpy as np
import optuna
import pytest
from optuna.trial import FixedTrial

from kgen.core import recipe as recipes
from kgen.data import Images
from kgen.errors import UsageError

optuna.logging.set_verbosity(optuna.logging.WARNING)
AUTOENCODER = recipes.find("autoencoder")
SHAPE = (28, 28, 1)


@pytest.fixture(scope="module")
def samples():
    """What 500 random trials ask for."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    return [AUTOENCODER.suggest(study.ask()) for _ in range(500)]


def within(values, low, high):
    """Returns whether values lie in a range and come near both of its ends."""
    margin = 0.1 * (high - low)
    inside = all(low <= value <= high for value in values)
    return inside and min(values) <= low + margin and max(values) >= high - margin


def test_the_reports_space_has_its_ranges(samples):
    assert {len(sample["channels"]) for sample in samples} == {2, 3, 4}
    assert {len(sample["units"]) for sample in samples} == {1, 2, 3}
    for level, (channels, units) in enumerate(zip((8, 16, 32, 64), (256, 128, 64, None), strict=True)):
        deep = [sample for sample in samples if len(sample["channels"]) > level]
        assert within([sample["channels"][level] for sample in deep], 4, channels)
        assert {sample["kernels"][level] for sample in deep} == {2, 3, 4, 5, 6}
        assert {sample["strides"][level] for sample in deep} == {1, 2, 3, 4}
        for kernel in (2, 3, 4, 5, 6):
            paddings = {sample["paddings"][level] for sample in deep if sample["kernels"][level] == kernel}
            assert paddings == set(range(kernel // 2 + 1))
        hidden = [sample["units"][level] for sample in samples if len(sample["units"]) > level]
        assert within(hidden, 8, units) if units else not hidden
    for name, low, high in (("encoder_dropout", 0, 0.7), ("latent_dim", 1, 16), ("batch_size", 64, 512)):
        assert within([sample[name] for sample in samples], low, high)
    assert within([math.log10(sample["learning_rate"]) for sample in samples], -5, -1)
    assert within([math.log10(sample["l2"]) for sample in samples], -7, -1)
    assert {sample["patience"] for sample in samples} == set(range(4, 17))
    assert {sample["prune_every"] for sample in samples} == set(range(11))
    for name in (name for name in samples[0] if name.startswith("prune_") and name != "prune_every"):
        assert within([sample[name] for sample in samples if sample["prune_every"]], 0, 0.5)
        assert {sample[name] for sample in samples if not sample["prune_every"]} == {0.0}


def test_the_reports_space_has_the_reports_best_and_what_its_sizes_allow_can_be_built(samples):
    best = {"channels": (6, 12, 17), "kernels": (2, 2, 3), "strides": (1, 1, 3), "paddings": (1, 0, 1), "units": (57,)}
    params = {"convolutions": 3, "hidden_layers": 1, "prunes": True, "units_1": 57, "prune_every": 5}
    names = {"channels": "channels", "kernels": "kernel", "strides": "stride", "paddings": "padding"}
    for field, name in names.items():
        params |= {f"{name}_{number}": value for number, value in enumerate(best[field], 1)}
    for field in ("encoder_dropout", "latent_dim", "learning_rate", "l2", "batch_size", "patience"):
        params[field] = getattr(AUTOENCODER, field)
    params |= {f"prune_{name}": value for name, value in AUTOENCODER.amounts().items()}
    found = dataclasses.replace(recipes.find("autoencoder-basic"), **AUTOENCODER.suggest(FixedTrial(params)))
    assert dataclasses.replace(found, name="autoencoder", loss="bce", steps=AUTOENCODER.steps) == AUTOENCODER
    checked = []
    for sample in samples:
        recipe = dataclasses.replace(AUTOENCODER, **sample)
        try:
            recipe.check(SHAPE)
            checked.append(recipe)
        except UsageError as error:
            assert "leaves nothing" in str(error)
    assert 0.3 < len(checked) / len(samples) < 0.95
    data = Images(np.zeros((2, *SHAPE), np.uint8), None, ())
    for recipe in checked[:2]:
        assert recipe.game(data).autoencoder.output_shape == (None, *SHAPE)
