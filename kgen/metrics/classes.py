"""How many classes a generator makes: a classifier of the dataset gives each image a class.

A generator that has collapsed makes few. A class is found when it has a tenth of an even share of the images.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kgen.errors import UsageError
from kgen.metrics.arrays import rows
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

SHARE = 0.1  # of an even share, 1 / classes


class Found(NamedTuple):
    """What `classes_found` returns: the number of classes, and how many images each has, integers `(classes,)`."""

    classes: int
    counts: np.ndarray


def classes_found(logits: np.ndarray) -> Found:
    """Returns the number of classes k with `count(k) >= SHARE n / classes`, where an image is of its greatest logit.

    Args:
        logits: of each image, `(n, classes)`, n at least 1.

    Raises:
        ValueError: a logit is NaN or infinite, or there is no image.
    """
    logits = rows(logits, "logits", least=1)
    counts = np.bincount(logits.argmax(axis=1), minlength=logits.shape[1])
    return Found(int((counts >= SHARE * len(logits) / logits.shape[1]).sum()), counts)


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns the number of classes found among the generated images; `found` has the images of each class."""
    if not evidence.network.name:
        raise UsageError("The metric classes needs --classifier: the 2015 Inception knows other classes.")
    found = classes_found(evidence.fake_seen.logits)
    return [
        Measurement(
            name="classes",
            label=f"classes of {len(found.counts)} found by {evidence.network.name}",
            value=float(found.classes),
            higher=True,
            protocol=evidence.protocol_of_features(share=SHARE),
            found={"counts": found.counts.tolist()},
        )
    ]


METRICS = {"classes": Metric(measure, of_features=True)}
