"""Metrics while training, and the weights that are best by one of them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kgen.backend import tf
from kgen.callbacks.every_n_steps import EveryNSteps
from kgen.callbacks.log import forget_after

if TYPE_CHECKING:
    from kgen.metrics.evaluator import Evaluator


class Evaluation(EveryNSteps):
    """Writes lines of metrics.jsonl and TensorBoard's scalars `metrics/...` of averaged weights, if they are kept.

    Args:
        path: metrics.jsonl. Lines behind `start` are dropped: they will be written again.
        writer: a `tf.summary` writer.
        evaluator: `kgen.metrics.evaluator.Evaluator`.
        opened: function of a game to what the evaluator is called with.
        best_by: metric whose first number decides which weights the trainer remembers; None remembers none.
    """

    def __init__(
        self,
        path: Path,
        writer: "tf.summary.SummaryWriter",
        evaluator: "Evaluator",
        opened: Callable,
        every: int,
        start: int = 0,
        best_by: str | None = None,
    ) -> None:
        super().__init__(every, start)
        self.path, self.writer, self.evaluator = Path(path), writer, evaluator
        self.opened, self.best_by = opened, best_by
        forget_after(self.path, start)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.parts = self.opened(self.model.current_game())  # once: they hold the weights, whatever these become

    def at(self, step: int) -> None:
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
