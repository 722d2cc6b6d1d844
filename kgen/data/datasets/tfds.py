"""Any image set of tensorflow-datasets (TFDS): `tfds:NAME`, such as `tfds:fashion_mnist` or `tfds:emnist/letters`.

What is not prepared yet is downloaded. The pictures are decoded once, see `kgen.data.cache`.
"""

from pathlib import Path

from kgen.data import Images, NoSplit, Request, cache, is_prepared, prepared
from kgen.data.decoding import Examples
from kgen.errors import UsageError
from kgen.images.files import fitted

ARGUMENT = "NAME"
HINT = "Prepare it where there is a network (tfds build NAME), and pass --data-dir DIR if it is not in its own folder."
FACTS = ("TFDS's", "its own, or 64x64", "TFDS's")
_SIZE = (64, 64)  # of pictures of several sizes


def load(request: Request) -> Images:
    """Decodes a split, in the order of TFDS. A slice counts only usable images.

    The dataset needs a feature `image`; its feature `label`, if there is one, gives the classes.

    `request.crop` is as in `folder`. `request.size` None is the dataset's own size, 64x64 if its images have several.

    Raises:
        NoSplit: the dataset lacks the split.
        BadImages: an image cannot be used.
        UsageError: the dataset has no images, or is neither on this machine nor can be downloaded.
    """
    if not request.argument:
        raise UsageError("Write tfds:NAME of a dataset of tensorflow-datasets, such as tfds:fashion_mnist.")
    builder = prepared.builder_of(request.argument, request.data_dir, HINT)
    features = builder.info.features
    if not hasattr(features, "keys") or "image" not in features or len(features["image"].shape or ()) != 3:
        raise UsageError(f"{request.argument} has no feature 'image' of single images.")
    if not (builder.info.splits or {}):
        raise NoSplit(f"{request.argument} has no splits.")
    found = prepared.Split(builder, request.part(*builder.info.splits))
    own = tuple(features["image"].shape[:2])
    size = request.size or (own if all(own) else _SIZE)

    def state() -> tuple[list, float]:
        key, newest = found.state()
        return [key, request.crop, request.background], newest

    read = fitted(size, request.crop, request.background)
    decoded = cache.decoded(Examples("tfds", state, lambda: found.count, size, found.encoded, read), request.skip_bad)
    rows = request.rows(len(decoded.images))
    labels = None if decoded.labels is None else decoded.labels[rows]
    names = tuple(getattr(features["label"], "names", ())) if labels is not None else ()
    return Images(decoded.images.rows(rows), labels if names else None, names)


def present(data_dir: Path | None) -> bool:
    """Returns whether a dataset was prepared on this machine."""
    return is_prepared("*", data_dir)
