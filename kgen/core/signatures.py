"""What an export answers to: named functions over named tensors, bounded, free of kgen and of Keras."""

import inspect

from kgen.backend import tf
from kgen.images import from_unit, to_unit
from kgen.rng import Rng

LIMIT = (
    256  # images an export makes per request: 64x64 colour is 12 MB of float32, and no client can exhaust the server
)


def bounded(number, name, least=1):
    """Returns `number` when it lies in [least, LIMIT]; otherwise the graph raises, and the client reads why."""
    inside = tf.logical_and(number >= least, number <= LIMIT)
    told = [f"{name} must be from {least} to {LIMIT}, but is", number]
    with tf.control_dependencies([tf.debugging.Assert(inside, told)]):
        return tf.identity(number)


def allowed(latent):
    """Returns latents from a request when there are 1 to LIMIT of them, all finite; otherwise the graph raises."""
    finite = tf.reduce_all(tf.math.is_finite(latent))
    with tf.control_dependencies([bounded(tf.shape(latent)[0], "the number of latents")]):
        checked = tf.debugging.Assert(finite, ["latent must be finite, but has NaN or infinity"])
    with tf.control_dependencies([checked]):
        return tf.identity(latent)


def generator(network, prior, image_range):
    """Returns `(module, signatures)` of a latent-variable generator, for `tf.saved_model.save`.

    - `serving_default`: latent float32 `(count, size)` -> images float32 `(count, height, width, channels)` in [0, 1].
    - `sample`: seed int64 scalar, count int64 scalar -> images, and the latent that they were made of. Equal seeds give
      equal images; the first images of a larger count are those of a smaller one, up to rounding.
    - `png`: seed, count -> image_bytes string `(count,)`, each a PNG.

    Args:
        network: Keras model, latents -> images in `image_range`.
        prior: with `size` and `draw(count)`.
        image_range: `kgen.images.Range`.
    """

    @tf.function(input_signature=[latents(prior)], autograph=False)
    def serving_default(latent):
        return {"images": to_unit(network(allowed(latent), training=False), image_range)}

    return module_of(network.variables, serving_default, *sampling(serving_default, prior))


def class_conditional(network, prior, image_range, classes):
    """Returns `(module, signatures)` of a generator that is told the class, for `tf.saved_model.save`.

    As `generator`, with `label`, int64 `(count,)`, the class of each image from 0 to `classes - 1`:

    - `serving_default`: latent `(count, size)`, label `(count,)` -> images.
    - `sample`: seed, label -> images, latent. One image for each label.
    - `png`: seed, label -> image_bytes.

    Args:
        network: Keras model, `[latents, labels]` -> images in `image_range`.
        prior, image_range: as in `generator`.
        classes: how many there are.
    """
    label_spec = tf.TensorSpec((None,), tf.int64, "label")

    def checked(label):
        known = tf.reduce_all(tf.logical_and(label >= 0, label < classes))
        with tf.control_dependencies(
            [
                bounded(tf.size(label), "the number of labels"),
                tf.debugging.Assert(known, [f"label must be from 0 to {classes - 1}, but is", label]),
            ]
        ):
            return tf.identity(label)

    @tf.function(input_signature=[latents(prior), label_spec], autograph=False)
    def serving_default(latent, label):
        label = checked(label)
        same = tf.equal(tf.shape(latent)[0], tf.size(label))
        unequal = ["latent and label must be equally many, but are", tf.shape(latent)[0], tf.size(label)]
        with tf.control_dependencies([tf.debugging.Assert(same, unequal)]):
            latent = allowed(latent)
        return {"images": to_unit(network([latent, label], training=False), image_range)}

    arguments = [tf.TensorSpec((), tf.int64, "seed"), label_spec]

    @tf.function(input_signature=arguments, autograph=False)
    def sample(seed, label):
        latent = drawn(prior, seed, tf.size(checked(label)))
        return {"images": serving_default(latent, label)["images"], "latent": latent}

    @tf.function(input_signature=arguments, autograph=False)
    def png(seed, label):
        return {"image_bytes": encoded(sample(seed, label)["images"])}

    return module_of(network.variables, serving_default, sample, png)


def autoencoder(encoder, decoder, image_range, prior=None):
    """Returns `(module, signatures)` of an encoder and its decoder, for `tf.saved_model.save`.

    - `encode`: images float32 `(count, height, width, channels)` in [0, 1] -> latent float32 `(count, size)`; of a
      variational encoder its mean, and log_variance beside it.
    - `decode`: latent -> images.
    - `reconstruct`, also `serving_default`: images -> images, `decode(encode(images))`.
    - `interpolate`: first, second float32 `(height, width, channels)`, steps int64 scalar -> images `(steps, ...)`,
      `decode((1 - t) encode(first) + t encode(second))` for t from 0 to 1.
    - `decode_png`, `reconstruct_png`, `interpolate_png`: the same -> image_bytes string, each a PNG.
    - `sample`, `png`, where there is a prior: as in `generator`.

    Args:
        encoder: Keras model, images in `image_range` -> codes, or [means, log-variances].
        decoder: Keras model, codes -> images in `image_range`.
        image_range: `kgen.images.Range`.
        prior: of codes, with `size` and `draw(count)`, or None.
    """
    image_spec = pictures(encoder)
    code_spec = tf.TensorSpec((None, *decoder.input_shape[1:]), tf.float32, "latent")

    @tf.function(input_signature=[image_spec], autograph=False)
    def encode(images):
        codes = tf.nest.flatten(encoder(from_unit(seen(images), image_range), training=False))
        return {name: tf.cast(code, tf.float32) for name, code in zip(("latent", "log_variance"), codes, strict=False)}

    @tf.function(input_signature=[code_spec], autograph=False)
    def decode(latent):
        return {"images": to_unit(decoder(allowed(latent), training=False), image_range)}

    @tf.function(input_signature=[image_spec], autograph=False)
    def reconstruct(images):
        return {"images": decode(encode(images)["latent"])["images"]}

    @tf.function(input_signature=[image_spec], autograph=False)
    def serving_default(images):
        return reconstruct(images)

    one_spec = [tf.TensorSpec(encoder.input_shape[1:], tf.float32, name) for name in ("first", "second")]

    @tf.function(input_signature=[*one_spec, tf.TensorSpec((), tf.int64, "steps")], autograph=False)
    def interpolate(first, second, steps):
        ends = encode(tf.stack([first, second]))["latent"]
        count = tf.cast(bounded(steps, "steps", 2), tf.int32)
        t = tf.linspace(0.0, 1.0, count)[:, None]
        return {"images": decode((1 - t) * ends[0] + t * ends[1])["images"]}

    answers = (decode, reconstruct, interpolate)
    drawing = sampling(decode, prior) if prior else ()
    weights = [*encoder.variables, *decoder.variables]
    return module_of(weights, serving_default, encode, *answers, *map(as_png, answers), *drawing)


def as_png(function):
    """Returns a signature that answers image_bytes where `function` answers images, named after it."""

    def answer(*inputs):
        return {"image_bytes": encoded(function(*inputs)["images"])}

    answer.__name__ = f"{function.python_function.__name__}_png"
    answer.__signature__ = inspect.signature(function.python_function)  # inputs keep their names
    return tf.function(answer, input_signature=function.input_signature, autograph=False)


def sampling(decode, prior):
    """Returns the functions `sample` and `png` of `generator`: images of latents that are drawn from a prior.

    Args:
        decode: function latent -> {"images": ...} in [0, 1].
        prior: with `size` and `draw(count)`.
    """
    arguments = [tf.TensorSpec((), tf.int64, "seed"), tf.TensorSpec((), tf.int64, "count")]

    @tf.function(input_signature=arguments, autograph=False)
    def sample(seed, count):
        latent = drawn(prior, seed, tf.cast(bounded(count, "count"), tf.int32))
        return {"images": decode(latent)["images"], "latent": latent}

    @tf.function(input_signature=arguments, autograph=False)
    def png(seed, count):
        return {"image_bytes": encoded(sample(seed, count)["images"])}

    return sample, png


def classifier(network, image_range):
    """Returns `(module, signatures)` of a classifier, for `tf.saved_model.save`.

    - `probabilities`, also `serving_default`: images float32 `(count, height, width, channels)` in [0, 1] ->
      probabilities float32 `(count, classes)`.
    - `classify`: images -> label int64 `(count,)`, the most probable class, and its probability.

    Args:
        network: Keras model, images in `image_range` -> logits.
        image_range: `kgen.images.Range`.
    """
    image_spec = pictures(network)

    @tf.function(input_signature=[image_spec], autograph=False)
    def probabilities(images):
        logits = network(from_unit(seen(images), image_range), training=False)
        return {"probabilities": tf.nn.softmax(tf.cast(logits, tf.float32))}

    @tf.function(input_signature=[image_spec], autograph=False)
    def serving_default(images):
        return probabilities(images)

    @tf.function(input_signature=[image_spec], autograph=False)
    def classify(images):
        found = probabilities(images)["probabilities"]
        return {"label": tf.argmax(found, axis=-1), "probability": tf.reduce_max(found, axis=-1)}

    return module_of(network.variables, serving_default, probabilities, classify)


def latents(prior):
    """Returns the specification of latents as an input."""
    return tf.TensorSpec((None, prior.size), tf.float32, "latent")


def pictures(network):
    """Returns the specification of images as an input, of the shape that a network takes."""
    return tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, "images")


def seen(images):
    """Returns images from a request when there are 1 to LIMIT of them, in [0, 1]; otherwise the graph raises."""
    inside = tf.reduce_all(tf.logical_and(images >= 0.0, images <= 1.0))  # NaN is not
    told = ["images must lie in [0, 1], but do from", tf.reduce_min(images), "to", tf.reduce_max(images)]
    with tf.control_dependencies([bounded(tf.shape(images)[0], "the number of images")]):
        checked = tf.debugging.Assert(inside, told)
    with tf.control_dependencies([checked]):
        return tf.identity(images)


def drawn(prior, seed, count):
    """Returns `count` latents from the 64 bits of `seed`, in a graph."""
    halves = tf.bitcast(seed, tf.int32)
    with Rng(0).fold_in(halves[0], halves[1]):
        return tf.ensure_shape(prior.draw(count), (None, prior.size))


def encoded(images):
    """Returns images in [0, 1] as PNG files, string `(count,)`."""
    pixels = tf.cast(tf.round(images * 255.0), tf.uint8)
    return tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)


def module_of(variables, *functions):
    """Returns `(module, signatures)`: a module that holds the functions and the networks' variables."""
    module = tf.Module()
    module.weights = [variable.value for variable in variables]
    signatures = {function.python_function.__name__: function for function in functions}
    for name, function in signatures.items():
        setattr(module, name, function)
    return module, signatures
