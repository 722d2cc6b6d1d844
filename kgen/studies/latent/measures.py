"""Measures of a code: directions of variance, classes found without and with labels, errors beside those of PCA.

A code is what an encoder makes of an image: a row of numbers.
"""

import numpy as np

MOST_NEIGHBOURED = 5_000  # codes of one t-SNE; it takes a minute or two
EPSILON = 1e-6  # probabilities are kept this far from 0 and 1 under a logarithm


def principal_components(codes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal component analysis: projections `(x - mean) v_i` on the `count` directions of greatest variance.

    Args:
        codes: float, `(n, size)`.
        count: number of directions, at most n and `size`.

    Returns:
        `(coordinates, shares)`: float32 `(n, count)`, and the share of the whole variance in each direction,
        descending, float `(count,)`.

    Raises:
        ValueError: `count` is less than 1, or more than n or `size`.
    """
    from sklearn.decomposition import PCA

    codes = np.asarray(codes, np.float64)
    if not 1 <= count <= min(codes.shape):
        raise ValueError(f"`count` must be from 1 to {min(codes.shape)}. Received: {count}.")
    analysis = PCA(count, svd_solver="full")
    coordinates = analysis.fit_transform(codes)
    return coordinates.astype(np.float32), analysis.explained_variance_ratio_


def tsne(codes: np.ndarray, seed: int) -> np.ndarray:
    """t-SNE: a plane in which codes that are near each other stay so; distances between groups mean nothing.

    Args:
        codes: float, `(n, size)`, n at most `MOST_NEIGHBOURED`.
        seed: integer.

    Returns:
        float32 `(n, 2)`, started from the first two principal components; perplexity 30, or (n - 1) / 3 if that is
        less.

    Raises:
        ValueError: too many codes.

    Source: van der Maaten and Hinton 2008, Visualizing Data using t-SNE, by the Barnes-Hut method of scikit-learn.
    """
    from sklearn.manifold import TSNE

    codes = np.asarray(codes, np.float32)
    if len(codes) > MOST_NEIGHBOURED:
        raise ValueError(f"`codes` must be at most {MOST_NEIGHBOURED}. Received: {len(codes)}.")
    start = "pca" if codes.shape[1] > 1 else "random"  # one number has no second component
    return TSNE(2, perplexity=min(30.0, (len(codes) - 1) / 3), init=start, random_state=seed).fit_transform(codes)


def whiten(train_codes: np.ndarray, test_codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turns and scales codes so that those of training have no correlations: `(x - mean) V / (S + 1e-5)`.

    `U S V'` is the singular value decomposition of the training codes less their mean.

    Args:
        train_codes: float, `(n, size)`.
        test_codes: float, `(m, size)`; mean, V and S are those of training.

    Returns:
        `(train, test)`: float64 `(n, min(n, size))` and `(m, min(n, size))`. The columns of `train` have length 1, so
        the covariance is the identity divided by n.

    Source: the authors' code of Berthelot et al. 2019, arXiv:1807.07543, cluster.py.
    """
    train_codes, test_codes = np.asarray(train_codes, np.float64), np.asarray(test_codes, np.float64)
    mean = train_codes.mean(axis=0)
    _, singular_values, directions = np.linalg.svd(train_codes - mean, full_matrices=False)
    return tuple((codes - mean) @ directions.T / (singular_values + 1e-5) for codes in (train_codes, test_codes))


def clustering_accuracy(
    train_codes: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
    classes: int,
    seed: int,
    restarts: int = 20,
) -> float:
    """Accuracy of k-means on the codes, as if its clusters were the classes: labels only name the clusters.

    The codes are whitened, the clusters are found among those of training, and each cluster is given the class that
    makes the most test codes right, no two the same.

    Args:
        train_codes: float, `(n, size)`.
        test_codes: float, `(m, size)`.
        test_labels: integers `(m,)`, from 0 to `classes - 1`.
        classes: number of classes, and of clusters; at most n.
        seed: integer.
        restarts: of k-means from random codes, of which the tightest is taken.

    Returns:
        Share of the test codes, in [0, 1].

    Source: Berthelot et al. 2019, arXiv:1807.07543, section "Clustering", and cluster.py of the authors. Deviation: 20
        restarts, not 1,000.
    """
    from sklearn.cluster import KMeans

    train, test = whiten(train_codes, test_codes)
    means = KMeans(classes, init="random", n_init=restarts, max_iter=1000, random_state=seed).fit(train)
    return matched_accuracy(means.predict(test), test_labels, classes)


def matched_accuracy(clusters: np.ndarray, labels: np.ndarray, classes: int) -> float:
    """Returns the accuracy of `clusters` `(n,)` as `labels` `(n,)`, under the best naming of `classes` clusters."""
    from scipy.optimize import linear_sum_assignment

    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (clusters, labels), 1)
    return float(counts[linear_sum_assignment(counts, maximize=True)].sum() / len(labels))


def probe_accuracy(
    train_codes: np.ndarray, train_labels: np.ndarray, test_codes: np.ndarray, test_labels: np.ndarray
) -> float:
    """Accuracy of a linear probe: one softmax layer on the codes, `softmax(W x + b)`.

    Args:
        train_codes: float, `(n, size)`.
        train_labels: integers `(n,)`, of two classes at least.
        test_codes: float, `(m, size)`.
        test_labels: integers `(m,)`.

    Returns:
        Share of the test codes, in [0, 1].

    Source: Berthelot et al. 2019, arXiv:1807.07543, section "Single-Layer Classifier". Deviations: the layer is fitted
        to the optimum of its cross-entropy, by scikit-learn, with a weak weight decay (C = 1) and on codes scaled to
        mean 0 and variance 1; the authors train it by Adam, on the codes as they are, along with the autoencoder.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    probe.fit(np.asarray(train_codes, np.float64), train_labels)
    return float(probe.score(np.asarray(test_codes, np.float64), test_labels))


def errors(images: np.ndarray, reconstructions: np.ndarray) -> tuple[float, float]:
    """Mean errors of a pixel: `(x - y)^2` and `-x log y - (1 - x) log(1 - y)`, in nats.

    Args:
        images: uint8, any shape; x is their 255th.
        reconstructions: float in [0, 1], of the same shape; under the logarithms kept `EPSILON` from both ends.

    Returns:
        `(mean squared error, mean binary cross-entropy)`.
    """
    squares = entropies = 0.0
    for image, y in zip(images, reconstructions, strict=True):  # one by one: float64 copies of all would be large
        x, y = image / 255.0, np.asarray(y, np.float64)
        squares += ((x - y) ** 2).mean()
        y = np.clip(y, EPSILON, 1 - EPSILON)
        entropies -= (x * np.log(y) + (1 - x) * np.log1p(-y)).mean()
    return float(squares / len(images)), float(entropies / len(images))


def principal_errors(train_images: np.ndarray, test_images: np.ndarray, count: int, seed: int) -> tuple[float, float]:
    """Errors of the best linear autoencoder: PCA with `count` components, fitted on training, tried on test images.

    Args:
        train_images: uint8, `(n, height, width, channels)`.
        test_images: uint8, `(m, height, width, channels)`.
        count: number of components; more than the training images can give are not used.
        seed: integer, for the randomised solver that scikit-learn takes where the images are large.

    Returns:
        `(mean squared error, mean binary cross-entropy)` of a pixel. The first is that of PCA as it is; what leaves
        [0, 1] is clipped for the second alone.
    """
    from sklearn.decomposition import PCA

    train, test = (np.float32(images.reshape(len(images), -1)) / 255 for images in (train_images, test_images))
    analysis = PCA(min(count, *train.shape), random_state=seed).fit(train)
    return errors(test_images, analysis.inverse_transform(analysis.transform(test)).reshape(test_images.shape))
