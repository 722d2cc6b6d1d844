"""Interpolation between two generated images: linear or spherical between latents, or a cross-fade of pixels.

The position `alpha` is the share of the first end: 0 is the second end, 1 is the first end, above 1 is extrapolation.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kgen import images
from kgen.errors import UsageError

if TYPE_CHECKING:
    from kgen.inference.generator import TrainedGenerator

KINDS = ("linear", "spherical", "pixels")


def linear(z0: np.ndarray, z1: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Returns points `alpha z0 + (1 - alpha) z1` of the straight line, from `z1` at alpha 0 to `z0` at alpha 1.

    Args:
        z0: the end at alpha 1, of any shape: a latent or an image.
        z1: the end at alpha 0, the shape of `z0`.
        alphas: positions, `(n,)`; the line continues outside of [0, 1].

    Returns:
        float32, `(n, *z0.shape)`.

    Raises:
        ValueError: the shapes differ.
    """
    z0, z1, alphas = _doubles(z0, z1, alphas)
    return _weighted(alphas, z0, 1 - alphas, z1)


def spherical(z0: np.ndarray, z1: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Returns points `sin(alpha w) / sin(w) z0 + sin((1 - alpha) w) / sin(w) z1` of the great circle through z0 and z1.

    `w` is the angle between z0 and z1. If both have one length, all points have this length, and equal steps of alpha
    are equal steps of angle. Otherwise the circle is an ellipse. Above alpha 1 the path goes on round, and it is back
    at its start after `2 pi / w`.

    Args:
        z0: the end at alpha 1, `(size,)`.
        z1: the end at alpha 0, `(size,)`.
        alphas: positions, `(n,)`, any numbers.

    Returns:
        float32, `(n, size)`. For parallel ends it is the limit of the formula, which is `linear`.

    Raises:
        ValueError: the shapes differ; an end is zero or not finite; the ends are opposite to within 1e-6 radians, and
            many great circles go through both.

    Source: White 2016, arXiv:1609.04468, section 2. Deviations: `alpha` runs from `z1` to `z0`, as in `linear`;
        opposite ends are an error.
    """
    z0, z1, alphas = _doubles(z0, z1, alphas)
    lengths = np.linalg.norm(z0), np.linalg.norm(z1)
    if not all(0 < length < np.inf for length in lengths):
        raise ValueError(f"`z0` and `z1` must be finite and not zero. Received: lengths {lengths[0]} and {lengths[1]}.")
    angle = np.arccos(np.clip(np.vdot(z0 / lengths[0], z1 / lengths[1]), -1.0, 1.0))  # rounding may leave [-1, 1]
    if np.pi - angle < 1e-6:
        raise ValueError("`z0` and `z1` must not be opposite, with no shortest way. Received: an angle of 180 degrees.")
    if angle == 0:
        return linear(z0, z1, alphas)
    return _weighted(np.sin(alphas * angle) / np.sin(angle), z0, np.sin((1 - alphas) * angle) / np.sin(angle), z1)


def positions(frames: int, until: float) -> np.ndarray:
    """Returns alphas `(frames,)` in equal steps from 0 to `until`, the values of two flags.

    Raises:
        UsageError: `frames` is outside of [2, 1000], or `until` is outside of (0, 100].
    """
    if not 2 <= frames <= 1000:
        raise UsageError(f"--frames must be from 2 to 1000, not {frames}.")
    if not 0 < until <= 100:
        raise UsageError(f"--until must be above 0 and at most 100, not {until}.")
    return np.linspace(0.0, until, frames)


def films(
    source: "TrainedGenerator",
    seed: int,
    kind: str,
    alphas: np.ndarray,
    label: int | None = None,
    latents: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Returns films of interpolations between two latents, with a frame for each alpha.

    - `linear`, `spherical`: the images of the interpolated latents.
    - `pixels`: `x' = alpha x0 + (1 - alpha) x1` between the images of the two ends, clipped to [0, 1]. This is a
      cross-fade, which generates no new image. Above alpha 1 pixels reach 0 or 1, so only black, white and pure colours
      remain.

    Args:
        source: with `latents(seed, count, label)` and `decode(latent, label)`, such as a
            `kgen.inference.generator.TrainedGenerator`.
        seed: integer. Without `latents` its latent 0 is `z0`, at alpha 1, and its latent 1 is `z1`, at alpha 0.
        kind: one of `KINDS`, or `all`.
        alphas: `(n,)`, such as `positions(64, 1.0)`.
        label: index of a class, for class-conditional generators.
        latents: `z0` and `z1`, `(2, size)`; None takes those of the seed.

    Returns:
        `{kind: images}` in the order of `KINDS`; float32 `(n, height, width, channels)` in [0, 1].

    Raises:
        ValueError: an unknown kind.
        UsageError: the two latents have no great circle.
    """
    if kind not in (*KINDS, "all"):
        raise ValueError(f"`kind` must be all or one of {', '.join(KINDS)}. Received: {kind!r}.")
    z0, z1 = source.latents(seed, 2, label) if latents is None else latents

    def on_the_sphere() -> np.ndarray:
        try:
            return spherical(z0, z1, alphas)
        except ValueError as error:
            raise UsageError(f"Seed {seed} has no spherical way: {error} Take another seed or kind.") from None

    def faded() -> np.ndarray:
        return np.clip(linear(*source.decode(np.stack([z0, z1]), label), alphas), 0.0, 1.0)

    ways = {
        "linear": lambda: source.decode(linear(z0, z1, alphas), label),
        "spherical": lambda: source.decode(on_the_sphere(), label),
        "pixels": faded,
    }
    return {name: way() for name, way in ways.items() if kind in (name, "all")}


def chosen(source: "TrainedGenerator", name: str) -> int | None:
    """Returns the label that `--class name` means: a class index, or None for a generator without classes.

    Raises:
        UsageError: the generator needs a class and `name` is None, or it has no such class.
    """
    if name is None and source.classes:
        raise UsageError(f"This generator makes one class at a time: give --class, of {', '.join(source.classes)}.")
    return None if name is None else source.index(name)


def strip(films: dict[str, np.ndarray]) -> np.ndarray:
    """Returns a picture with a row of frames for each film, uint8 `(kinds * height, frames * width, channels)`."""
    frames = len(next(iter(films.values())))
    return images.grid(images.to_bytes(np.concatenate(list(films.values()))), columns=frames)


def stem(out: Path) -> Path:
    """Returns the path `out` without .png or .gif, to be the `out` of `save`.

    Raises:
        UsageError: `out` is a folder, has another ending, or is in a folder that does not exist.
    """
    out = Path(out)
    if out.is_dir():
        raise UsageError(f"--out {out} is a folder: give a name in it, such as {out / 'interpolation.png'}.")
    if out.suffix not in ("", ".png", ".gif"):
        raise UsageError(f"--out must end in .png, .gif or neither, and names both files, not {out}.")
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.parent}.")
    return out.with_suffix("")


def save(out: Path, films: dict[str, np.ndarray]) -> tuple[Path, Path]:
    """Writes films `{name: (frames, ...)}` as `<out>.png`, see `strip`, and `<out>.gif`; returns both paths."""
    picture, film = Path(f"{out}.png"), Path(f"{out}.gif")
    images.save_png(picture, strip(films))
    images.save_gif(film, images.to_bytes(np.concatenate(list(films.values()), axis=2)))
    return picture, film


def save_walk(path: Path, source: "TrainedGenerator", seed: int, frames: int = 64) -> None:
    """Writes a GIF of the linear interpolation between two latents; with classes, of ten classes side by side."""
    labels = range(min(10, len(source.classes))) if source.classes else [None]
    walks = [films(source, seed, "linear", positions(frames, 1.0), label)["linear"] for label in labels]
    images.save_gif(path, images.to_bytes(np.concatenate(walks, axis=2)))


def _doubles(z0: np.ndarray, z1: np.ndarray, alphas: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the arguments as float64 arrays; raises ValueError unless the ends have one shape."""
    z0, z1, alphas = (np.asarray(numbers, np.float64) for numbers in (z0, z1, alphas))
    if z0.shape != z1.shape:
        raise ValueError(f"`z0` and `z1` must have one shape. Received: {z0.shape} and {z1.shape}.")
    return z0, z1, alphas


def _weighted(first: np.ndarray, z0: np.ndarray, second: np.ndarray, z1: np.ndarray) -> np.ndarray:
    """Returns `first z0 + second z1` for each pair of weights, float32."""
    return (np.multiply.outer(first, z0) + np.multiply.outer(second, z1)).astype(np.float32)
