"""The classification accuracy score against Bayes's classifier and scikit-learn, and on generators that confuse."""

import numpy as np
import pytest
import scipy.stats
from sklearn.linear_model import LogisticRegression

from kgen import data
from kgen.errors import UsageError
from kgen.metrics.accuracy_score import taught
from kgen.metrics.evaluator import Evaluator
from kgen.metrics.evidence import Real
from tests.helpers.conditional import CLASSES, NETWORK, Conditional, coloured


def normal(count, seed):
    """Returns rows of N(-1, 1) and N(1, 1) and their classes."""
    labels = np.arange(count) % 2
    return np.random.default_rng(seed).normal(2 * labels - 1, 1)[:, None], labels


def test_of_two_normal_distributions_it_is_bayess_accuracy():
    each = taught(*normal(5_000, 0), *normal(20_000, 1), 2)
    np.testing.assert_allclose(each, scipy.stats.norm.cdf(1), atol=0.01)


def test_classes_are_those_of_scikit_learn():
    random = np.random.default_rng(2)
    labels, asked_labels = (np.arange(count) % 3 for count in (90, 60))
    features, asked = (random.normal(each[:, None] * [1.0, -0.5], 1) for each in (labels, asked_labels))
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    learner = LogisticRegression().fit((features - mean) / deviation, labels)
    right = learner.predict((asked - mean) / deviation) == asked_labels
    expected = [right[asked_labels == label].mean() for label in range(3)]
    np.testing.assert_array_equal(taught(features, labels, asked, asked_labels, 3), expected)


def measured(generator, permute=lambda images: np.arange(len(images)), trained=CLASSES):
    (images, labels), (seen, seen_labels) = coloured(40, 1), coloured(50, 2)
    chosen, order = permute(seen), permute(images)
    turned = [trained.index(CLASSES[label]) for label in seen_labels]
    training = data.Images(seen[chosen], np.array(turned)[chosen], trained)
    real = Real(images[order], None, {"dataset": "colours"}, training, labels[order], CLASSES)
    return Evaluator(["classification-accuracy-score"], real, NETWORK, 90)(generator)["classification-accuracy-score"]


def test_generators_that_confuse_classes_have_a_low_score():
    score, bound = measured(Conditional(0))
    assert score.value == bound.value == 1 and score.found == dict.fromkeys(CLASSES, 1.0)
    score, bound = measured(Conditional(1))
    assert score.value == 0 and bound.value == 1
    one = Conditional(0)
    one.blank = 2
    score, _ = measured(one)
    assert score.found[CLASSES[2]] < 0.5 and score.found[CLASSES[0]] == 1


def test_neither_the_order_of_images_nor_of_classes_matters():
    one = Conditional(0)
    one.blank = 2
    other = Conditional(0, reverse=True)
    other.blank = 0

    def shuffle(images):
        return np.random.default_rng(0).permutation(len(images))

    straight, permuted = measured(one), measured(other, shuffle, ("green", "blue", "red"))
    assert [each.found for each in straight] == [each.found for each in permuted]


def test_a_measurement_has_its_protocol_and_error():
    one = Conditional(0)
    one.blank = 2
    score, bound = measured(one)
    assert score.label == "Classification accuracy score on toy features" and score.higher
    assert score.protocol["classifier"] == "logistic regression on features, C 1"
    assert score.protocol["taught_by"] == bound.protocol["taught_by"] == 90 and score.protocol["real"] == 120
    assert score.value == pytest.approx(np.mean(list(score.found.values())))  # as many of each class
    right = np.arange(120) < round(120 * score.value)
    assert score.spread == pytest.approx(right.std() / np.sqrt(120))


def test_mistakes_are_told():
    with pytest.raises(UsageError, match="is of generators that are told the class"):
        measured(None)
    for labels, asked, words in (([0, 0], [0, 1], "class 1 to learn from"), ([0, 1], [1, 1], "class 0 to be asked of")):
        with pytest.raises(ValueError, match=f"there is no image of {words}"):
            taught(np.eye(2), np.array(labels), np.eye(2), np.array(asked), 2)
