"""Hybrids: that what is recorded is what was mixed, and the folder that they lie in."""

import csv
import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from kgen.data import Images
from kgen.errors import UsageError
from kgen.metrics.features import Network
from kgen.studies.hybrids import pairs as hybrid_pairs
from kgen.studies.hybrids import study as hybrids
from kgen.studies.hybrids.pairs import Protocol
from tests.helpers.linear_autoencoder import Linear, spots

CLASSES = ("plane", "bird", "deer", "horse")


def coloured(count=80, seed=0):
    """Returns `Images` of noise in three colours, of four classes by turns."""
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 6, 7, 3), np.uint8)
    return Images(pixels, np.arange(count) % 4, CLASSES)


class Pixels:
    """The code of an image is its pixels; a sampled one is brighter or darker."""

    variational = True

    def __init__(self):
        self.seeds = []

    def encode(self, images):
        assert images.dtype == np.uint8
        return images.reshape(len(images), -1) / np.float32(255)

    def sampled(self, images, seed):
        self.seeds.append(seed)
        return self.encode(images) + np.float32(0.1 * np.random.default_rng(seed).normal(size=(len(images), 1)))

    def decode(self, codes):
        assert codes.dtype == np.float32
        return np.clip(codes, 0, 1).reshape(-1, 6, 7, 3)


def study(folder, data=None, train=None, autoencoder=None, said=None, classifier=None, **changes):
    """Returns `(pairs, figures)` of a study of ten hybrids."""
    data = data or coloured()
    protocol = Protocol(**{"count": 10, "sequences": 2, "frames": 3, **changes})
    pairs, say = hybrid_pairs.paired(data, protocol), [].append if said is None else said.append
    given = (
        autoencoder or Pixels(),
        data,
        pairs,
        protocol,
        train or coloured(seed=1),
        folder,
        classifier,
        {"model": "x"},
        say,
    )
    return pairs, hybrids.study(*given)


def read(path, height=6, width=7):
    """Returns the cells of a picture, `(rows, columns, height, width, channels)`."""
    picture = np.array(Image.open(path))
    picture = picture.reshape(*picture.shape[:2], -1)
    return picture.reshape(len(picture) // height, height, -1, width, picture.shape[-1]).swapaxes(1, 2)


def test_a_hybrid_of_a_full_linear_code_is_the_mix_of_pixels(tmp_path):
    data = spots(200)
    pairs, _ = study(tmp_path, data, spots(50, seed=1), Linear(data.images, 64), bodies="a", wings="c", alpha="0,1")
    body, hybrid, wing, faded = (row.astype(float) for row in read(tmp_path / "pairs.png", 8, 8))
    alphas = pairs.alphas[:, None, None, None]
    np.testing.assert_array_equal(body, data.images[pairs.bodies])
    np.testing.assert_array_equal(wing, data.images[pairs.wings])
    np.testing.assert_allclose(hybrid, (1 - alphas) * body + alphas * wing, atol=0.51)
    np.testing.assert_allclose(faded, (1 - alphas) * body + alphas * wing, atol=0.5)
    assert np.ptp(pairs.alphas) > 0.5


def test_what_is_recorded_is_what_was_mixed(tmp_path):
    data = coloured()
    pairs, found = study(tmp_path, data, alpha="0.1,0.9")
    with (tmp_path / "hybrids.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["body", "wing", "body_class", "wing_class", "alpha"] and len(rows) == 10
    cells = read(tmp_path / "hybrids.png")
    assert cells.shape[:2] == (3, 4) and not cells[2, 2:].any()
    for row, cell, alpha in zip(rows, cells.reshape(12, 6, 7, 3), pairs.alphas, strict=False):
        assert (row["body_class"], row["wing_class"], float(row["alpha"])) == ("horse", "bird", alpha)
        body, wing = (data.images[int(row[name])].astype(float) for name in ("body", "wing"))
        np.testing.assert_allclose(cell, (1 - alpha) * body + alpha * wing, atol=0.51)
    assert found == json.loads((tmp_path / "hybrids.json").read_text())
    assert (found["model"], found["classifier"], found["trained_on"]) == ("x", None, {"bodies": 0, "wings": 0})
    assert found["protocol"] == dataclasses.asdict(Protocol(count=10, sequences=2, frames=3, alpha="0.1,0.9"))
    assert (tmp_path / "hybrids.md").read_text() == ""


def test_pairs_go_on_below_after_sixteen(tmp_path):
    data = coloured()
    pairs, _ = study(tmp_path, data, count=20)
    cells = read(tmp_path / "pairs.png")
    assert cells.shape[:2] == (8, 16) and not cells[4:, 4:].any()
    for row, rows in ((0, pairs.bodies), (2, pairs.wings)):
        np.testing.assert_array_equal(cells[row], data.images[rows[:16]])
        np.testing.assert_array_equal(cells[row + 4, :4], data.images[rows[16:]])


def test_sequences_go_from_the_body_to_the_wing(tmp_path):
    data = coloured()
    pairs, _ = study(tmp_path, data, sequences=3, frames=5)
    cells = read(tmp_path / "sequences.png")
    assert cells.shape[:2] == (3, 7)
    for row, body, wing in zip(cells, data.images[pairs.bodies], data.images[pairs.wings], strict=False):
        np.testing.assert_array_equal(row[[0, 1, 5, 6]], [body, body, wing, wing])
        np.testing.assert_allclose(row[3], (body.astype(float) + wing) / 2, atol=0.51)
    film = Image.open(tmp_path / "sequences.gif")
    assert (film.n_frames, film.size) == (5, (2 * 7, 2 * 6))
    study(tmp_path / "one", count=1)  # sequences of two, of which there is one
    assert read(tmp_path / "one/sequences.png").shape[:2] == (1, 5)


@pytest.mark.parametrize("codes, differ", [("mean", False), ("sampled", True)])
def test_repetitions_differ_where_codes_are_sampled(codes, differ, tmp_path):
    autoencoder = Pixels()
    pairs, _ = study(tmp_path, autoencoder=autoencoder, repeats=3, codes=codes)
    cells = read(tmp_path / "sequences.png")
    assert cells.shape[:2] == (6, 5)
    np.testing.assert_array_equal(cells[:, 0], coloured().images[np.repeat(pairs.bodies[:2], 3)])
    for one, other in ((0, 1), (0, 2), (1, 2), (3, 4), (3, 5)):
        assert all((cells[one, frame] != cells[other, frame]).any() == differ for frame in (1, 2, 3))
    assert len(set(autoencoder.seeds)) == len(autoencoder.seeds) == (2 + 3 * 2 if differ else 0)


def test_the_same_seed_gives_the_same_files(tmp_path):
    def look(pixels):
        means = pixels.mean(axis=(1, 2)) / 765
        return means, np.log(np.concatenate([means, 1 - means.sum(axis=1, keepdims=True)], axis=1))

    for name, changes in {"a": {}, "b": {}, "c": {"seed": 1}}.items():
        study(
            tmp_path / name,
            codes="sampled",
            classifier=Network("toy", look, {"run": "classifier", "network": "toy"}),
            **changes,
        )
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == "hybrids.csv hybrids.json hybrids.md hybrids.png pairs.png sequences.gif sequences.png".split()
    for name in files:
        one, same, other = ((tmp_path / folder / name).read_bytes() for folder in "abc")
        assert one == same != other


@pytest.mark.parametrize("codes, words", [("mean", "not finite: it has diverged"), ("sampled", "a variational enc")])
def test_codes_that_cannot_be_used(codes, words, tmp_path):
    autoencoder = Pixels()
    autoencoder.variational = False
    autoencoder.encode = lambda pixels: np.full((len(pixels), 6 * 7 * 3), np.nan, np.float32)
    with pytest.raises(UsageError, match=words):
        study(tmp_path / "out", autoencoder=autoencoder, codes=codes)
    assert not (tmp_path / "out").exists()


def test_images_that_the_model_was_trained_on_are_counted(tmp_path):
    data, said = coloured(), []
    pairs, _ = study(tmp_path, data, said=said)
    rows = [*pairs.bodies[:3], *set(pairs.wings)]
    _, found = study(tmp_path, data, Images(data.images[rows], data.labels[rows], CLASSES), said=said)
    assert found["trained_on"] == {"bodies": 3, "wings": 10} and len(said) == 1
    assert said[0].startswith("The model was trained on 3 of the 10 bodies and 10 of the wings: what it makes of them")
