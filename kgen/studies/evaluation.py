"""Measures runs, exports and folders of images in the same way, to compare them in one table."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgen.backend import tf
from kgen.data import cache
from kgen.data.joined import trained_on, warning
from kgen.errors import UsageError
from kgen.export import saved_model
from kgen.inference import loading
from kgen.metrics import evaluator as evaluation
from kgen.metrics import reference
from kgen.metrics.evaluator import Evaluator
from kgen.runs import devices
from kgen.training import evaluators

if TYPE_CHECKING:
    from kgen.core.recipe import Recipe
    from kgen.inference.autoencoder import TrainedAutoencoder
    from kgen.inference.generator import TrainedGenerator
    from kgen.inference.loading import LoadedModel
    from kgen.metrics.measurement import Measurement
    from kgen.metrics.reference import Drawn


def compared(
    options: Any, metrics: list[str], found: list[Path], recipe: "Recipe", say: Callable
) -> "tuple[dict[str, list[Measurement]], dict[str, list[Measurement]]] | tuple[dict[str, list[Measurement]], dict]":
    """Returns `{what was measured: [Measurement]}`, and the same for real images if calibration is asked for.

    Measurements of runs and exports are also saved in their folders.

    Args:
        options: flags of `kgen evaluate`.
        metrics: names of metrics.
        found: run directories.
        recipe: the real images are of its dataset.
        say: called with a sentence before a part that takes time.
    """
    evaluation.known(metrics)
    others = devices.others(options.devices)  # before TensorFlow computes
    real = evaluators.real_images(recipe, options.reference, metrics, lambda: evaluators.training_images(recipe))
    network = evaluators.network_on(others, options.classifier, options.inception, real.images.shape[1:])
    cache_dir = options.cache_dir.expanduser() if options.cache_dir else cache.directory()
    evaluator = Evaluator(metrics, real, network, options.count, options.seed, options.seeds, cache_dir, progress=True)
    rows = {}
    for path in (*found, *options.saved_model):  # so that only one model is in memory at a time
        model = loading.load_on(path, options.trust, others)
        rows[str(path)] = warned(measured(str(path), model.parts(), evaluator, say), model.recipe, options.reference)
        keep(model, rows[str(path)])
    for path in options.images:
        drawn = reference.Drawn(reference.folder(path, real.images.shape[1:]))
        rows[str(path)] = measured(str(path), (drawn, None), evaluator, say)
    if not options.calibration or "parzen" not in metrics:
        return rows, {}
    say("Calibration of the Parzen log-likelihood: what real images score; minutes at first")
    train = reference.calibration_images(lambda part: evaluators.images_of(recipe, part), recipe.dataset)
    return rows, reference.calibration(real, train, evaluator.cache)


def measured(
    name: str,
    parts: "tuple[Drawn | TrainedAutoencoder | TrainedGenerator | None, ...]",
    evaluator: Evaluator,
    say: Callable,
) -> "list[Measurement]":
    """Returns the list of measurements of a generator and an autoencoder; either of the two may be None."""
    say(f"{name}: {', '.join(evaluator.metrics)}")
    try:
        return sum(evaluator(*parts).values(), [])
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from error


def warned(found: "list[Measurement]", trained: "Recipe | None", reference: str) -> "list[Measurement]":
    """Returns measurements with a warning if the model, of the recipe `trained`, has seen the images of `reference`.

    It has also seen them if its weights were chosen by them.
    """
    words = [warning(trained.split, reference)] if trained else []
    if trained and trained.best_by and trained_on(trained.evaluate_on or "", reference):
        words.append(f"the weights were chosen as the best on '{trained.evaluate_on}' (--best-by): this is no test.")
    return [dataclasses.replace(each, warnings=(*each.warnings, *filter(None, words))) for each in found]


def keep(model: "LoadedModel", found: "list[Measurement]") -> None:
    """Writes measurements into the folder of the model: metrics.jsonl, and for a run also TensorBoard."""
    with (model.path / saved_model.METRICS).open("a") as file:
        file.writelines(each.line(**({} if model.step is None else {"step": model.step})) for each in found)
    if model.step is not None:
        with tf.summary.create_file_writer(str(model.path / "evaluation")).as_default():
            for each in found:
                tf.summary.scalar(f"metrics/{each.name}", each.value, step=model.step)
