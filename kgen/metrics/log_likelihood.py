"""An estimate of the log-likelihood of binary images under an autoencoder whose encoder gives distributions.

With k codes z_i ~ q(z|x) of an image, a Bernoulli decoder and z ~ N(0, I):

    log p(x) >= E[log 1/k sum_i p(x|z_i) p(z_i) / q(z_i|x)]

The bound is tight for large k: the paper takes k = 5,000. It is a bound for any q, but a q that misses codes makes it
loose. Images are binarised: a pixel is 1 with the probability of its grey value.

Source: Burda et al. 2016, arXiv:1509.00519, equation 8 and section 5.
"""

from typing import TYPE_CHECKING, Protocol

import numpy as np

from kgen.errors import UsageError
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

DRAWS, EVALUATED = 5_000, 500  # k; images
AT_ONCE = 1_000  # codes decoded at a time
LEAST = 1e-7  # of a probability: near that of the least sigmoid that float32 tells from 1


class Variational(Protocol):
    """The methods of an autoencoder that the estimate calls; a `TrainedAutoencoder` has them."""

    variational: bool

    def distributions(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns means and log-variances `(n, size)` of the codes of uint8 images `(n, height, width, channels)`."""

    def decode(self, latent: np.ndarray) -> np.ndarray:
        """Returns the images of codes, float32 `(n, height, width, channels)` in [0, 1]."""


def log_likelihoods(autoencoder: Variational, images: np.ndarray, draws: int, seed: int = 0) -> np.ndarray:
    """Returns the estimate of log p(x) for each image, float64 `(n,)` in nats.

    Args:
        autoencoder: as in `Variational`; the images that it decodes are taken as probabilities of white.
        images: uint8 `(n, height, width, channels)`, each number 0 or 255.
        draws: k, 1 or more.
        seed: of the draws.

    Raises:
        ValueError: an image is not binary.
    """
    if not np.isin(images, (0, 255)).all():
        raise ValueError("`images` must be binary, each number 0 or 255.")
    random = np.random.default_rng(seed)
    means, log_variances = (np.asarray(values, np.float64) for values in autoencoder.distributions(images))
    found = np.empty(len(images))
    for row, (image, mean, log_variance) in enumerate(zip(images, means, log_variances, strict=True)):
        noise = random.standard_normal((draws, len(mean)))
        codes = mean + np.exp(log_variance / 2) * noise
        nats = np.concatenate(
            [
                bernoulli(image > 0, autoencoder.decode(np.float32(codes[start : start + AT_ONCE])))
                for start in range(0, draws, AT_ONCE)
            ]
        )
        # log p(z) - log q(z|x); both have -size/2 log(2 pi)
        ratios = 0.5 * (np.square(noise) + log_variance - np.square(codes)).sum(axis=1)
        found[row] = np.logaddexp.reduce(nats + ratios) - np.log(draws)
    return found


def bernoulli(white: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Returns log p(x|z), float64 `(n,)` in nats.

    Args:
        white: which pixels are 1, bool `(height, width, channels)`.
        probabilities: of white, `(n, height, width, channels)`, taken to lie in [LEAST, 1 - LEAST].
    """
    p = np.clip(np.asarray(probabilities, np.float64), LEAST, 1 - LEAST)
    return np.log(np.where(white, p, 1 - p)).sum(axis=(1, 2, 3))


def binarised(images: np.ndarray, seed: int) -> np.ndarray:
    """Returns images `(n, ...)` of the same shape, uint8 0 or 255: 255 with the probability of the grey value."""
    return np.uint8(255 * (np.random.default_rng(seed).random(images.shape) < images / 255))


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns the mean estimate for real images, binarised."""
    autoencoder = evidence.autoencoder
    if not autoencoder.variational:
        raise UsageError("The metric log-likelihood is of encoders that give distributions, such as vae and iwae.")
    images = binarised(evidence.real_images[:EVALUATED], evidence.seed)
    found = log_likelihoods(autoencoder, images, DRAWS, evidence.seed)
    return [
        Measurement(
            name="log_likelihood",
            label=f"Log-likelihood of binary images, nats, by {DRAWS:,} draws",
            value=float(found.mean()),
            spread=float(found.std(ddof=1) / np.sqrt(len(found))) if len(found) > 1 else None,
            spread_is="standard error over images" if len(found) > 1 else "",
            higher=True,
            protocol={**evidence.real.about, "images": len(found), "draws": DRAWS, "seed": evidence.seed},
        )
    ]


METRICS = {"log-likelihood": Metric(measure)}
