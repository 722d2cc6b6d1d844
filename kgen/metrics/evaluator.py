"""The evaluator, which measures several models in the same way, and the registry of metrics."""

import functools
import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgen.errors import UsageError
from kgen.metrics.evidence import Evidence
from kgen.metrics.features import Cache
from kgen.metrics.measurement import over_seeds
from kgen.metrics.protocols import DrawsImages, Encodes

if TYPE_CHECKING:
    from kgen.metrics.evidence import Real
    from kgen.metrics.features import Network
    from kgen.metrics.measurement import Measurement, Metric


@functools.cache
def all_metrics() -> "dict[str, Metric]":
    """Returns `{name: Metric}` of all files in this folder that define metrics, sorted by name."""
    folder = importlib.import_module("kgen.metrics")
    modules = [
        importlib.import_module(f"{folder.__name__}.{found.name}") for found in pkgutil.iter_modules(folder.__path__)
    ]
    return dict(sorted(item for module in modules for item in getattr(module, "METRICS", {}).items()))


def known(names: list[str], flag: str = "--metrics") -> None:
    """Raises UsageError unless there is a name and all names are of metrics."""
    unknown = [name for name in names if name not in all_metrics()]
    if unknown or not names:
        given = f"not {', '.join(unknown)}" if unknown else "at least one"
        raise UsageError(f"{flag} must be among {', '.join(all_metrics())}, {given}.")


class Evaluator:
    """Takes the same measurements of several models, one call for each.

    Args:
        metrics: names of metrics.
        real: `Real` images to compare with.
        network: `kgen.metrics.features.Network`, or None.
        count: number of images to draw.
        seed, seeds: the first seed, and how many seeds; with more than one, measurements are means over them.
        cache_dir: folder that keeps the features of real images; None keeps none.
        progress: whether progress bars are shown.
    """

    def __init__(
        self,
        metrics: list[str],
        real: "Real",
        network: "Network | None",
        count: int,
        seed: int = 0,
        seeds: int = 1,
        cache_dir: Path | None = None,
        progress: bool = False,
    ) -> None:
        known(metrics)
        wanting = [name for name in metrics if all_metrics()[name].of_features and network is None]
        if wanting:
            raise UsageError(
                f"{wanting[0]} needs a network that looks at images: --inception FILE.npz for FID, KID and the like "
                "proper, or --classifier RUN of a classifier trained on the same dataset."
            )
        self.metrics, self.real, self.network, self.count = metrics, real, network, count
        self.seeds, self.cache, self.progress = range(seed, seed + seeds), Cache(cache_dir), progress

    def __call__(self, generator: DrawsImages | None = None, autoencoder: Encodes | None = None) -> dict[str, Any]:
        """Returns `{metric: [Measurement]}`; `generator` and `autoencoder` as in `Evidence`.

        Raises:
            UsageError: a metric needs something that the model or the evaluator does not have.
        """
        repeated, asking = [], tuple(all_metrics()[name] for name in self.metrics)
        for seed in self.seeds:
            evidence = Evidence(
                self.real, generator, autoencoder, self.network, self.count, seed, self.cache, self.progress, asking
            )
            repeated.append({name: self._take(name, evidence) for name in self.metrics})
        if len(repeated) == 1:
            return repeated[0]
        return {name: over_seeds([found[name] for found in repeated]) for name in self.metrics}

    def _take(self, name: str, evidence: Evidence) -> "list[Measurement]":
        try:
            return all_metrics()[name].measure(evidence)
        except UsageError:
            raise
        except ValueError as error:  # a pure function refuses its arrays
            raise UsageError(f"{name} cannot be measured: {error}") from error
