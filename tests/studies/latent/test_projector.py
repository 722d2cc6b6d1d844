"""The embedding projector's files read back."""

import numpy as np
import pytest
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector import projector_config_pb2

from kgen.studies.latent import projector


def projected(folder, count=7, shape=(2, 3, 1), labels=True, classes=("cat", "dog\tor\nfox", "")):
    random = np.random.default_rng(0)
    codes, pixels = np.float32(random.normal(size=(count, 4))), random.integers(1, 256, (count, *shape), np.uint8)
    written = projector.write_projector(folder, codes, pixels, np.arange(count) % 3 if labels else None, classes)
    config = text_format.Parse((folder / "projector_config.pbtxt").read_text(), projector_config_pb2.ProjectorConfig())
    (embedding,) = config.embeddings
    return codes, pixels, written, embedding


@pytest.mark.parametrize("channels", [1, 3])
def test_the_projectors_files_read_back(channels, tmp_path):
    codes, pixels, written, embedding = projected(tmp_path, shape=(2, 3, channels))
    assert written == 7
    np.testing.assert_allclose(np.loadtxt(tmp_path / embedding.tensor_path, delimiter="\t"), codes, rtol=1e-5)
    names = (tmp_path / embedding.metadata_path).read_text().split("\n")
    assert names == ["cat", "dog or fox", "-"] * 2 + ["cat", ""]
    assert list(embedding.sprite.single_image_dim) == [3, 2]  # width, height
    sheet = np.array(Image.open(tmp_path / embedding.sprite.image_path)).reshape(6, 9, channels)  # 3 x 3 cells
    cells = [sheet[y : y + 2, x : x + 3] for y in (0, 2, 4) for x in (0, 3, 6)]
    np.testing.assert_array_equal(cells[:7], pixels)
    assert not np.any(cells[7:])


def test_a_projector_without_labels(tmp_path):
    *_, embedding = projected(tmp_path, labels=False)
    assert embedding.metadata_path == ""
    assert not (tmp_path / "metadata.tsv").exists()


def test_a_sprite_has_no_more_images_than_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(projector, "MOST_PIXELS", 8)  # two images of width 3 beside each other
    codes, pixels, written, embedding = projected(tmp_path)
    assert written == 4
    assert Image.open(tmp_path / "sprite.png").size == (6, 4)
    assert len((tmp_path / "metadata.tsv").read_text().splitlines()) == 4
    np.testing.assert_allclose(np.loadtxt(tmp_path / "codes.tsv"), codes[:4], rtol=1e-5)


def test_images_larger_than_the_sprite(tmp_path, monkeypatch):
    monkeypatch.setattr(projector, "MOST_PIXELS", 2)
    with pytest.raises(ValueError, match="`pixels` must be at most 2 a side. Received: 2x3"):
        projected(tmp_path)
