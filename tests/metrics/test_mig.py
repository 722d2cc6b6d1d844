"""The mutual information gap on planted codes, against scikit-learn and against NumPy by loops."""

import dataclasses

import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import mutual_info_score

from kgen.core import recipe as recipes
from kgen.data.datasets import shapes
from kgen.errors import UsageError
from kgen.inference import loading
from kgen.metrics import mig
from kgen.metrics.evidence import Evidence, Real
from kgen.metrics.features import Cache
from kgen.metrics.mig import gap, informations
from tests.helpers.recipes import new_trainer, pictures

RANDOM = np.random.default_rng(0)
FACTORS = np.stack([values.ravel() for values in np.meshgrid(*map(np.arange, (3, 4, 5)), indexing="ij")], axis=1)
SHARP = np.full((60, 3), -12.0)


def score(means, log_variances=SHARP, factors=FACTORS):
    return gap(informations(means, log_variances, factors), factors)


def test_a_number_for_each_factor_gives_1():
    order = [2, 0, 1]
    np.testing.assert_allclose(score(FACTORS[:, order]), 1, atol=0.03)
    extra = np.concatenate([FACTORS, RANDOM.normal(size=(60, 1))], axis=1)  # a number of which nothing can be told
    np.testing.assert_allclose(score(extra, np.pad(SHARP, ((0, 0), (0, 1)), constant_values=12.0)), 1, atol=0.03)


def test_rotated_or_doubled_codes_give_0():
    turned = FACTORS @ np.array([[2, -1, 2], [2, 2, -1], [-1, 2, 2]]) / 3  # two numbers tell each factor alike
    assert np.abs(score(turned, SHARP + 8)).max() < 0.1 < 0.8 < score(FACTORS, SHARP + 8).min()
    doubled = FACTORS[:, [0, 0, 1, 1, 2, 2]]
    np.testing.assert_allclose(score(doubled, np.tile(SHARP, 2)), 0, atol=0.02)


def test_codes_that_know_nothing_give_0():
    np.testing.assert_allclose(informations(0 * FACTORS, 0 * SHARP, FACTORS), 0, atol=1e-9)


def test_informations_of_sharp_codes_are_scikit_learns_of_discrete_ones():
    codes = np.stack([FACTORS.sum(axis=1), FACTORS[:, 0] * FACTORS[:, 1], FACTORS[:, 2] // 2], axis=1)
    found = informations(codes, SHARP, FACTORS, draws=20_000)
    expected = [[mutual_info_score(code, values) for values in FACTORS.T] for code in codes.T]
    np.testing.assert_allclose(found, expected, atol=0.02)
    assert np.max(expected) > 0.5


def test_informations_of_broad_codes_are_integrals():
    """Of one number: I = h(z) - h(z|v), by sums over a fine grid."""
    means, log_variances = RANDOM.normal(size=(60, 1)) + FACTORS[:, :1], RANDOM.normal(size=(60, 1)) * 0.3
    z = np.linspace(-12, 15, 20_001)
    each = scipy.stats.norm.pdf(z[:, None], means[:, 0], np.exp(log_variances[:, 0] / 2))

    def entropy(density):
        return -np.trapezoid(density * np.log(np.maximum(density, 1e-300)), z)

    for k, count in enumerate((3, 4, 5)):
        within = np.mean([entropy(each[:, FACTORS[:, k] == v].mean(axis=1)) for v in range(count)])
        expected = entropy(each.mean(axis=1)) - within
        found = informations(means, log_variances, FACTORS, draws=40_000)[0, k]
        assert found == pytest.approx(expected, abs=0.015)


def test_a_gap_is_the_first_less_the_second_over_the_entropy():
    found = np.array([[0.2, 1.0], [0.9, 0.1], [0.5, 0.4]])
    factors = np.array([[0, 0], [0, 1], [1, 2], [1, 0]])
    entropies = [scipy.stats.entropy([2, 2]), scipy.stats.entropy([2, 1, 1])]
    np.testing.assert_allclose(gap(found, factors), [0.4 / entropies[0], 0.6 / entropies[1]])


class Perfect:
    """An encoder that knows the factors."""

    variational, size, shape = True, 5, (32, 32, 1)

    def distributions(self, images):
        np.testing.assert_array_equal(images, shapes.render(shapes.factors()))
        return shapes.factors().astype(np.float32), np.full((len(images), 5), -12, np.float32)


def evidence(autoencoder, dataset="shapes"):
    return Evidence(Real(pictures().images, None, {"dataset": dataset}), None, autoencoder, None, 10, 3, Cache(None))


@pytest.mark.slow
def test_a_measurement_is_of_all_shapes():
    (found,) = mig.measure(evidence(Perfect()))
    assert found.value == pytest.approx(1, abs=0.02) and found.higher and set(found.found) == set(shapes.FACTORS)
    assert found.value == pytest.approx(np.mean(list(found.found.values())))
    assert found.protocol == {"dataset": "shapes", "images": 6144, "draws": 2000, "seed": 3}


def test_mistakes_are_told():
    vae = loading.of_game(new_trainer("vae").best_game()).autoencoder
    with pytest.raises(UsageError, match="is of the dataset shapes"):
        mig.measure(evidence(vae, "mnist"))
    with pytest.raises(UsageError, match="of encoders that give distributions"):
        mig.measure(evidence(loading.of_game(new_trainer("acai").best_game()).autoencoder))
    small = dataclasses.replace(recipes.find("vae"), units=(3,), latent_dim=2).game(pictures(2, size=8))
    with pytest.raises(UsageError, match="32x32 pixels"):
        mig.measure(evidence(loading.of_game(small).autoencoder))
