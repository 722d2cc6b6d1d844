"""Requests that come at the same time are answered together, each with its own answer."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from kgen.serving import batching
from kgen.serving.models import Models, Refused, reason
from tests.helpers import servers


@pytest.fixture(scope="module")
def models(root):
    return Models(root, batch=True)


def signature(sizes):
    """Doubles numbers and notes how many came at a time."""

    @tf.function
    def double(*, latent):
        tf.numpy_function(lambda found: sizes.append(len(found)), [latent], [])
        return {"images": latent * 2.0}

    return double.get_concrete_function(latent=tf.TensorSpec((None, 2), tf.float32, "latent"))


def test_calls_are_fewer_than_requests():
    sizes, start = [], threading.Barrier(16)
    call = batching.joined(signature(sizes))

    def ask(number):
        start.wait()
        return call(latent=tf.fill((1, 2), float(number)))["images"].numpy()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(64)))
    assert [answer.tolist() for answer in answers] == [[[2 * number, 2 * number]] for number in range(64)]
    assert len(sizes) < 64 == sum(sizes)


def test_more_rows_than_a_call_takes_are_answered_alone():
    sizes = []
    rows = np.random.default_rng(0).standard_normal((150, 2), np.float32)
    np.testing.assert_array_equal(batching.joined(signature(sizes))(latent=tf.constant(rows))["images"], rows * 2)
    assert sizes == [150]


def test_only_rows_are_joined(root):
    found = {key for key, each in servers.loaded(root, "vae", 1)[1].items() if batching.possible(each)}
    assert {"encode", "decode", "reconstruct", "serving_default"} <= found
    assert not found & {"interpolate", "sample", "png"}


@pytest.mark.parametrize("key, given", [("encode", "images"), ("decode", "latent"), ("reconstruct_png", "images")])
def test_answers_are_those_of_the_export(key, given, models, root):
    function = servers.loaded(root, "vae", 1)[1][key]
    shape = function.structured_input_signature[1][given].shape[1:]
    rows = [np.random.default_rng(i).random((1 + i % 3, *shape), np.float32) for i in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda each: models.predict("vae", 1, key, {given: each}), rows))
    for each, answer in zip(rows, answers, strict=True):
        for name, value in function(**{given: tf.constant(each)}).items():
            if value.dtype == tf.string:
                assert len(answer[name]) == len(each) and all(png.startswith(b"\x89PNG") for png in answer[name])
            else:
                np.testing.assert_allclose(answer[name], value, atol=1e-5, err_msg=name)


def test_what_is_refused_harms_no_later_request(models):
    size = models.signatures("vae", 1)["decode"].structured_input_signature[1]["latent"].shape[1]
    bad, good = {"latent": np.full((1, size), np.nan)}, {"latent": np.zeros((1, size))}
    before = models.predict("vae", 1, "decode", good)["images"]
    with pytest.raises(Refused, match="latent must be finite") as refused:
        models.predict("vae", 1, "decode", bad)
    assert refused.value.code == "INVALID_ARGUMENT"
    np.testing.assert_array_equal(models.predict("vae", 1, "decode", good)["images"], before)


@pytest.mark.parametrize("inputs", [{"latent": (0,), "label": (0,)}, {"latent": (3,), "label": (2,)}])
def test_requests_that_do_not_fit_are_refused(inputs, models):
    size = models.signatures("acgan", 1)["serving_default"].structured_input_signature[1]["latent"].shape[1]
    rows = {"latent": np.zeros((*inputs["latent"], size)), "label": np.zeros(inputs["label"], np.int64)}
    with pytest.raises(Refused) as refused:
        models.predict("acgan", 1, "serving_default", rows)
    assert refused.value.code == "INVALID_ARGUMENT"
    good = {"latent": np.zeros((2, size)), "label": np.array([0, 1])}
    assert len(models.predict("acgan", 1, "serving_default", good)["images"]) == 2


def test_columns_of_other_lengths_are_refused_in_the_words_of_the_signature():
    @tf.function
    def sum_of(*, latent, label):
        with tf.control_dependencies([tf.debugging.Assert(tf.size(label) == tf.shape(latent)[0], ["they differ"])]):
            return {"images": latent + tf.cast(label, tf.float32)[:, None]}

    specs = {
        "latent": tf.TensorSpec((None, 2), tf.float32, "latent"),
        "label": tf.TensorSpec((None,), tf.int64, "label"),
    }
    call = batching.joined(sum_of.get_concrete_function(**specs))
    one, two = tf.zeros((1, 2)), tf.constant([3, 4], tf.int64)
    assert call(latent=one, label=two[:1])["images"].numpy().tolist() == [[3, 3]]
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        call(latent=one, label=two)
    assert "they differ" in reason(caught.value)


def test_what_is_refused_in_a_joined_call_is_told_too(models, root):
    shape = servers.loaded(root, "vae", 1)[1]["encode"].structured_input_signature[1]["images"].shape[1:]
    with pytest.raises(Refused, match="images must lie in"):
        models.predict("vae", 1, "encode", {"images": np.full((1, *shape), 7, np.float32)})
