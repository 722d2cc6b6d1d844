"""A small gan that is measured while it trains."""

import dataclasses

from kgen.core import recipe as recipes
from kgen.training import train as training
from tests.helpers.recipes import shrink

SMALL = {"log_every": 4, "sample_every": 20, "checkpoint_every": 4, "split": "train[:200]", "keep": 20}
MEASURED = {"evaluate": "mmd,parzen", "evaluate_every": 4, "evaluate_count": 12, "evaluate_on": "test"}


def small(**changes):
    return dataclasses.replace(shrink(recipes.find("gan")), **{**SMALL, "steps": 12, **changes})


def train(folder, resume=None, **changes):
    return training.train(small(**changes), folder / "runs", folder / "exports", resume)
