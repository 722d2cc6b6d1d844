"""Looks for what may run code or touch files in a `.keras` file, before Keras reads it.

A `.keras` file is a zip archive of a description, config.json, and of weights. Keras makes each object that the
description names. Its `safe_mode` refuses Python's bytecode, and is no boundary: in Keras 3.15.1 a `Lambda` layer may
name any public function or class of Keras, which is called while the model is loaded. Some of them write files or load
a SavedModel. Here each name is looked up: accepted are the layers, initializers, optimizers and the like of Keras but
those in `REFUSED`, the classes of kgen, and the classes that the user has registered or given.
"""

import importlib
import json
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from kgen.backend import keras
from kgen.data.archives import BROKEN
from kgen.errors import UsageError

MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
MOST_BYTES = 16_000_000  # of config.json; Inception's has 0.2 million
OWN = "kgen>"  # how Keras registers the classes of kgen
PLAIN = {"__keras_tensor__", "__numpy__"}  # data, no classes
MODULES = (
    "keras", "keras.layers", "keras.initializers", "keras.regularizers", "keras.constraints", "keras.optimizers",
    "keras.optimizers.schedules", "keras.metrics", "keras.src.models.functional", "keras.src.ops.nn",
    "keras.src.ops.numpy", "keras.src.ops.math", "keras.src.ops.linalg", "keras.src.ops.image",
)  # fmt: skip
REFUSED = {
    "Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer",  # run what they name
    "StringLookup", "IntegerLookup", "TextVectorization",  # read a file that they name
}  # fmt: skip


def demand_plain(path: Path | str, given: Collection[str] = ()) -> None:
    """Raises UsageError unless a `.keras` file has nothing but weights and classes that only compute.

    Args:
        path: of the file.
        given: names of the user's own classes.
    """
    try:
        description = json.loads(_config(Path(path)))
    except (*BROKEN, ValueError, KeyError, RecursionError) as error:
        raise UsageError(f"{path} cannot be loaded: it is no .keras file ({error}).") from error
    found = refused(description, given)
    odd = sorted({str(each.get("config") if name == "function" else name) for name, each in found})
    if odd:
        raise UsageError(
            f"{path} is not loaded: it has {', '.join(odd)}, which may run code or touch files, or is not known to "
            "Keras. Register your own classes with Keras, or give them as custom_objects; give safe_mode=False if you "
            "know who made the file."
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


def refused(description: Any, given: Collection[str] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields `(class, description)` of each object that is not accepted, at any depth.

    Args:
        description: of a model, from JSON.
        given: names of the user's own classes.
    """
    if isinstance(description, dict):
        if "class_name" in description and not _accepted(description, given):
            yield str(description["class_name"]), description
        description = list(description.values())
    if isinstance(description, list):
        for each in description:
            yield from refused(each, given)


def _accepted(description: dict[str, Any], given: Collection[str]) -> bool:
    """Returns whether Keras would make an accepted class of a description."""
    name, module, registered = (description.get(key) for key in ("class_name", "module", "registered_name"))
    if not all(isinstance(each, str | None) for each in (name, module, registered)):
        return False
    if registered and registered.startswith(OWN):
        return registered == f"{OWN}{name}" and str(module).startswith("kgen.")
    if name in given or (registered and ">" in registered):
        return name in given or keras.saving.get_registered_object(registered) is not None
    return registered in (None, name) and (name in PLAIN if module is None else _computes(module, name))


def _computes(module: str, name: str) -> bool:
    """Returns whether a name is that of a class of Keras that only computes."""
    kinds = (
        keras.Layer, keras.Operation, keras.initializers.Initializer, keras.regularizers.Regularizer,
        keras.constraints.Constraint, keras.optimizers.Optimizer, keras.optimizers.schedules.LearningRateSchedule,
        keras.metrics.Metric, keras.dtype_policies.DTypePolicy,
    )  # fmt: skip
    if (module, name) == ("keras.src.ops.core", "Cast"):
        return True
    if module not in MODULES or name in REFUSED:
        return False
    found = getattr(importlib.import_module(module), name, None)
    return isinstance(found, type) and issubclass(found, kinds)
