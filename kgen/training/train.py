"""Training: from a recipe to a run directory with pictures, logs and checkpoints, and an export."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from tensorboard.plugins.hparams import api

from kgen import callbacks, images
from kgen.backend import tf
from kgen.core.trainer import Match
from kgen.data import pipeline
from kgen.errors import UsageError
from kgen.export import saved_model
from kgen.inference import generator as generators
from kgen.inference import interpolation
from kgen.rng import Dice
from kgen.runs import build, checkpoint, directory
from kgen.training import evaluators


@dataclass
class Result:
    """What `train` leaves.

    run: its directory.
    match: as it was left.
    exported: the export; None when interrupted, or not asked for.
    step: rounds played.
    finished: False when interrupted.
    """

    run: Path
    match: Match
    exported: Path | None
    step: int
    finished: bool


def train(model, recipe, runs_dir="runs", exports_dir="saved_models", resume=None):
    """Trains `recipe` to its last step and exports; resumes `resume`, a run directory, bit for bit on CPU.

    Args:
        model: the recipe's name.
        recipe: a `kgen.core.recipe.Recipe`.
        runs_dir: where a new run directory is made.
        exports_dir: where the export goes, as `<model>-<dataset>/<version>`; None exports nothing.
        resume: run directory to go on with; None starts a new one.

    Raises:
        UsageError: data, sizes or the run directory cannot be used.
        Diverged: a loss was NaN or infinite.
    """
    pictures = build.load(recipe)
    seen, held = recipe.divide(pictures)
    recipe.strata(seen)  # refused before there is a run directory
    match = build.prepare(recipe, seen)
    evaluator = evaluators.evaluator_of(recipe)
    if exports_dir:
        directory.make_folder(exports_dir)  # said now, not after hours, if it cannot be
    if not resume:
        begin(match, recipe, (held or seen).images)
    run = Path(resume) if resume else directory.create(runs_dir, model, recipe)
    with directory.lock(run):
        directory.write_environment(run, pictures)
        checkpoint.sweep(run / "checkpoints")
        step = checkpoint.restore(match, run / "checkpoints")
        if step > recipe.steps:
            raise UsageError(f"--steps must be at least {step}, which {run} has reached, not {recipe.steps}.")
        directory.write_recipe(run, model, recipe)
        shown = pipeline.indices(recipe.seed, 0, 64, len(pictures.images))
        images.save_png(run / "real.png", images.grid(pictures.images[shown]))
        announce(recipe, seen.images, run, step)
        if resume and step == 0:
            begin(match, recipe, (held or seen).images)
        if not finished(match, recipe, step):
            step = play(match, model, recipe, (seen, held), run, step, evaluator)
        if not finished(match, recipe, step):
            return Result(run, match, None, step, False)
        exported = saved_model.exported(run, step)
        if exports_dir and exported is None:
            exported = saved_model.export(match.exhibition(), model, recipe, step, exports_dir, run=run)
            saved_model.note(run, step, exported)
        generator = generators.of_game(match.exhibition())
        if generator:
            interpolation.save_walk(run / "interpolation.gif", generator, recipe.seed)
        return Result(run, match, exported, step, True)


def begin(match, recipe, shown):
    """Sets what a new run does not draw from its seed: the images its pictures show, weights of another run."""
    match.show(shown)
    if match.game.example_shape:
        with Dice(recipe.seed):
            match.exhibition().pictures(1)  # refuses a noise that does not fit, before there is a run directory
    if recipe.start_from:
        if not (recipe.start_from / "checkpoints").is_dir():
            raise UsageError(f"--start-from {recipe.start_from} is not a run directory: it has no checkpoints.")
        other, _ = build.reopen(directory.read_recipe(recipe.start_from)[1], recipe.start_from)
        match.start_from(other.exhibition())


def hparams(recipe, name):
    """Writes a recipe's JSON for TensorBoard's HParams tab, in which runs compare; nothing that is empty."""
    found = json.loads(recipe)
    plain = {key: value for key, value in found.items() if isinstance(value, (bool, int, float, str))}
    api.hparams(plain, trial_id=name)


def finished(match, recipe, step):
    """Returns whether a match has reached its last step, or its patience has ended."""
    return step == recipe.steps or bool(recipe.patience) and int(match.waited.numpy()) >= recipe.patience


def announce(recipe, pixels, run, step):
    """Says on stderr what is about to happen, and where it can be watched."""
    shape = "x".join(map(str, pixels.shape[1:]))
    print(
        f"{run}: {len(pixels)} images {shape} of {recipe.dataset}, {recipe.batch_size} a batch, from step {step} to "
        f"{recipe.steps}, {recipe.precision} on {', '.join(directory.gpus()) or 'CPU'}. "
        f"Watch: tensorboard --logdir {run.parent}",
        file=sys.stderr,
    )


def epoch(recipe, count, batches):
    """Returns the rounds of an epoch of `count` images: the nearest number that the recipe's executions allow."""
    execution = recipe.rounds_per_execution
    return max(1, round(count / (recipe.batch_size * batches * execution))) * execution


def play(match, model, recipe, data, run, start, evaluator=None):
    """Plays rounds `start` to `recipe.steps` or until patience ends; returns the step reached.

    Args:
        data: training images, and validation images or None.
        evaluator: `kgen.metrics.evaluator.Evaluator` or None.
    """
    pictures, held = data
    batches = match.game.batches
    rounds = pipeline.rounds(
        pictures,
        batch_size=recipe.batch_size,
        batches=batches,
        seed=recipe.seed,
        start=start,
        stop=recipe.steps,
        labelled=match.game.labelled,
        strata=recipe.strata(pictures),
    )
    writer = callbacks.tensorboard_writer(run / "train", start)
    if start == 0:
        with writer.as_default():
            tf.summary.text("recipe", f"```\n{recipe.to_json(model)}```", step=0)
            hparams(recipe.to_json(model), run.name)
    per_step = recipe.batch_size * batches
    interrupt = callbacks.Interrupt(start)
    rounds_of_epoch = epoch(recipe, len(pictures.images), batches)
    epochs = callbacks.Epoch(
        run / "epochs.jsonl", writer, held, rounds_of_epoch, recipe.steps, start, recipe.patience, recipe.seed
    )
    evaluate = evaluator and callbacks.Evaluate(
        run / saved_model.METRICS, writer, evaluator, evaluators.opened, recipe.evaluate_every, start, recipe.best_by
    )
    watchers = [
        callbacks.Guard(recipe.rounds_per_execution, start),  # first: nothing after it may keep a NaN
        *([epochs] if held or match.game.acts_between_epochs() else []),  # others look at what it leaves
        *([evaluate] if evaluate else []),
        callbacks.Progress(recipe.steps, per_step, recipe.rounds_per_execution, start),
        # Before the log, which takes the means that both read.
        callbacks.Diagnose(run / "diagnosis.jsonl", writer, pictures, recipe.sample_every, start, seed=recipe.seed),
        callbacks.Log(run / "log.jsonl", writer, per_step, recipe.log_every, start),
        *([callbacks.Histograms(writer, recipe.sample_every, start)] if recipe.histograms else []),
        *(
            [callbacks.Profile(run / "train", recipe.profile, recipe.rounds_per_execution, start)]
            if recipe.profile
            else []
        ),
        callbacks.Samples(run / "samples", writer, recipe.sample_every, start, seed=recipe.seed),
        callbacks.Checkpoints(run / "checkpoints", recipe.checkpoint_every, start, recipe.keep),
        interrupt,
    ]
    try:
        match.fit(rounds, epochs=1, shuffle=False, verbose=0, callbacks=watchers)
    finally:
        for watcher in watchers:
            watcher.close()
    step = epochs.stopped or interrupt.stopped or recipe.steps
    if finished(match, recipe, step):
        for watcher in watchers:
            watcher.finish(step)
    else:
        checkpoint.save(match, run / "checkpoints", step, recipe.keep)
    return step
