"""Training: from a recipe to a run directory with pictures, logs and checkpoints, and an export."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgen import callbacks, images
from kgen.backend import tf
from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.data import demand_every_class, pipeline
from kgen.errors import Diverged, UsageError
from kgen.export import saved_model
from kgen.inference import interpolation, loading
from kgen.rng import Rng
from kgen.runs import build, checkpoint, devices, directory, memory
from kgen.training import evaluators, outcome, report, resumption, rollback, watchers
from kgen.training.model.origin import Origin
from kgen.training.model.trainer import Trainer

if TYPE_CHECKING:
    import numpy as np

    from kgen.core.recipe import Recipe
    from kgen.data import Images
    from kgen.metrics.evaluator import Evaluator


@dataclass
class Result:
    """What `train` returns.

    run: the run directory.
    trainer: the trainer after its last step.
    exported: the export; None if training was interrupted or no export was asked for.
    step: number of steps played.
    finished: False if training was interrupted.
    chief: False in a worker that does not write the run: its `run` is gone.
    """

    run: Path
    trainer: Trainer
    exported: Path | None
    step: int
    finished: bool
    chief: bool = True


def train(
    recipe: "Recipe | str",
    runs_dir: Path = "runs",
    exports_dir: Path | None = "saved_models",
    resume: Path | None = None,
    callbacks: tuple = (),
    **changes: Any,
) -> Result:
    """Trains `recipe` to its last step and exports it. On a CPU a resumed run equals an uninterrupted one bit for bit.

    Args:
        recipe: a `kgen.core.recipe.Recipe`, or the name of one.
        runs_dir: where a new run directory is made.
        exports_dir: where the export goes, as `<model>-<dataset>/<version>`; None exports nothing.
        resume: run directory to go on with; None starts a new one.
        callbacks: of Keras, called after those of kgen. Their `self.model` is the trainer; an epoch is the whole run.
        changes: new values of the recipe's fields, such as `steps=500`.

    Raises:
        UsageError: data, sizes or the run directory cannot be used.
        Diverged: a loss was NaN or infinite.
    """
    recipe = recipes.changed(recipes.find(recipe) if isinstance(recipe, str) else recipe, changes)
    if resume:
        recipes.refuse_changes(directory.read_recipe(resume), recipe, resume)
    chief = devices.is_chief(recipe)  # before all else: devices are chosen before TensorFlow computes
    pictures = build.load(recipe, in_memory=False)
    seen, held = recipe.divide(pictures)
    recipe.strata(seen)  # may refuse, before a run directory is made
    memory.demand_fits(recipe, seen)
    trainer = prepare(recipe, seen)
    if trainer.game.labelled:
        demand_every_class(seen)
    evaluator = evaluators.evaluator_of(recipe, seen, held)
    validation = held if recipe.holds_out else None
    if exports_dir:
        saved_model.demand_no_pattern(exports_dir)
        directory.make_folder(exports_dir)  # if it fails, it fails now, and not after hours
    if not resume:
        begin(trainer, recipe, (validation or seen).images)
    with devices.workplace(recipe, runs_dir, resume) as run:
        resumption.mark(trainer, directory.write_environment(run, pictures))
        step = resumption.restored(trainer, recipe, Path(resume) if resume else run, run)
        directory.write_recipe(run, recipe)
        shown = pipeline.indices(recipe.seed, 0, 64, len(pictures.images))
        images.save_png(run / "real.png", images.grid(pictures.images[shown]))
        announce(recipe, seen.images, run, step)
        if resume and step == 0:
            begin(trainer, recipe, (validation or seen).images)
        try:
            trainer, step = play_on(trainer, recipe, (seen, validation), run, step, evaluator, callbacks)
        finally:
            report.write(run)
        if not finished(trainer, recipe, step):
            return Result(run, trainer, None, step, False, chief)
        exported = complete(trainer, recipe, run, step, exports_dir) if chief else None
        for complaint in outcome.complaints(run):
            print(f"{run}: {complaint}", file=sys.stderr)
        return Result(run, trainer, exported, step, True, chief)


def prepare(recipe: "Recipe", seen: "Images") -> Trainer:
    """Returns the trainer of a recipe on its devices, with initial weights drawn from its seed."""
    with devices.scope(recipe):
        trainer = build.prepare(recipe, seen, Trainer)
    trainer.origin = Origin(recipe, seen.images.shape[1:], seen.classes, count=len(seen.images))
    return trainer


def complete(trainer: Trainer, recipe: "Recipe", run: Path, step: int, exports_dir: Path | str | None) -> Path | None:
    """Exports a finished run, unless this step was exported before; writes interpolation.gif; returns the export."""
    exported = saved_model.exported(run, step)
    if exports_dir and exported is None:
        exported = saved_model.export(trainer.best_game(), recipe, step, exports_dir, run=run)
        saved_model.note(run, step, exported)
    opened = loading.of_game(trainer.best_game())
    if opened.draws:
        interpolation.save_walk(run / "interpolation.gif", opened.generator, recipe.seed)
    return exported


def begin(trainer: Trainer, recipe: "Recipe", shown: "np.ndarray") -> None:
    """Sets what a new run does not draw from its seed: its fixed images `(n, ...)`, and weights of another run."""
    trainer.show(shown)
    if trainer.game.fixed_images_shape:
        with Rng(recipe.seed):
            trainer.best_game().pictures(1)  # refuses unsuitable noise, before a run directory is made
    if recipe.start_from:
        if not (recipe.start_from / "checkpoints").is_dir():
            raise UsageError(f"--start-from {recipe.start_from} is not a run directory: it has no checkpoints.")
        other, _ = build.reopen(directory.read_recipe(recipe.start_from), recipe.start_from)
        trainer.start_from(other.best_game())


def finished(trainer: Trainer, recipe: "Recipe", step: int) -> bool:
    """Returns whether a trainer has reached its last step, or its patience has run out."""
    return step == recipe.steps or bool(recipe.patience) and int(trainer.wait.numpy()) >= recipe.patience


def announce(recipe: "Recipe", pixels: "np.ndarray", run: Path, step: int) -> None:
    """Prints on stderr what is trained on which images `(n, ...)`, and how to watch it."""
    shape = "x".join(map(str, pixels.shape[1:]))
    strategy = devices.of(recipe)
    places = ", ".join(directory.gpus()[: recipe.devices]) or "CPU"
    places += f" ({strategy.num_replicas_in_sync} devices in all)" if strategy else ""
    print(
        f"{run}: {len(pixels)} images {shape} of {recipe.dataset}, {recipe.batch_size} a batch, from step {step} to "
        f"{recipe.steps}, {recipe.precision} on {places}. "
        f"Watch: {run / report.FILE} in a browser, or tensorboard --logdir {run.parent}",
        file=sys.stderr,
    )


def play_on(
    trainer: Trainer,
    recipe: "Recipe",
    data: "tuple[Images, Images | None]",
    run: Path,
    step: int,
    evaluator: "Evaluator | None",
    more: tuple,
) -> tuple[Trainer, int]:
    """Plays a run on from `step`. If it diverges, `--on-nan rollback` goes back to its last checkpoint, at lower rates.

    Args: as in `play`.

    Returns:
        `(trainer, step)`: another trainer after a rollback, and the step reached.
    """
    while not finished(trainer, recipe, step):
        try:
            return trainer, play(trainer, recipe, data, run, step, evaluator, more)
        except Diverged as fault:
            if recipe.on_nan == "stop":
                raise
            factor = rollback.lowered(trainer, fault)
            seen, validation = data
            marked, trainer = trainer.numbers, prepare(recipe, seen)
            trainer.numbers = marked
            step = checkpoint.restore(trainer, run / "checkpoints")
            if step == 0:
                begin(trainer, recipe, (validation or seen).images)
            rollback.go_on(trainer, factor, fault, step, run)
    return trainer, step


def play(
    trainer: Trainer,
    recipe: "Recipe",
    data: "tuple[Images, Images | None]",
    run: Path,
    start: int,
    evaluator: "Evaluator | None" = None,
    more: tuple = (),
) -> int:
    """Plays steps from `start` to `recipe.steps`, or until patience runs out. Returns the step reached.

    Args:
        data: training images, and validation images or None.
        evaluator: `kgen.metrics.evaluator.Evaluator` or None.
        more: callbacks of the user.
    """
    pictures, _ = data
    game = trainer.game
    steps = pipeline.training_steps(
        pictures,
        batch_size=recipe.batch_size,
        batches=game.batches,
        seed=recipe.seed,
        start=start,
        stop=recipe.steps,
        labelled=game.labelled,
        strata=recipe.strata(pictures),
    )
    writer = callbacks.tensorboard_writer(run / "train", start)
    if start == 0:
        with writer.as_default():
            tf.summary.text("recipe", f"```\n{recipe.to_json()}```", step=0)
            callbacks.hparams(recipe, run.name)
    watching = watchers.watchers_of(game, recipe, data, run, start, writer, evaluator)
    try:
        BaseTrainer.fit(trainer, steps, epochs=1, shuffle=False, verbose=0, callbacks=[*watching, *more])
    finally:
        for watcher in watching:
            watcher.close()
    step = int(trainer.step.numpy())  # fewer than asked for if a callback, perhaps the user's, has stopped training
    if finished(trainer, recipe, step):
        for watcher in watching:
            watcher.finish(step)
    else:
        checkpoint.save(trainer, run / "checkpoints", step, recipe.keep)
    return step
