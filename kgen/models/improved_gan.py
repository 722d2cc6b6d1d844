"""Improved Techniques for Training GANs. Salimans et al. 2016, arXiv:1606.03498; code: openai/improved-gan.

The discriminator is a classifier of K + 1 classes, the last of which is "generated" (section 5). One softmax says both
what an image shows and whether it is real. The generator is given a class, and learns to make images that the
discriminator assigns to that class. This is the form of student report 002, where it is called ACGAN; the AC-GAN of
Odena et al. has two heads instead. The paper's own generator is given no class and matches features, since its purpose
is to train a classifier from few labels.

Of the paper's techniques:
- feature matching (section 3.1): `--feature-matching` is the weight of the distance between mean features of real and
  generated images in the generator's loss. It is 0 by default: the paper chose feature matching for better classifiers,
  and found the images of minibatch discrimination better (section 6.1);
- minibatch discrimination (3.2): the discriminator's logits also depend on how close each image is to the others of its
  batch;
- one-sided label smoothing (3.4): the target of real images is .9;
- virtual batch norm (3.5) in both networks, by a reference batch that is drawn once: training images in the
  discriminator, z with labels in the generator. So an image does not depend on the others of its batch, except for the
  features of minibatch discrimination;
- historical averaging (3.3) is left out.

Recipe `improved-gan`: networks as in DCGAN, kernels of 5 and stride 2, 64 channels at the largest map, virtual batch
norm except at the generator's output and the discriminator's input; LeakyReLU .2. z ~ U(-1, 1) is concatenated with an
embedding of the class. Features are the discriminator's last maps. Weights are N(0, .02). Adam has beta1 .5 and a
learning rate of 3e-4, as in the authors' code for CIFAR-10. That code has deeper networks, and weight norm and dropout
in the discriminator.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen import images, layers
from kgen.backend import Tensor, keras
from kgen.core.adversarial import AdversarialRecipe, ClassConditionalGame, named_classes
from kgen.core.game import Player
from kgen.core.priors import Uniform
from kgen.core.regularisation import Discriminated
from kgen.data import demand_any, pipeline
from kgen.losses.classification import (
    feature_matching,
    k_plus_one_discriminator,
    k_plus_one_generator,
    k_plus_one_score,
)
from kgen.networks.dcgan import WEIGHTS, doublings
from kgen.networks.sizes import checked
from kgen.rng import Rng

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.core.priors import Normal
    from kgen.data import Images

SIZES = (28, 32, 64)


class KPlusOneGAN(ClassConditionalGame):
    """Salimans et al. 2016, section 5, with the class-conditional generator of student report 002.

    The discriminator's network returns `[logits (batch, K + 1), features (batch, ...)]`.

    Args:
        real_target: target probability of the class of real images; 1 is no smoothing.
        feature_matching: weight of the feature distance, added to the generator's loss.
        others: as in `ClassConditionalGame`, without `loss`.
    """

    def __init__(self, *args: Any, real_target: float = 1.0, feature_matching: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, loss=None, **kwargs)
        self.real_target, self.feature_matching = real_target, feature_matching
        if feature_matching:
            self.reports += ("feature_distance",)

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """Yields `discriminator_steps` turns of the discriminator, then `generator_steps` turns of the generator."""
        for batch in batches[: self.discriminator_steps]:
            yield self.discriminator_turn, batch
        for batch in batches[-self.generator_steps :]:
            yield self.generator_turn, batch

    def scores(self, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
        """Returns the means of `1 - p(K | x)` on real and generated images, scalars to be logged: 1 is real."""
        mean = keras.ops.mean
        return {
            "real_score": mean(k_plus_one_score(real_logits)),
            "fake_score": mean(k_plus_one_score(fake_logits)),
        }

    def logit(self, batch: Tensor, training: bool = True) -> Tensor:
        """Returns the logits `(batch,)` of images being real."""
        return log_odds(self.discriminate(batch, training=training)[0])

    def centred_scores(self, logits: Tensor) -> Tensor:
        """Returns the logits `(batch,)` themselves: they are above 0 where an image is taken for real."""
        return logits

    def discriminator_turn(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """The discriminator learns the class of real images, and class K for generated ones. Returns scalars."""
        real, labels = batch
        real_logits, _ = self.discriminate(real)
        fake = self.sample(self.some_labels(labels.shape[0]))
        fake_logits, _ = self.discriminate(fake)
        loss = k_plus_one_discriminator(labels, real_logits, fake_logits, self.real_target)
        values = {"discriminator": loss, **self.scores(real_logits, fake_logits)}
        return self.regularised(
            values, Discriminated(real, log_odds(real_logits)), Discriminated(fake, log_odds(fake_logits))
        )

    def generator_turn(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """The generator learns to make images that are classified as their class. Returns scalars."""
        real, labels = batch
        wanted = self.some_labels(labels.shape[0])
        fake_logits, fake_features = self.discriminate(self.sample(wanted))
        loss = k_plus_one_generator(wanted, fake_logits)
        if not self.feature_matching:
            return {"generator": loss}
        distance = feature_matching(self.discriminate(real)[1], fake_features)
        return {"generator": loss + self.feature_matching * distance, "feature_distance": distance}


def log_odds(logits: Tensor) -> Tensor:
    """Returns the logit of being real, `log (1 - p(K | x)) / p(K | x)`, of K + 1 logits: float32 `(batch,)`."""
    logits = keras.ops.cast(logits, "float32")
    return keras.ops.logsumexp(logits[:, :-1], axis=1) - logits[:, -1]


def generator(shape: tuple[int, ...], classes: int, width: int, latents: Tensor, labels: np.ndarray) -> "keras.Model":
    """Returns `[z, label]` -> images in [-1, 1] of `shape`; the largest map has `width` channels.

    Args:
        shape: of an image, `(size, size, channels)`.
        classes: how many there are.
        width: channels of the largest map.
        latents, labels: the reference batch: float32 `(R, size of z)`, integers `(R,)`.
    """
    (rows, size), weights = latents.shape, WEIGHTS["normal"]
    z, label = keras.Input((size,)), keras.Input((), dtype="int32")
    named = layers.WithReference(np.eye(classes, dtype=np.float32)[labels])(keras.ops.one_hot(label, classes))
    # A matrix times a one-hot vector is an embedding. It starts on the scale of z, so that neither dominates.
    embedded = keras.layers.Dense(size, use_bias=False, kernel_initializer=keras.initializers.RandomUniform(-1, 1))(
        named
    )
    x = keras.layers.Concatenate()([layers.WithReference(latents)(z), embedded])
    start, n = doublings(shape)
    first = (*start, width * 2 ** (n - 1))
    x = keras.layers.Dense(math.prod(first), use_bias=False, kernel_initializer=weights("fan_in"))(x)
    x = keras.layers.ReLU()(layers.VirtualBatchNorm(rows)(keras.layers.Reshape(first)(x)))
    for i in reversed(range(n - 1)):
        x = layers.VirtualBatchNorm(rows)(transposed(x, width * 2**i))
        x = keras.layers.ReLU()(x)
    x = transposed(layers.WithoutReference(rows)(x), shape[-1])
    return keras.Model([z, label], keras.layers.Activation("tanh", dtype="float32")(x), name="generator")


def transposed(x: Tensor, channels: int) -> Tensor:
    """Returns x `(batch, height, width, channels)` with its maps doubled: 5x5, stride 2, no bias."""
    weights = WEIGHTS["normal"]("fan_in")
    return keras.layers.Conv2DTranspose(channels, 5, 2, "same", use_bias=False, kernel_initializer=weights)(x)


def discriminator(classes: int, width: int, kernels: int, dims: int, reference: Tensor) -> "keras.Model":
    """Returns images -> `[logits (batch, classes + 1), features (batch, m)]`; the first map has `width` channels.

    Args:
        classes: K.
        width: channels of the first map.
        kernels, dims: of minibatch discrimination.
        reference: the reference batch, float32 `(R, size, size, channels)`.
    """
    rows, weights = reference.shape[0], WEIGHTS["normal"]
    image = keras.Input(reference.shape[1:])
    x = layers.WithReference(reference)(image)
    for i in range(doublings(reference.shape[1:])[1]):
        bare = {"use_bias": i == 0, "kernel_initializer": weights("fan_in")}
        x = keras.layers.Conv2D(width * 2**i, 5, strides=2, padding="same", **bare)(x)
        x = layers.VirtualBatchNorm(rows)(x) if i else x
        x = keras.layers.LeakyReLU(0.2)(x)
    features = keras.layers.Flatten(dtype="float32")(layers.WithoutReference(rows)(x))
    x = layers.MinibatchDiscrimination(kernels, dims)(features)
    logits = keras.layers.Dense(classes + 1, kernel_initializer=weights("fan_in"), dtype="float32")(x)
    return keras.Model(image, [logits, features], name="discriminator")


@dataclass(frozen=True, kw_only=True)
class ImprovedGANRecipe(AdversarialRecipe):
    """K + 1 classes, virtual batch norm and minibatch discrimination, Salimans et al. 2016."""

    latent_dim: int = 100  # Size of z ~ U(-1, 1), and of the embedding of the class beside it.
    width: int = 64  # Channels of the largest map; doubled as maps halve.
    minibatch_kernels: int = 100  # Closeness values for each image, B of section 3.2.
    minibatch_dims: int = 5  # Numbers compared for each closeness value, C of section 3.2.
    reference: int = 64  # Size of the reference batch of virtual batch norm (section 3.5).
    real_target: float = 0.9  # Target probability of real images' class (section 3.4); 1 is no smoothing.
    feature_matching: float = 0.0  # Weight of the distance of mean features in the generator's loss (section 3.1).
    learning_rate: float = 3e-4  # Adam's, of both players.
    beta1: float = 0.5  # Adam's.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("latent_dim", "width", "minibatch_kernels", "minibatch_dims", "reference"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(0.5 < self.real_target <= 1, "real_target", "above 0.5 and at most 1")
        self.demand(self.feature_matching >= 0, "feature_matching", "0 or more")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")
        self.demand(0 <= self.beta1 < 1, "beta1", "at least 0 and below 1")

    def game(self, data: "Images") -> "Game":
        """Returns the `KPlusOneGAN` for labelled images of this shape."""
        shape, names, prior = checked(data.images.shape[1:], SIZES), named_classes(data), Uniform(self.latent_dim)
        kernels = self.minibatch_kernels, self.minibatch_dims
        return KPlusOneGAN(
            Player(generator(shape, len(names), self.width, *self.reference_noise(prior, len(names))), self.adam()),
            Player(
                discriminator(len(names), self.width, *kernels, self.reference_images(demand_any(data).images)),
                self.adam(),
            ),
            prior=prior,
            image_range=images.SYMMETRIC,
            classes=names,
            real_target=self.real_target,
            feature_matching=self.feature_matching,
            **self.rules(),
        )

    def reference_noise(self, prior: "Normal | Uniform", classes: int) -> tuple[Tensor, np.ndarray]:
        """Returns the generator's reference batch: z `(reference, size)`, and labels, all classes in turn."""
        with Rng(self.seed).fold_in(0):
            return prior.draw(self.reference), np.arange(self.reference) % classes

    def reference_images(self, pictures: np.ndarray) -> Tensor:
        """Returns the discriminator's reference batch, training images float32 `(n, ...)` in [-1, 1]."""
        chosen = pictures[pipeline.indices(self.seed, 0, self.reference, len(pictures))]
        return images.from_bytes(chosen, images.SYMMETRIC)

    def adam(self) -> "keras.optimizers.Optimizer":
        """Returns a new optimizer: every player has its own."""
        return keras.optimizers.Adam(self.learning_rate, beta_1=self.beta1, epsilon=1e-8)


RECIPES = {
    "improved-gan": ImprovedGANRecipe(steps=4_000),
}
