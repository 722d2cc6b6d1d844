"""What TensorBoard shows besides scalars and pictures: the recipe, histograms of weights, a profile of a few steps."""

from pathlib import Path
from typing import TYPE_CHECKING

from kgen import backend
from kgen.backend import tf
from kgen.callbacks.every_n_steps import EveryNSteps
from kgen.core.recipe import compared

if TYPE_CHECKING:
    from kgen.core.recipe import Recipe

WARM_UP = 10  # steps before a profile: the first ones are slow, since they are traced


class Histograms(EveryNSteps):
    """Writes a histogram of every weight of every player, `<player>/<layer>/<weight>`.

    Args:
        writer: a `tf.summary` writer.
        every: steps between histograms.
        start: steps played before this `fit`.
    """

    def __init__(self, writer: "tf.summary.SummaryWriter", every: int, start: int = 0) -> None:
        super().__init__(every, start)
        self.writer = writer

    def at(self, step: int) -> None:
        """Writes a histogram of each weight of each player."""
        with self.writer.as_default():
            for name, player in self.model.game.players.items():
                for weight in player.network.trainable_variables:
                    tf.summary.histogram(f"{name}/{weight.path}", weight.numpy(), step=step)
        self.writer.flush()


class Profile(EveryNSteps):
    """Profiles a few steps, for TensorBoard's Profile tab (`pip install tensorboard-plugin-profile`).

    Args:
        folder: of the run's event files.
        steps: how many steps to profile, after a warm-up of 10.
        every: steps between looks at whether the profile begins or ends.
        start: steps played before this `fit`.
    """

    def __init__(self, folder: Path, steps: int, every: int = 1, start: int = 0) -> None:
        super().__init__(every, start)
        self.folder, self.last, self.running = str(folder), start + WARM_UP + steps, False

    def at(self, step: int) -> None:
        """Starts the profiler after the first ten steps, and stops it after as many as asked for."""
        if not self.running and self.start + WARM_UP <= step < self.last:
            tf.profiler.experimental.start(self.folder)
            self.running = True
        elif self.running and step >= self.last:
            self.close()

    def finish(self, step: int) -> None:
        """Does nothing: a profile is of the first steps only."""

    def close(self) -> None:
        """Ends the profile if it is running, and writes it."""
        if self.running:
            tf.profiler.experimental.stop()
        self.running = False


def hparams(recipe: "Recipe", name: str) -> None:
    """Writes the numbers of a recipe for TensorBoard's HParams tab, which compares runs. Empty fields are left out.

    It writes to the current `tf.summary` writer.

    Args:
        recipe: of the run.
        name: of the run.
    """
    backend.load()
    from tensorboard.plugins.hparams import api

    numbers = {key: value for key, value in compared(recipe).items() if isinstance(value, (bool, int, float, str))}
    api.hparams(numbers, trial_id=name)
