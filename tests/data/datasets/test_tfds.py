"""tfds:NAME on a small dataset that is prepared here."""

import numpy as np
import pytest

from kgen import data
from kgen.data import NoSplit
from kgen.data.datasets import tfds as dataset
from kgen.errors import UsageError


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Two datasets: 6 + 2 pictures of 4x4 with classes; 3 of several sizes without; and one of numbers."""
    import tensorflow_datasets as tfds

    class Base(tfds.core.GeneratorBasedBuilder):
        """Pictures."""

        VERSION = tfds.core.Version("1.0.0")
        SKIP_REGISTERING = True

        def _info(self):
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(self.features()))

        def _split_generators(self, manager):
            return {"train": self._generate_examples(range(6)), "test": self._generate_examples(range(6, 8))}

    class KgenSquares(Base):
        """Eight squares."""

        def features(self):
            names = tfds.features.ClassLabel(names=["low", "high"])
            return {"image": tfds.features.Image(shape=(4, 4, 1), encoding_format="png"), "label": names}

        def _generate_examples(self, numbers):
            for i in numbers:
                yield i, {"image": np.full((4, 4, 1), 10 * i, np.uint8), "label": i // 4}

    class KgenFrames(Base):
        """Frames of several sizes."""

        def features(self):
            return {"image": tfds.features.Image(shape=(None, None, 3), encoding_format="png")}

        def _generate_examples(self, numbers):
            for i in numbers:
                yield i, {"image": np.full((4 + i, 9, 3), 10 * i, np.uint8)}

    class KgenNumbers(Base):
        """No pictures."""

        def features(self):
            return {"number": np.int64}

        def _generate_examples(self, numbers):
            for i in numbers:
                yield i, {"number": i}

    folder = tmp_path_factory.mktemp("tfds")
    for kind in (KgenSquares, KgenFrames, KgenNumbers):
        kind(data_dir=folder).download_and_prepare()
    return folder


def test_its_own_size_and_classes(prepared):
    got = data.load("tfds:kgen_squares", "train", prepared)
    assert got.images.shape == (6, 4, 4, 1) and got.classes == ("low", "high")
    assert sorted(zip(got.images[:, 0, 0, 0].tolist(), got.labels.tolist(), strict=True)) == [
        (10 * i, i // 4) for i in range(6)
    ]
    np.testing.assert_array_equal(data.load("tfds:kgen_squares", "train[2:4]", prepared).images, got.images[2:4])
    assert len(data.load("tfds:kgen_squares", "test", prepared, classes=("high",)).images) == 2


def test_pictures_of_several_sizes(prepared):
    got = data.load("tfds:kgen_frames", "train", prepared)
    assert got.images.shape == (6, 64, 64, 3) and got.labels is None
    assert sorted(got.images[:, 0, 0, 0].tolist()) == [0, 10, 20, 30, 40, 50]


def test_mistakes_are_told(prepared, monkeypatch):
    with pytest.raises(UsageError, match="Write tfds:NAME"):
        data.load("tfds", "train", prepared)
    with pytest.raises(NoSplit, match="There is no split 'valid'; this dataset has: train, test"):
        data.load("tfds:kgen_squares", "valid", prepared)
    with pytest.raises(UsageError, match="kgen_numbers has no feature 'image' of single images"):
        data.load("tfds:kgen_numbers", "train", prepared)
    with pytest.raises(UsageError, match="no_such_dataset is not on this machine.*tfds build NAME"):
        data.load("tfds:no_such_dataset", "train", prepared)
    assert dataset.present(prepared) and not dataset.present(prepared / "kgen_squares")
