"""A callback that acts after each epoch: validation, best weights, early stopping, and what the paper does then."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from kgen.backend import tf
from kgen.callbacks.every_n_steps import EveryNSteps
from kgen.callbacks.log import forget_after, tag
from kgen.core.validation import Measure

if TYPE_CHECKING:
    from kgen.data import Images


class Validation(EveryNSteps):
    """Writes a line of epochs.jsonl and TensorBoard's scalars after each epoch.

    A line has `step`, `epoch` and what `game.between_epochs` reports. Where images are held out it also has
    `validation_<measure>` of each of the game's measures, and `best`: whether the validation loss, which is the first
    measure, is the least so far. Weights are measured before `between_epochs` changes them.

    Args:
        path: of epochs.jsonl. Lines after `start` are dropped, since they will be written again.
        writer: a `tf.summary` writer.
        held: the images held out, `kgen.data.Images`, or None.
        every: steps in an epoch.
        last: the last step of the run, after which the weights are measured too.
        start: steps played before this `fit`.
        patience: epochs without a smaller loss after which `fit` stops; 0 never stops it.
        seed: of the noise that a game adds to the held-out images.

    Source: Prechelt 1998, "Early stopping - but when?"; report 002, section 2.2.
    """

    def __init__(
        self,
        path: Path,
        writer: "tf.summary.SummaryWriter",
        held: "Images | None",
        every: int,
        last: int,
        start: int = 0,
        patience: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(every, start)
        self.path, self.writer, self.held, self.last = Path(path), writer, held, last
        self.patience, self.seed = patience, seed
        forget_after(self.path, start)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Prepares the measurement of the current game."""
        self.measure = Measure(self.model.current_game(), self.held, self.seed) if self.held else None

    def at(self, step: int) -> None:
        """Measures, lets the game act between epochs, and stops `fit` when patience has run out."""
        self._note(step, self._look(), self.model.game.between_epochs(step // self.every))
        if self.patience and int(self.model.wait.numpy()) >= self.patience:
            self.model.stop_training = True

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Calls `at` after each epoch; also measures a last step within an epoch, since its weights may be the best."""
        super().on_train_batch_end(batch, logs)
        step = self.start + batch + 1
        if step == self.last and step % self.every and self.held:
            self._note(step, self._look(counts=False), {})

    def finish(self, step: int) -> None:
        """Does nothing: the last step is measured in `on_train_batch_end`, before its checkpoint is saved."""

    def _look(self, counts: bool = True) -> dict[str, bool | float]:
        """Returns the validation part of a line; `counts` is whether a loss that is not less counts for patience."""
        if not self.held:
            return {}
        values = self.measure()
        best = self.model.keep_if_best(next(iter(values.values())), counts)
        return {**{f"validation_{name}": value for name, value in values.items()}, "best": best}

    def _note(self, step: int, look: dict[str, bool | float], reports: dict[str, float]) -> None:
        """Writes a line with the validation and the game's reports."""
        line = {"step": step, "epoch": round(step / self.every, 3), **look, **reports}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        with self.writer.as_default():
            for name, value in {**look, **reports}.items():
                tf.summary.scalar(tag(name), float(value), step=step)
        self.writer.flush()
