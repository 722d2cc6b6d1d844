"""Ex-post density estimation: an autoencoder without a prior draws codes from a density fitted to its training codes.

After training, a Gaussian mixture with full covariances is fitted to the codes of the training images. Draws from it
replace draws from a prior. Source: Ghosh et al. 2020, arXiv:1903.12436, section 4 (10 components there). Deviation: of
a variational encoder, whose decoder has seen draws, a draw is fitted for each image and not the mean.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kgen.core.priors import Mixture
from kgen.errors import UsageError
from kgen.inference import loading

if TYPE_CHECKING:
    from kgen.core.game import Game

PACKAGES = ("sklearn",)


class Fit(NamedTuple):
    """A fitted density of codes.

    mixture: a `kgen.core.priors.Mixture`.
    score: mean log-density, in nats, of the codes that it was fitted to.
    held_out: the same of other images' codes; None without them.
    """

    mixture: Mixture
    score: float
    held_out: float | None


def fit(codes: np.ndarray, components: int, seed: int = 0, others: np.ndarray | None = None) -> Fit:
    """Returns a Gaussian mixture with full covariances that fits codes, by expectation maximisation from k-means.

    Args:
        codes: `(n, size)`.
        components: how many normal distributions.
        seed: of k-means.
        others: codes to score besides, `(m, size)`; or None.

    Raises:
        UsageError: there are fewer codes than `components`, or not all are finite.
    """
    from sklearn.mixture import GaussianMixture

    if not 1 <= components <= len(codes):
        raise UsageError(f"--components must be from 1 to {len(codes)}, the number of codes, not {components}.")
    if not np.isfinite(codes).all():
        raise UsageError("The codes are not finite numbers: the model has diverged.")
    found = GaussianMixture(components, random_state=seed).fit(np.asarray(codes, np.float64))
    mixture = Mixture(found.weights_, found.means_, np.linalg.cholesky(found.covariances_))
    return Fit(mixture, found.score(codes), None if others is None else found.score(others))


def sampler(
    game: "Game", train: np.ndarray, components: int, seed: int = 0, others: np.ndarray | None = None
) -> "tuple[Game, Fit]":
    """Returns a copy of a trained game that draws codes from a density fitted to its codes, and that `Fit`.

    Args:
        game: an autoencoder's, `Trainer.best_game()`.
        train: the training images, uint8 `(n, height, width, channels)`.
        components, seed: as in `fit`; the seed is also that of a variational encoder's draws.
        others: images to score besides; or None.

    Raises:
        UsageError: the game has no encoder and decoder, or as in `fit`.
    """
    opened = loading.of_game(game).autoencoder
    codes = [images if images is None else opened.sampled(images, seed) for images in (train, others)]
    found = fit(codes[0], components, seed, codes[1])
    return game.with_prior(found.mixture), found
