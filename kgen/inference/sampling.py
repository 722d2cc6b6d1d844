"""Images from a run or from an export: float32 `(count, height, width, channels)` in [0, 1]."""

from kgen.errors import UsageError
from kgen.export import saved_model
from kgen.inference.generator import Source, decoding, of_game
from kgen.runs import build, directory


def from_run(run):
    """Returns the `Source` of a run directory's newest checkpoint."""
    _, recipe = directory.read_recipe(run)
    match, _ = build.reopen(recipe, run)
    found = of_game(match.exhibition())
    if found is None:
        raise UsageError(f"{run} cannot be drawn from: its model makes no images of noise. See its samples/ instead.")
    return found


def from_saved_model(path):
    """Returns the `Source` of an export; raises UsageError when `path` is not one that kgen wrote."""
    loaded = saved_model.load(path)
    found = loaded.signatures
    if not {"sample", "serving_default"} <= set(found) or "latent" not in found["sample"].structured_outputs:
        raise UsageError(f"{path} cannot be drawn from: it has no signature 'sample' that gives images and latents.")
    return Source(found["sample"], decoding(found), saved_model.read_classes(path), keep=loaded)
