"""Finds the models in a folder of exports, loads them when first needed, and calls them with named arrays."""

import contextlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kgen.backend import Tensor, tf
from kgen.errors import UsageError, again
from kgen.export import models_config, saved_model
from kgen.serving import batching


class Refused(Exception):
    """Raised for a request that cannot be answered.

    Args:
        code: a `grpc.StatusCode` by name, such as `NOT_FOUND`.
        message: what the client reads.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Models:
    """The exports below a folder, `<root>/<name>/<version>/`; each request finds new versions.

    Args:
        root: the folder, such as `saved_models`, or the folder of one model, such as `saved_models/dcgan-mnist5k`.
        batch: whether requests that come at the same time are answered together, see `kgen.serving.batching`.
        trust: whether exports may touch files, the network or Python, see `kgen.export.safety`.

    Raises:
        UsageError: there is no export in the folder.
    """

    def __init__(self, root: Path | str, batch: bool = False, trust: bool = False) -> None:
        root = Path(root)
        single = root.is_dir() and bool(models_config.versions(root))
        self.root, self.only = (root.parent, root.name) if single else (root, None)
        self._loaded = {}  # (name, version) -> an export, or the words why it cannot be loaded
        self._lock = threading.Lock()
        self._joined, self.trust = {} if batch else None, trust
        if not self.names():
            raise UsageError(f"There is no export in {root}. Make one: {again('export', '--run', 'latest')}")

    def names(self) -> list[str]:
        """Returns the names of the models that have a version, sorted."""
        folders = [path for path in self.root.iterdir() if path.is_dir()] if self.root.is_dir() else []
        found = sorted(path.name for path in folders if not path.name.startswith(".") and models_config.versions(path))
        return [name for name in found if self.only in (None, name)]

    def versions(self, name: str) -> list[int]:
        """Returns the versions of a model, ascending; raises Refused if there is no such model."""
        if name not in self.names():
            raise Refused("NOT_FOUND", f"Servable not found for request: Latest({name})")
        return models_config.versions(self.root / name)

    def resolve(self, name: str, version: int | None = None, label: str | None = None) -> int:
        """Returns the version that a request asks for, by its number or its label, or the newest that can be loaded.

        Raises:
            Refused: there is no such model, version or label, or it cannot be loaded.
        """
        known = self.versions(name)
        if label is not None:
            version = self._labelled(name, label)
        if version is not None:
            if version not in known or self.failure(name, version):
                raise Refused("NOT_FOUND", f"Servable not found for request: Specific({name}, {version})")
            return version
        for newest in reversed(known):
            if not self.failure(name, newest):
                return newest
        raise Refused("NOT_FOUND", f"Servable not found for request: Latest({name}). {self.failure(name, known[-1])}")

    def _labelled(self, name: str, label: str) -> int:
        """Returns the version under a label; raises Refused if there is none, or models.config cannot be read."""
        try:
            entries = [entry for entry in models_config.read(self.root).model_config_list.config if entry.name == name]
        except UsageError as error:
            raise Refused("FAILED_PRECONDITION", str(error)) from error
        version = entries[0].version_labels.get(label) if entries else None
        if version is None:
            raise Refused("FAILED_PRECONDITION", f"Unrecognized servable version label: {label}")
        return version

    def failure(self, name: str, version: int) -> str:
        """Returns why a version cannot be loaded, and "" if it can: it is loaded now, if it is new."""
        found = self._opened(name, version)
        return found if isinstance(found, str) else ""

    def failures(self, name: str) -> dict[int, str]:
        """Returns `{version: why it cannot be loaded}` of a model; "" where it can, or where nobody has asked for it.

        Only the newest versions are tried, down to one that can be loaded: a question about the state loads no others.
        """
        with contextlib.suppress(Refused):
            self.resolve(name)
        found = {version: self._loaded.get((name, version)) for version in self.versions(name)}
        return {version: opened if isinstance(opened, str) else "" for version, opened in found.items()}

    def _opened(self, name: str, version: int) -> Any:
        """Returns an export, or the words why it cannot be loaded; forgets the versions that are gone."""
        with self._lock:
            if (name, version) not in self._loaded:
                present = models_config.versions(self.root / name)
                self._loaded = {key: kept for key, kept in self._loaded.items() if key[0] != name or key[1] in present}
                try:
                    opened = saved_model.load(self.root / name / str(version), self.trust)
                    opened = opened if len(opened.signatures) else f"Version {version} of {name} has no signatures."
                except UsageError as error:
                    opened = str(error)
                self._loaded[name, version] = opened
            return self._loaded[name, version]

    def signatures(self, name: str, version: int) -> Mapping[str, Callable]:
        """Returns the signatures of a version that `resolve` returned, `{name: concrete function}`."""
        return self._opened(name, version).signatures

    def predict(self, name: str, version: int, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns `{output: array}` of one call, of the shapes that the signature names.

        Args:
            name: of the model.
            version: one that exists, see `resolve`.
            signature: name of the signature; an empty name is `serving_default`.
            inputs: `{input: array}`. Numbers are converted to the type of the input, but not floats to integers.

        Raises:
            Refused: there is no such signature, or it does not accept the inputs.
        """
        signature = signature or "serving_default"
        function = self._signature(name, version, signature)
        specs = function.structured_input_signature[1]
        if set(inputs) != set(specs):
            told = f"input names: {sorted(inputs)}, the signature has {sorted(specs)}"
            raise Refused("INVALID_ARGUMENT", f"The request has other inputs than the signature: {told}")
        call = self._call(function, (name, version, signature))
        try:
            answers = call(**{key: tensor(value, specs[key]) for key, value in inputs.items()})
        except (tf.errors.OpError, ValueError, TypeError, OverflowError) as error:
            raise Refused("INVALID_ARGUMENT", reason(error)) from error
        return {key: answer.numpy() for key, answer in answers.items()}

    def _call(self, function: Callable, place: tuple[str, int, str]) -> Callable:
        """Returns what to call for a signature: itself, or its joined form where requests are batched."""
        if self._joined is None or not batching.possible(function):
            return function
        with self._lock:
            if place not in self._joined:
                self._joined[place] = batching.joined(function)
            return self._joined[place]

    def _signature(self, name: str, version: int, signature: str) -> Callable:
        """Returns a signature by its name; raises Refused if there is none of that name."""
        found = self.signatures(name, version)
        if signature not in found:
            raise Refused("INVALID_ARGUMENT", f"Serving signature name: {signature!r} not found, of {sorted(found)}")
        return found[signature]


def tensor(value: Any, spec: "tf.TensorSpec") -> Tensor:
    """Returns an array as a tensor of a signature's type and shape; raises ValueError if it does not fit them."""
    array = np.asarray(value)
    wanted = spec.dtype.as_numpy_dtype
    number = array.dtype.kind in "iuf" and not (array.dtype.kind == "f" and np.issubdtype(wanted, np.integer))
    if not number or not spec.shape.is_compatible_with(array.shape):
        got = f"{array.dtype} of shape {array.shape}"
        raise ValueError(f"{spec.name} must be {spec.dtype.name} of shape {tuple(spec.shape)}. Received: {got}")
    if np.issubdtype(wanted, np.integer) and array.size:
        least, most = np.iinfo(wanted).min, np.iinfo(wanted).max
        if not least <= int(array.min()) <= int(array.max()) <= most:  # a cast would wrap
            raise ValueError(f"{spec.name} must be from {least} to {most}.")
    return tf.constant(array.astype(wanted))


def reason(error: Exception) -> str:
    """Returns the message of an error for a client: the words of a failed check in the graph, without a stack."""
    text = getattr(error, "message", None) or str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip() not in ("", "Graph execution error:")]
    told = [line for line in lines if "assertion failed" in line]
    return (told or lines or [type(error).__name__])[0]
