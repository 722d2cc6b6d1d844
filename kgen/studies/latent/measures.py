"""Measures of a code: principal components, accuracy of clusters and of a linear probe, errors compared with PCA.

A code is the output of an encoder for one image, a vector.
"""

import numpy as np

MOST_NEIGHBOURED = 5_000  # codes for t-SNE, which takes a minute or two for them
EPSILON = 1e-6  # distance of probabilities from 0 and 1 before a logarithm


def principal_components(codes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns projections `(x - mean) v_i` on the `count` principal components, the directions of greatest variance.

    Args:
        codes: float, `(n, size)`.
        count: number of directions, at most n and `size`.

    Returns:
        `(coordinates, shares)`: float32 `(n, count)`, and the share of the total variance in each direction,
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
    """Returns t-SNE points: near codes are near in the plane; distances between groups have no meaning.

    Args:
        codes: float, `(n, size)`, n at most `MOST_NEIGHBOURED`.
        seed: integer.

    Returns:
        float32 `(n, 2)`. t-SNE starts from the first two principal components. Its perplexity is 30, or (n - 1) / 3 if
        that is less.

    Raises:
        ValueError: there are too many codes.

    Source: van der Maaten and Hinton 2008, Visualizing Data using t-SNE, by the Barnes-Hut method of scikit-learn.
    """
    from sklearn.manifold import TSNE

    codes = np.asarray(codes, np.float32)
    if len(codes) > MOST_NEIGHBOURED:
        raise ValueError(f"`codes` must be at most {MOST_NEIGHBOURED}. Received: {len(codes)}.")
    start = "pca" if codes.shape[1] > 1 else "random"  # codes of one number have no second component
    return TSNE(2, perplexity=min(30.0, (len(codes) - 1) / 3), init=start, random_state=seed).fit_transform(codes)


def whiten(train_codes: np.ndarray, test_codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotates and scales codes so that training codes are uncorrelated: `(x - mean) V / (S + 1e-5)`.

    `U S V'` is the singular value decomposition of the training codes minus their mean.

    Args:
        train_codes: float, `(n, size)`.
        test_codes: float, `(m, size)`; mean, V and S are those of the training codes.

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
    """Returns the accuracy of k-means clusters as classes. Labels are used only to assign classes to clusters.

    The codes are whitened. The clusters are fitted to the training codes. Each cluster is assigned its own class, so
    that the accuracy on the test codes is greatest.

    Args:
        train_codes: float, `(n, size)`.
        test_codes: float, `(m, size)`.
        test_labels: integers `(m,)`, from 0 to `classes - 1`.
        classes: number of classes, and of clusters; at most n.
        seed: integer.
        restarts: of k-means from random codes. The one with the least sum of squared distances is used.

    Returns:
        Share of right test codes, in [0, 1].

    Source: Berthelot et al. 2019, arXiv:1807.07543, section "Clustering", and cluster.py of the authors. Deviation: 20
        restarts, not 1,000.
    """
    from sklearn.cluster import KMeans

    train, test = whiten(train_codes, test_codes)
    means = KMeans(classes, init="random", n_init=restarts, max_iter=1000, random_state=seed).fit(train)
    return matched_accuracy(means.predict(test), test_labels, classes)


def matched_accuracy(clusters: np.ndarray, labels: np.ndarray, classes: int) -> float:
    """Returns the accuracy of `clusters` `(n,)` as `labels` `(n,)`, under the best one-to-one assignment of classes."""
    from scipy.optimize import linear_sum_assignment

    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (clusters, labels), 1)
    return float(counts[linear_sum_assignment(counts, maximize=True)].sum() / len(labels))


def probe_accuracy(
    train_codes: np.ndarray, train_labels: np.ndarray, test_codes: np.ndarray, test_labels: np.ndarray
) -> float:
    """Returns the accuracy of a linear probe: one softmax layer on the codes, `softmax(W x + b)`.

    Args:
        train_codes: float, `(n, size)`.
        train_labels: integers `(n,)`, of at least two classes.
        test_codes: float, `(m, size)`.
        test_labels: integers `(m,)`.

    Returns:
        Share of right test codes, in [0, 1].

    Source: Berthelot et al. 2019, arXiv:1807.07543, section "Single-Layer Classifier". Deviations: scikit-learn
        fits the layer to the optimum of its cross-entropy, with a weak weight decay (C = 1), on codes scaled to mean 0
        and variance 1. The authors train it by Adam, on the codes as they are, together with the autoencoder.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    probe.fit(np.asarray(train_codes, np.float64), train_labels)
    return float(probe.score(np.asarray(test_codes, np.float64), test_labels))


def errors(images: np.ndarray, reconstructions: np.ndarray) -> tuple[float, float]:
    """Returns the mean errors of pixels: `(x - y)^2`, and `-x log y - (1 - x) log(1 - y)` in nats.

    Args:
        images: uint8, any shape; x is their values divided by 255.
        reconstructions: y, float in [0, 1], of the same shape; before the logarithms y is clipped to
            [`EPSILON`, 1 - `EPSILON`].

    Returns:
        `(mean squared error, mean binary cross-entropy)`.
    """
    squares = entropies = 0.0
    for image, y in zip(images, reconstructions, strict=True):  # one by one, since float64 copies of all are large
        x, y = image / 255.0, np.asarray(y, np.float64)
        squares += ((x - y) ** 2).mean()
        y = np.clip(y, EPSILON, 1 - EPSILON)
        entropies -= (x * np.log(y) + (1 - x) * np.log1p(-y)).mean()
    return float(squares / len(images)), float(entropies / len(images))


def principal_errors(train_images: np.ndarray, test_images: np.ndarray, count: int, seed: int) -> tuple[float, float]:
    """Returns the errors on test images of PCA, the best linear autoencoder, with `count` components.

    Args:
        train_images: uint8, `(n, height, width, channels)`.
        test_images: uint8, `(m, height, width, channels)`.
        count: number of components; at most as many as the training images have are used.
        seed: integer, for the randomised solver that scikit-learn uses for large images.

    Returns:
        `(mean squared error, mean binary cross-entropy)` of a pixel. Reconstructions are clipped to [0, 1] only for the
        second.
    """
    from sklearn.decomposition import PCA

    train, test = (np.float32(images.reshape(len(images), -1)) / 255 for images in (train_images, test_images))
    analysis = PCA(min(count, *train.shape), random_state=seed).fit(train)
    return errors(test_images, analysis.inverse_transform(analysis.transform(test)).reshape(test_images.shape))
