"""`saved_models/models.config`: with it `tensorflow_model_server --model_config_file` serves several models at once.

Source: TensorFlow Serving, "Serving configuration"; its `ModelServerConfig`, in the text format of protocol buffers.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from filelock import FileLock
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from kgen.errors import UsageError
from kgen.runs import checkpoint

FILE = "models.config"


def read(root: Path) -> Any:
    """Returns the `ModelServerConfig` of a folder of exports; an empty one if there is no file.

    Raises:
        UsageError: the file is damaged.
    """
    path, config = Path(root) / FILE, model_server_config_pb2.ModelServerConfig()
    try:
        return text_format.Parse(path.read_text(), config) if path.exists() else config
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is not a model server's configuration: {error}. Remove it, it is made anew."
        ) from None


def register(root: Path, name: str, version: int, label: str | None = None) -> dict[str, int]:
    """Enters a version of a model, with a label if given. Returns the labels of the model, `{label: version}`.

    Without labels a server loads the newest version. With labels it loads the labelled versions and the newest.

    Args:
        root: folder of all exports.
        name: of the model.
        version: integer.
        label: such as `stable`; None gives none.
    """
    root = Path(root)
    with FileLock(root / f".{FILE}.lock"):
        config = read(root)
        entry = next((entry for entry in config.model_config_list.config if entry.name == name), None)
        if entry is None:
            entry = config.model_config_list.config.add(name=name, model_platform="tensorflow")
        entry.base_path = str((root / name).absolute())
        for key in [key for key, number in entry.version_labels.items() if not (root / name / str(number)).is_dir()]:
            del entry.version_labels[key]
        if label:
            entry.version_labels[label] = version
        entry.ClearField("model_version_policy")
        if entry.version_labels:
            entry.model_version_policy.specific.versions.extend(sorted({version, *entry.version_labels.values()}))
        aside = root / f".{FILE}.partial"
        aside.write_text(text_format.MessageToString(config))
        os.replace(aside, root / FILE)
        return dict(entry.version_labels)


def versions(folder: Path) -> list[int]:
    """Returns the existing versions of a model, ascending."""
    return sorted(int(path.name) for path in Path(folder).iterdir() if path.name.isdecimal())


def prune(folder: Path, keep: int, labelled: Collection[int]) -> None:
    """Removes versions of a model. The newest `keep` and those with a label stay."""
    for version in versions(folder)[:-keep]:
        if version not in labelled:
            checkpoint.remove(Path(folder) / str(version))
