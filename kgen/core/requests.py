"""What the signatures of an export share: checks of requests, specifications of inputs, answers as PNG files."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kgen.backend import Tensor, tf
from kgen.rng import Rng

if TYPE_CHECKING:
    from kgen.backend import keras
    from kgen.core.priors import Normal, Uniform

LIMIT = 256  # images of a request, so that no client exhausts the server; in 64x64 colour, 12 MB of float32


def bounded(number: Tensor, name: str, least: int = 1) -> Tensor:
    """Returns `number`, a scalar. The graph raises, and names the bounds, unless it lies in [least, LIMIT]."""
    inside = tf.logical_and(number >= least, number <= LIMIT)
    told = [f"{name} must be from {least} to {LIMIT}, but is", number]
    with tf.control_dependencies([tf.debugging.Assert(inside, told)]):
        return tf.identity(number)


def allowed(latent: Tensor) -> Tensor:
    """Returns latents `(count, size)` of a request; the graph raises unless count is 1 to LIMIT and all are finite."""
    finite = tf.reduce_all(tf.math.is_finite(latent))
    with tf.control_dependencies([bounded(tf.shape(latent)[0], "the number of latents")]):
        checked = tf.debugging.Assert(finite, ["latent must be finite, but has NaN or infinity"])
    with tf.control_dependencies([checked]):
        return tf.identity(latent)


def seen(images: Tensor) -> Tensor:
    """Returns images `(count, ...)` of a request; the graph raises unless count is 1 to LIMIT and all are in [0, 1]."""
    inside = tf.reduce_all(tf.logical_and(images >= 0.0, images <= 1.0))  # false for NaN
    told = ["images must lie in [0, 1], but do from", tf.reduce_min(images), "to", tf.reduce_max(images)]
    with tf.control_dependencies([bounded(tf.shape(images)[0], "the number of images")]):
        checked = tf.debugging.Assert(inside, told)
    with tf.control_dependencies([checked]):
        return tf.identity(images)


def latents(prior: "Normal | Uniform") -> "tf.TensorSpec":
    """Returns the specification of latents as an input."""
    return tf.TensorSpec((None, prior.size), tf.float32, "latent")


def pictures(network: "keras.Model") -> "tf.TensorSpec":
    """Returns the specification of images as an input, in the shape of a network's inputs."""
    return tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, "images")


def drawn(prior: "Normal | Uniform", seed: Tensor, count: Tensor) -> Tensor:
    """Returns latents `(count, size)` drawn from `prior` with `seed`, a scalar of 64 bits, in a graph."""
    halves = tf.bitcast(seed, tf.int32)
    with Rng(0).fold_in(halves[0], halves[1]):
        return tf.ensure_shape(prior.draw(count), (None, prior.size))


def encoded(images: Tensor) -> Tensor:
    """Returns images in [0, 1] as PNG files, string `(count,)`."""
    pixels = tf.cast(tf.round(images * 255.0), tf.uint8)
    return tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)


def module_of(variables: "list[keras.Variable]", *functions: Any) -> "tuple[tf.Module, dict[str, Callable]]":
    """Returns `(module, signatures)`: a module that holds the functions and the networks' variables."""
    module = tf.Module()
    module.weights = [variable.value for variable in variables]
    signatures = {function.python_function.__name__: function for function in functions}
    for name, function in signatures.items():
        setattr(module, name, function)
    return module, signatures
