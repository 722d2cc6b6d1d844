"""Each adversarial game learns 8 Gaussians with small networks: at least 7 modes, 90 % of samples within 4 deviations.

The players are small dense networks on points of the plane; turns, losses, penalties, clipping and kinds of optimizers
are the papers', but for the maxout game, whose plain descent diverges here and gives way to Adam, and which needs a
little R1 not to drop modes (6 of 8 for one seed in three without it, report 003's own experience). Rates, widths and
the weights of penalties are not: the ring's modes are 75 times narrower than the ring, and a critic of slope 1 or with
weights of .01 hardly sees that. For the same reason discriminators see the plane magnified (`zoom`), and Adam has no
momentum, which is steadier here. Of Goodfellow's two losses of the generator the saturating one is left out, since it
is the paper's own reason for the other.
"""

import keras
import numpy as np
import pytest

from kgen import images, layers, optimizers
from kgen.core.base_trainer import BaseTrainer
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.data import Images, pipeline
from kgen.data.datasets import ring
from kgen.losses.adversarial import LOSSES
from kgen.models.acgan import ACGAN
from kgen.models.gan import GAN
from kgen.models.gan_maxout import SimultaneousGAN
from kgen.models.improved_gan import KPlusOneGAN
from kgen.models.sngan import SNGAN
from kgen.models.wgan import WGAN
from kgen.models.wgan_gp import WGANGP
from kgen.rng import Rng

CLASSES = tuple(map(str, range(ring.MODES)))


def coverage(points):
    """Returns `(modes, share)`: how many modes have 1 % of the points within 4 deviations; the share of such points."""
    distances = np.linalg.norm(points[:, None] - ring.centres(), axis=2)
    near = distances.min(axis=1) < 4 * ring.STANDARD_DEVIATION
    counts = np.bincount(distances.argmin(axis=1)[near], minlength=ring.MODES)
    return int((counts >= 0.01 * len(points)).sum()), float(near.mean())


class OnPoints:
    """What lets a game play on points: they are no bytes to be scaled."""

    def receive(self, data):
        points, labels = data if self.labelled else (data, None)
        return [(points[i], labels[i]) if self.labelled else points[i] for i in range(points.shape[0])]


def generator(classes=0):
    """Returns z, and the class beside it where there are any -> points."""
    z, label = keras.Input((8,)), keras.Input((), dtype="int32")
    x = keras.layers.Concatenate()([z, keras.layers.Embedding(classes, classes)(label)]) if classes else z
    for _ in range(2):
        x = keras.layers.Dense(128, "relu")(x)
    return keras.Model([z, label] if classes else z, keras.layers.Reshape((1, 1, 2))(keras.layers.Dense(2)(x)))


def hidden(x):
    return keras.layers.LeakyReLU(0.2)(keras.layers.Dense(128)(x))


def maxout(x):
    return layers.Maxout(5)(keras.layers.Dense(32 * 5)(x))


def normalised(x):
    return keras.layers.LeakyReLU(0.2)(layers.SpectralNorm(keras.layers.Dense(128))(x))


def opponent(layer=hidden, depth=2, heads=None, zoom=1.0):
    """Returns points -> what the heads say; more than one output where there are more heads."""
    points = keras.Input((1, 1, 2))
    x = keras.layers.Rescaling(zoom)(keras.layers.Flatten()(points))
    for _ in range(depth):
        x = layer(x)
    said = [head(x) for head in heads or [keras.layers.Dense(1)]]
    return keras.Model(points, said if len(said) > 1 else said[0])


def adam(rate=1e-3, beta1=0.0, beta2=0.99):
    return keras.optimizers.Adam(rate, beta_1=beta1, beta_2=beta2, epsilon=1e-8)


def on_points(game, judge, optimizers, *, classes=(), loss=None, **kwargs):
    """Returns a game of that class on points; `optimizers` are the generator's and its opponent's."""
    if classes:
        kwargs["classes"] = classes
    if loss:
        kwargs["loss"] = LOSSES[loss]
    players = [
        Player(network, rule) for network, rule in zip((generator(len(classes)), judge), optimizers, strict=True)
    ]
    kind = type(game.__name__, (OnPoints, game), {})
    return kind(*players, prior=Normal(8), image_range=images.SYMMETRIC, **kwargs)


def versus(game, judge, **kwargs):
    """Returns a game whose discriminator learns twice as fast as the generator."""
    return on_points(game, judge, (adam(), adam(2e-3)), **kwargs)


def k_plus_one():
    judge = opponent(heads=(keras.layers.Dense(9), keras.layers.Identity()), zoom=4.0)
    return versus(KPlusOneGAN, judge, classes=CLASSES, real_target=0.9)


def two_heads():
    judge = opponent(heads=(keras.layers.Dense(1), keras.layers.Dense(8)), zoom=4.0)
    return versus(ACGAN, judge, classes=CLASSES, classify_generated=True, loss="non_saturating")


def clipped():
    rules = {"clip": 0.1, "warm_up": 20, "discriminator_steps": 5, "loss": "wasserstein"}
    return on_points(WGAN, opponent(), (optimizers.RMSprop(3e-4), optimizers.RMSprop(3e-4)), **rules)


def penalised():
    rules = {"penalty": 0.1, "discriminator_steps": 5, "loss": "wasserstein"}
    return on_points(WGANGP, opponent(), (adam(beta1=0.5, beta2=0.9), adam(beta1=0.5, beta2=0.9)), **rules)


def spectral():
    judge = opponent(normalised, 3, (layers.SpectralNorm(keras.layers.Dense(1)),), zoom=8.0)
    return versus(SNGAN, judge, loss="hinge", discriminator_steps=2, generator_batch=2)


def zoomed(game, objective, layer=hidden, **rules):
    return lambda: versus(game, opponent(layer, zoom=4.0), loss=objective, **rules)


GAMES = {
    "gan": (zoomed(GAN, "non_saturating"), 5_000),
    "gan-maxout": (zoomed(SimultaneousGAN, "non_saturating", maxout, r1=0.005), 5_000),
    "gan-balance": (zoomed(GAN, "non_saturating", balance=0.4), 5_000),
    "gan-r1": (zoomed(GAN, "non_saturating", r1=0.005), 5_000),
    "lsgan": (zoomed(GAN, "least_squares"), 5_000),
    "wgan": (clipped, 12_000),
    "wgan-gp": (penalised, 5_000),
    "sngan": (spectral, 5_000),
    "acgan": (two_heads, 3_000),
    "improved-gan": (k_plus_one, 3_000),
}


def learned(make, steps, seed):
    """Returns the coverage of 4,000 samples of the averaged generator after `steps` steps."""
    keras.utils.set_random_seed(seed)
    game = make()
    trainer = BaseTrainer(game, seed, ema=0.999)
    trainer.compile(jit_compile=True, steps_per_execution=100)
    places = ring.points(10_000, seed)
    modes = np.linalg.norm(places[:, None] - ring.centres(), axis=2).argmin(axis=1)
    data = Images(places[:, None, None, :], modes, CLASSES)
    trainer.fit(
        pipeline.training_steps(
            data, batch_size=256, batches=game.batches, seed=seed, start=0, stop=steps, labelled=game.labelled
        ),
        shuffle=False,
        verbose=0,
    )
    shown = trainer.best_game()
    with Rng(1):
        z = shown.prior.draw(4_000)
    made = shown.generator([z, shown.labels(4_000)] if shown.classes else z, training=False)
    return coverage(np.asarray(made)[:, 0, 0])


@pytest.mark.slow
@pytest.mark.parametrize("name", GAMES)
def test_a_game_learns_the_ring(name):
    modes, share = learned(*GAMES[name], seed=0)
    print(f"{name}: {modes} modes, {share:.3f} within 4 standard deviations")
    assert modes >= 7 and share >= 0.9


def test_coverage_of_the_ring_itself():
    modes, share = coverage(ring.points(4_000, 5))
    assert modes == 8 and share > 0.999  # 1 - exp(-8)


@pytest.mark.parametrize("dropped, expected", [((3,), 7), ((0, 5), 6)])
def test_coverage_counts_modes(dropped, expected):
    points = np.concatenate([ring.centres()[[mode]].repeat(100, axis=0) for mode in range(8) if mode not in dropped])
    assert coverage(points) == (expected, 1.0)


def test_coverage_sees_a_cloud_and_points_off_the_modes():
    cloud = np.random.default_rng(0).uniform(-1, 1, (4_000, 2))
    assert coverage(cloud)[1] < 0.1
    at = ring.centres()[0] * (1 + np.array([[0.0], [0.079 / 0.75], [0.081 / 0.75], [-0.081 / 0.75]]))
    assert coverage(at)[1] == 0.5
