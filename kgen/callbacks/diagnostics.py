"""A callback that warns when a discriminator is certain of every image, or when a generator repeats itself."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from kgen.backend import keras, tf
from kgen.callbacks.every_n_steps import EveryNSteps
from kgen.callbacks.log import forget_after, tag
from kgen.core.game import Game, sheet
from kgen.data import pipeline
from kgen.losses.adversarial import AdversarialLoss
from kgen.rng import Rng

if TYPE_CHECKING:
    from kgen.data import Images

SATURATED, COLLAPSED = "saturated discriminator", "collapsed generator"
SURE = 0.99  # mean D(x) and mean 1 - D(G(z)) above it: saturated
ALIKE = 0.3  # distance of generated images below this share of the distance of real ones: collapsed
REAL = {"sample_distance": "real_distance", "within_class_distance": "real_within_class_distance"}


class Diagnostics(EveryNSteps):
    """Writes a line of diagnosis.jsonl each time, its distances for TensorBoard, and warnings on stderr.

    A line has `step` and the trainer's means since the last line of the log, if steps were played since. It also has
    `sample_distance` and `real_distance`: the mean distance of two images (`pairwise`) of a sheet of samples, and of as
    many training images. A game with classes adds `within_class_distance` and `real_within_class_distance`: the mean
    over classes of the mean distance of two images of the same class. `warnings` lists what is wrong:

    - `saturated discriminator`: on average D(x) is above 0.99 and D(G(z)) below 0.01, where these are probabilities.
      The score of a critic, or one that may lie outside of [0, 1] (least squares, hinge), does not show this. Without
      means the state does not change.
    - `collapsed generator`: either distance is below 0.3 of the real one, in this line and in the one before. Step 0
      does not count, because no generator has learnt anything by then.

    A warning is printed once, and again only after it has been absent. The distances show a generator that repeats
    itself. They do not show that modes are missing, nor that images are good: images of noise are far from each other.

    Args:
        path: of diagnosis.jsonl. Lines after `start` are dropped, since they will be written again.
        writer: a `tf.summary` writer.
        real: the training images, `kgen.data.Images`.
        every: steps between lines.
        start: steps played before this `fit`.
        seed: of the sheet's noise and of the choice of training images.
    """

    def __init__(
        self, path: Path, writer: "tf.summary.SummaryWriter", real: "Images", every: int, start: int = 0, seed: int = 0
    ) -> None:
        super().__init__(every, start)
        self.path, self.writer, self.real, self.seed = Path(path), writer, real, seed
        forget_after(self.path, start or -1)  # -1: a run that begins again at step 0 writes its line again
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.last = json.loads(lines[-1]) if lines else {"step": 0, "warnings": []}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Measures the training images, and writes the line of step 0 unless the run is resumed."""
        game = self.model.best_game()
        self.probabilities = "real_score" in self.model.names and scores_are_probabilities(game)
        self.real_distances = {}
        if makes_pictures(game):
            pictures, labels = comparable(self.real, sheet(game.classes)[0], len(game.classes), self.seed)
            self.real_distances = {REAL[name]: value for name, value in distances(pictures, labels).items()}
        if self.start == 0:
            self.at(0)

    def at(self, step: int) -> None:
        """Writes a line, and prints the warnings that the line before did not have."""
        means = self.model.means() if self.model.steps_summed.numpy() else {}
        found = {**self._look(), **self.real_distances}
        line = {"step": step, **means, **found}
        holds = {SATURATED: self._saturated(line), COLLAPSED: alike(line) and alike(self.last)}
        line["warnings"] = [name for name, wrong in holds.items() if wrong]
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        with self.writer.as_default():
            for name, value in found.items():  # TensorBoard has the means from Log
                tf.summary.scalar(tag(name), value, step=step)
        self.writer.flush()
        for name in line["warnings"]:
            if name not in self.last["warnings"]:
                tqdm.write(SENTENCES[name](line), file=sys.stderr)  # print() would break the progress bar
        self.last = line

    def _look(self) -> dict[str, float]:
        """Returns the distances of a sheet of samples, made from the same noise at every step."""
        game = self.model.best_game()
        if not makes_pictures(game):
            return {}
        count, _ = sheet(game.classes)
        with Rng(self.seed):
            pictures = np.asarray(game.pictures(count))
        if not np.isfinite(pictures).all():
            return {}  # the callback Samples, which makes the same images, stops the run
        return distances(pictures, sheet_labels(count, len(game.classes)))

    def _saturated(self, line: dict[str, Any]) -> bool:
        """Returns whether a line shows a saturated discriminator; without scores, whether the line before did."""
        if not {"real_score", "fake_score"} <= line.keys():
            return SATURATED in self.last["warnings"]
        return self.probabilities and line["real_score"] > SURE and line["fake_score"] < 1 - SURE


def saturated_sentence(line: dict[str, Any]) -> str:
    """Returns the warning of a saturated discriminator, with the scores of a line."""
    return (
        f"step {line['step']}: {SATURATED}: D(x) is {line['real_score']:.4f} and D(G(z)) {line['fake_score']:.4f} on "
        "average, so that the generator's loss tells it little; try --r1 1, --augment translation,cutout or "
        "--generator-steps 2."
    )


def collapsed_sentence(line: dict[str, Any]) -> str:
    """Returns the warning of a collapsed generator, with the distances of a line."""
    names = {"sample_distance": "two pictures", "within_class_distance": "two of the same class"}
    told = [
        f"{what} differ by {line[name]:.4f} on average, real ones by {line[REAL[name]]:.4f}"
        for name, what in names.items()
        if {name, REAL[name]} <= line.keys()
    ]
    return (
        f"step {line['step']}: {COLLAPSED}: {'; '.join(told)}; early in a training this may pass, later a "
        "smaller --learning-rate may help, and in adversarial games --r1 1 or a critic (--model wgan-gp)."
    )


SENTENCES = {SATURATED: saturated_sentence, COLLAPSED: collapsed_sentence}


def makes_pictures(game: Game) -> bool:
    """Returns whether a game makes images from noise, so that they should differ as much as training images do."""
    return type(game).pictures is not Game.pictures and not game.fixed_images_shape


def scores_are_probabilities(game: Game) -> bool:
    """Returns whether the `real_score` and `fake_score` that a game may report lie in [0, 1] for all logits.

    The score of an `AdversarialLoss` is tested on very large logits of both signs. A game without such a loss reports
    scores of its own, which are 1 for real and 0 for generated, see `AdversarialGame.scores`.
    """
    loss = getattr(game, "loss", None)
    if not isinstance(loss, AdversarialLoss):
        return True
    if loss.score is None:
        return False
    ends = keras.ops.convert_to_numpy(loss.score(keras.ops.convert_to_tensor([-1e6, 1e6])))
    return bool(0 <= ends.min() and ends.max() <= 1)


def alike(line: dict[str, Any]) -> bool:
    """Returns whether a line after step 0 has a distance below 0.3 of the real one."""
    pairs = [(line[name], line[real]) for name, real in REAL.items() if {name, real} <= line.keys()]
    return line["step"] > 0 and any(made < ALIKE * real for made, real in pairs)


def comparable(real: "Images", count: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns training images that can be compared with a sheet of samples, as many as there are of them.

    Args:
        real: the training images, `kgen.data.Images`.
        count: images on the sheet.
        classes: number of classes on the sheet, which have equal parts; 0 if it has none.
        seed: of the training order, whose first images are taken; without classes these are the images of real.png.

    Returns:
        `(images, labels)`: float64 `(n, height, width, channels)` in [0, 1], no image twice; labels `(n,)`, or None if
        the sheet or the dataset has none.
    """
    order, labels = pipeline.order(seed, 0, len(real.images)), sheet_labels(count, classes)
    if labels is None or real.labels is None:
        return real.images[order[:count]] / 255, None
    wanted = np.bincount(labels, minlength=classes)
    rows = np.concatenate([order[real.labels[order] == label][:part] for label, part in enumerate(wanted)])
    return real.images[rows] / 255, real.labels[rows]


def sheet_labels(count: int, classes: int) -> np.ndarray | None:
    """Returns the labels of a sheet, int64 `(count,)`, as `Game.pictures` orders them; None without classes."""
    return np.arange(count) * classes // count if classes else None


def distances(pictures: np.ndarray, labels: np.ndarray | None = None) -> dict[str, float]:
    """Returns the mean distance of two images, and that of two images of the same class.

    Args:
        pictures: the images, `(n, height, width, channels)` in [0, 1].
        labels: integers `(n,)`; without them there is no distance within classes.

    Returns:
        `{"sample_distance": ..., "within_class_distance": ...}`, rounded to 6 decimals, without a distance that has no
        pair of images.
    """
    matrix = pairwise(pictures)
    found = {"sample_distance": [mean_of_pairs(matrix)], "within_class_distance": []}
    for label in () if labels is None else np.unique(labels):
        own = labels == label
        found["within_class_distance"].append(mean_of_pairs(matrix[np.ix_(own, own)]))
    found = {name: [mean for mean in means if mean is not None] for name, means in found.items()}
    return {name: round(float(np.mean(means)), 6) for name, means in found.items() if means}


def pairwise(pictures: np.ndarray) -> np.ndarray:
    """Returns the distance of every two images, the root mean square difference of their d numbers.

    `D_ij = ||x_i - x_j|| / sqrt(d)`, from the Gram matrix: `||x_i - x_j||^2 = x_i.x_i + x_j.x_j - 2 x_i.x_j`.

    Args:
        pictures: the images, `(n, ...)` in [0, 1].

    Returns:
        float64 `(n, n)` in [0, 1].
    """
    flat = np.asarray(pictures, np.float64).reshape(len(pictures), -1)
    flat = flat - flat.mean(axis=0)  # changes no distance, and loses fewer digits in the difference below
    gram = flat @ flat.T
    squares = np.diag(gram)
    squared = squares[:, None] + squares - 2 * gram
    np.fill_diagonal(squared, 0)
    return np.sqrt(np.maximum(squared, 0) / flat.shape[1])


def mean_of_pairs(matrix: np.ndarray) -> float | None:
    """Returns the mean of a matrix of distances `(n, n)` over pairs of different images; None if there is no pair."""
    n = len(matrix)
    return matrix.sum() / (n * (n - 1)) if n > 1 else None
