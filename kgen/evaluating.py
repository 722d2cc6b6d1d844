"""From the flags of a recipe or of scripts/evaluate.py to who takes measurements."""

import dataclasses

from kgen import codec, data, evaluation, judge, matches, source
from kgen.evaluation import reference
from kgen.metrics.inception import inception


def evaluator_of(recipe):
    """Returns the `kgen.evaluation.Evaluator` of what a recipe measures while it trains; None if nothing.

    Raises:
        UsageError: a metric, a split, a judge or a file of weights that there is not.
    """
    if not recipe.metrics:
        return None
    evaluation.known(recipe.metrics, "--evaluate")
    real = real_images(recipe, recipe.evaluate_on or data.parzen_splits(recipe.dataset)[1], recipe.metrics)
    network = network_of(recipe, real.images.shape[1:])
    return evaluation.Evaluator(recipe.metrics, real, network, recipe.evaluate_count, recipe.seed)


def real_images(recipe, split, metrics):
    """Returns the `kgen.evaluation.evidence.Real` of a split of a recipe's dataset."""
    return reference.real(lambda part: images_of(recipe, part), recipe.dataset, split, metrics)


def images_of(recipe, split):
    """Returns the images of a split of a recipe's dataset, `kgen.data.Images`."""
    return matches.load(dataclasses.replace(recipe, split=split))


def network_of(options, shape):
    """Returns the `kgen.metrics.features.Network` that `options.judge` or `options.inception` names; None if neither.

    Args:
        shape: `(height, width, channels)` of the images.
    """
    if options.judge:
        return judge.of_run(options.judge, shape)
    return inception(options.inception) if options.inception else None


def opened(game):
    """Returns `(source, codec)` of a game: what can be drawn from, and what encodes and decodes; None each if not."""
    return source.of_game(game), codec.of_game(game)
