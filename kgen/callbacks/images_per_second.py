"""A callback that adds the speed to what Keras's progress bar and other callbacks log."""

import time

from kgen.backend import keras


class ImagesPerSecond(keras.callbacks.Callback):
    """Adds `images_per_second`, since the epoch began, to the logs of the callbacks that follow it.

    Args:
        images: images in a step.
    """

    def __init__(self, images: int) -> None:
        super().__init__()
        self.images = images

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Notes when the epoch begins."""
        self.began = self.now = time.perf_counter()
        self.steps = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Adds the speed to the logs of a step."""
        self.steps, self.now = batch + 1, time.perf_counter()
        if logs is not None:
            logs["images_per_second"] = self.speed()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Adds the speed to the logs of an epoch; validation does not count."""
        if logs is not None:
            logs["images_per_second"] = self.speed()

    def speed(self) -> float:
        """Returns the images a second from the begin of the epoch to its last step."""
        return self.steps * self.images / max(self.now - self.began, 1e-9)
