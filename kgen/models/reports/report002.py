"""The GANs of student report 002, on its best encoder and decoder. After Goodfellow et al. 2014, arXiv:1406.2661.

The discriminator is the encoder, and the generator the decoder, that the report's search for an autoencoder found:
three convolutions of 6, 12 and 17 channels, a hidden layer of 57 ReLU units, dropout before it in the encoder, and
sigmoid pixels. There is no normalisation. Weights and biases start as in PyTorch, U(-1, 1) / sqrt(fan).

- `gan-report002`: binary cross-entropy, non-saturating.
- `wgan-report002`: Arjovsky et al. 2017, arXiv:1701.07875; the critic moves 5 times, and all its weights are clipped.
- `improved-gan-report002`: 11 classes, which are the ten digits and "fake". The report calls it ACGAN. It is the game
  of Salimans et al. 2016, arXiv:1606.03498, with a generator that is given the digit.

The first two make white blobs, here as in the report. The report blames a vanishing gradient. In the simple GAN the
discriminator wins, or all images become the same. A critic has no such vanishing gradient. The report's scores of +-50
appear with `--clip 0.1`. With .01, the paper's clip, a critic without batch norm stays nearly constant. The clip of
this recipe, .05, lies between the two, and with it the critic begins to learn.

The report's generator of 11 classes takes `Embedding(digit) + z`, 10 numbers. Its images have "virtually no
variability", since the trained embedding has a standard deviation of 2.97, and z has 1. Here the two are concatenated
(`--mixing concatenate`), or multiplied as in AC-GAN (`product`). That alone is not enough, since a generator may ignore
z. Images of a class stay alike until the discriminator compares the images of a batch (`--minibatch-kernels`). The
report's own run is `--mixing sum --latent-dim 10 --minibatch-kernels 0`.

The report does not state these, so they were chosen here: the size of z; the learning rates (for 11 classes that of the
autoencoder, with which the simple GAN fails); Adam's beta1 .5; clip and optimizer of the critic; and the rule that
keeps the losses close (`--balance`). Images of 32 pixels are accepted too. For them the decoder's first transposed
convolution has an output padding of 1.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kgen import images, layers, optimizers
from kgen.backend import keras
from kgen.core.adversarial import AdversarialRecipe, named_classes
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.losses.adversarial import LOSSES
from kgen.models.gan import GAN
from kgen.models.improved_gan import KPlusOneGAN
from kgen.models.wgan import WGAN
from kgen.networks.conv_autoencoder import Plan, decoded, decoder, dense, encoder
from kgen.networks.sizes import checked

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images

SIZES = (28, 32)
MIXINGS = {"concatenate": "Concatenate", "product": "Multiply", "sum": "Add"}  # names of Keras layers
PLAN = Plan()  # the report's, of 6, 12 and 17 channels and 57 units


def classifier(shape: tuple[int, ...], classes: int, dropout: float, kernels: int) -> "keras.Model":
    """Returns images -> `[logits (batch, classes + 1), features (batch, 57)]`.

    Args:
        kernels: closeness values for each image (minibatch discrimination); 0 is none.
    """
    whole = encoder(shape, PLAN, 1, dropout)
    hidden = whole.layers[-2].output
    x = layers.MinibatchDiscrimination(kernels)(hidden) if kernels else hidden
    features = keras.layers.Activation("linear", dtype="float32")(hidden)
    return keras.Model(whole.input, [dense(x, classes + 1, dtype="float32"), features], name="discriminator")


def named_decoder(shape: tuple[int, ...], classes: int, size: int, mixing: str) -> "keras.Model":
    """Returns `[z, label]` -> images in [0, 1], decoded from z and an embedding of the label.

    The embedding has `size` numbers, as z has. They start from N(0, 1).
    """
    z, label = keras.Input((size,)), keras.Input((), dtype="int32")
    embedded = keras.layers.Embedding(classes, size, keras.initializers.RandomNormal(stddev=1.0))(label)
    code = getattr(keras.layers, MIXINGS[mixing])()([embedded, z])
    return keras.Model([z, label], decoded(code, shape, PLAN, squash="sigmoid"), name="generator")


@dataclass(frozen=True, kw_only=True)
class Report002Recipe(AdversarialRecipe):
    """The simple GAN of student report 002, after Goodfellow et al. 2014."""

    latent_dim: int = 10  # Size of z ~ N(0, I).
    dropout: float = 0.19015  # Dropout rate before the discriminator's hidden layer.
    learning_rate: float = 1e-3  # Adam's, of both players.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.latent_dim >= 1, "latent_dim", "at least 1")
        self.demand(0 <= self.dropout < 1, "dropout", "at least 0 and below 1")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def game(self, data: "Images") -> "Game":
        """Returns the `GAN` of the report's networks."""
        generator, discriminator = self.networks(data, "discriminator")
        return GAN(
            generator=Player(generator, self.adam()),
            discriminator=Player(discriminator, self.adam()),
            loss=LOSSES["non_saturating"],
            prior=Normal(self.latent_dim),
            image_range=images.UNIT,
            **self.rules(),
        )

    def networks(self, data: "Images", name: str) -> "tuple[keras.Model, keras.Model]":
        """Returns the decoder, named `generator`, and the encoder with one output, named `name`."""
        shape = checked(data.images.shape[1:], SIZES)
        generator = decoder(shape, PLAN, self.latent_dim, squash="sigmoid", name="generator")
        return generator, encoder(shape, PLAN, 1, self.dropout, name)

    def adam(self) -> "keras.optimizers.Optimizer":
        """Returns a new optimizer: every player has its own."""
        return keras.optimizers.Adam(self.learning_rate, beta_1=0.5, epsilon=1e-8)


@dataclass(frozen=True, kw_only=True)
class WassersteinRecipe(Report002Recipe):
    """The Wasserstein GAN of student report 002, after Arjovsky et al. 2017."""

    clip: float = 0.05  # Greatest absolute value of the critic's weights; not stated, .01 in Arjovsky et al. 2017.
    learning_rate: float = 5e-4  # RMSprop's, of both players; not stated, 5e-5 in Arjovsky et al. 2017.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.clip > 0, "clip", "above 0")
        self.demand(not self.balance, "balance", "0, since a critic's losses have no common scale")

    def game(self, data: "Images") -> "Game":
        """Returns the `WGAN` of the report's networks."""
        generator, critic = self.networks(data, "critic")
        return WGAN(
            generator=Player(generator, optimizers.RMSprop(self.learning_rate)),
            discriminator=Player(critic, optimizers.RMSprop(self.learning_rate)),
            loss=LOSSES["wasserstein"],
            prior=Normal(self.latent_dim),
            image_range=images.UNIT,
            clip=self.clip,
            **self.rules(),
        )


@dataclass(frozen=True, kw_only=True)
class KPlusOneRecipe(Report002Recipe):
    """The 11-class GAN of student report 002, after Salimans et al. 2016."""

    latent_dim: int = 100  # Size of z ~ N(0, I), and of the embedding; the report's is 10.
    learning_rate: float = 2.8927e-3  # Adam's, of both players: that of the report's autoencoder.
    mixing: Literal["concatenate", "product", "sum"] = "concatenate"  # Of z and the embedding; the report adds them.
    minibatch_kernels: int = 100  # Closeness values for each image in the discriminator; the report has none, 0.
    balance: float = 0.1  # A player rests while the other's loss is greater by more than this share; 0 is off.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.minibatch_kernels >= 0, "minibatch_kernels", "0 or more")

    def game(self, data: "Images") -> "Game":
        """Returns the `KPlusOneGAN` of the report's networks for labelled images."""
        shape, names = checked(data.images.shape[1:], SIZES), named_classes(data)
        return KPlusOneGAN(
            Player(named_decoder(shape, len(names), self.latent_dim, self.mixing), self.adam()),
            Player(classifier(shape, len(names), self.dropout, self.minibatch_kernels), self.adam()),
            prior=Normal(self.latent_dim),
            image_range=images.UNIT,
            classes=names,
            **self.rules(),
        )


RECIPES = {
    "gan-report002": Report002Recipe(steps=22_500),  # 24 epochs of 60,000 images
    "wgan-report002": WassersteinRecipe(discriminator_steps=5, steps=7_500),  # 37,500 batches
    "improved-gan-report002": KPlusOneRecipe(steps=22_500),
}
