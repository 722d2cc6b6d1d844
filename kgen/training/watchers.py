"""The callbacks of a run, in the order in which they act."""

from pathlib import Path
from typing import TYPE_CHECKING

from kgen import callbacks
from kgen.export import saved_model
from kgen.inference import loading
from kgen.runs import devices
from kgen.training import report

if TYPE_CHECKING:
    from kgen.backend import tf
    from kgen.callbacks.every_n_steps import EveryNSteps
    from kgen.core.game import Game
    from kgen.core.recipe import Recipe
    from kgen.data import Images
    from kgen.inference.autoencoder import TrainedAutoencoder
    from kgen.inference.generator import TrainedGenerator
    from kgen.metrics.evaluator import Evaluator


def watchers_of(
    game: "Game",
    recipe: "Recipe",
    data: "tuple[Images, Images | None]",
    run: Path,
    start: int,
    writer: "tf.summary.SummaryWriter",
    evaluator: "Evaluator | None",
) -> "list[EveryNSteps]":
    """Returns the callbacks of a run in the order in which they act.

    Args: as in `play`; `writer` is a `tf.summary` writer.
    """
    pictures, held = data
    per_step, seed = recipe.batch_size * game.batches, recipe.seed
    steps_of_epoch = epoch(recipe, len(pictures.images), game.batches)
    validation = callbacks.Validation(
        run / "epochs.jsonl", writer, held, steps_of_epoch, recipe.steps, start, recipe.patience, seed
    )
    watchers = [callbacks.StopOnNaN(recipe.steps_per_execution, start)]  # first, so that no other callback keeps a NaN
    if held or game.acts_between_epochs():
        watchers.append(validation)  # before those that read its results
    if evaluator:
        measurements = run / saved_model.METRICS
        watchers.append(
            callbacks.Evaluation(
                measurements, writer, evaluator, parts_of, recipe.evaluate_every, start, recipe.best_by
            )
        )
    watchers += [
        callbacks.Progress(recipe.steps, per_step, recipe.steps_per_execution, start),
        # Before Log, which resets the means that both read.
        callbacks.Diagnostics(run / "diagnosis.jsonl", writer, pictures, recipe.sample_every, start, seed=seed),
        callbacks.Log(run / "log.jsonl", writer, per_step, recipe.log_every, start),
    ]
    if recipe.histograms:
        watchers.append(callbacks.Histograms(writer, recipe.sample_every, start))
    if recipe.profile:
        watchers.append(callbacks.Profile(run / "train", recipe.profile, recipe.steps_per_execution, start))
    watchers += [
        callbacks.Samples(
            run / "samples", writer, recipe.sample_every, start, seed=seed, written=lambda: report.write(run)
        ),
        callbacks.Checkpoints(run / "checkpoints", recipe.checkpoint_every, start, recipe.keep, recipe.steps),
    ]
    if devices.alone(recipe):  # workers would stop at different steps, and wait for each other
        watchers.append(callbacks.Interrupt(start))
    return watchers


def epoch(recipe: "Recipe", count: int, batches: int) -> int:
    """Returns the steps of an epoch of `count` images, rounded to a multiple of `steps_per_execution`."""
    execution = recipe.steps_per_execution
    return max(1, round(count / (recipe.batch_size * batches * execution))) * execution


def parts_of(game: "Game") -> "tuple[TrainedGenerator | None, TrainedAutoencoder | None]":
    """Returns the trained generator and the trained autoencoder of a game; None for what it does not have."""
    return loading.of_game(game).parts()
