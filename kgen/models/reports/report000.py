"""The ACAI of student report 000, which draws a pegasus. After Berthelot et al. 2019, arXiv:1807.07543.

The game and the networks are those of `kgen/models/acai.py`. Pixels are sigmoids, trained by cross-entropy. Initial
weights are PyTorch's. The critic has spectral norm and moves once more in each step. Half of the images are mirrored.
The first half of each batch is horses and deer, the second half birds and airplanes. Since x' is the batch in reverse
order, each image of one half is mixed with an image of the other. Where the report's text has errors, the recipe
follows the authors' code: slope .2, the 1x1 convolution without padding, learning rate 1e-4.

What the report tried, each a flag:
- `--activation tanh` in the hidden layers ("no improvement"), and `--loss tanh` for pixels of a tanh;
- `--loss mse`, the authors' loss;
- `--random-crop` and `--noise uniform:0.1`, which "decrease the performance"; the amount of the noise is not stated;
- `--l2 1e-5`, weight decay, which "inhibits performance";
- `--no-spectral-norm`, `--extra-critic-steps 0`, and a critic without Adam, `--critic-sgd 0.01` (the rate is not
  stated), against the collapse.

The report's listing has a slope of .01 and a 1x1 convolution with padding 1: `--slope 0.01 --border 1`. The padding
makes maps of 34, 17, 8 and 4 pixels, and a border that holds nothing but the bias.

The collapse: near epoch 20 the runs of report 000 collapsed to images of one colour, when the critic had "solved" a.
With the loss of the paper, such a collapse does not pay. A critic that knows a costs the autoencoder lambda E[a^2] =
.042. A critic that knows nothing guesses 1/8 and costs .008. But images of horses, deer, birds and airplanes that show
only their mean colour cost .063 nats a pixel more than the reconstructions after 23,400 steps of `acai-report000`. So
reconstruction is worth more than any change of the critic, as long as both terms are means.

This is no longer so when the ratio of the terms is wrong. A sum over the batch in the critic's term, for example, makes
that term 64 times as large. A small experiment with `--extra-critic-steps 10 --learning-rate 1e-3 --no-spectral-norm`
shows this: the critic solves a within 90 steps at any `--weight`, but reconstruction is lost only at `--weight 32`
(tests/models/test_acai_collapse.py). The remedy has two parts. First, keep lambda below the weight at which the
critic's term equals the gain of reconstruction, here about .9. Second, take the mean of the squared guesses and not the
square of their mean, in which guesses of opposite signs cancel.
"""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kgen.augmentation import diffaugment
from kgen.augmentation import noise as noises
from kgen.backend import Tensor, keras
from kgen.core.game import Player
from kgen.errors import UsageError
from kgen.images import from_unit, to_unit
from kgen.models.acai import ACAI, ACAIRecipe

if TYPE_CHECKING:
    from kgen.augmentation.noise import Noise
    from kgen.core.game import Game
    from kgen.data import Images
    from kgen.networks.acai import Pyramid

ACTIVATIONS = {  # functions from a slope to a new layer
    "leaky_relu": lambda slope: keras.layers.LeakyReLU(slope),
    "tanh": lambda slope: keras.layers.Activation("tanh"),
}


class AugmentedACAI(ACAI):
    """ACAI whose training images are also moved, and get noise.

    Args:
        players, numbers: as in `ACAI`.
        random_crop: whether each image is moved by up to an eighth of its size; pixels without an image are black.
        noises: of `kgen.augmentation.noise`, which the reconstructions are compared with too.
    """

    def __init__(self, *players: Player, random_crop: bool, noises: "list[Noise]", **numbers: Any) -> None:
        super().__init__(*players, **numbers)
        self.random_crop, self.noises = random_crop, noises

    def changed(self, real: Tensor) -> Tensor:
        """Returns training images `(batch, height, width, channels)` after augmentation: flip, crop, noise."""
        real = super().changed(real)
        if not self.random_crop and not self.noises:
            return real
        unit = to_unit(real, self.range)  # where 0 is black
        unit = diffaugment.translation(unit) if self.random_crop else unit
        return from_unit(noises.add(unit, self.noises), self.range)


@dataclass(frozen=True, kw_only=True)
class Report000Recipe(ACAIRecipe):
    """Adversarially constrained autoencoder interpolation, student report 000."""

    loss: Literal["mse", "bce", "tanh"] = "bce"  # Squared error, cross-entropy of sigmoids, squared error of tanh.
    activation: Literal["leaky_relu", "tanh"] = "leaky_relu"  # Activation of every hidden layer.
    slope: float = 0.2  # Slope of the leaky ReLU below 0; 0.01 in the report's listing.
    border: int = 0  # Zeros around the encoder's and the critic's images, in pixels; 1 in the report's listing.
    random_crop: bool = False  # Whether images are moved by up to an eighth in training, with black behind them.
    noise: str | None = None  # Noise of the training images: uniform:0.1, salt-and-pepper:0.1.
    l2: float = 0.0  # Weight decay added to the gradient.
    critic_sgd: float = 0.0  # Learning rate of plain gradient descent for the critic; 0 gives it Adam.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("slope", "border", "l2", "critic_sgd"):
            self.demand(getattr(self, name) >= 0, name, "0 or more")
        noises.parse(self.noise)

    def pyramid(self, shape: tuple[int, ...]) -> "Pyramid":
        """Returns the `Pyramid` for images of `shape`; raises UsageError if a border would change the code's size."""
        plan = super().pyramid(shape)
        if self.border * 2 >> plan.scales:
            most = (1 << plan.scales - 1) - 1
            raise UsageError(
                f"--border {self.border} would change the size of the code's maps: give at most {most} with "
                f"--latent-width {self.latent_width} and images of {shape[0]}x{shape[1]} pixels."
            )
        return plan._replace(activation=self.layer, border=self.border)

    def layer(self) -> "keras.Layer":
        """Returns a new activation layer."""
        return ACTIVATIONS[self.activation](self.slope)

    def game(self, data: "Images") -> "Game":
        """Returns the `AugmentedACAI` of encoder, decoder and critic for images `(height, width, channels)`."""
        made = super().game(data)
        players = {name: dataclasses.replace(player, l2=self.l2) for name, player in made.players.items()}
        if self.critic_sgd:
            players["critic"].optimizer = keras.optimizers.SGD(self.critic_sgd)
        return AugmentedACAI(
            *players.values(),
            pixels=made.pixels,
            weight=self.weight,
            gamma=self.gamma,
            extra_critic_steps=self.extra_critic_steps,
            flip=self.flip,
            random_crop=self.random_crop,
            noises=noises.parse(self.noise),
        )


RECIPES = {
    "acai-report000": Report000Recipe(
        dataset="cifar10",
        latent_width=4,
        loss="bce",
        initial="uniform",
        spectral_norm=True,
        extra_critic_steps=1,
        flip=True,
        halves=2,
        classes="horse,deer,bird,airplane",
        steps=46_800,  # 150 epochs of 312 batches
    ),
}
