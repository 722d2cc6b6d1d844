"""Wasserstein Auto-Encoders. Tolstikhin, Bousquet, Gelly and Scholkopf 2018, arXiv:1711.01558.

A relaxation of the optimal transport cost between images and what the decoder G makes of codes from the prior. The
encoder Q is deterministic. All codes together, not those of each image, should look like draws of P_Z (equation 4):

    min over Q, G of  E[c(X, G(Q(X)))] + lambda D(Q_Z, P_Z)

This is WAE-MMD (Algorithm 2). c is the squared error, summed over pixels. D is the estimate of MMD^2 without bias, from
the n codes z~ of a batch and n draws z of N(0, I):

    1/(n(n-1)) sum_{l!=j} k(z_l, z_j) + 1/(n(n-1)) sum_{l!=j} k(z~_l, z~_j) - 2/n^2 sum_{l,j} k(z_l, z~_j)

The kernel is the inverse multiquadratic `k(x, y) = C / (C + |x - y|^2)` with C = 2 d for codes of d numbers, the
expected squared distance of two draws (section 4). Its tails are heavy, so codes far from the prior have a gradient.
The estimate may be below 0.

Recipe `wae`: the MNIST networks of appendix C.1. The encoder has four 4x4 convolutions of stride 2 with 128, 256, 512
and 1024 channels, batch norm and ReLU. The decoder has a dense layer of 7x7x1024, two transposed 4x4 convolutions to
28x28 with batch norm and ReLU, and one of stride 1 with sigmoid pixels. d is 8, lambda 10, batches of 100, 100 epochs.
Adam has beta1 .5 and a rate of 1e-3, half of it after 30 % of the steps and a tenth after half of them. Sides of images
must be multiples of 4. `--width` 16 or 32 makes it small enough for a CPU.

Deviations: the authors' code weighs the squared error by .05, sums kernels with C times .1, .2, .5, 1, 2, 5 and 10,
adds noise to the codes, and first trains the encoder alone to match the prior's mean and covariance. Here all is as the
paper's text and Algorithm 2 have it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kgen import images, layers
from kgen.backend import Tensor, keras, replicas
from kgen.core import autoencoding
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.core.recipe import Recipe
from kgen.errors import UsageError
from kgen.losses import reconstruction as reconstruction_losses

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.core.priors import Uniform
    from kgen.data import Images


def inverse_multiquadratic(x: Tensor, y: Tensor, c: float) -> Tensor:
    """Returns `k(x_i, y_j) = c / (c + |x_i - y_j|^2)`, `(n, m)`, of rows `(n, d)` and `(m, d)`."""
    ops = keras.ops
    squares = (
        ops.sum(ops.square(x), axis=1)[:, None] + ops.sum(ops.square(y), axis=1) - 2 * ops.matmul(x, ops.transpose(y))
    )
    return c / (c + ops.maximum(squares, 0.0))


def mmd(codes: Tensor, draws: Tensor, c: float) -> Tensor:
    """Returns the estimate of MMD^2 of Algorithm 2, a scalar; it has no bias, so it may be below 0.

    Args:
        codes, draws: `(n, d)` each, n at least 2.
        c: constant of the kernel, above 0.
    """
    codes, draws = keras.ops.cast(codes, "float32"), keras.ops.cast(draws, "float32")
    n = codes.shape[0]

    def within(x: Tensor) -> Tensor:
        return (keras.ops.sum(inverse_multiquadratic(x, x, c)) - n) / (n * (n - 1))  # k(x, x) is 1

    return within(draws) + within(codes) - 2 * keras.ops.mean(inverse_multiquadratic(draws, codes, c))


class WAE(autoencoding.AutoencodingGame):
    """Tolstikhin et al. 2018, Algorithm 2 (WAE-MMD), with a deterministic encoder.

    Args:
        autoencoder: player, with layers `encoder` and `decoder`; pixels are in [0, 1].
        prior: P_Z, `kgen.core.priors.Normal`.
        weight: lambda.
    """

    range = images.UNIT
    reports = ("reconstruction", "mmd")
    walks, draws = 2, 2

    def __init__(self, autoencoder: Player, prior: "Normal | Uniform", weight: float) -> None:
        super().__init__(autoencoder.network.input_shape[1:], autoencoder=autoencoder)
        self.prior, self.weight = prior, weight

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """The autoencoder moves."""
        yield self.turn, batches[0]

    def turn(self, real: Tensor) -> dict[str, Tensor]:
        """Returns the loss and its two parts, scalars: the squared error of an image, and MMD^2 of codes and prior."""
        codes = self.encoder(real, training=True)
        errors = reconstruction_losses.squared_error_per_image(real, self.decoder(codes, training=True))
        reconstruction = keras.ops.mean(errors)
        everyone = map(replicas.gathered, (codes, self.prior.draw(real.shape[0])))
        apart = mmd(*everyone, 2.0 * self.prior.size)
        return {"autoencoder": reconstruction + self.weight * apart, "reconstruction": reconstruction, "mmd": apart}


def encoder(shape: tuple[int, ...], width: int, size: int) -> "keras.Model":
    """Returns images of `shape` -> codes `(batch, size)`: four halvings, from `width` to 8 `width` channels."""
    image = x = keras.Input(shape)
    for i in range(4):
        x = keras.layers.Conv2D(width * 2**i, 4, 2, padding="same", kernel_initializer=small())(x)
        x = keras.layers.ReLU()(layers.BatchNorm()(x))
    code = keras.layers.Dense(size, kernel_initializer=small(), dtype="float32")(keras.layers.Flatten()(x))
    return keras.Model(image, code, name="encoder")


def decoder(shape: tuple[int, ...], width: int, size: int) -> "keras.Model":
    """Returns codes `(batch, size)` -> images of `shape` in [0, 1]: two doublings, from 8 to 2 `width` channels."""
    code = keras.Input((size,))
    height, breadth, channels = shape[0] // 4, shape[1] // 4, 8 * width
    x = keras.layers.Dense(height * breadth * channels, "relu", kernel_initializer=small())(code)
    x = keras.layers.Reshape((height, breadth, channels))(x)
    for i in (4, 2):
        x = keras.layers.Conv2DTranspose(width * i, 4, 2, padding="same", kernel_initializer=small())(x)
        x = keras.layers.ReLU()(layers.BatchNorm()(x))
    x = keras.layers.Conv2DTranspose(shape[-1], 4, 1, padding="same", kernel_initializer=small())(x)
    return keras.Model(code, keras.layers.Activation("sigmoid", dtype="float32")(x), name="decoder")


def small() -> "keras.initializers.Initializer":
    """Returns a new initializer N(0, .01), that of the authors' code."""
    return keras.initializers.RandomNormal(0.0, 0.01)


@dataclass(frozen=True, kw_only=True)
class WAERecipe(Recipe):
    """Wasserstein autoencoder with the MMD penalty, Tolstikhin et al. 2018."""

    width: int = 128  # Channels of the first convolution; they double where maps halve.
    latent_dim: int = 8  # Numbers of the code.
    weight: float = 10.0  # Weight of the MMD of codes and prior, lambda.
    learning_rate: float = 1e-3  # Adam's at first.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("width", "latent_dim"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.weight >= 0, "weight", "0 or more")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")
        self.demand(self.batch_size >= 2, "batch_size", "at least 2, since codes are compared with each other")

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises UsageError unless the sides of images `(height, width, channels)` are multiples of 4."""
        if shape[0] % 4 or shape[1] % 4:
            near = "x".join(str(max(4, round(side / 4) * 4)) for side in shape[:2])
            size = "x".join(map(str, shape[:2]))
            raise UsageError(f"This model makes images of multiples of 4 pixels, not {size}: give --image-size {near}.")

    def game(self, data: "Images") -> "Game":
        """Returns the `WAE` for images of this shape."""
        shape = data.images.shape[1:]
        self.check(shape)
        network = autoencoding.autoencoder(
            encoder(shape, self.width, self.latent_dim), decoder(shape, self.width, self.latent_dim)
        )
        bounds, rate = [max(1, int(0.3 * self.steps)), max(2, int(0.5 * self.steps))], self.learning_rate
        rates = keras.optimizers.schedules.PiecewiseConstantDecay(bounds, [rate, rate / 2, rate / 10])
        return WAE(
            Player(network, keras.optimizers.Adam(rates, beta_1=0.5, epsilon=1e-8)),
            Normal(self.latent_dim),
            self.weight,
        )


RECIPES = {"wae": WAERecipe(batch_size=100, steps=60_000)}
