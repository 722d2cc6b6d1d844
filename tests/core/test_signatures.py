"""A signature of a generator that is told the class refuses labels in words."""

import pytest
import tensorflow as tf


@pytest.fixture(scope="module")
def exported(class_conditional):
    return class_conditional[1]


@pytest.mark.parametrize("label", [-1, 10, 2**40])
def test_an_unknown_label_is_refused_in_words(exported, label):
    signatures = tf.saved_model.load(str(exported)).signatures
    latent = tf.zeros((2, signatures["serving_default"].structured_input_signature[1]["latent"].shape[1]))
    for key, others in (
        ("serving_default", {"latent": latent}),
        ("sample", {"seed": tf.constant(0, tf.int64)}),
        ("png", {"seed": tf.constant(0, tf.int64)}),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match="label must be from 0 to 9, but is") as refusal:
            signatures[key](label=tf.constant([3, label], tf.int64), **others)
        assert str(label) in str(refusal.value)


@pytest.mark.parametrize("labels", [0, 257])
def test_a_number_of_labels_out_of_bounds_is_refused_in_words(exported, labels):
    signatures = tf.saved_model.load(str(exported)).signatures
    with pytest.raises(tf.errors.InvalidArgumentError, match="number of labels must be from 1 to 256, but is"):
        signatures["sample"](seed=tf.constant(0, tf.int64), label=tf.zeros(labels, tf.int64))


def test_one_label_is_not_stretched_over_many_latents(exported):
    signatures = tf.saved_model.load(str(exported)).signatures
    size = signatures["serving_default"].structured_input_signature[1]["latent"].shape[1]
    with pytest.raises(tf.errors.InvalidArgumentError, match="latent and label must be equally many"):
        signatures["serving_default"](latent=tf.zeros((3, size)), label=tf.zeros(1, tf.int64))
