"""Writes codes for the embedding projector of TensorBoard: `tensorboard --logdir FOLDER`."""

import io
import math
from pathlib import Path

import numpy as np

from kgen import images

MOST_PIXELS = 8192  # side of the sprite; the graphics of a browser do not accept more


def write_projector(
    folder: Path, codes: np.ndarray, pixels: np.ndarray, labels: np.ndarray | None, classes: tuple[str, ...]
) -> int:
    """Writes codes.tsv, metadata.tsv, sprite.png and projector_config.pbtxt, with a small image at each point.

    Args:
        folder: an existing folder to write to.
        codes: float, `(n, size)`.
        pixels: uint8, `(n, height, width, channels)`: the images of the codes.
        labels: integers `(n,)`; None writes no metadata.tsv.
        classes: names, index = label.

    Returns:
        How many codes were written. Only the first ones are, if the sprite, a square of at most `MOST_PIXELS` pixels a
        side, has no room for all images.

    Raises:
        ValueError: one image is larger than the sprite may be.
    """
    from google.protobuf import text_format
    from tensorboard.plugins.projector import projector_config_pb2

    folder, (height, width) = Path(folder), pixels.shape[1:3]
    room = MOST_PIXELS // max(height, width)
    if room == 0:
        raise ValueError(f"`pixels` must be at most {MOST_PIXELS} a side. Received: {height}x{width}.")
    count = min(len(codes), room**2)
    config = projector_config_pb2.ProjectorConfig()
    embedding = config.embeddings.add(tensor_name="code", tensor_path="codes.tsv")
    table = io.StringIO()
    np.savetxt(table, codes[:count], fmt="%.6g", delimiter="\t")
    (folder / "codes.tsv").write_text(table.getvalue())
    if labels is not None:
        names = [" ".join(name.split()) or "-" for name in classes]  # a tab in a name would make two columns
        (folder / "metadata.tsv").write_text("".join(f"{names[label]}\n" for label in labels[:count]), "utf-8")
        embedding.metadata_path = "metadata.tsv"
    images.save_png(folder / "sprite.png", sprite(pixels[:count]))
    embedding.sprite.image_path = "sprite.png"
    embedding.sprite.single_image_dim.extend([width, height])
    (folder / "projector_config.pbtxt").write_text(text_format.MessageToString(config))
    return count


def sprite(pixels: np.ndarray) -> np.ndarray:
    """Returns a square of images `(n, height, width, channels)`, row by row, uint8. Free places are black."""
    side = math.ceil(math.sqrt(len(pixels)))
    rest = np.zeros((side**2 - len(pixels), *pixels.shape[1:]), np.uint8)
    return images.grid(np.concatenate([pixels, rest]), side)
