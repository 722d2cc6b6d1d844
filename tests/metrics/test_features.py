"""Networks look in batches, and what they saw is kept by content."""

import numpy as np
import pytest

from kgen.errors import UsageError
from kgen.metrics import features
from kgen.metrics.features import Cache, Network, digest, see


def network(bad=False):
    def look(images):
        rows = images.reshape(len(images), -1).astype(np.float32)
        return rows * (np.nan if bad else 1), rows[:, :3]

    return Network("toy", look, {"network": "toy"})


def test_batches_are_joined_in_order(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (13, 2, 2, 1), np.uint8)
    monkeypatch.setattr(features, "BATCH", 5)
    found = see(network(), images)
    np.testing.assert_array_equal(found.features, images.reshape(13, -1))
    np.testing.assert_array_equal(found.logits, images.reshape(13, -1)[:, :3])


def test_a_network_looks_at_a_batch_at_most_and_may_have_no_logits():
    counts = []

    def look(images):
        counts.append(len(images))
        return images.reshape(len(images), -1).astype(np.float32), None

    images = np.random.default_rng(0).integers(0, 256, (121, 2, 2, 1), np.uint8)
    found = see(Network("toy", look, {"network": "toy"}), images)
    np.testing.assert_array_equal(found.features, look(images)[0])
    assert counts == [50, 50, 21, 121] and found.logits is None


@pytest.mark.parametrize(
    "images", [np.zeros((2, 2, 2, 1)), np.zeros((0, 2, 2, 1), np.uint8), np.zeros((2, 2, 1), np.uint8)]
)
def test_only_bytes_are_looked_at(images):
    with pytest.raises(ValueError, match="`images` must be uint8"):
        see(network(), images)


def test_features_that_are_no_numbers_are_told():
    with pytest.raises(ValueError, match="Features of toy must be finite"):
        see(network(bad=True), np.ones((2, 2, 2, 1), np.uint8))


def test_what_was_computed_is_kept(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return {"a": np.arange(6.0).reshape(2, 3).T, "b": np.asarray(2.5)}

    cache = Cache(tmp_path / "deep" / "er")
    for _ in range(2):
        found = cache.of(["x", 1], compute)
        np.testing.assert_array_equal(found["a"], np.arange(6.0).reshape(2, 3).T)
        assert float(found["b"]) == 2.5 and found["b"].shape == ()
    assert len(calls) == 1
    cache.of(["x", 2], compute)
    (file, other) = sorted((tmp_path / "deep/er").iterdir())
    file.write_bytes(b"damaged")
    other.write_bytes(b"damaged")
    for _ in range(2):
        np.testing.assert_array_equal(cache.of(["x", 1], compute)["a"], np.arange(6.0).reshape(2, 3).T)
    assert len(calls) == 3
    for count in (4, 5):
        Cache(None).of(["x", 1], compute)
        assert len(calls) == count


def test_keys_are_the_same_in_any_order(tmp_path):
    cache = Cache(tmp_path)
    cache.of({"a": 1, "b": 2}, lambda: {"found": np.ones(1)})
    assert cache.of({"b": 2, "a": 1}, lambda: {"found": np.zeros(1)})["found"] == 1


def test_a_cache_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="The cache .* cannot be written: .* Give --cache-dir."):
        Cache(tmp_path / "file" / "x").of("k", lambda: {"a": np.zeros(1)})


def test_content_type_and_shape_make_the_digest():
    a = np.arange(4, dtype=np.uint8).reshape(1, 2, 2, 1)
    others = [a.reshape(1, 4, 1, 1), a.astype(np.int8), a + 1]
    assert digest(a) == digest(a.copy()) and len({digest(x) for x in [a, *others]}) == 4
    wide = np.arange(8, dtype=np.uint8).reshape(1, 2, 2, 2)
    assert digest(wide[..., ::2]) == digest(np.ascontiguousarray(wide[..., ::2])) != digest(wide[..., 1::2])
