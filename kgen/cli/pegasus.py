"""Makes hybrids of two kinds of images: python scripts/pegasus.py --run latest --bodies horse --wings bird"""

import dataclasses
import functools
import sys
from dataclasses import dataclass
from pathlib import Path

from kgen.cli import parsing
from kgen.runs import directory
from kgen.studies.hybrids import measures as hybrid_measures
from kgen.studies.hybrids import study as hybrids


@dataclass(frozen=True, kw_only=True)
class Options(hybrids.Protocol):
    """Mixes the codes of bodies and wings, such as horses and birds, and measures what comes out by a classifier."""

    run: str | None = None  # Run directory of an autoencoder, or latest; its newest checkpoint is used.
    saved_model: Path | None = None  # An export, saved_models/<name>/<version>, instead of a run.
    judge: Path | None = None  # Run directory of a classifier of the same dataset, without which nothing is measured.
    out: Path = Path("pegasus")  # The folder to write to; what it has of these names is replaced.
    runs_dir: Path = Path("runs")  # Where latest is looked for.


def main(arguments):
    options = parsing.parse(Options, arguments)
    parsing.demand((options.run is None) != (options.saved_model is None), "Give either --run or --saved-model.")
    parsing.demand(
        options.judge is None or options.count > 1, f"--judge needs a --count of at least 2, not {options.count}."
    )
    path = directory.find(options.run, options.runs_dir) if options.run else options.saved_model
    model, recipe = directory.read_recipe(path)
    from kgen.inference import autoencoder as autoencoders
    from kgen.inference import classifier as classifiers
    from kgen.runs import build

    protocol = hybrids.Protocol(**{f.name: getattr(options, f.name) for f in dataclasses.fields(hybrids.Protocol)})
    data = build.load(dataclasses.replace(recipe, split=options.split, classes=None))
    pairs = hybrids.paired(data, protocol)
    judge = options.judge and classifiers.of_run(options.judge, data.images.shape[1:], data.classes)
    opened = autoencoders.of_run(path) if options.run else autoencoders.of_saved_model(path)
    train = recipe.divide(build.load(recipe))[0]
    about = {"model": model, "dataset": recipe.dataset, "from": str(path)}
    say = functools.partial(print, file=sys.stderr)
    found = hybrids.study(opened, data, pairs, protocol, train, options.out, judge, about, say)
    if not judge:
        say(f"Without --judge nothing is measured: give a run of classifier, trained on {recipe.dataset}.")
    print(
        f"{hybrid_measures.table(found)}{options.count} hybrids of {options.bodies} and {options.wings}: {options.out}"
    )
    return 0
