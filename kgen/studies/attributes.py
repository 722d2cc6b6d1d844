"""Attribute vectors: directions in the code that change one attribute of an image, such as a smile."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kgen import images
from kgen.errors import UsageError

if TYPE_CHECKING:
    from kgen.core.recipe import Recipe
    from kgen.inference.autoencoder import TrainedAutoencoder

LEAST = 10  # images needed with an attribute, and without it


def vectors(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Returns for each attribute `mean(z with it) - mean(z without it)`, float32 `(attributes, size)`.

    Args:
        codes: `(n, size)`.
        values: bool `(n, attributes)`; each column has both values.

    Source: Larsen et al. 2016, arXiv:1512.09300, section 4.2.
    """
    codes = np.asarray(codes, np.float64)
    return np.stack([codes[has].mean(axis=0) - codes[~has].mean(axis=0) for has in values.T]).astype(np.float32)


def chosen(values: np.ndarray, names: tuple[str, ...], wanted: Sequence[str]) -> np.ndarray:
    """Returns the columns of `values` for some attributes.

    Args:
        values: bool `(n, attributes)`.
        names: names of all attributes.
        wanted: names of some attributes, in the order of the columns to return.

    Raises:
        UsageError: a name does not exist, or fewer than `LEAST` images have the attribute or are without it.
    """
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise UsageError(f"--attributes: there is no {unknown[0]}; there are {', '.join(names)}.")
    values = values[:, [names.index(name) for name in wanted]]
    for name, have in zip(wanted, values.sum(axis=0), strict=True):
        if min(have, len(values) - have) < LEAST:
            raise UsageError(
                f"{name}: {have} of {len(values)} images have it, and {LEAST} with and without are needed."
            )
    return values


def shown(recipe: "Recipe", faces: np.ndarray, count: int) -> np.ndarray:
    """Returns test faces `(count, ...)`, or the last training `faces` where the archive has no test split."""
    from kgen.runs import build  # loads TensorFlow, so only when work starts

    try:
        return build.load(dataclasses.replace(recipe, split="test")).images[:count]
    except UsageError:
        return faces[-count:]


def picture(
    autoencoder: "TrainedAutoencoder", pixels: np.ndarray, directions: np.ndarray, strength: float
) -> np.ndarray:
    """Returns a uint8 picture: a row of images, of reconstructions, and of changed images for each direction.

    Args:
        autoencoder: `kgen.inference.autoencoder.TrainedAutoencoder`.
        pixels: uint8 `(n, height, width, channels)`; each image has a column.
        directions: `(attributes, size)`.
        strength: how many times a direction is added to the codes.
    """
    codes = autoencoder.encode(pixels)
    rows = [autoencoder.decode(codes), *(autoencoder.decode(codes + strength * direction) for direction in directions)]
    return images.grid(np.concatenate([pixels, *map(images.to_bytes, rows)]), len(pixels))
