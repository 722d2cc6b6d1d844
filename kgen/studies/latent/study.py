"""A study of the code of a trained autoencoder: maps, slices, and figures compared with those of PCA.

The parts are in `measures`, `pictures` and `projector`. This module puts them together in one folder.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen import images
from kgen.data import Images
from kgen.data.joined import parts, trained_on
from kgen.errors import UsageError
from kgen.runs import directory
from kgen.studies import extras
from kgen.studies.latent import measures, pictures, projector

if TYPE_CHECKING:
    from kgen.inference.autoencoder import TrainedAutoencoder

LEAST = 20  # images of a split
PACKAGES = ("scipy", "sklearn", "matplotlib")
IN_A_ROW = 16
FIGURES = "latent.json"


def splits(load: Callable, split: str, count: int, seed: int, say: Callable) -> tuple[Images, Images]:
    """Returns the images that a model was trained on, and others to test it on.

    Args:
        load: function from a split to `kgen.data.Images`.
        split: what the model was trained on, such as `train` or `train[:5000]`.
        count: greatest number of images of each part, which are chosen at random.
        seed: of that choice.
        say: called with a sentence if the dataset has no other images.

    Returns:
        `(train, test)`, two `Images`, in random order. `test` is the test split, or the training split if the model was
        trained on the test split. If there is no such split, or the model was trained on both, it is a fifth of what
        the model was trained on.
    """
    random = np.random.default_rng(seed)
    train = load(split)
    order = random.permutation(len(train.images))
    try:
        test = load(other(split))
        others = random.permutation(len(test.images))
    except UsageError as error:
        say(f"{error} A fifth of the images that the model was trained on stands for it.")
        fifth = len(order) // 5
        test, others, order = train, order[:fifth], order[fifth:]
    return _chosen(train, order[:count]), _chosen(test, others[:count])


def other(split: str) -> str:
    """Returns the split to test on: `test`, or `train` if a model was trained on `test` alone.

    Raises:
        UsageError: it was trained on both.
    """
    trained = parts(split)
    if len(trained) > 1 and trained_on(split, "test"):
        raise UsageError(f"The model was trained on {split}, so it has seen the test images too.")
    return "train" if trained_on(split, "test") else "test"


def study(
    autoencoder: "TrainedAutoencoder",
    train: Images,
    test: Images,
    folder: Path,
    seed: int,
    about: dict[str, str] | None = None,
    say: Callable = lambda part: None,
) -> dict[str, Any]:
    """Writes pictures and figures of an autoencoder's code into a folder. Returns the figures.

    - `pca.png`, `tsne.png`: maps of the codes of the test images.
    - `slices.png`, `slices_principal.png`: images along two coordinates, and along two principal directions.
    - `reconstructions.png`, `hallucinations.png`: test images, and noise, above their reconstructions.
    - `projector/`: the codes for TensorBoard.
    - `latent.json`: what is returned.

    Args:
        autoencoder: with `encode(images)`, uint8 to float32 `(n, size)`, and `decode(codes)`, to float32 in [0, 1].
        train: `kgen.data.Images`; its labels and classes may be absent.
        test: other images, with the same classes.
        folder: an existing folder to write to.
        seed: of t-SNE, k-means and noise.
        about: `{name: value}` to put first into the figures, such as the model and its dataset.
        say: called with a few words before each part.

    Returns:
        The figures, a dictionary that JSON can hold. Errors are means over the pixels of the test images. Those named
        `pca_...` are of PCA with as many components as a code has numbers. Accuracies are None without two classes.

    Raises:
        UsageError: a package is missing, there are too few images, or codes are all equal or not finite.
    """
    extras.demand(*PACKAGES)
    few = min(len(train.images), len(test.images))
    if few < LEAST:
        raise UsageError(f"The study needs {LEAST} images to train on and as many to try: one of the two has {few}.")
    folder = Path(folder)
    directory.make_folder(folder / "projector")
    say("codes")
    train_codes, test_codes = _codes(autoencoder, train.images), _codes(autoencoder, test.images)
    figures = {
        **(about or {}),
        "images": {"train": len(train.images), "test": len(test.images)},
        "seed": seed,
        "size": train_codes.shape[1],
        **_errors(autoencoder, train.images, test.images, test_codes, seed, say),
        **_accuracies(train_codes, train.labels, test_codes, test, seed, say),
    }
    say("slices, reconstructions, hallucinations")
    for name, picture in _pictures(autoencoder, test.images, test_codes, seed).items():
        images.save_png(folder / f"{name}.png", picture)
    say("maps: PCA and t-SNE")
    figures["variance_shares"] = _maps(folder, test_codes, test, seed)
    say("projector")
    projector.write_projector(folder / "projector", test_codes, test.images, test.labels, test.classes)
    (folder / FIGURES).write_text(json.dumps(figures, indent=2) + "\n")
    return figures


def table(figures: dict[str, Any]) -> str:
    """Returns the figures of `study` as lines of text."""

    def percent(value: float | None) -> str:
        return "-" if value is None else f"{value:.1%}"

    shares, seen = figures["variance_shares"], figures["images"]
    rows = [
        (f"{seen['test']} test images, code of {figures['size']}", "autoencoder", "PCA"),
        *(
            (f"{name.replace('_', ' ')} of a pixel", f"{figures[name]:.4f}", f"{figures[f'pca_{name}']:.4f}")
            for name in ("mean_squared_error", "binary_cross_entropy")
        ),
        (
            f"accuracy of k-means, {figures['clustering_restarts']} restarts",
            percent(figures["clustering_accuracy"]),
            "",
        ),
        ("accuracy of a linear probe", percent(figures["probe_accuracy"]), ""),
        ("variance in the first two directions", percent(sum(shares[:2])), ""),
    ]
    if "mean_distance" in figures:
        evenness = figures["smoothness"]
        rows.append(("mean distance of interpolations from lines", f"{1000 * figures['mean_distance']:.3f}e-3", ""))
        rows.append(("smoothness of interpolations", "-" if evenness is None else f"{evenness:.3f}", ""))
    return "\n".join(f"{name:<42}{value:>12}{other:>9}".rstrip() for name, value, other in rows)


def _chosen(data: Images, rows: np.ndarray) -> Images:
    return Images(data.images[rows], None if data.labels is None else data.labels[rows], data.classes)


def _codes(autoencoder: "TrainedAutoencoder", pixels: np.ndarray) -> np.ndarray:
    codes = np.asarray(autoencoder.encode(pixels), np.float32)
    if not np.isfinite(codes).all():
        raise UsageError(
            "The encoder gives codes that are not finite: the model has diverged. Take another checkpoint."
        )
    if not codes.std(axis=0).any():
        raise UsageError("The encoder gives every image the same code, so there is nothing to look at: train it more.")
    return codes


def _errors(
    autoencoder: "TrainedAutoencoder",
    train_images: np.ndarray,
    test_images: np.ndarray,
    codes: np.ndarray,
    seed: int,
    say: Callable,
) -> dict[str, float]:
    say("errors, beside those of PCA")
    own = measures.errors(test_images, autoencoder.decode(codes))
    linear = measures.principal_errors(train_images, test_images, codes.shape[1], seed)
    names = ("mean_squared_error", "binary_cross_entropy")
    return {**dict(zip(names, own, strict=True)), **{f"pca_{name}": x for name, x in zip(names, linear, strict=True)}}


def _accuracies(
    train_codes: np.ndarray,
    train_labels: np.ndarray | None,
    test_codes: np.ndarray,
    test: Images,
    seed: int,
    say: Callable,
) -> dict[str, Any]:
    classes, restarts = len(test.classes), 20
    clustering = probe = None
    if train_labels is not None and len(np.unique(train_labels)) > 1 and len(train_codes) >= classes:
        say("k-means and linear probe")
        labels = test.labels
        clustering = measures.clustering_accuracy(train_codes, test_codes, labels, classes, seed, restarts)
        probe = measures.probe_accuracy(train_codes, train_labels, test_codes, labels)
    return {"clustering_accuracy": clustering, "clustering_restarts": restarts, "probe_accuracy": probe}


def _pictures(
    autoencoder: "TrainedAutoencoder", pixels: np.ndarray, codes: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    return {
        "slices": pictures.slices(autoencoder, codes),
        "slices_principal": pictures.slices(autoencoder, codes, principal=True),
        "reconstructions": pictures.reconstructions(autoencoder, pixels[:IN_A_ROW]),
        "hallucinations": pictures.hallucinations(autoencoder, pixels.shape[1:], IN_A_ROW, seed),
    }


def _maps(folder: Path, codes: np.ndarray, test: Images, seed: int) -> list[float]:
    """Writes pca.png and tsne.png; returns the share of variance in each principal direction."""
    points, shares = measures.principal_components(codes, min(codes.shape))
    title = f"Principal components of the code: {shares[:2].sum():.0%} of its variance"
    pictures.scatter(folder / "pca.png", points[:, :2], test.labels, test.classes, title)
    some = slice(measures.MOST_NEIGHBOURED)
    labels = None if test.labels is None else test.labels[some]
    points = measures.tsne(codes[some], seed)
    pictures.scatter(folder / "tsne.png", points, labels, test.classes, "t-SNE of the code")
    return shares.tolist()
