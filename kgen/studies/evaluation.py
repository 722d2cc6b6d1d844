"""Runs, exports and folders of images, measured alike and compared in one table."""

import functools
from pathlib import Path
from typing import Any, NamedTuple

from kgen import data
from kgen.backend import tf
from kgen.errors import UsageError
from kgen.export import saved_model
from kgen.inference import autoencoder as autoencoders
from kgen.inference import sampling
from kgen.metrics import evaluator as evaluation
from kgen.metrics import reference
from kgen.metrics.evaluator import Evaluator
from kgen.runs import build, directory
from kgen.training import evaluators


class Subject(NamedTuple):
    """What is measured.

    name: of its row.
    source: has `draw(seed, count)`, as `kgen.inference.generator.Source`; None where it draws no images.
    codec: `kgen.inference.autoencoder.Codec`, or None.
    folder: a run or an export, where its measurements are kept; None for images.
    step: of a run's checkpoint, otherwise None.
    """

    name: str
    source: Any
    codec: autoencoders.Codec | None
    folder: Path | None = None
    step: int | None = None


def of_run(run):
    """Returns the `Subject` of a run's newest checkpoint, with averaged or best weights where they are kept."""
    _, recipe = directory.read_recipe(run)
    match, step = build.reopen(recipe, run)
    game = match.exhibition()
    return Subject(f"{run}", *evaluators.opened(game), Path(run), step)


def of_saved_model(path):
    """Returns the `Subject` of an export."""
    found = set(saved_model.load(path).signatures)
    drawn = sampling.from_saved_model(path) if "sample" in found else None
    codec = autoencoders.of_saved_model(path) if {"encode", "decode"} <= found else None
    return Subject(f"{path}", drawn, codec, Path(path))


def of_images(path, shape):
    """Returns the `Subject` of a folder of images: all of them, whatever count is asked for."""
    return Subject(f"{path}", reference.Drawn(reference.folder(path, shape)), None)


def compared(options, metrics, found, recipe, say):
    """Returns `{what was measured: [Measurement]}`, and the same of real images, if asked for.

    Measurements of runs and exports are kept in their folders, too.

    Args:
        options: of scripts/evaluate.py.
        metrics: names in `kgen.metrics.evaluator.METRICS`.
        found: run directories.
        recipe: whose dataset the real images are of.
        say: called with a sentence when something begins that takes time.
    """
    evaluation.known(metrics)
    real = evaluators.real_images(recipe, options.reference, metrics)
    network = evaluators.network_of(options, real.images.shape[1:])
    cache_dir = options.cache_dir.expanduser()
    evaluator = Evaluator(metrics, real, network, options.count, options.seed, options.seeds, cache_dir, progress=True)
    subjects = [functools.partial(of_run, run) for run in found]
    subjects += [functools.partial(of_saved_model, path) for path in options.saved_model]
    subjects += [functools.partial(of_images, path, real.images.shape[1:]) for path in options.images]
    rows = {}
    for open_subject in subjects:  # one at a time in memory
        subject = open_subject()
        rows[subject.name] = measured(subject, evaluator, say)
    if not options.calibration or "parzen" not in metrics:
        return rows, {}
    say("Calibration of the Parzen log-likelihood: what real images score; minutes at first")
    train = evaluators.images_of(recipe, data.parzen_splits(recipe.dataset)[0]).images
    return rows, reference.calibration(real, train, evaluator.cache)


def measured(subject, evaluator, say):
    """Returns the measurements of a subject, and keeps them in its folder: metrics.jsonl, and TensorBoard of a run."""
    say(f"{subject.name}: {', '.join(evaluator.metrics)}")
    try:
        found = sum(evaluator(subject.source, subject.codec).values(), [])
    except UsageError as error:
        raise UsageError(f"{subject.name}: {error}") from error
    if subject.folder:
        with (subject.folder / saved_model.METRICS).open("a") as file:
            file.writelines(each.line(**({} if subject.step is None else {"step": subject.step})) for each in found)
    if subject.step is not None:
        with tf.summary.create_file_writer(str(subject.folder / "evaluation")).as_default():
            for each in found:
                tf.summary.scalar(f"metrics/{each.name}", each.value, step=subject.step)
    return found
