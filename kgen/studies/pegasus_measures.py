"""What is asked of a hybrid, in numbers: can both kinds be recognised, does it look real, is it new?

Student report 001 judged its pegasi by eye under these three heads. Here a classifier of real images is the judge: its
probabilities stand for recognition, and the features before its last layer for likeness. Features have no scale of
their own, so that distances compare under one judge only.
"""

import hashlib
from pathlib import Path

import numpy as np

from kgen import images, runs
from kgen.errors import UsageError
from kgen.source import parts
from kgen.studies import folds


def probability(probabilities, labels):
    """Probability `sum_k p(k | image)` of being one of several classes.

    Args:
        probabilities: the judge's softmax, `(n, classes)`.
        labels: indices of the classes.

    Returns:
        float64 `(n,)` in [0, 1].
    """
    return np.asarray(probabilities, np.float64)[:, list(labels)].sum(axis=1)


def both(body, wing):
    """How much of both kinds is seen at once, `2 min(P(body), P(wing))`.

    The two have no class in common, so the smaller is at most a half: 1 is an even split with nothing else seen, 0 is
    one kind alone, or neither. A geometric mean would reach as far, but gives 0.2 to 99 % horse and 1 % bird.

    Args:
        body: probabilities of the classes of bodies, `(n,)`.
        wing: those of the wings, `(n,)`.

    Returns:
        float64 `(n,)` in [0, 1].
    """
    return 2 * np.minimum(body, wing)


def mean_and_error(values):
    """Returns the mean of `(n,)` numbers, n at least 2, and its standard error `s / sqrt(n)`, floats."""
    values = _several(values)
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def polynomial_mmd(x, y):
    """Squared maximum mean discrepancy under the kernel `k(a, b) = (a'b / d + 1)^3`, without bias at any count.

    `sum_{i != j} k(x_i, x_j) / (n (n - 1)) + sum_{i != j} k(y_i, y_j) / (m (m - 1)) - 2 mean_{ij} k(x_i, y_j)`.

    Args:
        x: features, `(n, d)`, n at least 2.
        y: others, `(m, d)`, m at least 2.

    Returns:
        float; 0 is expected of two samples of one distribution, so it is as often below 0.

    Source: Gretton et al. 2012, JMLR 13, lemma 6; Binkowski et al. 2018, arXiv:1801.01401, section 4, where the
        features are Inception's and it is called KID. Deviations: other features; all images at once, no subsets.
    """
    x, y = _several(x), _several(y)

    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    def within(a):
        values = kernel(a, a)
        return (values.sum() - np.trace(values)) / (len(a) * (len(a) - 1))

    return float(within(x) + within(y) - 2 * kernel(x, y).mean())


def frechet(x, y):
    """Frechet distance, squared, of two normal distributions: `|m - m'|^2 + Tr(C + C' - 2 (C C')^(1/2))`.

    Args:
        x: features, `(n, d)`, n at least 2; `m` and `C` are their mean and unbiased covariance.
        y: others, `(k, d)`, k at least 2.

    Returns:
        float, 0 or more. It is too large by an amount that grows as images get fewer, most where they are fewer than
        d: compare only where both counts are equal.

    Source: Dowson and Landau 1982; Heusel et al. 2017, arXiv:1706.08500, equation 6, where the features are
        Inception's. With `C = R'R` and `C' = S'S` the last trace is the sum of the singular values of `R S'`, which is
        exact where covariances are singular.
    """
    x, y = _several(x), _several(y)
    x_root, y_root = (np.linalg.qr((a - a.mean(axis=0)) / np.sqrt(len(a) - 1), mode="r") for a in (x, y))
    shared = np.linalg.svd(x_root @ y_root.T, compute_uv=False).sum()
    means = ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum()
    return float(max(means + (x_root**2).sum() + (y_root**2).sum() - 2 * shared, 0.0))  # rounding goes below


def mean_pairwise_distance(x):
    """Mean Euclidean distance `|x_i - x_j|` over all pairs i < j; twins make it smaller.

    Args:
        x: features, `(n, d)`, n at least 2.

    Returns:
        float, 0 or more.
    """
    x = _several(x)
    total = sum(np.linalg.norm(x[i + 1 :] - row, axis=1).sum() for i, row in enumerate(x))
    return float(total / (len(x) * (len(x) - 1) / 2))


def nearest(x, y):
    """Nearest other of each row by Euclidean distance, `min_j |x_i - y_j|`; the first if several are.

    Args:
        x: rows of numbers, such as features, `(n, d)`.
        y: those to be near to, `(m, d)`, m at least 1.

    Returns:
        `(indices, distances)`: integers and float64, `(n,)`; the distance of a copy is 0.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    distances = [np.linalg.norm(y - row, axis=1) for row in x]
    return np.array([row.argmin() for row in distances]), np.array([row.min() for row in distances])


def figures(probabilities, features, labels, reference, train):
    """Returns all measures of a set of images as `{name: float}`; None where there is nothing to compare with.

    Args:
        probabilities: `(n, classes)`, n at least 2.
        features: `(n, d)`.
        labels: class numbers of bodies, and of wings.
        reference: features of real images of both kinds, `(m, d)`, and their mean pairwise distance; or None.
        train: features of training images, `(k, d)`.
    """
    body, wing = (probability(probabilities, kind) for kind in labels)
    means = {"body": body, "wing": wing, "both": both(body, wing), "nearest": nearest(features, train)[1]}
    found = {}
    for name, values in means.items():
        found[name], found[f"{name}_error"] = mean_and_error(values)
    real, scale = reference or (None, None)
    return found | {
        "polynomial_mmd": reference and polynomial_mmd(features, real),
        "frechet_distance": reference and frechet(features, real),
        "pairwise_distance": reference and mean_pairwise_distance(features) / scale,
    }


def judged(look, sets, reference, train, labels):
    """Returns `({name: figures}, {name: (n,)})`: of sets of images, and of each image of the first set.

    Args:
        look: as `open_judge` returns it.
        sets: uint8 images `{name: (n, height, width, channels)}`, n at least 2.
        reference: real images of both kinds, perhaps none.
        train, labels: training images; class numbers of bodies, and of wings.
    """
    seen = {name: look(pixels) for name, pixels in sets.items()}
    real = look(reference)[1] if len(reference) else None
    compared = None if real is None else (real, mean_pairwise_distance(real))
    near = look(train)[1]
    found = {name: figures(*values, labels, compared, near) for name, values in seen.items()}
    body, wing = (probability(next(iter(seen.values()))[0], kind) for kind in labels)
    return found, {"body_probability": body, "wing_probability": wing, "both": both(body, wing)}


def table(found):
    """Returns the figures of `kgen.studies.pegasus.study` as Markdown, means with standard errors; "" without judge."""

    def mean(name):
        return lambda row: f"{row[name]:.3f} ± {row[f'{name}_error']:.3f}"

    def plain(name):
        return lambda row: "-" if row[name] is None else f"{row[name]:.4g}"

    if not found["judge"]:
        return ""
    protocol, counts, judge = found["protocol"], found["images"], Path(found["judge"]["run"]).name
    columns = {
        f"P({protocol['bodies']})": mean("body"),
        f"P({protocol['wings']})": mean("wing"),
        "both": mean("both"),
        f"polynomial MMD on {judge} features": plain("polynomial_mmd"),
        f"Frechet distance on {judge} features": plain("frechet_distance"),
        "pairwise distance / of real": plain("pairwise_distance"),
        "to nearest training image": mean("nearest"),
    }
    rows = [[name, *(show(row) for show in columns.values())] for name, row in found["measures"].items()]
    return (
        f"{folds.table(['images', *columns], rows)}\n\n{protocol['count']} images a row, of the split "
        f"{protocol['split']}; compared with {counts['reference']} others of it, half of them bodies, and with "
        f"{counts['train']} training images. The Frechet distance is biased upwards by so few; compare rows alone.\n"
    )


def open_judge(run, data):
    """Returns a classifier's `(look, protocol)`; `look(uint8 images)` gives `(probabilities, features)`, float64.

    Raises:
        UsageError: the run is not of a classifier of images like `data`, `kgen.data.Images`, and of all their classes:
            one that knows fewer has to take what is neither kind for one of them.
    """
    from kgen import training  # TensorFlow, only when work starts
    from kgen.models.classifier import ClassifierRecipe

    model, recipe = runs.read_recipe(run)
    if not isinstance(recipe, ClassifierRecipe):
        raise UsageError(f"--judge {run} is a run of {model}: give one of classifier, trained on the same dataset.")
    shape, classes = runs.read_data(run)
    if shape[1:] != data.images.shape[1:] or set(classes) != set(data.classes):
        its, ours = (
            f"{'x'.join(map(str, size))} of {', '.join(sorted(names))}"
            for size, names in ((shape[1:], classes), (data.images.shape[1:], data.classes))
        )
        raise UsageError(f"--judge {run} knows images {its}, but these are {ours}: train one on the same dataset.")
    match, step = training.reopen(recipe, run)
    game = match.exhibition()
    head, order = game.classifier.get_layer("head"), [game.classes.index(name) for name in data.classes]

    def look(pixels):
        found = []
        for part in parts(len(pixels)):
            features = game.encoder(images.from_bytes(pixels[part], game.range), training=False)
            found.append((head(features), features))
        logits, features = (np.concatenate(arrays).astype(np.float64) for arrays in zip(*found, strict=True))
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))[:, order]
        return powers / powers.sum(axis=1, keepdims=True), features

    weights = hashlib.sha256(b"".join(weight.tobytes() for weight in game.classifier.get_weights())).hexdigest()
    about = {"run": str(run), "dataset": recipe.dataset, "split": recipe.split, "step": step, "weights_sha256": weights}
    return look, about


def _several(values):
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        raise ValueError(f"There must be at least 2 of them. Received: {len(values)}.")
    return values
