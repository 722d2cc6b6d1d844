"""A fitted density against scikit-learn's and SciPy's, and the export that draws from it."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from sklearn.mixture import GaussianMixture

from kgen.errors import UsageError
from kgen.export.saved_model import export
from kgen.inference import loading
from kgen.studies.sampler import fit, sampler
from tests.helpers import autoencoders
from tests.helpers.recipes import new_trainer, pictures

RANDOM = np.random.default_rng(0)
WEIGHTS = np.array([0.5, 0.3, 0.2])
MEANS = np.array([[0.0, 0.0], [8.0, 1.0], [-3.0, 9.0]])
COVARIANCES = np.array([[[1.0, 0.8], [0.8, 1.0]], [[0.5, 0.0], [0.0, 2.0]], [[1.5, -0.9], [-0.9, 1.0]]])
CHOSEN = RANDOM.choice(3, size=6_000, p=WEIGHTS)
PLANTED = np.stack([RANDOM.multivariate_normal(MEANS[k], COVARIANCES[k]) for k in CHOSEN])


def density(mixture, z):
    """Returns the log-density of z `(n, size)` under a mixture, by SciPy."""
    each = [
        np.log(w) + scipy.stats.multivariate_normal(m, f @ f.T).logpdf(z)
        for w, m, f in zip(mixture.weights, mixture.means, mixture.factors, strict=True)
    ]
    return np.logaddexp.reduce(each, axis=0)


def test_a_planted_mixture_is_found():
    found = fit(np.float32(PLANTED), 3).mixture
    order = np.argsort(-found.weights)
    np.testing.assert_allclose(found.weights[order], WEIGHTS, atol=0.02)
    np.testing.assert_allclose(found.means[order], MEANS, atol=0.15)
    np.testing.assert_allclose(np.einsum("kij,klj->kil", *[found.factors[order]] * 2), COVARIANCES, atol=0.15)


def test_scores_are_mean_log_densities_in_nats():
    codes, others = PLANTED[:500], PLANTED[500:700] + 0.5
    found = fit(codes, 3, others=others)
    assert found.score == pytest.approx(density(found.mixture, codes).mean(), rel=1e-5)
    assert found.held_out == pytest.approx(density(found.mixture, others).mean(), rel=1e-5)
    assert fit(codes, 3).held_out is None and found.held_out < found.score - 0.1


def test_one_component_is_the_normal_distribution_of_the_codes():
    found = fit(PLANTED, 1).mixture
    np.testing.assert_allclose(found.means[0], PLANTED.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.factors[0] @ found.factors[0].T, np.cov(PLANTED.T, bias=True), atol=1e-5)


@pytest.mark.parametrize("components", [0, 6])
def test_more_components_than_codes_are_refused(components):
    with pytest.raises(UsageError, match=f"--components must be from 1 to 5, .* not {components}"):
        fit(PLANTED[:5], components)


def test_codes_that_are_not_finite_are_refused():
    with pytest.raises(UsageError, match="diverged"):
        fit(np.full((5, 2), np.nan), 1)


@pytest.mark.slow
def test_the_export_draws_from_the_density_that_scikit_learn_fits_to_the_codes(tmp_path):
    game, train = autoencoders.game(), pictures(300, size=8).images
    made, _ = sampler(game, train, 2, seed=4)
    path = export(made, autoencoders.tiny(), 1, tmp_path)
    opened = loading.load(path)
    latents = opened.generator.latents(0, 4_000)
    reference = GaussianMixture(2, random_state=4).fit(np.float64(opened.autoencoder.encode(train)))
    of_export, of_reference = reference.score_samples(latents), reference.score_samples(reference.sample(4_000)[0])
    assert scipy.stats.ks_2samp(of_export, of_reference).pvalue > 0.01
    np.testing.assert_allclose(density(made.prior, latents), of_export, atol=1e-5)
    np.testing.assert_allclose(
        opened.generator.draw(0, 5), opened.autoencoder.decode(opened.generator.latents(0, 5)), atol=1e-6
    )
    assert "a mixture of 2 normal distributions of 4 numbers" in (path / "README.md").read_text()


def test_a_game_with_a_prior_draws_from_the_mixture_in_its_place_and_itself_stays_as_it_was():
    trainer = new_trainer("vae")
    before = trainer.game.prior
    made, found = sampler(trainer.game, pictures(40).images, 1)
    assert made.prior is found.mixture and trainer.game.prior is before and made.decoder is trainer.game.decoder


def test_draws_are_fitted_for_a_variational_encoder():
    game = new_trainer("vae").game
    images, opened = pictures(400).images, loading.of_game(game).autoencoder
    _, found = sampler(game, images, 1, seed=3)
    np.testing.assert_allclose(found.mixture.means[0], opened.sampled(images, 3).mean(axis=0), atol=1e-4)
    assert np.abs(found.mixture.means[0] - opened.encode(images).mean(axis=0)).max() > 1e-3


def test_a_model_without_codes_is_refused():
    with pytest.raises(UsageError, match="has no encoder and decoder"):
        sampler(new_trainer("dcgan").game, pictures().images, 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vq-vae", "acai", "denoising", "vae-gan"])
def test_other_autoencoders_are_given_a_density(name):
    made, _ = sampler(new_trainer(name).best_game(), pictures(40).images, 1)
    answer = made.served[0].sample(tf.constant(1, tf.int64), tf.constant(2, tf.int64))
    np.testing.assert_allclose(answer["images"], made.served[0].decode(answer["latent"])["images"], atol=1e-6)
