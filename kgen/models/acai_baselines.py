"""The baselines of ACAI: other autoencoders on its networks. Berthelot et al. 2019, arXiv:1807.07543, section 4.

All recipes have the encoder and decoder of `kgen.networks.acai`, the squared error of images in [-1, 1], and Adam at
1e-4, unless said otherwise:

- `acai-autoencoder`: the plain autoencoder. `--input-noise 1` adds N(0, 1) to the encoder's input (denoising, Vincent
  et al. 2010); `--code-dropout .5` drops that share of the code in training (Srivastava et al. 2014).
- `acai-vae`: the variational autoencoder (Kingma and Welling 2014). Two dense heads on the flattened maps give the mean
  and the log-variance. Each has as many numbers as the maps. Pixels are Bernoulli.
- `acai-adversarial`: the adversarial autoencoder (Makhzani et al. 2016). A discriminator with two hidden layers of 100
  units makes the distribution of the codes normal.

They train on `lines`, as `acai` does. The flags for MNIST and CIFAR-10 are those of `acai`. The paper's last baseline
is the recipe `vq-vae`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kgen import rng
from kgen.backend import Tensor, keras
from kgen.core import autoencoding
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.models.acai import LINES
from kgen.models.adversarial_autoencoder import AdversarialAutoencoder, discriminator
from kgen.models.vae import VAE
from kgen.networks.acai import ACAINetworksRecipe, decoder, encoder

if TYPE_CHECKING:
    from kgen.core.autoencoding import Pixels
    from kgen.core.game import Game
    from kgen.data import Images


class PlainAutoencoder(autoencoding.AutoencodingGame):
    """One player that reconstructs.

    Args:
        autoencoder: player, with layers `encoder` and `decoder`.
        pixels: a `kgen.core.autoencoding.Pixels`.
        input_noise: standard deviation of the noise that the encoder sees in training, in units of `pixels.range`.
    """

    def __init__(self, autoencoder: Player, pixels: "Pixels", input_noise: float = 0.0) -> None:
        super().__init__(autoencoder.network.input_shape[1:], pixels, autoencoder=autoencoder)
        self.input_noise = input_noise

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """The autoencoder moves."""
        yield self.turn, batches[0]

    def turn(self, real: Tensor) -> dict[str, Tensor]:
        """Returns the reconstruction error, a scalar. With `input_noise` the encoder sees noisy images."""
        seen = real + self.input_noise * rng.current().normal(real.shape) if self.input_noise else real
        return {"autoencoder": self.pixels.error(real, self.autoencoder(seen, training=True))}


@dataclass(frozen=True, kw_only=True)
class PlainRecipe(ACAINetworksRecipe):
    """Plain, denoising or dropout autoencoder on the networks of Berthelot et al. 2019."""

    input_noise: float = 0.0  # Standard deviation of the noise that is added to the encoder's images, in [-1, 1].
    code_dropout: float = 0.0  # Share of the code that is dropped in training.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.input_noise >= 0, "input_noise", "0 or more")
        self.demand(0 <= self.code_dropout < 1, "code_dropout", "at least 0 and below 1")

    def game(self, data: "Images") -> "Game":
        """Returns the `PlainAutoencoder` for images of this shape."""
        shape, plan = data.images.shape[1:], self.pyramid(data.images.shape[1:])
        network = autoencoding.autoencoder(encoder(shape, plan), decoder(shape, plan, self.code_dropout))
        return PlainAutoencoder(Player(network, self.adam()), autoencoding.PIXELS["mse"], self.input_noise)


@dataclass(frozen=True, kw_only=True)
class PyramidVAERecipe(ACAINetworksRecipe):
    """Variational autoencoder on the networks of Berthelot et al. 2019."""

    def game(self, data: "Images") -> "Game":
        """Returns the `kgen.models.vae.VAE` on ACAI's networks."""
        shape, plan = data.images.shape[1:], self.pyramid(data.images.shape[1:])
        maps = encoder(shape, plan)
        size, image = maps.output_shape[1], keras.Input(shape)
        flat = maps(keras.layers.Rescaling(2.0, -1.0)(image))  # a VAE's images are in [0, 1]
        heads = [keras.layers.Dense(size, dtype="float32")(flat) for _ in range(2)]
        network = autoencoding.autoencoder(keras.Model(image, heads, name="encoder"), decoder(shape, plan))
        return VAE(Player(network, self.adam()), Normal(size))


@dataclass(frozen=True, kw_only=True)
class PyramidAdversarialRecipe(ACAINetworksRecipe):
    """Adversarial autoencoder on the networks of Berthelot et al. 2019."""

    units: tuple[int, ...] = (100, 100)  # Units of the discriminator's hidden layers.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(all(number >= 1 for number in self.units), "units", "numbers of at least 1")

    def game(self, data: "Images") -> "Game":
        """Returns the `AdversarialAutoencoder` on ACAI's networks."""
        shape, plan = data.images.shape[1:], self.pyramid(data.images.shape[1:])
        network = autoencoding.autoencoder(encoder(shape, plan), decoder(shape, plan))
        size = network.get_layer("decoder").input_shape[1]
        return AdversarialAutoencoder(
            Player(network, self.adam()),
            Player(discriminator(size, self.units, "leaky_relu"), self.adam()),
            autoencoding.PIXELS["mse"],
            Normal(size),
        )


RECIPES = {
    "acai-autoencoder": PlainRecipe(**LINES),
    "acai-vae": PyramidVAERecipe(**LINES),
    "acai-adversarial": PyramidAdversarialRecipe(**LINES),
}
