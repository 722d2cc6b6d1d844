"""Looks for anything but the layers of kgen's networks in a `.keras` file, before Keras reads it.

A `.keras` file is a zip archive of a description, config.json, and of weights. Keras makes each object that the
description names. Its `safe_mode` refuses Python's bytecode, and is no boundary: in Keras 3.15.1 a `Lambda` layer may
name any public function or class of Keras, which is called while the model is loaded. Some of them write files or load
a SavedModel. Here the names are compared with a list of what is accepted.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kgen.data.archives import BROKEN
from kgen.errors import UsageError

MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
MOST_BYTES = 16_000_000  # of config.json; Inception's has 0.2 million
OWN = "kgen>"  # how Keras registers the layers of kgen
ACCEPTED = {
    None: {"__keras_tensor__", "__numpy__"},  # plain data
    "keras": {"DTypePolicy"},
    "keras.src.models.functional": {"Functional"},
    "keras.src.ops.nn": {"OneHot"},
    "keras.src.ops.numpy": {"Mean", "Sum"},
    "keras.initializers": {
        "Constant", "GlorotNormal", "GlorotUniform", "Ones", "RandomNormal", "RandomUniform", "VarianceScaling",
        "Zeros",
    },
    "keras.layers": {
        "Activation", "Add", "AveragePooling2D", "Concatenate", "Conv2D", "Conv2DTranspose", "Cropping2D", "Dense",
        "Embedding", "Flatten", "InputLayer", "LeakyReLU", "MaxPooling2D", "Multiply", "ReLU", "Rescaling", "Reshape",
        "UpSampling2D", "ZeroPadding2D",
    },
}  # fmt: skip


def demand_plain(path: Path | str) -> None:
    """Raises UsageError unless a `.keras` file has nothing but weights and the layers of kgen's networks.

    Args:
        path: of the file.
    """
    try:
        description = json.loads(_config(Path(path)))
    except (*BROKEN, ValueError, KeyError, RecursionError) as error:
        raise UsageError(f"{path} cannot be loaded: it is no .keras file ({error}).") from error
    odd = sorted({str(each.get("config") if name == "function" else name) for name, each in refused(description)})
    if odd:
        raise UsageError(
            f"{path} is not loaded: it has {', '.join(odd)}, and only the layers of kgen's networks are accepted. "
            "Load it with Keras if you know who made it."
        )


def _config(path: Path) -> bytes:
    """Returns config.json of a `.keras` file; raises ValueError if the archive is none that Keras wrote."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        other = sorted({info.filename for info in members} - MEMBERS)
        if other or len(members) > len(MEMBERS):
            raise ValueError(f"it has {', '.join(other) or 'a member twice'}")
        packed = [info.filename for info in members if info.compress_type != zipfile.ZIP_STORED]
        if packed:  # Keras does not compress, so the file cannot be larger in memory than on the disk
            raise ValueError(f"{packed[0]} is compressed")
        if archive.getinfo("config.json").file_size > MOST_BYTES:
            raise ValueError(f"config.json has more than {MOST_BYTES} bytes")
        return archive.read("config.json")


def refused(description: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields `(class, description)` of each object that is not accepted, at any depth.

    Args:
        description: of a network, from JSON.
    """
    if isinstance(description, dict):
        if "class_name" in description and not _accepted(description):
            yield str(description["class_name"]), description
        description = list(description.values())
    if isinstance(description, list):
        for each in description:
            yield from refused(each)


def _accepted(description: dict[str, Any]) -> bool:
    """Returns whether Keras would make an accepted class of a description."""
    name, module, registered = (description.get(key) for key in ("class_name", "module", "registered_name"))
    if not all(isinstance(each, str | None) for each in (name, module, registered)):
        return False
    if registered and registered.startswith(OWN):
        return registered == f"{OWN}{name}" and str(module).startswith("kgen.layers.")
    return registered in (None, name) and name in ACCEPTED.get(module, ())
