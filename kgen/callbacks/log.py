"""A callback that logs losses as lines of log.jsonl and as TensorBoard scalars."""

import json
import math
import os
import re
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from kgen.backend import tf
from kgen.callbacks.every_n_steps import EveryNSteps
from kgen.errors import demand_file

# Groups of names; the first pattern that fits decides. TensorBoard and its HParams tab sort groups, and so begin with
# the losses.
GROUPS = {
    "validation_(.+)|(best)": "validation",
    "(.+)_loss": "loss",
    "(.+)_gradient_norm": "norm_of_gradient",
    "(.+)_moves": "moves",
    "(.+)_score": "score",
    "(sample|real|within_class|real_within_class)_distance": "picture_distance",
    "(images_per_second)": "speed",
    "(.+)": "report",
}


class Log(EveryNSteps):
    """Writes the mean of every loss since the last line.

    When a run is resumed, lines after `start` are dropped, which the interrupted run wrote after its last checkpoint.
    They will be written again.

    Args:
        path: of log.jsonl. Each line is a JSON object with `step`, the losses and `images_per_second`.
        writer: a `tf.summary` writer.
        images_per_step: images in a step, from which the speed is computed.
        every: steps between lines.
        start: steps played before this `fit`.
    """

    def __init__(
        self, path: Path, writer: "tf.summary.SummaryWriter", images_per_step: int, every: int, start: int = 0
    ) -> None:
        super().__init__(every, start)
        self.path, self.writer, self.images_per_step = Path(path), writer, images_per_step
        forget_after(self.path, start)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Starts the clock for `images_per_second`."""
        self._then = time.perf_counter()
        self._since = self.start

    def at(self, step: int) -> None:
        """Writes a line, and starts new means."""
        now = time.perf_counter()
        speed = (step - self._since) * self.images_per_step / (now - self._then)
        self._then, self._since = now, step
        line = {"step": step, **self.model.take_means(), "images_per_second": round(speed, 1)}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        with self.writer.as_default():
            for name, value in line.items():
                if name != "step":
                    tf.summary.scalar(tag(name), value, step=step)
        self.writer.flush()


def tag(name: str) -> str:
    """Returns the tag in TensorBoard of a name in the log: `loss/generator` of `generator_loss`."""
    found = ((group, re.fullmatch(pattern, name)) for pattern, group in GROUPS.items())
    return next(f"{group}/{match[match.lastindex]}" for group, match in found if match)


def forget_after(path: Path, step: int) -> None:
    """Removes the lines of a JSON-lines file whose `step` is greater than `step`, or that are incomplete."""
    if not os.path.lexists(path):
        return
    demand_file(path)
    kept = [line for line in path.read_text(errors="replace").splitlines() if step_of(line) <= step]
    aside = path.with_suffix(".partial")
    aside.write_text("".join(line + "\n" for line in kept))
    os.replace(aside, path)


def step_of(line: str) -> float:
    """Returns the step of a line, or infinity if the line is incomplete."""
    try:
        step = json.loads(line)["step"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return math.inf
    return step if isinstance(step, int) else math.inf


def tensorboard_writer(folder: Path, start: int) -> "tf.summary.SummaryWriter":
    """Returns a `tf.summary` writer, and makes TensorBoard forget what was written after step `start`.

    It does so by writing the start of a session. A new run writes one too, since TensorBoard takes the first session of
    a folder as its beginning and forgets only from the second one on.

    Args:
        folder: of the event files.
        start: steps played before this `fit`.
    """
    session = EventFileWriter(str(folder))
    session.add_event(Event(session_log=SessionLog(status=SessionLog.START), step=start + 1 if start else 0))
    session.close()
    return tf.summary.create_file_writer(str(folder))
