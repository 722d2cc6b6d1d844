"""Losses, as lines of log.jsonl and as TensorBoard scalars."""

import json
import math
import os
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from kgen.backend import tf
from kgen.callbacks.every_n_steps import EveryNSteps


class Log(EveryNSteps):
    """Writes the mean of every loss since the last line.

    Args:
        path: log.jsonl; one JSON object a line: `step`, the losses, `images_per_second`.
        writer: a `tf.summary` writer; tags are the names of the losses.
        images_per_step: for the speed.

    Lines behind `start`, which an interrupted run wrote after its last checkpoint, are dropped when the run is resumed:
    they will be written again.
    """

    def __init__(
        self, path: Path, writer: "tf.summary.SummaryWriter", images_per_step: int, every: int, start: int = 0
    ) -> None:
        super().__init__(every, start)
        self.path, self.writer, self.images_per_step = Path(path), writer, images_per_step
        forget_after(self.path, start)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._then = time.perf_counter()
        self._since = self.start

    def at(self, step: int) -> None:
        now = time.perf_counter()
        speed = (step - self._since) * self.images_per_step / (now - self._then)
        self._then, self._since = now, step
        line = {"step": step, **self.model.take_means(), "images_per_second": round(speed, 1)}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        with self.writer.as_default():
            for name, value in line.items():
                if name != "step":
                    tf.summary.scalar(name, value, step=step)
        self.writer.flush()


def forget_after(path: Path, step: int) -> None:
    """Rewrites a JSON-lines file without the records whose `step` is greater, or that a kill left half-written."""
    if not path.exists():
        return
    kept = [line for line in path.read_text(errors="replace").splitlines() if step_of(line) <= step]
    aside = path.with_suffix(".partial")
    aside.write_text("".join(line + "\n" for line in kept))
    os.replace(aside, path)


def step_of(line: str) -> float:
    """Returns the step of a record, infinity if the line is not a whole one."""
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError, TypeError):
        return math.inf


def tensorboard_writer(folder: Path, start: int) -> "tf.summary.SummaryWriter":
    """Returns a `tf.summary` writer; TensorBoard is told to forget what was written after step `start`.

    A new run says so too: TensorBoard takes the first session for the beginning, and obeys from the second one on.
    """
    session = EventFileWriter(str(folder))
    session.add_event(Event(session_log=SessionLog(status=SessionLog.START), step=start + 1 if start else 0))
    session.close()
    return tf.summary.create_file_writer(str(folder))
