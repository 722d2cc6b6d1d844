"""The whole study of a linear autoencoder, and what it is not made for."""

import json
import math
import sys

import numpy as np
import pytest
from PIL import Image
from threadpoolctl import threadpool_limits

from kgen.data import Images
from kgen.errors import UsageError
from kgen.studies.latent import study as latent
from tests.helpers.linear_autoencoder import Linear, spots


@pytest.fixture(autouse=True)
def one_thread():
    """Threads of small t-SNEs wait for each other, longest where tests share the cores."""
    with threadpool_limits(1):
        yield


def test_a_study_of_the_linear_autoencoder_is_pca_itself(tmp_path):
    train, test, said = spots(120), spots(40, seed=1), []
    figures = latent.study(Linear(train.images, 3), train, test, tmp_path, 5, {"model": "linear"}, said.append)
    assert figures == json.loads((tmp_path / "latent.json").read_text())
    assert list(figures)[0] == "model" and figures["images"] == {"train": 120, "test": 40}
    assert (figures["seed"], figures["size"], len(figures["variance_shares"])) == (5, 3, 3)
    assert figures["mean_squared_error"] == pytest.approx(figures["pca_mean_squared_error"], rel=0.01)
    assert figures["binary_cross_entropy"] == pytest.approx(figures["pca_binary_cross_entropy"], rel=1e-4)
    assert figures["clustering_accuracy"] > 0.9 and figures["probe_accuracy"] > 0.95
    assert sum(figures["variance_shares"]) == pytest.approx(1.0)
    pictures = "hallucinations pca reconstructions slices slices_principal tsne".split()
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == pictures
    assert sorted(path.name for path in (tmp_path / "projector").iterdir()) == [
        "codes.tsv",
        "metadata.tsv",
        "projector_config.pbtxt",
        "sprite.png",
    ]
    upper = np.array(Image.open(tmp_path / "reconstructions.png"))[:8]
    np.testing.assert_array_equal(upper, np.concatenate(list(test.images[:16, ..., 0]), axis=1))
    assert said == [
        "codes",
        "errors, beside those of PCA",
        "k-means and linear probe",
        "slices, reconstructions, hallucinations",
        "maps: PCA and t-SNE",
        "projector",
    ]


@pytest.mark.parametrize("labels", [None, np.zeros(60, int)])
def test_a_study_without_classes_to_tell_apart(labels, tmp_path):
    data = Images(spots(60).images, labels, () if labels is None else ("only",))
    figures = latent.study(Linear(data.images, 1), data, data, tmp_path, 0)
    assert figures["clustering_accuracy"] is None and figures["probe_accuracy"] is None
    assert figures["variance_shares"] == pytest.approx([1.0])
    assert Image.open(tmp_path / "slices.png").size == (16 * 8, 8)
    assert (tmp_path / "projector/metadata.tsv").exists() == (labels is not None)
    assert "accuracy of a linear probe                           -" in latent.table(figures)
    assert "interpolations" not in latent.table(figures)  # which are measured between lines alone
    scored = latent.table({**figures, "mean_distance": 2.4e-4, "smoothness": 0.1})
    assert [line.split()[-1] for line in scored.splitlines()[-2:]] == ["0.240e-3", "0.100"]
    assert latent.table({**figures, "mean_distance": 0.03, "smoothness": None}).split()[-1] == "-"


@pytest.mark.parametrize("value, words", [(0.5, "the same code"), (math.nan, "not finite"), (math.inf, "not finite")])
def test_codes_that_say_nothing(value, words, tmp_path):
    autoencoder = Linear(spots(30).images, 2)
    autoencoder.encode = lambda pixels: np.full((len(pixels), 2), value, np.float32)
    with pytest.raises(UsageError, match=words):
        latent.study(autoencoder, spots(30), spots(30), tmp_path, 0)


@pytest.mark.parametrize("train, test", [(19, 30), (30, 19)])
def test_too_few_images(train, test, tmp_path):
    with pytest.raises(UsageError, match="needs 20 images .* one of the two has 19"):
        latent.study(Linear(spots(30).images, 2), spots(train), spots(test), tmp_path, 0)


@pytest.mark.parametrize("package", ["sklearn", "scipy", "matplotlib"])
def test_a_package_that_is_missing(package, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf'This needs {package} \(.*\): pip install -e "\.\[lab\]"'):
        latent.study(Linear(spots(30).images, 2), spots(30), spots(30), tmp_path, 0)
    assert list(tmp_path.iterdir()) == []


# The images.


def numbered(count, start=0):
    """Returns `Images` that are their numbers; the label is the last digit."""
    numbers = np.arange(start, start + count)
    return Images(np.uint8(numbers)[:, None, None, None], numbers % 10, tuple("0123456789"))


def loader(asked, **parts):
    def load(split):
        asked.append(split)
        if split not in parts:
            raise UsageError(f"No {split} here.")
        return parts[split]

    return load


@pytest.mark.parametrize(
    "split, other", [("train", "test"), ("train[:60]", "test"), ("test", "train"), ("test[5:]", "train")]
)
def test_a_model_is_tried_on_the_other_split(split, other):
    asked, said = [], []
    load = loader(asked, **{split: numbered(60), other: numbered(30, 100)})
    train, test = latent.splits(load, split, 20, 0, said.append)
    assert (asked, said) == ([split, other], [])
    assert len(set(train.images.ravel())) == len(set(test.images.ravel())) == 20
    assert train.images.max() < 60 and test.images.min() >= 100
    for part in (train, test):
        np.testing.assert_array_equal(part.images.ravel() % 10, part.labels)
        assert part.classes == tuple("0123456789")
    assert len(set(train.labels)) > 5  # not the first ones


def test_without_a_test_split_a_fifth_stands_for_it():
    said = []
    train, test = latent.splits(loader([], train=numbered(100)), "train", 1000, 0, said.append)
    assert (len(train.images), len(test.images)) == (80, 20)
    assert sorted([*train.images.ravel(), *test.images.ravel()]) == list(range(100))
    assert said == ["No test here. A fifth of the images that the model was trained on stands for it."]
    again = latent.splits(loader([], train=numbered(100)), "train", 1000, 0, said.append)
    np.testing.assert_array_equal(again[1].images, test.images)
    other = latent.splits(loader([], train=numbered(100)), "train", 1000, 1, said.append)
    assert (other[1].images != test.images).any()


def test_a_model_that_was_trained_on_both_splits_is_tried_on_a_fifth():
    said = []
    train, test = latent.splits(loader([], **{"train+test": numbered(100)}), "train+test", 1000, 0, said.append)
    assert (len(train.images), len(test.images)) == (80, 20)
    assert said[0].startswith("The model was trained on train+test, so it has seen the test images too. A fifth")


def test_unlabelled_images_stay_so():
    data = Images(numbered(50).images, None, ())
    assert latent.splits(loader([], train=data, test=data), "train", 20, 0, print)[1][1:] == (None, ())


def test_a_mistake_in_the_training_images_is_told():
    with pytest.raises(UsageError, match="No train here."):
        latent.splits(loader([]), "train", 20, 0, print)
