"""The Inception Score: how sure a classifier is of each image, and how varied its answers are.

    exp(E_x KL(p(y | x) || p(y)))

Source: Salimans et al. 2016, arXiv:1606.03498, section 4; Barratt and Sharma 2018, arXiv:1801.01973, on its faults.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kgen.errors import UsageError
from kgen.metrics.arrays import rows
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

LEAST, SPLITS = 5_000, 10
REPORT = 64  # images of student report 004's score
SEED = 2020  # of the shuffling of images, as in torch-fidelity


class Score(NamedTuple):
    """What `classifier_score` returns: mean and population standard deviation over the splits."""

    mean: float
    deviation: float


def classifier_score(logits: np.ndarray, splits: int = 10, seed: int = SEED) -> Score:
    """Mean over splits of `exp(mean KL(p(y | x) || p(y)))`, where p(y) is the mean of p(y | x) over the split.

    With few images the score is too small, since it cannot exceed the number of images in a split. The usual Inception
    Score takes 50,000 images in 10 splits. OpenAI's code and torch-fidelity ("logits_unbiased") take logits *without*
    the bias of the last layer, TensorFlow-GAN takes them with it. The two scores cannot be compared.

    Args:
        logits: of each image, `(n, classes)`.
        splits: number of parts; their sizes differ by at most one image.
        seed: of the shuffling of images before they are split; None keeps their order.

    Returns:
        `Score`; the mean is in [1, classes].

    Raises:
        ValueError: a logit is NaN or infinite, or there are fewer images than splits.
    """
    logits = rows(logits, "logits", least=max(splits, 1))
    if splits < 1:
        raise ValueError(f"`splits` must be 1 or more. Received: {splits}.")
    if seed is not None:
        logits = logits[np.random.RandomState(seed).permutation(len(logits))]  # torch-fidelity's generator
    logs = logits - logits.max(axis=1, keepdims=True)
    logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
    bounds = [i * len(logs) // splits for i in range(splits + 1)]
    scores = [_score(logs[start:stop]) for start, stop in zip(bounds, bounds[1:], strict=False)]
    return Score(float(np.mean(scores)), float(np.std(scores)))


def _score(logs: np.ndarray) -> float:
    """Returns the score of log-probabilities `(n, classes)`."""
    probabilities = np.exp(logs)
    marginal = np.log(np.maximum(probabilities.mean(axis=0), np.finfo(np.float64).tiny))
    return np.exp((probabilities * (logs - marginal)).sum(axis=1).mean())


def score(evidence: "Evidence") -> list[Measurement]:
    """Returns the Inception Score of logits without bias (OpenAI, torch-fidelity), or the score by a classifier."""
    return _measure(evidence, "is", "Inception Score", None)


def score_with_bias(evidence: "Evidence") -> list[Measurement]:
    """Returns the Inception Score of logits with bias, as in TensorFlow-GAN."""
    if evidence.network.bias is None:
        raise UsageError("The metric is-biased needs logits.bias in the file of --inception.")
    return _measure(evidence, "is_biased", "Inception Score, logits with bias", evidence.network.bias)


def score_report004(evidence: "Evidence") -> list[Measurement]:
    """Returns the score as student report 004 has it: 64 images, one split, logits with bias where there is one."""
    logits, bias = _logits(evidence)[:REPORT], evidence.network.bias
    found = classifier_score(logits if bias is None else logits + bias, 1)
    few = f"of {len(logits)} images it compares with the value of report 004 only, and with that by the same network."
    return [
        Measurement(
            name="is_report004",
            label=evidence.named("Inception Score of report 004", "Classifier score of report 004"),
            value=found.mean,
            higher=True,
            protocol=evidence.protocol_of_features(splits=1, scored=len(logits), bias=bias is not None),
            warnings=(few,),
        )
    ]


def _logits(evidence: "Evidence") -> np.ndarray:
    """Returns the logits of the generated images, `(n, classes)`; raises UsageError if the network has none."""
    logits = evidence.fake_seen.logits
    if logits is None:
        raise UsageError(
            "The metric is needs logits.weight and logits.bias in the file of --inception, or --classifier."
        )
    return logits


def _measure(evidence: "Evidence", name: str, label: str, bias: np.ndarray | None) -> list[Measurement]:
    logits = _logits(evidence)
    splits = min(SPLITS, len(logits))
    found = classifier_score(logits if bias is None else logits + bias, splits)
    few = f"of {len(logits)} images it is biased downwards by much: take {LEAST} or more, usually 50,000."
    return [
        Measurement(
            name=name,
            label=evidence.named(label, "Classifier score"),
            value=found.mean,
            spread=found.deviation,
            spread_is=f"standard deviation over {splits} splits",
            higher=True,
            protocol=evidence.protocol_of_features(splits=splits),
            warnings=(few,) if len(logits) < LEAST else (),
        )
    ]


METRICS = {
    "is": Metric(score, of_features=True),
    "is-biased": Metric(score_with_bias, of_features=True),
    "is-report004": Metric(score_report004, of_features=True),
}
