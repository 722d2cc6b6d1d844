"""Adversarially constrained autoencoder interpolation. Berthelot et al. 2019, arXiv:1807.07543.

A critic sees decoded mixtures of two codes and learns to guess the mixing coefficient a. The autoencoder learns to make
the critic guess 0, so that codes between two codes decode to images that look like data (section 3). With
`x^_a = g(a f(x) + (1 - a) f(x'))`:

    L_d   = E[(d(x^_a) - a)^2] + E[d(g(f(x)) + gamma (x - g(f(x))))^2]
    L_f,g = E[(x - g(f(x)))^2] + lambda E[d(x^_a)^2]

`a` is uniform in [0, 1/2] (folded from [0, 1]), x' is the batch in reverse order, gamma is .2 and lambda is .5. Both
losses come from one forward pass. Both players move together, each by its own Adam at 1e-4, as in the authors' code
(brain-research/acai).

Networks (`kgen.networks.acai`): the encoder has pairs of 3x3 convolutions with LeakyReLU .2. After each pair, 2x2
average pooling halves the maps and the channels double. The code's maps are `--latent-width` pixels high and wide, with
`--latent-channels` channels, and a code is these maps, flattened. The decoder is the mirror image of the encoder, with
nearest-neighbour upsampling. The critic is an encoder whose output is averaged. There is no normalisation.

Recipes:
- `acai`: the authors' experiment on lines, a code of 64 numbers. For MNIST: `--dataset mnist --image-size 32
  --latent-width 4 --latent-channels 2` (a code of 32 numbers; with 16 channels, 256). For CIFAR-10: `--dataset cifar10
  --depth 64 --latent-width 4`. The authors trained on 2^24 images.
- `acai-report000`, student report 000 on CIFAR-10: `kgen/models/reports/report000.py`.

Deviation: codes and their mixtures pass through decoder and critic as one batch, which gives the same result.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kgen.augmentation.affine import flipped
from kgen.backend import Tensor, keras
from kgen.core import autoencoding
from kgen.core.game import Player
from kgen.errors import UsageError
from kgen.networks.acai import ACAINetworksRecipe, decoder, encoder

if TYPE_CHECKING:
    from kgen.core.autoencoding import Pixels
    from kgen.core.game import Game
    from kgen.data import Images
    from kgen.networks.acai import Pyramid


class ACAI(autoencoding.AutoencodingGame):
    """Berthelot et al. 2019, section 3.

    Args:
        autoencoder: player, with layers `encoder` and `decoder`.
        critic: player, images -> one guess of alpha for each image, `(batch,)`.
        pixels: a `kgen.core.autoencoding.Pixels`, which says what the decoder's numbers mean and what their error is.
        weight: lambda, the weight of the critic's squared guess in the autoencoder's loss.
        gamma: share of the real image in the unmixed images that the critic sees.
        extra_critic_steps: turns in each step in which the critic moves alone, each on its own batch, before both move.
        flip: whether half of the images are mirrored in training.
    """

    reports = ("reconstruction", "guess", "alpha_error")

    def __init__(
        self,
        autoencoder: Player,
        critic: Player,
        pixels: "Pixels",
        weight: float,
        gamma: float,
        extra_critic_steps: int = 0,
        flip: bool = False,
    ) -> None:
        super().__init__(autoencoder.network.input_shape[1:], pixels, autoencoder=autoencoder, critic=critic)
        self.weight, self.gamma, self.flip = weight, gamma, flip
        self.batches = 1 + extra_critic_steps

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """Yields the extra turns of the critic, then one turn of both players."""
        for batch in batches[:-1]:
            yield self.critic_turn, batch
        yield self.turn, batches[-1]

    def turn(self, real: Tensor) -> dict[str, Tensor]:
        """Both players move, from one forward pass of images `(batch, height, width, channels)`. Returns scalars."""
        found = self.forward(self.changed(real))
        guess = keras.ops.mean(keras.ops.square(found["guesses"]))
        return {
            "autoencoder": found["reconstruction"] + self.weight * guess,
            "critic": found["critic"],
            "reconstruction": found["reconstruction"],
            "guess": guess,
            "alpha_error": found["alpha_error"],
        }

    def critic_turn(self, real: Tensor) -> dict[str, Tensor]:
        """The critic moves alone. Returns its loss, a scalar."""
        return {"critic": self.forward(self.changed(real))["critic"]}

    def changed(self, real: Tensor) -> Tensor:
        """Returns training images `(batch, height, width, channels)` after augmentation: half of them are mirrored."""
        return flipped(real) if self.flip else real

    def forward(self, real: Tensor) -> dict[str, Tensor]:
        """Returns the critic's loss, the errors of reconstruction and of alpha, scalars, and the guesses `(batch,)`."""
        ops, codes = keras.ops, self.encoder(real, training=True)
        mixed, alpha = autoencoding.mixed(codes)
        decoded, decoded_mixed = ops.split(self.decoder(ops.concatenate([codes, mixed]), training=True), 2)
        painted = self.pixels.paint(decoded)
        unmixed = painted + self.gamma * (real - painted)
        answers = self.critic(ops.concatenate([self.pixels.paint(decoded_mixed), unmixed]), training=True)
        guesses, unmixed_guesses = ops.split(answers, 2)
        alpha_error = ops.mean(ops.square(guesses - alpha[:, 0]))
        return {
            "critic": alpha_error + ops.mean(ops.square(unmixed_guesses)),
            "alpha_error": alpha_error,
            "guesses": guesses,
            "reconstruction": self.pixels.error(real, decoded),
        }


def critic(shape: tuple[int, ...], plan: "Pyramid", normed: bool) -> "keras.Model":
    """Returns images of `shape` -> one number for each image, `(batch,)`: the mean of an encoder's code."""
    image = keras.Input(shape)
    code = encoder(shape, plan, normed)(image)
    return keras.Model(image, keras.ops.mean(code, axis=-1), name="critic")


@dataclass(frozen=True, kw_only=True)
class ACAIRecipe(ACAINetworksRecipe):
    """Adversarially constrained autoencoder interpolation, Berthelot et al. 2019."""

    loss: Literal["mse", "bce"] = "mse"  # Squared error of images in [-1, 1], or cross-entropy of sigmoid pixels.
    weight: float = 0.5  # Weight of the critic's squared guess in the autoencoder's loss, lambda.
    gamma: float = 0.2  # Share of the real image in the unmixed images that the critic sees.
    spectral_norm: bool = False  # Whether the critic's kernels are divided by their largest singular values.
    extra_critic_steps: int = 0  # Turns in each step in which the critic moves alone.
    flip: bool = False  # Whether half of the images are mirrored in training.
    halves: int = 0  # How many of --classes fill the first half of each batch, mixed with the rest; 0 mixes all.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("weight", "gamma", "extra_critic_steps", "halves"):
            self.demand(getattr(self, name) >= 0, name, "0 or more")
        self.demand(self.gamma <= 1, "gamma", "at most 1")
        self.demand(not self.halves or self.batch_size % 2 == 0, "batch_size", "even with --halves")

    def strata(self, data: "Images") -> list[np.ndarray] | None:
        """Returns the rows `(n,)` of the first `halves` classes, and of the other classes; None if `halves` is 0."""
        if not self.halves:
            return None
        first = None if data.labels is None else data.labels < self.halves
        if first is None or not 0 < first.sum() < len(first):
            raise UsageError(
                "--halves needs classes on both sides, such as --classes horse,deer,bird,airplane --halves 2."
            )
        return [np.flatnonzero(first), np.flatnonzero(~first)]

    def game(self, data: "Images") -> "Game":
        """Returns the `ACAI` of encoder, decoder and critic for images `(height, width, channels)`."""
        shape = data.images.shape[1:]
        plan = self.pyramid(shape)
        return ACAI(
            Player(autoencoding.autoencoder(encoder(shape, plan), decoder(shape, plan)), self.adam()),
            Player(critic(shape, plan, self.spectral_norm), self.adam()),
            autoencoding.PIXELS[self.loss],
            self.weight,
            self.gamma,
            self.extra_critic_steps,
            self.flip,
        )


LINES = {"dataset": "lines", "steps": 2**18, "sample_every": 1_000}  # 2^24 images
RECIPES = {"acai": ACAIRecipe(**LINES)}
