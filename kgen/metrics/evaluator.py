"""Which metrics there are, and who takes them of a model."""

from kgen.errors import UsageError
from kgen.metrics import of_codes, of_features, of_pixels
from kgen.metrics.evidence import Evidence
from kgen.metrics.features import Cache
from kgen.metrics.measurement import over_seeds

OF_FEATURES = {
    "fid": of_features.frechet_distance,
    "is": of_features.score,
    "is-biased": of_features.score_with_bias,
    "kid": of_features.kernel,
    "pr": of_features.shares,
}
METRICS = OF_FEATURES | {
    "lines": of_codes.lines,
    "mmd": of_pixels.discrepancies,
    "mmd-report004": of_pixels.report004,
    "parzen": of_pixels.parzen_log_likelihood,
}


def known(names, flag="--metrics"):
    """Raises UsageError unless all names are of metrics, at least one."""
    unknown = [name for name in names if name not in METRICS]
    if unknown or not names:
        given = f"not {', '.join(unknown)}" if unknown else "at least one"
        raise UsageError(f"{flag} must be among {', '.join(METRICS)}, {given}.")


class Evaluator:
    """Takes the same measurements of model after model.

    Args:
        metrics: names in `METRICS`.
        real: `Real`.
        network: `kgen.metrics.features.Network`, or None.
        count: images to draw.
        seed, seeds: the first seed, and how many; more than one gives means over them.
        cache_dir: folder of the features of real images; None keeps none.
        progress: whether progress bars are shown.
    """

    def __init__(self, metrics, real, network, count, seed=0, seeds=1, cache_dir=None, progress=False):
        known(metrics)
        wanting = [name for name in metrics if name in OF_FEATURES and network is None]
        if wanting:
            raise UsageError(
                f"{wanting[0]} needs a network that looks at images: --inception FILE.npz for FID, KID and the like "
                "proper, or --judge RUN of a classifier trained on the same dataset."
            )
        self.metrics, self.real, self.network, self.count = metrics, real, network, count
        self.seeds, self.cache, self.progress = range(seed, seed + seeds), Cache(cache_dir), progress

    def __call__(self, source=None, codec=None):
        """Returns `{metric: [Measurement]}`; `source` and `codec` as in `Evidence`.

        Raises:
            UsageError: a metric needs what the model, or the evaluator, has not.
        """
        repeated = []
        for seed in self.seeds:
            evidence = Evidence(self.real, source, codec, self.network, self.count, seed, self.cache, self.progress)
            repeated.append({name: self._take(name, evidence) for name in self.metrics})
        if len(repeated) == 1:
            return repeated[0]
        return {name: over_seeds([found[name] for found in repeated]) for name in self.metrics}

    def _take(self, name, evidence):
        try:
            return METRICS[name](evidence)
        except UsageError:
            raise
        except ValueError as error:  # of a pure function, about its arrays
            raise UsageError(f"{name} cannot be measured: {error}") from error
