"""Losses of discriminators that also classify, as pure functions: AC-GAN's, and those of K + 1 classes.

A discriminator of K + 1 classes gives K + 1 logits; the last, of index K, is "generated". All arithmetic is float32,
whatever the dtype of the inputs. The log-sum-exp and softplus forms and their gradients are finite for logits of any
size.
"""

from kgen.backend import Tensor, keras, replicas


def class_cross_entropy(labels: Tensor, class_logits: Tensor) -> Tensor:
    """Classification loss `E[-log p(y | x)]`, with `p = softmax(class_logits)`.

    Both players of AC-GAN add it to their adversarial losses: the discriminator on data and on generated images, the
    generator on generated images.

    Args:
        labels: y, integers `(batch,)`, in [0, classes). One that is out of range gives NaN, or an error on a CPU.
        class_logits: `(batch, classes)`.

    Returns:
        Scalar, in nats; log(classes) for a classifier that finds all classes equally likely.

    Raises:
        ValueError: the labels are not integers, or not one for each row of logits.

    Source: Odena et al. 2017, arXiv:1610.09585, equation 3; this is one of its terms, negated.
    """
    return keras.ops.mean(_cross_entropies(labels, _float32(class_logits)))


def k_plus_one_discriminator(labels: Tensor, real_logits: Tensor, fake_logits: Tensor, target: float = 1.0) -> Tensor:
    """Discriminator loss `E[-t log p(y | x) - (1 - t) log p(K | x)] + E[-log p(K | G(z))]`.

    With K = 1 it is `kgen.losses.adversarial.smoothed_discriminator` of the logit `l_0 - l_1`.

    Args:
        labels: y, classes of the data, integers `(batch,)`, in [0, K).
        real_logits: the discriminator's logits on data, `(batch, K + 1)`.
        fake_logits: the discriminator's logits on generated images, `(batch, K + 1)`.
        target: t, the probability that the discriminator should give to the class y, in [0, 1]; 1 is no smoothing.

    Returns:
        Scalar, in nats.

    Raises:
        ValueError: `target` is outside of [0, 1], there are fewer than 2 logits, or the labels are not integers or not
            one for each row of logits.

    Source: Salimans et al. 2016, arXiv:1606.03498, section 5, for labelled data only. Deviation: the paper smooths two
        classes (section 3.4). Here, with more classes, the class "generated" gets the rest, 1 - t.
    """
    if not 0 <= target <= 1:
        raise ValueError(f"`target` must be in [0, 1]. Received: target={target}.")
    ops, real = keras.ops, _float32(real_logits)
    on_real = target * _cross_entropies(labels, real) + (1.0 - target) * ops.softplus(_log_odds(real))
    return ops.mean(on_real) + ops.mean(ops.softplus(_log_odds(_float32(fake_logits))))


def k_plus_one_generator(labels: Tensor, fake_logits: Tensor) -> Tensor:
    """Generator loss `E[-log p(y | G(z, y))]`: the discriminator should find the class that was asked for.

    Args:
        labels: y, classes asked for, integers `(batch,)`, in [0, K).
        fake_logits: the discriminator's logits on generated images, `(batch, K + 1)`.

    Returns:
        Scalar, in nats.

    Raises:
        ValueError: the labels are not integers, or not one for each row of logits.

    Source: student report 002. In Salimans et al. 2016, arXiv:1606.03498, section 5, the generator gets no class,
        and its loss is feature matching.
    """
    return class_cross_entropy(labels, fake_logits)


def k_plus_one_score(logits: Tensor) -> Tensor:
    """Probability of being real, `1 - p(K | x)`.

    Args:
        logits: `(batch, K + 1)`.

    Returns:
        `(batch,)`, float32, in [0, 1].

    Raises:
        ValueError: there are fewer than 2 logits.

    Source: Salimans et al. 2016, arXiv:1606.03498, section 5.
    """
    return keras.ops.sigmoid(_log_odds(_float32(logits)))


def feature_matching(real_features: Tensor, fake_features: Tensor) -> Tensor:
    """Generator loss `mean (E f(x) - E f(G(z)))^2` over the features.

    Args:
        real_features: f of data, a hidden layer of the discriminator, `(batch, ...)`.
        fake_features: f of generated images, the shape of `real_features`; only the batch size may differ.

    Returns:
        Scalar, at least 0, in squared units of the features.

    Raises:
        ValueError: the features have different shapes.

    Source: Salimans et al. 2016, arXiv:1606.03498, section 3.1. Deviation: the paper writes the squared norm, a sum;
        here it is divided by the number of features, as in the authors' code for MNIST. Their code for CIFAR-10 and
        SVHN takes the mean absolute difference.
    """
    ops = keras.ops
    real, fake = (replicas.mean(ops.mean(_float32(each), axis=0)) for each in (real_features, fake_features))
    if real.shape != fake.shape:  # else they would broadcast to a wrong number
        raise ValueError(
            "`real_features` and `fake_features` must have the same shape, but for the batch. "
            f"Received: {tuple(real.shape)} and {tuple(fake.shape)} an image."
        )
    return ops.mean(ops.square(real - fake))


def _cross_entropies(labels: Tensor, logits: Tensor) -> Tensor:
    """Returns `-log p(y | x)` of each image, `(batch,)`."""
    labels = keras.ops.convert_to_tensor(labels)
    if "int" not in keras.backend.standardize_dtype(labels.dtype):
        raise ValueError(f"`labels` must be integers. Received: dtype {labels.dtype}.")
    if len(labels.shape) + 1 != len(logits.shape):  # Keras would accept (batch, 1) too
        shapes = f"{tuple(labels.shape)} and {tuple(logits.shape)}"
        raise ValueError(f"`labels` must be `(batch,)` for logits `(batch, classes)`. Received: {shapes}.")
    return keras.ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def _log_odds(logits: Tensor) -> Tensor:
    """Returns `log (1 - p(K | x)) / p(K | x)`, `(batch,)`, whose softplus is -log p(K | x)."""
    if logits.shape[-1] < 2:
        raise ValueError(f"K + 1 classes must be at least 2. Received: logits {tuple(logits.shape)}.")
    return keras.ops.logsumexp(logits[..., :-1], axis=-1) - logits[..., -1]


def _float32(x: Tensor) -> Tensor:
    return keras.ops.cast(x, "float32")
