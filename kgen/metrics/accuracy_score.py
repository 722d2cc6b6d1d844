"""The classification accuracy score: a classifier that learns from samples of a generator, and is asked of real images.

The score is low if samples are not of the class that was asked for, or if a class has less variety than real images.
The classifier here is a logistic regression on the features of a network. It learns from samples alone; whether its
features have seen real images depends on the network. Beside it stands the same classifier, taught by as many training
images: no generator is expected to do better.

Source: Ravuri and Vinyals 2019, arXiv:1905.10887, section 3; there the classifier is a ResNet-50.
"""

from typing import TYPE_CHECKING

import numpy as np

from kgen.images.order import order_by_content
from kgen.images.stored import rows_of
from kgen.metrics.arrays import rows
from kgen.metrics.features import see
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

ITERATIONS = 1_000  # of the classifier's solver, at most


def taught(
    features: np.ndarray, labels: np.ndarray, asked: np.ndarray, asked_labels: np.ndarray, classes: int
) -> np.ndarray:
    """Returns the accuracy on each class of a classifier that learned from other features, in [0, 1], `(classes,)`.

    It is scikit-learn's logistic regression with C = 1, on features scaled to mean 0 and variance 1.

    Args:
        features, labels: to learn from, `(n, d)`, and integers from 0, `(n,)`.
        asked, asked_labels: to be asked of, `(m, d)` and `(m,)`.
        classes: number of classes.

    Raises:
        ValueError: a class is missing on either side, or a number is NaN or infinite.
    """
    for name, given in (("learn from", labels), ("be asked of", asked_labels)):
        missing = np.setdiff1d(np.arange(classes), given)
        if len(missing):
            raise ValueError(f"there is no image of class {missing[0]} to {name}.")
    from sklearn.linear_model import LogisticRegression  # installed with mlxtend
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    learner = make_pipeline(StandardScaler(), LogisticRegression(max_iter=ITERATIONS))
    right = learner.fit(rows(features, "features"), labels).predict(rows(asked, "features")) == asked_labels
    return np.array([right[asked_labels == label].mean() for label in range(classes)])


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns the accuracy of a classifier taught by samples, and of one taught by as many training images."""
    classes, fake_labels = evidence.classes, evidence.fake_labels
    asked, asked_labels = evidence.real_seen.features, evidence.real_labels
    training = evidence.training
    chosen = order_by_content(training.images, "accuracy")[: len(fake_labels)]
    seen = see(evidence.network, np.asarray(rows_of(training.images, chosen)))
    teachers = {
        "accuracy_score": ("Classification accuracy score", evidence.fake_seen.features, fake_labels),
        "accuracy_of_training_images": (
            "Accuracy taught by training images",
            seen.features,
            evidence.numbered(np.asarray(training.labels)[chosen], training.classes),
        ),
    }
    protocol = evidence.protocol_of_features(classifier="logistic regression on features, C 1")
    found = []
    for name, (label, features, labels) in teachers.items():
        each = taught(features, labels, asked, asked_labels, len(classes))
        shares = np.bincount(asked_labels, minlength=len(classes)) / len(asked_labels)
        accuracy = float(each @ shares)
        found.append(
            Measurement(
                name=name,
                label=evidence.named(label, label),
                value=accuracy,
                spread=float(np.sqrt(accuracy * (1 - accuracy) / len(asked_labels))),
                spread_is="standard error over real images",
                higher=True,
                protocol={**protocol, "taught_by": len(labels)},
                found=dict(zip(classes, map(float, each), strict=True)),
            )
        )
    return found


METRICS = {"classification-accuracy-score": Metric(measure, of_features=True, of_training=True)}
