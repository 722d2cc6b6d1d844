"""Gives a trained autoencoder a density to draw codes from: kgen sampler --run latest --components 10"""

from dataclasses import dataclass
from pathlib import Path

from kgen.cli import parsing
from kgen.runs import directory


@dataclass(frozen=True)
class Options:
    """Fits a Gaussian mixture to the codes of the training images, and exports the autoencoder as a generator.

    `kgen sample`, `interpolate`, `evaluate`, `serve` and `explore` take the export. Ghosh et al. 2020, section 4.
    """

    run: str = "latest"  # Run directory of an autoencoder, or latest.
    components: int = 10  # Normal distributions of the mixture, each with a full covariance.
    count: int = 60_000  # At most so many training images, whose codes are fitted.
    seed: int = 0  # Of k-means, with which the fit begins.
    name: str | None = None  # Name in TensorFlow Serving; <model>-<dataset>-sampler when not given.
    runs_dir: Path = Path("runs")  # Where to look for the latest run.
    exports_dir: Path = Path("saved_models")  # Where exports are written.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    options = parsing.parse(Options, arguments)
    parsing.demand(options.components >= 1, f"--components must be at least 1, not {options.components}.")
    parsing.demand(options.count >= 2, f"--count must be at least 2, not {options.count}.")
    parsing.demand(0 <= options.seed < 2**31, f"--seed must be from 0 to 2147483647, not {options.seed}.")
    run = directory.find(options.run, options.runs_dir)
    recipe = directory.read_recipe(run)
    from kgen.export.saved_model import export
    from kgen.runs import build
    from kgen.studies import extras, sampler

    extras.demand(*sampler.PACKAGES)
    trainer, step = build.reopen(recipe, run)
    seen, held = recipe.divide(build.load(recipe))
    others = None if held is None else held.images
    game, fit = sampler.sampler(
        trainer.best_game(), seen.images[: options.count], options.components, options.seed, others
    )
    name = options.name or f"{recipe.name}-{recipe.dataset.partition(':')[0]}-sampler"
    print(export(game, recipe, step, options.exports_dir, name=name))
    held_out = "" if fit.held_out is None else f"; of held-out images {fit.held_out:.4g}"
    print(f"{fit.mixture}. Mean log-density of a code, nats: {fit.score:.4g}{held_out}")
    return 0
