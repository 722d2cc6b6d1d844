"""A callback that saves samples while training, always of the same noise, so that they can be compared."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from kgen import images
from kgen.backend import tf
from kgen.callbacks.every_n_steps import EveryNSteps
from kgen.core.game import sheet
from kgen.errors import Diverged
from kgen.rng import Rng

EARLY = 50  # step of a first grid, if that is before `every`: it shows within seconds that the networks learn


class Samples(EveryNSteps):
    """Writes a grid of the game's images to `samples/000500.png` and to TensorBoard's image `samples`.

    Args:
        folder: where the PNG files go.
        writer: a `tf.summary` writer.
        every: steps between grids.
        start: steps played before this `fit`.
        seed: of the noise. With the trainer's own seed, runs of equal seeds show the same noise.
        written: is called after each grid.
    """

    def __init__(
        self,
        folder: Path,
        writer: "tf.summary.SummaryWriter",
        every: int,
        start: int = 0,
        seed: int = 0,
        written: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(every, start)
        self.folder, self.writer, self.seed, self.written = Path(folder), writer, seed, written

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Writes the grid of the untrained networks, unless the run is resumed."""
        if self.start == 0:
            self.at(0)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Writes a grid at multiples of `every`, and at step `EARLY`; names the first one on stderr."""
        super().on_train_batch_end(batch, logs)
        step = self.start + batch + 1
        if step == EARLY < self.every:
            self.at(step)
        if step == min(EARLY, self.every):
            tqdm.write(f"first picture: {self.folder / f'{step:06d}.png'}", file=sys.stderr)

    def at(self, step: int) -> None:
        """Writes a grid; raises `Diverged` if an image is not of finite numbers."""
        game = self.model.best_game()
        count, columns = sheet(game.classes)
        with Rng(self.seed):
            pictures = game.pictures(count)
        if not np.isfinite(pictures).all():
            raise Diverged(
                f"The pictures of step {step} are not finite numbers. Checkpoints, if any, are from before that."
            )
        grid = images.grid(images.to_bytes(pictures), columns)
        self.folder.mkdir(parents=True, exist_ok=True)
        images.save_png(self.folder / f"{step:06d}.png", grid)
        with self.writer.as_default():
            tf.summary.image("samples", grid[None], step=step)
        self.writer.flush()
        self.written()
