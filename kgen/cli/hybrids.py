"""Makes hybrids of two kinds of images: kgen hybrids --run latest --bodies horse --wings bird"""

import dataclasses
import functools
import sys
from dataclasses import dataclass
from pathlib import Path

from kgen.cli import parsing
from kgen.runs import directory
from kgen.studies.hybrids import measures as hybrid_measures
from kgen.studies.hybrids import study as hybrids
from kgen.studies.hybrids.pairs import Protocol, paired


@dataclass(frozen=True, kw_only=True)
class Options(parsing.ModelOptions, Protocol):
    """Mixes the codes of bodies and wings, such as horses and birds, and measures the hybrids with a classifier."""

    classifier: Path | None = None  # Run of a classifier of the same dataset; without it nothing is measured.
    out: Path = Path("hybrids")  # Folder to write to; files of the same names are replaced.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    options = parsing.parse(Options, arguments)
    path = options.path()
    parsing.demand(
        options.classifier is None or options.count > 1,
        f"--classifier needs a --count of at least 2, not {options.count}.",
    )
    recipe = directory.read_recipe(path)
    from kgen.inference import classifier as classifiers
    from kgen.inference import loading
    from kgen.runs import build

    protocol = Protocol(**{f.name: getattr(options, f.name) for f in dataclasses.fields(Protocol)})
    data = build.load(dataclasses.replace(recipe, split=options.split, classes=None))
    pairs = paired(data, protocol)
    classifier = options.classifier and classifiers.network(options.classifier, data.images.shape[1:], data.classes)
    opened = loading.load(path, options.trust).autoencoder
    train = recipe.divide(build.load(recipe))[0]
    about = {"model": recipe.name, "dataset": recipe.dataset, "from": str(path)}
    say = functools.partial(print, file=sys.stderr)
    found = hybrids.study(opened, data, pairs, protocol, train, options.out, classifier, about, say)
    if not classifier:
        say(f"Without --classifier nothing is measured: give a run of classifier, trained on {recipe.dataset}.")
    print(
        f"{hybrid_measures.table(found)}{options.count} hybrids of {options.bodies} and {options.wings}: {options.out}"
    )
    return 0
