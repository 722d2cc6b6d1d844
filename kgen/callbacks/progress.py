"""A callback that shows a progress bar, with images per second and the time left; in a notebook it is a widget."""

import sys

from tqdm.auto import tqdm
from tqdm.notebook import tqdm_notebook

from kgen.callbacks.every_n_steps import EveryNSteps


class Progress(EveryNSteps):
    """Shows the progress of the whole run, in images; a resumed run goes on from where it was.

    Args:
        steps: steps of the whole run.
        images_per_step: images in a step.
        every: steps between updates of the bar.
        start: steps played before this `fit`.
    """

    def __init__(self, steps: int, images_per_step: int, every: int = 1, start: int = 0) -> None:
        super().__init__(every, start)
        self.steps, self.images_per_step = steps, images_per_step

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Shows the bar."""
        redrawn = sys.stderr.isatty() or issubclass(tqdm, tqdm_notebook)
        self.bar = tqdm(
            total=self.steps * self.images_per_step,
            initial=self.start * self.images_per_step,
            unit="img",
            unit_scale=True,
            mininterval=0.5 if redrawn else 30,  # in a log file each update is a line
            dynamic_ncols=True,
        )

    def at(self, step: int) -> None:
        """Moves the bar to a step."""
        self.bar.set_description(f"step {step}/{self.steps}", refresh=False)
        self.bar.update(step * self.images_per_step - self.bar.n)

    def close(self) -> None:
        """Closes the bar."""
        self.bar.close()
