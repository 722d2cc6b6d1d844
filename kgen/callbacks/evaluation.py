"""A callback that measures metrics while training, and keeps the weights that are best by one of them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kgen.backend import tf
from kgen.callbacks.every_n_steps import EveryNSteps
from kgen.callbacks.log import forget_after
from kgen.core.game import Game

if TYPE_CHECKING:
    from kgen.metrics.evaluator import Evaluator


class Evaluation(EveryNSteps):
    """Writes metrics to metrics.jsonl and to TensorBoard's scalars `metrics/...`.

    The averaged weights are measured if they are kept, otherwise the current ones.

    Args:
        path: of metrics.jsonl. Lines after `start` are dropped, since they will be written again.
        writer: a `tf.summary` writer.
        evaluator: takes the measurements.
        opened: function of a game that returns the arguments of the evaluator.
        every: steps between measurements.
        start: steps played before this `fit`.
        best_by: metric whose first number decides which weights the trainer keeps as the best; None keeps none.
    """

    def __init__(
        self,
        path: Path,
        writer: "tf.summary.SummaryWriter",
        evaluator: "Evaluator",
        opened: Callable[[Game], tuple],
        every: int,
        start: int = 0,
        best_by: str | None = None,
    ) -> None:
        super().__init__(every, start)
        self.path, self.writer, self.evaluator = Path(path), writer, evaluator
        self.opened, self.best_by = opened, best_by
        forget_after(self.path, start)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Prepares what is measured: the generator or autoencoder of the current game."""
        # Once is enough: they refer to the weights, which training changes in place.
        self.parts = self.opened(self.model.current_game())

    def at(self, step: int) -> None:
        """Takes the measurements, writes them, and keeps the weights if they are the best so far."""
        found = self.evaluator(*self.parts)
        measurements = sum(found.values(), [])
        with self.path.open("a") as file:
            file.writelines(each.line(step=step) for each in measurements)
        with self.writer.as_default():
            for each in measurements:
                tf.summary.scalar(f"metrics/{each.name}", each.value, step=step)
        self.writer.flush()
        if self.best_by:
            first = found[self.best_by][0]
            self.model.keep_if_best(-first.value if first.higher else first.value)
