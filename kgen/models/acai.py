"""Adversarially constrained autoencoder interpolation. Berthelot et al. 2019, arXiv:1807.07543.

A critic learns to tell how far a decoded mixture of two codes is mixed, and the autoencoder to keep it from telling, so
that what lies between two codes decodes to what looks like data (section 3). With `x^_a = g(a f(x) + (1 - a) f(x'))`:

    L_d   = E[(d(x^_a) - a)^2] + E[d(g(f(x)) + gamma (x - g(f(x))))^2]
    L_f,g = E[(x - g(f(x)))^2] + lambda E[d(x^_a)^2]

`a` is uniform in [0, 1/2] (folded from [0, 1]), x' is the batch in reverse, gamma .2, lambda .5; both losses come from
one forward pass and both players move together, each by an Adam of its own at 1e-4, as in the authors' code
(brain-research/acai).

Networks (`kgen.networks.acai`): pairs of 3x3 convolutions with LeakyReLU .2, each pair followed by 2x2 average pooling
and by twice the channels, down to maps of `--latent-width` pixels and `--latent-channels` channels; the decoder the
same way back with nearest-neighbour enlargement; the critic is an encoder whose output is averaged. No normalisation.
Codes are flattened maps.

Recipes:
- `acai`: the authors' run on lines, a code of 64. MNIST: `--dataset mnist --image-size 32 --latent-width 4
  --latent-channels 2` (a code of 32; 16 for 256); CIFAR-10: `--dataset cifar10 --depth 64 --latent-width 4`. The
  authors trained 2^24 images.
- `acai-report000`: student report 000 on CIFAR-10: sigmoid pixels and cross-entropy, PyTorch's initial weights,
  spectral norm in the critic, which moves once more in a step, mirrored images, and batches whose first half are
  horses and deer, the second birds and airplanes: in reverse order each body meets a wing. Where its text errs the
  authors' code is followed: slope .2, the 1x1 convolution without padding, rate 1e-4.

The collapse: report 000 lost its runs near epoch 20, when the critic had "solved" a, to images of one colour. The loss
above makes that a bad bargain. A critic that knows a costs lambda E[a^2] = .042, one that knows nothing, which guesses
1/8, .008; but horses, deer, birds and airplanes, each in its mean colour, cost .063 nats a pixel more than after 23,400
steps of `acai-report000`. So whatever the critic learns, reconstruction pays more, as long as both terms are means.
It does not once their ratio is lost, say by a sum over the batch in the critic's term, 64 times as much: in miniature,
with `--extra-critic-steps 10 --learning-rate 1e-3 --no-spectral-norm`, the critic solves a within 90 steps at any
`--weight`, but only at 32 does reconstruction end (tests/models/test_acai_collapse.py). The remedy is to keep lambda
below what reconstruction is worth, here about .9, and to take the mean of the squared guesses, not the square of their
mean, under which guesses of opposite signs cancel.

Deviation: codes and their mixtures go through decoder and critic as one batch, which computes the same.
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
        critic: player, images -> a guess of alpha each, `(batch,)`.
        pixels: a `kgen.core.autoencoding.Pixels`: what the decoder's numbers mean, and their error.
        weight: lambda, of the critic's guess in the autoencoder's loss.
        gamma: share of the image in what the critic is shown as unmixed.
        extra_critic_steps: turns of the critic alone in a step, on batches of their own, before both move.
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
        """The extra turns of the critic, then one turn of both players."""
        for batch in batches[:-1]:
            yield self.critic_turn, batch
        yield self.turn, batches[-1]

    def turn(self, real: Tensor) -> dict[str, Tensor]:
        """Both players move, from one forward pass of images `(batch, height, width, channels)`. Returns scalars."""
        found = self.forward(flipped(real) if self.flip else real)
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
        return {"critic": self.forward(flipped(real) if self.flip else real)["critic"]}

    def forward(self, real: Tensor) -> dict[str, Tensor]:
        """Returns the critic's loss, the reconstruction error and alpha's, scalars, and the guesses `(batch, 1)`."""
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
    """Returns images of `shape` -> a number each, `(batch,)`: the mean of an encoder's code."""
    image = keras.Input(shape)
    code = encoder(shape, plan, normed)(image)
    return keras.Model(image, keras.ops.mean(code, axis=-1), name="critic")


@dataclass(frozen=True, kw_only=True)
class ACAIRecipe(ACAINetworksRecipe):
    """Adversarially constrained autoencoder interpolation, Berthelot et al. 2019."""

    loss: Literal["mse", "bce"] = "mse"  # Squared error of images in [-1, 1], or cross-entropy of sigmoid pixels.
    weight: float = 0.5  # Of the critic's guess in the autoencoder's loss, lambda.
    gamma: float = 0.2  # Share of the image in what the critic is shown as unmixed.
    spectral_norm: bool = False  # Whether the critic's kernels are divided by their largest singular values.
    extra_critic_steps: int = 0  # Turns of the critic alone in a step.
    flip: bool = False  # Whether half of the images are mirrored in training.
    halves: int = 0  # Of --classes, how many make the first half of each batch, mixed with the rest; 0 mixes all.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("weight", "gamma", "extra_critic_steps", "halves"):
            self.demand(getattr(self, name) >= 0, name, "0 or more")
        self.demand(self.gamma <= 1, "gamma", "at most 1")
        self.demand(not self.halves or self.batch_size % 2 == 0, "batch_size", "even with --halves")

    def strata(self, data: "Images") -> list[np.ndarray] | None:
        """Returns the rows `(n,)` of the first `halves` classes, and of the others; None where there are no halves."""
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
RECIPES = {
    "acai": ACAIRecipe(**LINES),
    "acai-report000": ACAIRecipe(
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
