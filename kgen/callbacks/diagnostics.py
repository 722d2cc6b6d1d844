"""Says while it happens that a discriminator is sure of everything, or that a generator repeats itself."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from kgen.backend import keras, tf
from kgen.callbacks.every_n_steps import EveryNSteps
from kgen.callbacks.log import forget_after
from kgen.core.game import Game, sheet
from kgen.data import pipeline
from kgen.losses.adversarial import AdversarialLoss
from kgen.rng import Rng

if TYPE_CHECKING:
    from kgen.data import Images

SATURATED, COLLAPSED = "saturated discriminator", "collapsed generator"
SURE = 0.99  # D(x) above and 1 - D(G(z)) above it: saturated
ALIKE = 0.3  # generated pictures that differ by less than this share of what real ones do: collapsed
REAL = {"sample_distance": "real_distance", "within_class_distance": "real_within_class_distance"}


class Diagnostics(EveryNSteps):
    """Writes a line of diagnosis.jsonl at every look, TensorBoard's `diagnosis/<name>`, and warns on stderr.

    A line has `step`; the means of the trainer since the last line of the log, if steps were played since; and
    `sample_distance`, `real_distance`, the mean distance of two pictures (`pairwise`) of a sheet and of as many
    training images. Of a game with classes also `within_class_distance`, `real_within_class_distance`, the mean over
    classes of the mean distance of two pictures of the same class. `warnings` lists what is wrong:

    - `saturated discriminator`: D(x) is above 0.99 and D(G(z)) below 0.01 on average, where these are probabilities. A
      critic's scale and a score that may lie beyond [0, 1] (least squares, hinge) say nothing of the kind. A look
      without means leaves this as it was.
    - `collapsed generator`: either distance is below 0.3 of the real one, at this look and at the one before. Step 0
      does not count: no generator has learnt anything by then.

    What is listed is said once, and again only after it had ceased. The distances see a generator that repeats itself,
    not one that lacks some of the modes; nor whether pictures are good: noise is far from noise.

    Args:
        path: diagnosis.jsonl. Lines behind `start` are dropped: they will be written again.
        writer: a `tf.summary` writer.
        real: the training images, `kgen.data.Images`.
        seed: of the sheet's noise and of the choice of training images.
    """

    def __init__(
        self, path: Path, writer: "tf.summary.SummaryWriter", real: "Images", every: int, start: int = 0, seed: int = 0
    ) -> None:
        super().__init__(every, start)
        self.path, self.writer, self.real, self.seed = Path(path), writer, real, seed
        forget_after(self.path, start or -1)  # killed before its first checkpoint, a run looks at step 0 again
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.last = json.loads(lines[-1]) if lines else {"step": 0, "warnings": []}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        game = self.model.best_game()
        self.probabilities = "real_score" in self.model.names and scores_are_probabilities(game)
        self.real_distances = {}
        if makes_pictures(game):
            pictures, labels = comparable(self.real, sheet(game.classes)[0], len(game.classes), self.seed)
            self.real_distances = {REAL[name]: value for name, value in distances(pictures, labels).items()}
        if self.start == 0:
            self.at(0)

    def at(self, step: int) -> None:
        means = self.model.means() if self.model.steps_summed.numpy() else {}
        line = {"step": step, **means, **self._look(), **self.real_distances}
        holds = {SATURATED: self._saturated(line), COLLAPSED: alike(line) and alike(self.last)}
        values = {name: value for name, value in line.items() if name != "step"}
        line["warnings"] = [name for name, wrong in holds.items() if wrong]
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        with self.writer.as_default():
            for name, value in values.items():
                tf.summary.scalar(f"diagnosis/{name}", value, step=step)
        self.writer.flush()
        for name in line["warnings"]:
            if name not in self.last["warnings"]:
                tqdm.write(SENTENCES[name](line), file=sys.stderr)  # print would tear the progress bar
        self.last = line

    def _look(self) -> dict[str, float]:
        """Returns the distances of a sheet of pictures, of the same noise at every step."""
        game = self.model.best_game()
        if not makes_pictures(game):
            return {}
        count, _ = sheet(game.classes)
        with Rng(self.seed):
            pictures = np.asarray(game.pictures(count))
        if not np.isfinite(pictures).all():
            return {}  # Samples, which shows the same ones, stops the run
        return distances(pictures, sheet_labels(count, len(game.classes)))

    def _saturated(self, line: dict[str, Any]) -> bool:
        if not {"real_score", "fake_score"} <= line.keys():
            return SATURATED in self.last["warnings"]
        return self.probabilities and line["real_score"] > SURE and line["fake_score"] < 1 - SURE


def saturated_sentence(line: dict[str, Any]) -> str:
    """Returns what is said of a saturated discriminator."""
    return (
        f"step {line['step']}: {SATURATED}: D(x) is {line['real_score']:.4f} and D(G(z)) {line['fake_score']:.4f} on "
        "average, so that the generator's loss tells it little; try --r1 1, --augment translation,cutout or "
        "--generator-steps 2."
    )


def collapsed_sentence(line: dict[str, Any]) -> str:
    """Returns what is said of a collapsed generator."""
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
    """Returns whether the game's `pictures()` are made of noise, so that they should differ as training images do."""
    return type(game).pictures is not Game.pictures and not game.fixed_images_shape


def scores_are_probabilities(game: Game) -> bool:
    """Returns whether the `real_score` and `fake_score` that a game may report lie in [0, 1] whatever the logits are.

    An objective's score is tried on logits of both signs. A game without one reports scores of its own: 1 is real, 0
    generated, see `AdversarialGame.scores`.
    """
    loss = getattr(game, "loss", None)
    if not isinstance(loss, AdversarialLoss):
        return True
    if loss.score is None:
        return False
    ends = keras.ops.convert_to_numpy(loss.score(keras.ops.convert_to_tensor([-1e6, 1e6])))
    return bool(0 <= ends.min() and ends.max() <= 1)


def alike(line: dict[str, Any]) -> bool:
    """Returns whether a look found a distance below 0.3 of the real one, after step 0."""
    pairs = [(line[name], line[real]) for name, real in REAL.items() if {name, real} <= line.keys()]
    return line["step"] > 0 and any(made < ALIKE * real for made, real in pairs)


def comparable(real: "Images", count: int, classes: int, seed: int) -> tuple[np.ndarray | None, ...]:
    """Returns `(pictures, labels)`: training images like a sheet of `count`, as far as there are so many.

    Args:
        real: `kgen.data.Images`.
        count: pictures of the sheet.
        classes: how many the sheet shows, in equal parts; 0 where it has none.
        seed: of the training order, whose first images are taken; those of real.png when there are no classes.

    Returns:
        float64 `(n, height, width, channels)` in [0, 1], no image twice; labels `(n,)`, None where the sheet has none.
    """
    order, labels = pipeline.order(seed, 0, len(real.images)), sheet_labels(count, classes)
    if labels is None or real.labels is None:
        return real.images[order[:count]] / 255, None
    wanted = np.bincount(labels, minlength=classes)
    rows = np.concatenate([order[real.labels[order] == label][:part] for label, part in enumerate(wanted)])
    return real.images[rows] / 255, real.labels[rows]


def sheet_labels(count: int, classes: int) -> np.ndarray | None:
    """Returns the labels of a sheet, equal parts in order, int64 `(count,)`; None without classes. See `Game`."""
    return np.arange(count) * classes // count if classes else None


def distances(pictures: np.ndarray, labels: np.ndarray | None = None) -> dict[str, float]:
    """Returns `{"sample_distance": ..., "within_class_distance": ...}`, to 6 decimals; what has no pair is left out.

    Args:
        pictures: `(n, height, width, channels)` in [0, 1].
        labels: integers `(n,)`; without them there is no distance within classes.
    """
    matrix = pairwise(pictures)
    found = {"sample_distance": [mean_of_pairs(matrix)], "within_class_distance": []}
    for label in () if labels is None else np.unique(labels):
        own = labels == label
        found["within_class_distance"].append(mean_of_pairs(matrix[np.ix_(own, own)]))
    found = {name: [mean for mean in means if mean is not None] for name, means in found.items()}
    return {name: round(float(np.mean(means)), 6) for name, means in found.items() if means}


def pairwise(pictures: np.ndarray) -> np.ndarray:
    """Returns the distance of every two pictures, the root mean square difference of their d numbers.

    `D_ij = ||x_i - x_j|| / sqrt(d)`, from the Gram matrix: `||x_i - x_j||^2 = x_i.x_i + x_j.x_j - 2 x_i.x_j`.

    Args:
        pictures: `(n, ...)` in [0, 1].

    Returns:
        float64 `(n, n)` in [0, 1].
    """
    flat = np.asarray(pictures, np.float64).reshape(len(pictures), -1)
    flat = flat - flat.mean(axis=0)  # moves no distance, and leaves less to cancel
    gram = flat @ flat.T
    squares = np.diag(gram)
    squared = squares[:, None] + squares - 2 * gram
    np.fill_diagonal(squared, 0)
    return np.sqrt(np.maximum(squared, 0) / flat.shape[1])


def mean_of_pairs(matrix: np.ndarray) -> float:
    """Returns the mean of a matrix of distances `(n, n)` over pairs of two pictures, None if there is no pair."""
    n = len(matrix)
    return matrix.sum() / (n * (n - 1)) if n > 1 else None
