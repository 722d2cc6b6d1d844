"""What an export answers to: named functions over named tensors, bounded, free of kgen and of Keras."""

from kgen.backend import tf
from kgen.dice import Dice
from kgen.images import to_unit

LIMIT = (
    256  # images an export makes per request: 64x64 colour is 12 MB of float32, and no client can exhaust the server
)


def bounded(number, name):
    """Returns `number` when it lies in [1, LIMIT]; otherwise the graph raises, and the client reads why."""
    allowed = tf.logical_and(number >= 1, number <= LIMIT)
    with tf.control_dependencies([tf.debugging.Assert(allowed, [f"{name} must be from 1 to {LIMIT}, but is", number])]):
        return tf.identity(number)


def generator(network, prior, image_range):
    """Returns `(module, signatures)` of a latent-variable generator, for `tf.saved_model.save`.

    - `serving_default`: latent float32 `(count, size)` -> images float32 `(count, height, width, channels)` in [0, 1].
    - `sample`: seed int64 scalar, count int64 scalar -> images. Equal seeds give equal images; the first images of a
      larger count are those of a smaller one, up to rounding.
    - `png`: seed, count -> image_bytes string `(count,)`, each a PNG.

    Args:
        network: Keras model, latents -> images in `image_range`.
        prior: with `size` and `draw(count)`.
        image_range: `kgen.images.Range`.
    """
    module = tf.Module()
    module.weights = [variable.value for variable in network.variables]

    @tf.function(input_signature=[tf.TensorSpec((None, prior.size), tf.float32, "latent")], autograph=False)
    def serving_default(latent):
        with tf.control_dependencies([bounded(tf.shape(latent)[0], "the number of latents")]):
            latent = tf.identity(latent)
        return {"images": to_unit(network(latent, training=False), image_range)}

    def drawn(seed, count):
        count = tf.cast(bounded(count, "count"), tf.int32)
        halves = tf.bitcast(seed, tf.int32)
        with Dice(0).fold(halves[0], halves[1]):
            latent = prior.draw(count)
        return serving_default(tf.ensure_shape(latent, (None, prior.size)))["images"]

    arguments = [tf.TensorSpec((), tf.int64, "seed"), tf.TensorSpec((), tf.int64, "count")]

    @tf.function(input_signature=arguments, autograph=False)
    def sample(seed, count):
        return {"images": drawn(seed, count)}

    @tf.function(input_signature=arguments, autograph=False)
    def png(seed, count):
        pixels = tf.cast(tf.round(drawn(seed, count) * 255.0), tf.uint8)
        return {"image_bytes": tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)}

    module.serving_default, module.sample, module.png = serving_default, sample, png
    return module, {"serving_default": serving_default, "sample": sample, "png": png}
