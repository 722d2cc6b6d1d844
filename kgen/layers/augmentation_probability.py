"""A layer that holds how often a discriminator's images are augmented, and adapts it to how much it overfits."""

from typing import Any

from kgen.backend import Tensor, keras, replicas


@keras.saving.register_keras_serializable("kgen")
class AugmentationProbability(keras.layers.Layer):
    """The probability p of adaptive discriminator augmentation. It starts at 0 and stays in [0, 1].

    Overfitting is `r_t = E[sign D(x)]` on training images, over `every` batches: 0 for a discriminator that cannot tell
    real from generated, 1 for one that is sure of all images that it was trained on. After these batches p rises if r_t
    is above the target, else it falls, at such a pace that it can go from 0 to 1 in `images` images.

    Args:
        target: of r_t, above 0 and below 1.
        images: how many images p needs from 0 to 1.
        every: batches between two changes of p.

    Source: Karras et al. 2020, arXiv:2006.06676, section 3 and equation 1.
    """

    def __init__(self, target: float = 0.6, images: int = 500_000, every: int = 4, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.target, self.images, self.every = target, images, every
        how = {"shape": (), "initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        names = ("probability", "signs", "batches")
        self.probability, self.signs, self.batches = (self.add_weight(name=name, **how) for name in names)
        self.built = True

    def update(self, centred_scores: Tensor) -> Tensor:
        """Takes the discriminator's scores, less one half, on a batch of real images into account; returns p, a scalar.

        Args:
            centred_scores: `(batch, ...)`, above 0 where the discriminator takes the image for real.
        """
        ops = keras.ops
        whole = replicas.count() * centred_scores.shape[0]
        sign = ops.mean(ops.sign(ops.cast(ops.stop_gradient(centred_scores), "float32")))
        signs, batches = self.signs + replicas.mean(sign), self.batches + 1.0
        due = ops.cast(batches >= self.every, "float32")
        step = ops.sign(signs / self.every - self.target) * self.every * whole / self.images
        self.probability.assign(ops.clip(self.probability + due * step, 0.0, 1.0))
        self.signs.assign((1.0 - due) * signs)
        self.batches.assign((1.0 - due) * batches)
        return ops.convert_to_tensor(self.probability)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target": self.target, "images": self.images, "every": self.every}
