"""Files of the 2015 Inception's weights that others distribute, read as the arrays of `kgen.metrics.inception_network`.

- `.pth`, a PyTorch state dictionary: `pt_inception-2015-12-05-6726825d.pth` of pytorch-fid, and
  `weights-inception-2015-12-05-6726825d.pth` of torch-fidelity. Both of PyTorch's formats are read, without PyTorch.
- `.pb`, the graph `classify_image_graph_def.pb` of TensorFlow.

A pickle is a program, so only what builds a dictionary of tensors is carried out. A scale gamma of a batch norm goes
into the kernel before it: `gamma (w x - m) / s = (gamma w x - gamma m) / s`.

Other Inceptions, such as torchvision's and Keras's of 1,000 classes, are refused: what they measure is neither FID nor
Inception Score.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from kgen.backend import tf
from kgen.errors import UsageError
from kgen.metrics.inception_network import ARRAYS, CLASSES, FEATURES, MOST_BYTES, architecture, weighted

STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}  # of torch
PARTS = ("bias", "running_mean", "running_var")  # of a batch norm of PyTorch, in the order of ARRAYS[1:]
GRAPH_PARTS = ("beta", "moving_mean", "moving_variance")  # of TensorFlow


def convert(path: Path) -> dict[str, np.ndarray]:
    """Returns `{name: float32 array}` of a file, as `kgen.metrics.inception_network.read` does of a `.npz`.

    Raises:
        UsageError: the file cannot be read, or is not of the Inception of 2015-12-05.
    """
    readers = {".pth": of_pytorch, ".pt": of_pytorch, ".pb": of_graph}
    if path.suffix not in readers:
        raise UsageError(f"--weights must end in .pth or .pb, not {path.name}: see docs/guides/evaluation.md.")
    if not path.is_file():
        raise UsageError(f"--weights {path}: there is no such file.")
    if path.stat().st_size > MOST_BYTES:
        raise UsageError(f"--weights {path} is larger than the weights of any Inception network.")
    try:
        arrays = readers[path.suffix](path)
    except UsageError:
        raise
    except Exception as error:  # a damaged pickle or graph may raise anything
        raise UsageError(f"--weights {path} cannot be read: {type(error).__name__}: {error}.") from None
    logits = arrays.get("logits.weight", np.empty((CLASSES, FEATURES))).shape
    if logits != (CLASSES, FEATURES):
        raise UsageError(
            f"--weights {path} is an Inception of {logits[0]} classes, not that of 2015-12-05, which has {CLASSES}: "
            "FID and Inception Score are of that one."
        )
    weighted(architecture(), arrays, path)  # refuses other shapes
    return arrays


def of_pytorch(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of a state dictionary of PyTorch; those of the auxiliary classifier are left out."""
    state = {name: array for name, array in state_of(path).items() if not name.startswith("AuxLogits")}
    found = {}
    for name in [key.removesuffix(".conv.weight") for key in state if key.endswith(".conv.weight")]:
        norm = [state[f"{name}.bn.{part}"] for part in PARTS]
        found |= scaled(name, state[f"{name}.conv.weight"], norm, state.get(f"{name}.bn.weight"))
    return found | {f"logits.{part}": state[f"fc.{part}"] for part in ("weight", "bias") if f"fc.{part}" in state}


def of_graph(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of the constants of a frozen TensorFlow graph."""
    graph = tf.compat.v1.GraphDef()
    graph.ParseFromString(path.read_bytes())
    constants = {node.name: tf.make_ndarray(node.attr["value"].tensor) for node in graph.node if node.op == "Const"}
    found = {}
    for name in [key.removesuffix("/conv2d_params") for key in constants if key.endswith("/conv2d_params")]:
        norm = [constants[f"{name}/batchnorm/{part}"] for part in GRAPH_PARTS]
        kernel = constants[f"{name}/conv2d_params"].transpose(3, 2, 0, 1)
        found |= scaled(name.replace("/", "."), kernel, norm, constants.get(f"{name}/batchnorm/gamma"))
    if "softmax/weights" in constants:
        found |= {"logits.weight": constants["softmax/weights"].T, "logits.bias": constants["softmax/biases"]}
    return found


def scaled(name: str, kernel: np.ndarray, norm: list[np.ndarray], gamma: np.ndarray | None) -> dict[str, np.ndarray]:
    """Returns the arrays of a convolution: `NAME.weight` (out, in, height, width), `.beta`, `.mean`, `.var` (out).

    Args:
        name: of the convolution.
        kernel: (out, in, height, width).
        norm: beta, mean and variance of the batch norm, each (out).
        gamma: its scale (out), or None.
    """
    gamma = np.ones(len(kernel), np.float32) if gamma is None else gamma
    beta, mean, variance = norm
    values = (kernel * gamma[:, None, None, None], beta, mean * gamma, variance)
    return {f"{name}.{part}": np.float32(value) for part, value in zip(ARRAYS, values, strict=True)}


def state_of(path: Path) -> dict[str, np.ndarray]:
    """Returns the tensors of a PyTorch file, `{name: array}`; raises UsageError if it holds anything else."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            return _named(_of_old_format(file), path)
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
            raise UsageError(f"--weights {path} is larger than the weights of any Inception network.")
        root = next(name for name in archive.namelist() if name.endswith("data.pkl")).removesuffix("data.pkl")

        def storage(kind: str, key: str, count: int) -> np.ndarray:
            return np.frombuffer(archive.read(f"{root}data/{key}"), kind, count)

        return _named(Reader(io.BytesIO(archive.read(f"{root}data.pkl")), storage).load(), path)


def _of_old_format(file: BinaryIO) -> Any:
    """Returns what a file of PyTorch before 1.6 holds: four pickles, the keys of storages, then their numbers."""
    storages = {}

    def storage(kind: str, key: str, count: int) -> np.ndarray:
        if count * np.dtype(kind).itemsize > MOST_BYTES:
            raise UsageError("The file promises more numbers than any Inception network has.")
        return storages.setdefault(key, np.zeros(count, kind))

    for _ in range(3):  # a magic number, the protocol, facts of the machine
        Reader(file, storage).load()
    found, keys = Reader(file, storage).load(), Reader(file, storage).load()
    for key in keys:
        values = storages[key]
        file.read(8)  # how many numbers
        values[:] = np.frombuffer(file.read(values.nbytes), values.dtype)  # the tensors are views of them
    return found


def _named(found: Any, path: Path) -> dict[str, np.ndarray]:
    """Returns a state dictionary; raises UsageError if it is something else."""
    if not isinstance(found, dict) or not all(isinstance(array, np.ndarray) for array in found.values()):
        raise UsageError(f"--weights {path} is no state dictionary of PyTorch, {{name: tensor}}.")
    return found


class Reader(pickle.Unpickler):
    """Builds dictionaries of tensors, as arrays, and refuses everything else.

    Args:
        file: of the pickle.
        storage: function of a dtype, a key and a count to an array `(count,)`, of which tensors are views.
    """

    def __init__(self, file: BinaryIO, storage: Callable) -> None:
        super().__init__(file)
        self.storage = storage

    def persistent_load(self, pid: tuple) -> np.ndarray:
        """Returns the numbers of a storage; `pid` is `("storage", dtype, key, place, count, ...)`."""
        return self.storage(pid[1], pid[2], pid[4])

    def find_class(self, module: str, name: str) -> Any:
        """Returns what a name stands for; raises UsageError for all that a state dictionary does not need."""
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): tensor,
            ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
            **{("torch", storage): kind for storage, kind in STORAGES.items()},
        }
        if (module, name) not in known:
            raise UsageError(f"The file asks for {module}.{name}, which a dictionary of tensors does not need.")
        return known[module, name]


def tensor(storage: np.ndarray, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> np.ndarray:
    """Returns a view `size` of a storage `(n,)`; raises UsageError if it reaches beyond."""
    last = offset + sum((count - 1) * step for count, step in zip(size, stride, strict=True))
    if min(offset, *size, *stride, 0) < 0 or (0 not in size and last >= len(storage)):
        raise UsageError("A tensor of the file reaches beyond its storage.")
    steps = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps)
