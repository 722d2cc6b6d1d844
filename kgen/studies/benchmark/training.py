"""kgen as a contestant: a run as `kgen train` makes it, with logs, pictures and checkpoints."""

from pathlib import Path
from typing import Any

import numpy as np

from kgen import images
from kgen.core import recipe as recipes
from kgen.data.spellings import sides
from kgen.runs import build
from kgen.studies.benchmark import where
from kgen.studies.benchmark.meter import Meter
from kgen.studies.benchmark.timed import Timed
from kgen.training.train import train

ENDLESS = 10**8  # steps; the meter stops before
CLASSES = ("airplane", "bird", "deer", "horse")  # which some recipes ask for


def steps(meter: Meter, model: str, changes: dict[str, Any], noise: bool = False) -> dict[str, Any]:
    """Trains a recipe until the meter has enough; returns how many images a step takes, and where its time goes.

    Args:
        meter: what is told of each step.
        model: name of the recipe.
        changes: new values of the recipe's fields.
        noise: whether to train on random colour pictures, of the recipe's size or 32 pixels, in place of its dataset.
    """
    recipe = recipes.changed(recipes.find(model), {**changes, "steps": ENDLESS})
    if noise:
        folder = random_pictures(Path("pictures"), sides(recipe.image_size) or (32, 32))
        recipe = recipes.changed(recipe, {"dataset": f"folder:{folder}", "image_size": recipe.image_size or 32})
    watcher = Timed(meter, lambda trainer: trainer.step.numpy())
    trainer = train(recipe, "runs", None, callbacks=(watcher,)).trainer
    amount = recipe.batch_size * trainer.game.batches
    return {"amount": amount, **where.facts(trainer, recipe, build.load(recipe))}


def random_pictures(folder: Path, size: tuple[int, int], count: int = 128) -> Path:
    """Writes `count` random colour pictures of `size`, `(height, width)`, for each of `CLASSES`; returns the folder."""
    random = np.random.default_rng(0)
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for number, picture in enumerate(random.integers(0, 256, (count, *size, 3), np.uint8)):
            images.save_png(folder / name / f"{number}.png", picture)
    return folder.absolute()
