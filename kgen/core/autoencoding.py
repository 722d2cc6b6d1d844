"""The base of games with an encoder and a decoder: how their codes are shown and served."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kgen import images, rng
from kgen.backend import Tensor, keras, tf
from kgen.core import signatures
from kgen.core.game import Game
from kgen.images import to_unit
from kgen.losses import reconstruction as reconstruction_losses

COLUMNS, ROWS = 8, 8  # of the sheet


class Pixels(NamedTuple):
    """What a decoder's numbers mean.

    Args:
        range: of images, a `kgen.images.Range`.
        error: function of images and the decoder's numbers, a scalar: the mean over pixels.
        paint: function from the decoder's numbers to images in `range`.
    """

    range: images.Range
    error: Callable
    paint: Callable


PIXELS = {
    "mse": Pixels(images.SYMMETRIC, reconstruction_losses.squared_error, lambda numbers: numbers),
    "bce": Pixels(images.UNIT, reconstruction_losses.binary_cross_entropy, lambda numbers: keras.ops.sigmoid(numbers)),
}


class AutoencodingGame(Game):
    """An encoder and a decoder, perhaps with a discriminator. The game of a paper adds its turns.

    A sheet shows, from above: rows of images, each over the row of their reconstructions; `walks` rows, each from the
    code of one image to that of another in a straight line; `draws` rows of decoded codes from `prior`.

    Args:
        shape: of an image, `(height, width, channels)`.
        pixels: `Pixels`, which give the game `range` and `paint`; None where it has them itself.
        players: of the game; `autoencoder` has layers named `encoder` and `decoder`, or these two are players.

    Class attributes that a subclass may set, besides those of `Game`:
        walks, draws: rows of the sheet.
        prior: distribution of codes that the decoder was trained to take, see `kgen.core.priors`; or None.
    """

    exported = ("autoencoder",)
    walks, draws = 4, 0
    prior = None

    def __init__(self, shape: tuple[int, ...], pixels: Pixels | None = None, **players: Any) -> None:
        self.pairs = (ROWS - self.walks - self.draws) // 2
        self.fixed_images_shape = (self.pairs * COLUMNS + 2 * self.walks, *shape)
        super().__init__(**players)
        if pixels:
            self.pixels, self.range, self.paint = pixels, pixels.range, pixels.paint

    @property
    def encoder(self) -> "keras.Model":
        """Images in `range` -> codes `(batch, size)`; where they are distributions, their means and log-variances."""
        return self.autoencoder.get_layer("encoder")

    @property
    def decoder(self) -> "keras.Model":
        """Codes `(batch, size)` -> numbers that `paint` makes images of."""
        return self.autoencoder.get_layer("decoder")

    def paint(self, numbers: Tensor) -> Tensor:
        """Returns the images in `range` that the decoder's numbers `(batch, height, width, channels)` stand for."""
        return numbers

    def painter(self) -> "keras.Model":
        """Returns the network codes -> images in `range`."""
        code = self.decoder.input
        return keras.Model(code, self.paint(self.decoder(code)))

    def seen(self, batch: Tensor) -> Tensor:
        """Returns what the encoder is shown of images `(batch, height, width, channels)` on a sheet."""
        return batch

    def pictures(self, count: int) -> Tensor:
        """Returns images of the sheet, repeated if too few, float32 `(count, height, width, channels)` in [0, 1]."""
        module, _ = self.served
        shown = to_unit(self.seen(images.from_bytes(tf.convert_to_tensor(self.examples), self.range)), self.range)
        paired = self.pairs * COLUMNS
        made = module.reconstruct(shown[:paired])["images"]
        rows = [tf.reshape(each, (self.pairs, COLUMNS, *shown.shape[1:])) for each in (shown[:paired], made)]
        parts = [tf.stack(rows, axis=1)]
        if self.walks:
            parts.append(module.decode(walks(module.encode(shown[paired:])["latent"]))["images"])
        if self.draws:
            parts.append(module.decode(self.prior.draw(self.draws * COLUMNS))["images"])
        sheet = tf.concat([tf.reshape(part, (-1, *shown.shape[1:])) for part in parts], axis=0)
        return tf.gather(sheet, tf.range(count) % len(sheet))

    def signatures(self) -> "tuple[tf.Module, dict[str, Callable]]":
        """Returns `kgen.core.signatures.autoencoder` of encoder and decoder."""
        return signatures.autoencoder(self.encoder, self.painter(), self.range, self.prior)


def walks(codes: Tensor) -> Tensor:
    """Returns rows of codes in equal steps from the first to the second, from the third to the fourth, ...

    Args:
        codes: `(2 n, size)`.

    Returns:
        `(n COLUMNS, size)`.
    """
    ends = tf.reshape(codes, (-1, 2, 1, codes.shape[-1]))
    alphas = np.linspace(0, 1, COLUMNS, dtype=np.float32)[:, None]
    return tf.reshape((1 - alphas) * ends[:, 0] + alphas * ends[:, 1], (-1, codes.shape[-1]))


def mixed(codes: Tensor) -> tuple[Tensor, Tensor]:
    """Returns `a z + (1 - a) z'` and `a` `(batch, 1)`: z' is the batch in reverse, a uniform in [0, 1/2], of each code.

    Args:
        codes: `(batch, size)`.

    Source: Berthelot et al. 2019, arXiv:1807.07543; the authors' code folds a uniform number of [0, 1].
    """
    alpha = 0.5 - keras.ops.abs(rng.current().uniform((codes.shape[0], 1)) - 0.5)
    return alpha * codes + (1 - alpha) * codes[::-1], alpha


def autoencoder(encoder: "keras.Model", decoder: "keras.Model") -> "keras.Model":
    """Returns images -> decoded (mean) codes as one network with the layers `encoder` and `decoder`."""
    image = keras.Input(encoder.input_shape[1:])
    code = encoder(image)
    return keras.Model(image, decoder(code[0] if isinstance(code, (list, tuple)) else code), name="autoencoder")
