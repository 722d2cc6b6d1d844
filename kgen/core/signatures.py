"""The signatures of an export: named functions with named tensors. They need neither kgen nor Keras."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

from kgen.backend import Tensor, tf
from kgen.core.requests import allowed, bounded, drawn, encoded, latents, module_of, pictures, seen
from kgen.images import from_unit, to_unit

if TYPE_CHECKING:
    from kgen.backend import keras
    from kgen.core.priors import Normal, Uniform
    from kgen.images import Range


def generator(
    network: "keras.Model", prior: "Normal | Uniform", image_range: "Range"
) -> "tuple[tf.Module, dict[str, Callable]]":
    """Returns `(module, signatures)` of a latent-variable generator, for `tf.saved_model.save`.

    - `serving_default`: latent float32 `(count, size)` -> images float32 `(count, height, width, channels)` in [0, 1].
    - `sample`: seed int64 scalar, count int64 scalar -> images, and the latent they were made from. Equal seeds give
      equal images. A larger count begins with the images of a smaller count, up to rounding.
    - `png`: seed, count -> image_bytes string `(count,)`, each a PNG.

    Args:
        network: Keras model, latents -> images in `image_range`.
        prior: distribution of latents, with `size` and `draw(count)`.
        image_range: `kgen.images.Range`.
    """

    @tf.function(input_signature=[latents(prior)], autograph=False)
    def serving_default(latent: Tensor) -> dict[str, Tensor]:
        return {"images": to_unit(network(allowed(latent), training=False), image_range)}

    return module_of(network.variables, serving_default, *sampling(serving_default, prior))


def class_conditional(
    network: "keras.Model", prior: "Normal | Uniform", image_range: "Range", classes: int
) -> "tuple[tf.Module, dict[str, Callable]]":
    """Returns `(module, signatures)` of a class-conditional generator, for `tf.saved_model.save`.

    They are those of `generator` with one more input: `label`, int64 `(count,)`, the class of each image from 0 to
    `classes - 1`.

    - `serving_default`: latent `(count, size)`, label `(count,)` -> images.
    - `sample`: seed, label -> images, latent. One image for each label.
    - `png`: seed, label -> image_bytes.

    Args:
        network: Keras model, `[latents, labels]` -> images in `image_range`.
        prior, image_range: as in `generator`.
        classes: number of classes.
    """
    label_spec = tf.TensorSpec((None,), tf.int64, "label")

    def checked(label: Tensor) -> Tensor:
        known = tf.reduce_all(tf.logical_and(label >= 0, label < classes))
        with tf.control_dependencies(
            [
                bounded(tf.size(label), "the number of labels"),
                tf.debugging.Assert(known, [f"label must be from 0 to {classes - 1}, but is", label]),
            ]
        ):
            return tf.identity(label)

    @tf.function(input_signature=[latents(prior), label_spec], autograph=False)
    def serving_default(latent: Tensor, label: Tensor) -> dict[str, Tensor]:
        label = checked(label)
        same = tf.equal(tf.shape(latent)[0], tf.size(label))
        unequal = ["latent and label must be equally many, but are", tf.shape(latent)[0], tf.size(label)]
        with tf.control_dependencies([tf.debugging.Assert(same, unequal)]):
            latent = allowed(latent)
        return {"images": to_unit(network([latent, label], training=False), image_range)}

    arguments = [tf.TensorSpec((), tf.int64, "seed"), label_spec]

    @tf.function(input_signature=arguments, autograph=False)
    def sample(seed: Tensor, label: Tensor) -> dict[str, Tensor]:
        latent = drawn(prior, seed, tf.size(checked(label)))
        return {"images": serving_default(latent, label)["images"], "latent": latent}

    @tf.function(input_signature=arguments, autograph=False)
    def png(seed: Tensor, label: Tensor) -> dict[str, Tensor]:
        return {"image_bytes": encoded(sample(seed, label)["images"])}

    return module_of(network.variables, serving_default, sample, png)


def autoencoder(
    encoder: "keras.Model", decoder: "keras.Model", image_range: "Range", prior: "Normal | Uniform | None" = None
) -> "tuple[tf.Module, dict[str, Callable]]":
    """Returns `(module, signatures)` of an encoder and its decoder, for `tf.saved_model.save`.

    - `encode`: images float32 `(count, height, width, channels)` in [0, 1] -> latent float32 `(count, size)`. For a
      variational encoder latent is the mean, and there is a second output, log_variance.
    - `decode`: latent -> images.
    - `reconstruct`, also named `serving_default`: images -> images, `decode(encode(images))`.
    - `interpolate`: first, second float32 `(height, width, channels)`, steps int64 scalar -> images `(steps, ...)`,
      `decode((1 - t) encode(first) + t encode(second))` for t from 0 to 1.
    - `decode_png`, `reconstruct_png`, `interpolate_png`: the same inputs -> image_bytes string, each a PNG.
    - `sample`, `png`, if there is a prior: as in `generator`.

    Args:
        encoder: Keras model, images in `image_range` -> codes, or [means, log-variances].
        decoder: Keras model, codes -> images in `image_range`.
        image_range: `kgen.images.Range`.
        prior: distribution of codes, with `size` and `draw(count)`; or None.
    """
    image_spec = pictures(encoder)
    code_spec = tf.TensorSpec((None, *decoder.input_shape[1:]), tf.float32, "latent")

    @tf.function(input_signature=[image_spec], autograph=False)
    def encode(images: Tensor) -> dict[str, Tensor]:
        codes = tf.nest.flatten(encoder(from_unit(seen(images), image_range), training=False))
        return {name: tf.cast(code, tf.float32) for name, code in zip(("latent", "log_variance"), codes, strict=False)}

    @tf.function(input_signature=[code_spec], autograph=False)
    def decode(latent: Tensor) -> dict[str, Tensor]:
        return {"images": to_unit(decoder(allowed(latent), training=False), image_range)}

    @tf.function(input_signature=[image_spec], autograph=False)
    def reconstruct(images: Tensor) -> dict[str, Tensor]:
        return {"images": decode(encode(images)["latent"])["images"]}

    @tf.function(input_signature=[image_spec], autograph=False)
    def serving_default(images: Tensor) -> dict[str, Tensor]:
        return reconstruct(images)

    one_spec = [tf.TensorSpec(encoder.input_shape[1:], tf.float32, name) for name in ("first", "second")]

    @tf.function(input_signature=[*one_spec, tf.TensorSpec((), tf.int64, "steps")], autograph=False)
    def interpolate(first: Tensor, second: Tensor, steps: Tensor) -> dict[str, Tensor]:
        ends = encode(tf.stack([first, second]))["latent"]
        count = tf.cast(bounded(steps, "steps", 2), tf.int32)
        t = tf.linspace(0.0, 1.0, count)[:, None]
        return {"images": decode((1 - t) * ends[0] + t * ends[1])["images"]}

    answers = (decode, reconstruct, interpolate)
    drawing = sampling(decode, prior) if prior else ()
    weights = [*encoder.variables, *decoder.variables]
    return module_of(weights, serving_default, encode, *answers, *map(as_png, answers), *drawing)


def as_png(function: Callable) -> Callable:
    """Returns a signature with the inputs of `function` whose output is image_bytes in place of images.

    Its name is that of `function` with `_png` added.
    """

    def answer(*inputs: Tensor) -> dict[str, Tensor]:
        return {"image_bytes": encoded(function(*inputs)["images"])}

    answer.__name__ = f"{function.python_function.__name__}_png"
    answer.__signature__ = inspect.signature(function.python_function)  # so that inputs keep their names
    return tf.function(answer, input_signature=function.input_signature, autograph=False)


def sampling(decode: Callable, prior: "Normal | Uniform") -> tuple[Callable, Callable]:
    """Returns the functions `sample` and `png` of `generator`, which draw latents from a prior.

    Args:
        decode: function latent -> {"images": ...} in [0, 1].
        prior: distribution of latents, with `size` and `draw(count)`.
    """
    arguments = [tf.TensorSpec((), tf.int64, "seed"), tf.TensorSpec((), tf.int64, "count")]

    @tf.function(input_signature=arguments, autograph=False)
    def sample(seed: Tensor, count: Tensor) -> dict[str, Tensor]:
        latent = drawn(prior, seed, tf.cast(bounded(count, "count"), tf.int32))
        return {"images": decode(latent)["images"], "latent": latent}

    @tf.function(input_signature=arguments, autograph=False)
    def png(seed: Tensor, count: Tensor) -> dict[str, Tensor]:
        return {"image_bytes": encoded(sample(seed, count)["images"])}

    return sample, png


def classifier(network: "keras.Model", image_range: "Range") -> "tuple[tf.Module, dict[str, Callable]]":
    """Returns `(module, signatures)` of a classifier, for `tf.saved_model.save`.

    - `probabilities`, also named `serving_default`: images float32 `(count, height, width, channels)` in [0, 1] ->
      probabilities float32 `(count, classes)`.
    - `classify`: images -> label int64 `(count,)`, the most probable class, and its probability.

    Args:
        network: Keras model, images in `image_range` -> logits.
        image_range: `kgen.images.Range`.
    """
    image_spec = pictures(network)

    @tf.function(input_signature=[image_spec], autograph=False)
    def probabilities(images: Tensor) -> dict[str, Tensor]:
        logits = network(from_unit(seen(images), image_range), training=False)
        return {"probabilities": tf.nn.softmax(tf.cast(logits, tf.float32))}

    @tf.function(input_signature=[image_spec], autograph=False)
    def serving_default(images: Tensor) -> dict[str, Tensor]:
        return probabilities(images)

    @tf.function(input_signature=[image_spec], autograph=False)
    def classify(images: Tensor) -> dict[str, Tensor]:
        found = probabilities(images)["probabilities"]
        return {"label": tf.argmax(found, axis=-1), "probability": tf.reduce_max(found, axis=-1)}

    return module_of(network.variables, serving_default, probabilities, classify)
