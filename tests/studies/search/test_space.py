"""Spaces of a hyper-parameter search: the grammar of --vary, and what the report searched."""

import optuna
import pytest

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.studies.search import space

optuna.logging.set_verbosity(optuna.logging.WARNING)
AUTOENCODER = recipes.find("autoencoder")


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
