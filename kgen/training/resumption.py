"""Sets a trainer to where a run stopped."""

import json
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from kgen.callbacks.log import step_of
from kgen.errors import UsageError
from kgen.runs import checkpoint

if TYPE_CHECKING:
    from kgen.core.base_trainer import BaseTrainer
    from kgen.core.recipe import Recipe


def mark(trainer: "BaseTrainer", images: str) -> None:
    """Makes checkpoints of a trainer tell the SHA-256 of its images; those of other images are then refused."""
    trainer.numbers = json.dumps({**json.loads(trainer.numbers), "images_sha256": images})


def restored(trainer: "BaseTrainer", recipe: "Recipe", run: Path, workplace: Path) -> int:
    """Sets a trainer to the newest checkpoint of a run; returns its step, 0 without one.

    Args:
        trainer: what to set.
        recipe: of the run.
        run: the run directory to read.
        workplace: where this process writes, see `kgen.runs.devices.workplace`. If it is another directory it gets the
            checkpoint too, to which a rollback goes back.

    Raises:
        UsageError: the run has played more steps than the recipe has, or its checkpoints are of another recipe.
    """
    if (run / "checkpoints").is_file():
        raise UsageError(f"{run / 'checkpoints'} is a file, where the folder of checkpoints must be: move it away.")
    checkpoint.sweep(run / "checkpoints")
    step = checkpoint.restore(trainer, run / "checkpoints")
    log = (run / "log.jsonl").read_text(errors="replace").splitlines() if (run / "log.jsonl").is_file() else []
    played = max((known for known in map(step_of, log) if known < math.inf), default=0)  # a kill may have cut a line
    if step == 0 and played > recipe.checkpoint_every:
        warnings.warn(f"{run} has a log of {played} steps and no checkpoint: it begins again at step 0.", stacklevel=2)
    if step > recipe.steps:
        raise UsageError(f"--steps must be at least {step}, which {run} has reached, not {recipe.steps}.")
    if step and workplace != run:
        checkpoint.save(trainer, workplace / "checkpoints", step)
    return step
