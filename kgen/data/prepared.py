"""Datasets that tensorflow-datasets (TFDS) has prepared, or downloads and prepares."""

import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kgen.backend import tf
from kgen.data.decoding import Example, states
from kgen.errors import UsageError

_HOST_SECONDS = 4


def builder_of(name: str, data_dir: Path | None, hint: str) -> Any:
    """Returns the `tfds.core.DatasetBuilder` of a dataset. It is downloaded if it has not been prepared yet.

    Args:
        name: the dataset's name in TFDS, perhaps with a configuration, `emnist/letters`.
        data_dir: the data directory of TFDS, or None for its default.
        hint: a sentence that tells a user without a network which files to put where.

    Raises:
        UsageError: the dataset is not there and cannot be downloaded, which takes at most 10 s without a network.
    """
    tf.executing_eagerly()  # loads TensorFlow quietly, before tensorflow_datasets loads it
    try:
        import tensorflow_datasets as tfds

        builder = tfds.builder(name, data_dir=data_dir)
        if not (builder.data_path / "dataset_info.json").exists():
            _reach(sorted(builder.url_infos)[0])
            builder.download_and_prepare()
    except Exception as error:  # TFDS raises dozens of kinds: network, checksums, disk
        raise UsageError(
            f"{name} is not on this machine and cannot be downloaded ({_first_line(error)}). {hint}"
        ) from error
    return builder


def arrays(name: str, split: str, data_dir: Path | None, hint: str) -> tuple[np.ndarray, np.ndarray]:
    """Reads a labelled dataset of TFDS into memory.

    Args:
        name, data_dir, hint: see `builder_of`.
        split: in the syntax of TFDS.

    Returns:
        `(images, labels)`, uint8 `(n, height, width, channels)` and int64 `(n,)`.

    Raises:
        UsageError: the dataset is not there and cannot be downloaded, or the split reaches beyond the data.
    """
    import tensorflow_datasets as tfds

    found = Split(builder_of(name, data_dir, hint), split)
    examples = list(tfds.as_numpy(found.dataset()))
    return np.stack([example["image"] for example in examples]), np.array([e["label"] for e in examples], np.int64)


class Split:
    """A split of a prepared dataset.

    Args:
        builder: a `tfds.core.DatasetBuilder`.
        split: in the syntax of TFDS.

    Attributes:
        count: how many examples there are.

    Raises:
        UsageError: there is no such split, it reaches beyond the data, or it is empty.
    """

    def __init__(self, builder: Any, split: str) -> None:
        self.builder, self.split = builder, split
        try:
            self.count = builder.info.splits[split].num_examples
            self.dataset()
        except (KeyError, ValueError, AssertionError) as error:
            raise UsageError(f"The split '{split}' of {builder.name} cannot be read: {_first_line(error)}.") from error
        if not self.count:
            raise UsageError(f"The split '{split}' of {builder.name} is empty.")

    def dataset(self, decoders: dict | None = None) -> "tf.data.Dataset":
        """Returns the examples in the order of their files; `decoders` as in TFDS."""
        return self.builder.as_dataset(split=self.split, decoders=decoders, shuffle_files=False)

    def encoded(self) -> Iterator[Example]:
        """Yields the examples, whose source is the bytes of an image file."""
        import tensorflow_datasets as tfds

        examples = self.dataset({"image": tfds.decode.SkipDecoding()})
        for number, example in enumerate(tfds.as_numpy(examples)):
            yield Example(f"{self.builder.name}, example {number}", example["image"], int(example.get("label", -1)))

    def state(self) -> tuple[list, float]:
        """Returns what `kgen.data.decoding.Examples.state` does."""
        files, newest = states(sorted(Path(self.builder.data_path).iterdir()))
        return [self.builder.info.full_name, self.split, files], newest


def _reach(url: str) -> None:
    """Raises OSError unless the host answers within 4 s; without a network TFDS itself would try for 205 s."""
    import requests

    outcome = [OSError("no answer")]

    def ask() -> None:
        try:
            outcome[0] = requests.head(url, timeout=_HOST_SECONDS)
        except Exception as error:
            outcome[0] = error

    thread = threading.Thread(target=ask, daemon=True)  # a thread, since `timeout` does not cover the DNS look-up
    thread.start()
    thread.join(_HOST_SECONDS)
    if isinstance(outcome[0], Exception) or outcome[0].status_code >= 500:
        raise OSError(f"no connection to {urllib.parse.urlsplit(url).hostname}")


def _first_line(error: Exception) -> str:
    """Returns the first line of an error's message, at most 200 characters."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")[:200]
