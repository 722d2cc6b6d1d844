"""The Inception network of 2015-12-05, which defines FID, KID and Inception Score, from a file of its weights.

Keras's InceptionV3 has the same layers, except one: the pooling in the last block is an average in Keras and a maximum
in the graph of 2015. Images are resized to 299x299 as by TensorFlow 1: bilinearly, without antialiasing and without
half-pixel centres, so that input and output are aligned only at the top left *corner*. Then they become
`(x - 128) / 128`. The resize of another library changes the numbers (Parmar et al. 2022, arXiv:2104.11222).

The file is a `.npz` of plain arrays. For each of the 94 convolutions, in order, it has `NAME.weight` (out, in, height,
width), and `NAME.beta`, `NAME.mean` and `NAME.var` of its batch norm, which has no gamma. For the Inception Score it
also has `logits.weight` (1008, 2048) and `logits.bias` (1008). torch-fidelity's
`weights-inception-2015-12-05-6726825d.pth` calls these two `fc.weight` and `fc.bias`.

Source: Szegedy et al. 2016, arXiv:1512.00567; classify_image_graph_def.pb of TensorFlow.
"""

import hashlib
import re
from pathlib import Path

import numpy as np

from kgen.backend import Tensor, keras, tf
from kgen.data.archives import BROKEN
from kgen.errors import UsageError
from kgen.metrics.features import Network

SIZE, FEATURES, CLASSES = 299, 2048, 1008
MOST_BYTES = 400_000_000  # of a file of weights, uncompressed; 2015's has 90 million
ARRAYS = ("weight", "beta", "mean", "var")


def inception(path: Path) -> Network:
    """Returns the `Network` of a file of weights.

    Its logits are without bias, as in OpenAI's code and torch-fidelity ("logits_unbiased"). TensorFlow-GAN adds the
    bias, which is in `bias`. Logits are None if the file has no weights for them.

    Raises:
        UsageError: the file cannot be read, or has not the arrays of this network.
    """
    arrays = read(path)
    network = weighted(architecture(), arrays, path)
    kernel = arrays["logits.weight"].T if "logits.weight" in arrays else None

    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)])
    def look(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return network(prepared(images), training=False)

    def seen(images: np.ndarray) -> tuple[Tensor, Tensor]:
        features = look(np.broadcast_to(images, (*images.shape[:3], 3))).numpy()
        return features, None if kernel is None else features @ kernel

    about = {
        "network": "Inception 2015-12-05",
        "weights_sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(),
        "resize": f"TensorFlow 1 bilinear, {SIZE}x{SIZE}",
    }
    return Network("", seen, about, arrays.get("logits.bias"), ("last pooling", "(x - 128) / 128"))


def prepared(images: np.ndarray) -> Tensor:
    """Returns the network's inputs for uint8 images, float32 `(n, 299, 299, 3)` in [-1, 1)."""
    resized = tf.compat.v1.image.resize_bilinear(images, (SIZE, SIZE), align_corners=False, half_pixel_centers=False)
    return (resized - 128) / 128


def architecture() -> "keras.Model":
    """Returns the network with random weights: `(n, 299, 299, 3)` -> features `(n, 2048)`."""
    network = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3), pooling="avg"
    )
    last = numbered(network, keras.layers.AveragePooling2D)[-1]

    def of_2015(layer: "keras.Layer") -> "keras.Layer":
        if layer.name != last.name:
            return layer.__class__.from_config(layer.get_config())
        return keras.layers.MaxPooling2D(3, strides=1, padding="same", name=layer.name)

    return keras.models.clone_model(network, clone_function=of_2015)


def numbered(network: "keras.Model", kind: type) -> "list[keras.Layer]":
    """Returns the layers of a class in the order in which they were made."""
    found = [layer for layer in network.layers if type(layer) is kind]
    return sorted(found, key=lambda layer: int((re.findall(r"_(\d+)$", layer.name) or [0])[0]))


def read(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of a `.npz`, of any shapes; raises UsageError if it is not one. No code in it is run."""
    if not Path(path).is_file():  # a pipe would keep the reader waiting
        raise UsageError(f"--inception {path} is not a .npz of arrays: there is no such file.")
    try:
        with np.load(path, allow_pickle=False) as file:
            if sum(member.file_size for member in file.zip.infolist()) > MOST_BYTES:
                raise UsageError(f"--inception {path} is larger than the weights of any Inception network.")
            return {name: np.asarray(file[name], np.float32) for name in file.files}
    except UsageError:
        raise
    except (*BROKEN, MemoryError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise UsageError(f"--inception {path} is not a .npz of arrays: {error}.") from None


def weighted(network: "keras.Model", arrays: dict[str, np.ndarray], path: Path | str) -> "keras.Model":
    """Returns a network with weights set from arrays; raises UsageError if names or shapes do not fit."""
    names = [name.removesuffix(".weight") for name in arrays if name.endswith(".weight") and name != "logits.weight"]
    convolutions = numbered(network, keras.layers.Conv2D)
    norms = numbered(network, keras.layers.BatchNormalization)
    missing = [f"{name}.{part}" for name in names for part in ARRAYS if f"{name}.{part}" not in arrays]
    odd = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if odd:
        raise UsageError(f"--inception {path}: {odd[0]} is not finite.")
    shapes = [tuple(arrays.get(f"{name}.{part}", np.empty(0)).shape) for name in names for part in ARRAYS]
    wanted = []
    for layer in convolutions:
        height, width, given, made = layer.kernel.shape
        wanted += [(made, given, height, width), *[(made,)] * 3]
    logits = [arrays[name].shape for name in ("logits.weight", "logits.bias") if name in arrays]
    if logits not in ([], [(CLASSES, FEATURES), (CLASSES,)]):
        raise UsageError(
            f"--inception {path}: logits.weight must be {CLASSES}x{FEATURES}, logits.bias {CLASSES}, both."
        )
    if missing or shapes != wanted:
        what = f"{missing[0]} is missing" if missing else f"{len(names)} of any size"
        raise UsageError(
            f"--inception {path} has not the 94 convolutions of Inception 2015-12-05 with batch norm: {what}."
        )
    for convolution, norm, name in zip(convolutions, norms, names, strict=True):
        convolution.set_weights([arrays[f"{name}.weight"].transpose(2, 3, 1, 0)])
        norm.set_weights([arrays[f"{name}.{part}"] for part in ARRAYS[1:]])
    return network
