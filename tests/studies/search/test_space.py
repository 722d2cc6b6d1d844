"""Spaces of a hyper-parameter search: the grammar of --vary, and what the report searched."""

import dataclasses
import math

import numpy as np
import optuna
import pytest
from optuna.trial import FixedTrial

from kgen.core import recipe as recipes
from kgen.data import Images
from kgen.errors import UsageError
from kgen.studies.search import space

optuna.logging.set_verbosity(optuna.logging.WARNING)
AUTOENCODER = recipes.find("autoencoder")
SHAPE = (28, 28, 1)


def asked(text, name="autoencoder", seed=0):
    """Returns what 50 trials ask for one axis."""
    (axis,) = space.parse([text], recipes.find(name))
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
    return [axis.suggest(study.ask()) for _ in range(50)]


# The grammar.


def test_a_range_of_numbers():
    values = asked("encoder_dropout=0..0.7")
    assert all(type(value) is float and 0 <= value <= 0.7 for value in values)
    assert min(values) < 0.1 and max(values) > 0.6


def test_a_range_on_a_logarithm():
    values = asked("learning-rate = 1e-5 .. 1e-1 : log")
    assert all(1e-5 <= value <= 1e-1 for value in values)
    assert 15 <= sum(value < 1e-3 for value in values) <= 35  # the middle of the exponents


def test_a_range_of_whole_numbers_has_both_ends():
    assert set(asked("latent_dim=1..4")) == {1, 2, 3, 4}
    assert all(type(value) is int for value in asked("batch_size=8..512:log"))


@pytest.mark.parametrize(
    "text, name, values",
    [
        ("latent_dim=2, 8", "autoencoder", {2, 8}),
        ("loss=bce,mse", "autoencoder", {"bce", "mse"}),
        ("anneal=true,False", "autoencoder", {True, False}),
        ("noise=none,uniform:0.7", "autoencoder", {None, "uniform:0.7"}),
        ("units=64,128+64", "autoencoder", {(64,), (128, 64)}),
        ("l2=0,1e-5", "dcgan", {0.0, 1e-5}),
    ],
)
def test_a_choice(text, name, values):
    found = asked(text, name)
    assert set(found) == values
    assert {type(value) for value in found} == {type(value) for value in values}


@pytest.mark.parametrize(
    "text, words",
    [
        ("learning_rate", "--vary learning_rate cannot be read: write FIELD=LOW..HIGH"),
        ("=1..2", "cannot be read"),
        ("learning_rate=", "cannot be read"),
        ("learning_rat=1..2", "no such field. Did you mean learning_rate?"),
        ("zzz=1..2", "no such field. There are: dataset, split"),
        ("learning_rate=2..1", "the low end must be below the high one"),
        ("learning_rate=1..1", "the low end must be below the high one"),
        ("learning_rate=a..1", "both ends must be numbers"),
        ("learning_rate=1..2..3", "both ends must be numbers"),
        ("learning_rate=..1", "both ends must be numbers"),
        ("learning_rate=1..inf", "both ends must be numbers"),
        ("learning_rate=nan..1", "both ends must be numbers"),
        ("learning_rate=1..2:exp", "after the colon only log is accepted, not 'exp'"),
        ("learning_rate=-1..1:log", "a logarithm needs a low end above 0"),
        ("learning_rate=0..1", "--learning-rate must be above 0, not 0.0."),
        ("latent_dim=0..4", "--latent-dim must be at least 1, not 0."),
        ("encoder_dropout=0..1", "--encoder-dropout must be at least 0 and below 1, not 1.0."),
        ("latent_dim=1.5..4", "both ends must be whole numbers"),
        ("latent_dim=1e1..20", "both ends must be whole numbers"),
        ("latent_dim=2,x", "'x' is no whole number"),
        ("latent_dim=2,2", "two or more values that differ"),
        ("latent_dim=2", "two or more values that differ"),
        ("learning_rate=1e-3,", "'' is no number"),
        ("loss=bce,mae", "'mae' is none of bce, mse"),
        ("loss=bce..mse", "'bce..mse' is none of bce, mse"),
        ("anneal=yes,no", "'yes' is none of true, false"),
        ("channels=6+12+17,6", "--kernels must be as many numbers as --channels has, 1"),
        ("noise=none,fog:1", "fog"),
        ("dataset=mnist,cifar10", "this field is not searched"),
        ("fold=0..1", "this field is not searched"),
        ("log_every=1..9", "this field is not searched"),
    ],
)
def test_a_mistake_in_the_grammar_is_a_sentence(text, words):
    with pytest.raises(UsageError) as error:
        space.parse([text], AUTOENCODER)
    assert words in str(error.value) and "--vary" in str(error.value)


def test_a_field_is_given_once():
    with pytest.raises(UsageError, match="latent_dim is given twice"):
        space.parse(["latent_dim=1..2", "latent-dim=3,4"], AUTOENCODER)


# The report's space.


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
