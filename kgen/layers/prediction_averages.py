"""A layer that remembers what a discriminator said of real and of generated images."""

from typing import Any

from kgen.backend import Tensor, keras, replicas


@keras.saving.register_keras_serializable("kgen")
class PredictionAverages(keras.layers.Layer):
    """Moving averages of a discriminator's mean outputs on real and on generated images, for the LeCam penalty.

    At update t = 1, 2, ... an average moves to the new mean by the share `max(1 - decay, 1 / t)`. So it is the plain
    mean of the first `1 / (1 - decay)` updates, and does not start from 0. Means are those of the whole batch.

    Args:
        decay: of the averages, in [0, 1).

    Source: Tseng et al. 2021, arXiv:2104.03310, whose code has a decay of .99.
    """

    def __init__(self, decay: float = 0.99, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.decay = decay
        how = {"shape": (), "initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        self.real, self.fake, self.updates = (self.add_weight(name=name, **how) for name in ("real", "fake", "updates"))
        self.built = True

    def update(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Moves both averages by a batch's outputs, of any shape; returns them, scalars without a gradient."""
        ops = keras.ops
        means = replicas.mean([ops.mean(ops.cast(ops.stop_gradient(outputs), "float32")) for outputs in (real, fake)])
        updates = self.updates + 1.0
        share = ops.maximum(1.0 - self.decay, 1.0 / updates)
        averages = [average + share * (mean - average) for average, mean in zip((self.real, self.fake), means)]
        for variable, value in zip((self.real, self.fake, self.updates), (*averages, updates)):
            variable.assign(value)
        return tuple(averages)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "decay": self.decay}
