"""What a discriminator says of generated images, printed above each: a score, or a class. Report 002, figure 5."""

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from kgen import images
from kgen.backend import keras
from kgen.core.adversarial import AdversarialGame
from kgen.errors import UsageError

if TYPE_CHECKING:
    from kgen.core.game import Game

WIDTH, HEIGHT = 64, 14  # least width of a cell, and height of the text, in pixels


def captions(game: "Game | None", pictures: np.ndarray) -> list[str]:
    """Returns a text for each image: the discriminator's class if it tells classes, otherwise its number.

    The number is a logit or, of a critic, its score; higher is more real. Among the classes, `fake` is the last one.

    Args:
        game: of a run; None for an export, which has no discriminator.
        pictures: float32 `(n, height, width, channels)` in [0, 1], which the discriminator sees as one batch.

    Raises:
        UsageError: there is no discriminator, or it does not see images alone.
    """
    if not isinstance(game, AdversarialGame):
        raise UsageError("--scores needs the --run of a GAN: exports and autoencoders have no discriminator.")
    network = game.players[game.discriminator_name].network
    if len(network.inputs) != 1:
        raise UsageError("--scores: the discriminator of this model sees more than images.")
    outputs = keras.tree.flatten(network(images.from_unit(pictures, game.range), training=False))
    names = (*game.classes, "fake")
    first = np.asarray(outputs[0], np.float32)
    if game.classes and first.shape[-1] == len(names):
        return [names[number] for number in first.argmax(axis=-1)]
    return [f"{number:.2f}" for number in first.reshape(len(pictures), -1).mean(axis=1)]


def captioned(pictures: np.ndarray, texts: list[str], columns: int) -> np.ndarray:
    """Returns a sheet of images, enlarged by whole pixels to at least `WIDTH`, each with its text above.

    Args:
        pictures: uint8 `(n, height, width, 1 or 3)`.
        texts: n texts, cut where they are wider than an image.
        columns: of the sheet.

    Returns:
        uint8 `(height, width, 1 or 3)`.
    """
    factor = math.ceil(WIDTH / pictures.shape[2])
    cells = []
    for picture, text in zip(pictures.repeat(factor, axis=1).repeat(factor, axis=2), texts, strict=True):
        strip = Image.new("L", (picture.shape[1], HEIGHT))
        ImageDraw.Draw(strip).text((2, 1), text, fill=255)
        head = np.asarray(strip)[..., None].repeat(picture.shape[-1], axis=-1)
        cells.append(np.concatenate([head, picture]))
    return images.grid(np.stack(cells), columns)
