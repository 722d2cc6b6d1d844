"""Images from a run or from an export: float32 `(count, height, width, channels)` in [0, 1]."""

from pathlib import Path

from kgen import export, runs, training
from kgen.backend import tf
from kgen.errors import UsageError
from kgen.source import Source, of_game


def from_run(run):
    """Returns the `Source` of a run directory's newest checkpoint."""
    _, recipe = runs.read_recipe(run)
    match, _ = training.reopen(recipe, run)
    return of_game(match.exhibition())


def from_saved_model(path):
    """Returns the `Source` of an export; raises UsageError when `path` is not one that kgen wrote."""
    if not (Path(path) / "saved_model.pb").is_file():
        raise UsageError(f"{path} is not an export: it has no saved_model.pb. Give saved_models/<name>/<version>.")
    try:
        loaded = tf.saved_model.load(str(path))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise UsageError(f"{path} cannot be loaded: {str(error).partition(chr(10))[0]}") from error
    found = loaded.signatures
    if not {"sample", "serving_default"} <= set(found) or "latent" not in found["sample"].structured_outputs:
        raise UsageError(f"{path} cannot be drawn from: it has no signature 'sample' that gives images and latents.")
    return Source(found["sample"], found["serving_default"], export.read_classes(path), keep=loaded)
