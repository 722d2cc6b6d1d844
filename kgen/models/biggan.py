"""Large Scale GAN Training for High Fidelity Natural Image Synthesis. Brock et al. 2019, arXiv:1809.11096.

BigGAN starts from SAGAN (`kgen.models.sagan`): the hinge losses, spectral norm and self-attention in both networks, a
projection of the class in the discriminator. Section 3 adds to the generator:

- a shared embedding e(y) of the class, which all conditional batch norms use, by a linear map of their own;
- skip-z: z is split into chunks. The first makes the first map; each block gets another one, z_i. The gain and the bias
  of its batch norms are `1 + A [e(y), z_i]` and `B [e(y), z_i]`;
- orthogonal regularisation, of each kernel W of the generator as a matrix of a column for each filter (section 3.1):

    R(W) = beta || W^T W * (1 - I) ||_F^2,   * by elements

So filters should differ, but may have any norm.

The truncation trick (section 3.1) trades variety for quality. With `trained = kgen.load(run).generator` it is
`trained.decode(truncated(trained.latents(0, 100), 0.5))`.

In each step the discriminator moves twice, then the generator once. A moving average of its weights is used.

Recipe `biggan`: small, for 28, 32 and 64 pixels; give it `--dataset cifar10`. Chunks of z have 20 numbers, e(y) has
128. Adam (0, .999) with 5e-5 for the generator and 2e-4 for the discriminator; beta 1e-4, decay of the average .9999.

Deviations: the networks are the residual ones of SAGAN and SNGAN, much smaller than the paper's, with batches of 64
instead of 2,048, and their Glorot weights instead of orthogonal ones.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen import images, layers
from kgen.backend import Tensor, keras
from kgen.core.adversarial import AnyLossRecipe, LossName, named_classes
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.models.sagan import discriminator, up_block
from kgen.models.sngan import RESNETS, convolution, glorot
from kgen.models.sngan_projection import ProjectionGAN
from kgen.networks.sizes import checked

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images


class BigGAN(ProjectionGAN):
    """Brock et al. 2019: a `ProjectionGAN` whose generator's kernels should be orthogonal.

    Args:
        orthogonal: weight of the regularisation, beta.
        others: as in `ProjectionGAN`.
    """

    def __init__(self, *args: Any, orthogonal: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.orthogonal = orthogonal
        self.reports += ("orthogonality",)

    def generator_turn(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Returns the generator's loss with the regularisation, and `R(W) / beta` of all kernels together, scalars."""
        loss, found = super().generator_turn(batch)["generator"], orthogonality(self.generator)
        return {"generator": loss + self.orthogonal * found, "orthogonality": found}


def orthogonality(network: "keras.Model") -> Tensor:
    """Returns the sum over kernels W of `|| W^T W * (1 - I) ||_F^2`, a scalar; embeddings have none."""
    ops, total = keras.ops, 0.0
    for kernel in network.trainable_variables:
        if kernel.name == "kernel":
            matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
            gram = ops.matmul(ops.transpose(matrix), matrix)
            total += ops.sum(ops.square(gram * (1 - ops.eye(kernel.shape[-1]))))
    return total


def truncated(latent: np.ndarray, limit: float, seed: int = 0) -> np.ndarray:
    """Returns latents `(n, size)` of which each number outside of [-limit, limit] is drawn again until it is inside.

    Raises:
        ValueError: `limit` is not above 0.
    """
    if not limit > 0:
        raise ValueError(f"`limit` must be above 0. Received: limit={limit}.")
    random, z = np.random.default_rng(seed), np.asarray(latent, np.float32)
    while (outside := np.abs(z) > limit).any():
        z = np.where(outside, random.standard_normal(z.shape, np.float32), z)
    return z


def generator(shape: tuple[int, ...], classes: int, chunk: int, shared: int, width: int) -> "keras.Model":
    """Returns `[z, label]` -> images in [-1, 1] of `shape`; z has a chunk for the first map and one for each block."""
    start, multiples, _, _ = RESNETS[shape[0]]
    first, *others = [int(width * multiple) for multiple in multiples]
    z, label = keras.Input((chunk * len(multiples),)), keras.Input((), dtype="int32")
    embedded = keras.layers.Embedding(classes, shared)(label)
    z_first, *chunks = keras.ops.split(z, len(multiples), axis=1)
    x = layers.SpectralNorm(keras.layers.Dense(start * start * first, kernel_initializer=glorot()))(z_first)
    x = keras.layers.Reshape((start, start, first))(x)
    for channels, part in zip(others, chunks, strict=True):
        x = layers.SelfAttention()(x) if x.shape[1] == shape[0] // 2 else x
        condition = keras.layers.Concatenate()([embedded, part])
        x = up_block(x, channels, lambda maps, condition=condition: conditional_norm(maps, condition))
    x = convolution(keras.layers.ReLU()(layers.BatchNorm()(x)), shape[-1], 3, glorot())
    return keras.Model([z, label], keras.layers.Activation("tanh", dtype="float32")(x), name="generator")


def conditional_norm(x: Tensor, condition: Tensor) -> Tensor:
    """Returns x `(batch, height, width, channels)` after batch norm; condition `(batch, n)` gives gains and biases."""
    gain, bias = (
        layers.SpectralNorm(keras.layers.Dense(x.shape[-1], use_bias=False, kernel_initializer=glorot()))(condition)
        for _ in range(2)
    )
    return layers.ConditionalBatchNorm()(x, 1 + gain, bias)


@dataclass(frozen=True, kw_only=True)
class BigGANRecipe(AnyLossRecipe):
    """A small BigGAN, Brock et al. 2019."""

    loss: LossName = "hinge"  # What the two players minimise.
    chunk: int = 20  # Numbers of z ~ N(0, I) for the first map, and for each block.
    shared: int = 128  # Numbers of the shared embedding of a class.
    width: int = 256  # Channels of the generator at 32 pixels, a multiple of 4.
    orthogonal: float = 1e-4  # Weight of the orthogonal regularisation, beta.
    generator_learning_rate: float = 5e-5  # Adam's, of the generator.
    discriminator_learning_rate: float = 2e-4  # Adam's, of the discriminator.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("chunk", "shared"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.width >= 4 and self.width % 4 == 0, "width", "a multiple of 4")
        self.demand(self.orthogonal >= 0, "orthogonal", "0 or more")
        for name in ("generator_learning_rate", "discriminator_learning_rate"):
            self.demand(getattr(self, name) > 0, name, "above 0")

    def game(self, data: "Images") -> "Game":
        """Returns the `BigGAN` for labelled images of this shape."""
        shape, names = checked(data.images.shape[1:], tuple(RESNETS)), named_classes(data)
        made = generator(shape, len(names), self.chunk, self.shared, self.width)
        return BigGAN(
            Player(made, adam(self.generator_learning_rate)),
            Player(discriminator(shape, len(names), self.width), adam(self.discriminator_learning_rate)),
            loss=self.adversarial_loss(),
            prior=Normal(made.inputs[0].shape[1]),
            image_range=images.SYMMETRIC,
            classes=names,
            orthogonal=self.orthogonal,
            **self.rules(),
        )


def adam(rate: float) -> "keras.optimizers.Optimizer":
    """Returns a new optimizer of this learning rate."""
    return keras.optimizers.Adam(rate, 0.0, 0.999, epsilon=1e-8)


RECIPES = {"biggan": BigGANRecipe(discriminator_steps=2, ema=0.9999, steps=50_000)}
