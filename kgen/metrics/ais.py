"""The log-likelihood of binary images under a decoder by annealed importance sampling, and how far it may be off.

Codes are drawn from the prior N(0, I) and led to the posterior p(z|x) through distributions `p(z) p(x|z)^b`, b from 0
to 1, each left invariant by a Hamiltonian transition. Their weights have the mean p(x), so that the logarithm of a mean
of weights is below log p(x) on average. No encoder is needed.

The same way back, from a code that an image was drawn from, gives a bound from above: of drawn images both bounds are
known, and their gap is what the estimate may lack (bidirectional Monte Carlo).

Source: Wu et al. 2017, arXiv:1611.04273, sections 2 to 4; Neal 2001; Grosse et al. 2015, arXiv:1511.02543.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from kgen.backend import Tensor, tf
from kgen.core.requests import LIMIT
from kgen.errors import UsageError
from kgen.metrics.arrays import blocks
from kgen.metrics.log_likelihood import LEAST, binarised
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

IMAGES, CHAINS, DISTRIBUTIONS = 50, 5, 500
LEAPFROGS = 10  # steps of a transition
ACCEPTED = 0.65  # share of transitions that step sizes are adapted to
FIRST_STEP, FASTER, SLOWER = 0.1, 1.02, 0.98
MOST_GAP = 1.0  # nats; above it the table warns


class Decodes(Protocol):
    """What the metric asks of an autoencoder; a `TrainedAutoencoder` has it."""

    variational: bool
    size: int

    def decoded(self, latent: Tensor) -> Tensor:
        """Returns the images of codes float32 `(n, size)`, `(n, height, width, channels)` in [0, 1]."""


class Annealed(NamedTuple):
    """What `anneal` returns: log-weights of the chains `(n,)`, step sizes `(t,)`, share of accepted transitions."""

    log_weights: np.ndarray
    steps: np.ndarray
    accepted: float


def schedule(count: int) -> np.ndarray:
    """Returns b, `(count,)` from 0 to 1, close at both ends: a logistic function of equal steps from -4 to 4."""
    found = 1 / (1 + np.exp(-np.linspace(-4, 4, count)))
    return (found - found[0]) / (found[-1] - found[0])


def anneal(
    density: Callable, codes: np.ndarray, betas: np.ndarray, random: np.random.Generator, steps: np.ndarray | None
) -> Annealed:
    """Leads codes through the distributions `N(z; 0, I) p(x|z)^b`.

    Args:
        density: function of codes, float64 `(n, d)`, to log p(x|z) `(n,)` and its gradient `(n, d)`. Each row may be of
            another image.
        codes: `(n, d)`, drawn from the first of the distributions.
        betas: the b of the distributions, `(t,)`.
        random: of the transitions.
        steps: sizes of the leapfrog steps, `(t,)`, of which the first is not used; None adapts them to `ACCEPTED`. Then
            the weights are no estimate, since the chains depend on each other.
    """
    value, gradient = density(codes)
    weights, taken, accepted = np.zeros(len(codes)), np.full(len(betas), FIRST_STEP), []
    for t in range(1, len(betas)):
        weights += (betas[t] - betas[t - 1]) * value
        taken[t] = taken[t - 1] if steps is None else steps[t]
        codes, value, gradient, moved = transition(density, (codes, value, gradient), betas[t], taken[t], random)
        accepted.append(moved)
        if steps is None:
            taken[t] *= FASTER if moved > ACCEPTED else SLOWER
    return Annealed(weights, taken, float(np.mean(accepted)))


def transition(
    density: Callable, state: tuple, beta: float, step: float, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Returns codes after a Hamiltonian transition that leaves `N(z; 0, I) p(x|z)^beta` invariant.

    Args:
        density, random: as in `anneal`.
        state: codes `(n, d)`, their log p(x|z) `(n,)` and its gradient `(n, d)`.
        beta: b.
        step: size of a leapfrog step.

    Returns:
        The new state, and the share of codes that moved.
    """
    z, value, gradient = state
    start = random.standard_normal(z.shape)
    momentum = start + step / 2 * (beta * gradient - z)
    for leapfrog in range(LEAPFROGS):
        z = z + step * momentum
        value, gradient = density(z)
        momentum = momentum + (step / 2 if leapfrog == LEAPFROGS - 1 else step) * (beta * gradient - z)
    before = beta * state[1] - 0.5 * (np.square(state[0]) + np.square(start)).sum(axis=1)
    after = beta * value - 0.5 * (np.square(z) + np.square(momentum)).sum(axis=1)
    moves = np.log(random.random(len(z))) < after - before  # false for NaN, of a step that was too long
    new = [np.where(moves[:, None] if a.ndim == 2 else moves, a, b) for a, b in zip((z, value, gradient), state)]
    return *new, float(moves.mean())


def estimates(log_weights: np.ndarray, chains: int) -> np.ndarray:
    """Returns the logarithm of the mean weight of each image, `(n,)`, of log-weights `(n chains,)`, image by image."""
    return np.logaddexp.reduce(log_weights.reshape(-1, chains), axis=1) - np.log(chains)


def bernoulli(decoded: Callable, white: np.ndarray) -> Callable:
    """Returns the `density` of `anneal` of binary images under a decoder.

    Args:
        decoded: function of a tensor of codes to one of probabilities of white, see `Decodes`.
        white: which pixels are 1, bool `(n, height, width, channels)`, one image for each row of codes.
    """

    @tf.function(autograph=False)
    def differentiated(z: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(z)
            p = tf.clip_by_value(tf.cast(decoded(z), tf.float64), LEAST, 1 - LEAST)
            nats = tf.reduce_sum(tf.math.log(tf.where(x, p, 1 - p)), axis=(1, 2, 3))
        return nats, tape.gradient(nats, z)

    images = [(part, tf.constant(white[part])) for part in blocks(len(white), LIMIT)]

    def density(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = [differentiated(tf.constant(codes[part], tf.float32), x) for part, x in images]
        values, gradients = zip(*found, strict=True)
        return np.concatenate(values), np.concatenate(gradients).astype(np.float64)

    return density


class Found(NamedTuple):
    """Estimates of log p(x) of images `(n,)`, gaps of drawn images `(n,)`, and the share of accepted transitions."""

    estimates: np.ndarray
    gaps: np.ndarray
    accepted: float


def log_likelihoods(autoencoder: Decodes, white: np.ndarray, others: np.ndarray, seed: int) -> Found:
    """Returns estimates for images, and how far both bounds are apart for as many images that the decoder draws.

    Args:
        autoencoder: as in `Decodes`.
        white: which pixels are 1, bool `(n, height, width, channels)`.
        others: images of the same shape that step sizes are adapted on.
        seed: of all draws.
    """
    random, betas, size = np.random.default_rng(seed), schedule(DISTRIBUTIONS), autoencoder.size

    def annealed(images: np.ndarray, codes: np.ndarray | None, way: slice, steps: np.ndarray | None) -> Annealed:
        rows = images.repeat(CHAINS, axis=0)
        codes = random.standard_normal((len(rows), size)) if codes is None else codes.repeat(CHAINS, axis=0)
        return anneal(bernoulli(autoencoder.decoded, rows), codes, betas[way], random, steps)

    forth, back = slice(None), slice(None, None, -1)
    steps = annealed(others, None, forth, None).steps
    found = annealed(white, None, forth, steps)
    truths = random.standard_normal((len(white), size))
    drawn = np.concatenate(
        [autoencoder.decoded(tf.constant(truths[part], tf.float32)) for part in blocks(len(truths), LIMIT)]
    )
    drawn = random.random(drawn.shape) < drawn
    lower = estimates(annealed(drawn, None, forth, steps).log_weights, CHAINS)
    upper = -estimates(annealed(drawn, truths, back, steps[back]).log_weights, CHAINS)
    return Found(estimates(found.log_weights, CHAINS), upper - lower, found.accepted)


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns the mean estimate for real images, binarised, and the mean gap of drawn images."""
    autoencoder: Decodes = evidence.autoencoder
    if not autoencoder.variational:
        raise UsageError("The metric ais-log-likelihood is of decoders of codes from N(0, I), such as vae and iwae.")
    images = binarised(evidence.real_images[: 2 * IMAGES], evidence.seed) > 0
    count = len(images) // 2
    if not count:
        raise ValueError("2 real images or more are needed, one to adapt step sizes on.")
    found = log_likelihoods(autoencoder, images[:count], images[count : 2 * count], evidence.seed)
    gap = float(found.gaps.mean())
    protocol = {"images": count, "chains": CHAINS, "distributions": DISTRIBUTIONS, "leapfrogs": LEAPFROGS}
    wide = f"of drawn images the bounds are {gap:.3g} nats apart: the estimate is too low by up to about as much."
    named = {
        "ais_log_likelihood": ("Log-likelihood of binary images, nats, by annealing", found.estimates),
        "ais_gap": ("Gap of the bounds of drawn images, nats", found.gaps),
    }
    return [
        Measurement(
            name=name,
            label=label,
            value=float(values.mean()),
            spread=float(values.std(ddof=1) / np.sqrt(count)) if count > 1 else None,
            spread_is="standard error over images" if count > 1 else "",
            higher=name == "ais_log_likelihood",
            protocol={**evidence.real.about, **protocol, "seed": evidence.seed},
            found={"accepted": found.accepted},
            warnings=(wide,) if gap > MOST_GAP else (),
        )
        for name, (label, values) in named.items()
    ]


METRICS = {"ais-log-likelihood": Metric(measure)}
