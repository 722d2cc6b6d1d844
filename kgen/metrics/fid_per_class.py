"""FID of each class of a class-conditional generator, against the real images of that class, and the mean over classes.

FID of all images together does not see a generator that makes good images of the wrong class: this does. Few images
bias each of them upwards, and there are fewer of a class than of all.
"""

from typing import TYPE_CHECKING

import numpy as np

from kgen.metrics.fid import LEAST, frechet_distance, statistics
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence


def distances(
    fake: np.ndarray, fake_labels: np.ndarray, real: np.ndarray, real_labels: np.ndarray, classes: int
) -> np.ndarray:
    """Returns the Frechet distance of the features of each class, float64 `(classes,)`, see `fid`.

    Args:
        fake, real: features, `(n, d)` and `(m, d)`.
        fake_labels, real_labels: their classes from 0, integers `(n,)` and `(m,)`.
        classes: number of classes.

    Raises:
        ValueError: a class has fewer than 2 images.
    """
    sets = ((fake, fake_labels), (real, real_labels))
    few = [label for label in range(classes) for _, labels in sets if (labels == label).sum() < 2]
    if few:
        raise ValueError(f"each class needs 2 generated and 2 real images or more: class {few[0]} has fewer.")
    return np.array(
        [
            frechet_distance(*(statistics(features[labels == label]) for features, labels in sets))
            for label in range(classes)
        ]
    )


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns the mean over classes of their FID; `found` has each class's."""
    classes, fake_labels, real_labels = evidence.classes, evidence.fake_labels, evidence.real_labels
    fake = evidence.fake_seen.features
    each = distances(fake, fake_labels, evidence.real_seen.features, real_labels, len(classes))
    counts = [int(np.bincount(labels, minlength=len(classes)).min()) for labels in (fake_labels, real_labels)]
    enough = max(LEAST, fake.shape[1])
    few = f"of {min(counts)} images of a class it is biased upwards by much: take {enough} or more of each class."
    return [
        Measurement(
            name="fid_per_class",
            label=evidence.named("FID per class, mean", "FID per class, mean,"),
            value=float(each.mean()),
            spread=float(each.std()),
            spread_is=f"standard deviation over {len(classes)} classes",
            protocol=evidence.protocol_of_features(
                least_generated_of_a_class=counts[0], least_real_of_a_class=counts[1]
            ),
            found=dict(zip(classes, map(float, each), strict=True)),
            warnings=(few,) if min(counts) < enough else (),
        )
    ]


METRICS = {"fid-per-class": Metric(measure, of_features=True)}
