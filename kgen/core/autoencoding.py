"""The base of games with an encoder and a decoder: their pictures, and the signatures of their exports."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kgen import images, rng
from kgen.backend import Tensor, keras, replicas, tf
from kgen.core import signatures
from kgen.core.game import Game
from kgen.images import to_unit
from kgen.losses import reconstruction as reconstruction_losses

COLUMNS, ROWS = 8, 8  # of the sheet of pictures


class Pixels(NamedTuple):
    """What the outputs of a decoder mean.

    Args:
        range: values of images, a `kgen.images.Range`.
        error: function of images and the decoder's outputs that returns a scalar, the mean error over pixels.
        paint: function from the decoder's outputs to images in `range`.
    """

    range: images.Range
    error: Callable
    paint: Callable


PIXELS = {
    "mse": Pixels(images.SYMMETRIC, reconstruction_losses.squared_error, lambda numbers: numbers),
    "tanh": Pixels(
        images.SYMMETRIC,
        lambda real, numbers: reconstruction_losses.squared_error(real, keras.ops.tanh(numbers)),
        lambda numbers: keras.ops.tanh(numbers),
    ),
    "bce": Pixels(images.UNIT, reconstruction_losses.binary_cross_entropy, lambda numbers: keras.ops.sigmoid(numbers)),
}


class AutoencodingGame(Game):
    """An encoder and a decoder, in some games also a discriminator. The game of a paper adds its turns.

    The sheet of pictures shows from top to bottom:
    - rows of images, each above the row of their reconstructions;
    - `walks` rows of interpolations, each in a straight line from the code of one image to that of another;
    - `draws` rows of decoded codes from `prior`.

    Args:
        shape: of an image, `(height, width, channels)`.
        pixels: `Pixels`, which give the game `range` and `paint`; None if the game defines both itself.
        players: the players of the game. Either one is `autoencoder`, with layers named `encoder` and `decoder`, or
            `encoder` and `decoder` are players themselves.

    Class attributes that a subclass may set, besides those of `Game`:
        walks, draws: numbers of such rows on the sheet.
        prior: distribution of codes that the decoder was trained on, see `kgen.core.priors`; or None.
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
        """The network images in `range` -> codes `(batch, size)`; a variational one gives means and log-variances."""
        return self.autoencoder.get_layer("encoder")

    @property
    def decoder(self) -> "keras.Model":
        """The network codes `(batch, size)` -> outputs, which `paint` turns into images."""
        return self.autoencoder.get_layer("decoder")

    def paint(self, numbers: Tensor) -> Tensor:
        """Returns the images in `range` for the decoder's outputs, both `(batch, height, width, channels)`."""
        return numbers

    def painter(self) -> "keras.Model":
        """Returns the network codes -> images in `range`."""
        code = keras.Input(self.decoder.input_shape[1:])
        return keras.Model(code, self.paint(self.decoder(code)))

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the reconstructions in `range` of images in `range`, both `(batch, height, width, channels)`."""
        code = keras.tree.flatten(self.encoder(inputs, training=False))[0]
        return self.paint(self.decoder(code, training=False))

    def take_networks(self, networks: "dict[str, keras.Model]") -> None:
        """Gives players other networks, and the sheet of pictures the shape of their images."""
        super().take_networks(networks)
        self.fixed_images_shape = (self.fixed_images_shape[0], *self.encoder.input_shape[1:])
        self.examples = np.zeros(self.fixed_images_shape, np.uint8)

    def seen(self, batch: Tensor) -> Tensor:
        """Returns the encoder's inputs for the sheet's images, both `(batch, height, width, channels)`."""
        return batch

    def pictures(self, count: int) -> Tensor:
        """Returns the first images of the sheet, float32 `(count, height, width, channels)` in [0, 1].

        If `count` is more than the sheet has, they are repeated.
        """
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

    def with_prior(self, prior: Any) -> "Game":
        """Returns a copy of this game that draws codes from `prior`; half of its sheet shows what they decode to."""
        other = self.with_networks({})
        other.prior, other.pairs, other.walks, other.draws = prior, ROWS // 4, 0, ROWS // 2
        return other

    def signatures(self) -> "tuple[tf.Module, dict[str, Callable]]":
        """Returns `kgen.core.signatures.autoencoder` of encoder and decoder."""
        return signatures.autoencoder(self.encoder, self.painter(), self.range, self.prior)


def walks(codes: Tensor) -> Tensor:
    """Returns codes in equal steps between the two of each pair: first to second, third to fourth, and so on.

    Args:
        codes: `(2 n, size)`.

    Returns:
        `(n COLUMNS, size)`.
    """
    ends = tf.reshape(codes, (-1, 2, 1, codes.shape[-1]))
    alphas = np.linspace(0, 1, COLUMNS, dtype=np.float32)[:, None]
    return tf.reshape((1 - alphas) * ends[:, 0] + alphas * ends[:, 1], (-1, codes.shape[-1]))


def mixed(codes: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the mixed codes `a z + (1 - a) z'`, `(batch, size)`, and `a`, `(batch, 1)`.

    z' is the batch in reverse order. Each code has its own `a`, uniform in [0, 1/2].

    Args:
        codes: `(batch, size)`.

    Source: Berthelot et al. 2019, arXiv:1807.07543. As in the authors' code, `a = 1/2 - |u - 1/2|` for a uniform u in
        [0, 1].
    """
    alpha = 0.5 - keras.ops.abs(rng.current().uniform((codes.shape[0], 1)) - 0.5)
    return alpha * codes + (1 - alpha) * replicas.own(replicas.gathered(codes)[::-1]), alpha


def autoencoder(encoder: "keras.Model", decoder: "keras.Model") -> "keras.Model":
    """Returns the network images -> reconstructions, with the layers `encoder` and `decoder`.

    A variational encoder passes on its means.
    """
    image = keras.Input(encoder.input_shape[1:])
    code = encoder(image)
    return keras.Model(image, decoder(code[0] if isinstance(code, (list, tuple)) else code), name="autoencoder")
