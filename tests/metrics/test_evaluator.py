"""The evaluator on arrays: its numbers are those of the pure functions, images are looked at once, mistakes told."""

import numpy as np
import pytest

from kgen.errors import UsageError
from kgen.images.order import order_by_content
from kgen.metrics import fid, inception_score, kid, mmd, parzen, precision_recall
from kgen.metrics.evaluator import Evaluator, known
from kgen.metrics.evidence import Real
from kgen.metrics.features import Network

SIZE = (4, 4, 1)


class TrainedGenerator:
    """Draws images of a seed, and counts."""

    def __init__(self, change=lambda images: images):
        self.change, self.draws = change, []

    def draw(self, seed, count):
        self.draws.append((seed, count))
        return self.change(np.random.default_rng(seed).uniform(size=(count, *SIZE)).astype(np.float32))

    def stream(self, seed, count):
        yield self.draw(seed, count), None


class Looker:
    """Stands for a network: pixels as features, sums of rows as logits; counts the images it looks at."""

    def __init__(self, weights="a", name="toy", bias=None):
        self.seen, about = 0, {"network": name or "Inception", "weights_sha256": weights}
        self.network = Network(name, self.look, about, bias)

    def look(self, images):
        self.seen += len(images)
        rows = images.reshape(len(images), -1) / np.float32(255)
        return rows, images[..., 0].sum(axis=2) / np.float32(100)


def reals(count=60, validation=30):
    pixels = np.random.default_rng(99).integers(0, 256, (count + validation, *SIZE), np.uint8)
    return Real(pixels[:count], pixels[count:], {"dataset": "noise", "reference": "test"})


def rows(images):
    return images.reshape(len(images), -1)


def values(found):
    return {each.name: each.value for measured in found.values() for each in measured}


def test_numbers_are_those_of_the_pure_functions():
    real, source, looker = reals(), TrainedGenerator(), Looker()
    metrics = ["parzen", "mmd", "mmd-report004", "fid", "kid", "pr", "is", "is-report004"]
    found = values(Evaluator(metrics, real, looker.network, 50, seed=3)(source))
    fake, images = source.draw(3, 50), real.images[order_by_content(real.images, "real")]
    fake = fake[order_by_content(fake, "generated")]
    seen, real_seen = looker.look(np.uint8(np.rint(fake * 255))), looker.look(images)
    unit = images / np.float32(255)
    expected = {
        "parzen": parzen.parzen(fake, real.validation / np.float32(255), unit).mean,
        "parzen_fine": parzen.parzen(fake, real.validation / np.float32(255), unit, parzen.FINE).mean,
        "fid": fid.frechet_distance(fid.statistics(seen[0]), fid.statistics(real_seen[0])),
        "kid": kid.kernel_distance(seen[0], real_seen[0], 100, 50).mean,
        "is": inception_score.classifier_score(seen[1]).mean,
        "is_report004": inception_score.classifier_score(seen[1], 1).mean,
        "mmd_report004": mmd.report004(2 * unit[:50] - 1, 2 * fake - 1),
        **precision_recall.precision_recall(real_seen[0][:50], seen[0])._asdict(),
    }
    kernel = mmd.gaussian(mmd.median_bandwidth(rows(unit[:50]), rows(fake)))
    expected["mmd"] = mmd.unbiased(rows(unit[:50]), rows(fake), kernel)
    expected["mmd_linear"] = mmd.linear_time(rows(unit[:50]), rows(fake), kernel).value
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6)
    assert set(found) == {*expected, "mmd_block"}


EVERY = ["parzen", "mmd", "mmd-report004", "fid", "kid", "pr", "is", "is-biased", "is-report004"]


@pytest.mark.parametrize("seed", [0, 1])
def test_no_metric_depends_on_the_order_of_images(seed):
    """Folders are sorted by class, and conditional generators draw class after class."""
    real, random, looker = reals(), np.random.default_rng(seed), Looker(bias=np.zeros(4, np.float32))
    straight = values(Evaluator(EVERY, real, looker.network, 50, seed=3)(TrainedGenerator()))
    permuted = Real(random.permutation(real.images), random.permutation(real.validation), real.about)
    found = values(Evaluator(EVERY, permuted, looker.network, 50, seed=3)(TrainedGenerator(random.permutation)))
    assert found == pytest.approx(straight, rel=1e-9)


def two_colours(count, random):
    """Returns `count` images of one colour, then as many of another, uint8."""
    colours = np.array([[220, 40, 40], [40, 40, 220]]).repeat(count, axis=0)[:, None, None]
    return np.clip(colours + random.normal(0, 20, (2 * count, 8, 8, 3)), 0, 255).astype(np.uint8)


def test_a_perfect_generator_that_draws_class_after_class_has_a_discrepancy_of_0():
    random = np.random.default_rng(0)
    real, drawn = Real(two_colours(400, random), None, {}), two_colours(100, random)
    source = TrainedGenerator(lambda _: drawn / np.float32(255))
    found = {each.name: each for each in Evaluator(["mmd"], real, None, 200)(source)["mmd"]}
    assert abs(found["mmd"].value) < 0.02 and abs(found["mmd_block"].value) < 0.02
    assert found["mmd_linear"].found["p_value"] > 0.01
    one_class = TrainedGenerator(lambda _: drawn[:100].repeat(2, axis=0) / np.float32(255))
    assert Evaluator(["mmd"], real, None, 200)(one_class)["mmd"][0].value > 0.2


def test_classes_dealt_in_turn_are_no_evidence_of_equality():
    """Two neighbours of such images never share a class, drawn ones do: unshuffled, equal sets score below 0, p 1."""
    random = np.random.default_rng(1)

    def dealt():
        return two_colours(500, random).reshape(2, 500, 8, 8, 3).swapaxes(0, 1).reshape(1000, 8, 8, 3)

    drawn = random.permutation(dealt()) / np.float32(255)
    measured = Evaluator(["mmd"], Real(dealt(), None, {}), None, 1000)(TrainedGenerator(lambda _: drawn))["mmd"]
    assert 0.01 < {each.name: each for each in measured}["mmd_linear"].found["p_value"] < 0.99


def test_images_are_drawn_and_looked_at_once():
    source, looker = TrainedGenerator(), Looker()
    Evaluator(["fid", "kid", "pr", "is", "mmd"], reals(), looker.network, 50, seed=3)(source)
    assert source.draws == [(3, 50)] and looker.seen == 50 + 60


def test_real_images_are_remembered_by_their_content_and_the_weights(tmp_path):
    first, again, other = Looker(), Looker(), Looker("b")
    found = [
        values(Evaluator(["fid"], reals(), looker.network, 50, cache_dir=tmp_path)(TrainedGenerator()))
        for looker in (first, again, other)
    ]
    assert (first.seen, again.seen, other.seen) == (110, 50, 110)
    assert found[0] == found[1] == found[2]
    layer = Looker()
    Evaluator(["fid"], reals(), layer.network._replace(depends=("another",)), 50, cache_dir=tmp_path)(
        TrainedGenerator()
    )
    assert layer.seen == 110
    changed = Looker()
    Evaluator(["fid"], reals(count=59), changed.network, 50, cache_dir=tmp_path)(TrainedGenerator())
    assert changed.seen == 109


def test_several_seeds_give_mean_deviation_and_variance():
    source = TrainedGenerator()
    (found,) = Evaluator(["fid"], reals(), Looker().network, 50, seed=4, seeds=3)(source)["fid"]
    each = [
        Evaluator(["fid"], reals(), Looker().network, 50, seed=s)(TrainedGenerator())["fid"][0].value for s in (4, 5, 6)
    ]
    assert source.draws == [(4, 50), (5, 50), (6, 50)]
    assert (found.value, found.spread) == pytest.approx((np.mean(each), np.std(each, ddof=1)))
    assert found.found["variance"] == pytest.approx(np.var(each, ddof=1)) and found.protocol["seeds"] == 3
    assert found.spread_is == "standard deviation over 3 seeds"


def test_names_say_whose_features_they_are():
    metrics = ["fid", "is"]
    toy = Evaluator(metrics, reals(), Looker().network, 50)(TrainedGenerator())
    assert [each[0].label for each in toy.values()] == ["FID on toy features", "Classifier score on toy features"]
    bias = np.float32([0, 3, 0, 0])
    inception = Looker(name="", bias=bias)
    found = Evaluator([*metrics, "is-biased"], reals(), inception.network, 50)(TrainedGenerator())
    labels = [each[0].label for each in found.values()]
    assert labels == ["FID", "Inception Score", "Inception Score, logits with bias"]
    drawn = TrainedGenerator().draw(0, 50)
    logits = inception.look(np.uint8(np.rint(drawn[order_by_content(drawn, "generated")] * 255)))[1]
    assert values(found)["is_biased"] == pytest.approx(inception_score.classifier_score(logits + bias).mean)


@pytest.mark.parametrize("metric, least", [("fid", 2_048), ("is", 5_000), ("pr", 2_048)])
def test_too_few_images_are_warned_of(metric, least):
    for count in (least - 1, least):
        real = reals(count=least)
        (first, *_) = Evaluator([metric], real, Looker().network, count)(TrainedGenerator())[metric]
        assert bool(first.warnings) == (count < least)


NEEDS = [
    (["fid"], {"network": None}, "--inception FILE.npz"),
    (["is-biased"], {}, "needs logits.bias"),
    (["lines"], {}, "an encoder and a decoder"),
    (["mmd"], {"source": None}, "draws no images"),
    (["mmd"], {"source": TrainedGenerator(lambda images: images * np.nan)}, "not finite"),
    (["mmd"], {"source": TrainedGenerator(lambda images: images * 2)}, r"must be in \[0, 1\]"),
    (
        ["mmd"],
        {"source": TrainedGenerator(lambda images: images[:, :3])},
        "images are 3x4x1, those to compare with 4x4x1",
    ),
    (["fid"], {"count": 1}, "fid cannot be measured: `features` must be 2 or more rows"),
    (["kid"], {"count": 1}, "kid cannot be measured"),
    (["pr"], {"count": 5}, "pr cannot be measured: `real` must be 6 or more"),
    (["mmd"], {"count": 3}, "mmd cannot be measured"),
]


@pytest.mark.parametrize("metrics, change, words", NEEDS, ids=range(len(NEEDS)))
def test_what_cannot_be_measured_is_told(metrics, change, words):
    given = {"network": Looker().network, "source": TrainedGenerator(), "count": 50, **change}
    with pytest.raises(UsageError, match=words):
        Evaluator(metrics, reals(), given["network"], given["count"])(given["source"])


def test_images_that_are_all_alike_have_defined_numbers():
    same = TrainedGenerator(lambda images: np.full_like(images, 0.5))
    found = values(Evaluator(["parzen", "fid", "kid", "pr", "is", "mmd"], reals(), Looker().network, 50)(same))
    assert np.isfinite(list(found.values())).all()
    assert found["is"] == pytest.approx(1) and found["recall"] == 0


def test_an_unknown_metric_names_the_known_ones():
    for names in (["fit"], []):
        with pytest.raises(
            UsageError,
            match="--metrics must be among ais-log-likelihood, classes, classification-accuracy-score, fid, ",
        ):
            known(names)
