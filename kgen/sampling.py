"""Images from a run or from an export, by `draw(seed, count)`: float32 `(count, height, width, channels)` in [0, 1]."""

from pathlib import Path

import numpy as np

from kgen import runs, signatures, training
from kgen.backend import tf
from kgen.errors import UsageError


def from_run(run):
    """Returns `draw` of a run directory's newest checkpoint."""
    _, recipe = runs.read_recipe(run)
    match, _ = training.reopen(recipe, run)
    module, _ = match.exhibition().served
    return in_parts(module.sample)


def from_saved_model(path):
    """Returns `draw` of an export; raises UsageError when `path` is not one that kgen wrote."""
    if not (Path(path) / "saved_model.pb").is_file():
        raise UsageError(f"{path} is not an export: it has no saved_model.pb. Give saved_models/<name>/<version>.")
    try:
        loaded = tf.saved_model.load(str(path))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise UsageError(f"{path} cannot be loaded: {str(error).partition(chr(10))[0]}") from error
    if "sample" not in loaded.signatures:
        raise UsageError(f"{path} has no signature 'sample'; it has: {', '.join(loaded.signatures)}.")
    draw = in_parts(loaded.signatures["sample"])
    draw.keep = loaded  # a signature does not keep its variables alive
    return draw


def in_parts(sample):
    """Returns `draw`, which asks `sample` for at most `LIMIT` images at a time; part i has the seed `seed + i 2^32`."""

    def draw(seed, count):
        parts = [
            sample(
                seed=tf.constant(seed + (i << 32), tf.int64),
                count=tf.constant(min(signatures.LIMIT, count - start), tf.int64),
            )
            for i, start in enumerate(range(0, count, signatures.LIMIT))
        ]
        return np.concatenate([part["images"].numpy() for part in parts])

    return draw
