"""Measurements of what a network sees: FID, KID, precision and recall, Inception Score, or their like."""

from kgen.errors import UsageError
from kgen.metrics import fid, inception_score, kid, precision_recall
from kgen.metrics.measurement import Measurement

LEAST_FOR_SCORE, LEAST_FOR_FRECHET, SUBSETS, SPLITS = 5_000, 2_048, 100, 10


def frechet_distance(evidence):
    """FID."""
    fake = fid.statistics(evidence.fake_seen.features)
    counts, size = min(fake.count, len(evidence.real.images)), len(fake.mean)
    few = (
        f"of {counts} images it is biased upwards by much: take {max(LEAST_FOR_FRECHET, size)} or more, usually 50,000."
    )
    return [
        Measurement(
            name="fid",
            label=evidence.named("FID", "FID"),
            value=fid.frechet_distance(fake, evidence.real_statistics),
            protocol=evidence.protocol_of_features(),
            warnings=(few,) if counts < max(LEAST_FOR_FRECHET, size) else (),
        )
    ]


def kernel(evidence):
    """KID."""
    fake, real = evidence.fake_seen.features, evidence.real_seen.features
    size = min(1_000, len(fake), len(real))
    found = kid.kernel_distance(fake, real, SUBSETS, size)
    return [
        Measurement(
            name="kid",
            label=evidence.named("KID", "KID"),
            value=found.mean,
            spread=found.deviation,
            spread_is=f"standard deviation over {SUBSETS} subsets of {size}",
            protocol=evidence.protocol_of_features(subset=size),
        )
    ]


def shares(evidence):
    """Precision, recall, density and coverage, of equal counts."""
    count = min(len(evidence.real.images), len(evidence.fake))
    found = precision_recall.precision_recall(evidence.real_seen.features[:count], evidence.fake_seen.features[:count])
    protocol = evidence.protocol_of_features(compared=count)
    few = f"of {count} images each: balls around so few reach far, usual are 10,000 or more."
    return [
        Measurement(
            name=name,
            label=evidence.named(name.capitalize(), name.capitalize()),
            value=value,
            higher=True,
            protocol={**protocol, "neighbours": 3 if name in ("precision", "recall") else 5},
            warnings=(few,) if count < LEAST_FOR_FRECHET else (),
        )
        for name, value in found._asdict().items()
    ]


def score(evidence):
    """Inception Score of logits without bias, as in OpenAI's code and torch-fidelity; or a classifier's score."""
    return _score(evidence, "is", "Inception Score", None)


def score_with_bias(evidence):
    """Inception Score of logits with bias, as in TensorFlow-GAN."""
    if evidence.network.bias is None:
        raise UsageError("The metric is-biased needs logits.bias in the file of --inception.")
    return _score(evidence, "is_biased", "Inception Score, logits with bias", evidence.network.bias)


def _score(evidence, name, label, bias):
    logits = evidence.fake_seen.logits
    if logits is None:
        raise UsageError("The metric is needs logits.weight and logits.bias in the file of --inception, or --judge.")
    splits = min(SPLITS, len(logits))
    found = inception_score.classifier_score(logits if bias is None else logits + bias, splits)
    few = f"of {len(logits)} images it is biased downwards by much: take {LEAST_FOR_SCORE} or more, usually 50,000."
    return [
        Measurement(
            name=name,
            label=evidence.named(label, "Classifier score"),
            value=found.mean,
            spread=found.deviation,
            spread_is=f"standard deviation over {splits} splits",
            higher=True,
            protocol=evidence.protocol_of_features(),
            warnings=(few,) if len(logits) < LEAST_FOR_SCORE else (),
        )
    ]
