"""What metrics are computed from: each part is made once, in an order that means nothing, and mistakes are told."""

import numpy as np
import pytest

from kgen.errors import UsageError
from kgen.images.order import order_by_content
from kgen.metrics.evaluator import all_metrics
from kgen.metrics.evidence import Evidence, Real
from kgen.metrics.features import Cache, Network

SIZE = (2, 2, 1)
PIXELS = np.random.default_rng(1).integers(0, 256, (9, *SIZE), np.uint8)


class Drawing:
    """Draws noise and counts how often."""

    def __init__(self, change=lambda images: images, parts=6):
        self.change, self.parts, self.asked = change, parts, []

    def stream(self, seed, count):
        self.asked.append((seed, count))
        images = self.change(np.random.default_rng(seed).uniform(size=(count, *SIZE)))
        yield from ((images[start : start + self.parts], None) for start in range(0, count, self.parts))


class Looking:
    """Takes pixels for features; counts the images it looks at."""

    def __init__(self, name="toy"):
        self.seen = 0
        self.network = Network(name, self.look, {"network": name or "Inception", "weights_sha256": "a"})

    def look(self, images):
        self.seen += len(images)
        return images.reshape(len(images), -1).astype(np.float32), None


def evidence(generator=None, autoencoder=None, network=None, cache=None, real=PIXELS, metrics=()):
    about = {"dataset": "noise", "reference": "test"}
    given = Real(real, None, about), generator, autoencoder, network, 6, 3, cache or Cache(None)
    return Evidence(*given, metrics=metrics)


def test_images_are_drawn_once_and_ordered_by_their_content():
    source = Drawing()
    found = evidence(source)
    drawn = np.random.default_rng(3).uniform(size=(6, *SIZE)).astype(np.float32)
    for _ in range(2):
        np.testing.assert_array_equal(found.fake, drawn[order_by_content(drawn, "generated")])
    assert source.asked == [(3, 6)] and found.fake.dtype == np.float32


def test_real_images_are_the_same_in_any_order():
    one, other = evidence(), evidence(real=PIXELS[::-1])
    np.testing.assert_array_equal(one.real_images, other.real_images)
    assert sorted(image.tobytes() for image in one.real_images) == sorted(image.tobytes() for image in PIXELS)
    np.testing.assert_allclose(one.real_unit, one.real_images / 255, rtol=1e-6)


@pytest.mark.parametrize(
    "generator, words",
    [
        (None, "draws no images of noise"),
        (Drawing(lambda images: images[:, :1]), "The images are 1x2x1, those to compare with 2x2x1"),
        (Drawing(lambda images: images * np.nan), "not finite numbers: the model has diverged"),
        (Drawing(lambda images: images + 1), r"must be in \[0, 1\], these are from 1"),
    ],
)
def test_images_that_cannot_be_compared_are_told(generator, words):
    with pytest.raises(UsageError, match=words):
        evidence(generator).fake  # noqa: B018


def test_a_model_without_an_encoder_has_no_autoencoder():
    assert evidence(autoencoder="mine").autoencoder == "mine"
    with pytest.raises(UsageError, match="models with an encoder and a decoder"):
        evidence().autoencoder  # noqa: B018


def test_features_are_of_bytes_and_those_of_real_images_are_remembered(tmp_path):
    first, again = Looking(), Looking()
    found = evidence(Drawing(), network=first.network, cache=Cache(tmp_path))
    np.testing.assert_array_equal(found.fake_seen.features, np.rint(found.fake * 255).reshape(6, -1))
    np.testing.assert_array_equal(found.real_seen.features, found.real_images.reshape(9, -1))
    assert first.seen == 6 + 9
    statistics = found.real_statistics
    np.testing.assert_allclose(statistics.mean, PIXELS.reshape(9, -1).mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(statistics.covariance, np.cov(PIXELS.reshape(9, -1).T), rtol=1e-6)
    later = evidence(Drawing(), network=again.network, cache=Cache(tmp_path))
    np.testing.assert_array_equal(later.real_statistics.mean, statistics.mean)
    assert again.seen == 0


FID, KID, MMD = (all_metrics()[name] for name in ("fid", "kid", "mmd"))


@pytest.mark.parametrize("metrics", [(FID,), (FID, KID), (FID, MMD), (KID,), (FID, KID, MMD), ()])
def test_what_no_metric_needs_is_not_kept(metrics):
    """Images are drawn and looked at once, and the numbers are those of all that is kept."""
    source, looking = Drawing(parts=4), Looking()
    found, whole = (
        evidence(source, network=looking.network, metrics=metrics),
        evidence(Drawing(), network=looking.network),
    )
    for name in ("fake_statistics", "real_statistics"):
        for one, other in zip(getattr(found, name), getattr(whole, name), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)
    assert found.generated == 6 and source.asked == [(3, 6)]
    kept = {name for name in ("fake", "fake_seen", "real_seen", "real_images") if name in vars(found)}
    images = {"fake"} if MMD in metrics or not metrics else set()
    features = {"fake_seen", "real_seen"} if KID in metrics or not metrics else set()
    assert kept == images | features
    if features:
        np.testing.assert_array_equal(found.fake_seen.features, whole.fake_seen.features)


def test_a_protocol_says_what_else_could_differ():
    found = evidence(Drawing(), network=Looking().network)
    own = {"dataset": "noise", "reference": "test", "real": 9, "generated": 6, "seed": 3}
    assert found.protocol(sigma=2) == {**own, "sigma": 2}
    assert found.protocol_of_features() == {**own, "network": "toy", "weights_sha256": "a"}


@pytest.mark.parametrize("name, label", [("toy", "Distance on toy features"), ("", "FID")])
def test_only_inceptions_metrics_have_their_short_names(name, label):
    assert evidence(network=Looking(name).network).named("FID", "Distance") == label
