"""Networks look in batches, and what they saw is kept by content."""

import hashlib
import subprocess
import sys
import time

import numpy as np
import pytest

from kgen.errors import UsageError
from kgen.metrics import features
from kgen.metrics.features import Cache, Network, digest, in_order, looks, see
from tests.helpers.processes import ROOT, environment


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


def test_what_is_seen_does_not_depend_on_the_parts():
    images = np.random.default_rng(0).integers(0, 256, (121, 2, 2, 1), np.uint8)
    counts = []

    def look(batch):
        counts.append(len(batch))
        return batch.reshape(len(batch), -1).astype(np.float32), None

    for size in (7, 50, 121):
        parts = (images[start : start + size] for start in range(0, 121, size))
        found = list(looks(Network("toy", look, {"network": "toy"}), parts, 121))
        np.testing.assert_array_equal(np.concatenate([each.features for each in found]), look(images)[0])
    assert counts == [50, 50, 21, 121] * 3


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
    (file, other) = sorted((tmp_path / "deep/er").glob("*.safetensors"))
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
    with pytest.raises(UsageError, match="The cache .* cannot be written: .*KGEN_CACHE_DIR names another folder"):
        Cache(tmp_path / "file" / "x").of("k", lambda: {"a": np.zeros(1)})


def test_where_nothing_may_be_written_features_are_computed(tmp_path, monkeypatch):
    cache = Cache(tmp_path / "kept")
    cache.of("k", lambda: {"a": np.ones(1)})

    def refuse(self, *arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(features.FileLock, "acquire", refuse)
    with pytest.warns(UserWarning, match="computed every time: .*Permission denied.*KGEN_CACHE_DIR"):
        assert cache.of("other", lambda: {"a": np.zeros(1)})["a"] == 0
    assert cache.of("k", lambda: {"a": np.zeros(1)})["a"] == 1  # a file that is there is read


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    def full(arrays, path):
        path.write_bytes(b"half")
        raise features.SafetensorError("No space left on device")

    monkeypatch.setattr(features, "save_file", full)
    with pytest.raises(UsageError, match="cannot be written: No space left on device"):
        Cache(tmp_path).of("k", lambda: {"a": np.zeros(1)})
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".lock"]


MAKER = """
import sys, time, numpy as np
from kgen.metrics.features import Cache
def compute():
    open(sys.argv[2], "a").write("computed ")
    time.sleep(float(sys.argv[3]))
    return {"a": np.full(5, 7.0)}
print(Cache(sys.argv[1]).of("k", compute)["a"].sum())
"""


def maker(folder, seconds):
    """Starts a process that computes an entry."""
    command = [sys.executable, "-c", MAKER, str(folder / "cache"), str(folder / "log"), str(seconds)]
    return subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True)


def wait_for(path):
    for _ in range(600):
        if path.exists() and path.read_text():
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} is not there")


def test_of_two_makers_one_computes_and_a_killed_one_is_replaced(tmp_path):
    killed = maker(tmp_path, 600)
    wait_for(tmp_path / "log")
    others = [maker(tmp_path, 0) for _ in range(2)]  # these wait for the lock of the first
    killed.kill()
    killed.communicate()
    assert [other.communicate()[0] for other in others] == ["35.0\n"] * 2
    assert (tmp_path / "log").read_text() == "computed computed "
    assert [path.suffix for path in sorted((tmp_path / "cache").iterdir())] == [".lock", ".safetensors"]


def test_content_type_and_shape_make_the_digest():
    a = np.arange(4, dtype=np.uint8).reshape(1, 2, 2, 1)
    others = [a.reshape(1, 4, 1, 1), a.astype(np.int8), a + 1]
    assert digest(a) == digest(a.copy()) and len({digest(x) for x in [a, *others]}) == 4
    wide = np.arange(8, dtype=np.uint8).reshape(1, 2, 2, 2)
    assert digest(wide[..., ::2]) == digest(np.ascontiguousarray(wide[..., ::2])) != digest(wide[..., 1::2])


def test_images_in_an_order_have_the_digest_of_an_array_in_it(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (23, 2, 2, 1), np.uint8)
    order = np.random.default_rng(1).permutation(23)
    expected = hashlib.sha256(b"uint8 (23, 2, 2, 1)" + images[order].tobytes()).hexdigest()
    monkeypatch.setattr(features, "PART", 5)
    assert digest(images, order) == digest(images[order]) == expected
    assert [len(part) for part in in_order(images, order)] == [5, 5, 5, 5, 3]
    np.testing.assert_array_equal(np.concatenate(list(in_order(images, order))), images[order])
