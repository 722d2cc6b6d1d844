"""The validation pass: means of a game's measures over images that it is not trained on."""

from typing import TYPE_CHECKING, Any

import numpy as np

from kgen.backend import Tensor, tf
from kgen.rng import Rng

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images

PART = 500  # images at a time


class Measure:
    """Means of a game's measures over images. Networks run at inference. Every call uses the same noise.

    Args:
        game: a game with `measures`.
        data: `kgen.data.Images`, not empty.
        seed: of the noise, if the game adds noise.
    """

    def __init__(self, game: "Game", data: "Images", seed: int = 0) -> None:
        self.game, self.data, self.seed = game, data, seed
        self._values = tf.function(self._measured, autograph=False)

    def __call__(self) -> dict[str, float]:
        """Returns `{name: mean over all images}`, in float64."""
        sums, count = {}, len(self.data.images)
        for number, start in enumerate(range(0, count, PART)):
            arrays = [self.data.images[start : start + PART]]
            if self.game.labelled:
                arrays.append(self.data.labels[start : start + PART].astype(np.int32))
            values = self._values(Rng(self.seed).fold_in(number).seed, *map(tf.constant, arrays))
            for name, value in values.items():
                sums[name] = sums.get(name, 0.0) + float(np.sum(value.numpy(), dtype=np.float64))
        return {name: total / count for name, total in sums.items()}

    def _measured(self, seed: int, *arrays: Any) -> dict[str, Tensor]:
        data = tuple(array[None] for array in arrays) if self.game.labelled else arrays[0][None]
        with Rng(seed):
            return self.game.measures(self.game.receive(data)[0])
