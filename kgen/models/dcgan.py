"""Unsupervised Representation Learning with Deep Convolutional GANs. Radford, Metz, Chintala 2016, arXiv:1511.06434.

The game is Goodfellow's: the players alternate, k = 1, and the generator's loss is non-saturating. The paper
contributes the networks (section 3; here `kgen.networks.dcgan`) and their training (section 4): strided convolutions
instead of pooling, batch norm except at the generator's output and the discriminator's input, no hidden dense layers,
ReLU in the generator and LeakyReLU .2 in the discriminator, tanh images, weights N(0, .02), Adam 2e-4 with beta1 .5.

The generator starts from a dense projection to 4x4 maps (7x7 for 28 pixels). It doubles the maps up to the size of the
image and halves the channels each time. The discriminator is its mirror image. `--upsampling` chooses how the maps
double: `transposed` is transposed convolution, as in the paper; `nearest` and `bilinear` resize the maps before a
convolution, which leaves no checkerboard pattern (Odena et al. 2016).

Recipes:
- `dcgan`: made for the 4,500 digits of mnist5k and two CPU cores, 32 channels at the largest map. For images of your
  own take `dcgan-faces`. The scale of the authors' MNIST script is `--width 64 --learning-rate 2e-4 --ema 0`.
- `dcgan-faces`: figure 1, 128 channels at the largest map, 64 pixels; give it `--dataset celeba`.
- `dcgan-report004`: the code of student report 004: kernels of 4, batch norm also behind the discriminator's first
  layer, Adam with beta1 .9. Initial weights are PyTorch's defaults, since the report's code never applied its
  N(0, .02). Images are squashed to a square, not cropped.

As in the authors' code, batch norm has the only biases, and its gains start at N(1, .02). Deviations: z is N(0, I), as
in every later use of DCGAN; `--prior uniform` gives the paper's U(-1, 1). `dcgan` has a learning rate of 2e-3 and
averages the generator's weights. The paper found 1e-3 too high for its networks; these narrow ones are better after
2,000 steps the higher the rate, up to 2e-3 at least (`docs/results.md`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kgen import images
from kgen.backend import keras
from kgen.core.adversarial import AnyLossRecipe
from kgen.core.game import Player
from kgen.core.priors import Normal, Uniform
from kgen.models.gan import GAN
from kgen.networks.dcgan import ConvolutionalRecipe

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images

PRIORS = {"normal": Normal, "uniform": Uniform}


@dataclass(frozen=True, kw_only=True)
class DCGANRecipe(ConvolutionalRecipe, AnyLossRecipe):
    """Deep convolutional GAN, Radford et al. 2016."""

    prior: Literal["normal", "uniform"] = "normal"  # Distribution of z: N(0, I), or U(-1, 1) as in section 4.
    first_norm: bool = False  # Batch norm behind the discriminator's first layer too; section 3 advises against it.
    initial: Literal["normal", "uniform"] = "normal"  # Weights N(0, .02) (section 4) or PyTorch's U(+-1/sqrt(fan)).
    beta1: float = 0.5  # Adam's (section 4).
    l2: float = 2.5e-5  # Weight decay added to the gradient (the authors' code).

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.l2 >= 0, "l2", "0 or more")
        self.demand(0 <= self.beta1 < 1, "beta1", "at least 0 and below 1")

    def game(self, data: "Images") -> "Game":
        """Returns the `GAN` of the convolutional networks for images of this shape."""
        generator, discriminator = self.networks(data, self.first_norm, self.initial)
        return GAN(
            generator=Player(generator, self.adam(), self.l2),
            discriminator=Player(discriminator, self.adam(), self.l2),
            loss=self.adversarial_loss(),
            prior=PRIORS[self.prior](self.latent_dim),
            image_range=images.SYMMETRIC,
            **self.rules(),
        )

    def adam(self) -> "keras.optimizers.Optimizer":
        """Returns a new optimizer: every player has its own."""
        return keras.optimizers.Adam(self.learning_rate, beta_1=self.beta1, epsilon=1e-8)


RECIPES = {
    "dcgan": DCGANRecipe(width=32, learning_rate=2e-3, ema=0.998, steps=3_000),
    "dcgan-faces": DCGANRecipe(width=128, batch_size=128, image_size=64, steps=40_000, sample_every=500),
    "dcgan-report004": DCGANRecipe(
        width=128,
        kernel_size=4,
        first_norm=True,
        initial="uniform",
        beta1=0.9,
        l2=0.0,
        batch_size=128,
        image_size=64,
        crop="squash",
        steps=4_000,  # 50 epochs of 10,000 images
    ),
}
